/* SPDX-License-Identifier: MIT */
/*
 * wanprof-bench, the program that does the work of `wanprof bench`: each part reads its arguments,
 * works, and prints lines of tab-separated words, which wanprof reads. It links the shared library
 * as a user's program does, and sees nothing else of it.
 */
#ifndef WAN_TOOLS_BENCH_WORK_H
#define WAN_TOOLS_BENCH_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include <wan/wan.h>

#include "content.h"

/* Exit statuses. */
enum { WORK_OK = 0, WORK_USAGE = 64, WORK_NO_INPUT = 66, WORK_FAILED = 70, WORK_NO_MEMORY = 75 };
enum { WORK_PATH = 4096 };

/* The rows of the benchmark table, on each photograph; folder takes a temporary file. */
int work_table(const char *folder, int rounds, int count, char **photographs);
/* One picture at several sizes through each operation; see the file for its lines. */
int work_scaling(const char *photograph, int rounds);

/*
 * The parts below take the words after their name (see main.c), and say
 *	test <tab> name <tab> ok <tab> ns <tab> most ns <tab> cached ns <tab> CPU ns <tab> bytes
 *	     <tab> times <tab> what went wrong      once for each thing that was measured; 0: not
 *	     known; CPU of one, as ns is
 *	at <tab> done <tab> of          how far it is
 * and what is said at their file. They return an exit status.
 */
int work_make(int count, char **words);       /* FOLDER SIZE:CONTENT:FORMAT:SEED... */
int work_size(int count, char **words);       /* FOLDER SIZE:CONTENT:FORMAT:SEED ROUNDS */
int work_batch(int count, char **words);      /* FOLDER SIZE:CONTENT:FORMAT:SEED IMAGES */
int work_concurrent(int count, char **words); /* FOLDER SIZE:CONTENT:FORMAT:SEED THREADS EACH */
int work_leak(int count, char **words);       /* FOLDER SIZE:CONTENT:FORMAT:SEED REPEATS */
int work_errors(int count, char **words);     /* FOLDER */
int work_short(int count, char **words);      /* FOLDER SIZE:CONTENT:FORMAT:SEED */
int work_hang(int count, char **words);       /* never ends */
int work_frames(int count, char **words);     /* see frames.c */
int work_stress(int count, char **words);     /* see stress.c */

/* A picture that was made. */
struct work_source {
	uint32_t width_px, height_px, seed;
	enum bench_content content;
	enum wan_file_format format;
};
/* "640x480:complex:jpeg:0" and the folder it lies in. false: no such words. */
bool work_source_parse(const char *words, struct work_source *ret_source);
void work_source_path(char *to, size_t bytes, const char *folder, const struct work_source *source);
/* Pixels as they were meant. 0, negative errno. */
int work_source_draw(const struct work_source *source, struct wan_image **ret_image);
/* Are these the pixels of the source: exactly (PNG), or as near as JPEG brings them? */
bool work_source_equals(const struct work_source *source, const struct wan_image *image);

/* One thing that was measured. */
struct work_test {
	const char *name;
	bool ok;
	uint64_t ns, most_ns, cached_ns, cpu_ns, bytes, times;
	char error[640];
};
void work_say(const struct work_test *test);
void work_at(uint64_t done, uint64_t total);
/* Fill test->error (and ok) from what the library said. */
void work_failed(struct work_test *test, const struct wan_error *error);

uint64_t work_now_ns(void);
uint64_t work_cpu_ns(void); /* of the process */
uint64_t work_thread_cpu_ns(void);
/* Sum over the pixels, which differs where they do. */
uint64_t work_sum(const struct wan_image *image);
/* Median; sorts. */
uint64_t work_median(uint64_t *values, size_t count);
/* Resident bytes now, and the most since work_peak_reset() (or since the start, where the kernel
 * does not let us reset). */
uint64_t work_resident(void);
void work_peak_reset(void);
uint64_t work_peak(void);
/* What the allocator and the pool have handed out and not got back; 0: cannot be told. */
uint64_t work_allocated(void);

/* A runtime that reads no files and records nothing, with more settings ("key", "value", NULL). */
struct wan_runtime *work_runtime(const char *const *settings);

#endif
