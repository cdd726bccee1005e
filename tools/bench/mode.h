/* SPDX-License-Identifier: MIT */
/* Parts of --mode and --matrix. */
#ifndef WAN_TOOLS_BENCH_MODE_H
#define WAN_TOOLS_BENCH_MODE_H

#include <stdio.h>

#include "bench_plan.h"
#include "result.h"
#include "session.h"

/* --- collect.c: what one start of wanprof-bench said --- */

struct bench_said {
	const struct bench_case *of;
	struct bench_report *report;
	size_t first_test;    /* of this case in the report */
	uint64_t done, total; /* how far it says it is */
	struct wan_leak_reading readings[WAN_LEAK_READINGS_MAX * 16];
	size_t reading_count;
	struct bench_stress stress;
	struct bench_row row;
	bool told;   /* stress or row */
	bool by_cap; /* memory is limited by memory.process_cap, not a group */
};
/* A line; anything else than what is expected is passed over. */
void bench_take_line(struct bench_said *said, char *line);
/* The case is over: fill the report with what it said, or with why it said nothing. */
void bench_take_end(struct bench_said *said, const struct session_end *end);

/* At the end: each configuration is a test too. */
void bench_take_rows(struct bench_report *report);

/* --- progress.c: one line on a terminal --- */

struct bench_progress {
	FILE *to; /* NULL: nowhere */
	uint64_t begin_ns, shown_ns;
	double total_ms, done_ms; /* of the plan */
	size_t cases, done;
	bool shown;
};
void bench_progress_begin(struct bench_progress *progress, const struct bench_plan *plan);
/* part: how much of the case under way is done, 0 to 1. */
void bench_progress_show(struct bench_progress *progress, const struct bench_case *now,
			 double part);
void bench_progress_done(struct bench_progress *progress, const struct bench_case *now);
void bench_progress_end(struct bench_progress *progress);

#endif
