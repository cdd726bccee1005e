/* SPDX-License-Identifier: MIT */
#include "latency.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

static struct wan_latency all;

static void add(uint64_t ns, uint64_t times)
{
	all.counts[wan_latency_bucket(ns >> 4)] += times;
	all.count += times;
}

static uint64_t percentile(double share)
{
	return wan_latency_percentile_ns(&all, share, 0);
}

static bool within(uint64_t ns, double expected_ns, double part)
{
	return (double)ns >= expected_ns * (1 - part) && (double)ns <= expected_ns * (1 + part);
}

TEST(many_at_once_end_where_a_count_ends)
{
	static uint32_t counts[WAN_RECORD_LATENCY_BUCKETS];
	wan_latency_add_many(counts, 1000, 3);
	CHECK_EQ(counts[wan_latency_bucket(1000)], 3);
	wan_latency_add_many(counts, 1000, UINT64_MAX);
	CHECK_EQ(counts[wan_latency_bucket(1000)], UINT32_MAX);
	wan_latency_add_many(counts, 1000, 1);
	CHECK_EQ(counts[wan_latency_bucket(1000)], UINT32_MAX);
}

TEST(any_latency_from_1_us_to_1_h_is_told_within_0_8_percent)
{
	static const double ns_per_tick[] = {1, 0.3846, 0.25, 0.5, 0.21};
	for (unsigned clock = 0; clock < 5; clock++) {
		unsigned shift = wan_latency_shift(ns_per_tick[clock]), wrong = 0;
		double unit_ns = ns_per_tick[clock] * (double)(1u << shift);
		CHECK(unit_ns > 8 && unit_ns <= 16);
		for (double ns = 1000; ns <= 3.6e12; ns *= 1.007) {
			wan_latency_begin(&all, unit_ns);
			uint64_t ticks = (uint64_t)(ns / ns_per_tick[clock]);
			all.counts[wan_latency_bucket(ticks >> shift)] = all.count = 1;
			wrong += !within(percentile(0.5), ns, 0.008);
		}
		CHECK_EQ(wrong, 0);
	}
	CHECK_EQ(wan_latency_shift(1000), 0);
}

TEST(buckets_are_in_order_and_touch)
{
	unsigned last = 0;
	CHECK_EQ(wan_latency_bucket(0), 0);
	for (uint64_t ns = 0; ns < 1000000; ns++) {
		unsigned bucket = wan_latency_bucket(ns);
		if (bucket != last && bucket != last + 1)
			CHECK_EQ(bucket, last + 1);
		last = bucket;
	}
	CHECK_EQ(wan_latency_bucket(UINT64_MAX), WAN_RECORD_LATENCY_BUCKETS - 1);
	CHECK(wan_latency_bucket((uint64_t)3600 * 1000000000 / 9) < WAN_RECORD_LATENCY_BUCKETS - 1);
}

TEST(percentiles_are_those_of_the_sorted_values)
{
	wan_latency_begin(&all, 16);
	CHECK_EQ(percentile(0.5), 0);
	for (uint64_t i = 1; i <= 10000; i++)
		add(i * 1000, 1);
	CHECK(within(percentile(0.5), 5000e3, 0.008));
	CHECK(within(percentile(0.99), 9900e3, 0.008));
	CHECK(within(percentile(1), 10000e3, 0.008));
	CHECK(within(percentile(0), 1000, 0.008));
	CHECK_EQ(wan_latency_percentile_ns(&all, 1, 777), 777); /* never above the true maximum */
}

TEST(counts_stop_at_their_end)
{
	static uint32_t counts[WAN_RECORD_LATENCY_BUCKETS];
	counts[wan_latency_bucket(5000 >> 4)] = UINT32_MAX - 1;
	wan_latency_add(counts, 5000 >> 4);
	wan_latency_add(counts, 5000 >> 4);
	wan_latency_begin(&all, 16);
	wan_latency_merge(&all, counts, 16);
	wan_latency_merge(&all, counts, 16);
	CHECK_EQ(all.count, (uint64_t)UINT32_MAX * 2);
	CHECK(within(percentile(0.5), 5000, 0.008));
}

TEST(other_units_are_converted)
{
	static uint32_t counts[WAN_RECORD_LATENCY_BUCKETS];
	counts[wan_latency_bucket(1000000 / 10)] = 7; /* 1 ms in units of 10 ns */
	wan_latency_begin(&all, 16);
	wan_latency_merge(&all, counts, 10);
	CHECK_EQ(all.count, 7);
	CHECK(within(percentile(0.5), 1000000, 0.016));
}

/* Ten updates a second for ten minutes, one of which took 10 s. */
TEST(a_pause_counts_for_all_that_it_kept_waiting)
{
	wan_latency_begin(&all, 16);
	add(100000000, 5900);
	add(10000000000, 1);
	CHECK(within(percentile(0.999), 0.1e9, 0.008));
	wan_latency_correct(&all, 100000000);
	/* 5900 + 1 + 99 waiting for 0.1, 0.2 ... 9.9 s */
	CHECK(all.count >= 5999 && all.count <= 6000);
	CHECK(within(percentile(0.99), 4.0e9, 0.02));
	CHECK(within(percentile(0.999), 9.4e9, 0.02));
}

TEST(a_tiny_expected_interval_takes_no_longer_to_correct)
{
	wan_latency_begin(&all, 16);
	add((uint64_t)3600 * 1000000000, 3);
	wan_latency_correct(&all, 1);
	CHECK(all.count > (uint64_t)3600 * 1000000000 / 16 * 3 / 100 * 99);
}

TAP_MAIN
