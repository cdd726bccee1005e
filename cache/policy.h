/* SPDX-License-Identifier: MIT */
/*
 * Who goes next, for every policy but strict LRU (whose order the core keeps itself, by stamps).
 * A policy is plain sequential code: the core calls it under the cache's lock, with slot numbers of
 * entries, and delivers uses late and in batches: hits take no lock, so they leave a note in a
 * buffer of their thread, at most one for each entry and turn (a turn ends with each insertion),
 * and notes may be lost when a buffer is full. Nothing here fails: memory is reserved beforehand.
 */
#ifndef WAN_CACHE_POLICY_H
#define WAN_CACHE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "wan/cache.h"

#define WAN_POLICY_NONE UINT32_MAX

struct wan_policy;

struct wan_policy_entry {
	struct wan_key key;
	uint64_t charge_bytes;
	uint64_t cost_ns; /* 0: unknown */
	uint32_t flags;   /* hints of struct wan_value */
	bool counted;     /* subject to the entry limit */
};

/* Returns 0, -EINVAL (no such policy, or LRU, which the core keeps), -ENOMEM. */
int wan_policy_create(enum wan_cache_policy which, uint64_t limit_bytes, uint64_t entry_limit,
		      struct wan_policy **ret_policy);
void wan_policy_destroy(struct wan_policy *policy);
/* Room for slots 0 to count - 1. 0, -ENOMEM (nothing changed). */
int wan_policy_reserve(struct wan_policy *policy, uint32_t count);
void wan_policy_set_limits(struct wan_policy *policy, uint64_t limit_bytes, uint64_t entry_limit);

/* Somebody asked for a key that is not there; an insert of it may follow, and is the same access
 * then. An insert without a miss, a plain put, is an access of its own. */
void wan_policy_missed(struct wan_policy *policy, struct wan_key key);
/* Overwriting is removing the old slot, not evicted, and inserting the new one. */
void wan_policy_inserted(struct wan_policy *policy, uint32_t slot,
			 const struct wan_policy_entry *entry);
void wan_policy_used(struct wan_policy *policy, uint32_t slot);
/* The entry left; evicted: by the policy's own choice. */
void wan_policy_removed(struct wan_policy *policy, uint32_t slot, bool evicted);

/* The entries in the order they should go: begin, then next until it says WAN_POLICY_NONE or the
 * caller has enough. Each entry comes once; counted_only: those subject to the entry limit. Any
 * other call but _bytes() ends the walk. Asking again gives the same order: an entry that was not
 * removed (somebody holds it) keeps its place. */
void wan_policy_begin(struct wan_policy *policy, bool counted_only);
uint32_t wan_policy_next(struct wan_policy *policy);

/* All memory of the policy, charged under the ceiling. Changes in create and reserve only. */
uint64_t wan_policy_bytes(const struct wan_policy *policy);

#endif
