/* SPDX-License-Identifier: MIT */
#include "stats.h"

#include "support.h"

/* The words of a recording, in the order readers know. */
TEST(the_mirror_follows_every_change)
{
	struct wan_cache_options options;
	struct wan_cache *cache;
	uint64_t words[WAN_CACHE_MIRROR_WORDS];
	memset(words, 0xee, sizeof(words));
	wan_cache_options_init(&options);
	options.limit_bytes = 5000;
	options.entry_limit = 3;
	options.counters = words;
	REQUIRE_EQ(wan_cache_create(&options, &cache), 0);
	for (uint64_t key = 1; key <= 5; key++)
		CHECK_EQ(put_of(cache, key, 100), 0);
	CHECK_EQ(put_of(cache, 9, 10000), -EFBIG);
	CHECK(!has(cache, 1));
	struct wan_pin *pin;
	REQUIRE_EQ(wan_cache_pin(cache, key_of(5), &pin), 0);
	CHECK_EQ(stats_of(cache).hits, 1); /* a hit without the lock is told with the next step */

	const uint64_t expected[CACHE_WORDS] = {
		5000, 3 * WEIGHT(100), 3, 3, 2, 1, 1, 2, 0, 5, 1, WEIGHT(100), 0, 0, 0, 0,
	};
	for (unsigned word = 0; word < CACHE_WORDS; word++)
		CHECK_EQ(words[word], expected[word]);
	for (unsigned word = CACHE_WORDS; word < WAN_CACHE_MIRROR_WORDS; word++)
		CHECK_EQ(words[word], 0xeeeeeeeeeeeeeeee);
	CHECK_EQ(CACHE_WORD_LIMIT_BYTES, 0);
	CHECK_EQ(CACHE_WORD_HITS, 5);
	CHECK_EQ(CACHE_WORD_TIME_SAVED_NS, 15);

	CHECK_EQ(wan_cache_set_limits(cache, 200, 0), 0);
	CHECK_EQ(words[CACHE_WORD_DEBT_BYTES], WEIGHT(100) - 200);
	wan_pin_release(pin);
	CHECK_EQ(words[CACHE_WORD_DEBT_BYTES], 0);
	CHECK_EQ(words[CACHE_WORD_USED_BYTES], 0);
	wan_cache_destroy(cache);
}

TEST(the_mirror_is_written_and_never_believed)
{
	struct wan_cache_options options;
	struct wan_cache *cache;
	uint64_t words[WAN_CACHE_MIRROR_WORDS];
	wan_cache_options_init(&options);
	options.counters = words;
	REQUIRE_EQ(wan_cache_create(&options, &cache), 0);
	CHECK_EQ(put_of(cache, 1, 100), 0);
	memset(words, 0xff, sizeof(words)); /* somebody scribbles over the recording */
	CHECK(has(cache, 1));
	CHECK_EQ(stats_of(cache).used_bytes, WEIGHT(100));
	CHECK_EQ(stats_of(cache).hits, 1);
	SOUND(cache);
	CHECK_EQ(put_of(cache, 2, 100), 0);
	CHECK_EQ(words[CACHE_WORD_USED_BYTES], 2 * WEIGHT(100));
	wan_cache_destroy(cache);
}

TEST(the_mirror_keeps_the_last_state_of_a_destroyed_cache)
{
	struct wan_cache_options options;
	struct wan_cache *cache;
	struct wan_pin *pin;
	uint64_t words[WAN_CACHE_MIRROR_WORDS];
	wan_cache_options_init(&options);
	options.counters = words;
	REQUIRE_EQ(wan_cache_create(&options, &cache), 0);
	CHECK_EQ(put_of(cache, 1, 100), 0);
	REQUIRE_EQ(wan_cache_pin(cache, key_of(1), &pin), 0);
	wan_cache_destroy(cache);
	memset(words, 0, sizeof(words));
	wan_pin_release(pin); /* after the mapping may be gone: not written to */
	for (unsigned word = 0; word < CACHE_WORDS; word++)
		CHECK_EQ(words[word], 0);
}

TEST(a_shorter_and_a_longer_struct_are_filled_as_far_as_they_go)
{
	struct {
		struct wan_cache_stats stats;
		uint64_t later;
	} longer = {.stats.struct_size = sizeof(longer), .later = 77};
	struct wan_cache *cache = cache_of(WAN_MIB, 3);
	wan_cache_stats(cache, &longer.stats);
	CHECK_EQ(longer.later, 0);
	CHECK_EQ(longer.stats.entry_limit, 3);

	struct wan_cache_stats older = {.struct_size = offsetof(struct wan_cache_stats, entries),
					.entries = 42};
	wan_cache_stats(cache, &older);
	CHECK_EQ(older.limit_bytes, WAN_MIB);
	CHECK_EQ(older.entries, 42);
	CHECK_EQ(older.struct_size, offsetof(struct wan_cache_stats, entries));
	wan_cache_destroy(cache);
}

TAP_MAIN
