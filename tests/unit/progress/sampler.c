/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include "sampler.h"

static const struct wan_progress_sample calm = {
	.cpu_percent = 70, .memory_mb = 400, .latency_ms = 50};

TEST(classic_takes_45_good_samples_from_a_second_to_a_tenth)
{
	uint64_t interval = 1000000000;
	unsigned samples = 0;
	for (; interval > WAN_SAMPLER_LEAST_NS; samples++)
		interval = wan_sampler_classic_ns(interval, &calm);
	CHECK_EQ(samples, 45);
	CHECK_EQ(wan_sampler_classic_ns(interval, &calm), WAN_SAMPLER_LEAST_NS);
}

TEST(classic_takes_42_bad_samples_from_a_tenth_to_five_seconds)
{
	static const struct wan_progress_sample bad[] = {
		{.cpu_percent = 70.1, .memory_mb = 0, .latency_ms = 0},
		{.cpu_percent = 0, .memory_mb = 400.1, .latency_ms = 0},
		{.cpu_percent = 0, .memory_mb = 0, .latency_ms = 50.1},
	};
	for (unsigned i = 0; i < 3; i++) {
		uint64_t interval = WAN_SAMPLER_LEAST_NS;
		unsigned samples = 0;
		for (; interval < WAN_SAMPLER_MOST_NS; samples++)
			interval = wan_sampler_classic_ns(interval, &bad[i]);
		CHECK_EQ(samples, 42);
		CHECK_EQ(wan_sampler_classic_ns(interval, &bad[i]), WAN_SAMPLER_MOST_NS);
	}
}

TEST(every_interval_stays_within_a_tenth_and_five_seconds)
{
	static const uint64_t asked[] = {0,          1,          99999999,      100000000,
					 5000000000, 5000000001, UINT64_MAX / 2};
	for (unsigned i = 0; i < sizeof(asked) / sizeof(*asked); i++)
		for (unsigned flags = 0; flags < 4; flags++) {
			uint64_t cost = flags & 1 ? UINT64_MAX / 4 : 0;
			struct wan_sampler_state state = {.costly = flags & 1};
			uint64_t next = wan_sampler_budget_ns(&state, asked[i], 1000000000, cost,
							      flags & 2);
			CHECK(next >= WAN_SAMPLER_LEAST_NS && next <= WAN_SAMPLER_MOST_NS);
			next = wan_sampler_classic_ns(asked[i], &calm);
			CHECK(next >= WAN_SAMPLER_LEAST_NS && next <= WAN_SAMPLER_MOST_NS);
			next = wan_sampler_clamp_ns(asked[i]);
			CHECK(next >= WAN_SAMPLER_LEAST_NS && next <= WAN_SAMPLER_MOST_NS);
		}
}

TEST(the_budget_relaxes_to_a_second_when_all_is_quiet)
{
	struct wan_sampler_state state = {0};
	uint64_t interval = WAN_SAMPLER_LEAST_NS;
	unsigned samples = 0;
	for (; interval < 1000000000 && samples < 100; samples++)
		interval = wan_sampler_budget_ns(&state, interval, 1000000000, 10000, false);
	CHECK_EQ(samples, 11);
	CHECK_EQ(wan_sampler_budget_ns(&state, interval, 1000000000, 10000, false), 1000000000);
}

TEST(an_anomaly_is_looked_at_closely_at_once)
{
	struct wan_sampler_state state = {0};
	CHECK_EQ(wan_sampler_budget_ns(&state, 5000000000, 1000000000, 10000, true),
		 WAN_SAMPLER_LEAST_NS);
}

TEST(samples_that_cost_too_much_become_rarer)
{
	/* 0.1 % of 100 ms are 100 us. */
	struct wan_sampler_state state = {0};
	CHECK_EQ(wan_sampler_budget_ns(&state, 100000000, 1000000000, 100000, true), 100000000);
	CHECK_EQ(wan_sampler_budget_ns(&state, 100000000, 1000000000, 100001, true), 100000000);
	CHECK_EQ(wan_sampler_budget_ns(&state, 100000000, 1000000000, 100001, true), 110000000);
}

TEST(one_costly_sample_does_not_slow_down)
{
	struct wan_sampler_state state = {0};
	for (int i = 0; i < 10; i++) {
		CHECK_EQ(wan_sampler_budget_ns(&state, 100000000, 100000000, 200000, false),
			 100000000);
		CHECK_EQ(wan_sampler_budget_ns(&state, 100000000, 100000000, 100, false),
			 100000000);
	}
}

TAP_MAIN
