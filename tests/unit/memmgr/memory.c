/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include <errno.h>

#include "clock.h"
#include "fakes.h"

#define SECOND 1000000000ull

static enum wan_memory_level tick_at(struct wan_memory *memory, double percent, uint64_t after_ns)
{
	fake_now_ns += after_ns;
	fake_host_percent(percent);
	return wan_memory_tick(memory);
}

/* Enters again where it should not, and frees nothing. */
static uint64_t reclaim_by_reserving(void *context, enum wan_memory_level level, uint64_t want)
{
	if (wan_memory_reserve(context, 2 * WAN_MIB, NULL) == 0)
		wan_memory_unreserve(context, 2 * WAN_MIB);
	wan_memory_tick(context);
	return 0;
}

TEST(below_75_percent_nothing_is_done)
{
	fake_reset(74.9);
	struct wan_memory *memory = fake_manager(NULL);
	REQUIRE(memory);
	CHECK_EQ(wan_memory_tick(memory), WAN_MEMORY_NORMAL);
	CHECK_EQ(fake.action_count, 0);
	CHECK_EQ(fake.limit, 256 * WAN_MIB);
	wan_memory_destroy(memory);
}

TEST(at_75_percent_the_limit_is_lowered_to_four_fifths)
{
	fake_reset(75);
	struct wan_memory *memory = fake_manager(NULL);
	CHECK_EQ(wan_memory_tick(memory), WAN_MEMORY_WARNING);
	CHECK_NEAR((double)fake.limit / (double)WAN_MIB, 204.8, 1e-5);
	CHECK_EQ(fake.cleared, 0);
	CHECK_EQ(fake.emergencies, 0);
	const struct wan_memory_action *action = fake_last_action();
	CHECK_STR(action->what, "cache_limit");
	CHECK_STR(action->reason, "warning: host at 75.0 % (limit 75 %)");
	CHECK_EQ(action->level, WAN_MEMORY_WARNING);
	CHECK_EQ(action->limit_before_bytes, 256 * WAN_MIB);
	CHECK_EQ(action->limit_after_bytes, fake.limit);
	CHECK_EQ(action->asked_bytes, 50 * WAN_MIB); /* down to 70 % */
	CHECK_EQ(action->freed_bytes, 256 * WAN_MIB - fake.limit);
	CHECK(!action->not_ours);
	wan_memory_destroy(memory);
}

TEST(at_85_percent_the_limit_is_halved)
{
	fake_reset(85);
	struct wan_memory *memory = fake_manager(NULL);
	CHECK_EQ(wan_memory_tick(memory), WAN_MEMORY_CRITICAL);
	CHECK_EQ(fake.limit, 128 * WAN_MIB);
	CHECK_EQ(fake.cleared, 0);
	wan_memory_destroy(memory);
}

TEST(at_95_percent_the_cache_is_cleared_and_callbacks_are_called)
{
	fake_reset(95);
	struct wan_memory *memory = fake_manager(NULL);
	CHECK_EQ(wan_memory_on_emergency(memory, fake_emergency, NULL), 0);
	CHECK_EQ(wan_memory_on_emergency(memory, fake_emergency, NULL), -EEXIST);
	CHECK_EQ(wan_memory_tick(memory), WAN_MEMORY_EMERGENCY);
	CHECK_EQ(fake.cleared, 1);
	CHECK_EQ(fake.emergencies, 1);
	CHECK_EQ(fake.limit, 256 * WAN_MIB); /* unchanged at 95 */
	CHECK_STR(fake_last_action()->what, "cache_clear");
	wan_memory_destroy(memory);
}

TEST(a_step_is_taken_once_per_entry)
{
	fake_reset(76);
	struct wan_memory *memory = fake_manager(NULL);
	for (int i = 0; i < 50; i++)
		tick_at(memory, 76, SECOND / 10);
	CHECK_EQ(fake.action_count, 1);
	wan_memory_destroy(memory);
}

TEST(a_step_is_taken_again_while_need_rises)
{
	fake_reset(76);
	struct wan_memory *memory = fake_manager(NULL);
	wan_memory_tick(memory);
	tick_at(memory, 77.5, SECOND / 10); /* too soon */
	CHECK_EQ(fake.action_count, 1);
	tick_at(memory, 77.5, SECOND / 5);
	CHECK_EQ(fake.action_count, 2);
	CHECK_NEAR((double)fake.limit / (double)WAN_MIB, 163.84, 1e-5);
	wan_memory_destroy(memory);
}

TEST(classic_rules_act_at_every_look)
{
	fake_reset(76);
	struct wan_memory *memory = fake_manager("classic");
	for (int i = 0; i < 9; i++)
		tick_at(memory, 76, 5 * SECOND);
	CHECK_EQ(fake.action_count, 9);
	CHECK_EQ(fake.limit, 64 * WAN_MIB);
	tick_at(memory, 74.9, SECOND);
	struct wan_memory_state state = {.struct_size = sizeof(state)};
	wan_memory_state(memory, &state);
	CHECK_EQ(state.level, WAN_MEMORY_NORMAL); /* no hysteresis either */
	wan_memory_destroy(memory);
}

TEST(a_second_emergency_step_lowers_the_limit_instead_of_clearing)
{
	fake_reset(95);
	struct wan_memory *memory = fake_manager(NULL);
	wan_memory_tick(memory);
	tick_at(memory, 97, SECOND);
	CHECK_EQ(fake.cleared, 1);
	CHECK_EQ(fake.limit, 32 * WAN_MIB);
	wan_memory_destroy(memory);
}

TEST(pressure_that_is_not_ours_is_recorded_as_such)
{
	fake_reset(95);
	fake.used = WAN_MIB; /* of 300 MB that are missing */
	fake.total *= 32;
	fake.available *= 32;
	struct wan_memory *memory = fake_manager(NULL);
	wan_memory_tick(memory);
	CHECK(fake_last_action()->not_ours);
	CHECK_EQ(fake_last_action()->freed_bytes, WAN_MIB);
	CHECK(strstr(fake_last_action()->reason, "; not ours to solve") != NULL);
	wan_memory_destroy(memory);
}

TEST(what_was_freed_and_did_not_come_back_takes_the_next_step_further)
{
	fake_reset(76);
	fake.kept = true;
	struct wan_memory *memory = fake_manager(NULL);
	wan_memory_tick(memory);
	CHECK(fake_last_action()->fragmented);
	CHECK_EQ(fake_last_action()->freed_bytes, 0); /* and not what the cache says */
	tick_at(memory, 77.5, SECOND / 2);
	REQUIRE_EQ(fake.action_count, 2);
	CHECK_EQ(fake.limit, (256 * WAN_MIB / 10 * 8 + 4) / 2); /* halved, as at critical */
	CHECK_EQ(fake_last_action()->level, WAN_MEMORY_WARNING);
	fake.kept = false;
	tick_at(memory, 79, SECOND / 2);
	REQUIRE_EQ(fake.action_count, 3);
	CHECK(!fake_last_action()->fragmented);
	wan_memory_destroy(memory);
}

TEST(what_came_back_is_not_fragmented)
{
	fake_reset(86);
	struct wan_memory *memory = fake_manager(NULL);
	wan_memory_tick(memory);
	CHECK(!fake_last_action()->fragmented);
	CHECK_EQ(fake_last_action()->freed_bytes, 128 * WAN_MIB);
	wan_memory_destroy(memory);
}

TEST(a_reserve_that_crosses_a_step_acts_at_once)
{
	fake_reset(60);
	fake.rss = 800 * WAN_MIB;
	struct wan_memory *memory = fake_manager(NULL);
	wan_memory_tick(memory);
	CHECK_EQ(wan_memory_reserve(memory, 2 * WAN_MIB, NULL), 0);
	CHECK_EQ(fake.action_count, 0);
	fake_host_percent(86); /* by others, between two ticks */
	CHECK_EQ(wan_memory_reserve(memory, 2 * WAN_MIB, NULL), 0);
	REQUIRE_EQ(fake.action_count, 1);
	CHECK_EQ(fake_last_action()->level, WAN_MEMORY_CRITICAL);
	CHECK_EQ(fake.limit, 128 * WAN_MIB);
	fake_now_ns += SECOND / 10;
	wan_memory_tick(memory); /* done already */
	CHECK_EQ(fake.action_count, 1);
	wan_memory_destroy(memory);
}

TEST(emergency_callbacks_are_left_to_the_tick)
{
	fake_reset(60);
	struct wan_memory *memory = fake_manager(NULL);
	REQUIRE_EQ(wan_memory_on_emergency(memory, fake_emergency, NULL), 0);
	wan_memory_tick(memory);
	fake_host_percent(96);
	CHECK_EQ(wan_memory_reserve(memory, 2 * WAN_MIB, NULL), 0);
	CHECK_EQ(fake.cleared, 1);
	CHECK_EQ(fake.emergencies, 0);
	CHECK_EQ(fake.woken, 1);
	wan_memory_tick(memory);
	CHECK_EQ(fake.emergencies, 1);
	wan_memory_tick(memory);
	CHECK_EQ(fake.emergencies, 1);
	wan_memory_destroy(memory);
}

TEST(a_reclaimer_that_reserves_does_not_act_again)
{
	fake_reset(60);
	struct wan_memory *memory = fake_manager(NULL);
	const struct wan_reclaimer nested = {
		.name = "nested", .reclaim = reclaim_by_reserving, .context = memory};
	REQUIRE_EQ(wan_memory_add_reclaimer(memory, &nested), 0);
	wan_memory_tick(memory);
	fake_host_percent(86);
	CHECK_EQ(wan_memory_reserve(memory, 2 * WAN_MIB, NULL), 0);
	CHECK_EQ(fake.action_count, 1);
	wan_memory_destroy(memory);
}

TEST(the_limit_grows_back_below_70_percent)
{
	fake_reset(86);
	struct wan_memory *memory = fake_manager(NULL);
	wan_memory_tick(memory);
	CHECK_EQ(fake.limit, 128 * WAN_MIB);
	tick_at(memory, 72, 2 * SECOND); /* normal needs 70 and below */
	tick_at(memory, 72, 2 * SECOND);
	CHECK_EQ(fake.limit, 128 * WAN_MIB);
	tick_at(memory, 60, SECOND);
	CHECK_EQ(fake.limit, 128 * WAN_MIB + 256 * WAN_MIB / 20);
	for (int i = 0; i < 50; i++)
		tick_at(memory, 60, SECOND / 10);
	/* Not faster when looked at more often. */
	CHECK(fake.limit <= 128 * WAN_MIB + 6 * (256 * WAN_MIB / 20));
	for (int i = 0; i < 10; i++)
		tick_at(memory, 60, SECOND);
	CHECK_EQ(fake.limit, 256 * WAN_MIB);
	CHECK_STR(fake_last_action()->what, "cache_regrow");
	uint32_t actions = fake.action_count;
	tick_at(memory, 60, SECOND);
	CHECK_EQ(fake.action_count, actions);
	wan_memory_destroy(memory);
}

TEST(an_owner_s_own_change_of_the_limit_stands)
{
	fake_reset(86);
	struct wan_memory *memory = fake_manager(NULL);
	wan_memory_tick(memory);
	fake.limit = 40 * WAN_MIB; /* by the owner */
	for (int i = 0; i < 20; i++)
		tick_at(memory, 50, SECOND);
	CHECK_EQ(fake.limit, 40 * WAN_MIB);
	wan_memory_destroy(memory);
}

TEST(the_highest_percentage_of_any_level_decides)
{
	fake_reset(40);
	strcpy(fake.cgroups[0].name, "cgroup /box");
	fake.cgroups[0].limit_bytes = 256 * WAN_MIB;
	fake.cgroups[0].need_bytes = 220 * WAN_MIB;
	fake.cgroup_count = 1;
	fake.used = 0; /* nothing that is done changes the figures */
	struct wan_memory *memory = fake_manager(NULL);
	CHECK_EQ(wan_memory_tick(memory), WAN_MEMORY_CRITICAL);
	struct wan_memory_state state = {.struct_size = sizeof(state)};
	wan_memory_state(memory, &state);
	CHECK_STR(state.deciding, "cgroup /box");
	CHECK_STR(state.tightest, "cgroup /box");
	CHECK_NEAR(state.deciding_percent, 85.9, 0.05);
	CHECK_NEAR(state.host_percent, 40, 1e-6);
	CHECK_EQ(state.headroom_bytes, 36 * WAN_MIB);
	CHECK_EQ(state.cgroup_limit_bytes, 256 * WAN_MIB);
	CHECK_EQ(state.process_rss_bytes, 300 * WAN_MIB);
	wan_memory_destroy(memory);
}

TEST(a_small_box_at_60_percent_on_a_full_host_is_an_emergency_of_the_host)
{
	fake_reset(96);
	strcpy(fake.cgroups[0].name, "cgroup /box");
	fake.cgroups[0].limit_bytes = 256 * WAN_MIB;
	fake.cgroups[0].need_bytes = 154 * WAN_MIB;
	fake.cgroup_count = 1;
	struct wan_memory *memory = fake_manager(NULL);
	CHECK_EQ(wan_memory_tick(memory), WAN_MEMORY_EMERGENCY);
	CHECK_STR(fake_last_action()->reason, "emergency: host at 96.0 % (limit 95 %)");
	wan_memory_destroy(memory);
}

TEST(an_unreadable_host_keeps_its_last_figures)
{
	fake_reset(80);
	fake.used = 0; /* nothing that is done changes the figures */
	struct wan_memory *memory = fake_manager(NULL);
	CHECK_EQ(wan_memory_tick(memory), WAN_MEMORY_WARNING);
	fake.host_status = -EIO;
	fake_now_ns += 10 * SECOND;
	CHECK_EQ(wan_memory_tick(memory), WAN_MEMORY_WARNING);
	struct wan_memory_state state = {.struct_size = sizeof(state)};
	wan_memory_state(memory, &state);
	CHECK_NEAR(state.host_percent, 80, 1e-6);
	CHECK_EQ(state.total_bytes, 1000 * WAN_MIB);
	wan_memory_destroy(memory);
}

TEST(nothing_readable_at_all_is_normal_and_unknown)
{
	fake_reset(80);
	fake.host_status = -ENOENT;
	struct wan_memory *memory = fake_manager(NULL);
	REQUIRE(memory);
	CHECK_EQ(wan_memory_tick(memory), WAN_MEMORY_NORMAL);
	struct wan_memory_state state = {.struct_size = sizeof(state)};
	wan_memory_state(memory, &state);
	CHECK(state.headroom_bytes == UINT64_MAX);
	CHECK_STR(state.deciding, "");
	wan_memory_destroy(memory);
}

TEST(the_trend_of_a_rising_series_is_positive)
{
	fake_reset(30);
	struct wan_memory *memory = fake_manager(NULL);
	for (int i = 0; i < 10; i++)
		tick_at(memory, 30 + i, SECOND);
	CHECK_NEAR(wan_memory_trend(memory), 10.0 * (double)WAN_MIB, 1000);
	wan_memory_destroy(memory);
}

TEST(words_of_the_recording_follow_each_look)
{
	fake_reset(76);
	fake.used = 0; /* nothing that is done changes the figures */
	struct wan_memory *memory = fake_manager(NULL);
	wan_memory_tick(memory);
	CHECK_EQ(fake.words[0], WAN_MEMORY_WARNING);
	CHECK_EQ(fake.words[2], 76000);
	CHECK_EQ(fake.words[3], 1000 * WAN_MIB);
	CHECK_EQ(fake.words[4], 240 * WAN_MIB);
	CHECK_EQ(fake.words[8], 300 * WAN_MIB);
	CHECK_EQ(fake.words[10], 1);
	CHECK_EQ(fake.words[11], 1);
	wan_memory_destroy(memory);
}

TEST(advice_is_normal_when_nothing_applies)
{
	struct wan_memory_advice advice[5];
	fake_reset(10);
	fake.used = 0;
	struct wan_memory *memory = fake_manager(NULL);
	CHECK_EQ(wan_memory_recommend(memory, advice, 5), 1);
	CHECK_STR(advice[0].id, "normal");
	CHECK(strstr(advice[0].text, "normal") != NULL);
	wan_memory_destroy(memory);
}

TEST(advice_names_the_number_and_the_limit)
{
	struct wan_memory_advice advice[5];
	fake_reset(80);
	struct wan_memory *memory = fake_manager(NULL);
	fake.used = 0;
	wan_memory_tick(memory);
	CHECK_EQ(wan_memory_recommend(memory, advice, 5), 1);
	CHECK_STR(advice[0].id, "normal"); /* 80 itself is not above */
	fake.used = 256 * WAN_MIB;
	fake.rss = 1001 * WAN_MIB;
	fake.gpu = true;
	fake.gpu_used = 81;
	fake.gpu_total = 100;
	struct wan_batch_options options;
	struct wan_batch *batch;
	wan_batch_options_init(&options);
	options.on_gpu = true;
	REQUIRE_EQ(wan_batch_create(memory, &options, &batch), 0);
	tick_at(memory, 81, SECOND / 10);
	REQUIRE_EQ(wan_memory_recommend(memory, advice, 5), 4);
	CHECK_STR(advice[0].id, "system_high");
	CHECK(strstr(advice[0].text, "81.0 % (limit 80 %)") != NULL);
	CHECK_STR(advice[1].id, "cache_large");
	CHECK_STR(advice[2].id, "process_large");
	CHECK_STR(advice[3].id, "gpu_high");
	CHECK_EQ(wan_memory_recommend(memory, advice, 2), 2);
	CHECK_EQ(wan_memory_recommend(memory, advice, 0), 0);
	wan_batch_destroy(batch);
	wan_memory_destroy(memory);
}

TEST(shorter_state_structs_of_older_callers_are_respected)
{
	struct {
		struct wan_memory_state state;
		char guard[8];
	} old;
	memset(&old, 0x55, sizeof(old));
	old.state.struct_size = offsetof(struct wan_memory_state, total_bytes);
	fake_reset(76);
	struct wan_memory *memory = fake_manager(NULL);
	wan_memory_state(memory, &old.state);
	CHECK(old.state.total_bytes == 0x5555555555555555u);
	CHECK_STR(old.state.deciding, "host");
	wan_memory_destroy(memory);
}

TEST(null_handles_are_harmless)
{
	wan_memory_destroy(NULL);
	CHECK_EQ(wan_memory_tick(NULL), WAN_MEMORY_NORMAL);
	CHECK(wan_memory_trend(NULL) == 0);
	CHECK_EQ(wan_memory_recommend(NULL, NULL, 3), 0);
	wan_memory_state(NULL, NULL);
	CHECK_EQ(wan_memory_on_emergency(NULL, fake_emergency, NULL), -EINVAL);
	CHECK_EQ(wan_memory_create(NULL, NULL), -EINVAL);
}

/* Figures, not limits: a busy machine must not fail the suite. */
TEST(a_look_at_this_machine_costs_microseconds)
{
	struct wan_memory_options options = {.struct_size = sizeof(options)};
	struct wan_memory *memory;
	REQUIRE_EQ(wan_memory_create(&options, &memory), 0);
	enum { TICKS = 2000 };
	uint64_t begin = wan_thread_cpu_ns();
	for (int i = 0; i < TICKS; i++)
		wan_memory_tick(memory);
	double us = (double)(wan_thread_cpu_ns() - begin) / TICKS / 1000;
	printf("# %.1f us CPU per tick on this machine\n", us);
	CHECK(us < 2000);
	wan_memory_destroy(memory);
}

TAP_MAIN
