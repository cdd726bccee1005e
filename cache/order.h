/* SPDX-License-Identifier: MIT */
/*
 * Which entry goes next: strict LRU over the stamps that many threads write. Everything here needs
 * the cache's lock; only the stamps in the records change meanwhile.
 *
 * An entry's key is its hint's rank and, below it, the largest stamp that any thread gave it. A
 * scan over all slots keeps the smallest keys in a sorted batch. Keys only grow, so each key in the
 * batch is a lower bound, and an entry whose key is still the one in the batch is older than all
 * that are not in it. One whose key grew moves back, or leaves the batch. What is inserted enters
 * the batch only when it belongs there. So the oldest is exact, and a scan comes once a batch.
 *
 * With a policy it decides instead, and uses reach it as notes; the stamps only tell what is idle.
 */
#ifndef WAN_CACHE_ORDER_H
#define WAN_CACHE_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy.h"
#include "record.h"

enum {
	WAN_ORDER_COUNTED = 1, /* kinds of entries: subject to the entry limit */
	WAN_ORDER_SCAN = 2,    /* goes first, until it is used */
	WAN_ORDER_PIN = 4,     /* goes last */
};
#define WAN_ORDER_NONE UINT32_MAX
#define WAN_ORDER_GONE UINT64_MAX

struct wan_order_item {
	uint64_t key;
	uint32_t slot;
	uint32_t birth; /* which of the entries this slot has had */
};

struct wan_order_batch {
	struct wan_order_item *items; /* sorted from head to count */
	uint32_t head, cursor, count;
	uint64_t bound; /* entries that are not in the batch have keys of at least this */
	bool partial;   /* what was passed over is in it no more: of no use after this search */
};

struct wan_order {
	uint64_t *born; /* by slot: stamp of insertion or locked use; GONE: not in the index */
	uint32_t *tags; /* by slot: number of the insertion, shifted; kind */
	uint32_t births;
	uint32_t capacity; /* slots */
	uint32_t batch_capacity;
	struct wan_order_batch batches[2]; /* of all, and of those that are counted */
	struct wan_record *records;        /* whose stamps count */
	struct wan_policy *policy;         /* NULL: strict LRU */
	uint32_t *noted;                   /* policy: the last drain in which a slot was used */
	uint32_t drains;
};

/* Tells whether a slot cannot go, or is going already. */
typedef bool (*wan_order_skip)(void *context, uint32_t slot);

void wan_order_init(struct wan_order *order);
void wan_order_finish(struct wan_order *order);
/* Room for slots below count. 0, -ENOMEM. */
int wan_order_reserve(struct wan_order *order, uint32_t count);
/* Nothing is in the index: gives back what grew with it. A policy keeps what it remembers. */
void wan_order_reset(struct wan_order *order);
size_t wan_order_bytes(const struct wan_order *order);

/* Uses noted before an insertion count before it: drain first. */
void wan_order_insert(struct wan_order *order, uint32_t slot, uint64_t stamp,
		      const struct wan_policy_entry *entry);
/* A use under the lock. */
void wan_order_use(struct wan_order *order, uint32_t slot, uint64_t stamp);
void wan_order_remove(struct wan_order *order, uint32_t slot, bool evicted);
/* Somebody asked for a key that is not there. */
void wan_order_missed(struct wan_order *order, struct wan_key key);
/* Tells the policy what threads have noted. */
void wan_order_drain(struct wan_order *order);
/* The largest stamp of a slot. */
uint64_t wan_order_last_use(const struct wan_order *order, uint32_t slot);
uint64_t wan_order_key(const struct wan_order *order, uint32_t slot);

/* Slots from the oldest on, all or only counted ones; extra: how many will be skipped at most, as
 * far as is known. Then next until it says NONE or there is enough, then end: those removed
 * meanwhile are forgotten, the others stay where they were. */
void wan_order_begin(struct wan_order *order, bool counted, uint32_t extra);
uint32_t wan_order_next(struct wan_order *order, bool counted, wan_order_skip skip, void *context);
/* The stamp by which next chose the slot it gave: another one now means that it was used since. */
uint64_t wan_order_chosen_by(const struct wan_order *order, bool counted);
/* A slot that next had given was used since and is a candidate again. */
void wan_order_again(struct wan_order *order, uint32_t slot);
void wan_order_end(struct wan_order *order, bool counted);

#endif
