/* SPDX-License-Identifier: MIT */
/* Cold forms in a cache: made in the background, thawed instead of computed, gone when they must.
 */
#include "things.h"

TEST(what_leaves_stays_in_its_cold_form_and_comes_back)
{
	struct wan_cache *cache = begin();
	fill(cache, 1, 24);
	SOUND(cache);
	struct wan_cache_stats before = stats_of(cache);
	CHECK(before.evictions >= 8);
	CHECK(before.cold_entries > 8);
	CHECK_EQ(before.cold_reason, WAN_COLD_WORKS);
	CHECK_EQ(before.cold_raw_bytes, before.cold_entries * SIZE);
	CHECK_EQ(before.cold_bytes, before.cold_entries * WEIGHT(SIZE / 6));
	CHECK(wan_cache_contains(cache, key_of(3)));
	CHECK_EQ(computed, 24);
	CHECK(get(cache, 3)); /* a hit, without computing it */
	CHECK_EQ(computed, 24);
	CHECK_EQ(thawed, 1);
	struct wan_cache_stats after = stats_of(cache);
	CHECK_EQ(after.cold_hits, 1);
	CHECK_EQ(after.hits, before.hits + 1);
	CHECK_EQ(after.misses, before.misses);
	CHECK_EQ(after.requests, before.requests + 1);
	CHECK(after.cold_saved_ns > COST_NS / 2 && after.cold_saved_ns <= COST_NS);
	CHECK_EQ(after.time_saved_ns, before.time_saved_ns + after.cold_saved_ns);
	CHECK(get(cache, 3)); /* now it is ready */
	CHECK_EQ(thawed, 1);
	end(cache);
}

TEST(a_plain_pin_thaws_too)
{
	struct wan_cache *cache = begin();
	fill(cache, 1, 24);
	CHECK(has(cache, 4));
	CHECK_EQ(thawed, 1);
	CHECK(!has(cache, 999));
	CHECK_EQ(stats_of(cache).cold_hits, 1);
	end(cache);
}

TEST(nothing_is_made_for_whoever_does_not_ask)
{
	struct wan_cache *cache = begin();
	for (uint64_t number = 1; number <= 40; number++)
		get(cache, number);
	struct wan_cache_stats stats = stats_of(cache);
	CHECK_EQ(stats.cold_made, 0);
	CHECK_EQ(stats.cold_reason, WAN_COLD_OFF);
	CHECK_STR(wan_cold_reason_text(stats.cold_reason),
		  "off, or nothing works in the background");
	end(cache);
}

TEST(each_reason_for_nothing_is_told)
{
	struct wan_cache *cache = begin();
	put_of(cache, 1, 100);
	wan_cache_background(cache, 1000000);
	CHECK_EQ(stats_of(cache).cold_reason, WAN_COLD_NO_PRESSURE);
	for (uint64_t number = 1; number <= 20; number++)
		put_of(cache, number, SIZE);
	wan_cache_background(cache, 1000000);
	CHECK_EQ(stats_of(cache).cold_reason, WAN_COLD_NOTHING_OFFERED);
	alive = 0;
	end(cache);

	cache = begin();
	freeze_error = -E2BIG;
	fill(cache, 1, 24);
	CHECK_EQ(stats_of(cache).cold_reason, WAN_COLD_INCOMPRESSIBLE);
	CHECK_EQ(frozen, 0);
	end(cache);

	/* Nobody had the time to look while values left: that not everything fits is told. */
	cache = begin();
	wan_cache_background(cache, 1000000);
	for (uint64_t number = 1; number <= 40; number++)
		get(cache, number);
	CHECK(stats_of(cache).evictions > 0);
	CHECK(stats_of(cache).cold_reason != WAN_COLD_NO_PRESSURE);
	wan_cache_trim(cache, 0);
	CHECK(stats_of(cache).cold_reason != WAN_COLD_NO_PRESSURE);
	end(cache);
	for (int reason = 0; reason <= WAN_COLD_NOT_YET; reason++)
		CHECK(wan_cold_reason_text((enum wan_cold_reason)reason)[0]);
}

/* Before a limit is lowered: values of a cache that is far from full. */
TEST(what_is_about_to_leave_can_be_compressed_before)
{
	struct wan_cache *cache = begin();
	for (uint64_t number = 1; number <= 8; number++)
		get(cache, number);
	CHECK_EQ(wan_cache_compress(cache, 0, 1000000000), 0);
	CHECK_EQ(wan_cache_background(cache, 1000000000), 0); /* it is not full */
	CHECK(wan_cache_compress(cache, 2 * SIZE, 1000000000) >= 1);
	CHECK(stats_of(cache).cold_made <= 3); /* and not all eight */
	wan_cache_trim(cache, stats_of(cache).used_bytes - 2 * SIZE);
	CHECK(stats_of(cache).cold_entries >= 1);
	CHECK(has(cache, 1));
	CHECK_EQ(thawed, 1);
	SOUND(cache);
	end(cache);
}

TEST(a_form_that_cannot_be_thawed_is_computed_instead)
{
	struct wan_cache *cache = begin();
	fill(cache, 1, 24);
	thaw_error = -EBADMSG;
	CHECK(!get(cache, 3));
	CHECK_EQ(computed, 25);
	CHECK(!has(cache, 4));
	CHECK_EQ(stats_of(cache).cold_hits, 0);
	SOUND(cache);
	thaw_error = 0;
	CHECK(get(cache, 5));
	end(cache);
}

TEST(put_remove_and_clear_take_the_cold_form_along)
{
	struct wan_cache *cache = begin();
	fill(cache, 1, 24);
	struct wan_value value = thing_of(333, SIZE, false);
	CHECK_EQ(wan_cache_put(cache, key_of(3), &value), 0);
	struct wan_pin *pin;
	REQUIRE_EQ(wan_cache_pin(cache, key_of(3), &pin), 0);
	CHECK_EQ(((struct thing *)wan_pin_data(pin))->number, 333);
	wan_pin_release(pin);
	CHECK_EQ(thawed, 0);

	CHECK_EQ(wan_cache_remove(cache, key_of(4)), 0);
	CHECK_EQ(wan_cache_remove(cache, key_of(4)), -ENOENT);
	CHECK(!wan_cache_contains(cache, key_of(4)));
	CHECK(!get(cache, 4));
	/* Ready, with a form beside it. */
	uint64_t entries = stats_of(cache).cold_entries;
	for (uint64_t number = 1; number <= 24; number++)
		wan_cache_remove(cache, key_of(number));
	CHECK(entries > 0);
	CHECK_EQ(stats_of(cache).cold_entries, 0);
	CHECK_EQ(stats_of(cache).used_bytes, 0);

	fill(cache, 1, 24);
	CHECK(stats_of(cache).cold_entries > 0);
	wan_cache_clear(cache);
	CHECK_EQ(stats_of(cache).cold_entries, 0);
	CHECK_EQ(stats_of(cache).used_bytes, 0);
	CHECK_EQ(alive, 0);
	end(cache);
}

TEST(weak_handles_do_not_outlive_the_ready_value)
{
	struct wan_cache *cache = begin();
	uint64_t number = 1;
	struct wan_pin *pin;
	REQUIRE_EQ(wan_cache_get_or_compute(cache, key_of(1), SIZE, compute, &number, &pin, NULL),
		   0);
	struct wan_weak weak = wan_cache_weak_from_pin(pin);
	wan_pin_release(pin);
	fill(cache, 2, 24);
	CHECK(wan_cache_contains(cache, key_of(1)));
	CHECK_EQ(wan_cache_weak_lock(cache, weak, &pin), -ENOENT);
	CHECK(get(cache, 1));
	CHECK_EQ(wan_cache_weak_lock(cache, weak, &pin), -ENOENT); /* it is another value */
	end(cache);
}

TEST(lower_limits_and_trimming_free_cold_bytes_too)
{
	struct wan_cache *cache = begin();
	fill(cache, 1, 40);
	uint64_t before = stats_of(cache).used_bytes;
	CHECK(stats_of(cache).cold_bytes > 0);
	uint64_t freed = wan_cache_trim(cache, before / 2);
	CHECK(freed >= before / 2);
	CHECK(stats_of(cache).cold_entries > 0); /* what is ready goes first */
	SOUND(cache);
	CHECK_EQ(wan_cache_set_limits(cache, 2 * WEIGHT(SIZE), 0), 0);
	struct wan_cache_stats stats = stats_of(cache);
	CHECK(stats.used_bytes <= 2 * WEIGHT(SIZE));
	CHECK(stats.cold_bytes <= WEIGHT(SIZE));
	SOUND(cache);
	wan_cache_trim(cache, 0);
	CHECK_EQ(stats_of(cache).used_bytes, 0);
	CHECK_EQ(alive, 0);
	end(cache);
}

TEST(a_large_value_may_take_the_room_of_cold_ones)
{
	struct wan_cache *cache = begin();
	fill(cache, 1, 40);
	CHECK(stats_of(cache).cold_entries > 0);
	CHECK_EQ(put_of(cache, 1000, 16 * WEIGHT(SIZE) - WAN_CACHE_ENTRY_BYTES), 0);
	CHECK_EQ(stats_of(cache).cold_entries, 0);
	CHECK_EQ(stats_of(cache).entries, 1);
	end(cache);
}

TEST(cold_forms_expire)
{
	struct wan_cache *cache = begin();
	fill(cache, 1, 24);
	CHECK(stats_of(cache).cold_entries > 0);
	test_now_ns += 3599ull * 1000000000;
	CHECK_EQ(wan_cache_expire(cache), 0);
	test_now_ns += 2ull * 1000000000;
	CHECK(wan_cache_expire(cache) > 16);
	CHECK_EQ(stats_of(cache).cold_entries, 0);
	CHECK_EQ(stats_of(cache).used_bytes, 0);
	end(cache);
}

static struct wan_cache *the_cache;

static void clear_the_cache(void)
{
	wan_cache_clear(the_cache);
}

static void put_all(void)
{
	for (uint64_t number = 1; number <= 24; number++) {
		struct wan_value value = thing_of(1000 + number, 100, false);
		if (wan_cache_put(the_cache, key_of(number), &value) < 0)
			destroy_thing(value.data);
	}
}

TEST(what_is_cleared_or_replaced_while_it_is_frozen_leaves_no_form)
{
	void (*const events[])(void) = {clear_the_cache, put_all};
	for (int i = 0; i < 2; i++) {
		struct wan_cache *cache = the_cache = begin();
		for (uint64_t number = 1; number <= 16; number++)
			get(cache, number);
		during_freeze = events[i];
		wan_cache_background(cache, 1); /* one value */
		during_freeze = NULL;
		CHECK(frozen <= 1);
		CHECK_EQ(stats_of(cache).cold_entries, 0);
		end(cache);
	}
}

TEST(what_is_cleared_while_it_thaws_is_handed_out_and_not_stored)
{
	struct wan_cache *cache = the_cache = begin();
	fill(cache, 1, 24);
	during_thaw = clear_the_cache;
	CHECK(get(cache, 3));
	during_thaw = NULL;
	CHECK(!wan_cache_contains(cache, key_of(3)));
	CHECK_EQ(stats_of(cache).used_bytes, 0);
	end(cache);
}

TEST(values_that_were_never_used_again_stop_being_frozen)
{
	struct wan_cache *cache = begin();
	/* Just dear enough to be tried: half a chance pays, none does not. */
	fill(cache, 1, 2000);
	struct wan_cache_stats stats = stats_of(cache);
	CHECK(stats.cold_made > 0);
	CHECK(stats.cold_hits == 0);
	CHECK(stats.cold_bytes <= stats.limit_bytes / 2);
	end(cache);
}

TEST(scanned_values_are_left_alone)
{
	struct wan_cache *cache = begin();
	for (uint64_t number = 1; number <= 40; number++) {
		struct wan_value value = thing_of(number, SIZE, false);
		value.flags = WAN_CACHE_SCAN;
		value.cost_ns = COST_NS;
		value.cold = &ops;
		CHECK_EQ(wan_cache_put(cache, key_of(number), &value), 0);
		wan_cache_background(cache, 1000000000);
	}
	CHECK_EQ(frozen, 0);
	end(cache);
}

static void everything(void *context)
{
	(void)context;
	struct wan_cache *cache = NULL;
	struct wan_cache_options options;
	wan_cache_options_init(&options);
	options.limit_bytes = 4 * WEIGHT(SIZE);
	options.now_ns = test_clock;
	if (wan_cache_create(&options, &cache) < 0)
		return;
	cache->tier.judge.share = 0.5;
	for (uint64_t number = 1; number <= 7; number++) {
		get(cache, number);
		wan_cache_background(cache, 1000000000);
	}
	get(cache, 2);
	SOUND(cache);
	wan_cache_destroy(cache);
	CHECK_EQ(alive, 0);
}

TEST(every_fault_is_survived)
{
	alive = 0;
	freeze_error = thaw_error = 0;
	during_freeze = during_thaw = NULL;
	CHECK(wan_fault_sweep(everything, NULL) > 0);
}

TAP_MAIN
