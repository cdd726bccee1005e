/* SPDX-License-Identifier: MIT */
/*
 * Order statistics of pairs are never listed: n pairs have n(n+1)/2 means. They are counted (how
 * many are at most t?) in one pass over the sorted sample, and the k-th is found by bisecting t
 * over the doubles themselves, which is exact after at most 64 steps.
 */
#include "statistics.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cleanup.h"
#include "distribution.h"
#include "macros.h"

#define NOTHING                                                                                    \
	(struct stat_interval)                                                                     \
	{                                                                                          \
		NAN, -INFINITY, INFINITY                                                           \
	}

static int ascending(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

/* NULL: nothing to work on, a NAN, or no memory. */
static double *sorted_copy(const double *values, size_t count)
{
	double *copy = count ? wan_malloc(count * sizeof(*copy)) : NULL;
	for (size_t i = 0; copy && i < count; i++) {
		if (isnan(values[i])) {
			wan_free(copy);
			return NULL;
		}
		copy[i] = values[i];
	}
	if (copy)
		qsort(copy, count, sizeof(*copy), ascending);
	return copy;
}

static double percentile_sorted(const double *sorted, size_t count, double p)
{
	double rank = p * (double)(count - 1);
	size_t below = (size_t)rank;
	double part = rank - (double)below;
	if (part <= 0)
		return sorted[below];
	return sorted[below] + part * (sorted[below + 1] - sorted[below]);
}

double stat_percentile(const double *values, size_t count, double p)
{
	wan_cleanup(wan_freep) double *sorted = sorted_copy(values, count);
	if (!sorted || !(p >= 0 && p <= 1))
		return NAN;
	return percentile_sorted(sorted, count, p);
}

struct stat_summary stat_summarise(const double *values, size_t count)
{
	struct stat_summary summary = {count, NAN, NAN, NAN, NAN, NAN};
	wan_cleanup(wan_freep) double *sorted = sorted_copy(values, count);
	if (!sorted)
		return summary;
	double sum = 0, squares = 0;
	for (size_t i = 0; i < count; i++)
		sum += sorted[i];
	summary.mean = sum / (double)count;
	for (size_t i = 0; i < count; i++)
		squares += (sorted[i] - summary.mean) * (sorted[i] - summary.mean);
	if (count > 1)
		summary.deviation = sqrt(squares / (double)(count - 1));
	summary.median = percentile_sorted(sorted, count, 0.5);
	summary.min = sorted[0];
	summary.max = sorted[count - 1];
	return summary;
}

double stat_mad(const double *values, size_t count)
{
	wan_cleanup(wan_freep) double *sorted = sorted_copy(values, count);
	if (!sorted)
		return NAN;
	double median = percentile_sorted(sorted, count, 0.5);
	for (size_t i = 0; i < count; i++)
		sorted[i] = fabs(sorted[i] - median);
	qsort(sorted, count, sizeof(*sorted), ascending);
	return 1.4826 * percentile_sorted(sorted, count, 0.5);
}

/* Doubles in the order of their values as integers, and back. */
static int64_t place_of(double value)
{
	int64_t bits;
	memcpy(&bits, &value, sizeof(bits));
	return bits < 0 ? INT64_MIN - bits : bits;
}

static double value_at(int64_t place)
{
	int64_t bits = place < 0 ? INT64_MIN - place : place;
	double value;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* The pairs of something: how many of their values are at most t. */
struct pairs {
	const double *a, *b; /* sorted; of slopes: x and y by x, y */
	size_t count_a, count_b;
	double *work, *merge; /* of slopes */
	uint64_t same;        /* of slopes: pairs of equal points */
};
typedef uint64_t (*count_at_most)(const struct pairs *pairs, double t);

/* The k-th smallest value (from 1) between low and high, which hold all of them. */
static double kth(const struct pairs *pairs, count_at_most count, uint64_t k, double low,
		  double high)
{
	int64_t first = place_of(low), last = place_of(high);
	while (first < last) {
		/* of the distance as unsigned: it may exceed the signed range */
		int64_t middle = first + (int64_t)(((uint64_t)last - (uint64_t)first) / 2);
		if (count(pairs, value_at(middle)) >= k)
			last = middle;
		else
			first = middle + 1;
	}
	return value_at(first);
}

/* Sums a[i] + a[j], i <= j: twice the Walsh averages. */
static uint64_t sums_at_most(const struct pairs *pairs, double t)
{
	const double *d = pairs->a;
	uint64_t count = 0;
	size_t end = pairs->count_a; /* d[i] + d[j] <= t for j < end; shrinks as d[i] grows */
	for (size_t i = 0; i < pairs->count_a; i++) {
		while (end > i && d[i] + d[end - 1] > t)
			end--;
		if (end <= i)
			break;
		count += end - i;
	}
	return count;
}

/* Differences b[j] - a[i]. */
static uint64_t differences_at_most(const struct pairs *pairs, double t)
{
	uint64_t count = 0;
	size_t end = 0; /* b[j] - a[i] <= t for j < end; grows with a[i] */
	for (size_t i = 0; i < pairs->count_a; i++) {
		while (end < pairs->count_b && pairs->b[end] - pairs->a[i] <= t)
			end++;
		count += end;
	}
	return count;
}

/* Median of `total` values, and their rank-th from either end (0: there is no such interval). */
static struct stat_interval around(const struct pairs *pairs, count_at_most count, uint64_t total,
				   uint64_t rank, double low, double high)
{
	struct stat_interval interval = NOTHING;
	double upper = kth(pairs, count, total / 2 + 1, low, high);
	interval.estimate =
		total % 2 ? upper : (kth(pairs, count, total / 2, low, high) + upper) / 2;
	if (rank) {
		interval.low = kth(pairs, count, rank, low, high);
		interval.high = kth(pairs, count, total + 1 - rank, low, high);
	}
	return interval;
}

static struct stat_interval scaled(struct stat_interval interval, double factor)
{
	interval.estimate *= factor;
	interval.low *= factor;
	interval.high *= factor;
	return interval;
}

static struct stat_interval unlogged(struct stat_interval interval)
{
	return (struct stat_interval){exp(interval.estimate), exp(interval.low),
				      exp(interval.high)};
}

/* NAN makes the whole sample one that has no figures. */
static double logarithm(double value)
{
	return value > 0 && isfinite(value) ? log(value) : NAN;
}

struct stat_interval stat_paired_shift(const double *a, const double *b, size_t count, bool ratio,
				       double confidence)
{
	struct stat_interval interval = NOTHING;
	wan_cleanup(wan_freep) double *shifts = count ? wan_malloc(count * sizeof(*shifts)) : NULL;
	for (size_t i = 0; shifts && i < count; i++)
		shifts[i] = ratio ? logarithm(b[i]) - logarithm(a[i]) : b[i] - a[i];
	wan_cleanup(wan_freep) double *sorted = shifts ? sorted_copy(shifts, count) : NULL;
	if (sorted) {
		struct pairs pairs = {.a = sorted, .count_a = count};
		uint64_t rank = wan_signed_rank_bound(count, confidence);
		interval = around(&pairs, sums_at_most, (uint64_t)count * (count + 1) / 2, rank,
				  2 * sorted[0], 2 * sorted[count - 1]);
		interval = scaled(interval, 0.5);
	}
	return ratio ? unlogged(interval) : interval;
}

size_t stat_pairs_needed(double confidence)
{
	size_t count = 1;
	while (count < 64 && !wan_signed_rank_bound(count, confidence))
		count++;
	return count;
}

static double *prepared(const double *values, size_t count, bool ratio)
{
	wan_cleanup(wan_freep) double *copy = count ? wan_malloc(count * sizeof(*copy)) : NULL;
	for (size_t i = 0; copy && i < count; i++)
		copy[i] = ratio ? logarithm(values[i]) : values[i];
	return copy ? sorted_copy(copy, count) : NULL;
}

struct stat_interval stat_shift(const double *a, size_t count_a, const double *b, size_t count_b,
				bool ratio, double confidence)
{
	struct stat_interval interval = NOTHING;
	wan_cleanup(wan_freep) double *from = prepared(a, count_a, ratio);
	wan_cleanup(wan_freep) double *to = prepared(b, count_b, ratio);
	if (from && to) {
		struct pairs pairs = {.a = from, .count_a = count_a, .b = to, .count_b = count_b};
		uint64_t rank = wan_rank_sum_bound(count_a, count_b, confidence);
		interval = around(&pairs, differences_at_most, (uint64_t)count_a * count_b, rank,
				  to[0] - from[count_a - 1], to[count_b - 1] - from[0]);
	}
	return ratio ? unlogged(interval) : interval;
}

/* Sorts values and returns how many pairs i < j had values[j] <= values[i]. */
static uint64_t sort_counting(double *values, double *merge, size_t count)
{
	if (count < 2)
		return 0;
	size_t half = count / 2, left = 0, right = half, out = 0;
	uint64_t pairs = sort_counting(values, merge, half) +
			 sort_counting(values + half, merge, count - half);
	while (left < half || right < count) {
		if (right == count || (left < half && values[left] < values[right])) {
			merge[out++] = values[left++];
		} else {
			pairs += half - left;
			merge[out++] = values[right++];
		}
	}
	memcpy(values, merge, count * sizeof(*values));
	return pairs;
}

/* A slope is at most t where y - t x does not grow from one point to the other. */
static uint64_t slopes_at_most(const struct pairs *pairs, double t)
{
	for (size_t i = 0; i < pairs->count_a; i++)
		pairs->work[i] = pairs->b[i] - t * pairs->a[i];
	return sort_counting(pairs->work, pairs->merge, pairs->count_a) - pairs->same;
}

struct point {
	double x, y;
};

static int by_x(const void *left, const void *right)
{
	const struct point *a = left, *b = right;
	int order = (a->x > b->x) - (a->x < b->x);
	return order ? order : (a->y > b->y) - (a->y < b->y);
}

/* Points in one block: x sorted, y, and room for slopes_at_most. NULL: as sorted_copy. */
static double *lay_out(const double *x, const double *y, size_t count)
{
	wan_cleanup(wan_freep) struct point *points =
		count > 1 ? wan_malloc(count * sizeof(*points)) : NULL;
	double *block = points ? wan_realloc_array(NULL, count, 4 * sizeof(*block)) : NULL;
	for (size_t i = 0; block && i < count; i++) {
		if (!isfinite(x[i]) || !isfinite(y[i])) {
			wan_free(block);
			return NULL;
		}
		points[i] = (struct point){x[i], y[i]};
	}
	if (!block)
		return NULL;
	qsort(points, count, sizeof(*points), by_x);
	for (size_t i = 0; i < count; i++) {
		block[i] = points[i].x;
		block[count + i] = points[i].y;
	}
	return block;
}

/* Pairs of one x have no slope. Also the steepest slopes, which neighbours in x bound. */
static uint64_t count_slopes(struct pairs *pairs, double *ret_low, double *ret_high)
{
	uint64_t total = (uint64_t)pairs->count_a * (pairs->count_a - 1) / 2;
	size_t x_run = 0, point_run = 0;
	*ret_low = INFINITY;
	*ret_high = -INFINITY;
	for (size_t i = 1; i < pairs->count_a; i++) {
		bool same_x = pairs->a[i] == pairs->a[i - 1];
		x_run = same_x ? x_run + 1 : 0;
		point_run = same_x && pairs->b[i] == pairs->b[i - 1] ? point_run + 1 : 0;
		total -= x_run;
		pairs->same += point_run;
	}
	for (size_t i = 0, next = 0; i < pairs->count_a; i = next) {
		double first = pairs->b[i], last;
		for (next = i; next < pairs->count_a && pairs->a[next] == pairs->a[i]; next++)
			;
		last = pairs->b[next - 1];
		if (next == pairs->count_a)
			break;
		size_t end = next;
		while (end + 1 < pairs->count_a && pairs->a[end + 1] == pairs->a[next])
			end++;
		double step = pairs->a[next] - pairs->a[i];
		*ret_low = WAN_MIN(*ret_low, (pairs->b[next] - last) / step);
		*ret_high = WAN_MAX(*ret_high, (pairs->b[end] - first) / step);
	}
	return total;
}

struct stat_interval stat_slope(const double *x, const double *y, size_t count, double confidence)
{
	struct stat_interval interval = NOTHING;
	wan_cleanup(wan_freep) double *block = lay_out(x, y, count);
	if (!block)
		return interval;
	struct pairs pairs = {.a = block,
			      .b = block + count,
			      .count_a = count,
			      .work = block + 2 * count,
			      .merge = block + 3 * count};
	double low, high;
	uint64_t total = count_slopes(&pairs, &low, &high);
	if (!total)
		return interval;
	/* Equal to rounding: y - t x of points in a line may differ in the last digit. */
	double margin = 1e-9 * WAN_MAX(fabs(low), fabs(high));
	return around(&pairs, slopes_at_most, total, wan_kendall_bound(count, total, confidence),
		      low - margin, high + margin);
}

struct stat_line stat_line(const double *x, const double *y, size_t count)
{
	struct stat_line line = {NAN, NAN, NAN};
	double mean_x = 0, mean_y = 0, xx = 0, xy = 0, yy = 0;
	for (size_t i = 0; i < count; i++) {
		mean_x += x[i] / (double)count;
		mean_y += y[i] / (double)count;
	}
	for (size_t i = 0; i < count; i++) {
		xx += (x[i] - mean_x) * (x[i] - mean_x);
		xy += (x[i] - mean_x) * (y[i] - mean_y);
		yy += (y[i] - mean_y) * (y[i] - mean_y);
	}
	if (count < 2 || !(xx > 0))
		return line;
	line.each = xy / xx;
	line.fixed = mean_y - line.each * mean_x;
	line.r2 = yy > 0 ? xy * xy / (xx * yy) : 1;
	return line;
}
