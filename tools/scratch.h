/* SPDX-License-Identifier: MIT */
/*
 * A folder in $TMPDIR for what a verb needs while it works. It is locked for as long as its process
 * lives: one that nobody holds any more (its owner was killed) is removed by the next that makes
 * one of the same kind.
 */
#ifndef WANPROF_SCRATCH_H
#define WANPROF_SCRATCH_H

#include <limits.h>

struct wanprof_scratch {
	char path[PATH_MAX];
	int lock; /* the folder, open; -1: nothing was made */
};

/* kind: "bench" makes wanprof-bench-XXXXXX, for this user only. WANPROF_OK, or WANPROF_NO_OUTPUT
 * after it said why; then there is nothing to remove. */
int wanprof_scratch_make(struct wanprof_scratch *scratch, const char *kind);
/* With all that is in it. What another user made in it stays, and the folder with it. */
void wanprof_scratch_remove(struct wanprof_scratch *scratch);

#endif
