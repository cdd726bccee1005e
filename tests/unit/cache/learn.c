/* SPDX-License-Identifier: MIT */
/* What is learnt from uses of known ages. */
#include "learn.h"

#include "tap.h"

static struct wan_learn learn;

static uint32_t step_of(uint32_t age)
{
	uint32_t step = 0;
	while (step + 1 < WAN_LEARN_AGES && wan_learn_age_begins(step + 1) <= age)
		step++;
	return step;
}

/* Keys of a group that get as old as age, and are used at it or not. */
static void live(uint32_t group, uint32_t age, bool used, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		for (uint32_t step = 0; step <= step_of(age); step++)
			wan_learn_reach(&learn, group, step);
		if (used)
			wan_learn_use(&learn, group, step_of(age));
	}
}

static float worth(uint32_t group, uint32_t age, uint32_t level)
{
	wan_learn_worth(&learn, group, step_of(age), level);
	for (unsigned i = 0; i < WAN_LEARN_GROUPS * WAN_LEARN_LEVELS; i++)
		wan_learn_step(&learn);
	return wan_learn_worth(&learn, group, step_of(age), level);
}

TEST(steps_of_age_grow_and_end)
{
	CHECK_EQ(wan_learn_age_begins(0), 1);
	for (uint32_t step = 0; step + 1 < WAN_LEARN_AGES; step++)
		CHECK(wan_learn_age_begins(step) < wan_learn_age_begins(step + 1));
	CHECK_EQ(wan_learn_age_begins(WAN_LEARN_AGES), UINT32_MAX);
}

TEST(groups_follow_the_interval_and_the_number_of_uses)
{
	CHECK_EQ(wan_learn_group(1, 0), 0);
	CHECK_EQ(wan_learn_group(2, 1), 1);
	CHECK_EQ(wan_learn_group(3, 1), 8);
	CHECK(wan_learn_group(2, 100) > wan_learn_group(2, 10));
	CHECK_EQ(wan_learn_group(255, 4e9f), WAN_LEARN_GROUPS - 1);
	CHECK_EQ(wan_learn_level(0), 0);
	CHECK_EQ(wan_learn_level(1), 1);
	CHECK_EQ(wan_learn_level(1e12), WAN_LEARN_LEVELS - 1);
}

TEST(with_nothing_known_worth_falls_with_age_as_in_lru)
{
	wan_learn_init(&learn);
	for (uint32_t age = 4; age < 100000; age *= 2)
		CHECK(worth(0, age, 1) > worth(0, 2 * age, 1));
}

TEST(in_a_loop_worth_rises_until_it_comes_round)
{
	wan_learn_init(&learn);
	live(3, 1000, true, 1000);
	for (uint32_t age = 8; age < 512; age *= 2)
		CHECK(worth(3, age, 1) < worth(3, 2 * age, 1));
	CHECK(worth(3, 900, 1) > 5 * worth(3, 2000, 1)); /* it did not come */
}

TEST(what_is_never_used_again_is_worth_least)
{
	wan_learn_init(&learn);
	live(0, 5000, false, 1000);
	live(8, 100, true, 1000);
	CHECK(worth(0, 1, 1) < worth(8, 1, 1) / 10);
}

TEST(the_longer_room_takes_to_fill_the_less_a_short_life_counts)
{
	wan_learn_init(&learn);
	live(1, 2, true, 1000);    /* soon, or never */
	live(2, 2000, true, 1000); /* late, but surely */
	live(1, 4000, false, 1000);
	CHECK(worth(1, 1, 0) > 10 * worth(2, 1, 0));
	CHECK(worth(1, 1, WAN_LEARN_LEVELS - 1) < worth(2, 1, WAN_LEARN_LEVELS - 1));
}

TEST(old_observations_give_way_to_new_ones)
{
	wan_learn_init(&learn);
	live(1, 3000, false, 20000);
	float before = worth(1, 1, 1);
	live(1, 2, true, 200000);
	CHECK(worth(1, 1, 1) > 10 * before);
}

TEST(worth_is_above_zero_and_at_most_one)
{
	for (uint32_t group = 0; group < WAN_LEARN_GROUPS; group++) {
		for (uint32_t step = 0; step < WAN_LEARN_AGES; step++) {
			float now = wan_learn_worth(&learn, group, step, 0);
			CHECK(now > 0 && now <= 1.0001f);
		}
	}
}

TAP_MAIN
