/* SPDX-License-Identifier: MIT */
/*
 * The verdict. Slower: the interval lies above 1 (above the drift where runs were not interleaved)
 * at Holm's corrected confidence, and the estimate is at least half of the limit, so that a proven
 * 0.5 % fails nobody. Same: a slow-down of the limit is excluded; all rows have to exclude it,
 * which needs no correction. Anything else is inconclusive.
 */
#include <math.h>
#include <stdbool.h>

#include "compare.h"
#include "macros.h"

const char *compare_verdict_name(enum compare_verdict verdict)
{
	static const char *const names[] = {"same", "slower", "faster", "inconclusive",
					    "too few pairs"};
	return names[verdict];
}

static struct stat_interval interval(const struct compare_sample *sample, double confidence)
{
	return stat_paired_shift(sample->base, sample->now, sample->pairs, true, confidence);
}

/* Half-widths shrink with the root of the pairs; a quarter of the limit on each side decides. */
static size_t more_pairs(const struct compare_row *row, double limit)
{
	double width = log(row->ratio.high) - log(row->ratio.low);
	if (!isfinite(width) || !(limit > 0))
		return 0;
	double all = (double)row->pairs * pow(width / (0.5 * log1p(limit)), 2);
	all = WAN_CLAMP(all, (double)row->pairs + 1, 10000.0);
	return (size_t)ceil(all) - row->pairs;
}

static enum compare_verdict plain_verdict(struct compare_row *row, double limit, double drift)
{
	row->wanted = 0;
	if (!(row->ratio.high < INFINITY)) {
		size_t needed = stat_pairs_needed(COMPARE_CONFIDENCE);
		row->wanted = needed > row->pairs ? needed - row->pairs : 1;
		return COMPARE_TOO_FEW;
	}
	if (row->ratio.high * (1 + drift) < 1)
		return COMPARE_FASTER;
	if (row->ratio.high < 1 + limit)
		return COMPARE_SAME;
	row->wanted = more_pairs(row, limit);
	return COMPARE_INCONCLUSIVE;
}

/* One round of Holm: rows that are proven when shared among that many. How many were. */
static size_t prove(struct compare_row *rows, const struct compare_sample *samples, size_t count,
		    double limit, double drift, size_t sharing)
{
	size_t proven = 0;
	double confidence = 1 - (1 - COMPARE_CONFIDENCE) / (double)sharing;
	for (size_t i = 0; i < count; i++) {
		if (rows[i].verdict == COMPARE_SLOWER || rows[i].verdict == COMPARE_TOO_FEW ||
		    !(rows[i].ratio.low > 1 + drift) || rows[i].ratio.estimate < 1 + limit / 2)
			continue;
		if (!(interval(&samples[i], confidence).low > 1 + drift))
			continue;
		rows[i].verdict = COMPARE_SLOWER;
		rows[i].wanted = 0;
		proven++;
	}
	return proven;
}

void compare_judge(struct compare_row *rows, const struct compare_sample *samples, size_t count,
		   double limit_percent, bool drifts)
{
	double limit = limit_percent / 100, drift = drifts ? COMPARE_DRIFT_PERCENT / 100 : 0;
	for (size_t i = 0; i < count; i++) {
		rows[i].pairs = samples[i].pairs;
		rows[i].ratio = interval(&samples[i], COMPARE_CONFIDENCE);
		rows[i].verdict = plain_verdict(&rows[i], limit, drift);
	}
	size_t sharing = count;
	for (size_t proven = 1; proven && sharing;) {
		proven = prove(rows, samples, count, limit, drift, sharing);
		sharing -= proven;
	}
}
