/* SPDX-License-Identifier: MIT */
/* Who goes: hints, all or nothing, one barrier for all; and what the cache itself takes. */
#include <unistd.h>

#include "core.h"
#include "fault.h"
#include "support.h"

static int put_hinted(struct wan_cache *cache, uint64_t key, uint64_t bytes, uint32_t flags)
{
	struct wan_value value = value_of((uintptr_t)key, bytes);
	value.flags = flags;
	return wan_cache_put(cache, key_of(key), &value);
}

TEST(scanned_entries_go_first_until_they_are_used)
{
	struct wan_cache *cache = cache_of(4 * WEIGHT(100), 0);
	CHECK_EQ(put_hinted(cache, 1, 100, 0), 0);
	CHECK_EQ(put_hinted(cache, 2, 100, 0), 0);
	CHECK_EQ(put_hinted(cache, 3, 100, WAN_CACHE_SCAN), 0);
	CHECK_EQ(put_hinted(cache, 4, 100, WAN_CACHE_SCAN), 0);
	CHECK_EQ(put_hinted(cache, 5, 100, 0), 0);
	CHECK_EQ(gone[0], 3);
	CHECK(has(cache, 4));
	CHECK_EQ(put_hinted(cache, 6, 100, 0), 0);
	CHECK_EQ(gone[1], 1);
	SOUND(cache);
	wan_cache_destroy(cache);
}

TEST(held_back_entries_go_last_and_still_go)
{
	struct wan_cache *cache = cache_of(3 * WEIGHT(100), 0);
	CHECK_EQ(put_hinted(cache, 1, 100, WAN_CACHE_PIN), 0);
	CHECK_EQ(put_hinted(cache, 2, 100, 0), 0);
	CHECK_EQ(put_hinted(cache, 3, 100, WAN_CACHE_PIN), 0);
	CHECK_EQ(put_hinted(cache, 4, 100, WAN_CACHE_SCAN), 0);
	CHECK_EQ(gone[0], 2);
	CHECK_EQ(put_hinted(cache, 5, 100, 0), 0);
	CHECK_EQ(gone[1], 4);
	CHECK_EQ(put_hinted(cache, 6, 100, WAN_CACHE_PIN), 0);
	CHECK_EQ(gone[2], 5);
	CHECK_EQ(put_hinted(cache, 7, 100, 0), 0);
	CHECK_EQ(gone[3], 1);
	SOUND(cache);
	wan_cache_destroy(cache);
}

/* A thread with a record, so that it could pin at any moment. */
static struct wan_cache *shared;
static uint64_t ready, stop;
static void *come_and_wait(void *argument)
{
	has(shared, 1);
	wan_store_release(&ready, 1);
	while (!wan_load_relaxed(&stop))
		usleep(1000);
	return NULL;
}

TEST(all_that_one_call_evicts_share_one_barrier)
{
	pthread_t other;
	wan_fault_install();
	shared = cache_of(20 * WEIGHT(100), 0);
	bool light = shared->light;
	for (uint64_t key = 1; key <= 20; key++)
		CHECK_EQ(put_of(shared, key, 100), 0);
	wan_fault_arm(WAN_FAULT_MEMBARRIER, 0, EPERM, false); /* counts from here */
	CHECK_EQ(put_of(shared, 21, 100), 0);
	CHECK_EQ(wan_fault_calls(WAN_FAULT_MEMBARRIER), 0); /* nobody else is there */
	REQUIRE_EQ(pthread_create(&other, NULL, come_and_wait, NULL), 0);
	while (!wan_load_acquire(&ready))
		usleep(100);
	wan_fault_arm(WAN_FAULT_MEMBARRIER, 0, EPERM, false);
	CHECK_EQ(put_of(shared, 22, 15 * WEIGHT(100)), 0);
	CHECK(gone_count >= 15);
	if (light)
		CHECK_EQ(wan_fault_calls(WAN_FAULT_MEMBARRIER), 1);
	SOUND(shared);
	wan_store_relaxed(&stop, 1);
	pthread_join(other, NULL);
	wan_cache_destroy(shared);
	wan_fault_remove();
}

TEST(what_the_cache_itself_takes_counts_and_is_given_back)
{
	enum { MANY = 60000 };
	struct wan_cache *cache = cache_of(64 * WAN_MIB, 0);
	for (uint64_t key = 0; key < MANY; key++)
		CHECK_EQ(put_of(cache, key, 0), 0);
	struct wan_cache_stats stats = stats_of(cache);
	CHECK_EQ(stats.entries, MANY);
	CHECK(has(cache, 5));
	uint64_t taken = cache->slots.present * WAN_SLOTS_IN_PAGE * sizeof(struct wan_cache_entry) +
			 wan_table_bytes(&cache->table) + wan_order_bytes(&cache->order) +
			 cache->order.capacity * sizeof(uint64_t);
	CHECK(stats_of(cache).used_bytes + 256 * WAN_KIB >= taken);
	SOUND(cache);
	wan_cache_clear(cache);
	CHECK_EQ(stats_of(cache).used_bytes, 0);
	CHECK(cache->slots.present <= 3);
	CHECK_EQ(wan_order_bytes(&cache->order), 0);
	CHECK(wan_table_bytes(&cache->table) <= 4096);
	CHECK_EQ(put_of(cache, 1, 10), 0);
	CHECK(has(cache, 1));
	SOUND(cache);
	wan_cache_destroy(cache);
}

TEST(a_ceiling_full_of_small_entries_holds_their_metadata_too)
{
	const uint64_t limit = 8 * WAN_MIB;
	struct wan_cache *cache = cache_of(limit, 0);
	uint64_t most = 0;
	for (uint64_t key = 0; key < 100000; key++) {
		CHECK_EQ(put_of(cache, key, 0), 0);
		uint64_t used = key % 16 ? 0 : stats_of(cache).used_bytes;
		most = WAN_MAX(most, used);
	}
	CHECK(most <= limit);
	CHECK(most > limit / 10 * 9);
	SOUND(cache);
	wan_cache_destroy(cache);
}

TAP_MAIN
