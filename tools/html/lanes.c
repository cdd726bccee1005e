/* SPDX-License-Identifier: MIT */
/* Jobs and their phases as bars, one lane for each name. */
#include "lanes.h"

#include <math.h>
#include <string.h>

#include "clock.h"
#include "macros.h"
#include "timeline_data.h"

#define LANE_HEIGHT 34.0
#define BAR_TOP     14.0
#define BAR_HEIGHT  16.0
#define LETTER      6.3 /* width of one, about */
#define LEAST       1.2 /* bars narrower than this join the one before */
#define MANY        300 /* phases: short ones join sooner, and none says its time */
#define LEAST_MANY  4.0

static size_t find(const struct html_lanes *lanes, const char *name)
{
	size_t i = 0;
	while (i < lanes->count && strcmp(lanes->names[i], name) != 0)
		i++;
	return i;
}

void html_lanes_find(struct html_lanes *lanes, const struct html_page *page)
{
	memset(lanes, 0, sizeof(*lanes));
	for (size_t i = 0; i < page->trackers.count; i++) {
		const char *name = page->trackers.items[i].name;
		size_t at = find(lanes, name);
		if (at == lanes->count && at < HTML_LANES_MAX)
			lanes->names[lanes->count++] = name;
		else if (at == lanes->count)
			lanes->left_out++;
	}
	const struct wan_view *view = &page->analysis->view;
	for (size_t i = 0; i < view->source_count; i++)
		for (size_t j = 0; j < view->sources[i].process->event_count; j++)
			lanes->phases +=
				view->sources[i].process->events[j].kind == WAN_RECORD_PHASE;
	lanes->phases += page->trackers.count;
}

double html_lanes_height(const struct html_lanes *lanes)
{
	return LANE_HEIGHT * (double)lanes->count;
}

struct bars {
	struct html_page *page;
	const struct html_plot *plot;
	uint64_t start_ns; /* realtime at the left edge */
	double top, drawn; /* right edge of what is drawn */
	double least;
};

static unsigned colour_of(const struct html_page *page, const char *phase)
{
	for (size_t i = 0; i < page->phases.count; i++)
		if (strcmp(page->phases.items[i].name, phase) == 0)
			return (unsigned)(i % HTML_COLOURS) + 1;
	return HTML_COLOURS;
}

static void bar(struct bars *bars, const char *phase, uint64_t from_ns, uint64_t duration_ns)
{
	double x = html_plot_x(bars->plot, (double)wan_elapsed(bars->start_ns, from_ns));
	double end = html_plot_x(bars->plot, (double)wan_elapsed(bars->start_ns, from_ns) +
						     (double)duration_ns);
	x = fmax(x, bars->plot->left);
	end = fmin(fmax(end, x), bars->plot->left + bars->plot->width);
	if (end - bars->drawn < bars->least && end - x < bars->least)
		return;
	end = fmax(end, x + bars->least);
	bars->drawn = end;
	if (bars->least <= LEAST)
		html_print(bars->page, "<g><title>%s: %D</title>", phase, duration_ns);
	html_print(bars->page, "<rect class=\"f%i\" x=\"%x\" y=\"%x\" width=\"%x\" height=\"%x\"/>",
		   (int)colour_of(bars->page, phase), x, bars->top + BAR_TOP, end - x, BAR_HEIGHT);
	size_t letters = strnlen(phase, 64);
	if ((double)letters * LETTER + 8 < end - x)
		html_print(bars->page, "<text class=\"on\" x=\"%x\" y=\"%x\">%s</text>", x + 4,
			   bars->top + BAR_TOP + 12, phase);
	html_print(bars->page, bars->least <= LEAST ? "</g>\n" : "\n");
}

static void ended_phases(struct bars *bars, const struct wan_view *view, const char *name)
{
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_process *process = view->sources[i].process;
		for (size_t j = 0; j < process->event_count; j++) {
			const struct wan_process_event *event = &process->events[j];
			if (event->kind != WAN_RECORD_PHASE ||
			    strcmp(event->name ? event->name : "", name) != 0)
				continue;
			bar(bars, event->code ? wan_phase_text(event->code) : event->text,
			    html_realtime_ns(process,
					     wan_process_time_ns(process, event->values[0])),
			    event->values[1]);
		}
	}
}

static void open_phase(struct bars *bars, const struct wan_tracker_row *row)
{
	const uint64_t *words = row->block->words;
	uint64_t phase = words[WAN_TRACKER_PHASE];
	if (!row->phase[0] || phase >= WAN_TRACKER_PHASES ||
	    words[WAN_TRACKER_STATE] != WAN_TRACKER_ACTIVE)
		return;
	uint64_t from_ns =
		wan_process_time_ns(row->process, words[WAN_TRACKER_PHASE_START + phase]);
	bar(bars, row->phase, html_realtime_ns(row->process, from_ns),
	    wan_elapsed(from_ns, row->seen_ns));
}

/* From begin to end, under its phases; and how far it came. */
static void job(struct bars *bars, const struct wan_tracker_row *row)
{
	uint64_t from_ns = html_realtime_ns(row->process, row->begin_ns);
	double x = html_plot_x(bars->plot, (double)wan_elapsed(bars->start_ns, from_ns));
	double width =
		html_plot_x(bars->plot, (double)wan_elapsed(bars->start_ns, from_ns) +
						(double)wan_elapsed(row->begin_ns, row->seen_ns)) -
		x;
	if (x + width - bars->drawn < bars->least)
		return;
	bars->drawn = x + width;
	html_print(bars->page,
		   "<g><title>%s: %u %s in %D</title><rect class=\"job\" x=\"%x\" y=\"%x\" "
		   "width=\"%x\" height=\"%x\"/></g>\n",
		   row->name, row->done, row->unit, wan_elapsed(row->begin_ns, row->seen_ns), x,
		   bars->top + BAR_TOP, fmax(width, LEAST), BAR_HEIGHT);
}

void html_lanes_draw(struct html_page *page, const struct html_lanes *lanes,
		     const struct html_plot *plot)
{
	const struct wan_trackers *trackers = &page->trackers;
	for (size_t lane = 0; lane < lanes->count; lane++) {
		struct bars bars = {.page = page,
				    .plot = plot,
				    .start_ns = page->analysis->start_ns,
				    .top = plot->top + LANE_HEIGHT * (double)lane,
				    .drawn = -1,
				    .least = lanes->phases > MANY ? LEAST_MANY : LEAST};
		uint64_t done = 0, jobs = 0;
		const char *unit = "";
		for (size_t i = 0; i < trackers->count; i++) {
			const struct wan_tracker_row *row = &trackers->items[i];
			if (strcmp(row->name, lanes->names[lane]) != 0)
				continue;
			job(&bars, row);
			done += row->done;
			unit = row->unit;
			jobs++;
		}
		bars.drawn = -1;
		ended_phases(&bars, &page->analysis->view, lanes->names[lane]);
		for (size_t i = 0; i < trackers->count; i++)
			if (strcmp(trackers->items[i].name, lanes->names[lane]) == 0)
				open_phase(&bars, &trackers->items[i]);
		html_print(page, "<text x=\"%x\" y=\"%x\">%s", plot->left + 1, bars.top + 10,
			   lanes->names[lane][0] ? lanes->names[lane] : "(no name)");
		if (jobs > 1)
			html_print(page, ", %u times", jobs);
		if (done)
			html_print(page, ", %u %s", done, unit[0] ? unit : "updates");
		html_print(page, "</text>\n");
	}
}
