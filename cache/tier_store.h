/* SPDX-License-Identifier: MIT */
/*
 * The cold forms a cache holds: found by key, given up by value, least first. Plain sequential code
 * under the cache's lock; frees no forms itself.
 *
 * Value ages as in GreedyDual: each starts at the value of the last one given up, so what is not
 * asked for falls behind however dear it was.
 */
#ifndef WAN_CACHE_TIER_STORE_H
#define WAN_CACHE_TIER_STORE_H

#include <stddef.h>

#include "entry.h"

struct wan_cold {
	struct wan_cold *chain; /* in a bucket, or of those that leave together */
	struct wan_key key;
	void *data; /* the form */
	void (*destroy)(void *data);
	const struct wan_cold_ops *ops;
	uint64_t charge_bytes; /* the form and its metadata */
	uint64_t bytes;        /* of the value it stands for */
	uint64_t cost_ns;
	uint64_t stamp; /* last known use, for expiry */
	uint64_t clock; /* bytes that had left the cache when the value itself left */
	double value;
	uint32_t heap_at;
	uint32_t uses;
	uint16_t flags; /* of the value */
	bool ready;     /* the value itself is in the cache too */
};

/* A form, its places in heap and buckets while those grow. */
static_assert(sizeof(struct wan_cold) + 5 * sizeof(void *) <= WAN_CACHE_ENTRY_BYTES,
	      "the metadata charged for a cold form covers what it takes");

/* A value that left without a cold form, or whose form was given up. */
struct wan_ghost {
	uint64_t key; /* part of it; 0: none */
	uint64_t clock;
	uint64_t cost_ns;
};
enum { WAN_GHOSTS = 1024 };

struct wan_tier_store {
	struct wan_cold **buckets; /* a power of two of them */
	struct wan_cold **heap;    /* least value first */
	size_t bucket_count, heap_capacity, count;
	struct wan_ghost *ghosts; /* WAN_GHOSTS of them, NULL before the first */
	uint64_t seed;
	uint64_t charge_bytes, bytes; /* sums */
	double floor;                 /* value of the last one given up */
};

void wan_tier_store_init(struct wan_tier_store *store, uint64_t seed);
/* The forms must be gone. */
void wan_tier_store_finish(struct wan_tier_store *store);
/* Room for one more. 0, -ENOMEM. */
int wan_tier_store_reserve(struct wan_tier_store *store);
/* Room was reserved, and no form of that key is there. cold->value is what it saves for a byte. */
void wan_tier_store_insert(struct wan_tier_store *store, struct wan_cold *cold);
struct wan_cold *wan_tier_store_find(const struct wan_tier_store *store, struct wan_key key);
void wan_tier_store_remove(struct wan_tier_store *store, struct wan_cold *cold);
/* The one of least value; NULL: there is none. */
struct wan_cold *wan_tier_store_least(const struct wan_tier_store *store);
/* Removes it, and all others are worth less from now on. */
void wan_tier_store_give_up(struct wan_tier_store *store, struct wan_cold *cold);

/* Remembers a value that left; does nothing without memory. */
void wan_tier_store_bury(struct wan_tier_store *store, struct wan_key key, uint64_t clock,
			 uint64_t cost_ns);
/* What is remembered of a key, forgotten thereby. False: nothing. */
bool wan_tier_store_recall(struct wan_tier_store *store, struct wan_key key,
			   struct wan_ghost *ret_ghost);
/* All sums and orders agree; NULL, or what is wrong. For tests. */
const char *wan_tier_store_check(const struct wan_tier_store *store);

#endif
