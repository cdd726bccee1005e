/* SPDX-License-Identifier: MIT */
/* Did it take more memory? The peaks of operations alike in each pair of runs, and those of runs.
 */
#include "compare_memory.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "cleanup.h"
#include "macros.h"

bool compare_of_row(const struct compare_row *row, const struct run_class *class)
{
	return !row->name ||
	       (strcmp(row->name, class->name) == 0 && strcmp(row->library, class->library) == 0);
}

/* False: it is not known of both. */
static bool peaks(const struct compare_row *row, const struct compare_sides *sides, size_t pair,
		  double *ret_base, double *ret_now)
{
	const struct run_classes *from = &sides->base[pair];
	*ret_base = *ret_now = NAN;
	if (!row->name) {
		*ret_base = sides->base_runs[pair].rss_peak_mb;
		*ret_now = sides->now_runs[pair].rss_peak_mb;
	}
	for (size_t i = 0; row->name && i < from->count; i++) {
		const struct run_class *a = &from->items[i];
		const struct run_class *b =
			compare_of_row(row, a) ? run_classes_find(&sides->now[pair], a) : NULL;
		if (!b || isnan(a->peak_mb) || isnan(b->peak_mb))
			continue;
		*ret_base = fmax(*ret_base, a->peak_mb);
		*ret_now = fmax(*ret_now, b->peak_mb);
	}
	return *ret_base > 0 && *ret_now > 0 && isfinite(*ret_base) && isfinite(*ret_now);
}

static bool all_above(const double *base, const double *now, size_t count, double ratio)
{
	for (size_t i = 0; i < count; i++)
		if (!(now[i] >= base[i] * ratio))
			return false;
	return count > 0;
}

/* sharing: rows that are judged together. */
static enum compare_verdict judge(const struct compare_row *row, const double *base,
				  const double *now, size_t sharing)
{
	double limit = COMPARE_MEMORY_PERCENT / 100;
	if (!(row->mb_ratio.high < INFINITY))
		return row->name && all_above(base, now, row->mb_pairs, 1 + 2 * limit)
			       ? COMPARE_SLOWER
			       : COMPARE_TOO_FEW;
	double confidence = 1 - (1 - COMPARE_CONFIDENCE) / (double)sharing;
	struct stat_interval sure = stat_paired_shift(base, now, row->mb_pairs, true, confidence);
	if (sure.low > 1 && row->mb_ratio.estimate >= 1 + limit / 2)
		return COMPARE_SLOWER;
	if (row->mb_ratio.high < 1)
		return COMPARE_FASTER;
	return row->mb_ratio.high < 1 + limit ? COMPARE_SAME : COMPARE_INCONCLUSIVE;
}

int compare_memory(struct comparison *comparison, const struct compare_sides *sides)
{
	wan_cleanup(wan_freep) double *values = wan_calloc(sides->count, 2 * sizeof(*values));
	if (!values)
		return -ENOMEM;
	double *base = values, *now = values + sides->count;
	for (size_t i = 0; i < comparison->count; i++) {
		struct compare_row *row = &comparison->rows[i];
		double base_sum = 0, now_sum = 0;
		size_t pairs = 0;
		for (size_t pair = 0; pair < sides->count; pair++) {
			if (!peaks(row, sides, pair, &base[pairs], &now[pairs]))
				continue;
			base_sum += base[pairs];
			now_sum += now[pairs++];
		}
		row->mb_pairs = pairs;
		row->base_mb = pairs ? base_sum / (double)pairs : NAN;
		row->now_mb = pairs ? now_sum / (double)pairs : NAN;
		row->mb_ratio = stat_paired_shift(base, now, pairs, true, COMPARE_CONFIDENCE);
		row->mb_verdict = judge(row, base, now, comparison->count);
	}
	return 0;
}
