/* SPDX-License-Identifier: MIT */
/*
 * Statistics that a verdict may rest on: robust against the outliers of a shared machine, exact
 * where the sample is small. Pure: work is done in a copy, samples need not be sorted and are not
 * changed. NAN where a figure does not exist: an empty sample, a deviation of one value, a sample
 * with a NAN in it, no memory for the copy. Cost: n log n, of the intervals 64 passes over n.
 */
#ifndef WAN_TOOLS_STATISTICS_H
#define WAN_TOOLS_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>

struct stat_interval {
	double estimate, low, high; /* low..high covers the true value with the confidence asked */
};

struct stat_summary {
	size_t count;
	double mean, median, min, max, deviation; /* sample standard deviation, n - 1 */
};

struct stat_summary stat_summarise(const double *values, size_t count);
/* Linear between ranks (type 7), p in 0..1. */
double stat_percentile(const double *values, size_t count, double p);
/* Median absolute deviation times 1.4826. */
double stat_mad(const double *values, size_t count);

/* Median of the pairwise means of the differences (Hodges-Lehmann) of pairs b[i] against a[i] with
 * the distribution-free interval of the signed-rank test; ratio: of log(b / a), so that estimate is
 * b / a. confidence in 0..1. Fewer pairs than the confidence needs: low -INFINITY (ratio: 0), high
 * INFINITY. */
struct stat_interval stat_paired_shift(const double *a, const double *b, size_t pairs, bool ratio,
				       double confidence);
/* Fewest pairs that give a finite interval at that confidence. */
size_t stat_pairs_needed(double confidence);
/* Same for two independent samples (rank-sum test). */
struct stat_interval stat_shift(const double *a, size_t count_a, const double *b, size_t count_b,
				bool ratio, double confidence);
/* Slope of y over x by Theil and Sen, with the interval of Kendall's test. */
struct stat_interval stat_slope(const double *x, const double *y, size_t count, double confidence);

/* Least squares y = fixed + each * x; r2 in 0..1. */
struct stat_line {
	double fixed, each, r2;
};
struct stat_line stat_line(const double *x, const double *y, size_t count);

#endif
