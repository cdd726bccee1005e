/* SPDX-License-Identifier: MIT */
/* The summary, one entry per operation, one row per kind of operation. */
#include <string.h>

#include "export.h"
#include "macros.h"

static uint64_t shown_operations(const struct wan_export *export)
{
	const struct wan_view *view = &export->analysis->view;
	uint64_t shown = 0;
	for (size_t i = 0; i < view->operation_count; i++)
		shown += !wan_view_nested(&view->operations[i]) &&
			 wan_export_shows(export, &view->operations[i]);
	return shown;
}

/* Does a word of the text begin like a path? */
static bool names_path(const char *text)
{
	for (const char *slash = text; (slash = strchr(slash, '/')); slash++)
		if ((slash == text || strchr(" \t\"'(=:", slash[-1])) && slash[1] &&
		    slash[1] != ' ')
			return true;
	return false;
}

/* Sentences of ours name operations, and under view->hide_files no files: they may stay as long as
 * the names may. */
static const char *sentence(const struct wan_export *export, char *hidden,
			    const struct wan_finding *finding, const char *text)
{
	bool safe = !names_path(text) && wan_redact_is_identifier(finding->operation);
	const struct wan_rows *rows = &export->analysis->rows;
	for (size_t i = 0; i < rows->count && safe && !finding->operation[0]; i++)
		safe = wan_redact_is_identifier(rows->items[i].name);
	return safe ? text : wan_export_text(export, hidden, text);
}

void wan_export_finding_texts(const struct wan_export *export, const char *name,
			      enum wan_advice_kind kind)
{
	struct wan_json *json = export->json;
	const struct wan_findings *findings = &export->analysis->findings;
	char hidden[WAN_REDACTED_BYTES];
	wan_json_key(json, name);
	wan_json_array_begin(json);
	for (size_t i = 0; i < findings->count; i++)
		if (findings->items[i].advice->kind == kind)
			wan_json_string(json, sentence(export, hidden, &findings->items[i],
						       findings->items[i].text));
	wan_json_array_end(json);
}

void wan_export_summary(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	const struct wan_rows *rows = &export->analysis->rows;
	uint64_t total = rows->total_operations;
	wan_json_key(json, "summary");
	wan_json_object_begin(json);
	wan_json_key_u64(json, "total_operations", total);
	wan_json_key_u64(json, "metrics_dropped", total - shown_operations(export));
	wan_json_key_u64(json, "nested_operations", rows->nested_operations);
	wan_json_key_u64(json, "operations_not_recorded", export->analysis->dropped);
	wan_export_time(json, "total_time", rows->total_inside_ns);
	wan_export_number(json, "average_time_ms",
			  total ? (double)rows->total_inside_ns / 1e6 / (double)total : 0, 6);
	wan_export_bytes(json, "peak_memory", rows->memory_known ? rows->peak_bytes : UINT64_MAX);
	wan_export_bytes(json, "total_memory",
			 rows->memory_known ? rows->total_memory_bytes : UINT64_MAX);
	wan_export_finding_texts(export, "bottlenecks", WAN_ADVICE_FINDING);
	wan_export_finding_texts(export, "recommendations", WAN_ADVICE_RECOMMENDATION);
	wan_json_object_end(json);
}

static void number_or_null(struct wan_json *json, const char *name, uint64_t value)
{
	if (value)
		wan_json_key_u64(json, name, value);
	else
		wan_json_key_null(json, name);
}

void wan_export_operation(const struct wan_export *export,
			  const struct wan_view_operation *operation)
{
	struct wan_json *json = export->json;
	const struct wan_recording_operation *record = operation->record;
	char hidden[WAN_REDACTED_BYTES];
	wan_json_key_string(json, "operation_name", wan_export_name(export, hidden, record->name));
	wan_export_time(json, "execution_time", record->inside_ns);
	wan_export_time(json, "span", record->span_ns);
	wan_export_time(json, "cpu_time", record->cpu_ns);
	wan_export_number(json, "cpu_usage_percent", wan_operation_cpu_percent(record), 2);
	wan_export_signed_bytes(json, "memory_usage", record->memory_bytes);
	wan_export_bytes(json, "peak_memory", record->peak_bytes);
	wan_export_bytes(json, "peak_vram",
			 wan_vram_operation_peak(&export->analysis->vram, operation));
	wan_json_key(json, "image_size");
	if (record->width_px || record->height_px) {
		wan_json_array_begin(json);
		wan_json_u64(json, record->width_px);
		wan_json_u64(json, record->height_px);
		wan_json_array_end(json);
	} else {
		wan_json_null(json);
	}
	number_or_null(json, "channels", record->channels);
	number_or_null(json, "bit_depth", record->bit_depth);
	if (record->file_bytes == UINT64_MAX || strcmp(wan_operation_library(record), "cuda") == 0)
		wan_json_key_null(json, "file_size_bytes");
	else
		wan_json_key_u64(json, "file_size_bytes", record->file_bytes);
	wan_export_path(export, "file", record->file);
	wan_json_key_string(json, "library",
			    wan_operation_library(record)[0] ? record->library : NULL);
	wan_json_key_u64(json, "process", record->process);
	wan_json_key_u64(json, "thread", record->thread);
	wan_json_key_string(json, "status", wan_op_status_name(operation->status));
	wan_json_key_bool(json, "unfinished", operation->unfinished);
	wan_export_timestamp(json, "timestamp", record->start_realtime_ns);
	wan_json_key_u64(json, "monotonic_ns", record->start_ns);
}

static void list(const struct wan_export *export, const char *name, bool nested)
{
	struct wan_json *json = export->json;
	const struct wan_view *view = &export->analysis->view;
	wan_json_key(json, name);
	wan_json_array_begin(json);
	for (size_t i = 0; i < view->operation_count; i++) {
		const struct wan_view_operation *operation = &view->operations[i];
		if (wan_view_nested(operation) != nested || !wan_export_shows(export, operation))
			continue;
		wan_json_object_begin(json);
		wan_export_operation(export, operation);
		wan_json_object_end(json);
	}
	wan_json_array_end(json);
}

void wan_export_metrics(const struct wan_export *export)
{
	list(export, "metrics", false);
	list(export, "nested_metrics", true);
}

static void scaling(struct wan_json *json, const char *name, const struct wan_scaling *fit)
{
	double unknown = -1;
	wan_json_key(json, name);
	wan_json_object_begin(json);
	wan_json_key_string(json, "verdict", wan_scaling_verdict_name(fit->verdict));
	if (fit->fitted)
		wan_json_key_double(json, "exponent", fit->slope, 4);
	else
		wan_json_key_null(json, "exponent");
	if (fit->fitted)
		wan_json_key_double(json, "lower_bound_95", fit->lower_bound, 4);
	else
		wan_json_key_null(json, "lower_bound_95");
	wan_export_number(json, "cost_ratio", fit->fitted ? fit->ratio : unknown, 4);
	wan_export_number(json, "range", fit->fitted ? fit->range : unknown, 2);
	wan_json_key_u64(json, "sizes", fit->sizes);
	wan_json_key_bool(json, "provisional", fit->provisional);
	wan_json_key_string(json, "reason", fit->reason && fit->reason[0] ? fit->reason : NULL);
	wan_json_object_end(json);
}

static void options(struct wan_json *json, const struct wan_row *row)
{
	static const struct {
		uint16_t flag;
		const char *name;
	} names[] = {{WAN_FLAG_PROGRESSIVE, "progressive"},
		     {WAN_FLAG_SCALED, "scaled"},
		     {WAN_FLAG_LOSSLESS, "lossless"},
		     {WAN_FLAG_PEAK_UPPER_BOUND, "peak_is_upper_bound"}};
	wan_json_key(json, "options");
	wan_json_array_begin(json);
	for (size_t i = 0; i < WAN_COUNT_OF(names); i++)
		if (row->flags_seen & names[i].flag)
			wan_json_string(json, names[i].name);
	wan_json_array_end(json);
}

static void rates(const struct wan_export *export, const struct wan_row *row)
{
	struct wan_json *json = export->json;
	double seconds = (double)row->inside_ns / 1e9;
	bool cuda = strcmp(row->library, "cuda") == 0; /* no files: bytes asked for or moved */
	bool files = row->file_known == row->count && !cuda;
	bool cpu = row->cpu_known == row->count && row->span_ns;
	wan_export_number(json, "megapixels", row->pixels ? (double)row->pixels / 1e6 : -1, 6);
	wan_export_number(json, "megapixels_per_s",
			  row->pixels && seconds > 0 ? (double)row->pixels / 1e6 / seconds : -1, 3);
	wan_export_bytes(json, "file", row->file_known && !cuda ? row->file_bytes : UINT64_MAX);
	wan_export_bytes(json, "bytes_moved",
			 row->file_known && cuda ? row->file_bytes : UINT64_MAX);
	wan_export_number(
		json, "file_mb_per_s",
		files && seconds > 0 ? (double)row->file_bytes / (double)WAN_MIB / seconds : -1, 3);
	wan_export_time(json, "cpu_time", row->cpu_known ? row->cpu_ns : UINT64_MAX);
	wan_json_key_u64(json, "cpu_time_known_for", row->cpu_known);
	wan_export_number(json, "cpu_usage_percent",
			  cpu ? 100.0 * (double)row->cpu_ns / (double)row->span_ns : -1, 2);
	wan_export_signed_bytes(json, "memory_usage",
				row->memory_known ? row->memory_bytes : INT64_MIN);
	wan_json_key_u64(json, "memory_known_for", row->memory_known);
	wan_export_bytes(json, "peak_memory", row->peak_bytes ? row->peak_bytes : UINT64_MAX);
	wan_export_bytes(json, "peak_vram",
			 wan_analysis_row_vram(export->analysis, &export->analysis->kinds, row));
}

static void row(const struct wan_export *export, const struct wan_row *row)
{
	struct wan_json *json = export->json;
	char hidden[WAN_REDACTED_BYTES];
	double mean_ms = (double)row->inside_ns / 1e6 / (double)(row->count ? row->count : 1);
	wan_json_object_begin(json);
	wan_json_key_string(json, "operation_name", wan_export_name(export, hidden, row->name));
	wan_json_key_string(json, "library", row->library[0] ? row->library : NULL);
	wan_json_key_string(json, "status", wan_op_status_name(row->status));
	options(json, row);
	wan_json_key_bool(json, "nested", row->flags & WAN_FLAG_CHILD);
	wan_json_key_u64(json, "count", row->count);
	wan_export_time(json, "total_time", row->inside_ns);
	wan_export_time(json, "span", row->span_ns);
	wan_json_key_double(json, "mean_ms", mean_ms, 6);
	wan_export_time(json, "min", row->min_ns);
	wan_export_time(json, "max", row->max_ns);
	wan_export_time(json, "p50", row->p50_ns);
	wan_export_time(json, "p90", row->p90_ns);
	wan_export_time(json, "p99", row->p99_ns);
	wan_export_time(json, "p999", row->p999_ns);
	wan_json_key_string(json, "percentiles_from",
			    row->exact_percentiles ? "records" : "histogram");
	rates(export, row);
	wan_export_sizes(export, row);
	scaling(json, "scaling", &row->scaling);
	scaling(json, "memory_scaling", &row->memory_scaling);
	wan_json_object_end(json);
}

void wan_export_operations(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	const struct wan_rows *rows = &export->analysis->kinds;
	wan_json_key(json, "operations");
	wan_json_array_begin(json);
	for (size_t i = 0; i < rows->count; i++)
		row(export, &rows->items[i]);
	wan_json_array_end(json);
}

void wan_export_findings(const struct wan_export *export, enum wan_advice_kind kind)
{
	struct wan_json *json = export->json;
	const struct wan_findings *findings = &export->analysis->findings;
	wan_json_key(json, kind == WAN_ADVICE_FINDING ? "findings" : "recommendations");
	wan_json_array_begin(json);
	for (size_t i = 0; i < findings->count; i++) {
		const struct wan_finding *finding = &findings->items[i];
		const char *key = finding->advice->key;
		char hidden[WAN_REDACTED_BYTES];
		if (finding->advice->kind != kind)
			continue;
		wan_json_object_begin(json);
		wan_json_key_string(json, "id", finding->advice->id);
		wan_json_key_string(json, "severity", wan_finding_severity_name(finding->severity));
		wan_json_key_string(json, "title", finding->advice->title);
		wan_export_key_name(export, "operation_name", finding->operation);
		wan_json_key_string(json, "library", finding->library[0] ? finding->library : NULL);
		wan_json_key_u64(json, "count", finding->count);
		wan_json_key_double(json, "value", finding->value, 4);
		wan_json_key_double(json, "limit", finding->limit, 4);
		wan_json_key_string(json, "limit_key", key[0] ? key : NULL);
		wan_json_key_string(json, "unit", finding->unit);
		wan_json_key_string(json, "confidence", finding->confidence);
		wan_json_key_string(json, "evidence",
				    sentence(export, hidden, finding, finding->evidence));
		wan_json_key_string(json, "action", finding->advice->action);
		wan_json_key(json, "predicted_saving");
		if (finding->saving_ms >= 0 || finding->saving_mb >= 0) {
			wan_json_object_begin(json);
			wan_export_number(json, "time_ms", finding->saving_ms, 3);
			wan_export_number(json, "memory_mb", finding->saving_mb, 3);
			wan_json_object_end(json);
		} else {
			wan_json_string(json, "not estimated");
		}
		wan_json_object_end(json);
	}
	wan_json_array_end(json);
}
