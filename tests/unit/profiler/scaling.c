/* SPDX-License-Identifier: MIT */
#include "scaling.h"

#include <math.h>
#include <stdint.h>

#include "tap.h"

/* Data as measured times look: 20 % noise, 5 % of the samples are outliers of 2 to 6 times. */
static uint64_t seed = 20261120;

static double uniform(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (double)(seed >> 11) / 9007199254740992.0;
}

static double normal(void)
{
	return sqrt(-2 * log(uniform() + 1e-12)) * cos(6.283185307179586 * uniform());
}

#define RANGE 40.0

enum law { LINEAR, N_LOG_N, POWER_125, POWER_15, SQUARE, KNEE };

static double cost_of(enum law law, double pixels)
{
	double n = pixels / 1e6;
	switch (law) {
	case LINEAR:
		return n;
	case N_LOG_N:
		return n * log2(pixels);
	case POWER_125:
		return pow(n, 1.25);
	case POWER_15:
		return pow(n, 1.5);
	case SQUARE:
		return n * n;
	default:
		return pixels > 2e6 ? n * 1.35 : n;
	}
}

/* Per cent of rounds that end in verdict. fixed: cost of no pixels, of the smallest size's. */
static double rate(enum law law, unsigned sizes, unsigned samples_each, double fixed,
		   enum wan_scaling_verdict verdict)
{
	struct wan_scaling_sample samples[64];
	unsigned hits = 0, rounds = 1000;
	for (unsigned round = 0; round < rounds; round++) {
		size_t count = 0;
		for (unsigned i = 0; i < sizes; i++) {
			double pixels = 3e5 * pow(RANGE, (double)i / (sizes - 1));
			for (unsigned j = 0; j < samples_each; j++) {
				double noise = exp(0.2 * normal());
				if (uniform() < 0.05)
					noise *= 2 + 4 * uniform();
				samples[count].pixels = pixels;
				samples[count++].cost =
					(cost_of(law, pixels) + fixed * cost_of(law, 3e5)) * noise;
			}
		}
		struct wan_scaling fit;
		wan_scaling_fit(samples, count, &fit);
		hits += fit.verdict == verdict;
	}
	return 100.0 * hits / rounds;
}

static double print_rate(const char *name, unsigned sizes, unsigned each, double percent)
{
	printf("# %-40s %2u sizes x%u  %5.1f %%\n", name, sizes, each, percent);
	return percent;
}

/* The wrong answer on data that grows no faster than it may, at most `most` per cent. */
static void check_quiet(const char *name, enum law law, double fixed, double most)
{
	static const unsigned shapes[][2] = {{5, 5}, {8, 5}, {12, 5}};
	for (size_t i = 0; i < 3; i++) {
		double wrong = rate(law, shapes[i][0], shapes[i][1], fixed, WAN_SCALING_POOR);
		CHECK(print_rate(name, shapes[i][0], shapes[i][1], wrong) <= most);
	}
}

static void check_found(const char *name, enum law law, double least)
{
	static const unsigned shapes[][2] = {{5, 5}, {8, 5}, {12, 5}};
	for (size_t i = 0; i < 3; i++) {
		double right = rate(law, shapes[i][0], shapes[i][1], 0, WAN_SCALING_POOR);
		CHECK(print_rate(name, shapes[i][0], shapes[i][1], right) >= least);
	}
}

TEST(linear_and_n_log_n_are_rarely_called_poor)
{
	check_quiet("n: false alarms", LINEAR, 0, 3);
	check_quiet("n log n: false alarms", N_LOG_N, 0, 3);
	check_quiet("n, fixed cost 0.5x: false alarms", LINEAR, 0.5, 3);
	check_quiet("n, fixed cost 3x: false alarms", LINEAR, 3, 3);
}

TEST(a_cache_knee_is_rarely_called_poor)
{
	check_quiet("n with a 1.35x knee: false alarms", KNEE, 0, 5);
	check_quiet("knee, fixed cost 3x: false alarms", KNEE, 3, 5);
}

TEST(real_growth_is_found)
{
	check_found("n^1.25 found", POWER_125, 90);
	check_found("n^1.5 found", POWER_15, 95);
	check_found("n^2 found", SQUARE, 95);
}

TEST(growth_behind_a_fixed_cost_is_found_more_often_than_not_from_many_sizes)
{
	print_rate("n^1.5, fixed cost 3x, found", 8, 5, rate(POWER_15, 8, 5, 3, WAN_SCALING_POOR));
	double found = rate(POWER_15, 12, 5, 3, WAN_SCALING_POOR);
	CHECK(print_rate("n^1.5, fixed cost 3x, found", 12, 5, found) >= 50);
}

TEST(three_samples_a_size_are_enough_to_stay_quiet_and_to_find_a_power_of_1_5)
{
	double wrong = rate(LINEAR, 5, 3, 0, WAN_SCALING_POOR);
	CHECK(print_rate("n: false alarms", 5, 3, wrong) <= 3);
	wrong = rate(KNEE, 5, 3, 0, WAN_SCALING_POOR);
	CHECK(print_rate("n with a 1.35x knee: false alarms", 5, 3, wrong) <= 6);
	double right = rate(POWER_15, 5, 3, 0, WAN_SCALING_POOR);
	CHECK(print_rate("n^1.5 found", 5, 3, right) >= 95);
	print_rate("n^1.25 found", 5, 3, rate(POWER_125, 5, 3, 0, WAN_SCALING_POOR));
}

TEST(the_fixed_cost_of_exact_data_is_exact)
{
	struct wan_scaling_sample samples[64];
	struct wan_scaling fit;
	size_t count = 0;
	for (unsigned i = 0; i < 8; i++)
		for (unsigned j = 0; j < 3; j++) {
			samples[count].pixels = 1e5 * pow(2, i);
			samples[count].cost = 70000 + samples[count].pixels;
			count++;
		}
	wan_scaling_fit(samples, count, &fit);
	CHECK_NEAR(fit.fixed, 70000, 1e-3);
	CHECK_EQ(fit.verdict, WAN_SCALING_OK);
}

static size_t exact(struct wan_scaling_sample *samples, unsigned sizes, unsigned each, double step,
		    double exponent)
{
	size_t count = 0;
	for (unsigned i = 0; i < sizes; i++)
		for (unsigned j = 0; j < each; j++) {
			double pixels = 1e5 * pow(step, i);
			samples[count].pixels = pixels;
			samples[count++].cost = 1e-3 * pow(pixels, exponent);
		}
	return count;
}

TEST(slope_of_exact_data_is_exact)
{
	struct wan_scaling_sample samples[64];
	struct wan_scaling fit;
	wan_scaling_fit(samples, exact(samples, 6, 3, 2, 1.5), &fit);
	CHECK_EQ(fit.verdict, WAN_SCALING_POOR);
	CHECK_EQ(fit.sizes, 6);
	CHECK_NEAR(fit.slope, 1.5, 1e-9);
	CHECK_NEAR(fit.lower_bound, 1.5, 1e-9);
	CHECK_NEAR(fit.range, 32, 1e-9);
	wan_scaling_fit(samples, exact(samples, 6, 3, 2, 1), &fit);
	CHECK_EQ(fit.verdict, WAN_SCALING_OK);
	CHECK_NEAR(fit.ratio, 1, 1e-9);
}

TEST(too_few_sizes_samples_or_range_is_inconclusive_and_says_why)
{
	struct wan_scaling_sample samples[64];
	struct wan_scaling fit;
	wan_scaling_fit(samples, exact(samples, 4, 3, 4, 2), &fit);
	CHECK_EQ(fit.verdict, WAN_SCALING_INCONCLUSIVE);
	CHECK(strstr(fit.reason, "5 sizes"));
	CHECK(fit.provisional);
	wan_scaling_fit(samples, exact(samples, 8, 2, 2, 2), &fit);
	CHECK_EQ(fit.verdict, WAN_SCALING_INCONCLUSIVE);
	CHECK(!fit.provisional);
	wan_scaling_fit(samples, exact(samples, 6, 3, 1.5, 2), &fit);
	CHECK_EQ(fit.verdict, WAN_SCALING_INCONCLUSIVE);
	CHECK(strstr(fit.reason, "8 times"));
}

TEST(sizes_within_five_percent_are_one_size)
{
	struct wan_scaling_sample samples[] = {
		{100000, 1}, {101000, 1}, {103000, 1}, {200000, 2}, {201000, 2}, {202000, 2},
	};
	struct wan_scaling fit;
	wan_scaling_fit(samples, 6, &fit);
	CHECK_EQ(fit.sizes, 2);
}

TEST(a_thousand_sizes_and_unusable_samples_do_no_harm)
{
	static struct wan_scaling_sample samples[6000];
	struct wan_scaling fit;
	for (size_t i = 0; i < 6000; i++) {
		samples[i].pixels = 1000.0 * pow(1.01, (double)(i % 2000));
		samples[i].cost = i % 7 ? samples[i].pixels : i % 2 ? NAN : -1;
	}
	wan_scaling_fit(samples, 6000, &fit);
	CHECK_EQ(fit.verdict, WAN_SCALING_OK);
	CHECK_NEAR(fit.slope, 1, 0.05);
	wan_scaling_fit(samples, 0, &fit);
	CHECK_EQ(fit.verdict, WAN_SCALING_INCONCLUSIVE);
	CHECK(!fit.fitted);
}

TAP_MAIN
