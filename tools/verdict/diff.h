/* SPDX-License-Identifier: MIT */
/* What changed between two runs, or two sets of them: everything that differs, with what is known
 * of its noise. Pure. */
#ifndef WAN_TOOLS_DIFF_H
#define WAN_TOOLS_DIFF_H

#include <stdio.h>

#include "compare.h"
#include "json_writer.h"

enum diff_judgement {
	DIFF_WITHIN_NOISE,
	DIFF_MORE,    /* proven by the interval */
	DIFF_LESS,    /* the same */
	DIFF_UNKNOWN, /* nothing is known of the noise: one value of each side, or one is missing */
};

struct diff_row {
	const char *name, *library, *unit; /* library: of kinds; borrowed */
	double base, now;                  /* medians over the runs; NAN: not there */
	struct stat_interval ratio;        /* of now to base, at 95 % */
	enum diff_judgement judgement;
};

struct diff_rows {
	struct diff_row *items;
	size_t count, capacity;
};

struct diff {
	struct diff_rows totals, phases, kinds, memory;
	/* Findings of one side alone, each once; borrowed. */
	const struct run_finding **gone, **appeared;
	size_t gone_count, appeared_count;
	const struct run_facts *base, *now;
	size_t base_count, now_count;
	bool comparable;
	char reason[256];
};

/* 0, -EINVAL (a side without runs), -ENOMEM. Text and facts are borrowed. */
int diff_runs(struct diff *ret_diff, const struct run_facts *base, size_t base_count,
	      const struct run_facts *now, size_t now_count);
void diff_finish(struct diff *diff);
void diff_text(const struct diff *diff, FILE *to);
/* Members of an open object. */
void diff_json(const struct diff *diff, struct wan_json *json);
const char *diff_judgement_name(enum diff_judgement judgement);

#endif
