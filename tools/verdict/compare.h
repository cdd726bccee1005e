/* SPDX-License-Identifier: MIT */
/*
 * Did it get slower? Runs are paired in the order given (record them interleaved: base, now, base,
 * now), operations of a pair by name, library and image size, and each pair of runs gives one ratio
 * for a kind: runs, not operations, are what is independent. One run of each side, or runs that
 * were not interleaved, may differ by whatever the machine did between them: then only a slow-down
 * larger than that counts. Pure.
 */
#ifndef WAN_TOOLS_COMPARE_H
#define WAN_TOOLS_COMPARE_H

#include "run_facts.h"
#include "statistics.h"

enum compare_verdict {
	COMPARE_SAME,         /* a slow-down of the limit is excluded */
	COMPARE_SLOWER,       /* proven, and large enough to count */
	COMPARE_FASTER,       /* proven */
	COMPARE_INCONCLUSIVE, /* the interval holds both */
	COMPARE_TOO_FEW,      /* no interval at this confidence */
};

/* Proven: at this confidence for all rows together (Holm), so that a false alarm of any kind of
 * operation is rarer than half of what is missing to 1. */
#define COMPARE_CONFIDENCE    0.99
#define COMPARE_LIMIT_PERCENT 5.0 /* a slow-down that must not go unseen */
/* What a machine alone does between runs that were not interleaved; two idle-looking hours of a
 * shared two-core machine differed by 2 % (1 sigma). */
#define COMPARE_DRIFT_PERCENT 5.0
/* More memory than that must not go unseen. Growth is proven as a slow-down is; of fewer pairs than
 * have an interval, every one must have grown twice as much, of operations only: the peak of a run
 * is sampled. What is not proven is told and decides nothing. */
#define COMPARE_MEMORY_PERCENT 10.0
/* Kinds of less than this share of the time are not judged by themselves. */
#define COMPARE_SHARE_MIN 0.02

struct compare_row {
	const char *name, *library; /* name NULL: the total of all kinds; borrowed from the facts */
	struct stat_interval ratio; /* now / base, of this row alone */
	size_t pairs, wanted;       /* wanted: more pairs that are likely to decide; 0: enough */
	double base_ms, now_ms;     /* of one operation; of the total: of a run */
	double share;               /* of the time of the base, 0..1 */
	enum compare_verdict verdict;
	/* Peak memory of the operations alike; of the total: of the run. NAN: not known. */
	double base_mb, now_mb;        /* means of the pairs */
	struct stat_interval mb_ratio; /* now / base */
	size_t mb_pairs;
	enum compare_verdict mb_verdict; /* COMPARE_SLOWER: grown */
};

struct comparison {
	struct compare_row *rows; /* the total first where there are several kinds, then by share */
	size_t count, capacity;
	bool by_runs;     /* ratios of runs; else of single operations of one run each */
	bool interleaved; /* as far as their times of start say */
	bool comparable;  /* no sign of another machine, tier or temperature of the cache */
	char reason[256]; /* why not comparable; else "" */
	size_t base_runs, now_runs;
	size_t unmatched; /* kinds of a share worth judging without the like on the other side */
	double limit_percent;
};

/* limit_percent 0: COMPARE_LIMIT_PERCENT. 0, -EINVAL (a side without runs), -ENOMEM. */
int compare_runs(struct comparison *ret_comparison, const struct run_facts *base, size_t base_count,
		 const struct run_facts *now, size_t now_count, double limit_percent);
void compare_finish(struct comparison *comparison);
const char *compare_verdict_name(enum compare_verdict verdict);

/* The verdict on one sample of pairs, and on several together (rows with their pairs). */
struct compare_sample {
	const double *base, *now;
	size_t pairs;
};
void compare_judge(struct compare_row *rows, const struct compare_sample *samples, size_t count,
		   double limit_percent, bool drift);

#endif
