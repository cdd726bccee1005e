/* SPDX-License-Identifier: MIT */
/* What is done to a process before it becomes wanprof-bench, or beside it. */
#ifndef WAN_TOOLS_BENCH_INJECT_H
#define WAN_TOOLS_BENCH_INJECT_H

/*
 * FOLDER/small becomes a file system of 4 MiB that this process and its children alone see, and
 * that goes with them. 0, or negative errno after saying why on standard error.
 */
int bench_small_disk(const char *folder);
/* Compute until killed, or until whoever started us is gone. */
void bench_keep_busy(void) __attribute__((noreturn));

#endif
