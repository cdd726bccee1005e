/* SPDX-License-Identifier: MIT */
/* One operation a line as comma separated values (RFC 4180, line feeds), after a line of names. */
#include <string.h>

#include "export.h"
#include "macros.h"
#include "str.h"

struct line {
	char text[8192]; /* three texts of at most 560 characters, all quotes, and numbers */
	size_t used;
};

static void field(struct line *line, const char *text)
{
	if (line->used)
		line->text[line->used++] = ',';
	if (!strpbrk(text, ",\"\r\n")) {
		line->used += wan_str_format(line->text + line->used,
					     sizeof(line->text) - line->used, "%s", text);
		return;
	}
	line->text[line->used++] = '"';
	for (; *text && line->used + 4 < sizeof(line->text); text++) {
		if (*text == '"')
			line->text[line->used++] = '"';
		line->text[line->used++] = *text;
	}
	line->text[line->used++] = '"';
}

/* A name from a foreign file must not start a formula in a spreadsheet. */
static void text_field(struct line *line, const char *text)
{
	char safe[600];
	char printable[560];
	wan_str_printable(printable, sizeof(printable), text ? text : "");
	wan_str_format(safe, sizeof(safe), "%s%s",
		       printable[0] && strchr("=+-@", printable[0]) ? "'" : "", printable);
	field(line, safe);
}

static void number_field(struct line *line, double value, bool known)
{
	char text[64] = "";
	if (known)
		wan_str_format(text, sizeof(text), "%.6f", value);
	field(line, text);
}

static void whole_field(struct line *line, uint64_t value, bool known)
{
	char text[32] = "";
	if (known)
		wan_str_format(text, sizeof(text), "%llu", (unsigned long long)value);
	field(line, text);
}

static void operation_line(const struct wan_export *export,
			   const struct wan_view_operation *operation, struct line *line)
{
	const struct wan_recording_operation *record = operation->record;
	char stamp[WAN_TIMESTAMP_BYTES], path[WAN_REDACTED_BYTES], name[WAN_REDACTED_BYTES];
	double cpu = wan_operation_cpu_percent(record);
	line->used = 0;
	field(line, wan_export_timestamp_text(stamp, record->start_realtime_ns));
	text_field(line, wan_export_name(export, name, record->name));
	text_field(line, wan_operation_library(record));
	field(line, wan_op_status_name(operation->status));
	number_field(line, (double)record->inside_ns / 1e6, true);
	number_field(line, (double)record->span_ns / 1e6, true);
	number_field(line, (double)record->cpu_ns / 1e6, record->cpu_ns != UINT64_MAX);
	number_field(line, cpu, cpu >= 0);
	number_field(line, (double)record->memory_bytes / (double)WAN_MIB,
		     record->memory_bytes != INT64_MIN);
	number_field(line, (double)record->peak_bytes / (double)WAN_MIB,
		     record->peak_bytes != UINT64_MAX);
	whole_field(line, record->width_px, record->width_px != 0);
	whole_field(line, record->height_px, record->height_px != 0);
	whole_field(line, record->channels, record->channels != 0);
	whole_field(line, record->bit_depth, record->bit_depth != 0);
	whole_field(line, record->file_bytes, record->file_bytes != UINT64_MAX);
	text_field(line, wan_export_file(export, path, record->file));
	whole_field(line, record->process, true);
	whole_field(line, record->thread, true);
	field(line, wan_view_nested(operation) ? "1" : "0");
	line->text[line->used++] = '\n';
}

void wan_export_csv(const struct wan_export *export)
{
	static const char header[] =
		"timestamp,operation_name,library,status,execution_time_ms,span_ms,cpu_time_ms,"
		"cpu_usage_percent,memory_usage_mb,peak_memory_mb,width_px,height_px,channels,"
		"bit_depth,file_size_bytes,file,process,thread,nested\n";
	const struct wan_view *view = &export->analysis->view;
	struct wan_sink *sink = export->sink;
	struct line line;
	wan_sink_put(sink, header, sizeof(header) - 1);
	for (size_t i = 0; i < view->operation_count && !sink->error; i++) {
		if (!wan_export_shows(export, &view->operations[i]))
			continue;
		operation_line(export, &view->operations[i], &line);
		wan_sink_put(sink, line.text, line.used);
	}
}
