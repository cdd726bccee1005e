/* SPDX-License-Identifier: MIT */
/*
 * Entries live in numbered slots. A slot keeps its type, its number and its address; its generation
 * goes up each time it is given back, so that (number, generation) names one value for ever: the
 * weak handle. Slots come in pages of 32; a page without a used slot is given back to the kernel
 * when another one has room, but stays mapped: who still reads it finds zeros, which is a free
 * slot. Its number remembers the generation.
 *
 * Pages lie in segments, each twice as long as the one before, mapped when first needed.
 */
#ifndef WAN_CACHE_SLOTS_H
#define WAN_CACHE_SLOTS_H

#include <stddef.h>

#include "entry.h"

enum {
	WAN_SLOTS_IN_PAGE = 32,
	WAN_SLOT_SEGMENTS = 26,
};
#define WAN_SLOTS_NONE UINT32_MAX

struct wan_slot_page {
	struct wan_cache_entry *free; /* chain of free slots */
	uint64_t generation;          /* the first one that slots may use when it comes back */
	uint32_t previous, next;      /* pages with a free slot */
	uint32_t used;
	bool present;
};

struct wan_slots {
	struct wan_cache_entry *segments[WAN_SLOT_SEGMENTS];
	struct wan_slot_page *pages;
	size_t page_count, page_capacity;
	size_t present;  /* pages that are */
	uint32_t vacant; /* no page below this one is absent */
	uint32_t roomy;  /* first page with a free slot */
	uint64_t used;
};

void wan_slots_init(struct wan_slots *slots);
/* Unmaps everything, used or not. */
void wan_slots_finish(struct wan_slots *slots);
/* A slot in state TAKEN, with nothing else set but number and generation; NULL when memory is out.
 */
struct wan_cache_entry *wan_slots_take(struct wan_slots *slots);
void wan_slots_give(struct wan_slots *slots, struct wan_cache_entry *entry);
/* The slot of that number while its generation is this one, else NULL. */
struct wan_cache_entry *wan_slots_find(const struct wan_slots *slots, uint64_t slot,
				       uint64_t generation);
/* All slots in use have numbers below this. */
uint32_t wan_slots_top(const struct wan_slots *slots);

static inline struct wan_cache_entry *wan_slots_page(const struct wan_slots *slots, uint32_t page)
{
	uint32_t segment = 31 - (uint32_t)__builtin_clz(page + 1);
	return slots->segments[segment] +
	       (size_t)(page + 1 - ((uint32_t)1 << segment)) * WAN_SLOTS_IN_PAGE;
}

/* The slot of a number below wan_slots_top(). */
static inline struct wan_cache_entry *wan_slots_at(const struct wan_slots *slots, uint32_t slot)
{
	return wan_slots_page(slots, slot / WAN_SLOTS_IN_PAGE) + slot % WAN_SLOTS_IN_PAGE;
}

#endif
