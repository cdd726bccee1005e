/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include <math.h>

#include "trend.h"

#define SECOND 1000000000ull

TEST(a_rising_series_has_a_positive_slope)
{
	struct wan_trend trend = {0};
	for (unsigned i = 0; i < 10; i++)
		wan_trend_add(&trend, i * SECOND / 10, 1000 + i * 500);
	CHECK_NEAR(wan_trend_slope(&trend), 5000, 1e-6);
}

TEST(a_falling_series_has_a_negative_slope)
{
	struct wan_trend trend = {0};
	for (unsigned i = 0; i < 10; i++)
		wan_trend_add(&trend, i * SECOND, 1000000 - i * 500);
	CHECK_NEAR(wan_trend_slope(&trend), -500, 1e-6);
}

TEST(fewer_than_two_samples_have_no_slope)
{
	struct wan_trend trend = {0};
	CHECK(wan_trend_slope(&trend) == 0);
	wan_trend_add(&trend, 1, 1);
	CHECK(wan_trend_slope(&trend) == 0);
}

TEST(the_slope_is_exact_for_large_bytes_late_in_uptime)
{
	struct wan_trend trend = {0};
	uint64_t uptime = 400ull * 86400 * SECOND, bytes = (uint64_t)1 << 42;
	for (unsigned i = 0; i < 100; i++)
		wan_trend_add(&trend, uptime + i * SECOND / 10, bytes + i * 4096);
	CHECK_NEAR(wan_trend_slope(&trend), 40960, 1);
}

TEST(only_the_newest_hundred_samples_count)
{
	struct wan_trend trend = {0};
	for (unsigned i = 0; i < 1000; i++)
		wan_trend_add(&trend, (i + 1) * SECOND, i < 900 ? i * 7777 : 5);
	CHECK_NEAR(wan_trend_slope(&trend), 0, 1e-9);
	CHECK_EQ(trend.count, WAN_TREND_SAMPLES);
}

TEST(a_clock_that_steps_back_begins_a_new_window)
{
	struct wan_trend trend = {0};
	wan_trend_add(&trend, 10 * SECOND, 1);
	wan_trend_add(&trend, 11 * SECOND, 1000);
	wan_trend_add(&trend, 5 * SECOND, 2000);
	CHECK_EQ(trend.count, 1);
	CHECK(wan_trend_slope(&trend) == 0);
}

TEST(the_recent_slope_follows_what_goes_on_now)
{
	struct wan_trend trend = {0};
	for (unsigned i = 1; i <= 92; i++)
		wan_trend_add(&trend, i * SECOND, 1000000);
	for (unsigned i = 1; i <= 8; i++)
		wan_trend_add(&trend, (92 + i) * SECOND, 1000000 + i * 500);
	CHECK_NEAR(wan_trend_recent_slope(&trend), 500, 1e-6);
	CHECK(wan_trend_slope(&trend) < 50);
}

TEST(two_samples_are_no_recent_slope)
{
	struct wan_trend trend = {0};
	wan_trend_add(&trend, SECOND, 1000);
	wan_trend_add(&trend, 2 * SECOND, 2000);
	CHECK(wan_trend_recent_slope(&trend) == 0);
	wan_trend_add(&trend, 3 * SECOND, 3000);
	CHECK_NEAR(wan_trend_recent_slope(&trend), 1000, 1e-6);
}

/* The reference to beat assumes that the last step repeats. */
TEST(the_recent_slope_errs_less_than_the_last_step)
{
	struct wan_trend trend = {0};
	double error = 0, error_of_last = 0;
	uint64_t before = 0, noise = 12345;
	for (unsigned i = 1; i <= 400; i++) {
		noise = noise * 6364136223846793005u + 1442695040888963407u;
		uint64_t bytes = 1000000000 + i * 100000 + (noise >> 44); /* +- 0.5 MB */
		wan_trend_add(&trend, i * SECOND, bytes);
		double last = (double)bytes - (double)before;
		before = bytes;
		if (i <= WAN_TREND_RECENT)
			continue;
		error += fabs(wan_trend_recent_slope(&trend) - 100000);
		error_of_last += fabs(last - 100000);
	}
	CHECK(error < error_of_last / 3);
}

TEST(time_to_a_target_follows_the_slope)
{
	CHECK_NEAR(wan_trend_seconds_to(100, 1000, 2000), 10, 1e-9);
	CHECK(isinf(wan_trend_seconds_to(-1, 1000, 2000)));
	CHECK(isinf(wan_trend_seconds_to(0, 1000, 2000)));
	CHECK(wan_trend_seconds_to(1, 2000, 2000) == 0);
}

TAP_MAIN
