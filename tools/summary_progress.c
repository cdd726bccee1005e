/* SPDX-License-Identifier: MIT */
#include "summary_progress.h"

#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "macros.h"
#include "str.h"
#include "trackers.h"
#include "units.h"

enum { JOBS_FEW = 2, PHASES_MOST = 16, TYPES_MOST = 8 };

static size_t how_it_ended(char *to, size_t bytes, const struct wan_tracker_row *row)
{
	char took[32];
	const char *ended = row->active                             ? "for"
			    : row->unended                          ? "left after"
			    : row->outcome == WAN_TRACKER_FAILED    ? "failed after"
			    : row->outcome == WAN_TRACKER_COMPLETED ? "done in"
								    : "ended after";
	return wan_str_format(
		to, bytes, "  %s %s", ended,
		wan_format_duration(took, sizeof(took), wan_elapsed(row->begin_ns, row->seen_ns)));
}

/* Where it was left matters of one that did not end. */
static void job_text(char *to, size_t bytes, const struct wan_tracker_row *row)
{
	size_t used = wan_str_format(to, bytes, "  %*s%s  %" PRIu64,
				     (int)WAN_MIN(row->level, 8u) * 2, "", row->name, row->done);
	if (row->total)
		used += wan_str_format(to + used, bytes - used, "/%" PRIu64, row->total);
	if (row->unit[0])
		used += wan_str_format(to + used, bytes - used, " %s", row->unit);
	used += how_it_ended(to + used, bytes - used, row);
	if ((row->active || row->unended) && row->phase[0])
		wan_str_format(to + used, bytes - used, " in %s", row->phase);
}

static void latency_text(char *to, size_t bytes, const struct wan_tracker_row *row,
			 const struct wan_tracker_percentiles *known, uint64_t jobs)
{
	char p50[32], p99[32], most[32], time[32];
	size_t used = wan_str_format(to, bytes, "    steps: p50 %s, p99 %s, longest %s",
				     wan_format_duration(p50, sizeof(p50), known->p50_ns),
				     wan_format_duration(p99, sizeof(p99), known->p99_ns),
				     wan_format_duration(most, sizeof(most), known->max_ns));
	if (jobs > 1)
		used += wan_str_format(to + used, bytes - used, " of %" PRIu64 " jobs", jobs);
	if (row->expected_ns)
		used += wan_str_format(to + used, bytes - used,
				       "; due every %s, so late ones count in full",
				       wan_format_duration(time, sizeof(time), row->expected_ns));
	if (row->device_done != UINT64_MAX && row->device_done < row->done)
		used += wan_str_format(to + used, bytes - used,
				       "; the device was %" PRIu64 " behind",
				       row->done - row->device_done);
	if (row->callback_ns)
		wan_str_format(to + used, bytes - used, "; %s in callbacks",
			       wan_format_duration(time, sizeof(time), row->callback_ns));
}

/* Jobs of one name follow one another in many programs: the last one speaks for its steps. */
static void job(const struct wan_screen *screen, const struct wan_trackers *trackers, size_t index,
		bool with_steps)
{
	struct wan_tracker_percentiles known;
	const struct wan_tracker_row *row = &trackers->items[index];
	char text[WAN_SCREEN_TEXT];
	uint64_t jobs = 0;
	job_text(text, sizeof(text), row);
	wan_screen_line(screen, text);
	for (size_t i = 0; i < trackers->count; i++)
		jobs += strcmp(trackers->items[i].name, row->name) == 0;
	if (!with_steps || wan_trackers_merged(trackers, index, &known) || !known.count)
		return;
	latency_text(text, sizeof(text), row, &known, jobs);
	wan_screen_wrapped(screen, text, 6, 2);
}

static void jobs(const struct wan_screen *screen, const struct wan_trackers *trackers, bool all)
{
	char text[96];
	size_t shown = 0;
	wan_screen_line(screen, "progress:");
	/* What was not done comes first. */
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < trackers->count; i++) {
			const struct wan_tracker_row *row = &trackers->items[i];
			bool open = row->active || row->unended;
			if (open != (pass == 0) || (!all && shown == JOBS_FEW))
				continue;
			job(screen, trackers, i, !wan_trackers_seen_before(trackers, i));
			shown++;
		}
	if (shown < trackers->count) {
		wan_str_format(text, sizeof(text), "  ... and %zu more jobs",
			       trackers->count - shown);
		wan_screen_line(screen, text);
	}
}

static void phases(const struct wan_screen *screen, const struct wan_view *view,
		   const struct wan_trackers *trackers, bool all)
{
	struct wan_phases found;
	char text[2 * WAN_SCREEN_TEXT], time[32], each[32];
	size_t used = wan_str_format(text, sizeof(text), "  phases: ");
	if (wan_phases_init(&found, view, trackers))
		return;
	for (size_t i = 0; i < WAN_MIN(found.count, (size_t)PHASES_MOST); i++) {
		const struct wan_phase_row *row = &found.items[i];
		if (!row->duration_ns)
			continue;
		used += wan_str_format(
			text + used, sizeof(text) - used, "%s%s %s (%.0f %%", i ? ", " : "",
			row->name, wan_format_duration(time, sizeof(time), row->duration_ns),
			100 * (double)row->duration_ns / (double)WAN_MAX(found.total_ns, 1));
		if (row->steps)
			used += wan_str_format(text + used, sizeof(text) - used,
					       ", %" PRIu64 " steps of %s", row->steps,
					       wan_format_duration(each, sizeof(each),
								   row->duration_ns / row->steps));
		used += wan_str_format(text + used, sizeof(text) - used, ")%s",
				       row->open ? " open" : "");
	}
	if (found.total_ns)
		wan_screen_wrapped(screen, text, 4, all ? 6 : 2);
	wan_phases_finish(&found);
}

struct alerts {
	const char *types[TYPES_MOST];
	uint64_t counts[TYPES_MOST], others;
	size_t count;
	const struct wan_process_event *last; /* the latest of the severest */
};

static void count_alert(struct alerts *alerts, const struct wan_process_event *event)
{
	size_t at = 0;
	while (at < alerts->count && strcmp(alerts->types[at], event->name) != 0)
		at++;
	if (!alerts->last || event->code >= alerts->last->code)
		alerts->last = event;
	if (at == TYPES_MOST) {
		alerts->others++;
		return;
	}
	alerts->count = WAN_MAX(alerts->count, at + 1);
	alerts->types[at] = event->name;
	alerts->counts[at]++;
}

static void alerts(const struct wan_screen *screen, const struct wan_view *view)
{
	struct alerts found = {.count = 0};
	char text[2 * WAN_SCREEN_TEXT];
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_process *process = view->sources[i].process;
		for (size_t j = 0; j < process->event_count; j++)
			if (process->events[j].kind == WAN_RECORD_ALERT)
				count_alert(&found, &process->events[j]);
	}
	if (!found.last)
		return;
	size_t used = wan_str_format(text, sizeof(text), "  alerts: ");
	for (size_t i = 0; i < found.count; i++)
		used += wan_str_format(text + used, sizeof(text) - used, "%s%" PRIu64 " %s",
				       i ? ", " : "", found.counts[i], found.types[i]);
	if (found.others)
		used += wan_str_format(text + used, sizeof(text) - used, ", %" PRIu64 " others",
				       found.others);
	wan_str_format(text + used, sizeof(text) - used, "; %s", found.last->text);
	wan_screen_wrapped(screen, text, 4, 2);
}

bool wan_summary_progress(const struct wan_screen *screen, const struct wan_view *view, bool all)
{
	struct wan_trackers trackers;
	if (wan_trackers_init(&trackers, view))
		return false;
	bool any = trackers.count > 0;
	if (any) {
		jobs(screen, &trackers, all);
		phases(screen, view, &trackers, all);
	}
	alerts(screen, view);
	wan_trackers_finish(&trackers);
	return any;
}
