/* SPDX-License-Identifier: MIT */
#include "leak_judge.h"

#include <math.h>
#include <string.h>

#include "macros.h"
#include "str.h"
#include "units.h"

/* Two-sided: 99 %, so that a clean program is accused once in 200 runs at most; the later half only
 * has to agree (80 %). */
#define SURE   2.576
#define AGREES 1.282

enum { PAIRS_MAX = WAN_LEAK_READINGS_MAX * (WAN_LEAK_READINGS_MAX - 1) / 2 };

struct slope {
	double each, low, high;
};

/* qsort() may allocate. */
static void sort(double *values, size_t count)
{
	for (size_t gap = count / 2; gap; gap /= 2)
		for (size_t i = gap; i < count; i++) {
			double value = values[i];
			size_t j = i;
			for (; j >= gap && values[j - gap] > value; j -= gap)
				values[j] = values[j - gap];
			values[j] = value;
		}
}

/* Theil and Sen; the interval as in Hollander and Wolfe, Nonparametric Statistical Methods, 9.3. */
static struct slope slope_of(const struct wan_leak_reading *readings, size_t count, double z)
{
	double slopes[PAIRS_MAX], n = (double)count;
	size_t pairs = 0;
	for (size_t i = 0; i < count; i++)
		for (size_t j = i + 1; j < count; j++)
			if (readings[j].at > readings[i].at)
				slopes[pairs++] = (readings[j].bytes - readings[i].bytes) /
						  (readings[j].at - readings[i].at);
	if (!pairs)
		return (struct slope){NAN, -INFINITY, INFINITY};
	sort(slopes, pairs);
	double cut = ((double)pairs - z * sqrt(n * (n - 1) * (2 * n + 5) / 18)) / 2;
	struct slope slope = {(slopes[(pairs - 1) / 2] + slopes[pairs / 2]) / 2, -INFINITY,
			      INFINITY};
	if (cut >= 1) {
		size_t out = (size_t)cut;
		slope.low = slopes[out - 1];
		slope.high = slopes[pairs - out];
	}
	return slope;
}

/* What is left to come when growth goes on to fall by the same share each half. */
static double left_to_come(double early, double late, double half)
{
	double share = late / early;
	return late * half * share / (1 - share);
}

/* It grew as a whole; does it go on? */
static void judge_growth(struct wan_leak_judgement *judgement, const struct slope *early,
			 const struct slope *late, const struct wan_leak_rules *rules)
{
	double half = judgement->iterations / 2;
	judgement->verdict = WAN_LEAK_INCONCLUSIVE;
	judgement->shape = WAN_LEAK_UNEVEN;
	if (late->each < rules->each_bytes) {
		judgement->verdict = WAN_LEAK_NONE;
		judgement->shape = WAN_LEAK_ENDED;
	} else if (early->each > 0 && late->each < early->each / 2) {
		judgement->shape = WAN_LEAK_DYING_AWAY;
		if (left_to_come(early->each, late->each, half) <= rules->limit_bytes)
			judgement->verdict = WAN_LEAK_NONE;
	} else if (late->low > 0) {
		judgement->verdict = WAN_LEAK_FOUND;
		judgement->shape = WAN_LEAK_STEADY;
	}
}

/* Growth of more than one and a half standard errors that goes on, and is not sure for lack of
 * readings: their error falls with the power 1.5 of their number. */
static bool seems_to_grow(struct wan_leak_judgement *judgement, const struct wan_leak_rules *rules)
{
	double half = (judgement->high - judgement->low) / 2;
	if (judgement->low > 0 || judgement->each < 2 * rules->each_bytes ||
	    judgement->late < rules->each_bytes || judgement->each < half * 1.5 / SURE)
		return false;
	judgement->needed = ceil(judgement->iterations * pow(half / judgement->each, 2.0 / 3));
	judgement->needed = fmax(judgement->needed, ceil(judgement->iterations * 1.5));
	return true;
}

static void judge_rest(struct wan_leak_judgement *judgement, const struct slope *late,
		       const struct wan_leak_rules *rules)
{
	judgement->verdict = WAN_LEAK_NONE;
	judgement->shape = WAN_LEAK_FLAT;
	if (judgement->low > 0) {
		bool slow = judgement->growth_bytes <= rules->each_bytes * judgement->iterations;
		judgement->shape = slow ? WAN_LEAK_SLOW : WAN_LEAK_ENDED;
	} else if (judgement->growth_bytes > rules->limit_bytes) {
		bool ended = late->each < rules->each_bytes && late->low <= 0 &&
			     late->high < rules->limit_bytes;
		judgement->shape = ended ? WAN_LEAK_ENDED : WAN_LEAK_UNEVEN;
		judgement->verdict = ended ? WAN_LEAK_NONE : WAN_LEAK_INCONCLUSIVE;
	} else if (seems_to_grow(judgement, rules)) {
		judgement->shape = WAN_LEAK_UNSURE;
		judgement->verdict = WAN_LEAK_INCONCLUSIVE;
	} else if (judgement->high * judgement->iterations > rules->limit_bytes) {
		judgement->shape = WAN_LEAK_NOISY;
		judgement->verdict = WAN_LEAK_INCONCLUSIVE;
	}
}

void wan_leak_judge_readings(const struct wan_leak_reading *readings, size_t count,
			     const struct wan_leak_rules *rules,
			     struct wan_leak_judgement *ret_judgement)
{
	struct wan_leak_judgement judgement = {.verdict = WAN_LEAK_INCONCLUSIVE,
					       .shape = WAN_LEAK_TOO_FEW,
					       .each = NAN,
					       .low = NAN,
					       .high = NAN,
					       .late = NAN};
	count = WAN_MIN(count, (size_t)WAN_LEAK_READINGS_MAX);
	if (count) {
		judgement.iterations = readings[count - 1].at - readings[0].at;
		judgement.growth_bytes = readings[count - 1].bytes - readings[0].bytes;
	}
	bool enough = judgement.iterations >= rules->iterations && count > WAN_LEAK_LEAST;
	if (count > WAN_LEAK_LEAST) {
		/* The first reading comes before everything that is made once. */
		struct slope all = slope_of(readings, count, SURE);
		struct slope early = slope_of(readings, count / 2 + 1, AGREES);
		struct slope late = slope_of(readings + count / 2, count - count / 2, AGREES);
		judgement.each = all.each;
		judgement.low = all.low;
		judgement.high = all.high;
		judgement.late = late.each;
		if (enough && all.low > 0 && all.each >= rules->each_bytes)
			judge_growth(&judgement, &early, &late, rules);
		else if (enough)
			judge_rest(&judgement, &late, rules);
	}
	if (rules->classic && enough) {
		bool over = judgement.growth_bytes > rules->limit_bytes;
		judgement.verdict = over ? WAN_LEAK_FOUND : WAN_LEAK_NONE;
		judgement.shape = over ? WAN_LEAK_OVER_LIMIT : WAN_LEAK_FLAT;
	}
	*ret_judgement = judgement;
}

static const char *signed_bytes(char *to, size_t bytes, double value)
{
	char text[32];
	wan_format_bytes(text, sizeof(text), (uint64_t)fabs(value));
	wan_str_format(to, bytes, "%s%s", value <= -1 ? "-" : "", text);
	return to;
}

void wan_leak_explain(const struct wan_leak_judgement *judgement,
		      const struct wan_leak_rules *rules, char *to, size_t bytes)
{
	char each[40], grown[40], limit[40], late[40];
	signed_bytes(each, sizeof(each), isfinite(judgement->each) ? judgement->each : 0);
	signed_bytes(late, sizeof(late), isfinite(judgement->late) ? judgement->late : 0);
	signed_bytes(grown, sizeof(grown), judgement->growth_bytes);
	signed_bytes(limit, sizeof(limit), rules->limit_bytes);
	switch (judgement->shape) {
	case WAN_LEAK_FLAT: {
		char most[40];
		size_t used = wan_str_format(
			to, bytes,
			judgement->growth_bytes < rules->each_bytes * judgement->iterations
				? "%s in all: no growth per iteration"
				: "it grew by %s, but not from one iteration to the next",
			grown);
		if (judgement->high >= rules->each_bytes && isfinite(judgement->high))
			wan_str_format(to + used, bytes - used, " (up to %s is not excluded)",
				       signed_bytes(most, sizeof(most), judgement->high));
		return;
	}
	case WAN_LEAK_TOO_FEW:
		if (judgement->iterations >= rules->iterations) {
			wan_str_format(to, bytes,
				       "too few readings could be taken of %.0f iterations",
				       judgement->iterations);
			return;
		}
		wan_str_format(to, bytes, "%.0f iteration%s seen, %u are needed",
			       judgement->iterations, judgement->iterations == 1 ? "" : "s",
			       rules->iterations);
		return;
	case WAN_LEAK_STEADY:
		wan_str_format(to, bytes, "every iteration keeps about %s: %s after %.0f", each,
			       grown, judgement->iterations);
		return;
	case WAN_LEAK_ENDED:
		wan_str_format(to, bytes,
			       "it grew by %s and then no more: a cache, or what is made once",
			       grown);
		return;
	case WAN_LEAK_DYING_AWAY:
		wan_str_format(to, bytes, "it grows ever less (%s per iteration lately)%s", late,
			       judgement->verdict == WAN_LEAK_NONE
				       ? ": a cache that fills"
				       : ", but not little enough: run more iterations");
		return;
	case WAN_LEAK_SLOW:
		wan_str_format(to, bytes, "%s per iteration: too little to be called a leak", each);
		return;
	case WAN_LEAK_UNEVEN:
		wan_str_format(to, bytes, "it grew by %s, unevenly: run more iterations", grown);
		return;
	case WAN_LEAK_NOISY:
		wan_str_format(
			to, bytes,
			"it goes up and down so much that %s could hide: run more iterations",
			limit);
		return;
	case WAN_LEAK_UNSURE:
		wan_str_format(to, bytes,
			       "it seems to grow by %s per iteration, which may be chance: about "
			       "%.0f iterations would tell",
			       each, judgement->needed);
		return;
	case WAN_LEAK_OVER_LIMIT:
		wan_str_format(to, bytes, "it grew by %s, above %s", grown, limit);
		return;
	}
}

size_t wan_leak_thin(struct wan_leak_reading *readings, size_t count)
{
	const size_t room = WAN_LEAK_READINGS_MAX - 1;
	if (count <= WAN_LEAK_READINGS_MAX)
		return count;
	size_t others = count - 1;
	for (size_t i = 0; i < room; i++) {
		size_t first = 1 + i * others / room, end = 1 + (i + 1) * others / room;
		size_t low = first;
		for (size_t k = first; k < end; k++)
			if (readings[k].bytes < readings[low].bytes)
				low = k;
		readings[1 + i] = readings[low]; /* 1 + i never passes first */
	}
	return WAN_LEAK_READINGS_MAX;
}
