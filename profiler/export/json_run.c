/* SPDX-License-Identifier: MIT */
/* What ran, how it ended, what it is doing now, and what recording it cost. */
#include <stdio.h>
#include <string.h>

#include "counters.h"
#include "export.h"
#include "str.h"

static void key_or_null(struct wan_json *json, const char *name, const char *text)
{
	wan_json_key_string(json, name, text && text[0] ? text : NULL);
}

static void ending(struct wan_json *json, const struct wan_process *process)
{
	wan_json_key_string(json, "state", wan_run_state_name(process->state));
	if (process->state == WAN_RUN_EXITED)
		wan_json_key_i64(json, "exit_status", process->header.exit_status);
	else
		wan_json_key_null(json, "exit_status");
	if (process->state == WAN_RUN_SIGNALLED || process->state == WAN_RUN_KILLED_FOR_MEMORY)
		wan_json_key_i64(json, "signal", process->header.signal);
	else
		wan_json_key_null(json, "signal");
}

static void in_flight(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	wan_json_key(json, "in_flight");
	wan_json_array_begin(json);
	for (size_t i = 0; i < export->analysis->view.in_flight_count; i++) {
		const struct wan_view_operation *operation = &export->analysis->view.in_flight[i];
		const struct wan_recording_operation *record = operation->record;
		char hidden[WAN_REDACTED_BYTES];
		wan_json_object_begin(json);
		wan_json_key_string(json, "operation_name",
				    wan_export_name(export, hidden, record->name));
		key_or_null(json, "library", record->library);
		wan_export_path(export, "file", record->file);
		wan_export_time(json, "elapsed", record->span_ns);
		wan_json_key(json, "image_size");
		if (record->width_px) {
			wan_json_array_begin(json);
			wan_json_u64(json, record->width_px);
			wan_json_u64(json, record->height_px);
			wan_json_array_end(json);
		} else {
			wan_json_null(json);
		}
		wan_json_key_u64(json, "process", record->process);
		wan_json_key_u64(json, "thread", record->thread);
		wan_export_timestamp(json, "timestamp", record->start_realtime_ns);
		wan_json_object_end(json);
	}
	wan_json_array_end(json);
}

static void run_id(struct wan_json *json, const struct wan_process *process)
{
	char text[33];
	for (size_t i = 0; i < 16; i++)
		snprintf(text + 2 * i, 3, "%02x", process->header.run_id[i]);
	wan_json_key_string(json, "run_id", text);
}

void wan_export_run(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	const struct wan_analysis *analysis = export->analysis;
	const struct wan_process *process = wan_view_outcome(&analysis->view);
	static const struct wan_process none;
	process = process ? process : &none;
	wan_json_key(json, "run");
	wan_json_object_begin(json);
	run_id(json, process);
	wan_export_key_name(export, "job", process->header.job);
	if (process->header.estimate_ns)
		wan_json_key_double(json, "estimate_s", (double)process->header.estimate_ns / 1e9,
				    3);
	else
		wan_json_key_null(json, "estimate_s");
	ending(json, process);
	wan_export_timestamp(json, "started", analysis->start_ns);
	wan_export_timestamp(json, "ended",
			     process->state == WAN_RUN_RUNNING ? 0 : analysis->end_ns);
	wan_export_time(json, "duration", analysis->run_ns);
	wan_export_preconditions(export);
	in_flight(export);
	wan_json_object_end(json);
}

static const char *role_name(uint32_t role)
{
	switch (role) {
	case WAN_ROLE_PRELOADED:
		return "preloaded";
	case WAN_ROLE_LINKED:
		return "linked";
	case WAN_ROLE_PARENT:
		return "parent";
	default:
		return NULL;
	}
}

/* Arguments are separated by \x1f in the recording. */
static void command(const struct wan_export *export, const struct wan_process *process)
{
	struct wan_json *json = export->json;
	const char *at = process->header.command;
	wan_json_key(json, "command");
	wan_json_array_begin(json);
	while (*at && !export->options->redact) {
		size_t length = strcspn(at, "\x1f");
		wan_json_string_n(json, at, length);
		at += length + (at[length] != '\0');
	}
	wan_json_array_end(json);
}

/* named: whose path and arguments are shown. The parent of a run knows what the user typed. */
static void identity(const struct wan_export *export, const struct wan_process *named,
		     const struct wan_process *process)
{
	struct wan_json *json = export->json;
	wan_export_path(export, "path", named->header.program);
	command(export, named);
	wan_json_key_u64(json, "pid", process->header.pid);
	wan_json_key_u64(json, "parent_pid", process->header.parent_pid);
	wan_json_key_string(json, "role", role_name(process->header.role));
}

void wan_export_program(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	const struct wan_view *view = &export->analysis->view;
	static const struct wan_process none;
	wan_json_key(json, "program");
	wan_json_object_begin(json);
	identity(export,
		 view->parent ? view->parent
		 : view->main ? view->main
			      : &none,
		 view->main ? view->main : &none);
	wan_json_key(json, "processes");
	wan_json_array_begin(json);
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_process *process = view->sources[i].process;
		wan_json_object_begin(json);
		identity(export, process, process);
		ending(json, process);
		wan_json_key_u64(json, "recorded_operations", process->total_operations);
		wan_export_timestamp(json, "started", process->start_realtime_ns);
		wan_export_path(export, "recording", process->source);
		wan_json_object_end(json);
	}
	wan_json_array_end(json);
	wan_json_object_end(json);
}

/* On a thread of its own, so it is not part of what operations took longer. */
static void monitoring(struct wan_json *json, const struct wan_view *view)
{
	struct wan_counter_sum monitor;
	wan_counters_sum(view, WAN_COUNTERS_MONITOR, &monitor);
	uint64_t cpu_ns = wan_counters_word(&monitor, "own_cpu");
	uint64_t time_ns = wan_counters_word(&monitor, "monitoring_duration");
	bool monitored = time_ns > 0;
	wan_export_time(json, "monitoring", monitored ? time_ns : UINT64_MAX);
	wan_export_time(json, "monitoring_cpu", monitored ? cpu_ns : UINT64_MAX);
	wan_export_number(json, "monitoring_percent",
			  monitored ? 100.0 * (double)cpu_ns / (double)time_ns : -1, 4);
}

void wan_export_overhead(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	const struct wan_analysis *analysis = export->analysis;
	uint64_t run_ns = analysis->run_ns;
	wan_json_key(json, "overhead");
	wan_json_object_begin(json);
	wan_export_time(json, "start", analysis->overhead_start_ns);
	wan_json_key_u64(json, "recorded_operations", analysis->recorded);
	wan_json_key_u64(json, "assumed_ns_per_operation", WAN_ASSUMED_NS_PER_OPERATION);
	wan_json_key_u64(json, "assumed_ns_per_large_operation",
			 WAN_ASSUMED_NS_PER_LARGE_OPERATION);
	wan_json_key_bool(json, "measured", analysis->overhead_measured);
	wan_export_time(json, "operations", analysis->overhead_operations_ns);
	wan_export_time(json, "rows", analysis->overhead_rows_ns);
	wan_export_time(json, "allocations", analysis->overhead_allocations_ns);
	wan_export_time(json, "estimated", analysis->overhead_ns);
	wan_export_number(json, "estimated_percent",
			  run_ns ? 100.0 * (double)analysis->overhead_ns / (double)run_ns : -1, 4);
	monitoring(json, &analysis->view);
	wan_json_object_end(json);
}
