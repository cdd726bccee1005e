/* SPDX-License-Identifier: MIT */
/*
 * `wanprof leak`: the iterations of a recorded command and what it held at the end of each, judged.
 * Cutting and judging are pure functions of a view; what outlives whole runs is looked at by
 * leftover.c.
 */
#ifndef WAN_TOOLS_LEAK_H
#define WAN_TOOLS_LEAK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "analysis.h"
#include "leak_judge.h"

/* --iterations-from: what an iteration is. */
enum leak_from {
	LEAK_FROM_AUTO,       /* the first of these that has enough */
	LEAK_FROM_MARKS,      /* wan_leak_iteration() */
	LEAK_FROM_STEPS,      /* of the outermost progress bar or tracker */
	LEAK_FROM_OPERATIONS, /* repeats of one of them */
	LEAK_FROM_RUNS,       /* of the whole command */
};

struct leak_options {
	struct wan_leak_rules rules;
	enum leak_from from;
	const char *name; /* of the tracker or operation; NULL: the best one */
	uint64_t settle_ns;
	bool json;
};

/* One quantity over the iterations. */
struct leak_series {
	const char *name; /* "held", "resident", "device"; of runs: "system", "shared", ... */
	bool known;
	struct wan_leak_judgement judgement;
	struct wan_leak_reading readings[WAN_LEAK_READINGS_MAX];
	size_t count;
};

enum { LEAK_SERIES_MAX = 4, LEAK_KEEPERS_MAX = 5 };

/* An operation that keeps memory: net over all its calls. */
struct leak_keeper {
	const char *name, *library;
	uint64_t calls;
	double each_bytes;
};

struct leak_report {
	enum wan_leak_verdict verdict;
	const char *kind; /* "heap", "resident", "device", a leftover's name; NULL: no leak */
	enum leak_from from;
	char unit[64];  /* name of the tracker, operation or mark */
	uint32_t books; /* enum wan_heap_books */
	uint32_t pid;   /* of the process with the iterations; 0: none, or runs */
	uint64_t seen;  /* iterations */
	struct leak_series series[LEAK_SERIES_MAX];
	size_t series_count;
	struct leak_keeper keepers[LEAK_KEEPERS_MAX];
	size_t keeper_count;
	char note[160]; /* what else has to be said; may be empty */
	bool failed;    /* the command did not exit with 0 */
	int status;     /* its exit status, 128 + signal */
};

/* leak_cut.c: fill the report from a recording with marks. 0, -ENOMEM. Borrows from the analysis.
 */
int leak_cut(const struct wan_analysis *analysis, const struct leak_options *options,
	     struct leak_report *ret_report);
/* Verdict and kind of the whole, from its series. */
void leak_decide(struct leak_report *report, const struct leak_options *options);

/* leak_text.c, leak_json.c */
void leak_print(FILE *to, const struct leak_report *report, const struct leak_options *options,
		const char *command);
/* 0, negative errno of the write. */
int leak_write_json(int fd, const struct leak_report *report, const struct leak_options *options,
		    const char *command);
const char *leak_from_name(enum leak_from from);
const char *leak_verdict_name(enum wan_leak_verdict verdict);

/* leftover.c: what is there between runs. Unknown values are NAN. */
struct leak_leftover {
	double system_bytes;  /* needed by everything on the machine, files not counted */
	double shared_bytes;  /* shared memory and tmpfs of the whole machine */
	double file_bytes;    /* in the folder for temporary files that the command was given */
	double process_bytes; /* resident in processes that the command left behind */
	unsigned files, processes;
};
void leak_leftover_read(const char *root, const char *temporary, struct leak_leftover *ret_left);
/* series of count readings, the first before any run. */
void leak_leftover_judge(const struct leak_leftover *readings, size_t count,
			 const struct leak_options *options, struct leak_report *ret_report);

#endif
