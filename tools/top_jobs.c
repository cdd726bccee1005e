/* SPDX-License-Identifier: MIT */
/* Jobs under way, as lines. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "macros.h"
#include "screen.h"
#include "str.h"
#include "top.h"
#include "units.h"
#include "wan/progress.h"

enum { JOBS_MOST = 512, BAR_COLUMNS = 20 };

static int order(const struct wan_tracker_row *a, const struct wan_tracker_row *b)
{
	if (a->active != b->active)
		return a->active ? -1 : 1;
	if (!a->active && a->updated_ns != b->updated_ns)
		return a->updated_ns > b->updated_ns ? -1 : 1;
	if (a->level != b->level && a->process == b->process)
		return a->level < b->level ? -1 : 1;
	return (a->begin_ns > b->begin_ns) - (a->begin_ns < b->begin_ns);
}

size_t top_sorted_jobs(const struct live *live, bool all, size_t *indices, size_t most)
{
	const struct wan_tracker_row *items = live->trackers.items;
	size_t count = 0;
	bool any_active = false;
	for (size_t i = 0; i < live->trackers.count; i++)
		any_active |= items[i].active;
	for (size_t i = 0; i < live->trackers.count && count < most; i++) {
		/* What ended is of interest while nothing else goes on. */
		if (!all && any_active && !items[i].active && !items[i].unended)
			continue;
		size_t at = count++;
		for (; at && order(&items[i], &items[indices[at - 1]]) < 0; at--)
			indices[at] = indices[at - 1];
		indices[at] = i;
	}
	return count;
}

static const char *time_text(char *to, size_t bytes, uint64_t ns)
{
	if (ns < 10000000000ull)
		return wan_format_duration(to, bytes, ns);
	return wan_progress_duration_text(to, bytes, (int64_t)WAN_MIN(ns / 1000000000, INT64_MAX));
}

/* A moment ahead is never known to the millisecond. */
static const char *ahead_text(char *to, size_t bytes, uint64_t ns)
{
	if (ns < 1000000000)
		wan_str_copy(to, bytes, "under 1s");
	else
		wan_progress_duration_text(to, bytes, (int64_t)WAN_MIN(ns / 1000000000, INT64_MAX));
	return to;
}

static void rate_text(char *to, size_t bytes, double rate, const char *unit)
{
	const char *of = unit[0] ? unit : "it";
	to[0] = '\0';
	if (rate >= 1)
		wan_str_format(to, bytes, rate < 1000 ? "%.1f %s/s" : "%.0f %s/s", rate, of);
	else if (rate > 1e-6)
		wan_str_format(to, bytes, "%.1f s/%s", 1 / rate, of);
}

static void done_text(char *to, size_t bytes, const struct wan_tracker_row *row)
{
	if (row->total)
		wan_str_format(to, bytes, "%" PRIu64 "/%" PRIu64, row->done, row->total);
	else
		wan_str_format(to, bytes, "%" PRIu64, row->done);
}

static double percent_of(const struct wan_tracker_row *row)
{
	if (!row->total)
		return -1;
	return WAN_MIN(100 * (double)row->done / (double)row->total, 100.0);
}

static void eta_text(char *to, size_t bytes, const struct wan_tracker_row *row,
		     const struct live_verdict *verdict)
{
	char low[32], high[32], after[32];
	size_t used = 0;
	uint64_t took_ns = wan_elapsed(row->begin_ns, row->seen_ns);
	ahead_text(low, sizeof(low), verdict->eta_low_ns);
	ahead_text(high, sizeof(high), verdict->eta_high_ns);
	if (row->unended)
		wan_str_format(to, bytes, "left after %s", time_text(low, sizeof(low), took_ns));
	else if (!row->active)
		wan_str_format(to, bytes, "%s after %s",
			       row->outcome == WAN_TRACKER_FAILED      ? "failed"
			       : row->outcome == WAN_TRACKER_COMPLETED ? "done"
								       : "ended",
			       time_text(low, sizeof(low), took_ns));
	else if (!verdict->eta_known)
		wan_str_copy(to, bytes, "eta unknown");
	else if (strcmp(low, high) == 0)
		used = wan_str_format(to, bytes, "eta %s", low);
	else
		used = wan_str_format(to, bytes, "eta %s to %s", low, high);
	if (used && verdict->after_ns)
		wan_str_format(to + used, bytes - used, ", then %s",
			       ahead_text(after, sizeof(after), verdict->after_ns));
}

static bool several_processes(const struct live *live)
{
	for (size_t i = 1; i < live->trackers.count; i++)
		if (live->trackers.items[i].process != live->trackers.items[0].process)
			return true;
	return false;
}

static void bar_text(char *to, size_t bytes, double percent)
{
	int filled = percent < 0 ? 0 : (int)(percent * BAR_COLUMNS / 100);
	wan_str_format(to, bytes, "[%.*s%.*s]", filled, "####################",
		       BAR_COLUMNS - filled, "....................");
}

static size_t append(char *to, size_t bytes, size_t used, const char *text, unsigned columns)
{
	char field[TOP_JOB_BYTES];
	wan_text_field(field, sizeof(field), text, columns);
	return used + wan_str_format(to + used, bytes - used, "%s ", field);
}

/* The name keeps what the other columns leave; on narrow screens they go one after the other. */
static void job_line(struct top_lines *lines, const struct live *live,
		     const struct wan_tracker_row *row, const struct live_verdict *verdict)
{
	char text[TOP_BYTES], name[256], done[48], percent[16] = "", rate[96], eta[96], bar[32],
						   pid[16];
	unsigned columns = lines->columns, phase = columns >= 64 ? 14 : columns >= 40 ? 10 : 0;
	bool pids = columns >= 90 && several_processes(live);
	done_text(done, sizeof(done), row);
	eta_text(eta, sizeof(eta), row, verdict);
	rate_text(rate, sizeof(rate), verdict->rate, row->unit);
	if (percent_of(row) >= 0)
		wan_str_format(percent, sizeof(percent), "%3.0f %%", percent_of(row));
	wan_str_format(name, sizeof(name), "%*s%s", (int)WAN_MIN(row->level, 8u) * 2, "",
		       row->name);
	wan_str_format(pid, sizeof(pid), "%" PRIu32, row->process->header.pid);
	unsigned fixed = 10 + 6 + (phase ? phase + 1 : 0) + (columns >= 72 ? 14 : 0) +
			 (columns >= 52 ? 18 : 0) + (columns >= 110 ? BAR_COLUMNS + 3 : 0) +
			 (pids ? 8 : 0);
	unsigned room = columns > fixed + 6 ? WAN_MIN(columns - fixed - 1, 40u) : 5;
	size_t used = append(text, sizeof(text), 0, name, room);
	if (pids)
		used = append(text, sizeof(text), used, pid, 7);
	if (phase)
		used = append(text, sizeof(text), used, row->phase, phase);
	used = append(text, sizeof(text), used, done, 9);
	if (columns >= 110) {
		bar_text(bar, sizeof(bar), percent_of(row));
		used = append(text, sizeof(text), used, bar, BAR_COLUMNS + 2);
	}
	used = append(text, sizeof(text), used, percent, 5);
	if (columns >= 72)
		used = append(text, sizeof(text), used, rate, 13);
	wan_str_format(text + used, sizeof(text) - used, "%s", eta);
	top_add(lines, row->active ? TOP_PLAIN : TOP_DIM, "%s", text);
}

static void stall_line(struct top_lines *lines, const struct live_verdict *verdict)
{
	top_add(lines, verdict->stalled ? TOP_BAD : TOP_WARN, "  ! %s: %s",
		verdict->stalled ? "stalled" : "long step", verdict->text);
}

static void detail_line(struct top_lines *lines, const struct wan_tracker_row *row,
			const struct live_verdict *verdict)
{
	struct wan_tracker_percentiles known;
	char p50[32], p99[32], most[32], last[32], more[128] = "";
	size_t used = 0;
	if (wan_tracker_percentiles(row, &known) || !row->updates)
		return;
	if (row->device_done != UINT64_MAX)
		used += wan_str_format(more + used, sizeof(more) - used,
				       "  device %" PRIu64 " behind",
				       wan_elapsed(row->device_done, row->done));
	if (row->callback_ns)
		used += wan_str_format(more + used, sizeof(more) - used, "  callbacks %s",
				       wan_format_duration(last, sizeof(last), row->callback_ns));
	top_add(lines, TOP_DIM,
		"    step p50 %s  p99 %s  longest %s  last %s ago%s  thread %" PRIu32,
		wan_format_duration(p50, sizeof(p50), known.p50_ns),
		wan_format_duration(p99, sizeof(p99), known.p99_ns),
		wan_format_duration(most, sizeof(most), known.max_ns),
		time_text(last, sizeof(last), verdict->quiet_ns), more, row->thread);
}

/* Percentiles of each job, where there are few of them or they were asked for. */
static bool has_details(const struct top_choice *choice, size_t jobs)
{
	return choice->all_jobs || jobs <= 3;
}

unsigned top_count_jobs(const struct live *live, const struct top_choice *choice)
{
	size_t indices[JOBS_MOST];
	size_t count = top_sorted_jobs(live, choice->all_jobs, indices, JOBS_MOST);
	unsigned lines = 0;
	for (size_t i = 0; i < count; i++) {
		const struct wan_tracker_row *row = &live->trackers.items[indices[i]];
		const struct live_verdict *verdict = live_verdict(live, row);
		lines += 1u + (has_details(choice, count) && row->updates) +
			 (verdict->stalled || verdict->late);
	}
	return lines;
}

void top_add_jobs(struct top_lines *lines, const struct live *live, const struct top_choice *choice,
		  unsigned most)
{
	size_t indices[JOBS_MOST];
	size_t count = top_sorted_jobs(live, choice->all_jobs, indices, JOBS_MOST);
	unsigned end = lines->count + most, wanted = top_count_jobs(live, choice);
	bool details = has_details(choice, count) && wanted <= most;
	size_t first = WAN_MIN((size_t)choice->first_job, count ? count - 1 : 0);
	for (size_t i = first; i < count && lines->count < end; i++) {
		const struct wan_tracker_row *row = &live->trackers.items[indices[i]];
		if (lines->count + 1 == end && i + 1 < count && most > 2) {
			top_add(lines, TOP_DIM, "... and %zu more jobs", count - i);
			return;
		}
		const struct live_verdict *verdict = live_verdict(live, row);
		job_line(lines, live, row, verdict);
		if ((verdict->stalled || verdict->late) && lines->count < end)
			stall_line(lines, verdict);
		if (details && lines->count < end)
			detail_line(lines, row, verdict);
	}
}

void top_job_text(const struct live *live, const struct wan_tracker_row *row, char *to,
		  size_t bytes)
{
	const struct live_verdict *verdict = live_verdict(live, row);
	char name[256], done[48], rate[96], eta[96], percent[16] = "";
	wan_str_printable(name, sizeof(name), row->name);
	done_text(done, sizeof(done), row);
	rate_text(rate, sizeof(rate), verdict->rate, row->unit);
	eta_text(eta, sizeof(eta), row, verdict);
	if (percent_of(row) >= 0)
		wan_str_format(percent, sizeof(percent), "  %.0f %%", percent_of(row));
	size_t used = wan_str_format(
		to, bytes, "%s%s%s  %s%s%s%s  %s%s%s", name, row->phase[0] ? "  " : "", row->phase,
		done, row->unit[0] ? " " : "", row->unit, percent, rate, rate[0] ? "  " : "", eta);
	if (verdict->stalled || verdict->late)
		wan_str_format(to + used, bytes - used, "  %s: %s",
			       verdict->stalled ? "stalled" : "long step", verdict->text);
}

void top_run_text(const struct live *live, char *to, size_t bytes)
{
	size_t indices[JOBS_MOST];
	uint64_t operations = 0;
	size_t count = top_sorted_jobs(live, false, indices, JOBS_MOST);
	if (count) {
		top_job_text(live, &live->trackers.items[indices[0]], to, bytes);
		return;
	}
	for (size_t i = 0; i < live->row_count; i++)
		operations += live->rows[i].count;
	wan_str_format(to, bytes, "%" PRIu64 " operations", operations);
}
