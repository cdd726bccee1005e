/* SPDX-License-Identifier: MIT */
/*
 * The layouts of the reference Python implementation, for scripts written against it: "summary" and
 * "metrics" as its profiler writes them (seconds, not milliseconds), "monitor" as its progress
 * monitor does, and the three parts of its optimiser's summary. Its numbers know no "unknown": what
 * is not known is 0 here, and null in the JSON profile.
 */
#include <time.h>

#include "counters.h"
#include "export.h"
#include "macros.h"
#include "str.h"
#include "walk.h"

static double known_mb(int64_t bytes)
{
	return bytes == INT64_MIN ? 0 : (double)bytes / (double)WAN_MIB;
}

/* As datetime.isoformat() of Python, which reads no nanoseconds and no "Z". */
static const char *iso_text(char *to, size_t bytes, uint64_t realtime_ns)
{
	time_t seconds = (time_t)(realtime_ns / 1000000000u);
	struct tm tm;
	if (!gmtime_r(&seconds, &tm))
		return "";
	wan_str_format(to, bytes, "%04d-%02d-%02dT%02d:%02d:%02d.%06u+00:00", tm.tm_year + 1900,
		       tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		       (unsigned)(realtime_ns % 1000000000u / 1000));
	return to;
}

static void metric(const struct wan_export *export, const struct wan_view_operation *operation)
{
	struct wan_json *json = export->json;
	const struct wan_recording_operation *record = operation->record;
	char hidden[WAN_REDACTED_BYTES], stamp[64];
	double cpu = wan_operation_cpu_percent(record);
	wan_json_object_begin(json);
	wan_json_key_string(json, "operation_name", wan_export_name(export, hidden, record->name));
	wan_json_key_double(json, "execution_time", (double)record->inside_ns / 1e9, 9);
	wan_json_key_double(json, "memory_usage_mb", known_mb(record->memory_bytes), 6);
	wan_json_key_double(
		json, "peak_memory_mb",
		record->peak_bytes == UINT64_MAX ? 0 : (double)record->peak_bytes / (double)WAN_MIB,
		6);
	wan_json_key_double(json, "cpu_usage_percent", cpu > 0 ? cpu : 0, 2);
	wan_json_key(json, "image_size");
	wan_json_array_begin(json);
	wan_json_u64(json, record->width_px);
	wan_json_u64(json, record->height_px);
	wan_json_array_end(json);
	wan_json_key_u64(json, "file_size_bytes",
			 record->file_bytes == UINT64_MAX ? 0 : record->file_bytes);
	wan_json_key_string(json, "timestamp",
			    iso_text(stamp, sizeof(stamp), record->start_realtime_ns));
	wan_json_object_end(json);
}

static void summary(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	const struct wan_rows *rows = &export->analysis->rows;
	double total_s = (double)rows->total_inside_ns / 1e9;
	wan_json_key(json, "summary");
	wan_json_object_begin(json);
	wan_json_key_u64(json, "total_operations", rows->total_operations);
	wan_json_key_double(json, "total_time", total_s, 9);
	wan_json_key_double(json, "average_time",
			    rows->total_operations ? total_s / (double)rows->total_operations : 0,
			    9);
	wan_json_key_double(json, "peak_memory_mb",
			    rows->memory_known ? (double)rows->peak_bytes / (double)WAN_MIB : 0, 6);
	wan_json_key_double(
		json, "total_memory_mb",
		rows->memory_known ? (double)rows->total_memory_bytes / (double)WAN_MIB : 0, 6);
	wan_export_finding_texts(export, "bottlenecks", WAN_ADVICE_FINDING);
	wan_export_finding_texts(export, "recommendations", WAN_ADVICE_RECOMMENDATION);
	wan_json_object_end(json);
}

static void alert(const struct wan_export *export, const struct wan_process_event *event)
{
	struct wan_json *json = export->json;
	char hidden[WAN_REDACTED_BYTES], stamp[64];
	wan_json_object_begin(json);
	wan_json_key_string(json, "timestamp", iso_text(stamp, sizeof(stamp), event->realtime_ns));
	wan_json_key_string(json, "alert_type", wan_export_name(export, hidden, event->name));
	wan_json_key_string(json, "severity", wan_export_severity(event->code));
	wan_json_key_string(json, "message", wan_export_text(export, hidden, event->text));
	wan_json_key_string(json, "suggested_action", "");
	wan_json_object_end(json);
}

static void monitor_metric(struct wan_json *json, const struct wan_process_event *event)
{
	struct wan_sample sample;
	char stamp[64];
	wan_sample_from_event(event, &sample);
	wan_json_object_begin(json);
	wan_json_key_string(json, "timestamp", iso_text(stamp, sizeof(stamp), sample.realtime_ns));
	wan_json_key_double(json, "update_latency_ms", 0, 3);
	wan_json_key_double(json, "memory_usage_mb", sample.rss_mb > 0 ? sample.rss_mb : 0, 3);
	wan_json_key_double(json, "cpu_usage_percent",
			    sample.cpu_percent > 0 ? sample.cpu_percent : 0, 2);
	wan_json_key_u64(json, "active_trackers", 0);
	wan_json_key_double(json, "updates_per_second", 0, 3);
	wan_json_key_u64(json, "queue_size", 0);
	wan_json_object_end(json);
}

static void take_sample(void *context, const struct wan_process *process,
			const struct wan_process_event *event)
{
	const struct wan_export *export = context;
	if (event->kind == WAN_RECORD_SAMPLE)
		monitor_metric(export->json, event);
}

static void take_alert(void *context, const struct wan_process *process,
		       const struct wan_process_event *event)
{
	if (event->kind == WAN_RECORD_ALERT)
		alert(context, event);
}

static void monitor_keys(const struct wan_export *export)
{
	static const struct {
		const char *key, *word;
		double unit;
	} keys[] = {{"monitoring_duration_minutes", "monitoring_duration", 60e9},
		    {"average_latency_ms", "average_latency", 1e6},
		    {"max_latency_ms", "max_latency", 1e6},
		    {"average_memory_mb", "average_memory", 1048576},
		    {"peak_memory_mb", "peak_memory", 1048576},
		    {"average_cpu_percent", "average_cpu", 1000},
		    {"peak_cpu_percent", "peak_cpu", 1000},
		    {"average_updates_per_second", "average_updates_per_second", 1000},
		    {"total_alerts", "total_alerts", 1},
		    {"critical_alerts", "critical_alerts", 1},
		    {"active_trackers", "active_trackers", 1},
		    {"current_update_interval", "current_update_interval", 1e9}};
	const struct wan_process_counters *block =
		wan_export_monitor_block(&export->analysis->view);
	for (size_t i = 0; i < WAN_COUNT_OF(keys); i++)
		wan_json_key_double(export->json, keys[i].key,
				    block ? (double)wan_counters_block_word(block, keys[i].word) /
						    keys[i].unit
					  : 0,
				    6);
}

static void monitor_summary(const struct wan_export *export)
{
	wan_json_object_begin(export->json);
	monitor_keys(export);
	wan_json_object_end(export->json);
}

static void optimizer(const struct wan_export *export)
{
	static const char *const states[] = {"enabled", "profiling_active", "monitoring_active"};
	struct wan_json *json = export->json;
	struct wan_counter_sum cache, runtime;
	wan_counters_sum(&export->analysis->view, WAN_COUNTERS_CACHE, &cache);
	wan_counters_sum(&export->analysis->view, WAN_COUNTERS_RUNTIME, &runtime);
	double requests = (double)wan_counters_word(&cache, "total_requests");
	wan_json_key(json, "cache_performance");
	wan_json_object_begin(json);
	wan_json_key_double(json, "hit_rate",
			    requests > 0 ? (double)wan_counters_word(&cache, "hits") / requests : 0,
			    6);
	wan_json_key_double(json, "memory_usage_mb",
			    (double)wan_counters_word(&cache, "memory_usage") / (double)WAN_MIB, 6);
	wan_json_key_u64(json, "entries_count", wan_counters_word(&cache, "entries_count"));
	wan_json_key_u64(json, "total_requests", requests > 0 ? (uint64_t)requests : 0);
	wan_json_object_end(json);
	wan_json_key(json, "monitoring_performance");
	monitor_summary(export);
	wan_json_key(json, "optimization_status");
	wan_json_object_begin(json);
	for (size_t i = 0; i < WAN_COUNT_OF(states); i++)
		wan_json_key_bool(json, states[i], wan_counters_word(&runtime, states[i]) != 0);
	wan_json_object_end(json);
}

static void monitor(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	wan_json_key(json, "monitor");
	wan_json_object_begin(json);
	wan_json_key(json, "summary");
	monitor_summary(export);
	wan_json_key(json, "metrics");
	wan_json_array_begin(json);
	wan_walk_events(export, take_sample, (void *)export);
	wan_json_array_end(json);
	wan_json_key(json, "alerts");
	wan_json_array_begin(json);
	wan_walk_events(export, take_alert, (void *)export);
	wan_json_array_end(json);
	wan_json_object_end(json);
}

void wan_export_reference(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	const struct wan_view *view = &export->analysis->view;
	wan_json_object_begin(json);
	summary(export);
	wan_json_key(json, "metrics");
	wan_json_array_begin(json);
	for (size_t i = 0; i < view->operation_count && !json->error; i++)
		if (!wan_view_nested(&view->operations[i]) &&
		    wan_export_shows(export, &view->operations[i]))
			metric(export, &view->operations[i]);
	wan_json_array_end(json);
	monitor(export);
	optimizer(export);
	wan_json_object_end(json);
	wan_json_line_end(json);
}
