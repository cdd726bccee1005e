/* SPDX-License-Identifier: MIT */
/*
 * The baseline: one mutex, a chained hash table, a doubly linked list, a count of pins. No ceiling,
 * no statistics, no expiry: less than any real cache does.
 */
#ifndef WAN_BENCH_NAIVE_CACHE_H
#define WAN_BENCH_NAIVE_CACHE_H

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

enum { NAIVE_BUCKETS = 1024 };

struct naive_entry {
	struct naive_entry *chain, *previous, *next;
	uint64_t key[2];
	void *data;
	unsigned pins;
};

struct naive_cache {
	pthread_mutex_t lock;
	struct naive_entry *buckets[NAIVE_BUCKETS];
	struct naive_entry ends; /* next: newest, previous: oldest */
};

static inline void naive_init(struct naive_cache *cache)
{
	*cache = (struct naive_cache){.lock = PTHREAD_MUTEX_INITIALIZER};
	cache->ends.next = cache->ends.previous = &cache->ends;
}

static inline void naive_link(struct naive_cache *cache, struct naive_entry *entry)
{
	entry->next = cache->ends.next;
	entry->previous = &cache->ends;
	entry->next->previous = entry;
	cache->ends.next = entry;
}

static inline void naive_put(struct naive_cache *cache, const uint64_t key[2], void *data)
{
	struct naive_entry *entry = calloc(1, sizeof(*entry));
	if (!entry)
		exit(1);
	entry->key[0] = key[0];
	entry->key[1] = key[1];
	entry->data = data;
	pthread_mutex_lock(&cache->lock);
	entry->chain = cache->buckets[key[0] % NAIVE_BUCKETS];
	cache->buckets[key[0] % NAIVE_BUCKETS] = entry;
	naive_link(cache, entry);
	pthread_mutex_unlock(&cache->lock);
}

static inline struct naive_entry *naive_pin(struct naive_cache *cache, const uint64_t key[2])
{
	pthread_mutex_lock(&cache->lock);
	struct naive_entry *entry = cache->buckets[key[0] % NAIVE_BUCKETS];
	while (entry && (entry->key[0] != key[0] || entry->key[1] != key[1]))
		entry = entry->chain;
	if (entry) {
		entry->pins++;
		entry->previous->next = entry->next;
		entry->next->previous = entry->previous;
		naive_link(cache, entry);
	}
	pthread_mutex_unlock(&cache->lock);
	return entry;
}

static inline void naive_release(struct naive_cache *cache, struct naive_entry *entry)
{
	pthread_mutex_lock(&cache->lock);
	entry->pins--;
	pthread_mutex_unlock(&cache->lock);
}

static inline void naive_finish(struct naive_cache *cache)
{
	for (unsigned i = 0; i < NAIVE_BUCKETS; i++) {
		for (struct naive_entry *entry = cache->buckets[i], *next; entry; entry = next) {
			next = entry->chain;
			free(entry);
		}
	}
}

#endif
