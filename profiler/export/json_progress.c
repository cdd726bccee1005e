/* SPDX-License-Identifier: MIT */
/* Progress: the monitor's averages, its samples, its alerts; jobs are in json_trackers.c. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "alert_table.h"
#include "alloc.h"
#include "counters.h"
#include "export.h"
#include "macros.h"
#include "str.h"

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

/* The step that an alert led to stands shortly before it: what was changed, and how far. */
static const struct wan_process_event *action_of(const struct wan_process *process,
						 const struct wan_process_event *alert,
						 const char *code)
{
	enum { AWAY_MOST = 64 };
	size_t before = WAN_MIN((size_t)(alert - process->events), (size_t)AWAY_MOST);
	for (size_t i = 1; i <= before; i++)
		if (alert[-(ptrdiff_t)i].kind == WAN_RECORD_ACTION &&
		    wan_str_equal(alert[-(ptrdiff_t)i].name, code))
			return alert - i;
	return NULL;
}

static void action(const struct wan_export *export, const struct wan_process *process,
		   const struct wan_process_event *alert, const struct wan_process_event *detail)
{
	struct wan_json *json = export->json;
	char hidden[WAN_REDACTED_BYTES], text[96];
	wan_json_key(json, "action");
	if (!detail || !detail->name[0]) {
		wan_json_null(json);
		return;
	}
	const struct wan_process_event *taken = action_of(process, alert, detail->name);
	wan_json_object_begin(json);
	wan_json_key_string(json, "code", wan_export_name(export, hidden, detail->name));
	if (taken)
		wan_str_format(text, sizeof(text), "from %" PRIu64 " to %" PRIu64, taken->values[2],
			       taken->values[3]);
	wan_json_key_string(json, "text", taken ? text : NULL);
	wan_json_key_bool(json, "applied", true); /* others are not recorded */
	wan_json_object_end(json);
}

/* What is known only with the event that follows the alert's own; old recordings have none. */
static void detail_of(const struct wan_export *export, const struct wan_process *process,
		      const struct wan_process_event *event)
{
	struct wan_json *json = export->json;
	const struct wan_process_event *detail = wan_alert_detail(process, event);
	char hidden[WAN_REDACTED_BYTES];
	bool based = detail && detail->values[1] != UINT64_MAX;
	uint64_t held_ns = detail ? detail->values[3] : 0;
	wan_export_number(json, "baseline", based ? (double)detail->values[1] / 1000 : -1, 3);
	wan_export_number(json, "window_s", detail ? (double)detail->values[2] / 1e9 : -1, 3);
	wan_export_timestamp(json, "since",
			     detail ? event->realtime_ns - WAN_MIN(held_ns, event->realtime_ns)
				    : 0);
	wan_json_key_string(
		json, "tracker",
		detail && detail->text[0] ? wan_export_name(export, hidden, detail->text) : NULL);
	if (detail)
		wan_json_key_u64(json, "suppressed", detail->code);
	else
		wan_json_key_null(json, "suppressed");
	action(export, process, event, detail);
}

static void alert(const struct wan_export *export, const struct wan_process *process,
		  const struct wan_process_event *event)
{
	struct wan_json *json = export->json;
	const struct wan_alert_kind *kind = wan_alert_kind_named(event->name);
	char hidden[WAN_REDACTED_BYTES];
	wan_json_object_begin(json);
	wan_json_key_u64(json, "id", event->values[3]);
	wan_export_timestamp(json, "timestamp", event->realtime_ns);
	wan_json_key_u64(json, "monotonic_ns", event->time_ns);
	wan_json_key_u64(json, "process", process->header.pid);
	wan_json_key_string(json, "alert_type", wan_export_name(export, hidden, event->name));
	wan_json_key_string(json, "severity", wan_export_severity(event->code));
	wan_json_key_double(json, "value", (double)(int64_t)event->values[0] / 1000, 3);
	wan_json_key_double(json, "limit", (double)(int64_t)event->values[1] / 1000, 3);
	wan_json_key_string(json, "unit", kind && kind->unit[0] ? kind->unit : NULL);
	wan_json_key_string(json, "message", wan_export_text(export, hidden, event->text));
	wan_json_key_u64(json, "count", event->values[2]);
	detail_of(export, process, event);
	wan_json_key_string(json, "suggested_action", kind ? kind->action : NULL);
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
				alert(export, process, &process->events[j]);
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
