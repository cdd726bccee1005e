/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include "fakes.h"

#define TENTH 100000000ull

static struct wan_memory_forecast forecast_of(struct wan_memory *memory)
{
	struct wan_memory_forecast forecast = {.struct_size = sizeof(forecast)};
	wan_memory_forecast(memory, &forecast);
	return forecast;
}

static enum wan_memory_level tick_at(struct wan_memory *memory, double percent)
{
	fake_now_ns += TENTH;
	fake_host_percent(percent);
	return wan_memory_tick(memory);
}

static uint64_t idle_bytes;

static uint64_t give_idle(void *context, enum wan_memory_level level, uint64_t want_bytes)
{
	uint64_t given = WAN_MIN(idle_bytes, want_bytes);
	idle_bytes -= given;
	fake_give_back(given);
	return given;
}

static const struct wan_reclaimer idle = {
	.name = "idle", .priority = WAN_RECLAIM_IDLE, .reclaim = give_idle};

TEST(a_steady_level_reaches_nothing)
{
	fake_reset(50);
	struct wan_memory *memory = fake_manager(NULL);
	for (int i = 0; i < 10; i++)
		tick_at(memory, 50);
	struct wan_memory_forecast forecast = forecast_of(memory);
	CHECK_STR(forecast.deciding, "host");
	CHECK_EQ(forecast.next, WAN_MEMORY_WARNING);
	CHECK(forecast.seconds == -1);
	CHECK(forecast.seconds_to_limit == -1);
	CHECK(!forecast.early);
	wan_memory_destroy(memory);
}

TEST(growth_reaches_the_next_step_when_the_slope_says)
{
	fake_reset(50);
	struct wan_memory *memory = fake_manager(NULL);
	for (int i = 0; i < 10; i++)
		tick_at(memory, 50 + i * 0.1); /* 10 MB a second of 1000 MB */
	struct wan_memory_forecast forecast = forecast_of(memory);
	CHECK_NEAR(forecast.bytes_per_s, 10 * (double)WAN_MIB, 1000);
	CHECK_NEAR(forecast.seconds, 24.1, 0.01);
	CHECK_NEAR(forecast.seconds_to_limit, 49.1, 0.01);
	CHECK(!forecast.early);
	CHECK_EQ(fake.action_count, 0);
	wan_memory_destroy(memory);
}

TEST(growth_and_full_groups_are_told_with_number_and_limit)
{
	struct wan_memory_advice advice[6];
	fake_reset(50);
	fake.used = 0;
	strcpy(fake.cgroups[0].name, "cgroup /box");
	fake.cgroups[0].limit_bytes = 256 * WAN_MIB;
	fake.cgroup_count = 1;
	struct wan_memory *memory = fake_manager(NULL);
	for (int i = 0; i < 10; i++) {
		fake.cgroups[0].need_bytes = (208 + (uint64_t)i) * WAN_MIB;
		tick_at(memory, 50);
	}
	REQUIRE_EQ(wan_memory_recommend(memory, advice, 6), 2);
	CHECK_STR(advice[0].id, "group_high");
	CHECK(strstr(advice[0].text, "84.8 % of 256 MB (limit 80 %)") != NULL);
	CHECK_STR(advice[1].id, "growing");
	CHECK(strstr(advice[1].text, "grows by 10 MB/s") != NULL);
	wan_memory_destroy(memory);
}

TEST(idle_memory_goes_before_the_step_is_reached)
{
	fake_reset(50);
	struct wan_memory *memory = fake_manager(NULL);
	REQUIRE_EQ(wan_memory_add_reclaimer(memory, &idle), 0);
	idle_bytes = 64 * WAN_MIB;
	for (int i = 0; i < 5; i++)
		tick_at(memory, 50 + 5 * i); /* 5 points between two looks */
	REQUIRE_EQ(fake.action_count, 1);
	CHECK_STR(fake_last_action()->what, "early");
	CHECK_EQ(fake_last_action()->level, WAN_MEMORY_NORMAL);
	CHECK(fake_last_action()->freed_bytes > 0);
	CHECK(strstr(fake_last_action()->reason, "host reaches 75 % in") != NULL);
	CHECK_EQ(fake.limit, 256 * WAN_MIB); /* no limit is touched by it */
	wan_memory_destroy(memory);
}

TEST(our_own_growth_is_no_reason_to_go_early)
{
	fake_reset(50);
	struct wan_memory *memory = fake_manager(NULL);
	REQUIRE_EQ(wan_memory_add_reclaimer(memory, &idle), 0);
	idle_bytes = 64 * WAN_MIB;
	for (int i = 0; i < 5; i++) {
		fake.rss = 300 * WAN_MIB + (uint64_t)i * 50 * WAN_MIB;
		tick_at(memory, 50 + 5 * i);
	}
	CHECK_EQ(fake.action_count, 0);
	CHECK(!forecast_of(memory).early);
	wan_memory_destroy(memory);
}

TEST(classic_rules_do_nothing_early)
{
	fake_reset(50);
	struct wan_memory *memory = fake_manager("classic");
	REQUIRE_EQ(wan_memory_add_reclaimer(memory, &idle), 0);
	idle_bytes = 64 * WAN_MIB;
	for (int i = 0; i < 5; i++)
		tick_at(memory, 50 + 5 * i);
	CHECK_EQ(fake.action_count, 0);
	wan_memory_destroy(memory);
}

TEST(another_level_begins_a_new_trend)
{
	fake_reset(50);
	struct wan_memory *memory = fake_manager(NULL);
	for (int i = 0; i < 10; i++)
		tick_at(memory, 50 + i);
	strcpy(fake.cgroups[0].name, "cgroup /box");
	fake.cgroups[0].limit_bytes = 256 * WAN_MIB;
	fake.cgroups[0].need_bytes = 180 * WAN_MIB;
	fake.cgroup_count = 1;
	tick_at(memory, 60);
	struct wan_memory_forecast forecast = forecast_of(memory);
	CHECK_STR(forecast.deciding, "cgroup /box");
	CHECK(forecast.bytes_per_s == 0);
	wan_memory_destroy(memory);
}

TEST(shorter_structs_are_left_alone_beyond_their_end)
{
	fake_reset(50);
	struct wan_memory *memory = fake_manager(NULL);
	struct wan_memory_forecast forecast = {.struct_size =
						       offsetof(struct wan_memory_forecast, next)};
	forecast.seconds = 42;
	wan_memory_forecast(memory, &forecast);
	CHECK(forecast.seconds == 42);
	wan_memory_forecast(NULL, &forecast);
	wan_memory_forecast(memory, NULL);
	wan_memory_destroy(memory);
}

/* Ten minutes between 84 and 86 % by others, ten looks a second. */
TEST(a_steady_pressure_makes_no_oscillation)
{
	fake_reset(84);
	struct wan_memory *memory = fake_manager(NULL);
	uint32_t changes = 0;
	uint64_t noise = 1;
	enum wan_memory_level level = wan_memory_tick(memory);
	for (int i = 0; i < 6000; i++) {
		noise = noise * 6364136223846793005u + 1442695040888963407u;
		enum wan_memory_level now = tick_at(memory, 84 + (double)(noise >> 40) / 8388608);
		changes += now != level;
		level = now;
	}
	CHECK(changes <= 10);
	CHECK_EQ(fake.cleared, 0);
	CHECK(fake.limit >= 32 * WAN_MIB);
	wan_memory_destroy(memory);
}

TAP_MAIN
