/* SPDX-License-Identifier: MIT */
/* Expected intervals were listed by brute force: every pair, every arrangement of the ranks. */
#include "statistics.h"

#include <stdint.h>

#include "distribution.h"
#include "macros.h"
#include "tap.h"

/* Hamilton depression scores before and after (Hollander and Wolfe, table 3.1). */
static const double before[] = {1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30};
static const double after[] = {0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29};
/* Permeability of membranes (the same, table 4.1). */
static const double term[] = {0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46};
static const double early[] = {1.15, 0.88, 0.90, 0.74, 1.21};

static void check_interval(struct stat_interval interval, double estimate, double low, double high)
{
	CHECK_NEAR(interval.estimate, estimate, 1e-9);
	CHECK_NEAR(interval.low, low, 1e-9);
	CHECK_NEAR(interval.high, high, 1e-9);
}

static bool is_nothing(struct stat_interval interval)
{
	return isnan(interval.estimate) && interval.low == -INFINITY && interval.high == INFINITY;
}

TEST(a_summary_has_the_figures_of_textbooks)
{
	const double values[] = {4, 1, 3, 2};
	struct stat_summary summary = stat_summarise(values, 4);
	CHECK_EQ(summary.count, 4);
	CHECK_NEAR(summary.mean, 2.5, 0);
	CHECK_NEAR(summary.median, 2.5, 0);
	CHECK_NEAR(summary.min, 1, 0);
	CHECK_NEAR(summary.max, 4, 0);
	CHECK_NEAR(summary.deviation, sqrt(5.0 / 3), 1e-15);
	CHECK_NEAR(values[0], 4, 0);
	CHECK_NEAR(stat_percentile(values, 4, 0.95), 3.85, 1e-15);
	CHECK_NEAR(stat_percentile(values, 4, 0), 1, 0);
	CHECK_NEAR(stat_percentile(values, 4, 1), 4, 0);
	const double one_off[] = {1, 2, 3, 4, 1000};
	CHECK_NEAR(stat_mad(one_off, 5), 1.4826, 1e-15);
}

TEST(figures_that_do_not_exist_are_not_made_up)
{
	const double one[] = {7}, broken[] = {1, NAN, 3}, zero[] = {0, 1, 2}, ones[] = {1, 1, 1};
	CHECK(isnan(stat_summarise(NULL, 0).mean));
	CHECK(isnan(stat_summarise(one, 1).deviation));
	CHECK_NEAR(stat_summarise(one, 1).median, 7, 0);
	CHECK(isnan(stat_summarise(broken, 3).median));
	CHECK(isnan(stat_percentile(NULL, 0, 0.5)));
	CHECK(isnan(stat_percentile(ones, 3, 1.5)));
	CHECK(isnan(stat_percentile(ones, 3, NAN)));
	CHECK(isnan(stat_mad(broken, 3)));
	CHECK(is_nothing(stat_paired_shift(NULL, NULL, 0, false, 0.95)));
	CHECK(is_nothing(stat_paired_shift(ones, broken, 3, false, 0.95)));
	CHECK(isnan(stat_paired_shift(ones, zero, 3, true, 0.95).estimate));
	CHECK(is_nothing(stat_shift(ones, 3, NULL, 0, false, 0.95)));
	CHECK(is_nothing(stat_slope(ones, zero, 3, 0.95)));
	CHECK(is_nothing(stat_slope(one, one, 1, 0.95)));
	CHECK(isnan(stat_line(ones, zero, 3).each));
	CHECK(isnan(wan_normal_quantile(0)));
}

TEST(a_paired_shift_is_that_of_every_pairwise_mean)
{
	struct stat_interval shift = stat_paired_shift(before, after, 9, false, 0.95);
	check_interval(shift, -0.46, -0.786, -0.010);
	check_interval(stat_paired_shift(before, after, 9, false, 0.9), -0.46, -0.726, -0.175);
	check_interval(stat_paired_shift(before, after, 9, false, 0.99), -0.46, -0.987, 0.1135);
	shift = stat_paired_shift(before, after, 9, false, 0.999);
	CHECK_NEAR(shift.estimate, -0.46, 1e-9);
	CHECK(shift.low == -INFINITY && shift.high == INFINITY);
}

TEST(a_ratio_is_a_shift_of_logarithms)
{
	double slow[WAN_COUNT_OF(before)];
	for (size_t i = 0; i < WAN_COUNT_OF(before); i++)
		slow[i] = before[i] * 1.05;
	struct stat_interval ratio = stat_paired_shift(before, slow, 9, true, 0.95);
	CHECK_NEAR(ratio.estimate, 1.05, 1e-12);
	CHECK_NEAR(ratio.low, 1.05, 1e-12);
	CHECK_NEAR(ratio.high, 1.05, 1e-12);
	ratio = stat_paired_shift(before, slow, 3, true, 0.95);
	CHECK_NEAR(ratio.estimate, 1.05, 1e-12);
	CHECK(ratio.low == 0 && ratio.high == INFINITY);
}

TEST(too_few_pairs_have_no_interval)
{
	CHECK_EQ(stat_pairs_needed(0.95), 6);
	CHECK_EQ(stat_pairs_needed(0.99), 8);
	CHECK(stat_paired_shift(before, after, 5, false, 0.95).high == INFINITY);
	CHECK(stat_paired_shift(before, after, 6, false, 0.95).high < INFINITY);
}

TEST(a_shift_of_two_samples_is_that_of_every_difference)
{
	check_interval(stat_shift(term, 10, early, 5, false, 0.95), -0.305, -0.76, 0.15);
	check_interval(stat_shift(term, 10, early, 5, false, 0.9), -0.305, -0.72, 0.08);
	check_interval(stat_shift(term, 10, early, 5, false, 0.999), -0.305, -1.17, 0.48);
	struct stat_interval turned = stat_shift(early, 5, term, 10, false, 0.95);
	check_interval(turned, 0.305, -0.15, 0.76);
}

TEST(a_slope_is_the_median_of_all_slopes)
{
	const double x[] = {0, 1, 2, 3, 4, 5, 6, 7}, y[] = {9, 15, 19, 20, 45, 55, 78, 60};
	check_interval(stat_slope(x, y, 8, 0.95), 9.6, 4, 14.75);
	check_interval(stat_slope(x, y, 8, 0.9999), 9.6, -18, 25);
	const double mixed_x[] = {7, 0, 5, 2, 1, 4, 3, 6},
		     mixed_y[] = {60, 9, 55, 19, 15, 45, 20, 78};
	check_interval(stat_slope(mixed_x, mixed_y, 8, 0.95), 9.6, 4, 14.75);
}

TEST(a_slope_passes_over_points_of_one_x)
{
	const double x[] = {1, 1, 1, 2, 2, 3}, y[] = {5, 5, 9, 7, 7, 9};
	/* by hand: 2 (4x), -2 (2x), 2 (2x), 0, 2 (2x) of 1-3, and so on: the middle of 11 is 2 */
	CHECK_NEAR(stat_slope(x, y, 6, 0.95).estimate, 2, 1e-8);
}

TEST(exact_bounds_meet_the_normal_limit)
{
	for (size_t n = 60; n <= 120; n += 30) {
		double mean = (double)(n * (n + 1)) / 4;
		double deviation = sqrt((double)(n * (n + 1) * (2 * n + 1)) / 24);
		double limit = mean - 1.959964 * deviation;
		CHECK_NEAR((double)wan_signed_rank_bound(n, 0.95), limit, 4);
	}
	CHECK_NEAR((double)wan_signed_rank_bound(121, 0.95),
		   (double)wan_signed_rank_bound(120, 0.95), 80);
	CHECK_NEAR((double)wan_rank_sum_bound(20, 20, 0.95), 128, 1);
	CHECK_NEAR((double)wan_rank_sum_bound(20, 21, 0.95), 135, 2);
	CHECK_NEAR((double)wan_kendall_bound(60, 1770, 0.95), 732, 3);
	CHECK_NEAR((double)wan_kendall_bound(61, 1830, 0.95), 759, 3);
	CHECK_EQ(wan_signed_rank_bound(9, 0), 0);
	CHECK_EQ(wan_signed_rank_bound(9, 1), 0);
	CHECK_NEAR(wan_normal_quantile(0.975), 1.959963984540054, 1e-12);
	CHECK_NEAR(wan_normal_quantile(0.5), 0, 1e-12);
}

TEST(large_samples_cost_no_list_of_pairs)
{
	enum { MANY = 65536 };
	double *a = malloc(sizeof(double) * MANY), *b = malloc(sizeof(double) * MANY);
	REQUIRE(a && b);
	uint32_t state = 1;
	for (size_t i = 0; i < MANY; i++) {
		state = state * 1664525 + 1013904223;
		a[i] = 100 + (double)(state >> 16) / 65536;
		b[i] = a[i] * 1.03 + ((double)(state & 0xffff) / 65536 - 0.5);
	}
	struct stat_interval ratio = stat_paired_shift(a, b, MANY, true, 0.99);
	CHECK(ratio.low < ratio.estimate && ratio.estimate < ratio.high);
	CHECK_NEAR(ratio.estimate, 1.03, 1e-3);
	CHECK(ratio.high - ratio.low < 1e-3);
	free(a);
	free(b);
}

TEST(a_line_has_its_fixed_part_and_its_slope)
{
	const double x[] = {25, 50, 75}, y[] = {151.5, 284, 416.5};
	struct stat_line line = stat_line(x, y, 3);
	CHECK_NEAR(line.fixed, 19, 1e-9);
	CHECK_NEAR(line.each, 5.3, 1e-9);
	CHECK_NEAR(line.r2, 1, 1e-9);
	const double flat[] = {5, 5, 5};
	CHECK_NEAR(stat_line(x, flat, 3).r2, 1, 0);
}

TAP_MAIN
