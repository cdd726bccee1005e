/* SPDX-License-Identifier: MIT */
/* Jobs, the times of their steps, and what the monitor warned of. */
#include <math.h>
#include <string.h>

#include "chart.h"
#include "clock.h"
#include "macros.h"
#include "str.h"
#include "walk.h"

#define JOBS_TOLD     40
#define PICTURES_MOST 6
#define ALERTS_TOLD   40
#define BINS          36
#define WIDTH         340.0
#define HEIGHT        130.0

static const char *ended(const struct wan_tracker_row *row)
{
	return row->active                             ? "going on"
	       : row->unended                          ? "left"
	       : row->outcome == WAN_TRACKER_FAILED    ? "failed"
	       : row->outcome == WAN_TRACKER_COMPLETED ? "done"
						       : "ended";
}

static void time_cell(struct html_page *page, const char *label, uint64_t ns)
{
	html_cell_begin(page, label, true, (double)ns);
	html_print(page, "%D</td>", ns ? ns : UINT64_MAX);
}

static void job(struct html_page *page, size_t index)
{
	const struct wan_tracker_row *row = &page->trackers.items[index];
	struct wan_tracker_percentiles known = {0};
	if (wan_tracker_percentiles(row, &known))
		known = (struct wan_tracker_percentiles){0};
	html_print(page, "<tr><th scope=\"row\">%s</th>", row->name[0] ? row->name : "(no name)");
	html_cell_begin(page, "Done", true, (double)row->done);
	html_print(page, "%u", row->done);
	if (row->total)
		html_print(page, "/%u", row->total);
	html_print(page, " %s</td><td data-l=\"Ended\">%r%r%s</td>", row->unit, ended(row),
		   (row->active || row->unended) && row->phase[0] ? " in " : "",
		   (row->active || row->unended) ? row->phase : "");
	time_cell(page, "Took", wan_elapsed(row->begin_ns, row->seen_ns));
	time_cell(page, "p50", known.p50_ns);
	time_cell(page, "p99", known.p99_ns);
	time_cell(page, "Longest", known.max_ns);
	html_print(page, "</tr>\n");
}

/* Steps of all jobs of that name by their time, on a logarithmic axis. */
static void picture(struct html_page *page, size_t index)
{
	const struct wan_tracker_row *row = &page->trackers.items[index];
	struct wan_tracker_percentiles known;
	uint64_t edges[BINS], counts[BINS], count, sum_ns, most = 1;
	if (wan_trackers_merged(&page->trackers, index, &known) || known.count < 3 || !known.p50_ns)
		return;
	double high = (double)WAN_MAX(known.max_ns, known.p50_ns) * 1.02, low = high / 1e6;
	/* Once from far below, to see where the shortest ones are. */
	for (unsigned pass = 0; pass < 2; pass++) {
		uint64_t before = 0;
		for (unsigned i = 0; i < BINS; i++)
			edges[i] = (uint64_t)(low * pow(high / low, (i + 1.0) / BINS));
		if (wan_trackers_buckets(&page->trackers, index, edges, counts, BINS, &count,
					 &sum_ns))
			return;
		for (unsigned i = 0; i < BINS; i++) {
			uint64_t upto = WAN_MAX(counts[i], before);
			counts[i] = upto - before;
			before = upto;
		}
		for (unsigned i = 0; pass == 0 && i < BINS && !counts[i]; i++)
			low = WAN_MIN((double)edges[i], high / 4);
	}
	for (unsigned i = 0; i < BINS; i++)
		most = WAN_MAX(most, counts[i]);
	struct html_plot plot = {.top = 14,
				 .width = WIDTH,
				 .height = HEIGHT - 36,
				 .x0 = low,
				 .x1 = high,
				 .y1 = (double)most * 1.05,
				 .log_x = true};
	html_print(page,
		   "<figure><figcaption><strong>%s</strong>: %u steps, p50 %D, p99 %D, longest %D"
		   "</figcaption>",
		   row->name[0] ? row->name : "(no name)", known.count, known.p50_ns, known.p99_ns,
		   known.max_ns);
	html_picture_begin(page, "pic", WIDTH, HEIGHT, "How many steps took how long.");
	html_grid_y(page, &plot, fmax(1, html_step(plot.y1, 3)), false, "");
	for (unsigned i = 0; i < BINS; i++)
		if (counts[i])
			html_print(page,
				   "<rect class=\"col\" x=\"%x\" y=\"%x\" width=\"%x\" "
				   "height=\"%x\"/>",
				   i * WIDTH / BINS + 0.5, html_plot_y(&plot, (double)counts[i]),
				   WIDTH / BINS - 1,
				   plot.top + plot.height - html_plot_y(&plot, (double)counts[i]));
	static const double shares[] = {0, 0.25, 0.5, 0.75, 1};
	for (unsigned i = 0; i < WAN_COUNT_OF(shares); i++) {
		double value = low * pow(high / low, shares[i]);
		html_print(page, "<text x=\"%x\" y=\"%x\" text-anchor=\"%r\">%D</text>\n",
			   shares[i] * WIDTH, HEIGHT - 6,
			   i == 0   ? "start"
			   : i == 4 ? "end"
				    : "middle",
			   (uint64_t)value);
	}
	html_picture_end(page);
	html_print(page, "</figure>\n");
}

static void pictures(struct html_page *page)
{
	unsigned shown = 0;
	html_print(page, "<div class=\"grid\">\n");
	for (size_t i = 0; i < page->trackers.count && shown < PICTURES_MOST; i++)
		if (!wan_trackers_seen_before(&page->trackers, i)) {
			picture(page, i);
			shown++;
		}
	html_print(page, "</div>\n");
}

static void alerts(struct html_page *page)
{
	const struct wan_view *view = &page->analysis->view;
	static const char *const severities[] = {"notice", "medium", "high", "critical"};
	size_t count = 0;
	for (size_t i = 0; i < view->source_count; i++)
		for (size_t j = 0; j < view->sources[i].process->event_count; j++) {
			const struct wan_process_event *event =
				&view->sources[i].process->events[j];
			if (event->kind != WAN_RECORD_ALERT || count++ >= ALERTS_TOLD)
				continue;
			uint64_t at_ns = wan_elapsed(page->analysis->start_ns, event->realtime_ns);
			if (count == 1)
				html_table_begin(page, "Alerts", "After #|Severity|Alert|Message");
			html_print(page, "<tr>");
			html_cell_begin(page, "After", true, (double)at_ns);
			html_print(page,
				   "%D</td><td data-l=\"Severity\"><span class=\"lv k%u\">%r</span>"
				   "</td><th scope=\"row\">%s</th><td data-l=\"Message\">%s</td>"
				   "</tr>\n",
				   at_ns, (uint64_t)(event->code & 3), severities[event->code & 3],
				   event->name, event->text);
		}
	if (count)
		html_table_end(page);
	if (count > ALERTS_TOLD)
		html_print(page, "<p class=\"note\">And %z more alerts.</p>\n",
			   count - ALERTS_TOLD);
}

void html_write_progress(struct html_page *page)
{
	const struct wan_trackers *trackers = &page->trackers;
	html_section_begin(page, "progress", "Progress");
	if (!trackers->count)
		html_print(page, "<p class=\"note\">No progress bar and no job of wanrt was "
				 "seen.</p>\n");
	else
		pictures(page);
	if (trackers->count) {
		html_table_begin(page, "Jobs",
				 "Job|Done #|Ended|Took #|Step p50 #|p99 #|Longest #");
		for (size_t i = 0; i < WAN_MIN(trackers->count, (size_t)JOBS_TOLD); i++)
			job(page, i);
		html_table_end(page);
	}
	if (trackers->count > JOBS_TOLD)
		html_print(page, "<p class=\"note\">And %z more jobs.</p>\n",
			   trackers->count - JOBS_TOLD);
	alerts(page);
	html_section_end(page);
}
