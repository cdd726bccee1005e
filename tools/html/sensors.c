/* SPDX-License-Identifier: MIT */
/* Use and heat of the machine over time, and against what its tier is meant for. */
#include "sensors.h"

#include <math.h>

#include "host.h"
#include "macros.h"
#include "panels.h"
#include "str.h"

#define USE_HEIGHT  80.0
#define HEAT_HEIGHT 100.0
#define CPU_LINE    "l5"
#define GPU_LINE    "l3"

#define DEGREES "\xc2\xb0\x43" /* a degree sign and C */

static bool has(const struct html_timeline *timeline, enum html_timeline_series which)
{
	return timeline->series[which].count > 0;
}

static bool has_use(const struct html_timeline *timeline)
{
	return has(timeline, HTML_CPU_USE) || has(timeline, HTML_GPU_USE);
}

static bool has_heat(const struct html_timeline *timeline)
{
	return has(timeline, HTML_CPU_HEAT) || has(timeline, HTML_GPU_HEAT);
}

bool html_sensors_known(const struct html_timeline *timeline)
{
	return has_use(timeline) || has_heat(timeline);
}

double html_sensors_height(const struct html_timeline *timeline)
{
	return (has_use(timeline) ? HTML_PANEL_GAP + USE_HEIGHT : 0) +
	       (has_heat(timeline) ? HTML_PANEL_GAP + HEAT_HEIGHT : 0);
}

static void limit(struct html_page *page, const struct html_plot *plot, double celsius)
{
	html_print(page, "<path class=\"lim\" d=\"M%x %xh%x\"/>", plot->left,
		   html_plot_y(plot, celsius), plot->width);
}

/* Named beside the heading: the lines are near one another, and that of the heat crosses them. */
static void limits(struct html_page *page, const struct html_plot *plot, bool cpu, bool gpu)
{
	if (cpu)
		limit(page, plot, WAN_SENSORS_CPU_CELSIUS);
	if (gpu)
		limit(page, plot, WAN_SENSORS_GPU_CELSIUS);
	html_print(page,
		   "<text text-anchor=\"end\" x=\"%x\" y=\"%x\">limit: ", plot->left + plot->width,
		   plot->top - 10);
	if (cpu)
		html_print(page, "processors %i " DEGREES "%r", (int)WAN_SENSORS_CPU_CELSIUS,
			   gpu ? ", " : "");
	if (gpu)
		html_print(page, "GPU %i " DEGREES, (int)WAN_SENSORS_GPU_CELSIUS);
	html_print(page, "</text>\n");
}

static void draw_heat(struct html_page *page, struct html_plot *plot,
		      const struct html_timeline *timeline)
{
	plot->y1 = 100;
	for (unsigned i = HTML_CPU_HEAT; i <= HTML_GPU_HEAT; i++)
		if (has(timeline, i))
			plot->y1 = fmax(plot->y1, timeline->series[i].peak * 1.05);
	plot->height = HEAT_HEIGHT;
	html_panel_heading(page, plot, "temperature");
	html_grid_y(page, plot, html_step(plot->y1, 4), false, " " DEGREES);
	limits(page, plot, has(timeline, HTML_CPU_HEAT), has(timeline, HTML_GPU_HEAT));
	html_panel_line(page, plot, timeline, HTML_CPU_HEAT, CPU_LINE);
	html_panel_line(page, plot, timeline, HTML_GPU_HEAT, GPU_LINE);
}

static void draw_use(struct html_page *page, struct html_plot *plot,
		     const struct html_timeline *timeline)
{
	plot->y1 = 100;
	plot->height = USE_HEIGHT;
	html_panel_heading(page, plot, "use of the machine");
	html_grid_y(page, plot, 50, false, " %");
	html_panel_line(page, plot, timeline, HTML_CPU_USE, CPU_LINE);
	html_panel_line(page, plot, timeline, HTML_GPU_USE, GPU_LINE);
}

void html_sensors_draw(struct html_page *page, struct html_plot *plot,
		       const struct html_timeline *timeline)
{
	if (has_use(timeline)) {
		draw_use(page, plot, timeline);
		plot->top += USE_HEIGHT + HTML_PANEL_GAP;
	}
	if (has_heat(timeline)) {
		draw_heat(page, plot, timeline);
		plot->top += HEAT_HEIGHT + HTML_PANEL_GAP;
	}
}

static void legend_entry(struct html_page *page, const char *kind, const char *name,
			 const struct html_series *use, const struct html_series *heat)
{
	if (!use->count && !heat->count)
		return;
	html_print(page,
		   "<li><svg class=\"key\" viewBox=\"0 0 22 8\" aria-hidden=\"true\"><path "
		   "class=\"%r\" d=\"M1 4h20\"/></svg>%r, at most ",
		   kind, name);
	if (use->count)
		html_print(page, "%g %%%r", use->peak, heat->count ? " and " : "");
	if (heat->count)
		html_print(page, "%g " DEGREES, heat->peak);
	html_print(page, "</li>");
}

void html_sensors_legend(struct html_page *page, const struct html_timeline *timeline)
{
	const struct html_series *series = timeline->series;
	legend_entry(page, CPU_LINE, "processors", &series[HTML_CPU_USE], &series[HTML_CPU_HEAT]);
	legend_entry(page, GPU_LINE, "GPU", &series[HTML_GPU_USE], &series[HTML_GPU_HEAT]);
}

void html_sensors_note(struct html_page *page, const struct html_timeline *timeline)
{
	static const struct {
		enum html_timeline_series which;
		const char *name;
	} all[] = {{HTML_CPU_USE, "use of the processors"},
		   {HTML_GPU_USE, "use of GPUs"},
		   {HTML_CPU_HEAT, "temperature of the processors"},
		   {HTML_GPU_HEAT, "temperature of GPUs"}};
	bool any = false;
	for (size_t i = 0; i < WAN_COUNT_OF(all); i++) {
		if (has(timeline, all[i].which))
			continue;
		html_print(page, "%r%r",
			   any ? ", " : "<p class=\"note\">Not known, so not drawn: ", all[i].name);
		any = true;
	}
	if (any)
		html_print(page, ".</p>\n");
}

static void asked(struct html_page *page, const struct wan_sensors_judged *judged, const char *unit)
{
	html_cell_begin(page, "Asked", false, 0);
	if (isnan(judged->high))
		html_print(page, "tier not known</td>");
	else if (isnan(judged->low))
		html_print(page, "below %g%r</td>", judged->high, unit);
	else
		html_print(page, "%g to %g%r</td>", judged->low, judged->high, unit);
}

static void target_row(struct html_page *page, const char *name, const char *unit,
		       const struct wan_sensors_judged *judged)
{
	static const char *const words[] = {
		[WAN_TARGET_UNKNOWN] = "<span class=\"no\">unknown</span>",
		[WAN_TARGET_MET] = "<span class=\"better\">met</span>",
		[WAN_TARGET_BELOW] = "below",
		[WAN_TARGET_ABOVE] = "<span class=\"worse\">above</span>",
	};
	char text[32];
	html_print(page, "<tr><th scope=\"row\">%r</th>", name);
	html_cell_begin(page, "Seen", true, judged->value);
	if (isfinite(judged->value)) {
		wan_sensors_text(judged, text, sizeof(text));
		html_print(page, "%s%r</td>", text, unit);
	} else {
		html_print(page, "\xe2\x80\x93</td>");
	}
	asked(page, judged, unit);
	html_print(page, "<td data-l=\"Verdict\">%r</td></tr>\n", words[judged->verdict]);
}

void html_sensors_table(struct html_page *page)
{
	static const struct {
		const char *name, *unit;
	} rows[WAN_TARGETS] = {
		[WAN_TARGET_CPU_HEAT] = {"hottest processor", " " DEGREES},
		[WAN_TARGET_GPU_HEAT] = {"hottest GPU", " " DEGREES},
		[WAN_TARGET_CPU_THROTTLED] = {"processors slowed down by heat, times", ""},
		[WAN_TARGET_GPU_THROTTLED] = {"GPUs slowed down by heat, samples", ""},
		[WAN_TARGET_CPU_USE] = {"mean use of the processors", " %"},
		[WAN_TARGET_GPU_USE] = {"mean use of the busiest GPU", " %"},
		[WAN_TARGET_MEMORY_USE] = {"mean use of memory", " %"},
		[WAN_TARGET_DISK_USE] = {"mean use of the busiest disk", " %"},
	};
	struct wan_sensors sensors;
	struct wan_sensors_judged judged[WAN_TARGETS];
	struct wan_host host;
	char caption[96];
	bool any = false;
	wan_host_of(&page->analysis->view, &host);
	const char *tier = host.known ? host.tier : NULL; /* a literal, not of the recording */
	wan_sensors_of(&page->analysis->view, &sensors);
	wan_sensors_judge(&sensors, tier, judged);
	for (size_t i = 0; i < WAN_TARGETS; i++)
		any |= isfinite(judged[i].value);
	if (!any)
		return;
	wan_str_format(caption, sizeof(caption), "Use and heat, and what is asked of %s%s",
		       tier ? "the tier " : "a machine of unknown tier", tier ? tier : "");
	html_table_begin(page, caption, "Target|Seen #|Asked|Verdict");
	for (size_t i = 0; i < WAN_TARGETS; i++)
		target_row(page, rows[i].name, rows[i].unit, &judged[i]);
	html_table_end(page);
	if (sensors.cpu_watts.count || sensors.gpu_watts.count) {
		html_print(page, "<p class=\"note\">Mean power:");
		if (sensors.cpu_watts.count)
			html_print(page, " processors %g W%r", wan_figure_mean(&sensors.cpu_watts),
				   sensors.gpu_watts.count ? "," : "");
		if (sensors.gpu_watts.count)
			html_print(page, " GPU %g W", wan_figure_mean(&sensors.gpu_watts));
		html_print(page, ".</p>\n");
	}
}
