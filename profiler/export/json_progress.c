/* SPDX-License-Identifier: MIT */
/* Progress: the monitor's averages, its samples, its alerts; jobs are in json_trackers.c. */
#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "counters.h"
#include "export.h"
#include "macros.h"

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

void wan_export_progress(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	wan_json_key(json, "progress");
	wan_json_object_begin(json);
	wan_json_key(json, "summary");
	wan_export_monitor(export);
	metrics(export);
	alerts(export);
	wan_export_trackers(export);
	wan_json_object_end(json);
}
