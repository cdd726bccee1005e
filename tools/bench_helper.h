/* SPDX-License-Identifier: MIT */
/* What the tables of `wanprof bench` share: starting the program that does the work, and writing
 * the result. */
#ifndef WAN_TOOLS_BENCH_HELPER_H
#define WAN_TOOLS_BENCH_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Run wanprof-bench with these arguments (ended by NULL; the first is put in here), and hand each
 * line of its standard output, without the newline, to take. An interrupt ends the helper and comes
 * back as status 130. Returns the exit status; what is wrong has been said.
 */
int bench_helper_run(const char *const *arguments, void (*take)(void *context, char *line),
		     void *context);

/* Write by one of two functions to path (NULL: standard output), whole or not at all. */
struct bench_output {
	const char *path;
	bool json, force;
	void (*text)(FILE *to, const void *data);
	int (*document)(int fd, const void *data); /* 0, negative errno */
};
int bench_output_write(const struct bench_output *output, const void *data);

/* wanprof bench --scaling FILE: rounds from 3 on give a verdict. */
#define BENCH_SCALING_ROUNDS_MAX 50
int bench_scaling_run(const char *photograph, unsigned rounds, struct bench_output *output);

#endif
