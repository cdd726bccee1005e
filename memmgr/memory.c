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

enum {
	LINE_BELOW_WARNING = 2,
	LOOK_STANDS_NS = 1000000, /* a look takes 2 to 30 us */
	LOOK_TRIES = 3,
};

static void take_rules(struct wan_memory *memory, const struct wan_config *config)
{
	memory->classic = strcmp(config->memory_rules, "classic") == 0;
	memory->rules = (struct wan_level_rules){
		.warning_pct = config->memory_warning_pct,
		.critical_pct = config->memory_critical_pct,
		.emergency_pct = config->memory_emergency_pct,
		.leave_points = memory->classic ? 0 : WAN_LEAVE_POINTS,
		.leave_hold_ns = memory->classic ? 0 : 1000000000,
	};
	memory->line_pct = WAN_MAX(config->memory_warning_pct - LINE_BELOW_WARNING, 1);
	memory->wait_ns = config->memory_wait_ns;
	memory->gpu_pct = config->memory_gpu_pct;
	memory->gpu_cap_bytes = config->memory_gpu_cap_bytes;
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
	memory->wake = options->wake;
	memory->context = options->context;
	memory->state.stalled_percent = -1;
	wan_mutex_init(&memory->lock, WAN_RANK_MEMORY);
	wan_mutex_init(&memory->batch_lock, WAN_RANK_BATCH);
	wan_cond_init(&memory->reclaim_done);
	wan_admission_begin(memory);
	wan_jemalloc_active(); /* its self-test allocates: now, not when memory is short */

	struct wan_look look;
	struct wan_look_verdict verdict;
	wan_memory_look(memory, &look, &verdict);
	*ret_memory = memory;
	return 0;
}

/* Threads of the parent that acted, reclaimed or waited are not in the child; a condition with
 * waiters that never come back could not even be destroyed. */
void wan_memory_forget_after_fork(struct wan_memory *memory)
{
	uint32_t now = wan_fork_generation(), then = wan_load_relaxed(&memory->fork_generation);
	if (now == then || !wan_cas_acq_rel(&memory->fork_generation, &then, now))
		return;
	wan_store_relaxed(&memory->acting, 0);
	wan_reclaim_forget(memory);
	wan_admission_forget(memory);
}

void wan_memory_destroy(struct wan_memory *memory)
{
	if (!memory)
		return;
	wan_memory_forget_after_fork(memory);
	if (memory->owns_real)
		wan_real_sources_close(&memory->real);
	wan_cond_finish(&memory->given_back);
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
	wan_str_copy(memory->limiting, sizeof(memory->limiting),
		     level_name(look, verdict->limiting));
	if (verdict->deciding >= 0) {
		memory->deciding_need_bytes = look->levels[verdict->deciding].need_bytes;
		memory->deciding_limit_bytes = look->levels[verdict->deciding].limit_bytes;
	}
}

static void read_sources(struct wan_memory *memory, bool light, struct wan_look *ret_look,
			 struct wan_look_verdict *ret_verdict)
{
	struct wan_look_request request = {
		.process_cap_bytes = memory->process_cap_bytes,
		.light = light,
		.line_pct = memory->line_pct,
	};
	if (light && !memory->process_cap_bytes)
		request.rss_bytes = wan_load_relaxed(&memory->rss_bytes);
	/* A thread that was put aside between reading and telling would tell of a past in which
	 * others had not yet taken what they were granted. */
	for (unsigned tries = 0; tries < LOOK_TRIES; tries++) {
		request.now_ns = memory->now_ns();
		wan_admission_looking(memory->admission);
		wan_look_read(&memory->sources, &request, ret_look);
		if (wan_elapsed(request.now_ns, memory->now_ns()) < LOOK_STANDS_NS)
			break;
	}
	keep_last_host(memory, ret_look);
	wan_look_judge(ret_look, memory->line_pct, ret_verdict);
	wan_admission_looked(memory->admission, ret_verdict);
	wan_store_relaxed(&memory->rss_bytes, ret_look->rss_bytes);
	wan_mutex_lock(&memory->lock);
	publish_locked(memory, ret_look, ret_verdict);
	wan_mutex_unlock(&memory->lock);
}

void wan_memory_look(struct wan_memory *memory, struct wan_look *ret_look,
		     struct wan_look_verdict *ret_verdict)
{
	read_sources(memory, false, ret_look, ret_verdict);
}

void wan_memory_refresh(struct wan_memory *memory, struct wan_look *ret_look,
			struct wan_look_verdict *ret_verdict)
{
	read_sources(memory, true, ret_look, ret_verdict);
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
	now.reserved_bytes = wan_admission_reserved(memory->admission);
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
