/* SPDX-License-Identifier: MIT */
/* What the tests of the cache share: keys, values that count their lives, a clock to set. */
#ifndef WAN_TESTS_CACHE_SUPPORT_H
#define WAN_TESTS_CACHE_SUPPORT_H

#include <errno.h>
#include <stdint.h>

#include "cache_check.h"
#include "macros.h"
#include "tap.h"
#include "wan/cache.h"

/* An entry of this payload weighs bytes + WAN_CACHE_ENTRY_BYTES. */
#define WEIGHT(bytes) ((uint64_t)(bytes) + WAN_CACHE_ENTRY_BYTES)

/* Call after every step: all sums of the cache agree. */
#define SOUND(cache) CHECK_STR(wan_cache_check(cache), NULL)

static inline struct wan_key key_of(uint64_t number)
{
	return (struct wan_key){{number, ~number}};
}

/* Values are numbers cast to pointers; their destructor notes order and count. */
enum { GONE_MAX = 4096 };
static uintptr_t gone[GONE_MAX];
static unsigned gone_count;

__attribute__((unused)) static void note_gone(void *data)
{
	gone[gone_count++ % GONE_MAX] = (uintptr_t)data;
}

static inline struct wan_value value_of(uintptr_t number, uint64_t bytes)
{
	return (struct wan_value){.data = (void *)number, .bytes = bytes, .destroy = note_gone};
}

static uint64_t test_now_ns;
__attribute__((unused)) static uint64_t test_clock(void)
{
	return test_now_ns;
}

/* A cache with the clock above; entry_limit 0: no limit to speak of. */
static inline struct wan_cache *cache_of(uint64_t limit_bytes, uint64_t entry_limit)
{
	struct wan_cache_options options;
	struct wan_cache *cache = NULL;
	wan_cache_options_init(&options);
	options.limit_bytes = limit_bytes;
	options.entry_limit = entry_limit ? entry_limit : 1000000;
	options.now_ns = test_clock;
	options.wait_ns = 60000000000; /* real time: for machines that stand still for a second */
	gone_count = 0;
	test_now_ns = 1000;
	CHECK_EQ(wan_cache_create(&options, &cache), 0);
	return cache;
}

static inline struct wan_cache_stats stats_of(struct wan_cache *cache)
{
	struct wan_cache_stats stats = {.struct_size = sizeof(stats)};
	wan_cache_stats(cache, &stats);
	return stats;
}

static inline int put_of(struct wan_cache *cache, uint64_t key, uint64_t bytes)
{
	struct wan_value value = value_of((uintptr_t)key, bytes);
	return wan_cache_put(cache, key_of(key), &value);
}

/* Is the key there? Counts as a use. */
static inline bool has(struct wan_cache *cache, uint64_t key)
{
	struct wan_pin *pin;
	if (wan_cache_pin(cache, key_of(key), &pin) < 0)
		return false;
	wan_pin_release(pin);
	return true;
}

#endif
