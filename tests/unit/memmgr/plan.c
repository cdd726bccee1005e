/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include "plan.h"

static double limit_mb(enum wan_memory_level level, double before_mb, bool repeated, bool classic)
{
	uint64_t before = (uint64_t)(before_mb * (double)WAN_MIB);
	return (double)wan_plan_for(level, before, repeated, classic).limit_after / (double)WAN_MIB;
}

TEST(warning_lowers_the_limit_to_four_fifths_down_to_64_mb)
{
	static const double steps[] = {256,      204.8,     163.84, 131.072, 104.8576,
				       83.88608, 67.108864, 64,     64};
	for (unsigned i = 0; i + 1 < WAN_COUNT_OF(steps); i++)
		CHECK_NEAR(limit_mb(WAN_MEMORY_WARNING, steps[i], true, true), steps[i + 1], 1e-5);
}

TEST(critical_halves_the_limit_down_to_32_mb)
{
	static const double steps[] = {256, 128, 64, 32, 32};
	for (unsigned i = 0; i + 1 < WAN_COUNT_OF(steps); i++)
		CHECK_NEAR(limit_mb(WAN_MEMORY_CRITICAL, steps[i], true, false), steps[i + 1],
			   1e-9);
}

TEST(a_limit_below_the_floor_is_never_raised)
{
	CHECK_NEAR(limit_mb(WAN_MEMORY_WARNING, 40, false, false), 40, 0);
	CHECK_NEAR(limit_mb(WAN_MEMORY_CRITICAL, 20, false, false), 20, 0);
	CHECK_NEAR(limit_mb(WAN_MEMORY_EMERGENCY, 20, true, false), 20, 0);
	CHECK_NEAR(limit_mb(WAN_MEMORY_WARNING, 0, false, false), 0, 0);
}

TEST(emergency_clears_once_then_lowers_to_the_floor)
{
	struct wan_plan_action first =
		wan_plan_for(WAN_MEMORY_EMERGENCY, 256 * WAN_MIB, false, false);
	CHECK(first.clear && first.purge && first.callbacks && first.reclaim_rebuild);
	CHECK_EQ(first.limit_after, 256 * WAN_MIB);
	CHECK(first.batch_factor == 0);
	struct wan_plan_action next =
		wan_plan_for(WAN_MEMORY_EMERGENCY, 256 * WAN_MIB, true, false);
	CHECK(!next.clear);
	CHECK_EQ(next.limit_after, 32 * WAN_MIB);
}

TEST(classic_emergency_clears_every_time)
{
	CHECK(wan_plan_for(WAN_MEMORY_EMERGENCY, 256 * WAN_MIB, true, true).clear);
	CHECK_EQ(wan_plan_for(WAN_MEMORY_EMERGENCY, 256 * WAN_MIB, true, true).limit_after,
		 256 * WAN_MIB);
}

TEST(batches_shrink_with_the_level)
{
	CHECK(wan_plan_for(WAN_MEMORY_NORMAL, 1, false, false).batch_factor == 1);
	CHECK(wan_plan_for(WAN_MEMORY_WARNING, 1, false, false).batch_factor == 0.8);
	CHECK(wan_plan_for(WAN_MEMORY_CRITICAL, 1, false, false).batch_factor == 0.5);
}

TEST(cached_values_are_not_dropped_for_a_warning)
{
	CHECK(!wan_plan_for(WAN_MEMORY_WARNING, 1, false, false).reclaim_rebuild);
	CHECK(wan_plan_for(WAN_MEMORY_CRITICAL, 1, false, false).reclaim_rebuild);
}

TEST(excess_is_what_lies_above_the_target)
{
	CHECK_EQ(wan_plan_excess_bytes(80, 100, 70), 10);
	CHECK_EQ(wan_plan_excess_bytes(70, 100, 70), 0);
	CHECK_EQ(wan_plan_excess_bytes(7, 100, 70), 0);
	CHECK_EQ(wan_plan_excess_bytes(5, 0, 70), 5);
}

TEST(a_limit_grows_back_by_a_twentieth_a_second)
{
	uint64_t limit = 128 * WAN_MIB, full = 256 * WAN_MIB;
	unsigned seconds = 0;
	for (; limit < full && seconds < 100; seconds++) {
		uint64_t next = wan_plan_regrow(limit, full, 1000000000);
		CHECK(next - limit <= full / 20);
		limit = next;
	}
	CHECK_EQ(limit, full);
	CHECK_EQ(seconds, 11); /* half of it at 5 % a second, the last step cut */
	CHECK_EQ(wan_plan_regrow(300, 200, 1000000000), 300);
	CHECK_EQ(wan_plan_regrow(0, 1000, 3600ull * 1000000000), 50); /* after a long sleep too */
}

TEST(an_action_is_repeated_only_when_need_rises)
{
	CHECK(!wan_plan_due_again(800, 800, 1000, 300000000, false));
	CHECK(!wan_plan_due_again(800, 809, 1000, 300000000, false));
	CHECK(wan_plan_due_again(800, 810, 1000, 300000000, false));
	CHECK(!wan_plan_due_again(800, 900, 1000, 249999999, false));
	CHECK(wan_plan_due_again(800, 700, 1000, 0, true));
}

TEST(images_that_need_at_most_80_percent_are_processed_at_once)
{
	struct wan_memory_plan plan;
	wan_memory_plan(1000, 8, 10, 10, 1, &plan);
	CHECK(plan.can_process && !plan.use_streaming && !plan.reduce_cache);
	CHECK_EQ(plan.need_bytes, 800);
	CHECK_EQ(plan.batch, 8);
	CHECK_EQ(plan.max_width_px, 10);
}

TEST(more_images_go_in_batches_of_60_percent)
{
	struct wan_memory_plan plan;
	wan_memory_plan(1000, 9, 10, 10, 1, &plan);
	CHECK(!plan.can_process && plan.use_streaming && plan.reduce_cache);
	CHECK_EQ(plan.batch, 6);
	CHECK_EQ(plan.max_width_px, 1280);
	CHECK_EQ(plan.max_height_px, 720);
}

TEST(one_image_that_does_not_fit_is_still_a_batch_of_one)
{
	struct wan_memory_plan plan;
	wan_memory_plan(10, 5, 1000, 1000, 3, &plan);
	CHECK(!plan.can_process);
	CHECK_EQ(plan.batch, 1);
}

TEST(a_plan_for_absurd_sizes_saturates)
{
	struct wan_memory_plan plan;
	wan_memory_plan(1024 * WAN_MIB, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, &plan);
	CHECK(plan.need_bytes == UINT64_MAX);
	CHECK(!plan.can_process);
	CHECK_EQ(plan.batch, 1);
	wan_memory_plan(1000, 0, 0, 0, 0, &plan);
	CHECK(plan.can_process);
	CHECK_EQ(plan.batch, 1);
}

TEST(the_automatic_cache_is_a_fifth_between_32_and_512_mb)
{
	CHECK_EQ(wan_memory_optimal_cache_bytes(1000 * WAN_MIB, 20), 200 * WAN_MIB);
	CHECK_EQ(wan_memory_optimal_cache_bytes(100 * WAN_MIB, 20), 32 * WAN_MIB);
	CHECK_EQ(wan_memory_optimal_cache_bytes(100000 * WAN_MIB, 20), 512 * WAN_MIB);
	CHECK_EQ(wan_memory_optimal_cache_bytes(160 * WAN_MIB, 20), 32 * WAN_MIB);
	CHECK_EQ(wan_memory_optimal_cache_bytes(2560 * WAN_MIB, 20), 512 * WAN_MIB);
	CHECK_EQ(wan_memory_optimal_cache_bytes(0, 20), 32 * WAN_MIB);
}

/* 1280x720 RGB float frames, figures in 1e6 bytes. */
static uint32_t frames(double available, double reserve)
{
	return wan_memory_chunk_frames((uint64_t)(available * 1e6), (uint64_t)(reserve * 1e6),
				       11059200);
}

TEST(a_chunk_is_70_percent_of_what_is_left_after_the_reserve)
{
	CHECK_EQ(frames(8000, 2000), 100); /* 379, at most 100 */
	CHECK_EQ(frames(3000, 2000), 63);
	CHECK_EQ(frames(180, 67), 7); /* ten would eat the small reserve */
}

TEST(a_chunk_prefers_ten_frames_where_the_reserve_is_large)
{
	CHECK_EQ(frames(2100, 2000), 10); /* 6 by the rule */
}

TEST(a_chunk_never_takes_more_than_90_percent_of_what_is_available)
{
	for (uint64_t available = 0; available < 3000 * WAN_MIB; available += 13 * WAN_MIB)
		for (uint64_t reserve = 0; reserve < 4000 * WAN_MIB; reserve += 97 * WAN_MIB) {
			uint64_t n = wan_memory_chunk_frames(available, reserve, 11059200);
			CHECK((double)(n * 11059200) <= (double)available * 0.9);
		}
}

TEST(less_than_one_frame_is_no_chunk)
{
	CHECK_EQ(frames(12, 67), 0);
	CHECK_EQ(frames(80, 67), 0);
	CHECK_EQ(frames(0, 0), 0);
	CHECK_EQ(wan_memory_chunk_frames(1000, 0, 0), 0);
	CHECK_EQ(wan_memory_chunk_frames(UINT64_MAX, 0, 1), 100);
	CHECK_EQ(wan_memory_chunk_frames(1, UINT64_MAX, UINT64_MAX), 0);
}

TEST(the_reserve_of_a_small_limit_is_a_quarter_of_it)
{
	CHECK_EQ(wan_memory_chunk_reserve(256 * WAN_MIB), 64 * WAN_MIB);
	CHECK_EQ(wan_memory_chunk_reserve(64 * 1024 * WAN_MIB), 2048 * WAN_MIB);
}

TAP_MAIN
