/* SPDX-License-Identifier: MIT */
/*
 * Is it a leak? Pure: readings of what a process holds, one at the end of each iteration, in; a
 * verdict out. The library's leak test and `wanprof leak` both judge by this.
 *
 * Growth per iteration is the median of all pairwise slopes (Theil, Sen) with the interval of
 * Kendall's test, normal approximation: neither one wild reading nor a sawtooth moves it. What
 * steady growth alone does not show is whether it ends, so the later half must grow by itself.
 */
#ifndef WAN_PROFILER_LEAK_JUDGE_H
#define WAN_PROFILER_LEAK_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wan/leak.h"

#define WAN_LEAK_ITERATIONS  10u /* requirements */
#define WAN_LEAK_LEAST       6u  /* with the first reading 7: below that no interval exists */
#define WAN_LEAK_LIMIT_BYTES (100ull << 20) /* requirements: 100.0 MB is none, 100.1 MB is */
#define WAN_LEAK_EACH_BYTES  (32ull << 10)  /* 3200 iterations to the limit: histories, logs */

enum { WAN_LEAK_READINGS_MAX = 64 };

struct wan_leak_reading {
	double at, bytes; /* iterations done so far; what is held */
};

struct wan_leak_rules {
	uint32_t iterations;
	double limit_bytes, each_bytes;
	bool classic;
};

/* Of the curve, for the sentence. */
enum wan_leak_shape {
	WAN_LEAK_FLAT,
	WAN_LEAK_TOO_FEW,
	WAN_LEAK_STEADY,     /* every iteration adds about as much: a leak */
	WAN_LEAK_ENDED,      /* it grew, and the later half does not any more */
	WAN_LEAK_DYING_AWAY, /* it grows ever less: what is left to come is within the limit */
	WAN_LEAK_SLOW,       /* steady, and below each_bytes */
	WAN_LEAK_UNEVEN,     /* it grew, and neither of these can be said */
	WAN_LEAK_NOISY,      /* it goes up and down so much that a leak could hide in it */
	WAN_LEAK_UNSURE,     /* it seems to grow, and that might be chance */
	WAN_LEAK_OVER_LIMIT, /* classic */
};

struct wan_leak_judgement {
	enum wan_leak_verdict verdict;
	enum wan_leak_shape shape;
	double iterations, growth_bytes;
	double each, low, high; /* bytes per iteration; NAN: not known */
	double late;            /* the same of the later half */
	double needed;          /* UNSURE: iterations that would probably decide */
};

/* readings by at, ascending; count at most WAN_LEAK_READINGS_MAX. */
void wan_leak_judge_readings(const struct wan_leak_reading *readings, size_t count,
			     const struct wan_leak_rules *rules,
			     struct wan_leak_judgement *ret_judgement);
/* One sentence about it. */
void wan_leak_explain(const struct wan_leak_judgement *judgement,
		      const struct wan_leak_rules *rules, char *to, size_t bytes);
/*
 * Few enough to be judged, in place: the first stays, of each stretch of the others the lowest one
 * does, because a leak raises what is left at the bottom. Returns how many remain.
 */
size_t wan_leak_thin(struct wan_leak_reading *readings, size_t count);

#endif
