/* SPDX-License-Identifier: MIT */
/* Where the time of the jobs went, each job by itself, and latencies over all processes. */
#include <errno.h>

#include "alloc.h"
#include "clock.h"
#include "counters.h"
#include "export.h"
#include "macros.h"
#include "str.h"

static void out_of_memory(struct wan_json *json)
{
	json->error = json->error ? json->error : -ENOMEM;
}

/* Where a cache answered nothing all the time, nothing can have been there when a phase began. Of
 * others the recording does not say when what came to lie in it. */
static bool never_hit(const struct wan_view *view)
{
	struct wan_counter_sum cache;
	wan_counters_sum(view, WAN_COUNTERS_CACHE, &cache);
	return wan_counters_word(&cache, "total_requests") && !wan_counters_word(&cache, "hits");
}

static void phase(const struct wan_export *export, const struct wan_phase_row *row,
		  uint64_t total_ns, uint64_t vram, bool cold)
{
	struct wan_json *json = export->json;
	char hidden[WAN_REDACTED_BYTES];
	wan_json_object_begin(json);
	wan_json_key_string(json, "name", wan_export_name(export, hidden, row->name));
	wan_export_time(json, "duration", row->duration_ns);
	wan_json_key_double(json, "share_percent",
			    total_ns ? 100.0 * (double)row->duration_ns / (double)total_ns : 0, 3);
	if (row->steps)
		wan_json_key_u64(json, "steps", row->steps);
	else
		wan_json_key_null(json, "steps");
	wan_export_number(json, "s_per_step",
			  row->steps ? (double)row->duration_ns / 1e9 / (double)row->steps : -1, 6);
	if (cold)
		wan_json_key_bool(json, "cold", true);
	else
		wan_json_key_null(json, "cold");
	wan_json_key_bool(json, "open", row->open);
	wan_export_bytes(json, "peak_vram", vram);
	wan_json_object_end(json);
}

static void phases(const struct wan_export *export, const struct wan_trackers *trackers)
{
	struct wan_json *json = export->json;
	const struct wan_view *view = &export->analysis->view;
	struct wan_phases all;
	if (wan_phases_init(&all, view, trackers)) {
		out_of_memory(json);
		return;
	}
	bool cold = never_hit(view);
	wan_json_key(json, "phases");
	wan_json_array_begin(json);
	for (size_t i = 0; i < all.count; i++)
		phase(export, &all.items[i], all.total_ns,
		      wan_vram_phase_peak(&export->analysis->vram, view, trackers,
					  all.items[i].name),
		      cold);
	wan_json_array_end(json);
	wan_phases_finish(&all);
}

static void percentiles(struct wan_json *json, const struct wan_tracker_percentiles *known)
{
	wan_export_time(json, "p50", known->count ? known->p50_ns : UINT64_MAX);
	wan_export_time(json, "p90", known->count ? known->p90_ns : UINT64_MAX);
	wan_export_time(json, "p99", known->count ? known->p99_ns : UINT64_MAX);
	wan_export_time(json, "p999", known->count ? known->p999_ns : UINT64_MAX);
}

static const char *state_of(const struct wan_tracker_row *row)
{
	return row->active ? "active" : row->unended ? "unended" : "ended";
}

static void outcome(struct wan_json *json, const struct wan_tracker_row *row)
{
	if (row->outcome == WAN_TRACKER_COMPLETED)
		wan_json_key_string(json, "outcome", "completed");
	else if (row->outcome == WAN_TRACKER_FAILED)
		wan_json_key_string(json, "outcome", "failed");
	else
		wan_json_key_null(json, "outcome");
}

static const char *source_of(const struct wan_tracker_row *row)
{
	static const char *const names[] = {
		[WAN_TRACKER_OF_PROGRAM] = "program",
		[WAN_TRACKER_OF_BAR] = "bar",
		[WAN_TRACKER_OF_PYTHON] = "python",
		[WAN_TRACKER_OF_GUESS] = "guess",
	};
	return row->source < WAN_COUNT_OF(names) ? names[row->source] : "unknown";
}

static void known_count(struct wan_json *json, const char *name, uint64_t count, bool known)
{
	if (known)
		wan_json_key_u64(json, name, count);
	else
		wan_json_key_null(json, name);
}

static void tracker(const struct wan_export *export, const struct wan_tracker_row *row)
{
	struct wan_json *json = export->json;
	struct wan_tracker_percentiles known;
	char hidden[WAN_REDACTED_BYTES];
	bool device = row->device_done != UINT64_MAX;
	if (wan_tracker_percentiles(row, &known)) {
		out_of_memory(json);
		return;
	}
	wan_json_object_begin(json);
	wan_json_key_string(json, "name", wan_export_name(export, hidden, row->name));
	wan_json_key_u64(json, "process", row->process->header.pid);
	wan_json_key_string(json, "source", source_of(row));
	wan_json_key_u64(json, "level", row->level);
	wan_json_key_u64(json, "done", row->done);
	known_count(json, "total", row->total, row->total != 0);
	wan_export_key_name(export, "unit", row->unit);
	wan_json_key_string(json, "phase",
			    row->phase[0] ? wan_export_name(export, hidden, row->phase) : "none");
	wan_json_key_string(json, "state", state_of(row));
	outcome(json, row);
	wan_json_key_u64(json, "updates", row->updates);
	wan_export_time(json, "elapsed", wan_elapsed(row->begin_ns, row->seen_ns));
	wan_export_time(json, "since_update", wan_elapsed(row->updated_ns, row->seen_ns));
	wan_export_number(
		json, "average_latency_ms",
		row->updates ? (double)row->latency_sum_ns / 1e6 / (double)row->updates : -1, 6);
	wan_export_number(json, "max_latency_ms",
			  row->updates ? (double)row->latency_max_ns / 1e6 : -1, 6);
	percentiles(json, &known);
	wan_export_time(json, "expected_interval",
			row->expected_ns ? row->expected_ns : UINT64_MAX);
	known_count(json, "device_done", row->device_done, device);
	known_count(json, "device_lag", wan_elapsed(row->device_done, row->done), device);
	wan_export_time(json, "callback_time", row->callback_ns);
	wan_export_time(json, "callback_longest", row->callback_max_ns);
	wan_json_object_end(json);
}

static void merged(const struct wan_export *export, const struct wan_trackers *trackers,
		   size_t index)
{
	struct wan_json *json = export->json;
	struct wan_tracker_percentiles known;
	char hidden[WAN_REDACTED_BYTES];
	uint64_t jobs = 0, updates = 0;
	if (wan_trackers_merged(trackers, index, &known)) {
		out_of_memory(json);
		return;
	}
	for (size_t i = index; i < trackers->count; i++) {
		if (!wan_str_equal(trackers->items[i].name, trackers->items[index].name))
			continue;
		jobs++;
		updates += trackers->items[i].updates;
	}
	wan_json_object_begin(json);
	wan_json_key_string(json, "name",
			    wan_export_name(export, hidden, trackers->items[index].name));
	wan_json_key_u64(json, "jobs", jobs);
	wan_json_key_u64(json, "updates", updates);
	percentiles(json, &known);
	wan_export_time(json, "longest", updates ? known.max_ns : UINT64_MAX);
	wan_json_object_end(json);
}

void wan_export_trackers(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	struct wan_trackers trackers;
	if (wan_trackers_init(&trackers, &export->analysis->view)) {
		out_of_memory(json);
		return;
	}
	phases(export, &trackers);
	wan_json_key(json, "trackers");
	wan_json_array_begin(json);
	for (size_t i = 0; i < trackers.count; i++)
		tracker(export, &trackers.items[i]);
	wan_json_array_end(json);
	wan_json_key(json, "latencies");
	wan_json_array_begin(json);
	for (size_t i = 0; i < trackers.count; i++)
		if (!wan_trackers_seen_before(&trackers, i))
			merged(export, &trackers, i);
	wan_json_array_end(json);
	wan_trackers_finish(&trackers);
}
