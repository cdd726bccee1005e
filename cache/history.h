/* SPDX-License-Identifier: MIT */
/*
 * One record for each key seen lately, whether it is cached or not, in order of the last access.
 *
 * Ages are kept in steps of wan_learn_age_begins(): the records of a step are neighbours in the
 * list, and a border in front of each step moves as time goes by. Time is the number of accesses.
 * The same list tells what strict LRU would hold: the newest records that fit under both limits,
 * found by two edges that only move towards the new end.
 */
#ifndef WAN_CACHE_HISTORY_H
#define WAN_CACHE_HISTORY_H

#include "learn.h"

#define WAN_SEEN_NONE UINT32_MAX

struct wan_seen {
	uint64_t hash; /* of the key; two keys of one hash share a record, which harms nobody */
	uint32_t last; /* time of the last access */
	uint32_t older, newer;
	uint32_t chain;                  /* next of the bucket, or free one */
	uint32_t gone_older, gone_newer; /* in order of eviction, while it is not cached */
	uint32_t slot;                   /* WAN_SEEN_NONE: not cached */
	float interval;                  /* mean, accesses; the latest weighs 0.3 */
	float cost;
	double bytes;
	uint8_t uses; /* stops at 255 */
	uint8_t group;
	uint8_t age;    /* step */
	bool counted;   /* subject to the entry limit */
	bool in_lru;    /* strict LRU would hold it */
	bool missed;    /* asked for, not put yet */
	uint8_t linked; /* 1: in the list, 2: also among the gone */
};

struct wan_history {
	struct wan_seen *records;
	uint32_t *table;
	uint32_t capacity, table_mask;
	uint32_t free, oldest, newest, gone_oldest, gone_newest;
	uint32_t now;
	uint32_t borders[WAN_LEARN_AGES]; /* newest record of that step or an older one */
	uint32_t due[WAN_LEARN_AGES];     /* no record crosses this border before */
	uint32_t step;                    /* border looked at next, 0: none left */
	uint32_t lru_edge;                /* oldest that LRU holds */
	uint32_t lru_counted_edge;
	double lru_bytes;
	uint64_t lru_counted;
};

#define WAN_HISTORY_SEEN_BYTES (sizeof(struct wan_seen) + 2 * sizeof(uint32_t))

/* Room for that many records. 0, -ENOMEM (nothing changed). Begin with a zeroed one. */
int wan_history_reserve(struct wan_history *history, uint32_t capacity);
void wan_history_finish(struct wan_history *history);

uint32_t wan_history_find(const struct wan_history *history, uint64_t hash);
/* A new record, the newest; the key evicted first is forgotten when there is no room:
 * *ret_forgotten is its number, else WAN_SEEN_NONE. At least one record must not be cached or be
 * free. */
uint32_t wan_history_add(struct wan_history *history, uint64_t hash, uint32_t *ret_forgotten);
/* It was accessed now: interval, group, and the newest. */
void wan_history_touch(struct wan_history *history, uint32_t record);

/* Another access begins; then next until WAN_SEEN_NONE: the records that got a step older. */
void wan_history_tick(struct wan_history *history);
uint32_t wan_history_next_aged(struct wan_history *history);

/* Cached in that slot, or no longer. */
void wan_history_cached(struct wan_history *history, uint32_t record, uint32_t slot);
void wan_history_gone(struct wan_history *history, uint32_t record);

/* Strict LRU takes it in as the newest (after touch or add), and throws out what is too much; or it
 * loses it because the caller took it away. */
void wan_history_lru_admit(struct wan_history *history, uint32_t record, double limit_bytes,
			   uint64_t entry_limit);
void wan_history_lru_drop(struct wan_history *history, uint32_t record);

#endif
