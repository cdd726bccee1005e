/* SPDX-License-Identifier: MIT */
/* Which tests a mode consists of. Pure. */
#ifndef WAN_TOOLS_BENCH_PLAN_H
#define WAN_TOOLS_BENCH_PLAN_H

#include "result.h"

enum bench_mode {
	BENCH_MODE_NONE, /* the matrix alone */
	BENCH_MODE_QUICK,
	BENCH_MODE_COMPREHENSIVE,
	BENCH_MODE_STRESS,
};
extern const char *const bench_mode_names[4];

struct bench_size {
	unsigned width_px, height_px;
};
enum { BENCH_SIZES_MAX = 16 };

struct bench_request {
	enum bench_mode mode;
	bool matrix;
	unsigned groups;                          /* bits of enum bench_group; 0: all of the mode */
	struct bench_size sizes[BENCH_SIZES_MAX]; /* instead of the mode's */
	size_t size_count;
	unsigned rounds, repeats; /* 0: the mode's */
	double seconds;           /* of each disturbance; 0: the mode's */
	unsigned cpus;
	uint64_t memory_mb; /* that may be taken, with room left; 0: unknown */
};

/* What is done to the process that works, and around it. */
struct bench_injection {
	double memory_percent; /* of a limit; 0: none */
	uint64_t memory_limit_mb;
	bool small_disk;
	unsigned busy;  /* processes that only compute */
	unsigned share; /* per cent of the time it may run; 0: all */
};

enum { BENCH_WORDS_MAX = 16, BENCH_CASE_SOURCES = 64 };

/* One start of wanprof-bench. */
struct bench_case {
	enum bench_group group;
	char name[BENCH_NAME];
	char words[BENCH_WORDS_MAX][48]; /* its arguments; "@": the folder of the pictures */
	unsigned word_count;
	char sources[BENCH_CASE_SOURCES][48]; /* made before */
	unsigned source_count;
	struct bench_size size;
	const char *content, *format;
	unsigned threads, images;
	double expected_ms; /* a guess, for the time that is left */
	uint64_t timeout_ms;
	bool must_time_out;          /* the test is that it is ended */
	char impossible[BENCH_NAME]; /* why it is not even tried; "" */
	struct bench_injection injection;
	struct bench_config config; /* of the matrix */
};

enum { BENCH_CASES_MAX = 256, BENCH_MATRIX_PASSES = 3 };
struct bench_plan {
	struct bench_case cases[BENCH_CASES_MAX];
	size_t count;
};
/* Fills *plan. */
void bench_plan_make(struct bench_plan *plan, const struct bench_request *request);

/* "64x64,1920x1080": how many, 0: something else. Sides of 1 to 16384, at most 64 megapixels. */
size_t bench_sizes_parse(const char *text, struct bench_size sizes[BENCH_SIZES_MAX]);
/* Group by its name, -1. */
int bench_group_find(const char *name);

#endif
