/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include "chunk_rule.h"
#include "macros.h"

#define MB(n) ((uint64_t)(n)*1000000)
#define FRAME ((uint64_t)11059200) /* 1280x720 float RGB */

static struct wan_chunk_advice advise(uint64_t headroom, uint64_t limit, uint64_t left,
				      uint32_t fits)
{
	struct wan_chunk_place place = {.name = "cgroup /box",
					.headroom_bytes = headroom,
					.limit_bytes = limit,
					.frame_bytes = FRAME};
	struct wan_chunk_wish wish = {.left = left, .least = 10, .most = 100, .fits = fits};
	struct wan_chunk_advice advice;
	wan_chunk_advise(&place, 1, &wish, &advice);
	return advice;
}

TEST(a_table_of_inputs_and_the_advice_for_them)
{
	static const struct {
		uint64_t headroom, limit, left;
		uint32_t fits, frames;
		enum wan_chunk_reason reason;
	} table[] = {
		/* headroom, limit, frames left, known to fit: frames, reason */
		{MB(8000), MB(16000), 1000, UINT32_MAX, 100, WAN_CHUNK_MOST},
		{MB(3148), MB(16000), 1000, UINT32_MAX, 63, WAN_CHUNK_BY_MEMORY},
		{MB(2248), MB(16000), 1000, UINT32_MAX, 10, WAN_CHUNK_LEAST},
		{MB(180), MB(268), 1000, UINT32_MAX, 7, WAN_CHUNK_BY_MEMORY},
		{MB(180), MB(268), 5, UINT32_MAX, 5, WAN_CHUNK_REST},
		{MB(180), MB(268), 1000, 3, 3, WAN_CHUNK_BY_FAILURE},
		{MB(180), MB(268), 2, 3, 2, WAN_CHUNK_REST},
		{MB(12), MB(268), 1000, UINT32_MAX, 0, WAN_CHUNK_NO_FIT},
		{MB(80), MB(268), 1000, UINT32_MAX, 0, WAN_CHUNK_NO_FIT},
		{0, MB(268), 1000, UINT32_MAX, 0, WAN_CHUNK_NO_FIT},
		{MB(180), 0, 1000, UINT32_MAX, 11, WAN_CHUNK_BY_MEMORY},
		{UINT64_MAX, UINT64_MAX, 1000, UINT32_MAX, 100, WAN_CHUNK_MOST},
		{UINT64_MAX, UINT64_MAX, 0, UINT32_MAX, 0, WAN_CHUNK_REST},
	};
	for (size_t i = 0; i < WAN_COUNT_OF(table); i++) {
		struct wan_chunk_advice first =
			advise(table[i].headroom, table[i].limit, table[i].left, table[i].fits);
		struct wan_chunk_advice again =
			advise(table[i].headroom, table[i].limit, table[i].left, table[i].fits);
		printf("# %s\n", first.text);
		CHECK_EQ(first.frames, table[i].frames);
		CHECK_EQ(first.reason, table[i].reason);
		CHECK_STR(first.limiting, "cgroup /box");
		CHECK_EQ(first.headroom_bytes, table[i].headroom);
		CHECK_MEM(&first, &again, sizeof(first));
	}
}

TEST(advice_never_takes_more_than_90_percent_of_the_headroom)
{
	for (uint64_t headroom = 0; headroom < MB(4000); headroom += MB(7))
		for (uint64_t limit = MB(64); limit < MB(20000); limit = limit * 3 / 2) {
			struct wan_chunk_advice advice = advise(headroom, limit, 1000, UINT32_MAX);
			CHECK((double)(advice.frames * FRAME) <= (double)headroom * 0.9);
		}
}

TEST(the_rule_is_that_of_the_public_function)
{
	for (uint64_t headroom = 0; headroom < MB(12000); headroom += MB(13)) {
		uint64_t limit = MB(16000), reserve = wan_memory_chunk_reserve(limit);
		struct wan_chunk_advice advice = advise(headroom, limit, 1000, UINT32_MAX);
		CHECK_EQ(advice.frames, wan_memory_chunk_frames(headroom, reserve, FRAME));
		CHECK_EQ(advice.reserve_bytes, reserve);
	}
}

TEST(the_smallest_of_host_and_device_counts)
{
	struct wan_chunk_place places[] = {
		{.name = "host",
		 .headroom_bytes = MB(8000),
		 .limit_bytes = MB(16000),
		 .frame_bytes = FRAME},
		{.name = "gpu 1",
		 .headroom_bytes = MB(3148),
		 .limit_bytes = MB(16000),
		 .frame_bytes = FRAME,
		 .gpu = true},
	};
	struct wan_chunk_wish wish = {.left = 1000, .least = 10, .most = 100, .fits = UINT32_MAX};
	struct wan_chunk_advice advice;
	wan_chunk_advise(places, 2, &wish, &advice);
	CHECK_EQ(advice.frames, 63);
	CHECK_EQ(advice.reason, WAN_CHUNK_BY_GPU);
	CHECK_STR(advice.limiting, "gpu 1");
	places[1].headroom_bytes = MB(9000);
	wan_chunk_advise(places, 2, &wish, &advice);
	CHECK_EQ(advice.frames, 100);
	places[1].headroom_bytes = MB(100);
	wan_chunk_advise(places, 2, &wish, &advice);
	CHECK_EQ(advice.frames, 0);
	CHECK_EQ(advice.reason, WAN_CHUNK_NO_FIT);
}

TEST(three_chunks_replace_the_estimate)
{
	struct wan_chunk_samples samples = {0};
	bool measured;
	wan_chunk_samples_add(&samples, 700, false);
	wan_chunk_samples_add(&samples, 900, false);
	CHECK_EQ(wan_chunk_frame_bytes(&samples, 1000, &measured), 1000);
	CHECK(!measured);
	wan_chunk_samples_add(&samples, 800, false);
	CHECK_EQ(wan_chunk_frame_bytes(&samples, 1000, &measured), 900);
	CHECK(measured);
	for (int i = 0; i < 31; i++)
		wan_chunk_samples_add(&samples, 500, false);
	wan_chunk_samples_add(&samples, 5000, false);
	CHECK_EQ(wan_chunk_samples_p95(&samples), 500); /* 31 of 32 are 500 */
	wan_chunk_samples_add(&samples, 5000, false);
	CHECK_EQ(wan_chunk_samples_p95(&samples), 5000); /* 30 of 32 are less than 95 % */
}

TEST(what_seems_to_take_nothing_is_not_believed)
{
	struct wan_chunk_samples samples = {0}, exact = {0};
	bool measured;
	for (int i = 0; i < 3; i++) {
		wan_chunk_samples_add(&samples, 1, false);
		wan_chunk_samples_add(&exact, 1, true);
	}
	CHECK_EQ(wan_chunk_frame_bytes(&samples, 1000, &measured), 250);
	CHECK_EQ(wan_chunk_frame_bytes(&exact, 1000, &measured), 1);
	wan_chunk_samples_add(&exact, 1, false);
	CHECK_EQ(wan_chunk_frame_bytes(&exact, 1000, &measured), 250);
}

TAP_MAIN
