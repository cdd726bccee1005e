/* SPDX-License-Identifier: MIT */
/* What a benchmark's figures mean. Pure; the summary allocates for as long as it is made. */
#ifndef WAN_TOOLS_BENCH_JUDGE_H
#define WAN_TOOLS_BENCH_JUDGE_H

#include "result.h"

/* Targets of the requirements, as the report shows them; a test holds them against those of
 * `wanprof gate`. */
#define BENCH_REAL_TIME_MS    2000.0
#define BENCH_CONCURRENT_MS   5000.0
#define BENCH_MEMORY_MB       1024.0
#define BENCH_BATCH_MEMORY_MB 4096.0
#define BENCH_SUCCESS_RATE    80.0
#define BENCH_COMPLIANCE_RATE 90.0

enum { BENCH_REASONS_MAX = 6 };
struct bench_summary {
	uint64_t total, passed, failed, inconclusive;
	double success_rate,
		compliance_rate; /* per cent of those that could be tried; 100 of none */
	unsigned hard;           /* wrong or lost results under stress, a leak */
	int exit_status;
	char reasons[BENCH_REASONS_MAX]
		    [BENCH_TEXT]; /* why it is not 0, or all that is to be said */
	size_t reason_count;
};
/* By the rules of `wanprof gate` with the targets of the requirements; beyond them, a leak and
 * wrong results under stress fail, and what could not be tried is inconclusive. 0, -ENOMEM. */
int bench_summarise(const struct bench_report *report, struct bench_summary *ret_summary);
/* The target a test's time is held against, which is its longest when many ask at once; 0: none. */
double bench_target_ms(const struct bench_test *test, double *ret_ms);

/* Tests of one kind, by size, content, format or operation. */
struct bench_bucket {
	char key[48];
	uint64_t tests, passed;
	double mean_ms, most_ms, mean_cached_ms, megapixels_per_s, memory_mb;
};
enum bench_by {
	BENCH_BY_SIZE,
	BENCH_BY_CONTENT,
	BENCH_BY_FORMAT,
	BENCH_BY_OPERATION,
	BENCH_BY_GROUP
};
enum { BENCH_BUCKETS_MAX = 48 };
/* In order of first appearance. Returns how many. */
size_t bench_buckets(const struct bench_report *report, enum bench_by by,
		     struct bench_bucket buckets[BENCH_BUCKETS_MAX]);
/* Median over the tests of a size and operation; 0: there is none. */
double bench_median_ms(const struct bench_report *report, const char *size, const char *operation);
/* Mean bits a pixel of the pictures of one content, in files of that format; 0: none. */
double bench_bits_per_pixel(const struct bench_report *report, const char *content,
			    const char *format);

/* Successes by falling fps, then failures in their order. */
void bench_sort_rows(struct bench_row *rows, size_t count);
/* Of sorted rows: the first success, NULL: none. */
const struct bench_row *bench_best_row(const struct bench_row *rows, size_t count);
/* The fastest that loses no more than 1 dB against the reference configuration; NULL: unknown. */
const struct bench_row *bench_best_unharmed(const struct bench_row *rows, size_t count);

struct bench_advice {
	const char *id;
	char text[200];
};
enum { BENCH_ADVICE_MAX = 12 };
/*
 * Of the requirements: memory below 8 GB (8.0 is enough); the best mode uses neither a GPU nor
 * several threads; the best fps below 2.0 (2.0 is enough). ram_gb 0: unknown. Returns how many of
 * at most 3.
 */
size_t bench_matrix_advice(const struct bench_row *rows, size_t count, double ram_gb,
			   struct bench_advice *to);
/* All advice on a report, that of the matrix included. */
size_t bench_advise(const struct bench_report *report,
		    struct bench_advice advice[BENCH_ADVICE_MAX]);

#endif
