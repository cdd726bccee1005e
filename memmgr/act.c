/* SPDX-License-Identifier: MIT */
/* Carrying out what the plan says. No lock is held while others are called. */
#include <malloc.h>

#include "jemalloc.h"
#include "macros.h"
#include "plan.h"
#include "state.h"
#include "str.h"

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
static void note_lowering(struct wan_memory *memory, uint64_t before, uint64_t after, uint64_t now)
{
	wan_mutex_lock(&memory->lock);
	struct wan_memory_lowering *lowering = &memory->lowering;
	if (!lowering->full_bytes || lowering->ours_bytes != before)
		lowering->full_bytes = before;
	lowering->ours_bytes = after;
	lowering->grown_ns = now;
	wan_mutex_unlock(&memory->lock);
}

static void give_pages_back(void)
{
	if (wan_jemalloc_active())
		wan_jemalloc_purge();
	else
		malloc_trim(0);
}

static void call_emergency(struct wan_memory *memory)
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

static void record(struct wan_memory *memory, const struct wan_memory_action *action)
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
	return wan_memory_reclaim(memory, level, missing_bytes,
				  rebuild ? INT32_MAX : WAN_RECLAIM_REBUILD - 1);
}

void wan_memory_act(struct wan_memory *memory, enum wan_memory_level level, bool repeated,
		    const char *reason, uint64_t excess_bytes)
{
	struct wan_memory_action action = {
		.what = "reclaim",
		.level = level,
		.asked_bytes = excess_bytes,
		.limit_before_bytes = cache_limit(memory),
		.time_ns = memory->now_ns(),
	};
	struct wan_plan_action plan =
		wan_plan_for(level, action.limit_before_bytes, repeated, memory->classic);
	action.limit_after_bytes = plan.limit_after;
	wan_str_copy(action.reason, sizeof(action.reason), reason);

	wan_memory_scale_batches(memory, plan.batch_factor, &action.batch_before,
				 &action.batch_after);
	if (plan.limit_after < action.limit_before_bytes) {
		action.what = "cache_limit";
		action.freed_bytes += set_cache_limit(memory, plan.limit_after);
		note_lowering(memory, action.limit_before_bytes, plan.limit_after, action.time_ns);
	}
	if (plan.clear && memory->limits.clear_cache) {
		action.what = "cache_clear";
		action.freed_bytes += memory->limits.clear_cache(memory->limits.context);
	}
	if (action.freed_bytes < excess_bytes)
		action.freed_bytes +=
			reclaim_rest(memory, level, &plan, excess_bytes - action.freed_bytes);
	if (plan.purge)
		give_pages_back();
	if (plan.callbacks)
		call_emergency(memory);
	action.not_ours = action.freed_bytes < excess_bytes / 100;
	record(memory, &action);
}

void wan_memory_recover(struct wan_memory *memory, uint64_t now_ns)
{
	enum { STEP_NS = 1000000000 };
	wan_mutex_lock(&memory->lock);
	struct wan_memory_lowering lowering = memory->lowering;
	wan_mutex_unlock(&memory->lock);
	if (!lowering.full_bytes || now_ns - lowering.grown_ns < STEP_NS)
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
	record(memory, &action);
}
