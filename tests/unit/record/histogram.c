/* SPDX-License-Identifier: MIT */
#include "histogram.h"

#include "reader.h"
#include "tap.h"

TEST(every_edge_is_the_last_of_its_bucket)
{
	for (unsigned i = 0; i + 1 < WAN_RECORD_HISTOGRAM; i++) {
		uint64_t edge_ns = wan_histogram_edge_ns(i);
		CHECK_EQ(wan_histogram_bucket(edge_ns), i);
		CHECK_EQ(wan_histogram_bucket(edge_ns + 1), i + 1);
		CHECK(edge_ns < wan_histogram_edge_ns(i + 1));
	}
	CHECK_EQ(wan_histogram_bucket(0), 0);
	CHECK_EQ(wan_histogram_bucket(UINT64_MAX), WAN_RECORD_HISTOGRAM - 1);
	CHECK_EQ(wan_histogram_edge_ns(1000), UINT64_MAX);
}

TEST(buckets_around_the_thresholds_are_at_most_half_an_octave)
{
	for (unsigned i = 10; i + 1 < WAN_RECORD_HISTOGRAM; i++)
		CHECK_NEAR((double)wan_histogram_edge_ns(i) / (double)wan_histogram_edge_ns(i - 1),
			   1.41421356, 1e-5);
	CHECK(wan_histogram_edge_ns(WAN_RECORD_HISTOGRAM - 2) > 2900000000u);
}

TEST(percentiles_lie_near_the_truth)
{
	uint64_t histogram[WAN_RECORD_HISTOGRAM] = {0};
	for (uint64_t ms = 1; ms <= 1000; ms++)
		histogram[wan_histogram_bucket(ms * 1000000)]++;
	for (double share = 0.1; share < 0.96; share += 0.05) {
		double ns =
			(double)wan_histogram_percentile_ns(histogram, share, 1000000, 1000000000);
		CHECK_NEAR(ns / (share * 1e9), 1, 0.05);
	}
	CHECK_EQ(wan_histogram_percentile_ns(histogram, 1, 1000000, 1000000000), 1000000000);
	CHECK(wan_histogram_percentile_ns(histogram, 0, 1000000, 1000000000) < 3000000);
}

TEST(one_value_is_every_percentile)
{
	uint64_t histogram[WAN_RECORD_HISTOGRAM] = {[12] = 1}, none[WAN_RECORD_HISTOGRAM] = {0};
	CHECK_EQ(wan_histogram_percentile_ns(histogram, 0.5, 1234567, 1234567), 1234567);
	CHECK_EQ(wan_histogram_percentile_ns(none, 0.5, 0, 0), 0);
	histogram[12] = 0;
	histogram[WAN_RECORD_HISTOGRAM - 1] = 4; /* longer than the last edge: up to the longest */
	CHECK_EQ(wan_histogram_percentile_ns(histogram, 1, 4000000000u, 9000000000u), 9000000000u);
	CHECK_NEAR((double)wan_histogram_percentile_ns(histogram, 0.5, 4000000000u, 9000000000u),
		   6.5e9, 1e6);
}

TAP_MAIN
