/* SPDX-License-Identifier: MIT */
/* One cached value, and what a pin points at. */
#ifndef WAN_CACHE_ENTRY_H
#define WAN_CACHE_ENTRY_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "wan/cache.h"

enum wan_entry_state {
	WAN_ENTRY_FREE,     /* slot unused */
	WAN_ENTRY_TAKEN,    /* slot handed out, no value yet */
	WAN_ENTRY_INDEXED,  /* found by its key */
	WAN_ENTRY_DETACHED, /* no longer found, kept by its pins alone */
	WAN_ENTRY_DYING,    /* nobody can reach it; its destructor runs without the lock */
};

/*
 * data, bytes, destroy and cache do not change while a pin exists, so a holder of a pin reads them
 * without the lock. Everything else: the cache's lock.
 */
struct wan_cache_entry {
	struct wan_key key;
	struct wan_cache *cache;
	void *data;
	uint64_t bytes;
	void (*destroy)(void *data);
	uint64_t charge_bytes;         /* counted in the budget; 0: passed through uncharged */
	uint64_t stamp;                /* order of the last use, unique, larger is newer */
	uint64_t used_ns;              /* time of the last use, for expiry */
	uint64_t cost_ns;              /* measured compute time, 0 when unknown */
	uint64_t generation;           /* of the slot; goes up when the slot is given back */
	struct wan_cache_entry *chain; /* next in the bucket, the batch or the list of free slots */
	struct wan_cache_entry *older, *newer; /* list of uses */
	uint32_t slot;                         /* number of the slot, for weak handles */
	uint32_t pins;
	uint8_t state;
	bool counted; /* subject to the entry limit */
};

/* An entry, its share of the slots' block, and three words of the table while that grows. */
static_assert(sizeof(struct wan_cache_entry) + 4 * sizeof(void *) <= WAN_CACHE_ENTRY_BYTES,
	      "the metadata charged for an entry covers what it takes");

#endif
