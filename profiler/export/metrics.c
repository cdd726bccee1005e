/* SPDX-License-Identifier: MIT */
/*
 * Prometheus' text format 0.0.4 (for the textfile collector: no time stamps) and OpenMetrics 1.0.
 * They differ in the name of a counter's family, in units, in info metrics and in the last line.
 * Figures are sums over everything that ended; filters other than --op do not touch them. Labels:
 * text of the recording without control characters, and never two series with the same ones.
 */
#include <errno.h>

#include "counters.h"
#include "export.h"
#include "macros.h"
#include "str.h"
#include "walk.h"

#define LABEL_ROOM (4 * 1023 + 8)

enum kind { GAUGE, COUNTER, HISTOGRAM, INFO };

struct metrics {
	const struct wan_export *export;
	struct wan_sink *sink;
	bool open; /* OpenMetrics */
	char program[LABEL_ROOM];
};

/* Escapes are for control bytes alone, so "\x" that stands in the text must not look like one: else
 * two texts could become one label. */
static void clean(char *to, size_t bytes, const char *text)
{
	size_t used = 0;
	for (const char *next; (next = strstr(text, "\\x")); text = next + 1) {
		char part[1032];
		wan_str_format(part, sizeof(part), "%.*s", (int)(next - text), text);
		wan_str_printable(to + used, bytes - used, part);
		used += strlen(to + used);
		used += wan_str_format(to + used, bytes - used, "\\x5c");
	}
	wan_str_printable(to + used, bytes - used, text);
}

static void put_label(struct metrics *metrics, const char *name, const char *text)
{
	char shown[LABEL_ROOM];
	clean(shown, sizeof(shown), text);
	wan_sink_text(metrics->sink, name);
	wan_sink_text(metrics->sink, "=\"");
	for (const char *at = shown; *at; at++) {
		if (*at == '"' || *at == '\\')
			wan_sink_put(metrics->sink, "\\", 1);
		wan_sink_put(metrics->sink, at, 1);
	}
	wan_sink_text(metrics->sink, "\"");
}

/* name: without "wanrt_" and without "_total". unit: the last word of the name, or NULL. */
static void family(struct metrics *metrics, const char *name, enum kind kind, const char *unit,
		   const char *help)
{
	static const char *const types[] = {"gauge", "counter", "histogram", "info"};
	bool open = metrics->open;
	const char *suffix = open ? "" : kind == COUNTER ? "_total" : kind == INFO ? "_info" : "";
	const char *type = kind == INFO && !open ? "gauge" : types[kind];
	wan_sink_format(metrics->sink, "# HELP wanrt_%s%s %s\n", name, suffix, help);
	wan_sink_format(metrics->sink, "# TYPE wanrt_%s%s %s\n", name, suffix, type);
	if (open && unit)
		wan_sink_format(metrics->sink, "# UNIT wanrt_%s %s\n", name, unit);
}

static void series(struct metrics *metrics, const char *name, const char *suffix)
{
	wan_sink_format(metrics->sink, "wanrt_%s%s{", name, suffix);
	put_label(metrics, "program", metrics->program);
}

static void value_u64(struct metrics *metrics, uint64_t value)
{
	char *to = wan_put_u64(WAN_PUT(wan_sink_room(metrics->sink, 64), "} "), value);
	metrics->sink->at = WAN_PUT(to, "\n");
}

/* A whole number of 10^-9: exact, and the same in every locale. */
static char *put_nano(char *to, uint64_t value)
{
	to = wan_put_u64(to, value / 1000000000u);
	*to++ = '.';
	uint64_t rest = value % 1000000000u;
	unsigned digits = 9;
	while (digits > 1 && rest % 10 == 0) {
		rest /= 10;
		digits--;
	}
	for (unsigned i = digits; i-- > 0; rest /= 10)
		to[i] = (char)('0' + rest % 10);
	return to + digits;
}

static void value_nano(struct metrics *metrics, uint64_t value)
{
	char *to = put_nano(WAN_PUT(wan_sink_room(metrics->sink, 64), "} "), value);
	metrics->sink->at = WAN_PUT(to, "\n");
}

static void one_u64(struct metrics *metrics, const char *name, enum kind kind, const char *unit,
		    const char *help, uint64_t value)
{
	family(metrics, name, kind, unit, help);
	series(metrics, name, kind == COUNTER ? "_total" : "");
	value_u64(metrics, value);
}

static void one_nano(struct metrics *metrics, const char *name, enum kind kind, const char *unit,
		     const char *help, uint64_t value)
{
	family(metrics, name, kind, unit, help);
	series(metrics, name, kind == COUNTER ? "_total" : "");
	value_nano(metrics, value);
}

static void row_series(struct metrics *metrics, const char *name, const char *suffix,
		       const struct wan_row *row)
{
	char hidden[WAN_REDACTED_BYTES];
	series(metrics, name, suffix);
	wan_sink_text(metrics->sink, ",");
	put_label(metrics, "operation", wan_export_name(metrics->export, hidden, row->name));
	wan_sink_text(metrics->sink, ",");
	put_label(metrics, "library", row->library);
	wan_sink_format(metrics->sink, ",status=\"%s\",nested=\"%s\"",
			wan_op_status_name(row->status),
			row->flags & WAN_FLAG_CHILD ? "true" : "false");
}

static void histogram(struct metrics *metrics, const struct wan_row *row)
{
	static const char name[] = "operation_duration_seconds";
	uint64_t count = 0;
	for (unsigned i = 0; i < WAN_RECORD_HISTOGRAM; i++) {
		count += row->histogram[i];
		if (wan_histogram_edge_ns(i) == UINT64_MAX)
			break;
		row_series(metrics, name, "_bucket", row);
		char *to = WAN_PUT(wan_sink_room(metrics->sink, 64), ",le=\"");
		to = put_nano(to, wan_histogram_edge_ns(i));
		metrics->sink->at = WAN_PUT(to, "\"");
		value_u64(metrics, count);
	}
	count = WAN_MAX(count, row->count); /* what ended without a time of its own counts too */
	row_series(metrics, name, "_bucket", row);
	wan_sink_text(metrics->sink, ",le=\"+Inf\"");
	value_u64(metrics, count);
	row_series(metrics, name, "_sum", row);
	value_nano(metrics, row->inside_ns);
	row_series(metrics, name, "_count", row);
	value_u64(metrics, count);
}

enum figure { CPU, PIXELS, FILE_BYTES, PEAK };

static bool known(const struct wan_row *row, enum figure figure)
{
	switch (figure) {
	case CPU:
		return row->cpu_known;
	case PIXELS:
		return row->pixels;
	case FILE_BYTES:
		return row->file_known;
	default:
		return row->peak_bytes;
	}
}

static void row_family(struct metrics *metrics, const char *name, enum kind kind, const char *unit,
		       const char *help, enum figure figure)
{
	const struct wan_rows *rows = &metrics->export->analysis->rows;
	family(metrics, name, kind, unit, help);
	for (size_t i = 0; i < rows->count && !metrics->sink->error; i++) {
		const struct wan_row *row = &rows->items[i];
		if (!known(row, figure))
			continue;
		row_series(metrics, name, kind == COUNTER ? "_total" : "", row);
		if (figure == CPU)
			value_nano(metrics, row->cpu_ns);
		else
			value_u64(metrics, figure == PIXELS       ? row->pixels
					   : figure == FILE_BYTES ? row->file_bytes
								  : row->peak_bytes);
	}
}

static void operations(struct metrics *metrics)
{
	const struct wan_analysis *analysis = metrics->export->analysis;
	family(metrics, "operation_duration_seconds", HISTOGRAM, "seconds",
	       "Time inside the library, per operation that ended.");
	for (size_t i = 0; i < analysis->rows.count && !metrics->sink->error; i++)
		histogram(metrics, &analysis->rows.items[i]);
	row_family(metrics, "operation_cpu_seconds", COUNTER, "seconds",
		   "CPU time of operations for which it is known.", CPU);
	row_family(metrics, "operation_pixels", COUNTER, NULL, "Pixels of operations.", PIXELS);
	row_family(metrics, "operation_file_bytes", COUNTER, "bytes",
		   "Encoded bytes of operations for which they are known.", FILE_BYTES);
	row_family(metrics, "operation_peak_memory_bytes", GAUGE, "bytes",
		   "Largest memory inside one operation.", PEAK);
	one_u64(metrics, "operations_in_flight", GAUGE, NULL, "Operations under way.",
		analysis->view.in_flight_count);
	one_u64(metrics, "operations_not_recorded", COUNTER, NULL,
		"Operations for which the recorder had no room.", analysis->dropped);
}

static void run(struct metrics *metrics)
{
	const struct wan_export *export = metrics->export;
	const struct wan_process *process = wan_view_outcome(&export->analysis->view);
	char hidden[WAN_REDACTED_BYTES];
	family(metrics, "run", INFO, NULL, "The command that was recorded.");
	series(metrics, "run", "_info");
	wan_sink_text(metrics->sink, ",");
	put_label(metrics, "job",
		  wan_export_name(export, hidden, process ? process->header.job : ""));
	wan_sink_format(metrics->sink, ",state=\"%s\"",
			wan_run_state_name(process ? process->state : WAN_RUN_UNKNOWN));
	value_u64(metrics, 1);
	one_nano(metrics, "run_duration_seconds", GAUGE, "seconds",
		 "From the start to the end, or to the last thing known.",
		 wan_elapsed(export->analysis->start_ns, export->analysis->end_ns));
	one_u64(metrics, "run_processes", GAUGE, NULL, "Processes recorded.",
		export->analysis->view.source_count);
	uint64_t damages = 0;
	for (size_t i = 0; i < export->analysis->view.source_count; i++)
		damages += export->analysis->view.sources[i].process->damage_count;
	one_u64(metrics, "recording_damages", GAUGE, NULL,
		"Places of the recording that could not be read.", damages);
	uint64_t findings[2] = {0};
	for (size_t i = 0; i < export->analysis->findings.count; i++)
		findings[export->analysis->findings.items[i].advice->kind == WAN_ADVICE_FINDING]++;
	one_u64(metrics, "findings", GAUGE, NULL, "Bottlenecks found.", findings[1]);
	one_u64(metrics, "recommendations", GAUGE, NULL, "Recommendations.", findings[0]);
}

static const struct word {
	const char *name, *word, *unit, *help;
	enum kind kind;
} cache_words[] =
	{
		{"cache_limit_bytes", "limit", "bytes", "Byte limit of the cache.", GAUGE},
		{"cache_used_bytes", "memory_usage", "bytes", "Bytes charged to the cache.", GAUGE},
		{"cache_pinned_bytes", "pinned", "bytes", "Bytes pinned by readers.", GAUGE},
		{"cache_in_flight_bytes", "in_flight", "bytes", "Bytes of loads under way.", GAUGE},
		{"cache_cold_bytes", "cold", "bytes", "Bytes of compressed values.", GAUGE},
		{"cache_debt_bytes", "debt", "bytes", "Bytes above the limit, pinned.", GAUGE},
		{"cache_entries", "entries_count", NULL, "Entries.", GAUGE},
		{"cache_requests", "total_requests", NULL, "Requests.", COUNTER},
		{"cache_hits", "hits", NULL, "Requests answered from memory.", COUNTER},
		{"cache_misses", "misses", NULL, "Requests that were not.", COUNTER},
		{"cache_evictions", "evictions", NULL, "Entries that had to go.", COUNTER},
		{"cache_expirations", "expirations", NULL, "Entries that grew too old.", COUNTER},
		{"cache_saved_seconds", "time_saved", "seconds", "Work that hits made unnecessary.",
		 COUNTER},
},
  memory_words[] = {
	  {"memory_level", "level", NULL, "0 normal, 1 warning, 2 critical, 3 emergency.", GAUGE},
	  {"memory_headroom_bytes", "headroom", "bytes", "Bytes left at the tightest level.",
	   GAUGE},
	  {"memory_reserved_bytes", "reserved", "bytes", "Bytes granted and not given back.",
	   GAUGE},
	  {"memory_actions", "actions", NULL, "What was done about memory.", COUNTER},
};

static void words(struct metrics *metrics, uint32_t kind, const struct word *table, size_t count)
{
	struct wan_counter_sum sum;
	wan_counters_sum(&metrics->export->analysis->view, kind, &sum);
	if (!sum.blocks || (kind == WAN_COUNTERS_MEMORY && sum.blocks > 1))
		return; /* levels of several processes do not add up */
	for (size_t i = 0; i < count; i++) {
		uint64_t value = wan_counters_word(&sum, table[i].word);
		if (table[i].unit && strcmp(table[i].unit, "seconds") == 0)
			one_nano(metrics, table[i].name, table[i].kind, table[i].unit,
				 table[i].help, value);
		else
			one_u64(metrics, table[i].name, table[i].kind, table[i].unit, table[i].help,
				value);
	}
}

static void take_sample(void *context, const struct wan_process *process,
			const struct wan_process_event *event)
{
	struct wan_sample *last = context;
	if (event->kind == WAN_RECORD_SAMPLE && event->realtime_ns >= last->realtime_ns)
		wan_sample_from_event(event, last);
	else if (last->realtime_ns)
		wan_sample_add_sensors(last, event);
}

static void in_units(struct metrics *metrics, const char *name, const char *unit, const char *help,
		     double value)
{
	if (value >= 0 && value < 1e9)
		one_nano(metrics, name, GAUGE, unit, help, (uint64_t)(value * 1e9 + 0.5));
}

static void in_mb(struct metrics *metrics, const char *name, const char *help, double mb)
{
	if (mb >= 0 && mb < 1e12)
		one_u64(metrics, name, GAUGE, "bytes", help, (uint64_t)(mb * (double)WAN_MIB));
}

static void in_percent(struct metrics *metrics, const char *name, const char *help, double percent)
{
	if (percent >= 0 && percent < 1e9)
		one_nano(metrics, name, GAUGE, "ratio", help, (uint64_t)(percent * 1e7 + 0.5));
}

static void latest_sample(struct metrics *metrics)
{
	struct wan_sample last = {.rss_mb = -1,
				  .cgroup_need_mb = -1,
				  .gpu_used_mb = -1,
				  .system_percent = -1,
				  .cpu_percent = -1,
				  .gpu_percent = -1,
				  .cpu_celsius = -1,
				  .gpu_celsius = -1,
				  .cpu_watts = -1,
				  .gpu_watts = -1};
	wan_walk_events(metrics->export, take_sample, &last);
	in_mb(metrics, "resident_memory_bytes", "Resident memory, last sample.", last.rss_mb);
	in_mb(metrics, "cgroup_need_bytes", "Need of the control group, last sample.",
	      last.cgroup_need_mb);
	in_mb(metrics, "gpu_used_bytes", "GPU memory, last sample.", last.gpu_used_mb);
	in_percent(metrics, "system_memory_used_ratio", "Of the machine's memory, last sample.",
		   last.system_percent);
	in_percent(metrics, "cpu_used_ratio", "Of one core, last sample.", last.cpu_percent);
	in_percent(metrics, "gpu_used_ratio", "Of the GPU's time, last sample.", last.gpu_percent);
	in_units(metrics, "cpu_temperature_celsius", "celsius",
		 "Hottest processor sensor, last sample.", last.cpu_celsius);
	in_units(metrics, "gpu_temperature_celsius", "celsius", "Hottest GPU, last sample.",
		 last.gpu_celsius);
	in_units(metrics, "cpu_power_watts", "watts", "Processor packages, last sample.",
		 last.cpu_watts);
	in_units(metrics, "gpu_power_watts", "watts", "GPUs, last sample.", last.gpu_watts);
}

/* --- steps of jobs --- */

static void job_series(struct metrics *metrics, const char *suffix, const char *job)
{
	series(metrics, "step_duration_seconds", suffix);
	wan_sink_text(metrics->sink, ",");
	put_label(metrics, "job", job);
}

static void step_histogram(struct metrics *metrics, const struct wan_trackers *trackers,
			   size_t index)
{
	/* 1 ms to 1000 s, three in each decade. */
	enum { EDGES = 19 };
	uint64_t edges_ns[EDGES], counts[EDGES], count, sum_ns;
	char hidden[WAN_REDACTED_BYTES];
	const char *job = wan_export_name(metrics->export, hidden, trackers->items[index].name);
	for (uint64_t i = 0, decade = 1000000; i < EDGES; i++) {
		edges_ns[i] = decade * (i % 3 == 0 ? 1 : i % 3 == 1 ? 2 : 5);
		decade *= i % 3 == 2 ? 10 : 1;
	}
	if (wan_trackers_buckets(trackers, index, edges_ns, counts, EDGES, &count, &sum_ns)) {
		wan_sink_fail(metrics->sink, -ENOMEM);
		return;
	}
	for (unsigned i = 0; i < EDGES; i++) {
		job_series(metrics, "_bucket", job);
		char *to =
			put_nano(WAN_PUT(wan_sink_room(metrics->sink, 64), ",le=\""), edges_ns[i]);
		metrics->sink->at = WAN_PUT(to, "\"");
		value_u64(metrics, counts[i]);
	}
	job_series(metrics, "_bucket", job);
	wan_sink_text(metrics->sink, ",le=\"+Inf\"");
	value_u64(metrics, count);
	job_series(metrics, "_sum", job);
	value_nano(metrics, sum_ns);
	job_series(metrics, "_count", job);
	value_u64(metrics, count);
}

static void steps(struct metrics *metrics)
{
	struct wan_trackers trackers;
	if (wan_trackers_init(&trackers, &metrics->export->analysis->view)) {
		wan_sink_fail(metrics->sink, -ENOMEM);
		return;
	}
	if (trackers.count)
		family(metrics, "step_duration_seconds", HISTOGRAM, "seconds",
		       "Time between steps of jobs of that name.");
	for (size_t i = 0; i < trackers.count && !metrics->sink->error; i++)
		if (!wan_trackers_seen_before(&trackers, i))
			step_histogram(metrics, &trackers, i);
	wan_trackers_finish(&trackers);
}

static void document(const struct wan_export *export, bool open)
{
	struct metrics metrics = {.export = export, .sink = export->sink, .open = open};
	const struct wan_view *view = &export->analysis->view;
	const struct wan_process *program = view->parent ? view->parent : view->main;
	char hidden[WAN_REDACTED_BYTES];
	const char *path = program ? program->header.program : "", *slash = strrchr(path, '/');
	const char *shown = wan_export_file(export, hidden, path);
	wan_str_format(metrics.program, sizeof(metrics.program), "%s",
		       shown == path && slash ? slash + 1 : shown);
	run(&metrics);
	operations(&metrics);
	steps(&metrics);
	words(&metrics, WAN_COUNTERS_CACHE, cache_words, WAN_COUNT_OF(cache_words));
	words(&metrics, WAN_COUNTERS_MEMORY, memory_words, WAN_COUNT_OF(memory_words));
	latest_sample(&metrics);
	if (open)
		wan_sink_text(export->sink, "# EOF\n");
}

void wan_export_prom(const struct wan_export *export)
{
	document(export, false);
}

void wan_export_openmetrics(const struct wan_export *export)
{
	document(export, true);
}
