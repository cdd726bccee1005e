/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <stdlib.h>

TEST(an_empty_cache_has_no_entries_no_bytes_and_rate_zero)
{
	struct wan_cache *cache;
	REQUIRE_EQ(wan_cache_create(NULL, &cache), 0);
	struct wan_cache_stats stats = stats_of(cache);
	CHECK_EQ(stats.entries, 0);
	CHECK_EQ(stats.used_bytes, 0);
	CHECK(stats.hit_rate == 0.0);
	CHECK_EQ(stats.limit_bytes, 256 * WAN_MIB);
	CHECK_EQ(stats.entry_limit, 50);
	SOUND(cache);
	wan_cache_destroy(cache);
}

TEST(an_unknown_key_is_a_miss_and_gives_nothing)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 10);
	struct wan_pin *pin = (struct wan_pin *)&pin, *before = pin;
	CHECK_EQ(wan_cache_pin(cache, key_of(1), &pin), -ENOENT);
	CHECK(pin == before);
	CHECK_EQ(stats_of(cache).misses, 1);
	SOUND(cache);
	wan_cache_destroy(cache);
}

TEST(what_was_put_is_found_with_its_size_and_bytes)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 10);
	char *text = malloc(6);
	struct wan_value value = {.data = text, .bytes = 6, .destroy = free};
	memcpy(text, "hello", 6);
	REQUIRE_EQ(wan_cache_put(cache, key_of(7), &value), 0);

	struct wan_pin *pin;
	REQUIRE_EQ(wan_cache_pin(cache, key_of(7), &pin), 0);
	CHECK_EQ(wan_pin_bytes(pin), 6);
	CHECK_STR(wan_pin_data(pin), "hello");
	CHECK_EQ(stats_of(cache).used_bytes, WEIGHT(6));
	CHECK_EQ(stats_of(cache).pinned_bytes, WEIGHT(6));
	SOUND(cache);
	wan_pin_release(pin);
	CHECK_EQ(stats_of(cache).pinned_bytes, 0);
	SOUND(cache);
	wan_cache_destroy(cache);
}

TEST(one_miss_and_one_hit_are_a_rate_of_one_half)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 10);
	CHECK(!has(cache, 1));
	CHECK_EQ(put_of(cache, 1, 100), 0);
	CHECK(has(cache, 1));
	struct wan_cache_stats stats = stats_of(cache);
	CHECK_EQ(stats.requests, 2);
	CHECK_EQ(stats.hits, 1);
	CHECK_EQ(stats.misses, 1);
	CHECK(stats.hit_rate == 0.5);
	wan_cache_destroy(cache);
}

TEST(fifteen_puts_under_a_limit_of_ten_entries_evict_five)
{
	struct wan_cache *cache = cache_of(256 * WAN_MIB, 10);
	for (uint64_t key = 1; key <= 15; key++) {
		CHECK_EQ(put_of(cache, key, 512 * 512 * 3), 0);
		CHECK(stats_of(cache).entries <= 10);
		SOUND(cache);
	}
	CHECK_EQ(stats_of(cache).evictions, 5);
	CHECK_EQ(gone_count, 5);
	for (unsigned i = 0; i < 5; i++)
		CHECK_EQ(gone[i], i + 1);
	wan_cache_destroy(cache);
}

TEST(the_entry_touched_last_survives)
{
	struct wan_cache *cache = cache_of(256 * WAN_MIB, 10);
	for (uint64_t key = 1; key <= 10; key++)
		CHECK_EQ(put_of(cache, key, 1000), 0);
	CHECK(has(cache, 1));
	CHECK_EQ(put_of(cache, 11, 1000), 0);
	CHECK_EQ(gone_count, 1);
	CHECK_EQ(gone[0], 2);
	CHECK(has(cache, 1));
	CHECK(!has(cache, 2));
	CHECK_EQ(stats_of(cache).entries, 10);
	wan_cache_destroy(cache);
}

TEST(bytes_stay_under_the_ceiling_at_every_step)
{
	struct wan_cache *cache = cache_of(50 * WAN_MIB, 0);
	for (uint64_t key = 1; key <= 20; key++) {
		CHECK_EQ(put_of(cache, key, 1000 * 1000 * 3), 0);
		CHECK(stats_of(cache).used_bytes <= 50 * WAN_MIB);
		SOUND(cache);
	}
	CHECK_EQ(stats_of(cache).entries, 50 * WAN_MIB / WEIGHT(3000000));
	wan_cache_destroy(cache);
}

TEST(the_last_byte_of_the_ceiling_is_used_and_not_one_more)
{
	struct wan_cache *cache = cache_of(3 * WEIGHT(100), 0);
	for (uint64_t key = 1; key <= 3; key++)
		CHECK_EQ(put_of(cache, key, 100), 0);
	CHECK_EQ(stats_of(cache).used_bytes, 3 * WEIGHT(100));
	CHECK_EQ(stats_of(cache).evictions, 0);
	CHECK_EQ(put_of(cache, 3, 101), 0);
	CHECK_EQ(gone[0], 3);
	CHECK_EQ(gone[1], 1);
	CHECK_EQ(gone_count, 2);
	CHECK_EQ(stats_of(cache).used_bytes, WEIGHT(100) + WEIGHT(101));
	SOUND(cache);
	wan_cache_destroy(cache);
}

TEST(clear_leaves_no_entry_and_no_byte)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 0);
	for (uint64_t key = 1; key <= 100; key++)
		CHECK_EQ(put_of(cache, key, 100), 0);
	wan_cache_clear(cache);
	CHECK_EQ(stats_of(cache).entries, 0);
	CHECK_EQ(stats_of(cache).used_bytes, 0);
	CHECK_EQ(stats_of(cache).evictions, 0);
	CHECK_EQ(gone_count, 100);
	SOUND(cache);
	wan_cache_destroy(cache);
	CHECK_EQ(gone_count, 100);
}

TEST(overwriting_keeps_the_new_value_and_the_exact_bytes)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 10);
	struct wan_value value = value_of(1, 1000);
	for (unsigned round = 0; round < 20000; round++) {
		value.data = (void *)(uintptr_t)(round + 1);
		value.bytes = 1000 + round % 7;
		if (wan_cache_put(cache, key_of(5), &value) < 0)
			CHECK(!"put");
	}
	CHECK_EQ(stats_of(cache).used_bytes, WEIGHT(value.bytes));
	CHECK_EQ(stats_of(cache).entries, 1);
	CHECK_EQ(stats_of(cache).evictions, 0);
	CHECK_EQ(gone_count, 19999);
	SOUND(cache);
	wan_cache_destroy(cache);
	CHECK_EQ(gone_count, 20000);
}

TEST(a_pinned_value_survives_its_overwriting_and_stays_charged)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 10);
	struct wan_pin *pin, *second;
	struct wan_value value = value_of(2, 300);
	CHECK_EQ(put_of(cache, 1, 200), 0);
	REQUIRE_EQ(wan_cache_pin(cache, key_of(1), &pin), 0);
	REQUIRE_EQ(wan_cache_put(cache, key_of(1), &value), 0);
	CHECK_EQ((uintptr_t)wan_pin_data(pin), 1);
	CHECK_EQ(gone_count, 0);
	CHECK_EQ(stats_of(cache).used_bytes, WEIGHT(200) + WEIGHT(300));
	CHECK_EQ(stats_of(cache).pinned_bytes, WEIGHT(200));
	CHECK_EQ(stats_of(cache).entries, 1);
	SOUND(cache);
	REQUIRE_EQ(wan_cache_pin(cache, key_of(1), &second), 0);
	CHECK_EQ((uintptr_t)wan_pin_data(second), 2);
	wan_pin_release(pin);
	CHECK_EQ(gone_count, 1);
	CHECK_EQ(gone[0], 1);
	CHECK_EQ(stats_of(cache).used_bytes, WEIGHT(300));
	SOUND(cache);
	wan_pin_release(second);
	wan_cache_destroy(cache);
}

TEST(a_pinned_entry_survives_eviction)
{
	struct wan_cache *cache = cache_of(4 * WEIGHT(100), 0);
	struct wan_pin *pin;
	CHECK_EQ(put_of(cache, 1, 100), 0);
	REQUIRE_EQ(wan_cache_pin(cache, key_of(1), &pin), 0);
	for (uint64_t key = 2; key <= 20; key++)
		CHECK_EQ(put_of(cache, key, 100), 0);
	for (unsigned i = 0; i < gone_count; i++)
		CHECK(gone[i] != 1);
	CHECK(has(cache, 1));
	SOUND(cache);
	wan_pin_release(pin);
	wan_cache_destroy(cache);
}

TEST(an_oversize_value_is_refused_and_the_others_stay)
{
	struct wan_cache *cache = cache_of(1000, 10);
	struct wan_value value = value_of(9, 1000 - WAN_CACHE_ENTRY_BYTES + 1);
	CHECK_EQ(put_of(cache, 1, 100), 0);
	CHECK_EQ(wan_cache_put(cache, key_of(9), &value), -EFBIG);
	CHECK_EQ(wan_cache_put(cache, key_of(1), &value), -EFBIG);
	value.bytes = UINT64_MAX;
	CHECK_EQ(wan_cache_put(cache, key_of(9), &value), -EFBIG);
	value.bytes = UINT64_MAX - WAN_CACHE_ENTRY_BYTES;
	CHECK_EQ(wan_cache_put(cache, key_of(9), &value), -EFBIG);
	CHECK(has(cache, 1));
	CHECK_EQ(gone_count, 0);
	CHECK_EQ(stats_of(cache).refused_oversize, 4);
	value.bytes = 1000 - WAN_CACHE_ENTRY_BYTES;
	CHECK_EQ(wan_cache_put(cache, key_of(9), &value), 0);
	SOUND(cache);
	wan_cache_destroy(cache);
}

TEST(a_put_without_room_beside_the_pinned_changes_nothing)
{
	struct wan_cache *cache = cache_of(3 * WEIGHT(100), 0);
	struct wan_pin *pins[2];
	for (uint64_t key = 1; key <= 3; key++)
		CHECK_EQ(put_of(cache, key, 100), 0);
	REQUIRE_EQ(wan_cache_pin(cache, key_of(1), &pins[0]), 0);
	REQUIRE_EQ(wan_cache_pin(cache, key_of(3), &pins[1]), 0);
	CHECK_EQ(put_of(cache, 4, 101), -EAGAIN);
	CHECK_EQ(gone_count, 0);
	CHECK(has(cache, 2));
	CHECK_EQ(put_of(cache, 4, 100), 0);
	CHECK_EQ(gone[0], 2);
	SOUND(cache);
	wan_pin_release(pins[0]);
	wan_pin_release(pins[1]);
	wan_cache_destroy(cache);
}

TEST(an_entry_limit_full_of_pins_refuses_plain_puts)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 1);
	struct wan_pin *pin;
	struct wan_value derived = value_of(3, 10);
	derived.flags = WAN_CACHE_DERIVED;
	CHECK_EQ(put_of(cache, 1, 100), 0);
	REQUIRE_EQ(wan_cache_pin(cache, key_of(1), &pin), 0);
	CHECK_EQ(put_of(cache, 2, 100), -EAGAIN);
	CHECK_EQ(wan_cache_put(cache, key_of(3), &derived), 0);
	/* Overwriting a pinned entry takes its place. */
	CHECK_EQ(put_of(cache, 1, 200), 0);
	CHECK_EQ(stats_of(cache).entries, 2);
	SOUND(cache);
	wan_pin_release(pin);
	wan_cache_destroy(cache);
}

TEST(put_pinned_passes_through_what_has_no_room)
{
	struct wan_cache *cache = cache_of(2 * WEIGHT(100), 0);
	struct wan_pin *pin, *big;
	struct wan_value value = value_of(2, 150), huge = value_of(3, WAN_MIB);
	CHECK_EQ(put_of(cache, 1, 100), 0);
	REQUIRE_EQ(wan_cache_pin(cache, key_of(1), &pin), 0);
	REQUIRE_EQ(wan_cache_put_pinned(cache, key_of(2), &value, &big), 0);
	CHECK_EQ((uintptr_t)wan_pin_data(big), 2);
	CHECK_EQ(stats_of(cache).used_bytes, WEIGHT(100));
	CHECK(!has(cache, 2));
	SOUND(cache);
	wan_pin_release(big);
	CHECK_EQ(gone_count, 1);

	REQUIRE_EQ(wan_cache_put_pinned(cache, key_of(1), &huge, &big), 0);
	CHECK(!has(cache, 1)); /* the older value must not answer for the key */
	CHECK_EQ(stats_of(cache).passed_through, 2);
	CHECK_EQ(stats_of(cache).refused_oversize, 1);
	CHECK_EQ((uintptr_t)wan_pin_data(pin), 1);
	SOUND(cache);
	wan_pin_release(big);
	wan_pin_release(pin);
	CHECK_EQ(gone_count, 3);
	CHECK_EQ(stats_of(cache).used_bytes, 0);
	wan_cache_destroy(cache);
}

TEST(put_pinned_charges_what_only_the_entry_limit_keeps_out)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 1);
	struct wan_pin *first, *second;
	struct wan_value value = value_of(1, 100);
	REQUIRE_EQ(wan_cache_put_pinned(cache, key_of(1), &value, &first), 0);
	REQUIRE_EQ(wan_cache_put_pinned(cache, key_of(2), &value, &second), 0);
	CHECK_EQ(stats_of(cache).entries, 1);
	CHECK_EQ(stats_of(cache).pinned_bytes, 2 * WEIGHT(100));
	SOUND(cache);
	wan_pin_release(first);
	wan_pin_release(second);
	CHECK_EQ(stats_of(cache).used_bytes, WEIGHT(100));
	wan_cache_destroy(cache);
}

TEST(small_derived_values_are_not_entries_unless_asked)
{
	struct wan_value value = value_of(1, 256 * WAN_KIB);
	value.flags = WAN_CACHE_DERIVED;
	struct wan_cache *cache = cache_of(256 * WAN_MIB, 2);
	for (uint64_t key = 1; key <= 5; key++)
		CHECK_EQ(wan_cache_put(cache, key_of(key), &value), 0);
	CHECK_EQ(stats_of(cache).entries, 5);
	CHECK_EQ(stats_of(cache).derived_entries, 5);
	value.bytes++; /* one byte more, and it counts */
	for (uint64_t key = 11; key <= 15; key++)
		CHECK_EQ(wan_cache_put(cache, key_of(key), &value), 0);
	CHECK_EQ(stats_of(cache).entries, 7);
	CHECK_EQ(stats_of(cache).evictions, 3);
	SOUND(cache);
	wan_cache_destroy(cache);

	struct wan_cache_options options;
	wan_cache_options_init(&options);
	options.entry_limit = 2;
	options.count_derived = true;
	value.bytes = 1;
	REQUIRE_EQ(wan_cache_create(&options, &cache), 0);
	for (uint64_t key = 1; key <= 5; key++)
		CHECK_EQ(wan_cache_put(cache, key_of(key), &value), 0);
	CHECK_EQ(stats_of(cache).entries, 2);
	SOUND(cache);
	wan_cache_destroy(cache);
}

TEST(bytes_evict_the_oldest_of_both_classes)
{
	struct wan_cache *cache = cache_of(3 * WEIGHT(100), 0);
	struct wan_value derived = value_of(2, 100);
	derived.flags = WAN_CACHE_DERIVED;
	CHECK_EQ(put_of(cache, 1, 100), 0);
	CHECK_EQ(wan_cache_put(cache, key_of(2), &derived), 0);
	CHECK_EQ(put_of(cache, 3, 100), 0);
	CHECK(has(cache, 1));
	CHECK_EQ(put_of(cache, 4, 100), 0);
	CHECK_EQ(put_of(cache, 5, 100), 0);
	CHECK_EQ(gone[0], 2);
	CHECK_EQ(gone[1], 3);
	wan_cache_destroy(cache);
}

TEST(remove_forgets_one_key)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 10);
	CHECK_EQ(put_of(cache, 1, 100), 0);
	CHECK_EQ(put_of(cache, 2, 100), 0);
	CHECK_EQ(wan_cache_remove(cache, key_of(1)), 0);
	CHECK_EQ(wan_cache_remove(cache, key_of(1)), -ENOENT);
	CHECK_EQ(gone_count, 1);
	CHECK(!has(cache, 1));
	CHECK(has(cache, 2));
	CHECK_EQ(stats_of(cache).evictions, 0);
	SOUND(cache);
	wan_cache_destroy(cache);
}

TEST(empty_values_are_values)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 10);
	struct wan_value empty = {0};
	struct wan_pin *pin;
	CHECK_EQ(wan_cache_put(cache, key_of(1), &empty), 0);
	REQUIRE_EQ(wan_cache_pin(cache, key_of(1), &pin), 0);
	CHECK(wan_pin_data(pin) == NULL);
	CHECK_EQ(wan_pin_bytes(pin), 0);
	CHECK_EQ(stats_of(cache).used_bytes, WEIGHT(0));
	wan_pin_release(pin);
	wan_cache_destroy(cache);
}

TEST(keys_differ_in_either_word)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 0);
	struct wan_value value = value_of(1, 1);
	struct wan_pin *pin;
	for (uint64_t word = 0; word < 300; word++) {
		CHECK_EQ(wan_cache_put(cache, (struct wan_key){{word << 56, 0}}, &value), 0);
		CHECK_EQ(wan_cache_put(cache, (struct wan_key){{1, word}}, &value), 0);
	}
	CHECK_EQ(stats_of(cache).entries, 256 + 300);
	CHECK_EQ(wan_cache_pin(cache, (struct wan_key){{2, 0}}, &pin), -ENOENT);
	SOUND(cache);
	wan_cache_destroy(cache);
}

TAP_MAIN
