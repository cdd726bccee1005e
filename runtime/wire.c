/* SPDX-License-Identifier: MIT */
/*
 * Introduces the parts to each other: the memory manager learns how to shrink a cache, the cache
 * and the monitor learn where their statistics live in the recording, alerts learn to act. No part
 * knows another one.
 */
#include <errno.h>
#include <string.h>

#include "alerts.h"
#include "alloc.h"
#include "atomics.h"
#include "clock.h"
#include "heap_mark.h"
#include "instance.h"
#include "jemalloc.h"
#include "log.h"
#include "memory.h"
#include "priors.h"
#include "profile.h"
#include "progress.h"
#include "str.h"

#define RECLAIM_FIRST 0 /* idle buffers cost nothing to give back */
#define RECLAIM_CACHE 10

void wan_runtime_record_event(struct wan_runtime *runtime, uint32_t kind, const char *name,
			      const char *text, uint32_t code, const uint64_t values[4])
{
	struct wan_recorder *recorder = runtime->recorder;
	struct wan_lane *lane = wan_lane_get(recorder);
	if (!lane)
		return;
	union {
		struct wan_record_event event;
		struct wan_record_operation operation;
	} record = {.event = {.ticks = wan_ticks(),
			      .name = name ? wan_recorder_string(recorder, name) : 0,
			      .text = text ? wan_recorder_string(recorder, text) : 0,
			      .code = code,
			      .kind_status = (uint8_t)(kind << 4),
			      .thread = lane->thread}};
	memcpy(record.event.values, values, sizeof(record.event.values));
	wan_lane_append(lane, &record.operation);
}

void wan_runtime_record_action(struct wan_runtime *runtime, const char *what, const char *reason,
			       uint32_t level, const uint64_t values[4])
{
	wan_add_relaxed(&runtime->actions, 1);
	wan_store_relaxed(&runtime->last_action.what, what);
	wan_store_relaxed(&runtime->last_action.time_ns, wan_now_ns());
	wan_store_relaxed(&runtime->last_action.before, values[2]);
	wan_store_relaxed(&runtime->last_action.after, values[3]);
	if (runtime->counters)
		wan_add_relaxed(&runtime->counters[3], 1);
	wan_runtime_record_event(runtime, WAN_RECORD_ACTION, what, reason, level, values);
}

/* --- memory manager to cache and pool --- */

static void cache_stats(struct wan_runtime *runtime, struct wan_cache_stats *ret_stats)
{
	*ret_stats = (struct wan_cache_stats){.struct_size = sizeof(*ret_stats)};
	wan_cache_stats(runtime->cache, ret_stats);
}

static uint64_t reclaim_pool(void *context, enum wan_memory_level level, uint64_t want_bytes)
{
	struct wan_pool_stats stats;
	wan_pool_stats(&stats);
	return wan_pool_trim(stats.idle_bytes > want_bytes ? stats.idle_bytes - want_bytes : 0);
}

static uint64_t reclaim_cache(void *context, enum wan_memory_level level, uint64_t want_bytes)
{
	struct wan_runtime *runtime = context;
	struct wan_cache_stats stats;
	cache_stats(runtime, &stats);
	uint64_t freed = wan_cache_trim(
		runtime->cache, stats.used_bytes > want_bytes ? stats.used_bytes - want_bytes : 0);
	/* What was evicted is idle in the pool now; only trimming gives it back to the kernel.
	 * Values from elsewhere are where their allocator keeps them: the manager looks and purges.
	 */
	reclaim_pool(NULL, level, freed);
	return freed;
}

static uint64_t get_cache_limit(void *context)
{
	struct wan_cache_stats stats;
	cache_stats(context, &stats);
	return stats.limit_bytes;
}

static uint64_t cache_used(void *context)
{
	struct wan_cache_stats stats;
	cache_stats(context, &stats);
	return stats.used_bytes;
}

static uint64_t cache_pinned(void *context)
{
	struct wan_cache_stats stats;
	cache_stats(context, &stats);
	return stats.pinned_bytes + stats.in_flight_bytes;
}

static uint64_t idle_bytes(void *context)
{
	struct wan_pool_stats stats;
	wan_pool_stats(&stats);
	return stats.idle_bytes;
}

uint64_t wan_wire_set_cache_limit(void *context, uint64_t limit_bytes)
{
	struct wan_runtime *runtime = context;
	uint64_t before_bytes = cache_used(runtime);
	/* The oldest value alone first: some pages are back before all the others are looked for.
	 */
	if (before_bytes > limit_bytes)
		reclaim_cache(runtime, WAN_MEMORY_NORMAL, 1);
	wan_cache_set_limits(runtime->cache, limit_bytes, 0);
	uint64_t after_bytes = cache_used(runtime);
	uint64_t dropped_bytes = before_bytes > after_bytes ? before_bytes - after_bytes : 0;
	if (dropped_bytes)
		reclaim_pool(NULL, 0, dropped_bytes);
	return dropped_bytes;
}

static uint64_t clear_cache(void *context)
{
	struct wan_runtime *runtime = context;
	uint64_t before_bytes = cache_used(runtime);
	wan_cache_clear(runtime->cache);
	uint64_t after_bytes = cache_used(runtime); /* pinned */
	wan_pool_trim(0);
	wan_jemalloc_purge();
	return before_bytes > after_bytes ? before_bytes - after_bytes : 0;
}

/* Before a step drops values: what may be compressed of them in the time of one look. */
static void compress(void *context, uint64_t want_bytes)
{
	enum { BUDGET_NS = 20000000 };
	struct wan_runtime *runtime = context;
	wan_cache_compress(runtime->cache, want_bytes, BUDGET_NS);
}

static uint64_t string_id(void *context, const char *name)
{
	struct wan_runtime *runtime = context;
	return wan_recorder_string(runtime->recorder, name);
}

static void wake(void *context)
{
	wan_runtime_wake(context);
}

static void on_memory_action(void *context, const struct wan_memory_action *action)
{
	struct wan_runtime *runtime = context;
	if (strcmp(action->what, "degraded") == 0) { /* nothing was done about it */
		const uint64_t none[4] = {0};
		wan_runtime_record_event(runtime, WAN_RECORD_ACTION, action->what, action->reason,
					 action->level, none);
		return;
	}
	if (action->batch_before != action->batch_after) {
		uint64_t values[4] = {0, 0, action->batch_before, action->batch_after};
		wan_runtime_record_action(runtime, "batch", action->reason, action->level, values);
		if (strcmp(action->what, "batch") == 0)
			return;
	}
	uint64_t values[4] = {action->asked_bytes, action->freed_bytes, action->limit_before_bytes,
			      action->limit_after_bytes};
	wan_runtime_record_action(runtime, action->what, action->reason, action->level, values);
}

static uint64_t *tracker_counters(void *context, const char *tracker_name)
{
	struct wan_runtime *runtime = context;
	return wan_recorder_counters(runtime->recorder, WAN_COUNTERS_TRACKER, tracker_name);
}

static uint32_t *tracker_latencies(void *context, uint64_t *words, uint32_t shift)
{
	struct wan_runtime *runtime = context;
	return wan_recorder_latencies(runtime->recorder, words, shift);
}

static void record_phase(void *context, const struct wan_progress_stretch *stretch)
{
	struct wan_runtime *runtime = context;
	uint64_t values[4] = {stretch->started_ticks, stretch->duration_ns, stretch->steps};
	wan_runtime_record_event(runtime, WAN_RECORD_PHASE, stretch->tracker, stretch->text,
				 stretch->phase, values);
}

/* --- parts, lowest first --- */

static uint64_t *counters(struct wan_runtime *runtime, uint32_t kind, const char *name)
{
	return wan_recorder_counters(runtime->recorder, kind, name);
}

/* The place of a value among the choices of its key: the enums count as the table does. */
static unsigned chosen(enum wan_config_key key, const char *value)
{
	unsigned place = 0;
	size_t length = strlen(value);
	for (const char *at = wan_key_info(key)->choices; at; place++) {
		if (strncmp(at, value, length) == 0 && (at[length] == '|' || !at[length]))
			return place;
		at = strchr(at, '|');
		at = at ? at + 1 : NULL;
	}
	return 0;
}

static int connect_cache(struct wan_runtime *runtime)
{
	struct wan_cache_options options;
	wan_cache_options_init(&options);
	options.limit_bytes = runtime->config.cache_limit_bytes;
	options.entry_limit = runtime->config.cache_entries;
	options.idle_ns = runtime->config.cache_idle_ns;
	options.count_derived = runtime->config.cache_count_derived;
	options.policy = chosen(WAN_CONFIG_cache_policy, runtime->config.cache_policy);
	options.full = chosen(WAN_CONFIG_cache_full, runtime->config.cache_full);
	options.counters = counters(runtime, WAN_COUNTERS_CACHE, "cache");
	return wan_cache_create(&options, &runtime->cache);
}

static void file_gone(void *context, struct wan_key key)
{
	struct wan_runtime *runtime = context;
	wan_cache_remove(runtime->cache, key);
}

static int connect_identity(struct wan_runtime *runtime)
{
	const struct wan_identity_options options = {
		.mode = chosen(WAN_CONFIG_cache_identity, runtime->config.cache_identity),
		.by_content = chosen(WAN_CONFIG_cache_key, runtime->config.cache_key) == 1,
		.gone = file_gone,
		.context = runtime,
	};
	return wan_identity_create(&options, &runtime->identity);
}

static int connect_memory(struct wan_runtime *runtime)
{
	struct wan_memory_options options = {
		.struct_size = sizeof(options),
		.config = &runtime->config,
		.limits = {.context = runtime,
			   .get_cache_limit = get_cache_limit,
			   .set_cache_limit = wan_wire_set_cache_limit,
			   .clear_cache = clear_cache,
			   .cache_used = cache_used,
			   .cache_pinned = cache_pinned,
			   .idle_bytes = idle_bytes,
			   .may_grow = wan_alerts_let_grow,
			   .compress = runtime->config.cache_cold ? compress : NULL},
		.counters = counters(runtime, WAN_COUNTERS_MEMORY, "memory"),
		.string_id = string_id,
		.on_action = on_memory_action,
		.wake = wake,
		.context = runtime,
	};
	int r = wan_memory_create(&options, &runtime->memory);
	if (r < 0)
		return r;
	const struct wan_reclaimer pool = {
		.name = "pixel pool", .priority = RECLAIM_FIRST, .reclaim = reclaim_pool};
	const struct wan_reclaimer cache = {.name = "cache",
					    .priority = RECLAIM_CACHE,
					    .reclaim = reclaim_cache,
					    .context = runtime};
	r = wan_memory_add_reclaimer(runtime->memory, &pool);
	return r < 0 ? r : wan_memory_add_reclaimer(runtime->memory, &cache);
}

static void record_step(void *context, const char *tracker, uint64_t done)
{
	struct wan_runtime *runtime = context;
	wan_heap_mark(runtime->recorder, WAN_HEAP_MARK_STEP,
		      wan_recorder_string(runtime->recorder, tracker), done);
}

/* For readings of the leak test. */
static void tell_pool(uint64_t *ret_in_use, uint64_t *ret_idle)
{
	struct wan_pool_stats stats;
	wan_pool_stats(&stats);
	*ret_in_use = stats.mapped_bytes - stats.idle_bytes;
	*ret_idle = stats.idle_bytes;
}

static int earlier_jobs(void *context, const char *tracker_name, uint64_t total,
			struct wan_prior *ret_prior)
{
	return wan_priors_for_self(tracker_name, total, ret_prior);
}

static int connect_progress(struct wan_runtime *runtime)
{
	struct wan_progress_options options = {
		.struct_size = sizeof(options),
		.config = &runtime->config,
		.counters = tracker_counters,
		.latencies = tracker_latencies,
		.string_id = string_id,
		.monitor_words = counters(runtime, WAN_COUNTERS_MONITOR, "monitor"),
		.prior = earlier_jobs,
		.look_at_device = wan_alerts_look_at_device,
		.host = wan_runtime_hosts,
		.act = wan_alerts_act,
		.on_alert = wan_alerts_record,
		.on_sample = wan_alerts_sampled,
		.on_phase = record_phase,
		.on_step = wan_heap_marks_on ? record_step : NULL,
		.context = runtime,
	};
	return wan_progress_create(&options, &runtime->progress);
}

static int connect_profile(struct wan_runtime *runtime)
{
	struct wan_profile_options options = {
		.struct_size = sizeof(options),
		.config = &runtime->config,
		.recorder = runtime->recorder,
		.active = runtime->config.profile_enabled, /* the program may still start it */
	};
	return wan_profile_create(&options, &runtime->profile);
}

int wan_wire_connect(struct wan_runtime *runtime, struct wan_error *reterr_error)
{
	runtime->recorder = wan_recorder_process(&runtime->config, WAN_ROLE_LINKED, false);
	if (!runtime->recorder)
		return wan_error_set(reterr_error, -ENOMEM, "recording", "", "out of memory");
	runtime->counters = counters(runtime, WAN_COUNTERS_RUNTIME, "runtime");
	wan_pool_set_idle_limit(runtime->config.pool_idle_bytes);
	wan_heap_mark_pool(runtime->recorder, tell_pool);

	int (*const parts[])(struct wan_runtime *) = {
		connect_cache, connect_identity, connect_memory, connect_progress, connect_profile};
	for (size_t i = 0; i < WAN_COUNT_OF(parts); i++) {
		int r = parts[i](runtime);
		if (r < 0)
			return wan_error_set(reterr_error, r, "runtime", "", "cannot be set up: %s",
					     wan_strerror(r));
	}
	wan_wire_publish(runtime);
	return 0;
}

void wan_wire_disconnect(struct wan_runtime *runtime)
{
	if (runtime->progress)
		wan_progress_stop(runtime->progress);
	if (runtime->profile && runtime->memory && runtime->progress)
		wan_wire_publish(runtime);
	wan_profile_destroy(runtime->profile);
	wan_progress_destroy(runtime->progress);
	wan_memory_destroy(runtime->memory);
	wan_identity_destroy(runtime->identity);
	wan_cache_destroy(runtime->cache);
}

static void publish_identity(struct wan_runtime *runtime, uint64_t *words)
{
	struct wan_identity_stats stats;
	wan_identity_stats(runtime->identity, &stats);
	for (unsigned mode = 0; mode < 4; mode++)
		wan_store_relaxed(&words[8 + mode], stats.mode == mode);
	wan_store_relaxed(&words[12], stats.bound_ns != 0);
	wan_store_relaxed(&words[13], stats.watched_paths);
	wan_store_relaxed(&words[14], stats.unwatched_paths);
	wan_store_relaxed(&words[15], stats.stats);
	wan_store_relaxed(&words[16], stats.changes);
}

void wan_wire_publish(struct wan_runtime *runtime)
{
	uint64_t *words = runtime->counters;
	if (words) {
		wan_store_relaxed(&words[0], 1);
		wan_store_relaxed(&words[1], wan_profile_active(runtime->profile));
		wan_store_relaxed(&words[2], wan_progress_running(runtime->progress));
		publish_identity(runtime, words);
	}
	wan_recorder_anchor(runtime->recorder);
}
