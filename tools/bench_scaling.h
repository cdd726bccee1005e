/* SPDX-License-Identifier: MIT */
/* The half of `wanprof bench --scaling` that works: part of the program wanprof-bench. */
#ifndef WAN_TOOLS_BENCH_SCALING_H
#define WAN_TOOLS_BENCH_SCALING_H

/*
 * One picture at several sizes through each operation; lines of tab-separated words on standard
 * output, see the file. Returns 0, or an exit status after the reason was printed.
 */
int bench_scaling(const char *path, int rounds);

#endif
