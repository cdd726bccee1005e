/* SPDX-License-Identifier: MIT */
/*
 * The baseline: the cache everybody writes first. One mutex, a chained hash table, a doubly linked
 * list of uses, pins that are counted, a byte and an entry limit, four counters. It gets the same
 * keys as ours, hashed already or not, and does less: no single flight, no expiry, no weak handles,
 * no bytes in flight, and its destructors run under the lock.
 */
#ifndef WAN_BENCH_NAIVE_CACHE_H
#define WAN_BENCH_NAIVE_CACHE_H

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What it uses for names: word by word, as the usual string hashes of C++ libraries. */
static inline void naive_key_of(const char *name, uint64_t bytes, uint64_t ret_key[2])
{
	uint64_t hash = bytes, word;
	for (; bytes >= sizeof(word); bytes -= sizeof(word), name += sizeof(word)) {
		memcpy(&word, name, sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 32;
	}
	ret_key[0] = hash;
	ret_key[1] = bytes;
}

struct naive_entry {
	struct naive_entry *chain, *previous, *next;
	uint64_t key[2];
	const char *name; /* compared too, when the key is a name */
	void *data;
	uint64_t bytes;
	void (*destroy)(void *data);
	unsigned pins;
	int listed;
};

struct naive_cache {
	pthread_mutex_t lock;
	struct naive_entry **buckets;
	uint64_t bucket_count;   /* a power of two, at least the number of entries */
	struct naive_entry ends; /* next: newest, previous: oldest */
	uint64_t limit_bytes, entry_limit, used_bytes, entries;
	uint64_t hits, misses, puts, evictions;
};

static inline void naive_init(struct naive_cache *cache, uint64_t limit_bytes, uint64_t entry_limit)
{
	*cache = (struct naive_cache){.lock = PTHREAD_MUTEX_INITIALIZER,
				      .limit_bytes = limit_bytes,
				      .entry_limit = entry_limit,
				      .bucket_count = 1024};
	while (cache->bucket_count < entry_limit)
		cache->bucket_count *= 2;
	cache->buckets = calloc(cache->bucket_count, sizeof(*cache->buckets));
	if (!cache->buckets)
		exit(1);
	cache->ends.next = cache->ends.previous = &cache->ends;
}

static inline struct naive_entry **naive_place(struct naive_cache *cache, const uint64_t key[2])
{
	struct naive_entry **place = &cache->buckets[key[0] & (cache->bucket_count - 1)];
	while (*place && ((*place)->key[0] != key[0] || (*place)->key[1] != key[1]))
		place = &(*place)->chain;
	return place;
}

static inline void naive_unlink(struct naive_entry *entry)
{
	entry->previous->next = entry->next;
	entry->next->previous = entry->previous;
}

static inline void naive_link(struct naive_cache *cache, struct naive_entry *entry)
{
	entry->next = cache->ends.next;
	entry->previous = &cache->ends;
	entry->next->previous = entry;
	cache->ends.next = entry;
}

static inline void naive_free(struct naive_entry *entry)
{
	if (entry->destroy)
		entry->destroy(entry->data);
	free(entry);
}

static inline void naive_drop(struct naive_cache *cache, struct naive_entry **place)
{
	struct naive_entry *entry = *place;
	*place = entry->chain;
	naive_unlink(entry);
	cache->used_bytes -= entry->bytes;
	cache->entries--;
	entry->listed = 0;
	if (!entry->pins)
		naive_free(entry);
}

static inline void naive_put(struct naive_cache *cache, const uint64_t key[2], void *data,
			     uint64_t bytes, void (*destroy)(void *data))
{
	struct naive_entry *entry = calloc(1, sizeof(*entry));
	if (!entry)
		exit(1);
	entry->key[0] = key[0];
	entry->key[1] = key[1];
	entry->data = data;
	entry->bytes = bytes;
	entry->destroy = destroy;
	entry->listed = 1;
	pthread_mutex_lock(&cache->lock);
	struct naive_entry **place = naive_place(cache, key);
	if (*place)
		naive_drop(cache, place);
	struct naive_entry *oldest = cache->ends.previous, *newer;
	while (oldest != &cache->ends && (cache->used_bytes + bytes > cache->limit_bytes ||
					  cache->entries >= cache->entry_limit)) {
		newer = oldest->previous;
		if (!oldest->pins) {
			naive_drop(cache, naive_place(cache, oldest->key));
			cache->evictions++;
		}
		oldest = newer;
	}
	place = naive_place(cache, key);
	*place = entry;
	naive_link(cache, entry);
	cache->used_bytes += bytes;
	cache->entries++;
	cache->puts++;
	pthread_mutex_unlock(&cache->lock);
}

static inline struct naive_entry *naive_pin(struct naive_cache *cache, const uint64_t key[2])
{
	pthread_mutex_lock(&cache->lock);
	struct naive_entry *entry = *naive_place(cache, key);
	if (entry) {
		entry->pins++;
		naive_unlink(entry);
		naive_link(cache, entry);
		cache->hits++;
	} else {
		cache->misses++;
	}
	pthread_mutex_unlock(&cache->lock);
	return entry;
}

/* The same for a name, which the entry compares with its own. */
static inline struct naive_entry *naive_pin_name(struct naive_cache *cache, const char *name,
						 uint64_t bytes)
{
	uint64_t key[2];
	naive_key_of(name, bytes, key);
	struct naive_entry *entry = naive_pin(cache, key);
	return entry && memcmp(entry->name, name, bytes) == 0 ? entry : NULL;
}

static inline void naive_release(struct naive_cache *cache, struct naive_entry *entry)
{
	pthread_mutex_lock(&cache->lock);
	if (--entry->pins == 0 && !entry->listed)
		naive_free(entry);
	pthread_mutex_unlock(&cache->lock);
}

static inline void naive_finish(struct naive_cache *cache)
{
	while (cache->ends.next != &cache->ends)
		naive_drop(cache, naive_place(cache, cache->ends.next->key));
	free(cache->buckets);
}

#endif
