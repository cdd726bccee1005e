/* SPDX-License-Identifier: MIT */
#include "summary_state.h"

#include <inttypes.h>
#include <string.h>

#include "coverage.h"
#include "counters.h"
#include "host.h"
#include "macros.h"
#include "profile.h"
#include "str.h"
#include "units.h"

#define DEPTH_MAX 16

const char *wan_summary_level_name(uint64_t level)
{
	static const char *const names[] = {"normal", "warning", "critical", "emergency"};
	return level < WAN_COUNT_OF(names) ? names[level] : "unknown";
}

/* --- memory --- */

const struct wan_process *wan_summary_highest_level(const struct wan_view *view,
						    const struct wan_process_counters **ret_block)
{
	const struct wan_process *process = NULL;
	for (size_t i = 0; i < view->source_count; i++)
		for (size_t j = 0; j < view->sources[i].process->counters_count; j++) {
			const struct wan_process_counters *block =
				&view->sources[i].process->counters[j];
			if (block->kind != WAN_COUNTERS_MEMORY ||
			    (process && wan_counters_block_word(block, "level") <=
						wan_counters_block_word(*ret_block, "level")))
				continue;
			process = view->sources[i].process;
			*ret_block = block;
		}
	return process;
}

struct actions {
	size_t count;
	uint64_t freed_bytes;
	uint32_t worst;
};

static bool is_action(const struct wan_process_event *event)
{
	return event->kind == WAN_RECORD_ACTION && strcmp(event->name, WAN_PROFILE_MARKER) != 0;
}

static struct actions count_actions(const struct wan_view *view)
{
	struct actions actions = {0};
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_process *process = view->sources[i].process;
		for (size_t j = 0; j < process->event_count; j++) {
			if (!is_action(&process->events[j]))
				continue;
			actions.count++;
			actions.freed_bytes += process->events[j].values[1];
			actions.worst = WAN_MAX(actions.worst, process->events[j].code);
		}
	}
	return actions;
}

/* The last of the steps in which a limit grew back without anything else between: one line. */
static size_t last_of_run(const struct wan_process *process, size_t first)
{
	const struct wan_process_event *events = process->events;
	size_t last = first;
	if (strcmp(events[first].name, "cache_regrow") != 0)
		return first;
	while (last + 1 < process->event_count && is_action(&events[last + 1]) &&
	       strcmp(events[last + 1].name, "cache_regrow") == 0 &&
	       events[last + 1].values[2] == events[last].values[3])
		last++;
	return last;
}

static size_t count_lines(const struct wan_view *view)
{
	size_t count = 0;
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_process *process = view->sources[i].process;
		for (size_t j = 0; j < process->event_count; j++) {
			if (!is_action(&process->events[j]))
				continue;
			count++;
			j = last_of_run(process, j);
		}
	}
	return count;
}

static void action_line(const struct wan_screen *screen, const struct wan_process *process,
			const struct wan_process_event *event, const struct wan_process_event *last)
{
	char text[WAN_SCREEN_TEXT], when[24], before[24], after[24], freed[24];
	bool counts = strcmp(event->name, "entry_limit") == 0 || strcmp(event->name, "batch") == 0;
	uint64_t since_ns =
		event->time_ns > process->start_ns ? event->time_ns - process->start_ns : 0;
	wan_format_duration(when, sizeof(when), since_ns);
	wan_format_bytes(freed, sizeof(freed), event->values[1]);
	if (counts) {
		wan_str_format(before, sizeof(before), "%" PRIu64, event->values[2]);
		wan_str_format(after, sizeof(after), "%" PRIu64, last->values[3]);
	} else {
		wan_format_bytes(before, sizeof(before), event->values[2]);
		wan_format_bytes(after, sizeof(after), last->values[3]);
	}
	size_t used = wan_str_format(text, sizeof(text), "  %8s  %s", when, event->name);
	if (event->values[2] != last->values[3])
		used += wan_str_format(text + used, sizeof(text) - used, " %s to %s", before,
				       after);
	if (last > event) {
		uint64_t end_ns =
			last->time_ns > process->start_ns ? last->time_ns - process->start_ns : 0;
		wan_format_duration(when, sizeof(when), end_ns);
		used += wan_str_format(text + used, sizeof(text) - used, " in %zu steps until %s",
				       (size_t)(last - event) + 1, when);
	}
	if (event->values[1])
		used += wan_str_format(text + used, sizeof(text) - used, ", freed %s", freed);
	if (event->text[0])
		wan_str_format(text + used, sizeof(text) - used, " (%s)", event->text);
	wan_screen_wrapped(screen, text, 12, 2);
}

static void action_lines(const struct wan_screen *screen, const struct wan_view *view,
			 unsigned most)
{
	size_t count = count_lines(view);
	size_t left_out = count > most ? count - most : 0;
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_process *process = view->sources[i].process;
		for (size_t j = 0; j < process->event_count; j++) {
			if (!is_action(&process->events[j]))
				continue;
			size_t last = last_of_run(process, j);
			if (left_out)
				left_out--;
			else
				action_line(screen, process, &process->events[j],
					    &process->events[last]);
			j = last;
		}
	}
}

void wan_summary_memory(const struct wan_screen *screen, const struct wan_view *view,
			unsigned actions_most)
{
	const struct wan_process_counters *block = NULL;
	const struct wan_process *process = wan_summary_highest_level(view, &block);
	struct actions actions = count_actions(view);
	uint64_t level = block ? wan_counters_block_word(block, "level") : 0;
	char text[WAN_SCREEN_TEXT], freed[24];
	if (!actions.count && !level)
		return;
	size_t used =
		wan_str_format(text, sizeof(text), "memory: %s", wan_summary_level_name(level));
	if (block) {
		const char *deciding =
			wan_process_text(process, wan_counters_block_word(block, "deciding"));
		double percent = (double)wan_counters_block_word(block, "deciding_percent") / 1000;
		if (deciding[0])
			used += wan_str_format(text + used, sizeof(text) - used, " (%s at %.0f %%)",
					       deciding, percent);
	}
	if (actions.count)
		wan_str_format(text + used, sizeof(text) - used,
			       "; %zu action%s up to %s, %s given back", actions.count,
			       actions.count == 1 ? "" : "s", wan_summary_level_name(actions.worst),
			       wan_format_bytes(freed, sizeof(freed), actions.freed_bytes));
	wan_screen_wrapped(screen, text, 2, 2);
	action_lines(screen, view, actions_most);
}

/* --- how the command found the machine --- */

void wan_summary_before(const struct wan_screen *screen, const struct wan_view *view)
{
	struct wan_host host;
	char text[WAN_SCREEN_TEXT], unclean[256];
	wan_host_of(view, &host);
	if (!wan_host_unclean(&host, unclean, sizeof(unclean)))
		return;
	wan_str_format(text, sizeof(text), "at the start: %s; figures may not be comparable",
		       unclean);
	wan_screen_wrapped(screen, text, 2, 2);
}

/* --- GPUs --- */

static void gpu_line(const struct wan_screen *screen, const struct wan_process_counters *block)
{
	char text[WAN_SCREEN_TEXT], peak[24], pinned[24], waited[24];
	uint64_t failed = wan_counters_block_word(block, "failed_calls");
	uint64_t no_memory = wan_counters_block_word(block, "out_of_memory");
	wan_format_bytes(peak, sizeof(peak), wan_counters_block_word(block, "device_peak"));
	wan_format_bytes(pinned, sizeof(pinned), wan_counters_block_word(block, "pinned_peak"));
	wan_format_duration(waited, sizeof(waited), wan_counters_block_word(block, "wait_time"));
	size_t used = wan_str_format(text, sizeof(text),
				     "gpu %s: peak %s, pinned %s; %" PRIu64
				     " calls enqueued, waited %s in %" PRIu64 " waits",
				     block->name[0] ? block->name : "?", peak, pinned,
				     wan_counters_block_word(block, "enqueued"), waited,
				     wan_counters_block_word(block, "waits"));
	if (no_memory)
		used += wan_str_format(text + used, sizeof(text) - used,
				       "; out of memory %" PRIu64 " times", no_memory);
	if (failed)
		wan_str_format(text + used, sizeof(text) - used, "; %" PRIu64 " calls failed",
			       failed);
	wan_screen_wrapped(screen, text, 2, 3);
}

/* One more "name 12 MB" of a line of peaks. */
static size_t add_peak(char *text, size_t bytes, size_t used, const char *name, uint64_t peak)
{
	char size[24];
	return used + wan_str_format(text + used, bytes - used, "%s%s %s",
				     text[used - 1] == ':' ? " " : ", ", name,
				     wan_format_bytes(size, sizeof(size), peak));
}

/* In which operations and phases GPU memory was high, and how high. Calls of CUDA itself are left
 * out: the memory is theirs at any time. */
static void gpu_peaks(const struct wan_screen *screen, const struct wan_analysis *analysis)
{
	enum { NAMES_MOST = 6 };
	const struct wan_view *view = &analysis->view;
	const struct wan_rows *rows = &analysis->rows;
	struct wan_trackers trackers;
	struct wan_phases phases;
	char text[WAN_SCREEN_TEXT];
	size_t begun, used = begun = wan_str_format(text, sizeof(text), "  peak in operations:");
	for (size_t i = 0, shown = 0; i < rows->count && shown < NAMES_MOST; i++) {
		uint64_t peak = wan_analysis_row_vram(analysis, rows, &rows->items[i]);
		if (peak == UINT64_MAX || !peak || strcmp(rows->items[i].library, "cuda") == 0)
			continue;
		used = add_peak(text, sizeof(text), used, rows->items[i].name, peak);
		shown++;
	}
	if (used > begun)
		wan_screen_wrapped(screen, text, 4, 2);
	if (wan_trackers_init(&trackers, view) != 0)
		return;
	used = begun = wan_str_format(text, sizeof(text), "  peak in phases:");
	bool known = wan_phases_init(&phases, view, &trackers) == 0;
	for (size_t i = 0; known && i < WAN_MIN(phases.count, (size_t)2 * NAMES_MOST); i++) {
		uint64_t peak =
			wan_vram_phase_peak(&analysis->vram, view, &trackers, phases.items[i].name);
		if (peak != UINT64_MAX && peak)
			used = add_peak(text, sizeof(text), used, phases.items[i].name, peak);
	}
	if (used > begun)
		wan_screen_wrapped(screen, text, 4, 2);
	if (known)
		wan_phases_finish(&phases);
	wan_trackers_finish(&trackers);
}

void wan_summary_gpu(const struct wan_screen *screen, const struct wan_analysis *analysis)
{
	const struct wan_view *view = &analysis->view;
	for (size_t i = 0; i < view->source_count; i++)
		for (size_t j = 0; j < view->sources[i].process->counters_count; j++)
			if (view->sources[i].process->counters[j].kind == WAN_COUNTERS_CUDA)
				gpu_line(screen, &view->sources[i].process->counters[j]);
	if (analysis->vram.count)
		gpu_peaks(screen, analysis);
}

/* --- processes --- */

static unsigned depth_of(const struct wan_view *view, const struct wan_process *process)
{
	unsigned depth = 0;
	for (bool found = true; found && depth < DEPTH_MAX;) {
		found = false;
		for (size_t i = 0; i < view->source_count && !found; i++) {
			const struct wan_process *other = view->sources[i].process;
			if (other == process || other->header.role == WAN_ROLE_PARENT ||
			    other->header.pid != process->header.parent_pid)
				continue;
			process = other;
			depth++;
			found = true;
		}
	}
	return depth;
}

/* How it ended, and in what; "" where nobody saw. */
static void ending(char *to, size_t bytes, const struct wan_process *process)
{
	size_t used = 0;
	to[0] = '\0';
	if (process->state == WAN_RUN_EXITED)
		used = wan_str_format(to, bytes, ", exit %d", process->header.exit_status);
	else if (process->state == WAN_RUN_SIGNALLED)
		used = wan_str_format(to, bytes, ", signal %d", process->header.signal);
	else if (process->state != WAN_RUN_UNKNOWN)
		used = wan_str_format(to, bytes, ", %s", wan_run_state_name(process->state));
	if (process->inflight_count)
		wan_str_format(to + used, bytes - used, ", in %s",
			       wan_operation_name(&process->inflight[0].operation));
}

static bool alike(const struct wan_process *a, const struct wan_process *b)
{
	return a->header.parent_pid == b->header.parent_pid && a->state == b->state &&
	       !a->inflight_count && !b->inflight_count &&
	       a->header.exit_status == b->header.exit_status &&
	       strcmp(a->header.program, b->header.program) == 0;
}

static void process_line(const struct wan_screen *screen, const struct wan_view *view,
			 const struct wan_process *process, size_t count, uint64_t operations)
{
	char text[WAN_SCREEN_TEXT], name[96], field[160], end[128], times[24] = "";
	ending(end, sizeof(end), process);
	if (count > 1)
		wan_str_format(times, sizeof(times), ", %zu times", count);
	wan_str_format(name, sizeof(name), "%*s%s", (int)depth_of(view, process) * 2, "",
		       wan_program_name(process->header.program));
	wan_text_field(field, sizeof(field), name, 26);
	wan_str_format(text, sizeof(text), "  %7" PRIu32 " %s %6" PRIu64 " operation%s%s%s",
		       process->header.pid, field, operations, operations == 1 ? "" : "s", times,
		       end);
	wan_screen_line(screen, text);
}

/* Processes that are alike and follow one another share a line. */
void wan_summary_processes(const struct wan_screen *screen, const struct wan_view *view,
			   unsigned lines_most)
{
	size_t count = 0, shown = 0, lines = 0;
	char text[96];
	for (size_t i = 0; i < view->source_count; i++)
		count += view->sources[i].process->header.role != WAN_ROLE_PARENT;
	if (count < 2)
		return;
	wan_str_format(text, sizeof(text), "%zu processes:", count);
	wan_screen_line(screen, text);
	for (size_t i = 0, end; i < view->source_count && lines < lines_most; i = end) {
		const struct wan_process *process = view->sources[i].process;
		uint64_t operations = process->total_operations;
		for (end = i + 1;
		     end < view->source_count && alike(process, view->sources[end].process) &&
		     process->header.role == view->sources[end].process->header.role;
		     end++)
			operations += view->sources[end].process->total_operations;
		if (process->header.role == WAN_ROLE_PARENT)
			continue;
		process_line(screen, view, process, end - i, operations);
		shown += end - i;
		lines++;
	}
	if (count > shown) {
		wan_str_format(text, sizeof(text), "  ... and %zu more", count - shown);
		wan_screen_line(screen, text);
	}
}
