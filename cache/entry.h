/* SPDX-License-Identifier: MIT */
/* One cached value, and what a pin points at. */
#ifndef WAN_CACHE_ENTRY_H
#define WAN_CACHE_ENTRY_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "wan/cache.h"

enum wan_entry_state {
	WAN_ENTRY_FREE,    /* slot unused; also what memory given back to the kernel reads as */
	WAN_ENTRY_TAKEN,   /* slot handed out, no value yet */
	WAN_ENTRY_INDEXED, /* found by its key; the only state in which a hit takes no lock */
	WAN_ENTRY_OWING,   /* the same, but its last release has something to do under the lock */
	WAN_ENTRY_LEAVING, /* marked by a step under the lock, which unmarks it when it is pinned */
	WAN_ENTRY_DETACHED, /* no longer found, kept by its pins alone */
	WAN_ENTRY_DYING,    /* nobody can reach it; its destructor runs without the lock */
};

enum { WAN_ENTRY_ALIGN = 64 };

/*
 * Memory of this type stays mapped while its cache lives, so whoever reads an entry that was given
 * away meanwhile reads a state, a key and numbers, never foreign memory.
 *
 * data, bytes, cost_ns and cache do not change while a pin exists: the holder reads them without
 * the lock. key, state and born are atomic words, written under the lock. The rest: the cache's
 * lock.
 */
struct wan_cache_entry {
	/* One line of the processor's cache: all that a hit reads. */
	struct wan_key key;
	uint32_t state;
	uint32_t slot; /* its number */
	void *data;
	uint64_t bytes;
	uint64_t born;    /* stamp of the insertion, or of the last use under the lock */
	uint64_t cost_ns; /* what making the value took, 0 when unknown */
	struct wan_cache *cache;
	/* The rest, for steps under the lock. */
	void (*destroy)(void *data);
	uint64_t charge_bytes;         /* counted in the budget; 0: passed through uncharged */
	uint64_t generation;           /* of the slot; goes up when the slot is given back */
	struct wan_cache_entry *chain; /* next of those that leave together, or of free slots */
	uint64_t pinned_at;            /* the look at all pins that saw this one pinned */
	const struct wan_cold_ops *cold;
	uint32_t pins; /* those that found no slot in their thread's record */
	uint16_t flags;
	bool counted; /* subject to the entry limit */
	union {
		uint32_t linked[2]; /* with such pins: slots before and after, plus one */
		uint64_t seen;      /* LEAVING and without: the last use when it was marked */
	};
} __attribute__((aligned(WAN_ENTRY_ALIGN)));

static_assert(sizeof(struct wan_cache_entry) == 2 * WAN_ENTRY_ALIGN, "two lines");

/* An entry, its cells of the table, and its words in the order of use and in one thread's stamps.
 */
static_assert(sizeof(struct wan_cache_entry) + 4 * sizeof(void *) + 3 * sizeof(uint64_t) <=
		      WAN_CACHE_ENTRY_BYTES,
	      "the metadata charged for an entry covers what it takes");

/* What an indexed entry is in when no step is under way and no release is waited for. A failure
 * that is kept has nothing to pin, so hits leave it to the steps under the lock. */
static inline enum wan_entry_state wan_entry_rest(const struct wan_cache_entry *entry)
{
	return entry->flags & WAN_CACHE_FAILURE ? WAN_ENTRY_OWING : WAN_ENTRY_INDEXED;
}

static inline bool wan_entry_is_indexed(const struct wan_cache_entry *entry)
{
	return entry->state == WAN_ENTRY_INDEXED || entry->state == WAN_ENTRY_OWING;
}

#endif
