/* SPDX-License-Identifier: MIT */
#include "budget.h"

#include <errno.h>

#include "tap.h"

static struct wan_budget full(void)
{
	return (struct wan_budget){
		.limit_bytes = 1000,
		.entry_limit = 4,
		.stored_bytes = 700,
		.in_flight_bytes = 200,
		.dying_bytes = 100,
		.pinned_bytes = 300,
		.evictable_bytes = 400,
		.entries = 5,
		.counted = 4,
		.evictable_counted = 2,
	};
}

TEST(used_is_what_is_stored_in_flight_and_dying)
{
	struct wan_budget budget = full();
	CHECK_EQ(wan_budget_used(&budget), 1000);
	CHECK_EQ(wan_budget_debt(&budget), 0);
	budget.limit_bytes = 999;
	CHECK_EQ(wan_budget_debt(&budget), 1);
}

TEST(a_grant_is_feasible_up_to_the_last_evictable_byte)
{
	struct wan_budget budget = full();
	struct wan_budget_ask ask = {.bytes = 400};
	CHECK_EQ(wan_budget_feasible(&budget, &ask), 0);
	ask.bytes = 401;
	CHECK_EQ(wan_budget_feasible(&budget, &ask), -EAGAIN);
	ask.own_bytes = 1; /* freed by the asker itself */
	CHECK_EQ(wan_budget_feasible(&budget, &ask), 0);
	ask.bytes = 1000;
	CHECK_EQ(wan_budget_feasible(&budget, &ask), -EAGAIN);
	ask.bytes = 1001;
	CHECK_EQ(wan_budget_feasible(&budget, &ask), -EFBIG);
	ask.bytes = UINT64_MAX;
	CHECK_EQ(wan_budget_feasible(&budget, &ask), -EFBIG);
}

TEST(nothing_is_granted_in_debt)
{
	struct wan_budget budget = full();
	struct wan_budget_ask ask = {.bytes = 0};
	budget.limit_bytes = 599; /* firm: 300 pinned, 200 in flight, 100 dying */
	CHECK_EQ(wan_budget_feasible(&budget, &ask), -EAGAIN);
	budget.limit_bytes = 600;
	CHECK_EQ(wan_budget_feasible(&budget, &ask), 0);
	ask.bytes = 1;
	CHECK_EQ(wan_budget_feasible(&budget, &ask), -EAGAIN);
}

TEST(entries_without_a_pin_make_room_for_entries)
{
	struct wan_budget budget = full();
	struct wan_budget_ask ask = {.bytes = 1, .counted = true};
	CHECK_EQ(wan_budget_feasible(&budget, &ask), 0);
	budget.entry_limit = 2; /* two are pinned */
	CHECK_EQ(wan_budget_feasible(&budget, &ask), -EAGAIN);
	ask.leaves = true; /* one of them is overwritten */
	CHECK_EQ(wan_budget_feasible(&budget, &ask), 0);
	ask = (struct wan_budget_ask){.bytes = 1};
	CHECK_EQ(wan_budget_feasible(&budget, &ask), 0);
}

TEST(it_is_short_until_exactly_enough_is_freed)
{
	struct wan_budget budget = full();
	struct wan_budget_ask ask = {.bytes = 150, .counted = true};
	struct wan_budget_goal goal = wan_budget_goal_of_ask(&budget, &ask);
	CHECK(wan_goal_short_of_bytes(&goal, 149));
	CHECK(!wan_goal_short_of_bytes(&goal, 150));
	ask.own_bytes = 149;
	goal = wan_budget_goal_of_ask(&budget, &ask);
	CHECK(wan_goal_short_of_bytes(&goal, 0));
	CHECK(!wan_goal_short_of_bytes(&goal, 1));
	CHECK(wan_goal_short_of_entries(&goal, 0));
	CHECK(!wan_goal_short_of_entries(&goal, 1));
	ask.counted = false;
	goal = wan_budget_goal_of_ask(&budget, &ask);
	CHECK(!wan_goal_short_of_entries(&goal, 0));
}

TEST(a_target_is_met_by_what_lives_not_by_what_is_dying)
{
	struct wan_budget budget = full(); /* 700 stored, 200 in flight, 100 dying */
	struct wan_budget_goal goal = wan_budget_goal_of_target(&budget, 850);
	CHECK(wan_goal_short_of_bytes(&goal, 49));
	CHECK(!wan_goal_short_of_bytes(&goal, 50));
	CHECK(!wan_goal_short_of_entries(&goal, 0));
	budget.entry_limit = 3;
	goal = wan_budget_goal_of_target(&budget, 1000);
	CHECK(!wan_goal_short_of_bytes(&goal, 0));
	CHECK(wan_goal_short_of_entries(&goal, 0));
	CHECK(!wan_goal_short_of_entries(&goal, 1));
}

TEST(debt_that_stays_is_told_from_what_is_on_its_way_out)
{
	struct wan_budget budget = full();
	CHECK(!wan_budget_in_debt(&budget));
	budget.limit_bytes = 900;
	CHECK_EQ(wan_budget_debt(&budget), 100);
	CHECK(!wan_budget_in_debt(&budget)); /* the dying ones are that much */
	budget.limit_bytes = 899;
	CHECK(wan_budget_in_debt(&budget));
	budget = full();
	budget.entry_limit = 3;
	CHECK(wan_budget_in_debt(&budget));
}

TEST(a_look_at_all_pins_tells_what_may_go)
{
	struct wan_budget budget = full();
	budget.indexed_bytes = 650;
	wan_budget_set_pinned(
		&budget, &(struct wan_pinned){
				 .entries = 3, .bytes = 250, .indexed_bytes = 200, .counted = 1});
	CHECK_EQ(budget.pinned_bytes, 250);
	CHECK_EQ(budget.evictable_bytes, 450);
	CHECK_EQ(budget.evictable_counted, 3);
}

TEST(own_dying_bytes_become_asked_ones)
{
	struct wan_budget budget = full();
	struct wan_budget_ask ask = {.bytes = 60, .own_bytes = 100};
	CHECK_EQ(wan_budget_convert(&budget, &ask), 60);
	CHECK_EQ(budget.dying_bytes, 40);
	ask = (struct wan_budget_ask){.bytes = 60, .own_bytes = 40};
	CHECK_EQ(wan_budget_convert(&budget, &ask), 40);
	CHECK_EQ(budget.dying_bytes, 0);
}

TAP_MAIN
