/* SPDX-License-Identifier: MIT */
/* Carrying out what the plan says. No lock is held while others are called. */
#include <malloc.h>
#include <string.h>

#include "atomics.h"
#include "jemalloc.h"
#include "macros.h"
#include "plan.h"
#include "state.h"
#include "str.h"

/* Kernels count pages in batches of each processor; a fall is seen to within this. */
#define COUNTING_SLACK_BYTES WAN_MIB

static const uint64_t HOLDER_EVERY_NS = 60000000000;

static uint64_t cache_limit(struct wan_memory *memory)
{
	struct wan_memory_limits *limits = &memory->limits;
	return limits->get_cache_limit ? limits->get_cache_limit(limits->context) : 0;
}

static uint64_t set_cache_limit(struct wan_memory *memory, uint64_t limit_bytes)
{
	struct wan_memory_limits *limits = &memory->limits;
	return limits->set_cache_limit ? limits->set_cache_limit(limits->context, limit_bytes) : 0;
}

/* Remembers where the limit stood before our first lowering. */
void wan_memory_note_lowering(struct wan_memory *memory, uint64_t before, uint64_t after)
{
	uint64_t now = memory->now_ns();
	wan_mutex_lock(&memory->lock);
	struct wan_memory_lowering *lowering = &memory->lowering;
	if (!lowering->full_bytes || lowering->ours_bytes != before)
		lowering->full_bytes = before;
	lowering->ours_bytes = after;
	lowering->grown_ns = now;
	wan_mutex_unlock(&memory->lock);
}

void wan_memory_give_pages_back(void)
{
	if (wan_jemalloc_active())
		wan_jemalloc_purge();
	else
		malloc_trim(0);
}

void wan_memory_call_emergency(struct wan_memory *memory)
{
	struct wan_emergency_callback callbacks[WAN_EMERGENCY_CALLBACKS_MAX];
	wan_mutex_lock(&memory->lock);
	uint32_t count = memory->callback_count;
	for (uint32_t i = 0; i < count; i++)
		callbacks[i] = memory->callbacks[i];
	wan_mutex_unlock(&memory->lock);
	for (uint32_t i = 0; i < count; i++)
		callbacks[i].function(callbacks[i].context);
}

void wan_memory_record(struct wan_memory *memory, const struct wan_memory_action *action)
{
	wan_mutex_lock(&memory->lock);
	memory->state.actions++;
	wan_mutex_unlock(&memory->lock);
	if (memory->on_action)
		memory->on_action(memory->context, action);
}

/* Values that must be made again are dropped only when that can end the pressure: a host that is
 * short of gigabytes is not helped by an empty cache. At emergency all is dropped anyway. */
static uint64_t reclaim_rest(struct wan_memory *memory, enum wan_memory_level level,
			     const struct wan_plan_action *plan, uint64_t missing_bytes)
{
	bool rebuild = plan->reclaim_rebuild && (level == WAN_MEMORY_EMERGENCY ||
						 missing_bytes <= wan_memory_could_give(memory));
	return rebuild ? wan_memory_reclaim(memory, level, missing_bytes, INT32_MAX) : 0;
}

/* By how much the deciding level or this process holds less than when the action was decided. */
static uint64_t fallen_bytes(struct wan_memory *memory, const struct wan_memory_decision *decision)
{
	struct wan_look look;
	struct wan_look_verdict verdict;
	wan_memory_look(memory, &look, &verdict);
	uint64_t fallen = decision->rss_bytes - WAN_MIN(decision->rss_bytes, look.rss_bytes);
	for (uint32_t i = 0; i < look.count; i++) {
		uint64_t need = look.levels[i].need_bytes;
		if (wan_str_equal(look.levels[i].name, decision->deciding) &&
		    need < decision->need_bytes)
			fallen = WAN_MAX(fallen, decision->need_bytes - need);
	}
	return fallen;
}

/* What was freed must show in the figures: an allocator that keeps pages is made to give them back,
 * and what stays away even then is not counted as freed. */
static void verify(struct wan_memory *memory, const struct wan_memory_decision *decision,
		   bool purged, struct wan_memory_action *action)
{
	uint64_t claimed = action->freed_bytes;
	if (claimed <= COUNTING_SLACK_BYTES)
		return;
	uint64_t expected = claimed - claimed / 10;
	uint64_t fallen = fallen_bytes(memory, decision) + COUNTING_SLACK_BYTES;
	if (fallen < expected && !purged) {
		wan_memory_give_pages_back();
		fallen = fallen_bytes(memory, decision) + COUNTING_SLACK_BYTES;
	}
	if (fallen >= expected)
		return;
	action->fragmented = true;
	action->freed_bytes = fallen - COUNTING_SLACK_BYTES;
	wan_mutex_lock(&memory->lock);
	memory->stay.fragmented = true;
	wan_mutex_unlock(&memory->lock);
}

static void lower(struct wan_memory *memory, const struct wan_plan_action *plan,
		  struct wan_memory_action *action)
{
	if (plan->limit_after < action->limit_before_bytes) {
		action->what = "cache_limit";
		action->freed_bytes += set_cache_limit(memory, plan->limit_after);
		wan_memory_note_lowering(memory, action->limit_before_bytes, plan->limit_after);
	}
	if (plan->clear && memory->limits.clear_cache) {
		action->what = "cache_clear";
		action->freed_bytes += memory->limits.clear_cache(memory->limits.context);
	}
}

static void serve_callbacks(struct wan_memory *memory, bool ticking)
{
	if (ticking) {
		wan_memory_call_emergency(memory);
		return;
	}
	wan_store_relaxed(&memory->callbacks_due, 1);
	if (memory->wake)
		memory->wake(memory->context);
}

/* Says in the reason why that was all. The largest holder is looked for once a minute. */
static void explain(struct wan_memory *memory, const struct wan_memory_decision *decision,
		    struct wan_memory_action *action)
{
	char holder[96] = "";
	size_t length = strlen(action->reason), room = sizeof(action->reason) - length;
	if (action->fragmented)
		wan_str_format(action->reason + length, room,
			       "; what was freed stays with the allocator");
	if (!action->not_ours)
		return;
	bool look = decision->ticking && memory->sources.holder &&
		    (!memory->holder_ns || action->time_ns - memory->holder_ns >= HOLDER_EVERY_NS);
	if (look) {
		memory->holder_ns = action->time_ns;
		if (memory->sources.holder(memory->sources.context, decision->deciding, holder,
					   sizeof(holder)) < 0)
			holder[0] = '\0';
	}
	wan_str_format(action->reason + length, room, "; not ours to solve%s%s",
		       holder[0] ? ": " : "", holder);
}

void wan_memory_act(struct wan_memory *memory, const struct wan_memory_decision *decision)
{
	enum wan_memory_level level = decision->level;
	struct wan_memory_action action = {
		.what = "reclaim",
		.level = level,
		.asked_bytes = decision->excess_bytes,
		.limit_before_bytes = cache_limit(memory),
		.time_ns = memory->now_ns(),
	};
	if (decision->fragmented && level < WAN_MEMORY_CRITICAL)
		level++; /* what was freed at this step did not come back: one step further */
	struct wan_plan_action plan =
		wan_plan_for(level, action.limit_before_bytes, decision->repeated, memory->classic);
	action.limit_after_bytes = plan.limit_after;
	wan_str_copy(action.reason, sizeof(action.reason), decision->reason);

	/* What costs nothing first: its pages are back before the cache has been looked through. */
	action.freed_bytes =
		wan_memory_reclaim(memory, level, decision->excess_bytes, WAN_RECLAIM_REBUILD - 1);
	/* Later there is no room for copies, and a thread that reserves has no time. */
	if (decision->ticking && level == WAN_MEMORY_WARNING && memory->limits.compress)
		memory->limits.compress(memory->limits.context, decision->excess_bytes);
	wan_memory_scale_batches(memory, plan.batch_factor, &action.batch_before,
				 &action.batch_after);
	lower(memory, &plan, &action);
	if (action.freed_bytes < decision->excess_bytes)
		action.freed_bytes += reclaim_rest(memory, level, &plan,
						   decision->excess_bytes - action.freed_bytes);
	if (plan.purge)
		wan_memory_give_pages_back();
	verify(memory, decision, plan.purge, &action);
	if (plan.callbacks)
		serve_callbacks(memory, decision->ticking);
	action.not_ours = action.freed_bytes < decision->excess_bytes / 100;
	explain(memory, decision, &action);
	wan_memory_record(memory, &action);
}

void wan_memory_recover(struct wan_memory *memory, uint64_t now_ns)
{
	enum { STEP_NS = 1000000000 };
	wan_mutex_lock(&memory->lock);
	struct wan_memory_lowering lowering = memory->lowering;
	wan_mutex_unlock(&memory->lock);
	if (!lowering.full_bytes || now_ns - lowering.grown_ns < STEP_NS)
		return;
	if (memory->limits.may_grow && !memory->limits.may_grow(memory->limits.context))
		return;

	uint64_t before = cache_limit(memory);
	/* Another value than ours: the owner has decided since, and its word stands. */
	bool ours = before == lowering.ours_bytes;
	uint64_t after = ours ? wan_plan_regrow(before, lowering.full_bytes, STEP_NS) : before;
	if (after > before)
		set_cache_limit(memory, after);
	wan_mutex_lock(&memory->lock);
	memory->lowering.ours_bytes = after;
	memory->lowering.grown_ns = now_ns;
	if (!ours || after >= lowering.full_bytes)
		memory->lowering.full_bytes = 0;
	wan_mutex_unlock(&memory->lock);
	if (after == before)
		return;
	struct wan_memory_action action = {
		.what = "cache_regrow",
		.reason = "normal again: cache limit grows by 5 % of what it was",
		.level = WAN_MEMORY_NORMAL,
		.limit_before_bytes = before,
		.limit_after_bytes = after,
		.time_ns = now_ns,
	};
	wan_memory_record(memory, &action);
}
