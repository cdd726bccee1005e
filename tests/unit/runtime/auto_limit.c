/* SPDX-License-Identifier: MIT */
#include "auto_limit.h"

#include "clock.h"
#include "macros.h"
#include "memory.h"
#include "tap.h"

#define GIB (1024 * WAN_MIB)

static struct wan_auto_limit follow = {.on = true, .percent = 20};

static uint64_t limit_for(uint64_t available, uint64_t limit, enum wan_memory_level level)
{
	const struct wan_auto_look look = {.available_bytes = available,
					   .headroom_bytes = UINT64_MAX / 2,
					   .level = level,
					   .limit_bytes = limit};
	return wan_auto_limit_for(&follow, &look);
}

TEST(the_first_limit_is_a_share_of_available_memory)
{
	follow.ours_bytes = 0;
	CHECK_EQ(limit_for(1000 * WAN_MIB, 256 * WAN_MIB, WAN_MEMORY_NORMAL), 200 * WAN_MIB);
	CHECK_EQ(limit_for(100 * WAN_MIB, 256 * WAN_MIB, WAN_MEMORY_NORMAL), 32 * WAN_MIB);
	CHECK_EQ(limit_for(100 * GIB, 256 * WAN_MIB, WAN_MEMORY_NORMAL), 512 * WAN_MIB);
	CHECK_EQ(limit_for(1000 * WAN_MIB, 256 * WAN_MIB, WAN_MEMORY_EMERGENCY), 200 * WAN_MIB);
	CHECK_EQ(limit_for(0, 256 * WAN_MIB, WAN_MEMORY_NORMAL), 0); /* nothing could be read */
}

TEST(a_tenth_is_left_alone)
{
	uint64_t limit = follow.ours_bytes = 200 * WAN_MIB;
	CHECK_EQ(limit_for(1100 * WAN_MIB, limit, WAN_MEMORY_NORMAL), 0);
	CHECK_EQ(limit_for(1105 * WAN_MIB, limit, WAN_MEMORY_NORMAL), 221 * WAN_MIB);
	CHECK_EQ(limit_for(900 * WAN_MIB, limit, WAN_MEMORY_NORMAL), 0);
	CHECK_EQ(limit_for(895 * WAN_MIB, limit, WAN_MEMORY_NORMAL), 179 * WAN_MIB);
}

TEST(the_tightest_level_decides_and_what_the_cache_holds_is_available)
{
	follow.ours_bytes = 200 * WAN_MIB;
	struct wan_auto_look look = {.available_bytes = 10 * GIB,
				     .headroom_bytes = 300 * WAN_MIB,
				     .used_bytes = 100 * WAN_MIB,
				     .limit_bytes = 200 * WAN_MIB};
	CHECK_EQ(wan_auto_limit_for(&follow, &look), 80 * WAN_MIB);
	/* it holds more, and less is available: nothing has changed */
	look.headroom_bytes -= 50 * WAN_MIB;
	look.used_bytes += 50 * WAN_MIB;
	CHECK_EQ(wan_auto_limit_for(&follow, &look), 80 * WAN_MIB);
}

TEST(what_others_have_lowered_is_not_raised)
{
	follow.ours_bytes = 200 * WAN_MIB;
	CHECK_EQ(limit_for(2 * GIB, 200 * WAN_MIB, WAN_MEMORY_NORMAL), 2 * GIB / 5);
	CHECK_EQ(limit_for(2 * GIB, 160 * WAN_MIB, WAN_MEMORY_NORMAL), 0);
	CHECK_EQ(limit_for(2 * GIB, 200 * WAN_MIB, WAN_MEMORY_WARNING), 0);
	/* but lowered further, whoever set it */
	CHECK_EQ(limit_for(500 * WAN_MIB, 160 * WAN_MIB, WAN_MEMORY_CRITICAL), 100 * WAN_MIB);
}

TEST(it_is_looked_at_every_five_seconds)
{
	struct wan_auto_limit one = {.on = true, .percent = 20};
	const uint64_t start = 7000000000;
	CHECK(wan_auto_limit_due(&one, start));
	CHECK(!wan_auto_limit_due(&one, start));
	CHECK(!wan_auto_limit_due(&one, start + 4999999999));
	CHECK(wan_auto_limit_due(&one, start + 5000000000));
	CHECK(!wan_auto_limit_due(&one, start + 5000000001));
	one.on = false;
	CHECK(!wan_auto_limit_due(&one, start + 50000000000));
}

/* --- with a memory manager whose sources and clock are ours, and a real cache --- */

static uint64_t fake_now_ns, fake_total, fake_available;
static struct wan_cache *cache;

static uint64_t fake_clock(void)
{
	return fake_now_ns;
}

static int fake_host(void *context, uint64_t *ret_total, uint64_t *ret_available)
{
	*ret_total = fake_total;
	*ret_available = fake_available;
	return 0;
}

static int no_cgroups(void *context, uint64_t total, struct wan_level_reading *levels,
		      uint32_t capacity)
{
	return 0;
}

static int no_process(void *context, uint64_t *ret_rss)
{
	*ret_rss = 0;
	return 0;
}

static int no_gpu(void *context, uint64_t mask, uint64_t *ret_used, uint64_t *ret_total)
{
	return -19;
}

static uint64_t limit_now(void *context)
{
	struct wan_cache_stats stats = {.struct_size = sizeof(stats)};
	wan_cache_stats(cache, &stats);
	return stats.limit_bytes;
}

static uint64_t limit_set(void *context, uint64_t limit_bytes)
{
	wan_cache_set_limits(cache, limit_bytes, 0);
	return 0;
}

static struct wan_memory *make_memory(void)
{
	static const struct wan_memory_sources sources = {
		.host = fake_host, .cgroups = no_cgroups, .process = no_process, .gpu = no_gpu};
	const struct wan_memory_options options = {
		.struct_size = sizeof(options),
		.sources = &sources,
		.now_ns = fake_clock,
		.limits = {.get_cache_limit = limit_now, .set_cache_limit = limit_set},
	};
	struct wan_memory *memory = NULL;
	return wan_memory_create(&options, &memory) == 0 ? memory : NULL;
}

/* Half an hour of seconds at most, until the limit is what is waited for. */
static bool tick_until(struct wan_memory *memory, struct wan_auto_limit *one, uint64_t limit_bytes)
{
	for (int i = 0; i < 1800 && limit_now(NULL) != limit_bytes; i++) {
		uint64_t before, after;
		fake_now_ns += 1000000000;
		wan_memory_tick(memory);
		if (wan_auto_limit_due(one, fake_now_ns))
			wan_auto_limit_follow(one, cache, memory, &before, &after);
	}
	return limit_now(NULL) == limit_bytes;
}

TEST(a_memory_level_lowers_it_and_grows_it_back)
{
	fake_now_ns = 1000000000;
	fake_total = 4 * GIB;
	fake_available = 2 * GIB;
	REQUIRE_EQ(wan_cache_create(NULL, &cache), 0);
	struct wan_memory *memory = make_memory();
	REQUIRE(memory != NULL);
	struct wan_auto_limit one = {.on = true, .percent = 50};
	uint64_t before = 0, after = 0;
	REQUIRE(wan_auto_limit_due(&one, fake_now_ns));
	CHECK(wan_auto_limit_follow(&one, cache, memory, &before, &after));
	CHECK_EQ(before, 256 * WAN_MIB);
	CHECK_EQ(after, 512 * WAN_MIB);

	fake_available = 980 * WAN_MIB; /* 76 %: warning; a half of it would allow 490 MB */
	CHECK(tick_until(memory, &one, 429496729));      /* 0.8 of it */
	CHECK(!tick_until(memory, &one, 512 * WAN_MIB)); /* for as long as it lasts */
	CHECK_EQ(limit_now(NULL), 429496729);

	fake_available = 2 * GIB; /* normal again: grown back by who has lowered it */
	CHECK(tick_until(memory, &one, 512 * WAN_MIB));

	fake_available = 1100 * WAN_MIB; /* a fifth of it is less than nine tenths of the limit */
	fake_total = 3 * GIB;
	one.percent = 20;
	CHECK(tick_until(memory, &one, 220 * WAN_MIB));
	fake_available = 1400 * WAN_MIB;
	CHECK(tick_until(memory, &one, 280 * WAN_MIB));
	wan_memory_destroy(memory);
	wan_cache_destroy(cache);
}

TAP_MAIN
