/* SPDX-License-Identifier: MIT */
#include "scaling.h"

#include <math.h>
#include <stdlib.h>

#define SIZES_MAX 48
#define PAIRS_MAX (SIZES_MAX * (SIZES_MAX - 1) / 2)

#define FIXED_SIZES_MIN 8
#define FIXED_RANGE_MIN 16.0
#define FIXED_SHARE_MIN 0.2 /* of the smallest cost, else it cannot hide anything */
#define FIXED_TAKEN     0.7

struct size {
	double pixels, cost; /* medians of the group */
};

static int by_pixels(const void *left, const void *right)
{
	const struct wan_scaling_sample *a = left, *b = right;
	return a->pixels < b->pixels ? -1 : a->pixels > b->pixels;
}

static int by_cost(const void *left, const void *right)
{
	const struct wan_scaling_sample *a = left, *b = right;
	return a->cost < b->cost ? -1 : a->cost > b->cost;
}

static int by_value(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return a < b ? -1 : a > b;
}

static double median(const double *sorted, size_t count)
{
	return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

const char *wan_scaling_verdict_name(enum wan_scaling_verdict verdict)
{
	static const char *const names[] = {"inconclusive", "ok", "poor"};
	return names[verdict];
}

static size_t drop_unusable(struct wan_scaling_sample *samples, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		if (samples[i].pixels > 0 && samples[i].cost > 0 && isfinite(samples[i].cost))
			samples[kept++] = samples[i];
	return kept;
}

/* Group samples (sorted by pixels) into sizes; returns how many sizes there would be in all. */
static size_t group(struct wan_scaling_sample *samples, size_t count, double tolerance,
		    struct size *sizes)
{
	size_t found = 0;
	for (size_t first = 0, end; first < count; first = end) {
		for (end = first + 1;
		     end < count && samples[end].pixels <= samples[first].pixels * tolerance;)
			end++;
		if (end - first < WAN_SCALING_SAMPLES_MIN)
			continue;
		if (found < SIZES_MAX) {
			size_t half = (end - first) / 2;
			sizes[found].pixels = samples[first + half].pixels;
			qsort(samples + first, end - first, sizeof(*samples), by_cost);
			sizes[found].cost = (end - first) % 2 ? samples[first + half].cost
							      : (samples[first + half - 1].cost +
								 samples[first + half].cost) /
									2;
			qsort(samples + first, end - first, sizeof(*samples), by_pixels);
		}
		found++;
	}
	return found;
}

/*
 * Theil-Sen: the median of all pairwise slopes. The bound inverts Kendall's test: with variance
 * n(n-1)(2n+5)/18 of S, the slopes below the bound's rank could be there by chance.
 */
static void theil_sen(const struct size *sizes, size_t count, struct wan_scaling *fit)
{
	double slopes[PAIRS_MAX];
	size_t pairs = 0;
	for (size_t i = 0; i < count; i++)
		for (size_t j = i + 1; j < count; j++)
			slopes[pairs++] = log(sizes[j].cost / sizes[i].cost) /
					  log(sizes[j].pixels / sizes[i].pixels);
	qsort(slopes, pairs, sizeof(*slopes), by_value);
	double n = (double)count;
	double reach = 1.645 * sqrt(n * (n - 1) * (2 * n + 5) / 18);
	double rank = floor(((double)pairs - reach) / 2);
	fit->slope = median(slopes, pairs);
	fit->lower_bound = slopes[rank > 0 ? (size_t)rank : 0];
	fit->upper_bound = slopes[pairs - 1 - (rank > 0 ? (size_t)rank : 0)];
}

static double median_per_pixel(const struct size *sizes, size_t count)
{
	double values[SIZES_MAX];
	for (size_t i = 0; i < count; i++)
		values[i] = sizes[i].cost / sizes[i].pixels;
	qsort(values, count, sizeof(*values), by_value);
	return median(values, count);
}

/* The line through the lower part of the sizes, where growth is not yet to be seen. */
static double fixed_cost(const struct size *sizes, size_t found)
{
	size_t count = (found * 3 + 2) / 5, pairs = 0;
	double slopes[PAIRS_MAX], rests[SIZES_MAX], least = sizes[0].cost;
	for (size_t i = 0; i < count; i++)
		for (size_t j = i + 1; j < count; j++)
			slopes[pairs++] = (sizes[j].cost - sizes[i].cost) /
					  (sizes[j].pixels - sizes[i].pixels);
	qsort(slopes, pairs, sizeof(*slopes), by_value);
	double slope = median(slopes, pairs);
	for (size_t i = 0; i < count; i++)
		rests[i] = sizes[i].cost - slope * sizes[i].pixels;
	qsort(rests, count, sizeof(*rests), by_value);
	for (size_t i = 0; i < found; i++)
		least = fmin(least, sizes[i].cost);
	return fmin(fmax(0, median(rests, count)), 0.9 * least);
}

static void fit_sizes(const struct size *sizes, size_t found, struct wan_scaling *fit)
{
	size_t third = found >= 3 ? found / 3 : 1;
	fit->ratio =
		median_per_pixel(sizes + found - third, third) / median_per_pixel(sizes, third);
	theil_sen(sizes, found, fit);
}

static bool is_poor(const struct wan_scaling *fit)
{
	return fit->slope > WAN_SCALING_SLOPE && fit->lower_bound > 1 &&
	       fit->ratio >= WAN_SCALING_RATIO;
}

/* Once more, without most of the fixed cost: taken over where it shows growth. */
static void look_behind_fixed(const struct size *sizes, size_t found, struct wan_scaling *fit)
{
	struct size less[SIZES_MAX];
	struct wan_scaling behind = *fit;
	if (found < FIXED_SIZES_MIN || fit->range < FIXED_RANGE_MIN)
		return;
	fit->fixed = behind.fixed = fixed_cost(sizes, found);
	if (is_poor(fit) || FIXED_TAKEN * fit->fixed < FIXED_SHARE_MIN * sizes[0].cost)
		return;
	for (size_t i = 0; i < found; i++)
		less[i] = (struct size){.pixels = sizes[i].pixels,
					.cost = sizes[i].cost - FIXED_TAKEN * fit->fixed};
	fit_sizes(less, found, &behind);
	if (is_poor(&behind))
		*fit = behind;
}

static const char *what_is_missing(const struct wan_scaling *fit)
{
	if (fit->sizes < WAN_SCALING_SIZES_MIN)
		return "fewer than 5 sizes with 3 operations each";
	if (fit->range < WAN_SCALING_RANGE_MIN)
		return "largest size is less than 8 times the smallest";
	return NULL;
}

static void judge(struct wan_scaling *fit)
{
	fit->reason = what_is_missing(fit);
	if (fit->reason) {
		fit->verdict = WAN_SCALING_INCONCLUSIVE;
		fit->provisional = fit->sizes >= 2 && fit->sizes < WAN_SCALING_SIZES_MIN &&
				   fit->ratio > WAN_SCALING_PROVISIONAL;
		return;
	}
	fit->reason = "";
	if (fit->slope <= WAN_SCALING_SLOPE) {
		fit->verdict = WAN_SCALING_OK;
	} else if (is_poor(fit)) {
		fit->verdict = WAN_SCALING_POOR;
	} else {
		fit->verdict = WAN_SCALING_INCONCLUSIVE;
		fit->reason = "rises faster than the pixels, but not beyond the noise";
	}
}

void wan_scaling_fit(struct wan_scaling_sample *samples, size_t count,
		     struct wan_scaling *ret_scaling)
{
	struct size sizes[SIZES_MAX];
	*ret_scaling = (struct wan_scaling){.reason = ""};
	count = drop_unusable(samples, count);
	qsort(samples, count, sizeof(*samples), by_pixels);
	double tolerance = 1.05;
	size_t found = group(samples, count, tolerance, sizes);
	while (found > SIZES_MAX) {
		tolerance *= 1.25; /* ends: at some width everything is one size */
		found = group(samples, count, tolerance, sizes);
	}
	ret_scaling->sizes = (unsigned)found;
	if (found >= 2) {
		ret_scaling->range = sizes[found - 1].pixels / sizes[0].pixels;
		fit_sizes(sizes, found, ret_scaling);
		look_behind_fixed(sizes, found, ret_scaling);
		ret_scaling->fitted = true;
	}
	judge(ret_scaling);
}
