/* SPDX-License-Identifier: MIT */
/*
 * Does the cost of an operation grow faster than its pixels? Three answers: ok, poor, inconclusive,
 * always with slope, bound and range so that a person can judge the judge. Pure.
 *
 * The rule: Theil-Sen slope of log cost over log pixels on per-size medians above 1.17 with a
 * one-sided 95 % lower bound above 1, and cost per pixel of the upper third of sizes at least 1.6
 * times that of the lower third. It needs five sizes, three samples each, a range of 8x. Least
 * squares and best-of-several-laws fits flag 8 to 60 % of linear data under 20 % noise; this one
 * at most 3 %, and a step of 1.35x where the processor's cache ends at most 5 %.
 *
 * What every operation costs whatever its size flattens the slope. From eight sizes and a range of
 * 16x on it is fitted too, and the rule is asked again without 70 % of it: all of it would let
 * noise of the fit pass for growth.
 */
#ifndef WAN_PROFILER_SCALING_H
#define WAN_PROFILER_SCALING_H

#include <stdbool.h>
#include <stddef.h>

#define WAN_SCALING_SIZES_MIN   5
#define WAN_SCALING_SAMPLES_MIN 3
#define WAN_SCALING_RANGE_MIN   8.0
#define WAN_SCALING_SLOPE       1.17
#define WAN_SCALING_RATIO       1.6
#define WAN_SCALING_PROVISIONAL 3.0 /* cost per pixel with two to four sizes */

enum wan_scaling_verdict {
	WAN_SCALING_INCONCLUSIVE,
	WAN_SCALING_OK,
	WAN_SCALING_POOR,
};

struct wan_scaling_sample {
	double pixels, cost; /* cost: time or bytes, any unit */
};

struct wan_scaling {
	enum wan_scaling_verdict verdict;
	const char *reason; /* why inconclusive, static text; "" otherwise */
	unsigned sizes;     /* distinct sizes with enough samples */
	bool fitted;        /* slope, lower_bound and ratio are known */
	bool provisional;   /* two to four sizes whose cost per pixel rises more than 3x */
	double slope;       /* exponent: 1 is proportional */
	double lower_bound; /* one-sided 95 % */
	double upper_bound; /* the same from above: both together hold it with 90 % */
	double ratio;       /* cost per pixel, upper third over lower third of sizes */
	double range;       /* largest over smallest size */
	double fixed;       /* cost at no pixels, in the unit of cost; 0: none, or too few sizes */
};

/* Reorders samples. Sizes within 5 % of each other are one size. */
void wan_scaling_fit(struct wan_scaling_sample *samples, size_t count,
		     struct wan_scaling *ret_scaling);
const char *wan_scaling_verdict_name(enum wan_scaling_verdict verdict);

#endif
