/* SPDX-License-Identifier: MIT */
/* Limits that move, debt, expiry, destructors: what the steps of core.c promise. */
#include "clock.h"
#include "support.h"

TEST(lowering_the_ceiling_evicts_at_once_and_stays)
{
	struct wan_cache *cache = cache_of(10 * WEIGHT(100), 0);
	for (uint64_t key = 1; key <= 10; key++)
		CHECK_EQ(put_of(cache, key, 100), 0);
	CHECK_EQ(wan_cache_set_limits(cache, 4 * WEIGHT(100) + 1, 0), 0);
	CHECK_EQ(gone_count, 6);
	for (unsigned i = 0; i < 6; i++)
		CHECK_EQ(gone[i], i + 1);
	CHECK_EQ(stats_of(cache).evictions, 6);
	CHECK_EQ(stats_of(cache).debt_bytes, 0);
	for (uint64_t key = 11; key <= 20; key++)
		CHECK_EQ(put_of(cache, key, 100), 0);
	CHECK_EQ(stats_of(cache).entries, 4);
	CHECK_EQ(stats_of(cache).limit_bytes, 4 * WEIGHT(100) + 1);
	SOUND(cache);
	wan_cache_destroy(cache);
}

TEST(lowering_the_entry_limit_evicts_at_once)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 40);
	for (uint64_t key = 1; key <= 40; key++)
		CHECK_EQ(put_of(cache, key, 100), 0);
	CHECK_EQ(wan_cache_set_limits(cache, 0, 5), 0);
	CHECK_EQ(stats_of(cache).entries, 5);
	CHECK_EQ(stats_of(cache).limit_bytes, WAN_MIB);
	CHECK(has(cache, 36));
	CHECK(!has(cache, 35));
	SOUND(cache);
	wan_cache_destroy(cache);
}

TEST(a_debt_is_reported_and_paid_at_release)
{
	struct wan_cache *cache = cache_of(10 * WEIGHT(100), 0);
	struct wan_pin *pins[3];
	for (uint64_t key = 1; key <= 10; key++)
		CHECK_EQ(put_of(cache, key, 100), 0);
	for (uint64_t i = 0; i < 3; i++)
		REQUIRE_EQ(wan_cache_pin(cache, key_of(i + 1), &pins[i]), 0);
	CHECK_EQ(wan_cache_set_limits(cache, WEIGHT(100), 0), 0);
	struct wan_cache_stats stats = stats_of(cache);
	CHECK_EQ(stats.entries, 3);
	CHECK_EQ(stats.debt_bytes, 2 * WEIGHT(100));
	CHECK_EQ(put_of(cache, 50, 1), -EAGAIN);
	SOUND(cache);
	wan_pin_release(pins[2]); /* the newest goes: it is the only one that may */
	CHECK_EQ(gone[gone_count - 1], 3);
	CHECK_EQ(stats_of(cache).debt_bytes, WEIGHT(100));
	wan_pin_release(pins[0]);
	CHECK_EQ(stats_of(cache).debt_bytes, 0);
	wan_pin_release(pins[1]);
	CHECK_EQ(gone[gone_count - 1], 1);
	CHECK(has(cache, 2)); /* within the limit again: it may stay */
	SOUND(cache);
	wan_cache_destroy(cache);
}

TEST(limits_out_of_range_are_refused)
{
	struct wan_cache_options options;
	struct wan_cache *cache = NULL;
	wan_cache_options_init(&options);
	options.limit_bytes = 0;
	CHECK_EQ(wan_cache_create(&options, &cache), -EINVAL);
	options.limit_bytes = (uint64_t)-5;
	CHECK_EQ(wan_cache_create(&options, &cache), -EINVAL);
	wan_cache_options_init(&options);
	options.entry_limit = 0;
	CHECK_EQ(wan_cache_create(&options, &cache), -EINVAL);
	CHECK(cache == NULL);

	cache = cache_of(WAN_MIB, 10);
	CHECK_EQ(wan_cache_set_limits(cache, (uint64_t)-1, 0), -EINVAL);
	CHECK_EQ(wan_cache_set_limits(cache, 1, (uint64_t)-1), -EINVAL);
	CHECK_EQ(stats_of(cache).limit_bytes, WAN_MIB);
	CHECK_EQ(wan_cache_set_limits(cache, INT64_MAX, INT64_MAX), 0);
	CHECK_EQ(put_of(cache, 1, 100), 0);
	SOUND(cache);
	wan_cache_destroy(cache);
}

TEST(a_ceiling_below_one_entry_keeps_nothing)
{
	struct wan_cache *cache = cache_of(1, 10);
	struct wan_value value = value_of(1, 0);
	struct wan_pin *pin;
	CHECK_EQ(put_of(cache, 1, 0), -EFBIG);
	REQUIRE_EQ(wan_cache_put_pinned(cache, key_of(1), &value, &pin), 0);
	CHECK_EQ(stats_of(cache).used_bytes, 0);
	SOUND(cache);
	wan_pin_release(pin);
	CHECK_EQ(gone_count, 1);
	wan_cache_destroy(cache);
}

TEST(options_of_other_versions_are_understood_or_refused)
{
	struct {
		struct wan_cache_options options;
		uint64_t later;
	} newer = {.later = 0};
	struct wan_cache *cache;
	wan_cache_options_init(&newer.options);
	newer.options.struct_size = sizeof(newer);
	REQUIRE_EQ(wan_cache_create(&newer.options, &cache), 0);
	wan_cache_destroy(cache);
	newer.later = 1;
	CHECK_EQ(wan_cache_create(&newer.options, &cache), -EINVAL);

	struct wan_cache_options older = {
		.struct_size = offsetof(struct wan_cache_options, entry_limit),
		.limit_bytes = 12345,
		.entry_limit = 0, /* unknown to that program */
	};
	REQUIRE_EQ(wan_cache_create(&older, &cache), 0);
	CHECK_EQ(stats_of(cache).limit_bytes, 12345);
	CHECK_EQ(stats_of(cache).entry_limit, 50);
	wan_cache_destroy(cache);
	older.struct_size = 0;
	CHECK_EQ(wan_cache_create(&older, &cache), -EINVAL);
}

TEST(trim_evicts_the_oldest_and_tells_the_bytes)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 0);
	struct wan_pin *pin;
	for (uint64_t key = 1; key <= 10; key++)
		CHECK_EQ(put_of(cache, key, 100), 0);
	REQUIRE_EQ(wan_cache_pin(cache, key_of(1), &pin), 0);
	CHECK_EQ(wan_cache_trim(cache, 7 * WEIGHT(100)), 3 * WEIGHT(100));
	CHECK_EQ(gone[0], 2);
	CHECK_EQ(wan_cache_trim(cache, 7 * WEIGHT(100)), 0);
	CHECK_EQ(wan_cache_trim(cache, 0), 6 * WEIGHT(100));
	CHECK_EQ(stats_of(cache).used_bytes, WEIGHT(100));
	CHECK_EQ(stats_of(cache).limit_bytes, WAN_MIB);
	SOUND(cache);
	wan_pin_release(pin);
	wan_cache_destroy(cache);
}

#define HOUR_NS (3600 * (uint64_t)1000000000)

TEST(an_hour_without_use_expires)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 0);
	for (uint64_t key = 1; key <= 3; key++)
		CHECK_EQ(put_of(cache, key, 100), 0);
	test_now_ns += HOUR_NS / 2;
	CHECK(has(cache, 1));
	test_now_ns += HOUR_NS / 2 - 1;
	CHECK_EQ(wan_cache_expire(cache), 0);
	test_now_ns += 1;
	CHECK(!has(cache, 2));                /* a hit on an expired entry is a miss ... */
	CHECK_EQ(stats_of(cache).entries, 1); /* ... and a miss throws the others out */
	CHECK_EQ(stats_of(cache).expirations, 2);
	CHECK_EQ(stats_of(cache).evictions, 0);
	CHECK(has(cache, 1));
	test_now_ns += HOUR_NS;
	CHECK_EQ(wan_cache_expire(cache), 1);
	CHECK_EQ(stats_of(cache).used_bytes, 0);
	SOUND(cache);
	wan_cache_destroy(cache);
}

TEST(a_put_throws_out_what_expired)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 0);
	CHECK_EQ(put_of(cache, 1, 100), 0);
	test_now_ns += HOUR_NS;
	CHECK_EQ(put_of(cache, 2, 100), 0);
	CHECK_EQ(gone_count, 1);
	CHECK_EQ(stats_of(cache).expirations, 1);
	SOUND(cache);
	wan_cache_destroy(cache);
}

TEST(what_is_pinned_does_not_expire_until_released)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 0);
	struct wan_pin *pin;
	CHECK_EQ(put_of(cache, 1, 100), 0);
	CHECK_EQ(put_of(cache, 2, 100), 0);
	REQUIRE_EQ(wan_cache_pin(cache, key_of(1), &pin), 0);
	test_now_ns += 2 * HOUR_NS;
	CHECK_EQ(wan_cache_expire(cache), 1);
	CHECK_EQ(gone[0], 2);
	SOUND(cache);
	wan_pin_release(pin);
	CHECK_EQ(wan_cache_expire(cache), 1);
	SOUND(cache);
	wan_cache_destroy(cache);
}

TEST(asking_whether_a_key_is_there_is_no_use_and_no_request)
{
	struct wan_cache *cache = cache_of(2 * WEIGHT(100), 0);
	CHECK(!wan_cache_contains(cache, key_of(1)));
	CHECK_EQ(put_of(cache, 1, 100), 0);
	CHECK_EQ(put_of(cache, 2, 100), 0);
	CHECK(wan_cache_contains(cache, key_of(1)));
	CHECK_EQ(stats_of(cache).requests, 0);
	CHECK_EQ(put_of(cache, 3, 100), 0);
	CHECK_EQ(gone[0], 1); /* still the oldest */
	test_now_ns += HOUR_NS;
	CHECK(!wan_cache_contains(cache, key_of(3)));
	CHECK_EQ(stats_of(cache).entries, 2); /* it throws nothing out */
	CHECK(!wan_cache_contains(NULL, key_of(3)));
	SOUND(cache);
	wan_cache_destroy(cache);
}

TEST(with_idle_time_zero_nothing_expires)
{
	struct wan_cache_options options;
	struct wan_cache *cache;
	wan_cache_options_init(&options);
	options.idle_ns = 0;
	options.now_ns = test_clock;
	test_now_ns = 0;
	REQUIRE_EQ(wan_cache_create(&options, &cache), 0);
	CHECK_EQ(put_of(cache, 1, 100), 0);
	test_now_ns = UINT64_MAX;
	CHECK_EQ(wan_cache_expire(cache), 0);
	CHECK(has(cache, 1));
	SOUND(cache);
	wan_cache_destroy(cache);
}

TEST(a_clock_that_runs_backwards_does_no_harm)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 0);
	test_now_ns = 10 * HOUR_NS;
	CHECK_EQ(put_of(cache, 1, 100), 0);
	test_now_ns = HOUR_NS;
	CHECK_EQ(put_of(cache, 2, 100), 0);
	CHECK(has(cache, 1));
	CHECK(has(cache, 2));
	CHECK_EQ(stats_of(cache).expirations, 0);
	SOUND(cache);
	wan_cache_destroy(cache);
}

TEST(the_real_clock_expires_entries_too)
{
	struct wan_cache_options options;
	struct wan_cache *cache;
	wan_cache_options_init(&options);
	options.idle_ns = 300000000;
	gone_count = 0;
	REQUIRE_EQ(wan_cache_create(&options, &cache), 0);
	uint64_t begin_ns = wan_now_ns();
	CHECK_EQ(put_of(cache, 1, 100), 0);
	uint64_t expired = wan_cache_expire(cache);
	CHECK(expired == 0 || wan_now_ns() - begin_ns > options.idle_ns);
	usleep(350000);
	CHECK(!has(cache, 1));
	CHECK_EQ(stats_of(cache).expirations, 1);
	CHECK_EQ(gone_count, 1);
	wan_cache_destroy(cache);
}

static struct wan_cache *reentered;
static int reentry_result;
static void put_again(void *data)
{
	gone_count++;
	if (gone_count < 8)
		reentry_result = wan_cache_put(
			reentered, key_of(gone_count),
			&(struct wan_value){.data = data, .bytes = 100, .destroy = put_again});
	CHECK(!has(reentered, 77));
}

TEST(a_destructor_may_call_back_into_the_cache)
{
	reentered = cache_of(WEIGHT(100), 0);
	struct wan_value value = {.data = (void *)1, .bytes = 100, .destroy = put_again};
	CHECK_EQ(wan_cache_put(reentered, key_of(90), &value), 0);
	CHECK_EQ(put_of(reentered, 91, 100), 0);
	CHECK_EQ(reentry_result, 0); /* evicts 91 */
	CHECK_EQ(gone_count, 2);
	CHECK_EQ(gone[1], 91);
	CHECK_EQ(stats_of(reentered).used_bytes, WEIGHT(100));
	SOUND(reentered);
	wan_cache_destroy(reentered);
	CHECK_EQ(reentry_result, -EFBIG); /* a cache being destroyed stores nothing */
	CHECK_EQ(gone_count, 3);
}

static uint64_t used_at_destruction, destroyed_cache_limit;
static void look_at_use(void *data)
{
	gone_count++;
	used_at_destruction = stats_of(data).used_bytes;
	destroyed_cache_limit = stats_of(data).limit_bytes;
}

TEST(bytes_stay_charged_until_their_destructor_has_run)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 0);
	struct wan_value value = {.data = cache, .bytes = 1000, .destroy = look_at_use};
	CHECK_EQ(wan_cache_put(cache, key_of(1), &value), 0);
	CHECK_EQ(wan_cache_remove(cache, key_of(1)), 0);
	CHECK_EQ(used_at_destruction, WEIGHT(1000));
	CHECK_EQ(stats_of(cache).used_bytes, 0);

	/* A smaller value takes the place of a larger: the difference stays charged meanwhile. */
	CHECK_EQ(wan_cache_set_limits(cache, WEIGHT(1000), 0), 0);
	CHECK_EQ(wan_cache_put(cache, key_of(1), &value), 0);
	CHECK_EQ(put_of(cache, 2, 10), 0);
	CHECK_EQ(used_at_destruction, WEIGHT(1000));
	CHECK_EQ(stats_of(cache).used_bytes, WEIGHT(10));
	SOUND(cache);
	wan_cache_destroy(cache);
}

TEST(pins_outlive_the_cache)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 0);
	struct wan_pin *first, *second;
	CHECK_EQ(put_of(cache, 1, 100), 0);
	CHECK_EQ(put_of(cache, 2, 100), 0);
	REQUIRE_EQ(wan_cache_pin(cache, key_of(1), &first), 0);
	REQUIRE_EQ(wan_cache_pin(cache, key_of(1), &second), 0);
	wan_cache_destroy(cache);
	CHECK_EQ(gone_count, 1);
	CHECK_EQ((uintptr_t)wan_pin_data(first), 1);
	wan_pin_release(first);
	CHECK_EQ(gone_count, 1);
	wan_pin_release(second);
	CHECK_EQ(gone_count, 2);
}

TEST(null_is_answered_everywhere)
{
	struct wan_pin *pin;
	struct wan_value value = {.flags = 16};
	struct wan_cache *cache = cache_of(WAN_MIB, 0);
	wan_cache_destroy(NULL);
	wan_cache_clear(NULL);
	wan_pin_release(NULL);
	wan_cache_stats(NULL, NULL);
	CHECK(wan_pin_data(NULL) == NULL);
	CHECK_EQ(wan_pin_bytes(NULL), 0);
	CHECK_EQ(wan_cache_create(NULL, NULL), -EINVAL);
	CHECK_EQ(wan_cache_pin(NULL, key_of(1), &pin), -EINVAL);
	CHECK_EQ(wan_cache_pin(cache, key_of(1), NULL), -EINVAL);
	CHECK_EQ(wan_cache_put(cache, key_of(1), NULL), -EINVAL);
	CHECK_EQ(wan_cache_put(cache, key_of(1), &value), -EINVAL);
	CHECK_EQ(wan_cache_put_pinned(cache, key_of(1), &value, NULL), -EINVAL);
	CHECK_EQ(wan_cache_remove(NULL, key_of(1)), -EINVAL);
	CHECK_EQ(wan_cache_set_limits(NULL, 1, 1), -EINVAL);
	CHECK_EQ(wan_cache_trim(NULL, 0), 0);
	CHECK_EQ(wan_cache_expire(NULL), 0);
	CHECK_EQ(wan_cache_get_or_compute(cache, key_of(1), 0, NULL, NULL, &pin, NULL), -EINVAL);
	wan_cache_destroy(cache);
}

TAP_MAIN
