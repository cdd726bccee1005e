/* SPDX-License-Identifier: MIT */
/* What a benchmark found: filled while it runs, judged and written afterwards. Plain data. */
#ifndef WAN_TOOLS_BENCH_RESULT_H
#define WAN_TOOLS_BENCH_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "leak_judge.h"
#include "machine.h"

enum bench_group {
	BENCH_GROUP_SIZE,
	BENCH_GROUP_ASPECT,
	BENCH_GROUP_BATCH,
	BENCH_GROUP_CONCURRENT,
	BENCH_GROUP_LEAK,
	BENCH_GROUP_ERRORS,
	BENCH_GROUP_STRESS,
	BENCH_GROUP_MATRIX,
	BENCH_GROUPS,
};
extern const char *const bench_group_names[BENCH_GROUPS];

enum bench_status {
	BENCH_PASSED,
	BENCH_FAILED,
	BENCH_INCONCLUSIVE, /* could not be tried here */
};
extern const char *const bench_status_names[3];

enum { BENCH_TEXT = 320, BENCH_NAME = 96 };

/* One test. Times and bytes that are not known are 0. */
struct bench_test {
	char name[BENCH_NAME]; /* "decode 1920x1080 complex png" */
	enum bench_group group;
	enum bench_status status;
	char operation[32];
	char size[24];       /* "1920x1080"; "": of none */
	const char *content; /* NULL: of none */
	const char *format;
	double megapixels;
	double ms, most_ms; /* median with nothing cached, and the longest */
	double cached_ms, cpu_ms, memory_mb;
	uint64_t times;
	unsigned threads, images; /* at once, in the batch; 0: one */
	char reason[BENCH_TEXT];  /* why it failed or could not be tried */
};

/* A disturbance and what came of it. */
struct bench_stress {
	char name[32], injected[160];
	enum bench_status status;
	bool survived, right; /* the process lived; every result had the pixels it should have */
	uint64_t asked, refused, wrong, failed, actions;
	int level; /* highest reached, enum wan_memory_level */
	double percent;
	char deciding[64];
	double cache_limit_mb, cache_least_mb, taken_mb;
	double per_second, share; /* of the undisturbed rate; 0: not known */
	char reason[BENCH_TEXT];
};

/* A configuration of the matrix. */
struct bench_config {
	char name[48];
	unsigned threads, width_px, height_px, quality;
	bool overlapped, cached, scaled;
	const char *filter;
};
struct bench_row {
	struct bench_config config;
	const char
		*mode; /* "cpu_only", "cpu_parallel"; test data also "gpu_only", "gpu_parallel" */
	bool success;
	char error[BENCH_TEXT];
	uint64_t timestamp_ns; /* when it was over, real time */
	uint64_t frames;
	double seconds, fps, cpu_seconds, memory_mb, psnr_db, file_kb;
	unsigned most_apart; /* 0 to 255 */
};

enum {
	BENCH_TESTS_MAX = 1024,
	BENCH_STRESS_MAX = 16,
	BENCH_ROWS_MAX = 32,
	BENCH_SOURCES_MAX = 512
};

/* A picture that was made for it. */
struct bench_source {
	char words[48];
	double megapixels, bits_per_pixel; /* of the file: what its content is worth */
};

struct bench_report {
	const char *mode; /* "quick"; NULL: the matrix alone */
	uint64_t started_ns;
	double seconds;
	bool complete;   /* false: interrupted, or the rest could not be run */
	int interrupted; /* the signal; 0: none */
	struct machine machine;
	struct bench_test tests[BENCH_TESTS_MAX];
	size_t test_count;
	bool leak_known;
	struct wan_leak_judgement leak;
	char leak_text[BENCH_TEXT];
	struct bench_stress stress[BENCH_STRESS_MAX];
	size_t stress_count;
	struct bench_row rows[BENCH_ROWS_MAX];
	size_t row_count;
	struct bench_source sources[BENCH_SOURCES_MAX];
	size_t source_count;
};

#endif
