/* SPDX-License-Identifier: MIT */
/*
 * wanprof-bench, the program that does the work of `wanprof bench`: each part reads its arguments,
 * works, and prints lines of tab-separated words, which wanprof reads. It links the shared library
 * as a user's program does, and sees nothing else of it.
 */
#ifndef WAN_TOOLS_BENCH_WORK_H
#define WAN_TOOLS_BENCH_WORK_H

/* Exit statuses. */
enum { WORK_USAGE = 64, WORK_NO_INPUT = 66, WORK_FAILED = 70, WORK_NO_MEMORY = 75 };

/* The rows of the benchmark table, on each photograph; folder takes a temporary file. */
int work_table(const char *folder, int rounds, int count, char **photographs);
/* One picture at several sizes through each operation; see the file for its lines. */
int work_scaling(const char *photograph, int rounds);

#endif
