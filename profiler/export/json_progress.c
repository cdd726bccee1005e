/* SPDX-License-Identifier: MIT */
/* Progress: the monitor's averages, its samples, its alerts, and where the time of a job went. */
#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "counters.h"
#include "export.h"
#include "macros.h"
#include "tracker_words.h"

#define PHASES 8
/* Word of the first phase's duration; one word a phase, see record/schema.def. */
#define PHASE_NS_WORD 17

const struct wan_process_counters *wan_export_monitor_block(const struct wan_view *view)
{
	const struct wan_process_counters *found = NULL;
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_process *process = view->sources[i].process;
		for (size_t j = 0; j < process->counters_count; j++)
			if (process->counters[j].kind == WAN_COUNTERS_MONITOR)
				found = &process->counters[j];
	}
	return found;
}

static void scaled(struct wan_json *json, const struct wan_process_counters *block,
		   const char *name, const char *word, double unit)
{
	wan_export_number(json, name,
			  block ? (double)wan_counters_block_word(block, word) / unit : -1, 6);
}

void wan_export_monitor(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	const struct wan_process_counters *block =
		wan_export_monitor_block(&export->analysis->view);
	wan_json_object_begin(json);
	scaled(json, block, "monitoring_duration_minutes", "monitoring_duration", 60e9);
	scaled(json, block, "average_latency_ms", "average_latency", 1e6);
	scaled(json, block, "max_latency_ms", "max_latency", 1e6);
	scaled(json, block, "average_memory_mb", "average_memory", 1048576);
	scaled(json, block, "peak_memory_mb", "peak_memory", 1048576);
	scaled(json, block, "average_cpu_percent", "average_cpu", 1000);
	scaled(json, block, "peak_cpu_percent", "peak_cpu", 1000);
	scaled(json, block, "average_updates_per_second", "average_updates_per_second", 1000);
	scaled(json, block, "total_alerts", "total_alerts", 1);
	scaled(json, block, "critical_alerts", "critical_alerts", 1);
	scaled(json, block, "active_trackers", "active_trackers", 1);
	scaled(json, block, "current_update_interval", "current_update_interval", 1e9);
	wan_json_object_end(json);
}

static void metrics(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	struct wan_sample *samples = NULL;
	size_t count = 0, total = 0;
	bool monitored = wan_export_monitor_block(&export->analysis->view) != NULL;
	if (monitored && wan_export_collect_samples(export->analysis, &samples, &count, &total)) {
		json->error = json->error ? json->error : -ENOMEM;
		return;
	}
	wan_json_key(json, "metrics");
	wan_json_array_begin(json);
	for (size_t i = 0; i < count; i++) {
		wan_json_object_begin(json);
		wan_export_timestamp(json, "timestamp", samples[i].realtime_ns);
		wan_json_key_null(json, "update_latency_ms");
		wan_export_number(json, "memory_usage_mb", samples[i].rss_mb, 3);
		wan_export_number(json, "cpu_usage_percent", samples[i].cpu_percent, 2);
		wan_json_key_null(json, "active_trackers");
		wan_json_key_null(json, "updates_per_second");
		wan_json_key_null(json, "queue_size");
		wan_json_object_end(json);
	}
	wan_json_array_end(json);
	wan_free(samples);
}

static void alert(const struct wan_export *export, const struct wan_process_event *event)
{
	struct wan_json *json = export->json;
	char hidden[WAN_REDACTED_BYTES];
	wan_json_object_begin(json);
	wan_export_timestamp(json, "timestamp", event->realtime_ns);
	wan_json_key_u64(json, "monotonic_ns", event->time_ns);
	wan_json_key_string(json, "alert_type", wan_export_name(export, hidden, event->name));
	wan_json_key_string(json, "severity", wan_export_severity(event->code));
	wan_json_key_double(json, "value", (double)(int64_t)event->values[0] / 1000, 3);
	wan_json_key_double(json, "limit", (double)(int64_t)event->values[1] / 1000, 3);
	wan_json_key_string(json, "message", wan_export_text(export, hidden, event->text));
	wan_json_key_string(json, "suggested_action", NULL);
	wan_json_object_end(json);
}

static void alerts(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	const struct wan_view *view = &export->analysis->view;
	wan_json_key(json, "alerts");
	wan_json_array_begin(json);
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_process *process = view->sources[i].process;
		for (size_t j = 0; j < process->event_count; j++)
			if (process->events[j].kind == WAN_RECORD_ALERT)
				alert(export, &process->events[j]);
	}
	wan_json_array_end(json);
}

struct phase {
	uint64_t duration_ns, steps;
};

/* Durations from the trackers' words (kept up to date), steps from the phase events. */
static void collect_phases(const struct wan_view *view, struct phase *phases)
{
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_process *process = view->sources[i].process;
		for (size_t j = 0; j < process->counters_count; j++)
			for (size_t k = 0; k < PHASES; k++)
				if (process->counters[j].kind == WAN_COUNTERS_TRACKER)
					phases[k].duration_ns +=
						process->counters[j].words[PHASE_NS_WORD + k];
		for (size_t j = 0; j < process->event_count; j++) {
			const struct wan_process_event *event = &process->events[j];
			if (event->kind == WAN_RECORD_PHASE && event->code < PHASES)
				phases[event->code].steps += event->values[2];
		}
	}
}

static void phases(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	struct phase all[PHASES] = {{0}};
	uint64_t total_ns = 0;
	collect_phases(&export->analysis->view, all);
	for (size_t i = 0; i < PHASES; i++)
		total_ns += all[i].duration_ns;
	wan_json_key(json, "phases");
	wan_json_array_begin(json);
	for (size_t i = 0; i < PHASES; i++) {
		double seconds = (double)all[i].duration_ns / 1e9;
		if (!all[i].duration_ns)
			continue;
		wan_json_object_begin(json);
		wan_json_key_string(json, "name", wan_phase_text(i));
		wan_export_time(json, "duration", all[i].duration_ns);
		wan_json_key_double(json, "share_percent",
				    100.0 * (double)all[i].duration_ns / (double)total_ns, 3);
		if (all[i].steps)
			wan_json_key_u64(json, "steps", all[i].steps);
		else
			wan_json_key_null(json, "steps");
		wan_export_number(json, "s_per_step",
				  all[i].steps ? seconds / (double)all[i].steps : -1, 6);
		wan_json_key_null(json, "cold");
		wan_json_object_end(json);
	}
	wan_json_array_end(json);
}

static void tracker(const struct wan_export *export, const struct wan_process *process,
		    const struct wan_process_counters *block)
{
	struct wan_json *json = export->json;
	char hidden[WAN_REDACTED_BYTES];
	static const char *const states[] = {"unused", "active", "ended"};
	uint64_t updates = wan_counters_block_word(block, "updates");
	uint64_t total = wan_counters_block_word(block, "total");
	uint64_t state = wan_counters_block_word(block, "state");
	wan_json_object_begin(json);
	wan_json_key_string(json, "name", wan_export_name(export, hidden, block->name));
	wan_json_key_u64(json, "done", wan_counters_block_word(block, "done"));
	if (total)
		wan_json_key_u64(json, "total", total);
	else
		wan_json_key_null(json, "total");
	wan_json_key_string(json, "phase", wan_phase_text(wan_counters_block_word(block, "phase")));
	wan_json_key_string(json, "state", states[state < 3 ? state : 0]);
	wan_json_key_u64(json, "updates", updates);
	wan_export_number(
		json, "average_latency_ms",
		updates ? (double)wan_tracker_latency_sum_ns(block->words, process->ns_per_tick) /
				  1e6 / (double)updates
			: -1,
		6);
	wan_export_number(
		json, "max_latency_ms",
		updates ? (double)wan_counters_block_word(block, "latency_max") / 1e6 : -1, 6);
	wan_json_object_end(json);
}

static void trackers(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	const struct wan_view *view = &export->analysis->view;
	wan_json_key(json, "trackers");
	wan_json_array_begin(json);
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_process *process = view->sources[i].process;
		for (size_t j = 0; j < process->counters_count; j++)
			if (process->counters[j].kind == WAN_COUNTERS_TRACKER)
				tracker(export, process, &process->counters[j]);
	}
	wan_json_array_end(json);
}

void wan_export_progress(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	wan_json_key(json, "progress");
	wan_json_object_begin(json);
	wan_json_key(json, "summary");
	wan_export_monitor(export);
	metrics(export);
	alerts(export);
	phases(export);
	trackers(export);
	wan_json_object_end(json);
}
