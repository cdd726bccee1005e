/* SPDX-License-Identifier: MIT */
/* What `wanprof bench` can do, as its verb sees it. */
#ifndef WAN_TOOLS_BENCH_H
#define WAN_TOOLS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Write by one of two functions to path (NULL: standard output), whole or not at all. */
struct bench_output {
	const char *path;
	bool json, force;
	void (*text)(FILE *to, const void *data);
	int (*document)(int fd, const void *data); /* 0, negative errno */
};
int bench_output_write(const struct bench_output *output, const void *data);

/* --table: the rows of the requirements on photographs; none: those of the distribution. Returns
 * the exit status; what is wrong has been said. */
enum { BENCH_TABLE_ROUNDS = 15, BENCH_TABLE_ROUNDS_MAX = 1000, BENCH_PHOTOGRAPHS_MAX = 16 };
int bench_table_run(const char *const *photographs, size_t count, unsigned rounds,
		    struct bench_output *output);

/* --scaling: one photograph at eight sizes; rounds from 3 on give a verdict. */
enum { BENCH_SCALING_ROUNDS = 5, BENCH_SCALING_ROUNDS_MAX = 50 };
int bench_scaling_run(const char *photograph, unsigned rounds, struct bench_output *output);

/* --mode and --matrix: chosen->path gets the JSON report, standard output the text (with json and
 * no path: the JSON). Returns the exit status: 0, 1, 2, 3 by the verdict, 128 + the signal
 * that interrupted it. */
struct bench_request;
int bench_mode_run(const struct bench_request *request, const struct bench_output *chosen);

#endif
