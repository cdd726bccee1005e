/* SPDX-License-Identifier: MIT */
/*
 * Entries live in numbered slots. A slot keeps its type and its number; its generation goes up each
 * time it is given back, so that (number, generation) names one value for ever: the weak handle.
 * Slots come in blocks; a block without a used slot is freed when another one has room, and its
 * place remembers the generation.
 */
#ifndef WAN_CACHE_SLOTS_H
#define WAN_CACHE_SLOTS_H

#include <stddef.h>

#include "entry.h"

enum { WAN_SLOTS_IN_BLOCK = 32 };

struct wan_slot_block {
	struct wan_slot_block *previous, *next; /* blocks with a free slot */
	struct wan_cache_entry *free;
	uint32_t used;
	uint32_t place;
	struct wan_cache_entry entries[WAN_SLOTS_IN_BLOCK];
};

struct wan_slot_place {
	struct wan_slot_block *block; /* NULL: freed */
	uint64_t generation;          /* the first one a new block here may use */
	uint32_t next_vacant;
};

struct wan_slots {
	struct wan_slot_place *places;
	size_t place_count, place_capacity;
	uint32_t first_vacant; /* place without a block, WAN_SLOTS_NONE: none */
	struct wan_slot_block *roomy;
	uint64_t used;
};

#define WAN_SLOTS_NONE UINT32_MAX

void wan_slots_init(struct wan_slots *slots);
/* Frees all blocks, used or not. */
void wan_slots_finish(struct wan_slots *slots);
/* A slot in state TAKEN, zeroed but for slot and generation; NULL when memory is out. */
struct wan_cache_entry *wan_slots_take(struct wan_slots *slots);
void wan_slots_give(struct wan_slots *slots, struct wan_cache_entry *entry);
/* The slot of that number while its generation is this one, else NULL. */
struct wan_cache_entry *wan_slots_find(const struct wan_slots *slots, uint64_t slot,
				       uint64_t generation);

#endif
