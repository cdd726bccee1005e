/* SPDX-License-Identifier: MIT */
/*
 * The cache itself, and the few steps its public calls are made of. Functions named _locked need
 * the lock; whatever they throw out is collected in wan_victims, and wan_cache_leave() runs the
 * destructors after the lock was given back.
 */
#ifndef WAN_CACHE_CORE_H
#define WAN_CACHE_CORE_H

#include "budget.h"
#include "flight.h"
#include "index.h"
#include "lock.h"
#include "slots.h"
#include "stats.h"

#define WAN_DERIVED_BYTES_MAX ((uint64_t)256 * 1024) /* larger derived images count as entries */

struct wan_cache {
	uint64_t (*now_ns)(void); /* this and the next three: fixed at creation */
	uint64_t idle_ns;         /* 0: never expires */
	uint64_t wait_ns;
	bool count_derived;
	struct wan_mutex lock; /* rank WAN_RANK_CACHE; covers all that follows */
	struct wan_index index;
	struct wan_slots slots;
	struct wan_budget budget;
	struct wan_flights flights;
	struct wan_cache_counters counters;
	uint64_t next_expiry_ns; /* nothing expires before this moment */
	uint64_t last_now_ns;    /* time of use never runs backwards along the list of uses */
	bool closing;            /* destroyed; the last pin frees it */
};

/* Entries nobody can reach any more, in the order they were thrown out. */
struct wan_victims {
	struct wan_cache_entry *first, *last;
	uint64_t bytes; /* still in dying_bytes on their account */
};

/* Time for stamps and expiry; read before the lock is taken. */
uint64_t wan_cache_now_ns(const struct wan_cache *cache);

/* Publishes the counters, gives the lock back, destroys the victims and returns their bytes. Frees
 * a closing cache that nothing holds any more. */
void wan_cache_leave(struct wan_cache *cache, struct wan_victims *victims)
	WAN_RELEASES(&cache->lock);

/* Would a request of the key hit? No use of the entry. */
bool wan_cache_has_locked(struct wan_cache *cache, struct wan_key key, uint64_t now_ns)
	WAN_REQUIRES(&cache->lock);
/* Live entry of the key, made the newest; NULL: none. Throws it out when it has expired. */
struct wan_cache_entry *wan_cache_find_locked(struct wan_cache *cache, struct wan_key key,
					      uint64_t now_ns, struct wan_victims *victims)
	WAN_REQUIRES(&cache->lock);
/* The same, pinned once and counted as a request that hit or missed. */
struct wan_cache_entry *wan_cache_request_locked(struct wan_cache *cache, struct wan_key key,
						 uint64_t now_ns, struct wan_victims *victims)
	WAN_REQUIRES(&cache->lock);

void wan_cache_pin_locked(struct wan_cache *cache, struct wan_cache_entry *entry, uint32_t pins)
	WAN_REQUIRES(&cache->lock);
void wan_cache_unpin_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
			    struct wan_victims *victims) WAN_REQUIRES(&cache->lock);

/* Out of the index: dying, or detached while somebody holds a pin. */
void wan_cache_drop_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
			   struct wan_victims *victims) WAN_REQUIRES(&cache->lock);
void wan_cache_drop_all_locked(struct wan_cache *cache, struct wan_victims *victims)
	WAN_REQUIRES(&cache->lock);

/* Gives a slot its value. The charge may not overflow: see wan_cache_charge(). */
void wan_cache_fill_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
			   struct wan_key key, const struct wan_value *value, uint64_t now_ns)
	WAN_REQUIRES(&cache->lock);
/* Payload and metadata, UINT64_MAX when that overflows. */
uint64_t wan_cache_charge(uint64_t bytes);

/* Evicts what the ask needs, oldest first, and turns freed bytes into asked ones. The caller adds
 * ask->bytes to stored or in flight at once. 0, -EFBIG, -EAGAIN (nothing evicted then). */
int wan_cache_grant_locked(struct wan_cache *cache, struct wan_budget_ask *ask,
			   struct wan_victims *victims) WAN_REQUIRES(&cache->lock);
/* Puts a filled entry into the index in place of one with the same key. 0, -EFBIG, -EAGAIN. */
int wan_cache_store_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
			   struct wan_victims *victims) WAN_REQUIRES(&cache->lock);
/* Passes a filled entry through: not in the index, charged when there is room. Pin it next. */
void wan_cache_hold_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
			   struct wan_victims *victims) WAN_REQUIRES(&cache->lock);

/* Evicts the oldest until at most target_bytes are stored and in flight and the entry limit is met,
 * or everything left is pinned. Returns the bytes thrown out. */
uint64_t wan_cache_shrink_locked(struct wan_cache *cache, uint64_t target_bytes,
				 struct wan_victims *victims) WAN_REQUIRES(&cache->lock);
/* Throws out what was not used for idle_ns. Returns the number of entries. */
uint64_t wan_cache_expire_locked(struct wan_cache *cache, uint64_t now_ns,
				 struct wan_victims *victims) WAN_REQUIRES(&cache->lock);

/* A pin is the entry it holds. */
static inline struct wan_pin *wan_pin_from_entry(struct wan_cache_entry *entry)
{
	return (struct wan_pin *)entry;
}

static inline struct wan_cache_entry *wan_entry_from_pin(const struct wan_pin *pin)
{
	return (struct wan_cache_entry *)pin;
}

#endif
