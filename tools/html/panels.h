/* SPDX-License-Identifier: MIT */
/* Panels of the time line: lines of what was sampled, and those of the machine's sensors. */
#ifndef WAN_TOOLS_HTML_PANELS_H
#define WAN_TOOLS_HTML_PANELS_H

#include "chart.h"
#include "timeline_data.h"

#define HTML_PANEL_GAP 30.0 /* between panels: the heading of the next one */

/* One line through the columns; kind: its class. Nothing where the series has no value. */
void html_panel_line(struct html_page *page, const struct html_plot *plot,
		     const struct html_timeline *timeline, enum html_timeline_series which,
		     const char *kind);
void html_panel_heading(struct html_page *page, const struct html_plot *plot, const char *text);

/* Use and temperature of processors and GPU, one panel each where something is known of it. */
bool html_sensors_known(const struct html_timeline *timeline);
double html_sensors_height(const struct html_timeline *timeline); /* with gaps; 0: nothing known */
/* From plot->top, which is left below the last gap. */
void html_sensors_draw(struct html_page *page, struct html_plot *plot,
		       const struct html_timeline *timeline);
void html_sensors_legend(struct html_page *page, const struct html_timeline *timeline);
/* What is not known, in one sentence. */
void html_sensors_note(struct html_page *page, const struct html_timeline *timeline);
/* What is asked of a machine of this tier, and what was seen. */
void html_sensors_table(struct html_page *page);

#endif
