/* SPDX-License-Identifier: MIT */
/* `wanprof report --html`: the page as a file, and opened where there is a desktop. */
#ifndef WAN_TOOLS_REPORT_HTML_H
#define WAN_TOOLS_REPORT_HTML_H

#include <stdbool.h>

#include "analysis.h"

struct report_html {
	const char *output;    /* file; "-": standard output; NULL: NAME.html here */
	const char *recording; /* what is reported on, as named */
	const char *baseline;  /* recording, JSON or name to compare with, or NULL */
	bool force, open;
};

/* An exit status; what is wrong was said. */
int report_html(const struct wan_analysis *analysis, const struct report_html *request);

#endif
