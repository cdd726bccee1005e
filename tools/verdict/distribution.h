/* SPDX-License-Identifier: MIT */
/*
 * Which order statistic bounds an interval: the largest rank k for which the null distribution has
 * at most (1 - confidence) / 2 below it. Exact while the sample is small, the normal limit with
 * correction for continuity beyond. 0: the sample is too small for that confidence.
 */
#ifndef WAN_TOOLS_DISTRIBUTION_H
#define WAN_TOOLS_DISTRIBUTION_H

#include <stddef.h>
#include <stdint.h>

/* Of the n(n+1)/2 pairwise means (signed-rank test). */
uint64_t wan_signed_rank_bound(size_t pairs, double confidence);
/* Of the a*b differences (rank-sum test). */
uint64_t wan_rank_sum_bound(size_t count_a, size_t count_b, double confidence);
/* Of the slopes of n points (Kendall's test); slopes: n(n-1)/2 less those of equal x. */
uint64_t wan_kendall_bound(size_t points, uint64_t slopes, double confidence);
/* The value below which a standard normal one lies with probability p, 0 < p < 1. */
double wan_normal_quantile(double p);

#endif
