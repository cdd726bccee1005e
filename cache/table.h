/* SPDX-License-Identifier: MIT */
/*
 * Key to entry: open addressing, at most half full. Written under the cache's lock, read without.
 *
 * A reader may see a table that is being changed, or one given up a moment ago: what it finds there
 * is an entry of this cache, maybe no longer of that key, and what it does not find it looks for
 * again under the lock. So each size is mapped once and kept, emptied, until the cache ends; and
 * deletion moves cells back instead of leaving marks.
 *
 * A cell is the entry's address with six bits of the key's hash in its low bits.
 */
#ifndef WAN_CACHE_TABLE_H
#define WAN_CACHE_TABLE_H

#include <stddef.h>

#include "atomics.h"
#include "entry.h"

enum {
	WAN_TABLE_ORDER_MIN = 9, /* 512 cells: one page */
	WAN_TABLE_ORDER_MAX = 32,
};
#define WAN_TABLE_LOW ((uintptr_t)(WAN_ENTRY_ALIGN - 1))

struct wan_table {
	uintptr_t cells;   /* atomic: address of the first cell | order */
	uint64_t seeds[2]; /* secret of this cache: keys chosen to collide do not */
	size_t count;
	uintptr_t *sizes[WAN_TABLE_ORDER_MAX + 1]; /* NULL: never needed */
};

/* 0, -ENOMEM. */
int wan_table_init(struct wan_table *table, const uint64_t seeds[2]);
void wan_table_finish(struct wan_table *table);

/* Memory in use: the cells of the present size. */
size_t wan_table_bytes(const struct wan_table *table);
/* Room for one more. 0, -ENOMEM (nothing changed). */
int wan_table_reserve(struct wan_table *table);
/* After wan_table_reserve(); no entry of that key may be there. */
void wan_table_insert(struct wan_table *table, struct wan_cache_entry *entry);
void wan_table_remove(struct wan_table *table, struct wan_cache_entry *entry);

static inline bool wan_key_equal(struct wan_key a, struct wan_key b)
{
	return a.words[0] == b.words[0] && a.words[1] == b.words[1];
}

/* The key an entry has now; to be compared again once it cannot change. */
static inline bool wan_entry_has_key(const struct wan_cache_entry *entry, struct wan_key key)
{
	return wan_load_relaxed(&entry->key.words[0]) == key.words[0] &&
	       wan_load_relaxed(&entry->key.words[1]) == key.words[1];
}

/* Fold of a 128-bit product. Keys are hashes already, but callers may make their own. */
static inline uint64_t wan_table_hash(const struct wan_table *table, struct wan_key key)
{
	__uint128_t product =
		(__uint128_t)(key.words[0] ^ table->seeds[0]) * (key.words[1] ^ table->seeds[1]);
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* With the lock: the entry of the key, NULL: none. Without: maybe that entry, see above. */
static inline struct wan_cache_entry *wan_table_find(const struct wan_table *table,
						     struct wan_key key)
{
	uint64_t hash = wan_table_hash(table, key);
	uintptr_t word = wan_load_acquire(&table->cells); /* pairs with the release in use() */
	const uintptr_t *cells = (const uintptr_t *)(word & ~WAN_TABLE_LOW);
	size_t mask = ((size_t)1 << (word & WAN_TABLE_LOW)) - 1;
	size_t at = (size_t)(hash >> 6);
	for (size_t probes = 0; probes <= mask; probes++, at++) {
		uintptr_t cell = wan_load_relaxed(&cells[at & mask]);
		struct wan_cache_entry *entry = (struct wan_cache_entry *)(cell & ~WAN_TABLE_LOW);
		if (__builtin_expect(((cell ^ hash) & WAN_TABLE_LOW) == 0 && entry, 1) &&
		    __builtin_expect(wan_entry_has_key(entry, key), 1))
			return entry;
		if (!cell)
			break;
	}
	return NULL;
}

#endif
