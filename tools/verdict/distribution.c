/* SPDX-License-Identifier: MIT */
/* Exact tables are sums of non-negative probabilities only: no cancellation, no overflow. */
#include "distribution.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "alloc.h"
#include "cleanup.h"
#include "macros.h"

enum {
	SIGNED_RANK_EXACT = 120, /* pairs: 7261 sums */
	RANK_SUM_EXACT = 40,     /* both samples: at most 401 sums */
	KENDALL_EXACT = 60,      /* points: 1771 sums */
};

/* Bisection of erfc, which libm has to the last digit: quick enough for one call a test. */
double wan_normal_quantile(double p)
{
	double low = -40, high = 40;
	if (!(p > 0 && p < 1))
		return NAN;
	for (int i = 0; i < 200 && low < high; i++) {
		double middle = (low + high) / 2;
		if (0.5 * erfc(-middle * M_SQRT1_2) < p)
			low = middle;
		else
			high = middle;
	}
	return (low + high) / 2;
}

/* How many of the first values of the distribution stay at or below the tail together. */
static uint64_t below_tail(const double *probability, size_t count, double tail)
{
	double sum = 0;
	size_t k = 0;
	/* A hair above: 0.025 asked and 0.025 summed from binary fractions are one. */
	while (k < count && sum + probability[k] <= tail * (1 + 1e-12))
		sum += probability[k++];
	return k;
}

static uint64_t normal_bound(double mean, double variance, double tail)
{
	double bound = mean + wan_normal_quantile(tail) * sqrt(variance) + 0.5;
	return bound >= 1 ? (uint64_t)bound : 0;
}

static bool usable(double confidence)
{
	return confidence > 0 && confidence < 1;
}

uint64_t wan_signed_rank_bound(size_t pairs, double confidence)
{
	if (!pairs || !usable(confidence))
		return 0;
	double tail = (1 - confidence) / 2, n = (double)pairs;
	if (pairs > SIGNED_RANK_EXACT)
		return normal_bound(n * (n + 1) / 4, n * (n + 1) * (2 * n + 1) / 24, tail);
	size_t sums = pairs * (pairs + 1) / 2 + 1;
	wan_cleanup(wan_freep) double *probability = wan_calloc(sums, sizeof(double));
	if (!probability)
		return 0;
	probability[0] = 1;
	for (size_t rank = 1; rank <= pairs; rank++)
		for (size_t sum = rank * (rank + 1) / 2 + 1; sum-- > 0;)
			probability[sum] =
				(probability[sum] + (sum >= rank ? probability[sum - rank] : 0)) /
				2;
	return below_tail(probability, sums, tail);
}

/* Ways to choose `chosen` of the ranks seen so far so that their excess over the least possible sum
 * is u, as probabilities: each rank is taken with the probability that it is in a random choice. */
static void rank_sum_table(double *table, size_t a, size_t b)
{
	size_t sums = a * b + 1;
	table[0] = 1;
	for (size_t rank = 1; rank <= a + b; rank++)
		for (size_t chosen = WAN_MIN(rank, a) + 1; chosen-- > 0;) {
			double *here = table + chosen * sums;
			/* of the ranks seen before, `chosen` or one less are taken */
			double stay = (double)(rank - chosen) / (double)rank;
			double take = (double)chosen / (double)rank;
			for (size_t u = sums; u-- > 0;) {
				size_t excess = rank - chosen;
				double taken =
					chosen && u >= excess ? (here - sums)[u - excess] : 0;
				here[u] = stay * here[u] + take * taken;
			}
		}
}

uint64_t wan_rank_sum_bound(size_t count_a, size_t count_b, double confidence)
{
	if (!count_a || !count_b || !usable(confidence))
		return 0;
	double tail = (1 - confidence) / 2, a = (double)count_a, b = (double)count_b;
	if (count_a + count_b > RANK_SUM_EXACT)
		return normal_bound(a * b / 2, a * b * (a + b + 1) / 12, tail);
	size_t sums = count_a * count_b + 1;
	wan_cleanup(wan_freep) double *table = wan_calloc((count_a + 1) * sums, sizeof(double));
	if (!table)
		return 0;
	rank_sum_table(table, count_a, count_b);
	return below_tail(table + count_a * sums, sums, tail);
}

/* Inversions of a random order of n points: each new point adds 0 to i, equally likely. */
static uint64_t kendall_exact(size_t points, double tail)
{
	size_t sums = points * (points - 1) / 2 + 1;
	wan_cleanup(wan_freep) double *table = wan_calloc(2 * sums, sizeof(double));
	if (!table)
		return 0;
	double *now = table, *next = table + sums;
	now[0] = 1;
	for (size_t i = 1; i < points; i++) {
		double window = 0;
		for (size_t sum = 0; sum < sums; sum++) {
			window += now[sum];
			if (sum > i)
				window -= now[sum - i - 1];
			next[sum] = window / (double)(i + 1);
		}
		double *swap = now;
		now = next;
		next = swap;
	}
	return below_tail(now, sums, tail);
}

uint64_t wan_kendall_bound(size_t points, uint64_t slopes, double confidence)
{
	if (points < 2 || !usable(confidence))
		return 0;
	double n = (double)points, tail = (1 - confidence) / 2;
	if (points <= KENDALL_EXACT && slopes == (uint64_t)points * (points - 1) / 2)
		return kendall_exact(points, tail);
	/* Equal x: fewer slopes, the variance of distinct ones bounds theirs from above. */
	return normal_bound((double)slopes / 2, n * (n - 1) * (2 * n + 5) / 72, tail);
}
