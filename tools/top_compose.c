/* SPDX-License-Identifier: MIT */
/* The screen: title, jobs, memory, cache, operations, what was done and what was wrong. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "counters.h"
#include "macros.h"
#include "screen.h"
#include "str.h"
#include "summary.h"
#include "summary_state.h"
#include "top.h"
#include "units.h"
#include "wan/progress.h"

void top_add(struct top_lines *lines, enum top_style style, const char *format, ...)
{
	char text[TOP_BYTES];
	va_list arguments;
	if (lines->count == TOP_LINES)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	char *to = lines->text[lines->count];
	wan_str_printable(to, TOP_BYTES, text);
	to[wan_text_cut(to, lines->columns)] = '\0';
	lines->style[lines->count++] = style;
}

/* --- title --- */

struct totals {
	unsigned processes;
	double cpu_percent;
	uint64_t rss_bytes, begin_ns, end_ns;
	char state;
	const struct wan_process *main;
};

static struct totals totals_of(const struct live *live)
{
	struct totals totals = {.cpu_percent = -1, .begin_ns = UINT64_MAX};
	for (size_t i = 0; i < live->count; i++) {
		const struct live_outside *outside = &live->files[i]->outside;
		const struct wan_process *process = wan_glance_process(&live->files[i]->glance);
		bool recorder = process->header.role == WAN_ROLE_PARENT;
		totals.begin_ns = WAN_MIN(totals.begin_ns, process->start_realtime_ns);
		if (recorder || !process->live)
			continue;
		totals.processes++;
		totals.rss_bytes += outside->rss_bytes;
		if (outside->state == 'T' || outside->state == 't')
			totals.state = 'T';
		if (outside->cpu_percent >= 0)
			totals.cpu_percent =
				WAN_MAX(totals.cpu_percent, 0.0) + outside->cpu_percent;
	}
	totals.main = wan_view_outcome(&live->view);
	return totals;
}

static void add_title(struct top_lines *lines, const struct live *live)
{
	struct totals totals = totals_of(live);
	const struct wan_process *main = live->view.main;
	char command[900], shown[900], rest[256], time[32], rss[32], state[64];
	uint64_t ran_ns = wan_elapsed(totals.begin_ns, wan_realtime_ns());
	wan_summary_command(command, sizeof(command), totals.main);
	wan_str_printable(shown, sizeof(shown), command);
	wan_summary_outcome(state, sizeof(state), totals.main);
	bool runs = live_runs(live);
	size_t used = wan_str_format(rest, sizeof(rest), "  pid %" PRIu32 "  %s",
				     main ? main->header.pid : 0,
				     totals.state ? "stopped"
				     : runs       ? "running"
						  : state);
	if (runs)
		used += wan_str_format(rest + used, sizeof(rest) - used, " %s",
				       wan_progress_duration_text(time, sizeof(time),
								  (int64_t)(ran_ns / 1000000000)));
	if (totals.processes > 1)
		used += wan_str_format(rest + used, sizeof(rest) - used, "  %u processes",
				       totals.processes);
	if (totals.cpu_percent >= 0)
		used += wan_str_format(rest + used, sizeof(rest) - used, "  cpu %.0f %%",
				       totals.cpu_percent);
	if (totals.rss_bytes)
		wan_str_format(rest + used, sizeof(rest) - used, "  %s",
			       wan_format_bytes(rss, sizeof(rss), totals.rss_bytes));
	unsigned taken = wan_text_columns(rest);
	unsigned room = lines->columns > taken + 12 ? lines->columns - taken : 12;
	size_t fits = wan_text_cut(shown, room);
	if (shown[fits])
		fits = wan_text_cut(shown, room - 2);
	top_add(lines, TOP_TITLE, "%.*s%s%s", (int)fits, shown, shown[fits] ? ".." : "", rest);
}

/* --- memory, cache --- */

static void add_memory(struct top_lines *lines, const struct live *live)
{
	const struct wan_process_counters *block = NULL;
	const struct wan_process *process = wan_summary_highest_level(&live->view, &block);
	char text[TOP_BYTES], bytes[32], used_bytes[32];
	if (!process)
		return;
	uint64_t level = wan_counters_block_word(block, "level");
	uint64_t headroom = wan_counters_block_word(block, "headroom");
	uint64_t gpu = wan_counters_block_word(block, "gpu_total");
	const char *deciding =
		wan_process_text(process, wan_counters_block_word(block, "deciding"));
	size_t used =
		wan_str_format(text, sizeof(text), "memory  %s", wan_summary_level_name(level));
	if (deciding[0])
		used += wan_str_format(
			text + used, sizeof(text) - used, "  %s at %.0f %%", deciding,
			(double)wan_counters_block_word(block, "deciding_percent") / 1000);
	if (headroom)
		used += wan_str_format(text + used, sizeof(text) - used, "  headroom %s",
				       wan_format_bytes(bytes, sizeof(bytes), headroom));
	if (gpu)
		used += wan_str_format(text + used, sizeof(text) - used, "  gpu %s of %s",
				       wan_format_bytes(used_bytes, sizeof(used_bytes),
							wan_counters_block_word(block, "gpu_used")),
				       wan_format_bytes(bytes, sizeof(bytes), gpu));
	if (live->actions)
		wan_str_format(text + used, sizeof(text) - used, "  %" PRIu64 " action%s",
			       live->actions, live->actions == 1 ? "" : "s");
	top_add(lines, level >= 2 ? TOP_BAD : level ? TOP_WARN : TOP_PLAIN, "%s", text);
}

static void add_cache(struct top_lines *lines, const struct live *live)
{
	struct wan_counter_sum cache;
	char text[TOP_BYTES], held[32], limit[32], saved[32];
	wan_counters_sum(&live->view, WAN_COUNTERS_CACHE, &cache);
	if (!wan_counters_word(&cache, "limit"))
		return;
	uint64_t requests = wan_counters_word(&cache, "total_requests");
	uint64_t hits = wan_counters_word(&cache, "hits");
	size_t used = wan_str_format(
		text, sizeof(text), "cache   %s of %s  %" PRIu64 " entries",
		wan_format_bytes(held, sizeof(held), wan_counters_word(&cache, "memory_usage")),
		wan_format_bytes(limit, sizeof(limit), wan_counters_word(&cache, "limit")),
		wan_counters_word(&cache, "entries_count"));
	if (requests)
		used += wan_str_format(text + used, sizeof(text) - used,
				       "  hits %" PRIu64 " of %" PRIu64 " (%.0f %%)", hits,
				       requests, 100 * (double)hits / (double)requests);
	if (wan_counters_word(&cache, "time_saved"))
		wan_str_format(text + used, sizeof(text) - used, "  saved %s",
			       wan_format_duration(saved, sizeof(saved),
						   wan_counters_word(&cache, "time_saved")));
	top_add(lines, TOP_PLAIN, "%s", text);
}

/* --- operations --- */

static enum top_sort sort_by;

static int compare_rows(const void *left, const void *right)
{
	const struct live_row *a = *(const struct live_row *const *)left;
	const struct live_row *b = *(const struct live_row *const *)right;
	double from = 0, to = 0;
	if ((a->in_flight > 0) != (b->in_flight > 0) && sort_by == TOP_SORT_TIME)
		return a->in_flight ? -1 : 1;
	if (sort_by == TOP_SORT_TIME)
		from = (double)a->inside_ns, to = (double)b->inside_ns;
	else if (sort_by == TOP_SORT_RATE)
		from = a->per_second, to = b->per_second;
	else if (sort_by == TOP_SORT_SLOWEST)
		from = (double)a->p99_ns, to = (double)b->p99_ns;
	if (from != to)
		return from > to ? -1 : 1;
	return strcmp(a->name, b->name);
}

static void row_line(struct top_lines *lines, const struct live_row *row)
{
	char name[128], field[256], rate[24] = "-", now[24] = "-", p50[24], p99[24], total[24],
				    peak[24];
	unsigned columns = lines->columns;
	wan_str_format(name, sizeof(name), "%s (%s)", row->name, row->library);
	wan_text_field(field, sizeof(field), name,
		       columns >= 84   ? 28
		       : columns >= 60 ? columns - 56 + 10
				       : columns / 2);
	if (row->per_second >= 0)
		wan_str_format(rate, sizeof(rate), "%.1f", row->per_second);
	if (row->in_flight)
		wan_format_duration(now, sizeof(now), row->oldest_ns);
	wan_str_copy(peak, sizeof(peak), "-");
	if (row->peak_bytes)
		wan_format_bytes(peak, sizeof(peak), row->peak_bytes);
	wan_format_duration(p50, sizeof(p50), row->p50_ns);
	wan_format_duration(p99, sizeof(p99), row->p99_ns);
	wan_format_duration(total, sizeof(total), row->inside_ns);
	top_add(lines, TOP_PLAIN, "%s %7" PRIu64 " %7s %9s %9s %9s %9s %9s", field, row->count,
		rate, now, p99, p50, total, peak);
}

static void add_rows(struct top_lines *lines, const struct live *live,
		     const struct top_choice *choice, unsigned most)
{
	static const char *const sorts[] = {"time", "rate", "slowest", "name"};
	const struct live_row *rows[LIVE_ROWS];
	char field[64], head[64];
	if (!live->row_count || most < 2)
		return;
	for (size_t i = 0; i < live->row_count; i++)
		rows[i] = &live->rows[i];
	sort_by = choice->sort;
	qsort(rows, live->row_count, sizeof(rows[0]), compare_rows);
	wan_str_format(head, sizeof(head), "operations by %s", sorts[choice->sort]);
	unsigned columns = lines->columns;
	wan_text_field(field, sizeof(field), head,
		       columns >= 84   ? 28
		       : columns >= 60 ? columns - 56 + 10
				       : columns / 2);
	top_add(lines, TOP_HEAD, "%s %7s %7s %9s %9s %9s %9s %9s", field, "count", "per s", "now",
		"p99", "p50", "total", "peak");
	size_t first = WAN_MIN((size_t)choice->first_row, live->row_count - 1);
	for (size_t i = first; i < live->row_count && i - first + 1 < most; i++)
		row_line(lines, rows[i]);
}

/* --- processes, events --- */

static void add_processes(struct top_lines *lines, const struct live *live, unsigned most)
{
	char rss[32], cpu[32];
	unsigned added = 0;
	for (size_t i = 0; i < live->count && added < most; i++) {
		const struct wan_process *process = wan_glance_process(&live->files[i]->glance);
		const struct live_outside *outside = &live->files[i]->outside;
		const char *name = strrchr(process->header.program, '/');
		if (process->header.role == WAN_ROLE_PARENT || !process->live)
			continue;
		wan_str_copy(cpu, sizeof(cpu), "");
		if (outside->cpu_percent >= 0)
			wan_str_format(cpu, sizeof(cpu), "  cpu %.0f %%", outside->cpu_percent);
		top_add(lines, TOP_DIM, "process %-7" PRIu32 " %s%s  %s%s", process->header.pid,
			name ? name + 1 : process->header.program, cpu,
			wan_format_bytes(rss, sizeof(rss), outside->rss_bytes),
			outside->state == 'T' ? "  stopped" : "");
		added++;
	}
}

static void add_events(struct top_lines *lines, const struct live *live, unsigned most)
{
	uint64_t now_ns = wan_now_ns();
	char ago[32];
	size_t first = live->event_count - WAN_MIN(live->event_count, (size_t)most);
	for (size_t i = first; i < live->event_count; i++) {
		const struct live_event *event = &live->events[i];
		bool alert = event->kind == WAN_RECORD_ALERT;
		wan_progress_duration_text(
			ago, sizeof(ago),
			(int64_t)(wan_elapsed(event->time_ns, now_ns) / 1000000000));
		top_add(lines,
			event->code >= 2 ? TOP_BAD
			: event->code    ? TOP_WARN
					 : TOP_PLAIN,
			"%s %s ago: %s", alert ? "alert" : "action", ago, event->text);
	}
}

static unsigned live_processes(const struct live *live)
{
	return totals_of(live).processes;
}

void top_compose(struct top_lines *lines, const struct live *live, const struct top_choice *choice,
		 unsigned rows, unsigned columns)
{
	unsigned most = rows ? WAN_MIN(rows, (unsigned)TOP_LINES) : TOP_LINES - 1;
	bool small = most < 8;
	unsigned foot = choice->keys && !small;
	lines->count = 0;
	lines->columns = WAN_MIN(columns, (unsigned)TOP_COLUMNS);
	add_title(lines, live);
	if (!small) {
		add_memory(lines, live);
		add_cache(lines, live);
	}
	unsigned processes = live_processes(live);
	unsigned events =
		most >= 14 ? WAN_MIN((unsigned)live->event_count, most >= 30 ? 6u : 3u) : 0;
	unsigned kinds = live->row_count ? (unsigned)live->row_count + 1 : 0;
	unsigned left = most - WAN_MIN(most, lines->count + foot + events);
	unsigned jobs = top_count_jobs(live, choice);
	/* Jobs first; of the operations a few stay in sight. */
	unsigned least = small ? 0 : WAN_MIN(kinds, 4u);
	unsigned for_jobs = jobs + least <= left ? jobs : left - WAN_MIN(left, least);
	if (!jobs && !small)
		top_add(lines, TOP_DIM, "no job has told its progress yet");
	else
		top_add_jobs(lines, live, choice, for_jobs);
	unsigned room = most - WAN_MIN(most, lines->count + foot + events);
	if (processes > 1 && room > kinds + 1)
		add_processes(lines, live, WAN_MIN(room - kinds, 12u));
	room = most - WAN_MIN(most, lines->count + foot + events);
	add_rows(lines, live, choice, room);
	add_events(lines, live, events);
	if (!foot)
		return;
	while (lines->count + 1 < most)
		top_add(lines, TOP_PLAIN, "%s", "");
	top_add(lines, TOP_DIM, "q quit  s sort  t %s  arrows and pages scroll",
		choice->all_jobs ? "jobs under way" : "all jobs");
}
