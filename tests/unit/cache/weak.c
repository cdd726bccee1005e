/* SPDX-License-Identifier: MIT */
#include "support.h"

TEST(a_weak_handle_finds_its_value_while_it_is_cached)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 0);
	struct wan_pin *pin, *again;
	CHECK_EQ(put_of(cache, 1, 100), 0);
	REQUIRE_EQ(wan_cache_pin(cache, key_of(1), &pin), 0);
	struct wan_weak weak = wan_cache_weak_from_pin(pin);
	wan_pin_release(pin);
	uint64_t requests = stats_of(cache).requests;
	REQUIRE_EQ(wan_cache_weak_lock(cache, weak, &again), 0);
	CHECK_EQ((uintptr_t)wan_pin_data(again), 1);
	CHECK_EQ(stats_of(cache).requests, requests);
	SOUND(cache);
	wan_pin_release(again);
	wan_cache_destroy(cache);
}

TEST(a_weak_handle_is_empty_after_eviction_and_last_release)
{
	struct wan_cache *cache = cache_of(2 * WEIGHT(100), 0);
	struct wan_pin *pin, *again;
	CHECK_EQ(put_of(cache, 1, 100), 0);
	REQUIRE_EQ(wan_cache_pin(cache, key_of(1), &pin), 0);
	struct wan_weak weak = wan_cache_weak_from_pin(pin);
	CHECK_EQ(wan_cache_remove(cache, key_of(1)), 0);
	REQUIRE_EQ(wan_cache_weak_lock(cache, weak, &again), 0); /* still pinned by the first */
	wan_pin_release(pin);
	CHECK_EQ((uintptr_t)wan_pin_data(again), 1);
	wan_pin_release(again);
	CHECK_EQ(wan_cache_weak_lock(cache, weak, &again), -ENOENT);

	CHECK_EQ(put_of(cache, 2, 100), 0);
	REQUIRE_EQ(wan_cache_pin(cache, key_of(2), &pin), 0);
	weak = wan_cache_weak_from_pin(pin);
	wan_pin_release(pin);
	CHECK_EQ(put_of(cache, 3, 100), 0);
	CHECK_EQ(put_of(cache, 4, 100), 0);
	CHECK_EQ(wan_cache_weak_lock(cache, weak, &again), -ENOENT);
	SOUND(cache);
	wan_cache_destroy(cache);
}

TEST(a_weak_handle_never_finds_the_next_value_of_its_slot_or_key)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 0);
	struct wan_weak weaks[200];
	struct wan_pin *pin;
	for (uint64_t i = 0; i < 200; i++) {
		CHECK_EQ(put_of(cache, 1, i), 0);
		REQUIRE_EQ(wan_cache_pin(cache, key_of(1), &pin), 0);
		weaks[i] = wan_cache_weak_from_pin(pin);
		wan_pin_release(pin);
		for (uint64_t earlier = i > 40 ? i - 40 : 0; earlier < i; earlier++)
			CHECK_EQ(wan_cache_weak_lock(cache, weaks[earlier], &pin), -ENOENT);
	}
	wan_cache_destroy(cache);
}

TEST(locking_is_a_use_and_respects_expiry)
{
	struct wan_cache *cache = cache_of(2 * WEIGHT(100), 0);
	struct wan_pin *pin;
	CHECK_EQ(put_of(cache, 1, 100), 0);
	REQUIRE_EQ(wan_cache_pin(cache, key_of(1), &pin), 0);
	struct wan_weak weak = wan_cache_weak_from_pin(pin);
	wan_pin_release(pin);
	CHECK_EQ(put_of(cache, 2, 100), 0);
	REQUIRE_EQ(wan_cache_weak_lock(cache, weak, &pin), 0);
	wan_pin_release(pin);
	CHECK_EQ(put_of(cache, 3, 100), 0);
	CHECK_EQ(gone[0], 2);
	test_now_ns += 3600 * (uint64_t)1000000000;
	CHECK_EQ(wan_cache_weak_lock(cache, weak, &pin), -ENOENT);
	CHECK_EQ(stats_of(cache).expirations, 1);
	SOUND(cache);
	wan_cache_destroy(cache);
}

TEST(forged_and_empty_handles_find_nothing)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 0);
	struct wan_pin *pin;
	struct wan_weak handles[] = {{{0, 0}},
				     {{0, 1}},
				     {{1, 1}},
				     {{UINT64_MAX, 1}},
				     {{33, 1}},
				     {{1, 0}},
				     wan_cache_weak_from_pin(NULL)};
	for (unsigned i = 0; i < WAN_COUNT_OF(handles); i++)
		CHECK_EQ(wan_cache_weak_lock(cache, handles[i], &pin), -ENOENT);
	CHECK_EQ(put_of(cache, 1, 100), 0);
	CHECK_EQ(wan_cache_remove(cache, key_of(1)), 0);
	for (unsigned i = 0; i < WAN_COUNT_OF(handles); i++)
		CHECK_EQ(wan_cache_weak_lock(cache, handles[i], &pin), -ENOENT);
	CHECK_EQ(wan_cache_weak_lock(cache, handles[0], NULL), -EINVAL);
	wan_cache_destroy(cache);
}

TAP_MAIN
