/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include "fakes.h"
#include "look.h"

static struct wan_look look;
static struct wan_look_verdict verdict;

static void add(const char *name, uint64_t need, uint64_t limit)
{
	struct wan_level_reading *level = &look.levels[look.count++];
	strcpy(level->name, name);
	level->need_bytes = need;
	level->limit_bytes = limit;
}

TEST(the_step_goes_by_percent_and_admission_by_bytes)
{
	look.count = 0;
	add("host", 960 * GIB / 1000, GIB);             /* 96 %, 41 MB left */
	add("cgroup /x", 154 * WAN_MIB, 256 * WAN_MIB); /* 60 %, 102 MB left */
	wan_look_judge(&look, 73, &verdict);
	CHECK_EQ(verdict.deciding, 0);
	CHECK_EQ(verdict.tightest, 0);
	look.levels[0].need_bytes *= 64; /* the same 96 % of 64 GB leave 2.6 GB */
	look.levels[0].limit_bytes *= 64;
	wan_look_judge(&look, 73, &verdict);
	CHECK_EQ(verdict.deciding, 0);
	CHECK_NEAR(verdict.percent, 96, 0.01);
	CHECK_EQ(verdict.tightest, 1);
	CHECK_EQ(verdict.headroom_bytes, 102 * WAN_MIB);
	CHECK_EQ(verdict.limiting, 0); /* above the line by the most bytes */
	CHECK(verdict.line_left_bytes < 0);
	CHECK_EQ(verdict.cgroup, 1);
}

TEST(need_above_the_limit_leaves_no_headroom)
{
	look.count = 0;
	add("cgroup /x", 300, 200);
	wan_look_judge(&look, 73, &verdict);
	CHECK_EQ(verdict.headroom_bytes, 0);
	CHECK_NEAR(verdict.percent, 150, 0);
	CHECK_EQ(verdict.line_left_bytes, 146 - 300);
}

TEST(nothing_readable_decides_nothing)
{
	look.count = 0;
	wan_look_judge(&look, 73, &verdict);
	CHECK_EQ(verdict.deciding, -1);
	CHECK_EQ(verdict.tightest, -1);
	CHECK(verdict.headroom_bytes == UINT64_MAX);
	CHECK(verdict.percent == 0);
}

TEST(a_process_cap_is_a_level_of_its_own)
{
	fake_reset(10);
	static const struct wan_memory_sources sources = {.host = fake_host,
							  .process = fake_process};
	struct wan_look_request request = {.now_ns = 1, .process_cap_bytes = 310 * WAN_MIB};
	wan_look_read(&sources, &request, &look);
	wan_look_judge(&look, 73, &verdict);
	CHECK_EQ(look.count, 2);
	CHECK_STR(look.levels[verdict.deciding].name, "process");
	CHECK_EQ(verdict.headroom_bytes, 10 * WAN_MIB);
}

TEST(sources_that_fail_leave_unknown_figures)
{
	fake_reset(10);
	fake.host_status = -5;
	fake.cgroup_count = -13;
	static const struct wan_memory_sources sources = {.host = fake_host,
							  .cgroups = fake_cgroups};
	struct wan_look_request request = {.now_ns = 1};
	wan_look_read(&sources, &request, &look);
	CHECK_EQ(look.count, 0);
	CHECK_EQ(look.total_bytes, 0);
	CHECK_EQ(look.rss_bytes, 0);
}

/* 24 GB at 10 %: others cannot fill it within a second; a group of 256 MB can be. */
TEST(calm_lasts_as_long_as_no_level_can_reach_a_step)
{
	struct wan_look seen = {.count = 1};
	seen.levels[0].limit_bytes = 24 * GIB;
	seen.levels[0].need_bytes = 2 * GIB;
	CHECK(wan_look_calm_ns(&seen, 75) > 1000000000);
	seen.count = 2;
	seen.levels[1].limit_bytes = 256 * WAN_MIB;
	CHECK(wan_look_calm_ns(&seen, 75) < 100000000);
	seen.levels[1].covered = true; /* the kernel tells */
	CHECK(wan_look_calm_ns(&seen, 75) > 1000000000);
	seen.levels[1].need_bytes = 193 * WAN_MIB; /* under 25 % of headroom */
	CHECK_EQ(wan_look_calm_ns(&seen, 75), 0);
	seen.count = 0; /* nothing is known */
	CHECK_EQ(wan_look_calm_ns(&seen, 75), 0);
}

TAP_MAIN
