/* SPDX-License-Identifier: MIT */
#include "summary.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "counters.h"
#include "coverage.h"
#include "macros.h"
#include "screen.h"
#include "str.h"
#include "summary_cache.h"
#include "summary_progress.h"
#include "summary_state.h"
#include "units.h"

#define ROWS_MAX        7
#define FINDINGS_MAX    3 /* two to four lines each */
#define PROCESSES_MAX   24
#define ACTIONS_SUMMARY 2
#define MOST            1e18 /* a sum of hostile numbers fits no integer */
#define ACTIONS_REPORT  12
#define TEXT_BYTES      WAN_SCREEN_TEXT

struct screen {
	struct wan_screen on;
	const struct wan_analysis *analysis;
	const struct wan_summary_options *options;
};

void wan_summary_outcome(char *to, size_t bytes, const struct wan_process *process)
{
	switch (process ? process->state : WAN_RUN_UNKNOWN) {
	case WAN_RUN_RUNNING:
		wan_str_copy(to, bytes, "running");
		break;
	case WAN_RUN_EXITED:
		wan_str_format(to, bytes, "exit %d", process->header.exit_status);
		break;
	case WAN_RUN_SIGNALLED:
		wan_str_format(to, bytes, "signal %d", process->header.signal);
		break;
	case WAN_RUN_KILLED_FOR_MEMORY:
		wan_str_copy(to, bytes, "killed for memory");
		break;
	default:
		wan_str_copy(to, bytes, "ended, nobody saw how");
	}
}

void wan_summary_command(char *to, size_t bytes, const struct wan_process *process)
{
	wan_str_copy(to, bytes, process ? process->header.command : "");
	for (char *c = to; *c; c++)
		if (*c == '\x1f')
			*c = ' ';
	if (!to[0] && process)
		wan_str_copy(to, bytes, process->header.program);
	if (!to[0])
		wan_str_copy(to, bytes, "(command not known)");
}

static void header(const struct screen *screen)
{
	const struct wan_analysis *analysis = screen->analysis;
	const struct wan_view *view = &analysis->view;
	const struct wan_process *process = wan_view_outcome(view);
	char text[TEXT_BYTES], command[800], end[64], duration[32], shown[800];
	wan_summary_command(command, sizeof(command), process);
	wan_str_printable(shown, sizeof(shown), command);
	wan_summary_outcome(end, sizeof(end), process);
	wan_format_duration(duration, sizeof(duration), analysis->run_ns);
	if (analysis->runs > 1)
		wan_str_format(end, sizeof(end), "%u runs", analysis->runs);
	/* The end of the line matters more than the end of a long command. */
	size_t taken = strlen(end) + strlen(duration) + 16;
	unsigned room = screen->on.columns - (unsigned)WAN_MIN(screen->on.columns, taken);
	size_t fits = wan_text_cut(shown, room);
	wan_str_format(text, sizeof(text), "wanprof  %.*s%s  %s  %s", (int)fits, shown,
		       shown[fits] ? ".." : "", end, duration);
	wan_screen_line(&screen->on, text);
}

static void seen_list(char *to, size_t bytes, const struct wan_coverage *items, size_t count,
		      bool seen)
{
	size_t used = 0;
	to[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		if (items[i].seen != seen)
			continue;
		used += wan_str_format(to + used, bytes - used, "%s%s", used ? ", " : "",
				       items[i].library);
		if (seen)
			used += wan_str_format(to + used, bytes - used, " (%" PRIu64 ")",
					       items[i].bars ? items[i].objects
							     : items[i].operations);
	}
}

static void coverage(const struct screen *screen)
{
	struct wan_coverage items[WAN_COVERAGE_MAX];
	size_t count = wan_coverage(screen->analysis, items);
	char text[TEXT_BYTES], names[512];
	seen_list(names, sizeof(names), items, count, true);
	size_t used = wan_str_format(text, sizeof(text), "seen: %s", names[0] ? names : "nothing");
	seen_list(names, sizeof(names), items, count, false);
	if (names[0])
		wan_str_format(text + used, sizeof(text) - used, "; not seen: %s", names);
	wan_screen_wrapped(&screen->on, text, 6, 3);
	const struct wan_process *process = screen->analysis->view.main;
	if (process && process->header.audited == WAN_AUDITED_NO)
		wan_screen_wrapped(&screen->on,
				   "  not audited: what is opened with RTLD_DEEPBIND or dlmopen or "
				   "found by dlsym is not seen",
				   4, 2);
	bool nothing = screen->analysis->rows.count == 0;
	for (size_t i = 0; i < count; i++)
		if (items[i].note && (screen->options->all_findings || nothing)) {
			wan_str_format(text, sizeof(text), "  %s: %s", items[i].library,
				       items[i].note);
			wan_screen_wrapped(&screen->on, text, 4, 2);
		}
}

static void memory_text(char *to, size_t bytes, const struct wan_row *row)
{
	if (row->peak_bytes)
		wan_format_bytes(to, bytes, row->peak_bytes);
	else
		wan_str_copy(to, bytes, row->memory_known ? "0 B" : "-");
}

/* The same name done by another library: then both say which. */
static bool has_namesake(const struct wan_rows *rows, const struct wan_row *row)
{
	for (size_t i = 0; i < rows->count; i++)
		if (strcmp(rows->items[i].name, row->name) == 0 &&
		    strcmp(rows->items[i].library, row->library) != 0)
			return true;
	return false;
}

static void table(const struct screen *screen)
{
	const struct wan_rows *rows = &screen->analysis->rows;
	char text[TEXT_BYTES], name[96], field[128], total[24], p50[24], p99[24], memory[24],
		mpx[24];
	size_t most = screen->options->all_findings ? rows->count : ROWS_MAX, shown = 0, more = 0;
	wan_str_format(text, sizeof(text), "%-26s %6s %9s %9s %9s %7s %8s", "operation", "count",
		       "total", "p50", "p99", "Mpx", "memory");
	wan_screen_line(&screen->on, text);
	for (size_t i = 0; i < rows->count; i++) {
		const struct wan_row *row = &rows->items[i];
		if (shown >= most) {
			more += 1;
			continue;
		}
		shown++;
		bool twice = has_namesake(rows, row);
		wan_str_format(name, sizeof(name), "%s%s%s%s%s%s%s",
			       row->flags & WAN_FLAG_CHILD ? " " : "",
			       row->unknown_name ? "(other)" : row->name, twice ? " (" : "",
			       twice ? row->library : "", twice ? ")" : "", row->status ? " " : "",
			       row->status ? wan_op_status_name(row->status) : "");
		memory_text(memory, sizeof(memory), row);
		wan_str_copy(mpx, sizeof(mpx), "-");
		if (row->pixels)
			wan_str_format(mpx, sizeof(mpx), "%.1f", (double)row->pixels / 1e6);
		wan_text_field(field, sizeof(field), name, 26);
		wan_str_format(text, sizeof(text), "%s %6" PRIu64 " %9s %9s %9s %7s %8s", field,
			       row->count,
			       wan_format_duration(total, sizeof(total), row->inside_ns),
			       wan_format_duration(p50, sizeof(p50), row->p50_ns),
			       wan_format_duration(p99, sizeof(p99), row->p99_ns), mpx, memory);
		wan_screen_line(&screen->on, text);
	}
	if (more) {
		wan_str_format(text, sizeof(text), "... and %zu more kinds of operations", more);
		wan_screen_line(&screen->on, text);
	}
}

static const char *paint(const struct screen *screen, enum wan_finding_severity severity)
{
	if (!screen->on.colour)
		return "";
	return severity >= WAN_FINDING_HIGH ? "\033[31m" : severity ? "\033[33m" : "\033[36m";
}

static void saving_text(char *to, size_t bytes, const struct wan_finding *item)
{
	char time[32], memory[32];
	wan_format_duration(time, sizeof(time),
			    (uint64_t)fmin(MOST, fmax(0, item->saving_ms) * 1e6));
	wan_format_bytes(memory, sizeof(memory),
			 (uint64_t)fmin(MOST, fmax(0, item->saving_mb) * (double)WAN_MIB));
	if (item->saving_ms >= 0 && item->saving_mb >= 0)
		wan_str_format(to, bytes, "saves about %s and %s of peak", time, memory);
	else if (item->saving_ms >= 0)
		wan_str_format(to, bytes, "saves about %s", time);
	else if (item->saving_mb >= 0)
		wan_str_format(to, bytes, "saves about %s of peak memory", memory);
	else
		wan_str_copy(to, bytes, "saving not estimated");
}

static void finding(const struct screen *screen, const struct wan_finding *item)
{
	static const char marks[] = {'i', '!', '!', '!'};
	char text[TEXT_BYTES], saving[96];
	saving_text(saving, sizeof(saving), item);
	wan_str_format(text, sizeof(text), " %c %s: %s%s%s", marks[item->severity],
		       item->advice->title, item->operation, item->operation[0] ? " " : "",
		       item->evidence);
	fputs(paint(screen, item->severity), screen->on.to);
	wan_screen_wrapped(&screen->on, text, 3, screen->options->all_findings ? 4 : 2);
	if (screen->on.colour)
		fputs("\033[0m", screen->on.to);
	wan_str_format(text, sizeof(text), "   -> %s (%s)", item->advice->action, saving);
	wan_screen_wrapped(&screen->on, text, 6, screen->options->all_findings ? 3 : 2);
}

static void findings(const struct screen *screen)
{
	const struct wan_findings *all = &screen->analysis->findings;
	size_t most = screen->options->all_findings ? all->count : FINDINGS_MAX;
	char text[TEXT_BYTES];
	for (size_t i = 0; i < all->count && i < most; i++)
		finding(screen, &all->items[i]);
	if (all->count > most) {
		wan_str_format(text, sizeof(text), "   and %zu more: see wanprof report",
			       all->count - most);
		wan_screen_line(&screen->on, text);
	}
	if (!all->count && screen->analysis->rows.count)
		wan_screen_line(&screen->on, "nothing slow, heavy or badly scaling was found");
}

/* Programs that link wanrt name what they do themselves: nothing was overlooked. */
static bool all_linked(const struct wan_view *view)
{
	bool linked = view->source_count > 0;
	for (size_t i = 0; i < view->source_count; i++)
		linked &= view->sources[i].process->header.role == WAN_ROLE_LINKED;
	return linked;
}

static void nothing_recorded(const struct screen *screen)
{
	if (all_linked(&screen->analysis->view)) {
		wan_screen_line(&screen->on, "no image operation was recorded");
		return;
	}
	wan_screen_wrapped(
		&screen->on,
		"no image operation was recorded. Usual reasons: the codecs are linked statically "
		"or "
		"are the program's own; the work was done by another program that was not "
		"followed; "
		"no PNG or JPEG was read.",
		0, 4);
	wan_screen_wrapped(
		&screen->on,
		"try: name the program that does the work itself (wanprof run -- djpeg in.jpg); "
		"the "
		"distribution's library instead of a wheel; or link wanrt and name operations "
		"yourself.",
		5, 3);
}

static void live_operations(const struct screen *screen)
{
	const struct wan_view *view = &screen->analysis->view;
	char text[TEXT_BYTES], elapsed[32];
	for (size_t i = 0; i < view->in_flight_count && i < 2; i++) {
		const struct wan_recording_operation *record = view->in_flight[i].record;
		wan_str_format(text, sizeof(text), "now: %s for %s in process %" PRIu32,
			       wan_operation_name(record),
			       wan_format_duration(elapsed, sizeof(elapsed), record->span_ns),
			       record->process);
		wan_screen_line(&screen->on, text);
	}
}

static void cache(const struct screen *screen)
{
	char lines[WAN_SUMMARY_CACHE_LINES][WAN_SUMMARY_CACHE_BYTES];
	unsigned count = wan_summary_cache(&screen->analysis->view, lines);
	for (unsigned i = 0; i < count; i++)
		wan_screen_wrapped(&screen->on, lines[i], 2, 2);
}

/* What the monitor's thread took; samples of a linked runtime, none of a program that is only
 * recorded. */
static void monitoring(const struct screen *screen)
{
	struct wan_counter_sum monitor;
	char text[TEXT_BYTES], cpu[32], time[32];
	wan_counters_sum(&screen->analysis->view, WAN_COUNTERS_MONITOR, &monitor);
	uint64_t cpu_ns = wan_counters_word(&monitor, "own_cpu");
	uint64_t time_ns = wan_counters_word(&monitor, "monitoring_duration");
	if (!time_ns)
		return;
	wan_str_format(text, sizeof(text),
		       "overhead of monitoring: %s of a processor in %s (%.3f %%)",
		       wan_format_duration(cpu, sizeof(cpu), cpu_ns),
		       wan_format_duration(time, sizeof(time), time_ns),
		       fmin(100, 100.0 * (double)cpu_ns / (double)time_ns));
	wan_screen_line(&screen->on, text);
}

static void footer(const struct screen *screen)
{
	const struct wan_analysis *analysis = screen->analysis;
	uint64_t cost_ns = analysis->overhead_ns, run_ns = analysis->run_ns;
	char text[TEXT_BYTES], cost[32];
	size_t used =
		wan_str_format(text, sizeof(text), "overhead of wanprof: %s%s (%.2f %%)",
			       analysis->overhead_measured ? "" : "about ",
			       wan_format_duration(cost, sizeof(cost), cost_ns),
			       run_ns ? fmin(100, 100.0 * (double)cost_ns / (double)run_ns) : 0.0);
	const struct wan_process *process = analysis->view.main;
	if (process && process->header.allocator[0])
		used += wan_str_format(text + used, sizeof(text) - used,
				       process->header.allocator_active ? "; memory by %s"
									: "; memory unknown (%s)",
				       process->header.allocator);
	if (analysis->dropped)
		used += wan_str_format(text + used, sizeof(text) - used,
				       "; %" PRIu64 " operations had no room", analysis->dropped);
	if (analysis->damaged)
		wan_str_format(text + used, sizeof(text) - used, "; the recording is damaged");
	wan_screen_line(&screen->on, text);
	monitoring(screen);
	if (!screen->options->path)
		return;
	wan_str_format(text, sizeof(text), "next: wanprof %s %s",
		       screen->options->all_findings ? "dump" : "report", screen->options->path);
	char shown[TEXT_BYTES];
	wan_str_printable(shown, sizeof(shown), text);
	fprintf(screen->on.to, "%s\n", shown); /* never cut: it is there to be copied */
}

void wan_summary_print_analysis(FILE *to, const struct wan_analysis *analysis,
				const struct wan_summary_options *options)
{
	unsigned columns = options->columns ? options->columns : 80;
	struct screen screen = {
		.on = {.to = to,
		       .columns = WAN_CLAMP(columns, 40u, 160u),
		       .colour = options->colour},
		.analysis = analysis,
		.options = options,
	};
	header(&screen);
	coverage(&screen);
	live_operations(&screen);
	bool jobs = wan_summary_progress(&screen.on, &analysis->view, options->all_findings);
	if (analysis->rows.count) {
		table(&screen);
		findings(&screen);
	} else if (!analysis->view.in_flight_count && !jobs) {
		nothing_recorded(&screen);
	}
	cache(&screen);
	wan_summary_memory(&screen.on, &analysis->view,
			   options->all_findings ? ACTIONS_REPORT : ACTIONS_SUMMARY);
	wan_summary_gpu(&screen.on, analysis);
	wan_summary_before(&screen.on, &analysis->view);
	if (options->all_findings)
		wan_summary_sensors(&screen.on, &analysis->view);
	if (options->all_findings)
		wan_summary_processes(&screen.on, &analysis->view, PROCESSES_MAX);
	footer(&screen);
}

int wan_summary_print(FILE *to, const struct wan_recording *recording,
		      const struct wan_config *config, const struct wan_summary_options *options)
{
	struct wan_recording *one = (struct wan_recording *)recording;
	struct wan_analysis analysis;
	struct wan_view view;
	int rc = wan_view_init_recordings(&view, &one, 1, NULL);
	if (!rc)
		rc = wan_analysis_init(&analysis, &view, config);
	if (rc)
		return rc;
	wan_summary_print_analysis(to, &analysis, options);
	wan_analysis_finish(&analysis);
	return 0;
}
