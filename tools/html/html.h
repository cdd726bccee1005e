/* SPDX-License-Identifier: MIT */
/*
 * The report as one HTML file that needs nothing else: no request, no script to be read. Written
 * from an analysis in one pass; memory beyond the recording does not grow with operations.
 */
#ifndef WAN_TOOLS_HTML_H
#define WAN_TOOLS_HTML_H

#include "analysis.h"
#include "environment.h"
#include "run_facts.h"

struct html_options {
	const char *path; /* of the recording, as the user named it */
	const struct wan_environment
		*environment; /* NULL: the recording may be another machine's */
	/* To compare with; all NULL: nothing. Facts need both; the analysis is for the pictures. */
	const struct run_facts *now, *baseline;
	const struct wan_analysis *baseline_analysis; /* NULL: only facts are known (JSON) */
	uint64_t made_realtime_ns;                    /* 0: not told */
};

/* The whole document through write (0 or negative errno). 0, what write said, -ENOMEM. */
int html_report_write(const struct wan_analysis *analysis, const struct html_options *options,
		      int (*write)(void *context, const void *bytes, size_t count), void *context);

#endif
