/* SPDX-License-Identifier: MIT */
/* The cache with each of its policies: the ceiling, hints and what is saved against strict LRU. */
#include "support.h"

static const enum wan_cache_policy kinds[] = {WAN_CACHE_AUTO, WAN_CACHE_GDSF, WAN_CACHE_S3FIFO};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]), PAYLOAD = 100000 };

static void gone_quietly(void *data)
{
}

static struct wan_cache *cache_with(enum wan_cache_policy policy, uint64_t limit_bytes)
{
	struct wan_cache_options options;
	struct wan_cache *cache = NULL;
	wan_cache_options_init(&options);
	options.policy = policy;
	options.limit_bytes = limit_bytes;
	options.entry_limit = INT64_MAX;
	CHECK_EQ(wan_cache_create(&options, &cache), 0);
	return cache;
}

static int put_with(struct wan_cache *cache, uint64_t key, uint64_t bytes, uint32_t flags)
{
	struct wan_value value = {
		.bytes = bytes, .destroy = gone_quietly, .flags = flags, .cost_ns = 1000000};
	return wan_cache_put(cache, key_of(key), &value);
}

static uint32_t random_next(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

/* Popular keys, and every thousand accesses a folder that is looked through once. */
static uint64_t hits_of(enum wan_cache_policy policy)
{
	struct wan_cache *cache = cache_with(policy, 150 * PAYLOAD);
	uint64_t state = 9, hits = 0, fresh = 100000;
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t number = random_next(&state) % 1000;
		number = number * number / 1000 * number / 1000;
		if (has(cache, number))
			hits++;
		else
			CHECK_EQ(put_with(cache, number, PAYLOAD, 0), 0);
		for (unsigned k = 0; i % 1000 == 999 && k < 200; k++)
			CHECK_EQ(put_with(cache, fresh++, PAYLOAD, 0), 0);
		if (i % 5000 == 0) {
			SOUND(cache);
			struct wan_cache_stats stats = stats_of(cache);
			CHECK(stats.used_bytes <= stats.limit_bytes);
		}
	}
	SOUND(cache);
	wan_cache_destroy(cache);
	return hits;
}

TEST(every_policy_keeps_the_ceiling_and_beats_lru_beside_scans)
{
	uint64_t lru = hits_of(WAN_CACHE_LRU);
	for (unsigned kind = 0; kind < KINDS; kind++)
		CHECK(hits_of(kinds[kind]) > lru + lru / 20);
}

TEST(what_was_put_last_is_there_and_hints_decide_who_goes)
{
	for (unsigned kind = 0; kind < KINDS; kind++) {
		struct wan_cache *cache = cache_with(kinds[kind], 4000000);
		CHECK_EQ(put_with(cache, 1, 1000000, WAN_CACHE_PIN), 0);
		CHECK_EQ(put_with(cache, 2, 1000000, 0), 0);
		CHECK_EQ(put_with(cache, 3, 1000000, WAN_CACHE_SCAN), 0);
		CHECK_EQ(put_with(cache, 4, 1500000, 0), 0);
		CHECK(wan_cache_contains(cache, key_of(4)));
		CHECK(!wan_cache_contains(cache, key_of(3)));
		CHECK_EQ(put_with(cache, 5, 1800000, 0), 0);
		CHECK(wan_cache_contains(cache, key_of(1)));
		CHECK(wan_cache_contains(cache, key_of(5)));
		SOUND(cache);
		wan_cache_clear(cache);
		CHECK_EQ(stats_of(cache).entries, 0);
		SOUND(cache);
		wan_cache_destroy(cache);
	}
}

TEST(an_entry_somebody_holds_is_passed_over)
{
	for (unsigned kind = 0; kind < KINDS; kind++) {
		struct wan_pin *pin;
		struct wan_cache *cache = cache_with(kinds[kind], 4000000);
		CHECK_EQ(put_with(cache, 1, 1000000, WAN_CACHE_SCAN), 0);
		REQUIRE_EQ(wan_cache_pin(cache, key_of(1), &pin), 0);
		for (uint64_t key = 2; key < 30; key++)
			CHECK_EQ(put_with(cache, key, 1000000, 0), 0);
		CHECK(wan_cache_contains(cache, key_of(1)));
		wan_pin_release(pin);
		SOUND(cache);
		wan_cache_destroy(cache);
	}
}

TAP_MAIN
