/* SPDX-License-Identifier: MIT */
/*
 * Values that left the cache, kept compressed while that pays. A cold form is made by the
 * background call while its value is still ready, near the end of the order of use; when the value
 * goes, the form is what remains. A request that finds only the form thaws it, in the place of a
 * computation: one thread does, the others wait.
 *
 * Cold bytes are a part of budget.stored_bytes. Steps of the core call these functions; all of them
 * need the lock, none calls foreign code.
 */
#ifndef WAN_CACHE_TIER_H
#define WAN_CACHE_TIER_H

#include "tier_judge.h"
#include "tier_store.h"

struct wan_cache;
struct wan_victims;

/* In entry->flags, above the hints. */
enum {
	WAN_ENTRY_JUDGED = 0x400, /* not worth a cold form, or has none: do not ask again */
	WAN_ENTRY_USES = 0x300,   /* uses before it was thawed, 0 to 3 */
	WAN_ENTRY_USES_SHIFT = 8,
};

struct wan_tier {
	struct wan_tier_store store;
	struct wan_tier_judge judge;
	bool useless;            /* fixed: the policy keeps what pays as it is */
	bool active;             /* somebody calls wan_cache_background() */
	bool offered;            /* some value had a cold form to offer */
	bool pressed;            /* the cache was full when last looked at */
	uint64_t reserved_bytes; /* in flight: for forms being made */
	uint64_t dying_bytes;    /* of forms that leave, until they are destroyed */
	uint64_t thawing_bytes;  /* stored: of forms taken for a thaw */
	uint64_t told_bytes;     /* cold bytes that a policy knows are not its own */
	uint64_t clock;          /* bytes that left for want of room */
	uint64_t made, hits, dropped, saved_ns;
	uint64_t cheap, seldom, failed; /* not made: why */
};

/* careful: the values that are ready are chosen by what they save. */
void wan_tier_init(struct wan_tier *tier, uint64_t seed, bool careful);
void wan_tier_finish(struct wan_tier *tier);

/* A cold form of the key is there. */
bool wan_tier_has(const struct wan_tier *tier, struct wan_key key);
/* The form of a key, now the caller's, who adds it to the victims after the thaw; it stays charged.
 * NULL: there is none. */
struct wan_cold *wan_tier_take(struct wan_tier *tier, struct wan_key key);
/* What a thaw came to: it took so long, or (0) failed. */
void wan_tier_thawed(struct wan_cache *cache, const struct wan_cold *cold, uint64_t took_ns);
/* Room a thawed value takes, and the flags and cost it goes on with. */
void wan_tier_describe(const struct wan_cold *cold, struct wan_value *value);
/* To those that leave: destroyed without the lock, charged until then. */
void wan_tier_discard(struct wan_cache *cache, struct wan_cold *cold, struct wan_victims *victims);

/* The value of a key was put, removed or found to be of another state. */
void wan_tier_forget(struct wan_cache *cache, struct wan_key key, struct wan_victims *victims);
void wan_tier_clear(struct wan_cache *cache, struct wan_victims *victims);
/* An entry leaves the index; evicted: for want of room. */
void wan_tier_left(struct wan_cache *cache, const struct wan_cache_entry *entry, bool evicted,
		   struct wan_victims *victims);
/* A key is computed that was in neither form. */
void wan_tier_missed(struct wan_cache *cache, struct wan_key key);
/* Gives up forms of least value until so many bytes are free. Returns the bytes. */
uint64_t wan_tier_yield(struct wan_cache *cache, uint64_t bytes, struct wan_victims *victims);
/* Keeps the share of the ceiling after a change. */
void wan_tier_keep_share(struct wan_cache *cache, struct wan_victims *victims);
/* Throws out forms not used for the idle time; the moment the next one expires is noted. */
uint64_t wan_tier_expire(struct wan_cache *cache, uint64_t now, struct wan_victims *victims);
/* Brings the words of the statistics up to date. */
void wan_tier_publish(struct wan_cache *cache);

#endif
