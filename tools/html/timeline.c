/* SPDX-License-Identifier: MIT */
/* Where the time went, and the memory with it; drawn twice, for wide and for narrow screens. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "lanes.h"
#include "macros.h"
#include "panels.h"
#include "str.h"
#include "walk.h"

#define BUSY_HEIGHT  44.0
#define PANEL_HEIGHT 130.0
#define FULL_HEIGHT  150.0
#define GAP          HTML_PANEL_GAP
#define AXIS         22.0
#define MARKS_MOST   60

struct series_look {
	const char *name, *kind; /* class of the line */
};
static const struct series_look looks[] = {
	[HTML_RSS] = {"resident memory (RSS)", "l1"},
	[HTML_CGROUP] = {"need of the control group", "l2"},
	[HTML_GPU] = {"GPU memory", "l3"},
	[HTML_HOST] = {"memory of the machine", "l4"},
	[HTML_LIMIT] = {"the control group", "l2"},
	[HTML_GPU_PCT] = {"the GPU", "l3"},
};

struct pictures {
	struct html_timeline now, before;
	struct html_lanes lanes;
	bool has_before;
	bool memory, full, busy, actions;
};

static bool is_action(const struct wan_process_event *event)
{
	return event->kind == WAN_RECORD_ACTION && !wan_walk_internal(event);
}

/* In tenths, as they are written: steps from one to the next add up to no error. */
struct pen {
	long x, y;
	bool down;
};

static void move_to(struct html_page *page, struct pen *pen, double x, double y)
{
	long to_x = lround(x * 10), to_y = lround(y * 10);
	if (!pen->down) /* with a dot, or a value alone would not be seen */
		html_print(page, "M%x %xh%x", to_x++ / 10.0, to_y / 10.0, 0.1);
	else if (to_x != pen->x)
		html_print(page, "l%x %x", (to_x - pen->x) / 10.0, (to_y - pen->y) / 10.0);
	else if (to_y != pen->y)
		html_print(page, "v%x", (to_y - pen->y) / 10.0);
	*pen = (struct pen){to_x, to_y, true};
}

/* Through the smallest and the largest value of each column, in their order. */
void html_panel_line(struct html_page *page, const struct html_plot *plot,
		     const struct html_timeline *timeline, enum html_timeline_series which,
		     const char *kind)
{
	const struct html_series *series = &timeline->series[which];
	double step = (double)timeline->span_ns / timeline->columns;
	struct pen pen = {0};
	if (!series->count)
		return;
	html_print(page, "<path class=\"%r\" d=\"", kind);
	for (unsigned i = 0; i < timeline->columns; i++) {
		if (!series->known[i])
			continue;
		double x = html_plot_x(plot, (i + 0.5) * step);
		double low = html_plot_y(plot, series->low[i]);
		double high = html_plot_y(plot, series->high[i]);
		move_to(page, &pen, x, series->high_first[i] ? high : low);
		if (fabs(low - high) >= 0.3)
			move_to(page, &pen, x, series->high_first[i] ? low : high);
	}
	html_print(page, "\"/>\n");
}

void html_panel_heading(struct html_page *page, const struct html_plot *plot, const char *text)
{
	html_print(page, "<text class=\"hd\" x=\"%x\" y=\"%x\">%r</text>\n", plot->left,
		   plot->top - 10, text);
}

static void draw_busy(struct html_page *page, struct html_plot *plot,
		      const struct html_timeline *timeline)
{
	double step = (double)timeline->span_ns / timeline->columns;
	plot->y1 = fmax(1, timeline->busy_peak);
	plot->height = BUSY_HEIGHT;
	html_panel_heading(page, plot, "image operations under way");
	html_grid_y(page, plot, fmax(1, html_step(plot->y1, 2)), false, "");
	html_print(page, "<path class=\"f5\" d=\"M%x %x", plot->left, plot->top + plot->height);
	double last = -1;
	for (unsigned i = 0; i < timeline->columns; i++) {
		double y = html_plot_y(plot, timeline->busy[i]);
		if (fabs(y - last) < 0.05 && i + 1 < timeline->columns)
			continue;
		html_print(page, "H%xV%x", html_plot_x(plot, i * step), y);
		last = y;
	}
	html_print(page, "H%xV%xz\"/>\n", plot->left + plot->width, plot->top + plot->height);
}

static void draw_memory(struct html_page *page, struct html_plot *plot,
			const struct pictures *pictures, const struct html_timeline *timeline)
{
	double most = 1;
	for (unsigned i = HTML_RSS; i <= HTML_GPU; i++)
		most = fmax(most, timeline->series[i].peak);
	if (pictures->has_before)
		most = fmax(most, pictures->before.series[HTML_RSS].peak);
	double step = html_bytes_step(most * 1.08, 4);
	plot->y1 = fmax(most * 1.08, step);
	plot->height = PANEL_HEIGHT;
	html_panel_heading(page, plot, "memory in use");
	html_grid_y(page, plot, step, true, "");
	if (pictures->has_before)
		html_panel_line(page, plot, &pictures->before, HTML_RSS, "l1 old");
	for (unsigned i = HTML_RSS; i <= HTML_GPU; i++)
		html_panel_line(page, plot, timeline, i, looks[i].kind);
}

/* What the memory manager did, at the top of the panel; marks too close to one another join. */
static void draw_actions(struct html_page *page, const struct html_plot *plot)
{
	const struct wan_view *view = &page->analysis->view;
	unsigned drawn = 0;
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_process *process = view->sources[i].process;
		double last = -10;
		for (size_t j = 0; j < process->event_count && drawn < MARKS_MOST; j++) {
			const struct wan_process_event *event = &process->events[j];
			double x = html_plot_x(plot, (double)wan_elapsed(page->analysis->start_ns,
									 event->realtime_ns));
			if (!is_action(event) || x - last < 5)
				continue;
			last = x;
			drawn++;
			html_print(page,
				   "<path class=\"mk k%u\" d=\"M%x %xl4 -8h-8z\"><title>%s at %D: "
				   "freed %B (%s)</title></path>\n",
				   (uint64_t)WAN_MIN(event->code, 3u), x, plot->top - 2,
				   event->name,
				   wan_elapsed(page->analysis->start_ns, event->realtime_ns),
				   event->values[1], event->text);
		}
	}
}

static void draw_full(struct html_page *page, struct html_plot *plot,
		      const struct pictures *pictures, const struct html_timeline *timeline)
{
	static const double bands[] = {75, 85, 95, 100};
	plot->y1 = 100;
	plot->height = FULL_HEIGHT;
	html_panel_heading(page, plot, "how full memory was");
	for (unsigned i = 0; i < 3; i++) {
		double top = html_plot_y(plot, bands[i + 1]), bottom = html_plot_y(plot, bands[i]);
		html_print(page,
			   "<rect class=\"b%i\" x=\"%x\" y=\"%x\" width=\"%x\" height=\"%x\"/>\n",
			   (int)i + 1, plot->left, top, plot->width, bottom - top);
	}
	html_grid_y(page, plot, 25, false, " %");
	for (unsigned i = HTML_HOST; i <= HTML_GPU_PCT; i++)
		html_panel_line(page, plot, timeline, i, looks[i].kind);
	static const char *const names[] = {"75 warning", "85 critical", "95 emergency"};
	for (unsigned i = 0; i < 3; i++)
		html_print(page, "<text text-anchor=\"end\" x=\"%x\" y=\"%x\">%r</text>\n",
			   plot->left + plot->width - 2,
			   html_plot_y(plot, bands[i]) - (i == 2 ? 0 : 2.5), names[i]);
	if (pictures->actions)
		draw_actions(page, plot);
}

static void draw(struct html_page *page, const struct pictures *pictures,
		 const struct html_timeline *timeline, const char *kind, double width)
{
	char described[400], peak[48] = "unknown";
	struct html_plot plot = {.width = width, .x1 = (double)timeline->span_ns};
	double lanes = html_lanes_height(&pictures->lanes), height = lanes + AXIS;
	height += pictures->busy ? GAP + BUSY_HEIGHT : 0;
	height += pictures->memory ? GAP + PANEL_HEIGHT : 0;
	height += pictures->full ? GAP + FULL_HEIGHT : 0;
	height += html_sensors_height(timeline);
	if (timeline->series[HTML_RSS].count)
		html_bytes_text(peak, timeline->series[HTML_RSS].peak);
	wan_str_format(described, sizeof(described),
		       "Time line: phases of jobs, image operations under way, memory%s. Largest "
		       "resident memory: %s.",
		       html_sensors_known(timeline) ? ", use and temperature" : "", peak);
	html_picture_begin(page, kind, width, height, described);
	plot.height = lanes;
	html_lanes_draw(page, &pictures->lanes, &plot);
	double top = lanes + GAP - (lanes > 0 ? 0 : 10);
	if (pictures->busy) {
		plot.top = top;
		draw_busy(page, &plot, timeline);
		top += BUSY_HEIGHT + GAP;
	}
	if (pictures->memory) {
		plot.top = top;
		draw_memory(page, &plot, pictures, timeline);
		top += PANEL_HEIGHT + GAP;
	}
	if (pictures->full) {
		plot.top = top;
		draw_full(page, &plot, pictures, timeline);
		top += FULL_HEIGHT + GAP;
	}
	plot.top = top;
	html_sensors_draw(page, &plot, timeline);
	plot.height = plot.top - GAP;
	plot.top = 0;
	html_grid_time(page, &plot, timeline->span_ns);
	html_picture_end(page);
}

static void legend(struct html_page *page, const struct pictures *pictures)
{
	const struct html_timeline *timeline = &pictures->now;
	html_print(page, "<ul class=\"lg\">");
	for (unsigned i = 0; i < WAN_COUNT_OF(looks); i++) {
		if (!timeline->series[i].count || i == HTML_LIMIT || i == HTML_GPU_PCT)
			continue;
		html_print(page,
			   "<li><svg class=\"key\" viewBox=\"0 0 22 8\" aria-hidden=\"true\"><path "
			   "class=\"%r\" d=\"M1 4h20\"/></svg>%r",
			   looks[i].kind, looks[i].name);
		if (i == HTML_HOST)
			html_print(page, ", at most %g %%", timeline->series[i].peak);
		else
			html_print(page, ", at most %B", (uint64_t)timeline->series[i].peak);
		html_print(page, "</li>");
	}
	html_sensors_legend(page, timeline);
	if (pictures->has_before)
		html_print(page,
			   "<li><svg class=\"key\" viewBox=\"0 0 22 8\" aria-hidden=\"true\"><path "
			   "class=\"l1 old\" d=\"M1 4h20\"/></svg>RSS of the baseline</li>");
	if (pictures->actions)
		html_print(page,
			   "<li><svg class=\"key\" viewBox=\"0 0 10 8\" aria-hidden=\"true\"><path "
			   "class=\"mk k2\" d=\"M5 8l4 -8h-8z\"/></svg>the memory manager acted"
			   "</li>");
	html_print(page, "</ul>\n");
}

static void notes(struct html_page *page, const struct pictures *pictures)
{
	const struct html_timeline *timeline = &pictures->now;
	uint64_t samples = 0;
	for (unsigned i = 0; i < HTML_SERIES_COUNT; i++)
		samples = WAN_MAX(samples, timeline->series[i].count);
	if (!pictures->memory && !pictures->full)
		html_print(page, "<p class=\"note\">No memory over time: only <code>wanprof run"
				 "</code>, for commands longer than an interval, and the monitor "
				 "of a linked program look from outside.</p>\n");
	else if (samples > timeline->columns)
		html_print(page,
			   "<p class=\"note\">%u samples drawn in %i columns, each with its "
			   "smallest and largest value; sums and peaks in words are exact.</p>\n",
			   samples, (int)timeline->columns);
	html_sensors_note(page, timeline);
	if (timeline->limit_bytes && timeline->series[HTML_LIMIT].count)
		html_print(page, "<p class=\"note\">Limit of the control group: %B.</p>\n",
			   timeline->limit_bytes);
	if (pictures->lanes.left_out)
		html_print(page,
			   "<p class=\"note\">%z more jobs stand in the table of progress.</p>\n",
			   pictures->lanes.left_out);
	if (page->analysis->runs > 1)
		html_print(page,
			   "<p class=\"note\">%i runs are put together; the pauses between "
			   "them are part of the time line.</p>\n",
			   (int)page->analysis->runs);
}

/* The same in words and figures, for those who cannot see it. */
static void table(struct html_page *page)
{
	const struct wan_phases *phases = &page->phases;
	if (!phases->total_ns)
		return;
	html_table_begin(page, "Phases of all jobs", "Phase|Time #|Share #|Steps #|Each step #");
	for (size_t i = 0; i < WAN_MIN(phases->count, (size_t)24); i++) {
		const struct wan_phase_row *row = &phases->items[i];
		if (!row->duration_ns)
			continue;
		html_print(page,
			   "<tr><th scope=\"row\"><svg class=\"sw\" viewBox=\"0 0 9 9\" "
			   "aria-hidden=\"true\"><rect class=\"f%i\" width=\"9\" height=\"9\"/>"
			   "</svg>%s%r</th>",
			   (int)(i % HTML_COLOURS) + 1, row->name, row->open ? " (open)" : "");
		html_cell_begin(page, "Time", true, (double)row->duration_ns);
		html_print(page, "%D</td>", row->duration_ns);
		double share = 100 * (double)row->duration_ns / (double)phases->total_ns;
		html_cell_begin(page, "Share", true, share);
		html_print(page, "%g %%</td>", share);
		html_cell_begin(page, "Steps", true, (double)row->steps);
		html_print(page, "%u</td>", row->steps);
		uint64_t each = row->steps ? row->duration_ns / row->steps : UINT64_MAX;
		html_cell_begin(page, "Each step", true, row->steps ? (double)each : 0);
		html_print(page, "%D</td></tr>\n", each);
	}
	html_table_end(page);
}

static void fill(struct pictures *pictures, struct html_page *page, unsigned columns)
{
	const struct wan_analysis *before = page->options->baseline_analysis;
	html_timeline_fill(&pictures->now, page->analysis, columns, 0);
	if (before)
		html_timeline_fill(&pictures->before, before, columns, pictures->now.span_ns);
	pictures->has_before = before && pictures->before.series[HTML_RSS].count;
	const struct html_series *series = pictures->now.series;
	pictures->memory =
		series[HTML_RSS].count || series[HTML_CGROUP].count || series[HTML_GPU].count;
	pictures->full = series[HTML_HOST].count || series[HTML_LIMIT].count || pictures->actions;
	pictures->busy = pictures->now.busy_peak > 0;
}

void html_write_timeline(struct html_page *page)
{
	const struct wan_view *view = &page->analysis->view;
	struct pictures *pictures = wan_calloc(1, sizeof(*pictures));
	if (!pictures) {
		wan_sink_fail(&page->sink, -ENOMEM);
		return;
	}
	for (size_t i = 0; i < view->source_count; i++)
		for (size_t j = 0; j < view->sources[i].process->event_count; j++)
			pictures->actions |= is_action(&view->sources[i].process->events[j]);
	html_section_begin(page, "timeline", "Time line");
	html_lanes_find(&pictures->lanes, page);
	fill(pictures, page, HTML_COLUMNS_MAX);
	if (pictures->memory || pictures->full || pictures->busy || pictures->lanes.count ||
	    html_sensors_known(&pictures->now)) {
		html_print(page, "<figure>");
		legend(page, pictures);
		draw(page, pictures, &pictures->now, "pic wide", 1080);
		fill(pictures, page, HTML_COLUMNS_MAX / 3);
		draw(page, pictures, &pictures->now, "pic narrow", 360);
		html_print(page, "</figure>\n");
		fill(pictures, page, HTML_COLUMNS_MAX);
		notes(page, pictures);
	} else {
		html_print(page, "<p class=\"note\">Nothing over time was recorded.</p>\n");
	}
	table(page);
	html_sensors_table(page);
	html_section_end(page);
	wan_free(pictures);
}
