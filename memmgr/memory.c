/* SPDX-License-Identifier: MIT */
#include "memory.h"

#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "atomics.h"
#include "clock.h"
#include "fork.h"
#include "jemalloc.h"
#include "log.h"
#include "macros.h"
#include "plan.h"
#include "state.h"
#include "str.h"
#include "thread.h"

enum { LINE_BELOW_WARNING = 2, LEAVE_POINTS = 5 };

/* Words of the recording; the meaning of each is in the schema (MEMORY). */
enum {
	WORD_LEVEL,
	WORD_DECIDING,
	WORD_PERCENT,
	WORD_TOTAL,
	WORD_AVAILABLE,
	WORD_CGROUP_LIMIT,
	WORD_CGROUP_NEED,
	WORD_HEADROOM,
	WORD_RSS,
	WORD_RESERVED,
	WORD_TICKS,
	WORD_ACTIONS,
	WORD_TREND,
	WORD_GPU_TOTAL,
	WORD_GPU_USED,
	WORD_BATCH,
};

static void take_rules(struct wan_memory *memory, const struct wan_config *config)
{
	memory->classic = strcmp(config->memory_rules, "classic") == 0;
	memory->rules = (struct wan_level_rules){
		.warning_pct = config->memory_warning_pct,
		.critical_pct = config->memory_critical_pct,
		.emergency_pct = config->memory_emergency_pct,
		.leave_points = memory->classic ? 0 : LEAVE_POINTS,
		.leave_hold_ns = memory->classic ? 0 : 1000000000,
	};
	memory->line_pct = WAN_MAX(config->memory_warning_pct - LINE_BELOW_WARNING, 1);
	memory->gpu_pct = config->memory_gpu_pct;
	memory->process_cap_bytes = config->memory_process_cap_bytes;
	memory->pool_idle_bytes = config->pool_idle_bytes;
}

int wan_memory_create(const struct wan_memory_options *options, struct wan_memory **ret_memory)
{
	if (!options || !ret_memory || options->struct_size < sizeof(*options))
		return -EINVAL;
	struct wan_memory *memory = wan_calloc(1, sizeof(*memory));
	struct wan_config *defaults = options->config ? NULL : wan_malloc(sizeof(*defaults));
	int status = memory && (options->config || defaults) ? 0 : -ENOMEM;
	if (!status && options->sources)
		memory->sources = *options->sources;
	else if (!status)
		status = wan_real_sources_open(&memory->real, NULL, &memory->sources);
	if (status < 0) {
		wan_free(defaults);
		wan_free(memory);
		return status;
	}
	if (defaults)
		wan_config_defaults(defaults);
	take_rules(memory, options->config ? options->config : defaults);
	wan_free(defaults);
	memory->fork_generation = wan_fork_generation();
	memory->owns_real = !options->sources;
	memory->now_ns = options->now_ns ? options->now_ns : wan_now_ns;
	memory->limits = options->limits;
	memory->counters = options->counters;
	memory->string_id = options->string_id;
	memory->on_action = options->on_action;
	memory->context = options->context;
	wan_mutex_init(&memory->lock, WAN_RANK_MEMORY);
	wan_mutex_init(&memory->batch_lock, WAN_RANK_BATCH);
	wan_cond_init(&memory->reclaim_done);
	wan_jemalloc_active(); /* its self-test allocates: now, not when memory is short */

	struct wan_look look;
	struct wan_look_verdict verdict;
	wan_memory_refresh(memory, &look, &verdict);
	*ret_memory = memory;
	return 0;
}

/* Threads of the parent that acted, reclaimed or waited are not in the child; a condition with
 * waiters that never come back could not even be destroyed. */
static void forget_after_fork(struct wan_memory *memory)
{
	uint32_t now = wan_fork_generation(), then = wan_load_relaxed(&memory->fork_generation);
	if (now == then || !wan_cas_acq_rel(&memory->fork_generation, &then, now))
		return;
	wan_store_relaxed(&memory->acting, 0);
	wan_mutex_lock(&memory->lock);
	memory->reclaiming_thread = 0;
	wan_cond_init(&memory->reclaim_done);
	wan_mutex_unlock(&memory->lock);
}

void wan_memory_destroy(struct wan_memory *memory)
{
	if (!memory)
		return;
	forget_after_fork(memory);
	if (memory->owns_real)
		wan_real_sources_close(&memory->real);
	wan_cond_finish(&memory->reclaim_done);
	wan_mutex_finish(&memory->batch_lock);
	wan_mutex_finish(&memory->lock);
	wan_free(memory);
}

/* An unreadable host keeps its last figures: unknown must not look like unlimited. */
static void keep_last_host(struct wan_memory *memory, struct wan_look *look)
{
	if (look->total_bytes)
		return;
	wan_log(WAN_LOG_WARNING, "memory: /proc/meminfo cannot be read, its last figures stand");
	wan_mutex_lock(&memory->lock);
	uint64_t total = memory->state.total_bytes, available = memory->state.available_bytes;
	wan_mutex_unlock(&memory->lock);
	if (!total)
		return;
	look->total_bytes = total;
	look->available_bytes = available;
	struct wan_level_reading *level = &look->levels[look->count++];
	wan_str_copy(level->name, sizeof(level->name), "host");
	level->limit_bytes = total;
	level->need_bytes = total - available;
}

static const char *level_name(const struct wan_look *look, int index)
{
	return index < 0 ? "" : look->levels[index].name;
}

static void publish_locked(struct wan_memory *memory, const struct wan_look *look,
			   const struct wan_look_verdict *verdict) WAN_REQUIRES(&memory->lock)
{
	struct wan_memory_state *state = &memory->state;
	wan_str_copy(state->deciding, sizeof(state->deciding), level_name(look, verdict->deciding));
	state->deciding_percent = verdict->percent;
	state->total_bytes = look->total_bytes;
	state->available_bytes = look->available_bytes;
	state->host_percent =
		wan_level_percent(look->total_bytes - look->available_bytes, look->total_bytes);
	bool grouped = verdict->cgroup >= 0;
	state->cgroup_limit_bytes = grouped ? look->levels[verdict->cgroup].limit_bytes : 0;
	state->cgroup_need_bytes = grouped ? look->levels[verdict->cgroup].need_bytes : 0;
	wan_str_copy(state->tightest, sizeof(state->tightest), level_name(look, verdict->tightest));
	state->headroom_bytes = verdict->headroom_bytes;
	state->process_rss_bytes = look->rss_bytes;
	state->gpu_known = look->gpu_known;
	state->gpu_total_bytes = look->gpu_known ? look->gpu_total_bytes : 0;
	state->gpu_used_bytes = look->gpu_known ? look->gpu_used_bytes : 0;
	wan_str_copy(memory->limiting, sizeof(memory->limiting),
		     level_name(look, verdict->limiting));
	if (verdict->deciding >= 0) {
		memory->deciding_need_bytes = look->levels[verdict->deciding].need_bytes;
		memory->deciding_limit_bytes = look->levels[verdict->deciding].limit_bytes;
	}
}

void wan_memory_refresh(struct wan_memory *memory, struct wan_look *ret_look,
			struct wan_look_verdict *ret_verdict)
{
	struct wan_look_request request = {
		.now_ns = memory->now_ns(),
		.process_cap_bytes = memory->process_cap_bytes,
		.gpu_mask = wan_load_relaxed(&memory->gpu_mask),
	};
	/* Before reading: what is granted meanwhile may or may not be in the figures. */
	wan_store_relaxed(&memory->unread_bytes, 0);
	wan_look_read(&memory->sources, &request, ret_look);
	keep_last_host(memory, ret_look);
	wan_look_judge(ret_look, memory->line_pct, ret_verdict);
	wan_store_relaxed(&memory->line_left_bytes, ret_verdict->line_left_bytes);
	wan_store_relaxed(&memory->headroom_bytes, ret_verdict->headroom_bytes);
	wan_mutex_lock(&memory->lock);
	publish_locked(memory, ret_look, ret_verdict);
	wan_mutex_unlock(&memory->lock);
}

static void store_words(struct wan_memory *memory, uint32_t smallest_batch)
{
	uint64_t *words = memory->counters;
	if (!words)
		return;
	wan_mutex_lock(&memory->lock);
	struct wan_memory_state state = memory->state;
	uint64_t ticks = memory->ticks;
	enum wan_memory_level level = memory->level.level;
	wan_mutex_unlock(&memory->lock);
	double trend = wan_memory_trend(memory);
	wan_store_relaxed(&words[WORD_LEVEL], (uint64_t)level);
	if (memory->string_id)
		wan_store_relaxed(&words[WORD_DECIDING],
				  memory->string_id(memory->context, state.deciding));
	wan_store_relaxed(&words[WORD_PERCENT], (uint64_t)(state.deciding_percent * 1000));
	wan_store_relaxed(&words[WORD_TOTAL], state.total_bytes);
	wan_store_relaxed(&words[WORD_AVAILABLE], state.available_bytes);
	wan_store_relaxed(&words[WORD_CGROUP_LIMIT], state.cgroup_limit_bytes);
	wan_store_relaxed(&words[WORD_CGROUP_NEED], state.cgroup_need_bytes);
	wan_store_relaxed(&words[WORD_HEADROOM], state.headroom_bytes);
	wan_store_relaxed(&words[WORD_RSS], state.process_rss_bytes);
	wan_store_relaxed(&words[WORD_RESERVED], wan_load_relaxed(&memory->reserved_bytes));
	wan_store_relaxed(&words[WORD_TICKS], ticks);
	wan_store_relaxed(&words[WORD_ACTIONS], state.actions);
	wan_store_relaxed(&words[WORD_TREND], (uint64_t)(int64_t)trend);
	wan_store_relaxed(&words[WORD_GPU_TOTAL], state.gpu_total_bytes);
	wan_store_relaxed(&words[WORD_GPU_USED], state.gpu_used_bytes);
	wan_store_relaxed(&words[WORD_BATCH], smallest_batch);
}

/* What a tick decided under the lock, to be done without it. */
struct decision {
	enum wan_memory_level level;
	bool act, repeated, recover;
	uint64_t excess_bytes;
	char reason[128];
};

static void decide_locked(struct wan_memory *memory, const struct wan_look_verdict *verdict,
			  uint64_t now_ns, struct decision *decision) WAN_REQUIRES(&memory->lock)
{
	enum wan_memory_level before = memory->level.level;
	memory->level = wan_level_step(&memory->rules, memory->level, verdict->percent, now_ns);
	enum wan_memory_level level = memory->level.level;
	memory->state.level = decision->level = level;
	struct wan_memory_stay *stay = &memory->stay;
	uint64_t need = memory->deciding_need_bytes, limit = memory->deciding_limit_bytes;
	if (level != before) /* a fall asks for nothing, it only begins a stay */
		*stay = (struct wan_memory_stay){level < before, now_ns, need};
	decision->recover = level == WAN_MEMORY_NORMAL && !memory->classic &&
			    verdict->percent < memory->rules.warning_pct - LEAVE_POINTS;
	bool reached = level && wan_level_of(&memory->rules, verdict->percent) >= level;
	if (!reached)
		return;
	decision->repeated = stay->actions > 0;
	if (decision->repeated && !wan_plan_due_again(stay->need_bytes, need, limit,
						      now_ns - stay->acted_ns, memory->classic))
		return;
	decision->act = true;
	*stay = (struct wan_memory_stay){stay->actions + 1, now_ns, need};
	double entry = wan_level_entry(&memory->rules, level);
	decision->excess_bytes = wan_plan_excess_bytes(need, limit, entry - LEAVE_POINTS);
	wan_str_format(decision->reason, sizeof(decision->reason),
		       "%s: %s at %.1f %% (limit %g %%)", wan_level_name(level),
		       memory->state.deciding, verdict->percent, entry);
}

/* Batches on the GPU follow its own threshold; no other level is touched by it. */
static void serve_gpu(struct wan_memory *memory, const struct wan_look *look)
{
	double percent = wan_level_percent(look->gpu_used_bytes, look->gpu_total_bytes);
	if (!look->gpu_known || percent <= memory->gpu_pct)
		return;
	struct wan_memory_action action = {.what = "batch", .time_ns = look->time_ns};
	wan_memory_gpu_batches(memory, percent, &action.batch_before, &action.batch_after);
	if (action.batch_before == action.batch_after)
		return;
	wan_str_format(action.reason, sizeof(action.reason), "gpu at %.1f %% (limit %g %%)",
		       percent, memory->gpu_pct);
	wan_mutex_lock(&memory->lock);
	action.level = memory->level.level;
	memory->state.actions++;
	wan_mutex_unlock(&memory->lock);
	if (memory->on_action)
		memory->on_action(memory->context, &action);
}

enum wan_memory_level wan_memory_tick(struct wan_memory *memory)
{
	if (!memory)
		return WAN_MEMORY_NORMAL;
	struct wan_look look;
	struct wan_look_verdict verdict;
	forget_after_fork(memory);
	wan_memory_refresh(memory, &look, &verdict);
	uint32_t nobody = 0;
	bool mine = wan_cas_acq_rel(&memory->acting, &nobody, wan_thread_id());
	struct decision decision = {0};

	wan_mutex_lock(&memory->lock);
	memory->ticks++;
	if (memory->sources.repair) /* opens files under the lock, but at most once a second */
		memory->sources.repair(memory->sources.context, look.time_ns);
	if (look.total_bytes)
		wan_trend_add(&memory->trend, look.time_ns,
			      look.total_bytes - look.available_bytes);
	if (mine) /* else the tick that acts now will look again */
		decide_locked(memory, &verdict, look.time_ns, &decision);
	enum wan_memory_level level = memory->level.level;
	wan_mutex_unlock(&memory->lock);
	if (!mine)
		return level;

	if (decision.act)
		wan_memory_act(memory, decision.level, decision.repeated, decision.reason,
			       decision.excess_bytes);
	if (decision.recover)
		wan_memory_recover(memory, look.time_ns);
	serve_gpu(memory, &look);
	uint32_t smallest, same;
	wan_memory_scale_batches(memory, 1, &smallest, &same);
	store_words(memory, smallest);
	wan_store_release(&memory->acting, 0); /* pairs with the next tick's compare-and-swap */
	return level;
}

void wan_memory_state(struct wan_memory *memory, struct wan_memory_state *state)
{
	size_t bytes = state ? state->struct_size : 0;
	if (!memory || bytes < sizeof(bytes))
		return;
	struct wan_memory_state now;
	wan_mutex_lock(&memory->lock);
	now = memory->state;
	wan_mutex_unlock(&memory->lock);
	now.struct_size = bytes;
	now.reserved_bytes = wan_load_relaxed(&memory->reserved_bytes);
	now.trend_bytes_per_s = wan_memory_trend(memory);
	memcpy(state, &now, WAN_MIN(bytes, sizeof(now)));
}

double wan_memory_trend(struct wan_memory *memory)
{
	if (!memory)
		return 0;
	wan_mutex_lock(&memory->lock);
	double slope = wan_trend_slope(&memory->trend);
	wan_mutex_unlock(&memory->lock);
	return slope;
}

int wan_memory_on_emergency(struct wan_memory *memory, void (*callback)(void *context),
			    void *context)
{
	if (!memory || !callback)
		return -EINVAL;
	int status = 0;
	wan_mutex_lock(&memory->lock);
	for (uint32_t i = 0; i < memory->callback_count; i++)
		if (memory->callbacks[i].function == callback &&
		    memory->callbacks[i].context == context)
			status = -EEXIST;
	if (!status && memory->callback_count == WAN_EMERGENCY_CALLBACKS_MAX)
		status = -ENOSPC;
	if (!status)
		memory->callbacks[memory->callback_count++] =
			(struct wan_emergency_callback){callback, context};
	wan_mutex_unlock(&memory->lock);
	return status;
}
