/* SPDX-License-Identifier: MIT */
/* Cache, memory manager and optimiser, from the counter blocks of linked programs. */
#include <string.h>

#include "counters.h"
#include "export.h"
#include "macros.h"
#include "walk.h"

/* The key in the document is the name of the word. */
static void count(struct wan_json *json, const struct wan_counter_sum *sum, const char *name)
{
	if (sum->blocks)
		wan_json_key_u64(json, name, wan_counters_word(sum, name));
	else
		wan_json_key_null(json, name);
}

static void size(struct wan_json *json, const struct wan_counter_sum *sum, const char *name)
{
	wan_export_bytes(json, name, sum->blocks ? wan_counters_word(sum, name) : UINT64_MAX);
}

static void hit_rate(struct wan_json *json, const struct wan_counter_sum *cache)
{
	double requests = (double)wan_counters_word(cache, "total_requests");
	double hits = (double)wan_counters_word(cache, "hits");
	wan_export_number(json, "hit_rate",
			  !cache->blocks ? -1
			  : requests > 0 ? hits / requests
					 : 0,
			  6);
}

/* One name for all runtimes of the view, or "mixed". */
static const char *identity_mode(const struct wan_counter_sum *runtime)
{
	static const char *const names[] = {"identity_auto", "identity_inotify", "identity_stat",
					    "identity_strict"};
	const char *mode = NULL;
	for (size_t i = 0; i < WAN_COUNT_OF(names); i++) {
		if (!wan_counters_word(runtime, names[i]))
			continue;
		mode = mode ? "mixed" : names[i] + strlen("identity_");
	}
	return mode;
}

/* How soon a changed file is noticed, and what that takes. */
static void export_identity(struct wan_json *json, const struct wan_view *view)
{
	struct wan_counter_sum runtime;
	wan_counters_sum(view, WAN_COUNTERS_RUNTIME, &runtime);
	const char *mode = identity_mode(&runtime);
	if (mode)
		wan_json_key_string(json, "identity_mode", mode);
	else
		wan_json_key_null(json, "identity_mode");
	uint64_t bound_ns = wan_counters_word(&runtime, "identity_bounded") ? 100000000 : 0;
	wan_export_time(json, "identity_bound", runtime.blocks ? bound_ns : UINT64_MAX);
	count(json, &runtime, "watched_files");
	count(json, &runtime, "unwatched_files");
	count(json, &runtime, "file_stats");
	count(json, &runtime, "file_changes");
}

/* The compressed values, or why there are none. */
static void export_cold(struct wan_json *json, const struct wan_counter_sum *cache,
			const struct wan_view *view)
{
	count(json, cache, "cold_entries");
	size(json, cache, "cold_raw");
	count(json, cache, "cold_hits");
	count(json, cache, "cold_made");
	count(json, cache, "cold_dropped");
	wan_export_time(json, "cold_saved",
			cache->blocks ? wan_counters_word(cache, "cold_saved") : UINT64_MAX);
	if (cache->blocks)
		wan_json_key_string(json, "cold_reason", wan_counters_cold_reason(view));
	else
		wan_json_key_null(json, "cold_reason");
}

void wan_export_cache(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	struct wan_counter_sum cache;
	wan_counters_sum(&export->analysis->view, WAN_COUNTERS_CACHE, &cache);
	wan_json_key(json, "cache");
	wan_json_object_begin(json);
	size(json, &cache, "limit");
	size(json, &cache, "memory_usage");
	count(json, &cache, "entries_count");
	count(json, &cache, "entry_limit");
	count(json, &cache, "total_requests");
	count(json, &cache, "hits");
	count(json, &cache, "misses");
	hit_rate(json, &cache);
	count(json, &cache, "evictions");
	count(json, &cache, "expirations");
	count(json, &cache, "puts");
	count(json, &cache, "refused_oversize");
	size(json, &cache, "pinned");
	size(json, &cache, "in_flight");
	size(json, &cache, "cold");
	size(json, &cache, "debt");
	wan_export_time(json, "time_saved",
			cache.blocks ? wan_counters_word(&cache, "time_saved") : UINT64_MAX);
	count(json, &cache, "derived_entries");
	count(json, &cache, "passed_through");
	count(json, &cache, "shared_waits");
	count(json, &cache, "wait_timeouts");
	count(json, &cache, "deadlocks");
	export_cold(json, &cache, &export->analysis->view);
	export_identity(json, &export->analysis->view);
	wan_json_object_end(json);
}

static const char *level_name(uint64_t level)
{
	static const char *const names[] = {"normal", "warning", "critical", "emergency"};
	return level < 4 ? names[level] : NULL;
}

static void before_after(struct wan_json *json, const struct wan_process_event *event,
			 const char *kind, const char *before, const char *after, bool bytes)
{
	const char *name = event->name ? event->name : "";
	bool limit = strcmp(kind, "cache_limit") == 0 && strcmp(name, "cache_regrow") == 0;
	bool applies = limit || strcmp(name, kind) == 0;
	if (!applies) {
		wan_json_key_null(json, before);
		wan_json_key_null(json, after);
	} else if (bytes) {
		wan_json_key_double(json, before, (double)event->values[2] / 1048576, 3);
		wan_json_key_double(json, after, (double)event->values[3] / 1048576, 3);
	} else {
		wan_json_key_u64(json, before, event->values[2]);
		wan_json_key_u64(json, after, event->values[3]);
	}
}

static void action(const struct wan_export *export, const struct wan_process_event *event)
{
	struct wan_json *json = export->json;
	char hidden[WAN_REDACTED_BYTES];
	wan_json_object_begin(json);
	wan_export_timestamp(json, "timestamp", event->realtime_ns);
	wan_json_key_u64(json, "monotonic_ns", event->time_ns);
	wan_json_key_string(json, "action", wan_export_name(export, hidden, event->name));
	wan_json_key_string(json, "level", level_name(event->code));
	wan_export_key_text(export, "reason", event->text);
	wan_json_key_double(json, "asked_mb", (double)event->values[0] / 1048576, 3);
	wan_json_key_double(json, "freed_mb", (double)event->values[1] / 1048576, 3);
	before_after(json, event, "cache_limit", "limit_before_mb", "limit_after_mb", true);
	before_after(json, event, "entry_limit", "entries_before", "entries_after", false);
	before_after(json, event, "batch", "batch_before", "batch_after", false);
	wan_json_object_end(json);
}

static void actions(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	const struct wan_view *view = &export->analysis->view;
	wan_json_key(json, "events");
	wan_json_array_begin(json);
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_process *process = view->sources[i].process;
		for (size_t j = 0; j < process->event_count; j++) {
			const struct wan_process_event *event = &process->events[j];
			if (event->kind == WAN_RECORD_ACTION && !wan_walk_internal(event))
				action(export, event);
		}
	}
	wan_json_array_end(json);
}

/* States do not add up over processes: the worst process speaks. */
static const struct wan_process_counters *worst_memory(const struct wan_view *view,
						       const struct wan_process **ret_process)
{
	const struct wan_process_counters *worst = NULL;
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_process *process = view->sources[i].process;
		for (size_t j = 0; j < process->counters_count; j++) {
			const struct wan_process_counters *block = &process->counters[j];
			if (block->kind == WAN_COUNTERS_MEMORY &&
			    (!worst || wan_counters_block_word(block, "level") >
					       wan_counters_block_word(worst, "level")))
				worst = block, *ret_process = process;
		}
	}
	return worst;
}

static uint64_t bytes_of(const struct wan_process_counters *block, const char *name)
{
	return block ? wan_counters_block_word(block, name) : UINT64_MAX;
}

void wan_export_memory(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	const struct wan_process *process = NULL;
	const struct wan_process_counters *block = worst_memory(&export->analysis->view, &process);
	wan_json_key(json, "memory");
	wan_json_object_begin(json);
	wan_json_key_string(json, "level",
			    block ? level_name(wan_counters_block_word(block, "level")) : NULL);
	const char *deciding =
		block ? wan_process_text(process, wan_counters_block_word(block, "deciding")) : "";
	wan_export_key_name(export, "deciding", deciding);
	wan_export_number(
		json, "deciding_percent",
		block ? (double)wan_counters_block_word(block, "deciding_percent") / 1000 : -1, 3);
	wan_export_bytes(json, "headroom", bytes_of(block, "headroom"));
	wan_export_bytes(json, "reserved", bytes_of(block, "reserved"));
	uint64_t stalled = block ? wan_counters_block_word(block, "stalled") : UINT64_MAX;
	wan_export_number(json, "stalled_percent",
			  stalled == UINT64_MAX ? -1 : (double)stalled / 1000, 3);
	actions(export);
	wan_json_key(json, "trend");
	wan_json_object_begin(json);
	if (block)
		wan_json_key_double(
			json, "mb_per_second",
			(double)(int64_t)wan_counters_block_word(block, "trend") / 1048576, 6);
	else
		wan_json_key_null(json, "mb_per_second");
	wan_json_object_end(json);
	wan_json_object_end(json);
}

static void flag(struct wan_json *json, const struct wan_counter_sum *sum, const char *name)
{
	if (sum->blocks)
		wan_json_key_bool(json, name, wan_counters_word(sum, name) != 0);
	else
		wan_json_key_null(json, name);
}

void wan_export_optimizer(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	struct wan_counter_sum cache, runtime;
	wan_counters_sum(&export->analysis->view, WAN_COUNTERS_CACHE, &cache);
	wan_counters_sum(&export->analysis->view, WAN_COUNTERS_RUNTIME, &runtime);
	wan_json_key(json, "optimizer");
	wan_json_object_begin(json);
	wan_json_key(json, "cache_performance");
	wan_json_object_begin(json);
	hit_rate(json, &cache);
	wan_export_number(
		json, "memory_usage_mb",
		cache.blocks ? (double)wan_counters_word(&cache, "memory_usage") / 1048576 : -1, 6);
	count(json, &cache, "entries_count");
	count(json, &cache, "total_requests");
	wan_json_object_end(json);
	wan_json_key(json, "monitoring_performance");
	wan_export_monitor(export);
	wan_json_key(json, "optimization_status");
	wan_json_object_begin(json);
	flag(json, &runtime, "enabled");
	flag(json, &runtime, "profiling_active");
	flag(json, &runtime, "monitoring_active");
	count(json, &runtime, "actions");
	wan_json_object_end(json);
	wan_json_object_end(json);
}
