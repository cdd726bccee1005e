/* SPDX-License-Identifier: MIT */
/*
 * A run as history keeps it: one line of text, small enough to outlive its recording. Unknown
 * numbers are NAN (counts 0), unknown text NULL. Lists own everything in them.
 *
 * The text form is what `history --import` reads and `history --export` writes:
 *
 *	wanrt-runs 1
 *	# a comment
 *	job image_fast estimate=73
 *	run video_fast total=297.3 status=ok label="#1" date=2025-07-06 steps=25 phase=load/t5:52
 *
 * Words are separated by blanks; a value with blanks stands in quotes, in which \", \\ and \xNN are
 * understood. A job line declares a job type, which then counts also without a run.
 */
#ifndef WAN_TOOLS_HISTORY_RUNS_H
#define WAN_TOOLS_HISTORY_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wan/status.h"

#define HISTORY_MAGIC      "wanrt-runs 1"
#define HISTORY_LINE_MOST  16384u
#define HISTORY_FILE_MOST  (16u << 20)
#define HISTORY_PHASES_MAX 64u

/* "load/t5" is a part of "load". */
struct history_phase {
	char *name;
	double seconds; /* NAN: only its share was told */
	double share;   /* percent, as somebody told it; NAN: nobody did */
	uint64_t steps; /* 0: not told */
};

struct history_run {
	char *job;
	char *key;   /* tells runs apart: the run id of a recording */
	char *label; /* "#9" */
	char *file;  /* recording or list that it came from */
	char *machine, *tier;
	char *unclean; /* what was not as a measurement should find it */
	char *verdict; /* of a person, on the content; or how it ended */
	uint64_t started_ns;
	int succeeded; /* 1, 0, -1: not known, or not finished */
	bool unfinished;
	bool gone; /* its recording is no longer there */
	double total_s, estimate_s;
	double s_per_step; /* as told or measured step by step */
	double output_mb, read_mb;
	double span_s; /* from the first time stamp to the last */
	uint64_t steps, items;
	size_t order; /* in which they were added */
	struct history_phase *phases;
	size_t phase_count;
	double first_stamp_s; /* while a line is parsed */
};

struct history_runs {
	struct history_run *items;
	size_t count, capacity;
	/* Job types that were declared; total_s is NAN. */
	struct history_run *declared;
	size_t declared_count, declared_capacity;
};

void history_run_init(struct history_run *run);
void history_run_finish(struct history_run *run);
void history_runs_finish(struct history_runs *runs);
/* Takes the run over, also on failure. 0, -ENOMEM. */
int history_runs_add(struct history_runs *runs, struct history_run *run);
/* Replaces *to by a copy of text (NULL: none). 0, -ENOMEM. */
int history_set_text(char **to, const char *text);
/* 0, -ENOMEM, -E2BIG (more than HISTORY_PHASES_MAX). */
int history_add_phase(struct history_run *run, const char *name, double seconds, uint64_t steps);

/*
 * One line without its end: a run or a declared job is added, comments and empty lines are passed
 * over. reason (of the given size) says what is wrong with it. 0, -EBADMSG, -ENOMEM.
 */
int history_parse_line(struct history_runs *runs, const char *line, char *reason, size_t bytes);
/* The line of a run, to be wan_free()d; NULL: no memory. */
char *history_format_line(const struct history_run *run, bool declared);
/* A whole list. name is for messages. 0, -EBADMSG, -ENOTSUP (newer), -ENOMEM. */
int history_parse_list(struct history_runs *runs, const char *name, const char *text, size_t bytes,
		       struct wan_error *reterr_error);
/* "2025-07-06", with "T20:50", "T20:50:30", "Z" behind it or not; UTC. 0, -EBADMSG. */
int history_parse_date(const char *text, uint64_t *ret_realtime_ns);

#endif
