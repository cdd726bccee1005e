/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include "level.h"

#define SECOND 1000000000ull

static const struct wan_level_rules rules = {75, 85, 95, 5, SECOND};

TEST(levels_begin_exactly_at_their_thresholds)
{
	CHECK_EQ(wan_level_of(&rules, 74.9), WAN_MEMORY_NORMAL);
	CHECK_EQ(wan_level_of(&rules, 74.999999999), WAN_MEMORY_NORMAL);
	CHECK_EQ(wan_level_of(&rules, 75), WAN_MEMORY_WARNING);
	CHECK_EQ(wan_level_of(&rules, 84.999999999), WAN_MEMORY_WARNING);
	CHECK_EQ(wan_level_of(&rules, 85), WAN_MEMORY_CRITICAL);
	CHECK_EQ(wan_level_of(&rules, 94.999999999), WAN_MEMORY_CRITICAL);
	CHECK_EQ(wan_level_of(&rules, 95), WAN_MEMORY_EMERGENCY);
	CHECK_EQ(wan_level_of(&rules, 250), WAN_MEMORY_EMERGENCY);
}

TEST(percentages_of_bytes_are_exact_at_the_boundary)
{
	for (uint64_t unit = 1; unit < UINT64_MAX / 200; unit = unit * 7 + 3) {
		if (unit > (uint64_t)1 << 46) /* beyond, products no longer fit a double */
			break;
		CHECK(wan_level_percent(75 * unit, 100 * unit) == 75.0);
		CHECK(wan_level_percent(75 * unit - 1, 100 * unit) < 75.0);
	}
	CHECK(wan_level_percent(5, 0) == 0);
}

TEST(a_level_is_entered_at_once_from_any_other)
{
	struct wan_level_state state = {WAN_MEMORY_NORMAL, 0};
	state = wan_level_step(&rules, state, 96, 7);
	CHECK_EQ(state.level, WAN_MEMORY_EMERGENCY);
	CHECK_EQ(state.entered_ns, 7);
}

TEST(a_level_is_left_five_points_below_its_entry)
{
	struct wan_level_state state = {WAN_MEMORY_WARNING, 0};
	CHECK_EQ(wan_level_step(&rules, state, 70.1, 2 * SECOND).level, WAN_MEMORY_WARNING);
	CHECK_EQ(wan_level_step(&rules, state, 70, 2 * SECOND).level, WAN_MEMORY_NORMAL);
	state.level = WAN_MEMORY_CRITICAL;
	CHECK_EQ(wan_level_step(&rules, state, 80.1, 2 * SECOND).level, WAN_MEMORY_CRITICAL);
	CHECK_EQ(wan_level_step(&rules, state, 80, 2 * SECOND).level, WAN_MEMORY_WARNING);
	CHECK_EQ(wan_level_step(&rules, state, 10, 2 * SECOND).level, WAN_MEMORY_NORMAL);
	state.level = WAN_MEMORY_EMERGENCY;
	CHECK_EQ(wan_level_step(&rules, state, 90, 2 * SECOND).level, WAN_MEMORY_CRITICAL);
	CHECK_EQ(wan_level_step(&rules, state, 78, 2 * SECOND).level, WAN_MEMORY_WARNING);
}

TEST(a_level_is_kept_for_a_second)
{
	struct wan_level_state state = {WAN_MEMORY_WARNING, 5 * SECOND};
	CHECK_EQ(wan_level_step(&rules, state, 10, 6 * SECOND - 1).level, WAN_MEMORY_WARNING);
	CHECK_EQ(wan_level_step(&rules, state, 10, 6 * SECOND).level, WAN_MEMORY_NORMAL);
}

TEST(a_clock_that_steps_back_restarts_the_hold)
{
	struct wan_level_state state = {WAN_MEMORY_WARNING, 500 * SECOND};
	state = wan_level_step(&rules, state, 10, 3 * SECOND);
	CHECK_EQ(state.level, WAN_MEMORY_WARNING);
	CHECK_EQ(wan_level_step(&rules, state, 10, 4 * SECOND).level, WAN_MEMORY_NORMAL);
}

TEST(steady_load_around_a_threshold_does_not_flap)
{
	struct wan_level_state state = {WAN_MEMORY_NORMAL, 0};
	unsigned changes = 0;
	for (uint64_t tick = 0; tick < 6000; tick++) { /* ten minutes of 84 to 86 % */
		enum wan_memory_level before = state.level;
		state = wan_level_step(&rules, state, 85 + (tick % 3) - 1.0, tick * SECOND / 10);
		changes += state.level != before;
	}
	CHECK_EQ(changes, 2); /* warning, critical, and there it stays */
}

TEST(levels_have_names)
{
	CHECK_STR(wan_level_name(WAN_MEMORY_EMERGENCY), "emergency");
	CHECK_STR(wan_level_name((enum wan_memory_level)99), "unknown");
}

TAP_MAIN
