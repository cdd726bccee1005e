/* SPDX-License-Identifier: MIT */
/* Starting the program that does the work. */
#ifndef WAN_TOOLS_BENCH_HELPER_H
#define WAN_TOOLS_BENCH_HELPER_H

#include <stdbool.h>
#include <stddef.h>

/* Where it is: beside wanprof, or where it was installed. false: nowhere. */
bool bench_helper_find(char *to, size_t bytes);

/*
 * Run wanprof-bench with these arguments (ended by NULL; the first is put in here), and hand each
 * line of its standard output, without the newline, to take. An interrupt ends the helper and comes
 * back as status 130. Returns the exit status; what is wrong has been said.
 */
int bench_helper_run(const char *const *arguments, void (*take)(void *context, char *line),
		     void *context);

#endif
