/* SPDX-License-Identifier: MIT */
/* How far the benchmark is and what is left, on standard error when that is a terminal. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "eta.h"
#include "macros.h"
#include "mode.h"
#include "str.h"
#include "wan/progress.h"
#include "wanprof.h"

#define SHOW_NS 100000000u

/* A line that is written over again. */
static bool can_redraw(void)
{
	const char *terminal = getenv("TERM");
	return isatty(STDERR_FILENO) && terminal && strcmp(terminal, "dumb") != 0;
}

void bench_progress_begin(struct bench_progress *progress, const struct bench_plan *plan)
{
	*progress = (struct bench_progress){
		.to = can_redraw() ? stderr : NULL, .begin_ns = wan_now_ns(), .cases = plan->count};
	for (size_t i = 0; i < plan->count; i++)
		progress->total_ms += plan->cases[i].expected_ms;
}

void bench_progress_show(struct bench_progress *progress, const struct bench_case *now, double part)
{
	uint64_t now_ns = wan_now_ns();
	char left[32] = "", line[256];
	if (!progress->to || now_ns - progress->shown_ns < SHOW_NS)
		return;
	double done_ms = progress->done_ms + now->expected_ms * WAN_MIN(part, 1.0);
	uint64_t left_ns = wan_eta_ns(now_ns - progress->begin_ns, (uint64_t)(done_ms * 1000),
				      (uint64_t)(progress->total_ms * 1000));
	/* The first second says little. */
	if (left_ns != UINT64_MAX && now_ns - progress->begin_ns > 1000000000u)
		wan_progress_duration_text(left, sizeof(left),
					   (int64_t)((left_ns + 999999999u) / 1000000000u));
	/* What is left stands first: a narrow terminal cuts the end, and a line that wraps could
	 * not be written over. */
	size_t room = WAN_MIN((size_t)wanprof_columns(progress->to), sizeof(line));
	wan_str_format(line, room, "[%zu/%zu] %3.0f %%%s%s  %s %s", progress->done + 1,
		       progress->cases,
		       wan_eta_percent((uint64_t)done_ms, (uint64_t)progress->total_ms),
		       *left ? "  left: " : "", left, bench_group_names[now->group], now->name);
	fprintf(progress->to, "\r\033[K%s", line);
	(void)fflush(progress->to);
	progress->shown_ns = now_ns;
	progress->shown = true;
}

void bench_progress_done(struct bench_progress *progress, const struct bench_case *now)
{
	progress->done_ms += now->expected_ms;
	progress->done++;
}

void bench_progress_end(struct bench_progress *progress)
{
	if (progress->shown)
		fprintf(progress->to, "\r\033[K");
	if (progress->to)
		(void)fflush(progress->to);
}
