/* SPDX-License-Identifier: MIT */
#include "tier_store.h"

#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "macros.h"

enum { BUCKETS_FIRST = 64 };

static uint64_t hash_of(const struct wan_tier_store *store, struct wan_key key)
{
	uint64_t hash = (key.words[0] ^ store->seed) * 0x9e3779b97f4a7c15u;
	hash = (hash ^ hash >> 29 ^ key.words[1]) * 0xbf58476d1ce4e5b9u;
	return hash ^ hash >> 32;
}

static bool same_key(struct wan_key a, struct wan_key b)
{
	return a.words[0] == b.words[0] && a.words[1] == b.words[1];
}

void wan_tier_store_init(struct wan_tier_store *store, uint64_t seed)
{
	*store = (struct wan_tier_store){.seed = seed};
}

void wan_tier_store_finish(struct wan_tier_store *store)
{
	wan_free(store->buckets);
	wan_free(store->heap);
	wan_free(store->ghosts);
}

static struct wan_cold **bucket_of(const struct wan_tier_store *store, struct wan_key key)
{
	return &store->buckets[hash_of(store, key) & (store->bucket_count - 1)];
}

static int grow_buckets(struct wan_tier_store *store)
{
	size_t count = store->bucket_count ? 2 * store->bucket_count : BUCKETS_FIRST;
	struct wan_cold **buckets = wan_calloc(count, sizeof(*buckets));
	if (!buckets)
		return -ENOMEM;
	wan_free(store->buckets);
	store->buckets = buckets;
	store->bucket_count = count;
	for (size_t i = 0; i < store->count; i++) {
		struct wan_cold **bucket = bucket_of(store, store->heap[i]->key);
		store->heap[i]->chain = *bucket;
		*bucket = store->heap[i];
	}
	return 0;
}

int wan_tier_store_reserve(struct wan_tier_store *store)
{
	if (store->count >= store->bucket_count && grow_buckets(store) < 0)
		return -ENOMEM;
	return wan_array_reserve(&store->heap, &store->heap_capacity, store->count + 1,
				 sizeof(*store->heap));
}

static void place(struct wan_tier_store *store, size_t at, struct wan_cold *cold)
{
	store->heap[at] = cold;
	cold->heap_at = (uint32_t)at;
}

static void sift_up(struct wan_tier_store *store, size_t at)
{
	struct wan_cold *cold = store->heap[at];
	for (; at > 0 && store->heap[(at - 1) / 2]->value > cold->value; at = (at - 1) / 2)
		place(store, at, store->heap[(at - 1) / 2]);
	place(store, at, cold);
}

static void sift_down(struct wan_tier_store *store, size_t at)
{
	struct wan_cold *cold = store->heap[at];
	for (size_t child; (child = 2 * at + 1) < store->count; at = child) {
		if (child + 1 < store->count &&
		    store->heap[child + 1]->value < store->heap[child]->value)
			child++;
		if (cold->value <= store->heap[child]->value)
			break;
		place(store, at, store->heap[child]);
	}
	place(store, at, cold);
}

void wan_tier_store_insert(struct wan_tier_store *store, struct wan_cold *cold)
{
	struct wan_cold **bucket = bucket_of(store, cold->key);
	cold->chain = *bucket;
	*bucket = cold;
	cold->value += store->floor;
	store->heap[store->count] = cold;
	sift_up(store, store->count++);
	store->charge_bytes += cold->charge_bytes;
	store->bytes += cold->bytes;
}

struct wan_cold *wan_tier_store_find(const struct wan_tier_store *store, struct wan_key key)
{
	if (!store->count)
		return NULL;
	struct wan_cold *cold = *bucket_of(store, key);
	while (cold && !same_key(cold->key, key))
		cold = cold->chain;
	return cold;
}

void wan_tier_store_remove(struct wan_tier_store *store, struct wan_cold *cold)
{
	struct wan_cold **link = bucket_of(store, cold->key);
	while (*link != cold)
		link = &(*link)->chain;
	*link = cold->chain;
	cold->chain = NULL;
	size_t at = cold->heap_at;
	struct wan_cold *last = store->heap[--store->count];
	if (last != cold) {
		place(store, at, last);
		sift_up(store, at);
		sift_down(store, last->heap_at);
	}
	store->charge_bytes -= cold->charge_bytes;
	store->bytes -= cold->bytes;
}

struct wan_cold *wan_tier_store_least(const struct wan_tier_store *store)
{
	return store->count ? store->heap[0] : NULL;
}

void wan_tier_store_give_up(struct wan_tier_store *store, struct wan_cold *cold)
{
	store->floor = WAN_MAX(store->floor, cold->value);
	wan_tier_store_remove(store, cold);
}

static uint64_t ghost_key(const struct wan_tier_store *store, struct wan_key key)
{
	return hash_of(store, key) | 1;
}

void wan_tier_store_bury(struct wan_tier_store *store, struct wan_key key, uint64_t clock,
			 uint64_t cost_ns)
{
	if (!store->ghosts)
		store->ghosts = wan_calloc(WAN_GHOSTS, sizeof(*store->ghosts));
	if (!store->ghosts)
		return;
	uint64_t name = ghost_key(store, key);
	store->ghosts[(name >> 1) % WAN_GHOSTS] =
		(struct wan_ghost){.key = name, .clock = clock, .cost_ns = cost_ns};
}

bool wan_tier_store_recall(struct wan_tier_store *store, struct wan_key key,
			   struct wan_ghost *ret_ghost)
{
	uint64_t name = ghost_key(store, key);
	struct wan_ghost *ghost = store->ghosts ? &store->ghosts[(name >> 1) % WAN_GHOSTS] : NULL;
	if (!ghost || ghost->key != name)
		return false;
	*ret_ghost = *ghost;
	ghost->key = 0;
	return true;
}

const char *wan_tier_store_check(const struct wan_tier_store *store)
{
	uint64_t charge_bytes = 0, bytes = 0;
	for (size_t i = 0; i < store->count; i++) {
		const struct wan_cold *cold = store->heap[i];
		if (cold->heap_at != i)
			return "a cold form does not know its place in the heap";
		if (i > 0 && store->heap[(i - 1) / 2]->value > cold->value)
			return "the heap of cold forms is out of order";
		if (wan_tier_store_find(store, cold->key) != cold)
			return "a cold form is not found by its key";
		charge_bytes += cold->charge_bytes;
		bytes += cold->bytes;
	}
	if (charge_bytes != store->charge_bytes || bytes != store->bytes)
		return "the sums of the cold forms are wrong";
	return NULL;
}
