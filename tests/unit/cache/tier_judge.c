/* SPDX-License-Identifier: MIT */
#include "macros.h"
#include "tap.h"
#include "tier_judge.h"

#define MS 1000000u

static struct wan_tier_judge fresh(void)
{
	struct wan_tier_judge judge;
	wan_tier_judge_init(&judge, true);
	return judge;
}

/* count of them asked for again, the others not. */
static void learn(struct wan_tier_judge *judge, const struct wan_tier_offer *offer, int asked,
		  int not_asked)
{
	for (int i = 0; i < asked; i++)
		wan_tier_learn_fate(judge, offer, true);
	for (int i = 0; i < not_asked; i++)
		wan_tier_learn_fate(judge, offer, false);
}

TEST(what_is_kept_saves_more_than_it_costs)
{
	/* 1 ns a byte to freeze, 0.25 to thaw and 5 us. */
	static const struct {
		uint64_t bytes, cost_ns;
		int asked, not_asked;
		enum wan_tier_verdict verdict;
		const char *what;
	} cases[] = {
		{3 * WAN_MIB, 15 * MS, 0, 0, WAN_TIER_KEEP, "dear, nothing known"},
		{3 * WAN_MIB, 15 * MS, 50, 50, WAN_TIER_KEEP, "dear, asked for half of the time"},
		{3 * WAN_MIB, 15 * MS, 1, 99, WAN_TIER_SELDOM, "dear, but hardly asked for"},
		{192 * WAN_KIB, 50 * MS, 1, 99, WAN_TIER_KEEP, "a thumbnail of a large picture"},
		{3 * WAN_MIB, 1 * MS, 99, 1, WAN_TIER_CHEAP, "computed as fast as thawed"},
		{3 * WAN_MIB, 2 * MS, 50, 50, WAN_TIER_SELDOM, "saves less than freezing takes"},
		{3 * WAN_MIB, 0, 99, 1, WAN_TIER_CHEAP, "unknown cost"},
		{1000, 20000, 99, 1, WAN_TIER_KEEP, "small and dear"},
		{1000, 9000, 99, 1, WAN_TIER_CHEAP, "small and cheap"},
		{0, 9 * MS, 99, 1, WAN_TIER_KEEP, "empty"},
	};
	for (size_t i = 0; i < WAN_COUNT_OF(cases); i++) {
		struct wan_tier_judge judge = fresh();
		struct wan_tier_offer offer = {
			.bytes = cases[i].bytes, .cost_ns = cases[i].cost_ns, .uses = 1};
		learn(&judge, &offer, cases[i].asked, cases[i].not_asked);
		if (!CHECK_EQ(wan_tier_admit(&judge, &offer), cases[i].verdict))
			printf("# %s\n", cases[i].what);
	}
}

TEST(one_in_sixteen_of_the_seldom_ones_is_tried_again)
{
	struct wan_tier_judge judge = fresh();
	struct wan_tier_offer offer = {.bytes = WAN_MIB, .cost_ns = 3 * MS, .uses = 1};
	learn(&judge, &offer, 0, 400);
	int kept = 0;
	for (int i = 0; i < 160; i++)
		kept += wan_tier_admit(&judge, &offer) == WAN_TIER_KEEP;
	CHECK_EQ(kept, 10);
	/* What is too cheap is never tried. */
	offer.cost_ns = 1000;
	for (int i = 0; i < 160; i++)
		CHECK_EQ(wan_tier_admit(&judge, &offer), WAN_TIER_CHEAP);
}

TEST(fates_are_kept_apart_by_uses_and_size)
{
	struct wan_tier_judge judge = fresh();
	struct wan_tier_offer once = {.bytes = WAN_MIB, .cost_ns = MS, .uses = 1};
	struct wan_tier_offer often = {.bytes = WAN_MIB, .cost_ns = MS, .uses = 7};
	struct wan_tier_offer small = {.bytes = WAN_KIB, .cost_ns = MS, .uses = 1};
	learn(&judge, &once, 0, 98);
	learn(&judge, &often, 98, 0);
	CHECK_NEAR(wan_tier_reuse(&judge, &once), 0.01, 1e-9);
	CHECK_NEAR(wan_tier_reuse(&judge, &often), 0.99, 1e-9);
	CHECK_NEAR(wan_tier_reuse(&judge, &small), 0.5, 1e-9);
	/* Old fates fade. */
	learn(&judge, &once, 3000, 0);
	CHECK(wan_tier_reuse(&judge, &once) > 0.98);
}

TEST(who_saves_more_time_for_each_byte_is_worth_more)
{
	struct wan_tier_judge judge = fresh();
	struct wan_tier_offer thumbnail = {.bytes = 192 * WAN_KIB, .cost_ns = 50 * MS, .uses = 1};
	struct wan_tier_offer picture = {.bytes = 3 * WAN_MIB, .cost_ns = 15 * MS, .uses = 1};
	struct wan_tier_offer twice = picture;
	twice.uses = 2;
	double small = wan_tier_value(&judge, &thumbnail, 64 * WAN_KIB);
	double large = wan_tier_value(&judge, &picture, WAN_MIB);
	CHECK(small > 20 * large);
	CHECK_NEAR(wan_tier_value(&judge, &twice, WAN_MIB), 2 * large, 1e-9);
	picture.cost_ns = 1;
	CHECK_NEAR(wan_tier_value(&judge, &picture, WAN_MIB), 0, 0);
}

TEST(measured_times_and_sizes_replace_the_assumed_ones)
{
	struct wan_tier_judge judge = fresh();
	uint64_t thaw_ns = wan_tier_thaw_ns(&judge, 4 * WAN_MIB);
	uint64_t bytes = wan_tier_cold_bytes(&judge, 4 * WAN_MIB);
	CHECK_EQ(bytes, 2 * WAN_MIB + 1024);
	for (int i = 0; i < 100; i++) {
		wan_tier_learn_thaw(&judge, 4 * WAN_MIB, 400000);
		wan_tier_learn_freeze(&judge, 4 * WAN_MIB, WAN_MIB, 2 * MS);
	}
	CHECK(wan_tier_thaw_ns(&judge, 4 * WAN_MIB) < thaw_ns / 2);
	CHECK_NEAR((double)wan_tier_freeze_ns(&judge, 4 * WAN_MIB), 2e6, 1e4);
	CHECK_NEAR((double)wan_tier_cold_bytes(&judge, 4 * WAN_MIB), 1.25 * 1048576 + 1024, 2000);
	/* A form that was not made says nothing about sizes. */
	wan_tier_learn_freeze(&judge, 4 * WAN_MIB, 0, 2 * MS);
	CHECK_NEAR((double)wan_tier_cold_bytes(&judge, 4 * WAN_MIB), 1.25 * 1048576 + 1024, 2000);
	CHECK(wan_tier_cold_bytes(&judge, 100) <= 84);
}

static bool window(struct wan_tier_judge *judge)
{
	for (int i = 1; i < WAN_TIER_WINDOW; i++)
		CHECK(!wan_tier_learn_eviction(judge));
	return wan_tier_learn_eviction(judge);
}

TEST(a_careful_judge_begins_with_less_room)
{
	struct wan_tier_judge careful, judge;
	wan_tier_judge_init(&careful, true);
	wan_tier_judge_init(&judge, false);
	CHECK_NEAR(careful.share, 1.0 / 32, 0);
	CHECK_NEAR(judge.share, 1.0 / 8, 0);
}

TEST(the_share_follows_gains_and_losses_within_bounds)
{
	struct wan_tier_judge judge = fresh();
	double first = judge.share;
	CHECK_NEAR(first, 1.0 / 32, 0);
	CHECK(window(&judge)); /* nothing happened */
	CHECK_NEAR(judge.share, first, 0);
	for (int i = 0; i < 30; i++) {
		wan_tier_learn_hit(&judge, 10 * MS, MS, false);
		window(&judge);
	}
	CHECK_NEAR(judge.share, 0.5, 0);
	for (int i = 0; i < 5; i++) {
		wan_tier_learn_loss(&judge, 100 * MS);
		window(&judge);
	}
	CHECK_NEAR(judge.share, 1.0 / 64, 0);
}

TEST(when_the_least_share_loses_too_nothing_is_kept_for_a_while)
{
	struct wan_tier_judge judge = fresh();
	static const int rests[] = {4, 8, 16, 32, 64, 64};
	judge.share = 1.0 / 64;
	for (size_t i = 0; i < WAN_COUNT_OF(rests); i++) {
		wan_tier_learn_loss(&judge, 10 * MS);
		window(&judge);
		for (int left = rests[i]; left > 0; left--) {
			CHECK_NEAR(judge.share, 0, 0);
			window(&judge);
		}
		CHECK_NEAR(judge.share, 1.0 / 64, 0);
	}
	wan_tier_learn_hit(&judge, 10 * MS, MS, false);
	window(&judge);
	CHECK_NEAR(judge.share, 1.19 / 64, 1e-9);
	CHECK_EQ(judge.next_rest, 0);
}

TEST(a_hit_that_would_have_been_one_anyway_is_a_loss)
{
	struct wan_tier_judge judge = fresh();
	wan_tier_learn_hit(&judge, 10 * MS, MS, true);
	CHECK_NEAR(judge.gain_ns, 0, 0);
	CHECK_NEAR(judge.loss_ns, MS, 0);
	wan_tier_learn_hit(&judge, MS, 3 * MS, false);
	CHECK_NEAR(judge.loss_ns, 3 * MS, 0);
	wan_tier_learn_hit(&judge, 5 * MS, MS, false);
	CHECK_NEAR(judge.gain_ns, 4 * MS, 0);
	window(&judge);
	CHECK_NEAR(judge.share, 1.19 / 32, 1e-9);
	CHECK_NEAR(judge.gain_ns, 2 * MS, 0);
}

TAP_MAIN
