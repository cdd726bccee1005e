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
#include "lock.h"
#include "order.h"
#include "pins.h"
#include "slots.h"
#include "stats.h"
#include "table.h"
#include "ticker.h"
#include "tier.h"

#define WAN_CACHE_SMALL 4096 /* slots: an empty cache keeps the memory for so many */

#define WAN_DERIVED_BYTES_MAX ((uint64_t)256 * 1024) /* larger derived images count as entries */

struct wan_cache {
	/* Read by hits, without the lock; written rarely. */
	struct wan_table table;
	struct wan_ticker ticker __attribute__((aligned(64)));
	struct wan_record *sole; /* atomic: no other thread has a record; NULL: unknown */
	bool noting;             /* fixed: a policy wants to know of uses */
	bool seconds; /* fixed: expiry is a matter of minutes, and seconds tell enough about it */
	/* Changes with each insertion and each use under the lock; never 0. */
	uint64_t epoch __attribute__((aligned(64)));
	uint64_t turn; /* atomic: stamp of the last insertion */

	struct wan_mutex lock __attribute__((aligned(64))); /* rank WAN_RANK_CACHE: all below */
	uint64_t wait_ns;                                   /* this and the next: fixed */
	bool light; /* threads that join need no fence, see barrier.h */
	enum wan_cache_full full;
	bool count_derived;
	void *block; /* what was allocated */
	struct wan_record *records;
	struct wan_slots slots;
	struct wan_order order;
	struct wan_budget budget;
	struct wan_flights flights;
	struct wan_tier tier;
	struct wan_cache_counters counters;
	uint64_t last_stamp;     /* of a step under the lock */
	uint64_t next_expiry;    /* nothing expires before this stamp */
	uint64_t look;           /* number of the last look at all pins */
	uint32_t pinned_entries; /* that it saw */
	uint32_t counted_pins;   /* list of entries with counted pins: slot + 1 */
	unsigned leaves;         /* wan_cache_leave() calls */
	uint32_t room_waiters;
	struct wan_cond room; /* a step under the lock ended while somebody waits for room */
	uint32_t record_count;
	uint32_t slots_high; /* slots below were handed out since the cache was empty */
	bool closing;        /* destroyed; the last pin frees it */
};

/* Entries nobody can reach any more, in the order they were thrown out. */
struct wan_victims {
	struct wan_cache_entry *first, *last;
	struct wan_cold *cold;
	uint64_t cold_bytes; /* of these */
	uint64_t bytes;      /* still in dying_bytes on their account */
};

/* --- steps (core.c) --- */

/* Publishes the counters, gives the lock back, destroys the victims and returns their bytes. Frees
 * a closing cache that nothing holds any more. */
void wan_cache_leave(struct wan_cache *cache, struct wan_victims *victims)
	WAN_RELEASES(&cache->lock);

/* A stamp later than all this thread and all steps under the lock have given. */
uint64_t wan_cache_stamp_locked(struct wan_cache *cache) WAN_REQUIRES(&cache->lock);
/* Would a request of the key hit? No use of the entry. */
bool wan_cache_has_locked(struct wan_cache *cache, struct wan_key key) WAN_REQUIRES(&cache->lock);
/* Live entry of the key, made the newest; NULL: none. Throws it out when it has expired. */
struct wan_cache_entry *wan_cache_find_locked(struct wan_cache *cache, struct wan_key key,
					      struct wan_victims *victims)
	WAN_REQUIRES(&cache->lock);
/* The same, pinned and counted as a request that hit or missed. NULL: *ret_error is -ENOENT, or the
 * failure that was kept, which is a hit. */
struct wan_pin *wan_cache_request_locked(struct wan_cache *cache, struct wan_key key,
					 struct wan_victims *victims, int *ret_error)
	WAN_REQUIRES(&cache->lock);
/* A pin of the entry is gone: does what had to wait for that. */
void wan_cache_released_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
			       struct wan_victims *victims) WAN_REQUIRES(&cache->lock);

/* Gives a slot its value. The charge may not overflow: see wan_cache_charge(). */
void wan_cache_fill_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
			   struct wan_key key, const struct wan_value *value)
	WAN_REQUIRES(&cache->lock);
/* Payload and metadata, UINT64_MAX when that overflows. */
uint64_t wan_cache_charge(uint64_t bytes);
/* A slot for wan_cache_fill_locked(), with all that storing it will need; NULL without memory. */
struct wan_cache_entry *wan_cache_take_locked(struct wan_cache *cache) WAN_REQUIRES(&cache->lock);

/* Puts a filled entry into the index in place of one with the same key. 0, -EFBIG, -EAGAIN,
 * -ENOMEM; then nothing has changed. */
int wan_cache_store_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
			   struct wan_victims *victims) WAN_REQUIRES(&cache->lock);
/* Passes a filled entry through: not in the index, charged when there is room. Pin it next. */
void wan_cache_hold_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
			   struct wan_victims *victims) WAN_REQUIRES(&cache->lock);

/* --- from the cold form (compute.c) --- */

/* Pins a value of which only the cold form is there, or for whose thaw another thread works. NULL:
 * neither, or the thaw failed. Gives the lock back meanwhile. */
struct wan_pin *wan_cache_thaw_locked(struct wan_cache *cache, struct wan_key key,
				      struct wan_victims *victims) WAN_REQUIRES(&cache->lock);

/* --- room for what does not exist yet (full.c) --- */

/* Reserves room in flight, *ret_bytes of it; 0 when there is none and the value will be passed
 * through. May wait and give the lock back meanwhile. Returns 0; under WAN_CACHE_FAIL -EAGAIN,
 * -EFBIG. */
int wan_cache_reserve_locked(struct wan_cache *cache, uint64_t expected_bytes,
			     struct wan_victims *victims, uint64_t *ret_bytes)
	WAN_REQUIRES(&cache->lock);

/* --- what the cache itself takes (metadata.c) --- */

/* Brings its charge up to date after something grew, and evicts for that. */
void wan_cache_charge_metadata_locked(struct wan_cache *cache, struct wan_victims *victims)
	WAN_REQUIRES(&cache->lock);
/* The same after entries left. */
void wan_cache_note_metadata_locked(struct wan_cache *cache) WAN_REQUIRES(&cache->lock);
/* Gives back what a cache without entries does not need. */
void wan_cache_reset_locked(struct wan_cache *cache) WAN_REQUIRES(&cache->lock);

/* --- who goes (room.c) --- */

/* Evicts what the ask needs, oldest first, and turns freed bytes into asked ones. The caller adds
 * ask->bytes to stored or in flight at once. old (NULL: none) leaves in any case, pinned or not.
 * 0, -EFBIG, -EAGAIN; then nothing has changed. */
int wan_cache_grant_locked(struct wan_cache *cache, struct wan_budget_ask *ask,
			   struct wan_cache_entry *old, struct wan_victims *victims)
	WAN_REQUIRES(&cache->lock);
/* Evicts the oldest until at most target_bytes are stored and in flight and the entry limit is met,
 * or everything left is pinned. Returns the bytes thrown out. */
uint64_t wan_cache_shrink_locked(struct wan_cache *cache, uint64_t target_bytes,
				 struct wan_victims *victims) WAN_REQUIRES(&cache->lock);
/* The release of every entry that is pinned now will be told: wan_cache_released_locked(). Returns
 * how many were not marked so before. */
uint32_t wan_cache_owe_locked(struct wan_cache *cache) WAN_REQUIRES(&cache->lock);
/* Out of the index: dying, or detached while somebody holds a pin. */
void wan_cache_drop_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
			   struct wan_victims *victims) WAN_REQUIRES(&cache->lock);
void wan_cache_drop_all_locked(struct wan_cache *cache, struct wan_victims *victims)
	WAN_REQUIRES(&cache->lock);
/* Throws out what was not used for the idle time. Returns the number of entries. */
uint64_t wan_cache_expire_locked(struct wan_cache *cache, struct wan_victims *victims)
	WAN_REQUIRES(&cache->lock);
/* The moment an entry may expire becomes the next look, if it is sooner. */
void wan_cache_note_expiry_locked(struct wan_cache *cache, const struct wan_cache_entry *entry)
	WAN_REQUIRES(&cache->lock);
/* To the victims; the caller has taken it out of the index. */
void wan_cache_bury_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
			   struct wan_victims *victims) WAN_REQUIRES(&cache->lock);

/* --- pins under the lock (pins.c) --- */

/* A pin in a slot of this thread, or a counted one. */
struct wan_pin *wan_cache_pin_locked(struct wan_cache *cache, struct wan_cache_entry *entry)
	WAN_REQUIRES(&cache->lock);
void wan_cache_count_pins_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
				 uint32_t pins) WAN_REQUIRES(&cache->lock);
void wan_cache_uncount_pin_locked(struct wan_cache *cache, struct wan_cache_entry *entry)
	WAN_REQUIRES(&cache->lock);
/* Looks at all pins: entry->pinned_at == cache->look tells which entries have one, and the budget
 * knows their sums. Pins taken without the lock meanwhile may be missed, unless the entry was
 * marked and wan_cache_see_all_locked() called before. */
void wan_cache_look_locked(struct wan_cache *cache) WAN_REQUIRES(&cache->lock);
/* Makes visible what all threads announced before they could see the marks set by now. */
void wan_cache_see_all_locked(struct wan_cache *cache) WAN_REQUIRES(&cache->lock);
/* From here on all threads announce with a fence, and releases look before they leap. */
void wan_cache_fence_locked(struct wan_cache *cache) WAN_REQUIRES(&cache->lock);
/* Could another thread pin without the lock just now? */
bool wan_cache_others_locked(const struct wan_cache *cache) WAN_REQUIRES(&cache->lock);

static inline bool wan_cache_is_pinned(const struct wan_cache *cache,
				       const struct wan_cache_entry *entry)
{
	return entry->pinned_at == cache->look;
}

#endif
