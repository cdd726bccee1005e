/* SPDX-License-Identifier: MIT */
#include "index.h"

#include <errno.h>

#include "alloc.h"

enum { BUCKETS_MIN = 64 };

/* Fold of a 128-bit product. Keys are hashes already, but callers may make their own. */
static size_t bucket_of(const struct wan_index *index, struct wan_key key)
{
	uint64_t a = key.words[0] ^ index->seed;
	uint64_t b = key.words[1] ^ 0x9e3779b97f4a7c15u;
	__uint128_t product = (__uint128_t)(a * 0xd6e8feb86659fd93u ^ b) * 0xa0761d6478bd642fu;
	uint64_t hash = (uint64_t)product ^ (uint64_t)(product >> 64);
	return (size_t)(hash ^ hash >> 32) & (index->bucket_count - 1);
}

int wan_index_init(struct wan_index *index, uint64_t seed)
{
	*index = (struct wan_index){.bucket_count = BUCKETS_MIN, .seed = seed, .next_stamp = 1};
	index->buckets = wan_calloc(BUCKETS_MIN, sizeof(struct wan_cache_entry *));
	return index->buckets ? 0 : -ENOMEM;
}

void wan_index_finish(struct wan_index *index)
{
	wan_free(index->buckets);
	index->buckets = NULL;
}

struct wan_cache_entry *wan_index_find(const struct wan_index *index, struct wan_key key)
{
	struct wan_cache_entry *entry = index->buckets[bucket_of(index, key)];
	while (entry && !wan_key_equal(entry->key, key))
		entry = entry->chain;
	return entry;
}

/* Best effort: without memory the old table stays. */
static void resize(struct wan_index *index, size_t bucket_count)
{
	struct wan_cache_entry **old = index->buckets;
	size_t old_count = index->bucket_count;
	struct wan_cache_entry **fresh = wan_calloc(bucket_count, sizeof(*fresh));
	if (!fresh)
		return;

	index->buckets = fresh;
	index->bucket_count = bucket_count;
	for (size_t i = 0; i < old_count; i++) {
		for (struct wan_cache_entry *entry = old[i], *next; entry; entry = next) {
			next = entry->chain;
			size_t bucket = bucket_of(index, entry->key);
			entry->chain = fresh[bucket];
			fresh[bucket] = entry;
		}
	}
	wan_free(old);
}

static struct wan_use_list *uses_of(struct wan_index *index, const struct wan_cache_entry *entry)
{
	return &index->uses[entry->counted ? WAN_USE_COUNTED : WAN_USE_DERIVED];
}

static void link_newest(struct wan_index *index, struct wan_cache_entry *entry)
{
	struct wan_use_list *uses = uses_of(index, entry);
	entry->stamp = index->next_stamp++;
	entry->newer = NULL;
	entry->older = uses->newest;
	if (entry->older)
		entry->older->newer = entry;
	else
		uses->oldest = entry;
	uses->newest = entry;
}

static void unlink_use(struct wan_index *index, struct wan_cache_entry *entry)
{
	struct wan_use_list *uses = uses_of(index, entry);
	if (entry->newer)
		entry->newer->older = entry->older;
	else
		uses->newest = entry->older;
	if (entry->older)
		entry->older->newer = entry->newer;
	else
		uses->oldest = entry->newer;
	entry->older = entry->newer = NULL;
}

void wan_index_insert(struct wan_index *index, struct wan_cache_entry *entry)
{
	if (index->count >= index->bucket_count)
		resize(index, index->bucket_count * 2);
	size_t bucket = bucket_of(index, entry->key);
	entry->chain = index->buckets[bucket];
	index->buckets[bucket] = entry;
	index->count++;
	link_newest(index, entry);
}

void wan_index_remove(struct wan_index *index, struct wan_cache_entry *entry)
{
	struct wan_cache_entry **link = &index->buckets[bucket_of(index, entry->key)];
	while (*link != entry)
		link = &(*link)->chain;
	*link = entry->chain;
	entry->chain = NULL;
	index->count--;
	unlink_use(index, entry);
	/* An eighth, not a half: a table must not flutter between two sizes. */
	if (index->bucket_count > BUCKETS_MIN && index->count < index->bucket_count / 8)
		resize(index, index->bucket_count / 2);
}

void wan_index_touch(struct wan_index *index, struct wan_cache_entry *entry)
{
	if (!entry->newer) {
		entry->stamp = index->next_stamp++; /* newest of its list already */
		return;
	}
	unlink_use(index, entry);
	link_newest(index, entry);
}

struct wan_cache_entry *wan_index_oldest_of(const struct wan_index *index, enum wan_use_class which)
{
	struct wan_cache_entry *entry = index->uses[which].oldest;
	while (entry && entry->pins)
		entry = entry->newer;
	return entry;
}

struct wan_cache_entry *wan_index_oldest(const struct wan_index *index)
{
	struct wan_cache_entry *counted = wan_index_oldest_of(index, WAN_USE_COUNTED);
	struct wan_cache_entry *derived = wan_index_oldest_of(index, WAN_USE_DERIVED);
	if (!counted || !derived)
		return counted ? counted : derived;
	return counted->stamp < derived->stamp ? counted : derived;
}
