/* SPDX-License-Identifier: MIT */
#ifndef WAN_TOOLS_HTML_LANES_H
#define WAN_TOOLS_HTML_LANES_H

#include "chart.h"

#define HTML_LANES_MAX 6 /* names of jobs; further ones are in the table only */
#define HTML_COLOURS   7 /* f1 .. f7 of the style sheet */

struct html_lanes {
	const char *names[HTML_LANES_MAX]; /* borrowed */
	size_t count, left_out;
	size_t phases; /* and jobs: how many bars there could be */
};

void html_lanes_find(struct html_lanes *lanes, const struct html_page *page);
double html_lanes_height(const struct html_lanes *lanes);
/* From plot->top on; values of x are ns since the begin. */
void html_lanes_draw(struct html_page *page, const struct html_lanes *lanes,
		     const struct html_plot *plot);

#endif
