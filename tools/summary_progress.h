/* SPDX-License-Identifier: MIT */
/* Lines of the summary about jobs: how far they got, how long steps took, where the time went, what
 * was wrong. Prints nothing where no job told its progress. */
#ifndef WAN_TOOLS_SUMMARY_PROGRESS_H
#define WAN_TOOLS_SUMMARY_PROGRESS_H

#include <stdbool.h>

#include "analysis.h"
#include "screen.h"

/* all: every job and phase; else the most important in at most six lines. True: there was one. */
bool wan_summary_progress(const struct wan_screen *screen, const struct wan_view *view, bool all);

#endif
