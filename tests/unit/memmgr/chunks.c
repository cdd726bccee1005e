/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include <errno.h>

#include "fakes.h"

#define FRAME (5 * WAN_MIB)

/* A box of 256 MB in which a job holds its frames until they are released. */
static struct job {
	uint64_t held_bytes;   /* of the chunk under way */
	uint64_t frame_really; /* what a frame takes */
	uint64_t released, first_released;
	uint32_t releases;
	bool early; /* a chunk began while the one before was held */
} job;

static void take(uint64_t bytes)
{
	job.held_bytes += bytes;
	fake.rss += bytes;
	fake.cgroups[0].need_bytes += bytes;
}

static void release(void *context, uint64_t first, uint32_t count)
{
	fake.rss -= job.held_bytes;
	fake.cgroups[0].need_bytes -= job.held_bytes;
	job.held_bytes = 0;
	job.released += count;
	job.first_released = first;
	job.releases++;
}

static struct wan_memory *box(uint64_t need_mb)
{
	fake_reset(10);
	fake.total = 24 * GIB;
	fake.available = 20 * GIB;
	fake.used = 0;
	strcpy(fake.cgroups[0].name, "cgroup /box");
	fake.cgroups[0].limit_bytes = 256 * WAN_MIB;
	fake.cgroups[0].need_bytes = need_mb * WAN_MIB;
	fake.cgroup_count = 1;
	fake.rss = need_mb * WAN_MIB;
	job = (struct job){.frame_really = FRAME};
	return fake_manager(NULL);
}

static struct wan_chunks *plan_of(struct wan_memory *memory, uint64_t frames)
{
	struct wan_chunks_options options;
	struct wan_chunks *chunks = NULL;
	wan_chunks_options_init(&options);
	options.frames = frames;
	options.frame_bytes = FRAME;
	options.release = release;
	return wan_chunks_create(memory, &options, &chunks) == 0 ? chunks : NULL;
}

TEST(every_frame_comes_once_and_each_chunk_is_freed_before_the_next)
{
	struct wan_memory *memory = box(20);
	struct wan_chunks *chunks = plan_of(memory, 100);
	uint64_t first, expected = 0;
	uint32_t count;
	int r;
	REQUIRE(chunks);
	while ((r = wan_chunks_next(chunks, &first, &count)) > 0) {
		CHECK_EQ(first, expected);
		CHECK_EQ(job.held_bytes, 0);
		CHECK_EQ(job.released, expected);
		expected += count;
		take(count * FRAME);
		CHECK(fake.cgroups[0].need_bytes < 256 * WAN_MIB);
	}
	CHECK_EQ(r, 0);
	CHECK_EQ(expected, 100);
	CHECK_EQ(job.released, 100);
	struct wan_chunks_result result = {.struct_size = sizeof(result)};
	wan_chunks_result(chunks, &result);
	CHECK_EQ(result.done, 100);
	CHECK_EQ(result.code, 0);
	CHECK_EQ(result.chunks, 5);
	CHECK_EQ(result.largest, 24); /* 70 % of (236 - 64) MB */
	CHECK_EQ(result.measured_frame_bytes, FRAME);
	wan_chunks_destroy(chunks);
	wan_memory_destroy(memory);
}

TEST(frames_that_take_more_than_estimated_come_in_smaller_chunks)
{
	struct wan_memory *memory = box(20);
	struct wan_chunks *chunks = plan_of(memory, 200);
	uint64_t first;
	uint32_t count, at_first = 0, last = 0, given = 0;
	REQUIRE(chunks);
	while (wan_chunks_next(chunks, &first, &count) > 0 && given < 200) {
		at_first = at_first ? at_first : count;
		if (given + count < 200)
			last = count;
		given += count;
		take(count * FRAME * 8 / 5);
	}
	struct wan_chunk_advice advice = {.struct_size = sizeof(advice)};
	wan_chunks_advice(chunks, &advice);
	CHECK(advice.measured);
	CHECK_EQ(advice.frame_bytes, FRAME * 8 / 5);
	CHECK_EQ(at_first, 24);
	CHECK_EQ(last, 15);
	wan_chunks_destroy(chunks);
	wan_memory_destroy(memory);
}

TEST(what_did_not_fit_comes_again_in_smaller_chunks)
{
	struct wan_memory *memory = box(20);
	struct wan_chunks *chunks = plan_of(memory, 60);
	uint64_t first, expected = 0;
	uint32_t count, sizes[64], n = 0;
	int r;
	REQUIRE(chunks);
	while ((r = wan_chunks_next(chunks, &first, &count)) > 0 && n < 64) {
		uint32_t done = WAN_MIN(count, 9u); /* nine fit */
		CHECK_EQ(first, expected);
		sizes[n++] = count;
		expected += done;
		wan_chunks_report(chunks, done, done < count ? -ENOMEM : 0, 0);
	}
	struct wan_chunks_result result = {.struct_size = sizeof(result)};
	wan_chunks_result(chunks, &result);
	CHECK_EQ(r, 0);
	CHECK_EQ(expected, 60);
	CHECK_EQ(result.done, 60);
	CHECK_EQ(sizes[0], 24);
	CHECK_EQ(sizes[1], 12);
	CHECK(sizes[2] <= 9);
	CHECK_EQ(result.failures, 2);
	wan_chunks_destroy(chunks);
	wan_memory_destroy(memory);
}

TEST(an_error_ends_the_plan_and_what_was_done_counts)
{
	struct wan_memory *memory = box(20);
	struct wan_chunks *chunks = plan_of(memory, 60);
	uint64_t first;
	uint32_t count;
	REQUIRE(chunks);
	REQUIRE_EQ(wan_chunks_next(chunks, &first, &count), 1);
	REQUIRE_EQ(wan_chunks_next(chunks, &first, &count), 1);
	wan_chunks_report(chunks, 3, -EIO, 0);
	wan_chunks_report(chunks, 9, 0, 0); /* once is enough */
	CHECK_EQ(wan_chunks_next(chunks, &first, &count), -EIO);
	CHECK_EQ(wan_chunks_next(chunks, &first, &count), -EIO);
	struct wan_chunks_result result = {.struct_size = sizeof(result)};
	wan_chunks_result(chunks, &result);
	CHECK_EQ(result.done, 27);
	CHECK_EQ(result.frames, 60);
	CHECK_EQ(result.code, -EIO);
	CHECK_EQ(job.releases, 2);
	wan_chunks_destroy(chunks);
	wan_memory_destroy(memory);
}

TEST(no_fit_says_why_and_is_planned_anew_when_asked_again)
{
	struct wan_memory *memory = box(200);
	struct wan_chunks *chunks = plan_of(memory, 60);
	uint64_t first;
	uint32_t count;
	REQUIRE(chunks);
	CHECK_EQ(wan_chunks_next(chunks, &first, &count), -ENOMEM);
	struct wan_chunk_advice advice = {.struct_size = sizeof(advice)};
	wan_chunks_advice(chunks, &advice);
	CHECK_EQ(advice.reason, WAN_CHUNK_NO_FIT);
	CHECK_STR(advice.limiting, "cgroup /box");
	CHECK(strstr(advice.text, "not even one") != NULL);
	fake.cgroups[0].need_bytes = 20 * WAN_MIB;
	CHECK_EQ(wan_chunks_next(chunks, &first, &count), 1);
	wan_chunks_destroy(chunks);
	wan_memory_destroy(memory);
}

TEST(one_frame_is_given_out_all_the_same_to_who_asks_for_its_memory_itself)
{
	struct wan_memory *memory = box(200);
	struct wan_chunks_options options;
	struct wan_chunks *chunks;
	uint64_t first;
	uint32_t count = 0;
	wan_chunks_options_init(&options);
	options.frames = 2;
	options.frame_bytes = FRAME;
	options.always_one = true;
	REQUIRE_EQ(wan_chunks_create(memory, &options, &chunks), 0);
	REQUIRE_EQ(wan_chunks_next(chunks, &first, &count), 1);
	CHECK_EQ(count, 1);
	struct wan_chunk_advice advice = {.struct_size = sizeof(advice)};
	wan_chunks_advice(chunks, &advice);
	CHECK_EQ(advice.reason, WAN_CHUNK_NO_FIT);
	REQUIRE_EQ(wan_chunks_next(chunks, &first, &count), 1);
	CHECK_EQ(wan_chunks_next(chunks, &first, &count), 0);
	wan_chunks_destroy(chunks);
	wan_memory_destroy(memory);
}

TEST(a_single_frame_that_does_not_fit_ends_the_plan)
{
	struct wan_memory *memory = box(20);
	struct wan_chunks *chunks = plan_of(memory, 60);
	uint64_t first;
	uint32_t count, tries = 0;
	int r;
	REQUIRE(chunks);
	while ((r = wan_chunks_next(chunks, &first, &count)) > 0 && ++tries < 100)
		wan_chunks_report(chunks, 0, -ENOMEM, 0);
	CHECK_EQ(r, -ENOMEM);
	CHECK(tries < 10);
	wan_chunks_destroy(chunks);
	wan_memory_destroy(memory);
}

static uint64_t drop_cached(void *context, enum wan_memory_level level, uint64_t want)
{
	uint64_t freed = WAN_MIN(fake.used, want);
	fake.used -= freed;
	fake.rss -= freed;
	fake.cgroups[0].need_bytes -= freed;
	return freed;
}

TEST(cached_values_are_headroom_and_leave_when_they_are_in_the_way)
{
	struct wan_memory *memory = box(200);
	fake.used = 180 * WAN_MIB; /* of these, cached */
	struct wan_reclaimer cache = {"cache", WAN_RECLAIM_REBUILD, drop_cached, NULL};
	REQUIRE_EQ(wan_memory_add_reclaimer(memory, &cache), 0);
	struct wan_chunks *chunks = plan_of(memory, 1000);
	uint64_t first;
	uint32_t count;
	REQUIRE(chunks);
	REQUIRE_EQ(wan_chunks_next(chunks, &first, &count), 1);
	CHECK_EQ(count, 24);
	uint64_t left = 256 * WAN_MIB - fake.cgroups[0].need_bytes;
	CHECK((double)(count * FRAME) <= (double)left * 0.9 + 16);
	CHECK(fake.used > 0); /* no more than that */
	wan_chunks_destroy(chunks);
	wan_memory_destroy(memory);
}

TEST(a_device_limits_chunks_as_well)
{
	struct wan_memory *memory = box(20);
	struct wan_chunks_options options;
	struct wan_chunks *chunks;
	uint64_t first;
	uint32_t count;
	fake.gpu = true;
	fake.gpu_total = 1000;
	fake.gpu_used = 500;
	wan_chunks_options_init(&options);
	options.frames = 1000;
	options.frame_bytes = 1000;
	options.gpu_frame_bytes = 10;
	REQUIRE_EQ(wan_chunks_create(memory, &options, &chunks), 0);
	REQUIRE_EQ(wan_chunks_next(chunks, &first, &count), 1);
	CHECK_EQ(count, 17); /* 70 % of (500 - 250) */
	fake.gpu = false;    /* lost: memory of the host decides */
	REQUIRE_EQ(wan_chunks_next(chunks, &first, &count), 1);
	CHECK_EQ(count, 100);
	wan_chunks_destroy(chunks);
	wan_memory_destroy(memory);
}

TEST(impossible_plans_are_refused)
{
	struct wan_memory *memory = box(20);
	struct wan_chunks_options options;
	struct wan_chunks *chunks = NULL;
	uint64_t first;
	uint32_t count;
	wan_chunks_options_init(&options);
	options.frame_bytes = 0;
	CHECK_EQ(wan_chunks_create(memory, &options, &chunks), -EINVAL);
	wan_chunks_options_init(&options);
	options.least = 101;
	CHECK_EQ(wan_chunks_create(memory, &options, &chunks), -EINVAL);
	options.least = options.most = 0;
	CHECK_EQ(wan_chunks_create(memory, &options, &chunks), -EINVAL);
	CHECK(chunks == NULL);
	wan_chunks_options_init(&options); /* no frames: done at once */
	REQUIRE_EQ(wan_chunks_create(memory, &options, &chunks), 0);
	CHECK_EQ(wan_chunks_next(chunks, &first, &count), 0);
	CHECK_EQ(wan_chunks_next(NULL, &first, &count), -EINVAL);
	wan_chunks_report(NULL, 1, 0, 0);
	wan_chunks_destroy(chunks);
	wan_chunks_destroy(NULL);
	wan_memory_destroy(memory);
}

TAP_MAIN
