/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include "eta.h"
#include "wan/progress.h"

TEST(step_25_of_100_is_25_percent_with_three_times_elapsed_to_go)
{
	CHECK_NEAR(wan_eta_percent(25, 100), 25, 0);
	CHECK_EQ(wan_eta_ns(4000, 25, 100), 12000);
}

TEST(an_unknown_total_has_no_eta)
{
	CHECK_NEAR(wan_eta_percent(25, 0), 0, 0);
	CHECK(wan_eta_ns(4000, 25, 0) == UINT64_MAX);
	CHECK(wan_eta_ns(4000, 0, 100) == UINT64_MAX);
}

TEST(beyond_the_total_is_done)
{
	CHECK_NEAR(wan_eta_percent(150, 100), 100, 0);
	CHECK_EQ(wan_eta_ns(4000, 150, 100), 0);
	CHECK_EQ(wan_eta_ns(4000, 100, 100), 0);
}

TEST(huge_figures_are_unknown_and_not_wrapped)
{
	CHECK(wan_eta_ns(UINT64_MAX, 1, UINT64_MAX) == UINT64_MAX);
	CHECK(wan_eta_percent(UINT64_MAX - 1, UINT64_MAX) <= 100);
}

static const char *text(int64_t seconds)
{
	static char to[32];
	return wan_progress_duration_text(to, sizeof(to), seconds);
}

TEST(durations_read_as_people_say_them)
{
	CHECK_STR(text(30), "30s");
	CHECK_STR(text(45), "45s");
	CHECK_STR(text(59), "59s");
	CHECK_STR(text(60), "1m 0s");
	CHECK_STR(text(125), "2m 5s");
	CHECK_STR(text(3599), "59m 59s");
	CHECK_STR(text(3665), "1h 1m");
	CHECK_STR(text(0), "0s");
	CHECK_STR(text(-10), "0s");
	CHECK_STR(text(INT64_MAX), "2562047788015215h 30m");
	CHECK_STR(text(INT64_MIN), "0s");
}

TEST(a_duration_is_cut_to_the_room_there_is)
{
	char small[4];
	CHECK_STR(wan_progress_duration_text(small, sizeof(small), 3665), "1h ");
}

TAP_MAIN
