/* SPDX-License-Identifier: MIT */
#include "slots.h"

#include <string.h>

#include "alloc.h"
#include "macros.h"

void wan_slots_init(struct wan_slots *slots)
{
	*slots = (struct wan_slots){.first_vacant = WAN_SLOTS_NONE};
}

void wan_slots_finish(struct wan_slots *slots)
{
	for (size_t i = 0; i < slots->place_count; i++)
		wan_free(slots->places[i].block);
	wan_free(slots->places);
	wan_slots_init(slots);
}

static void link_roomy(struct wan_slots *slots, struct wan_slot_block *block)
{
	block->previous = NULL;
	block->next = slots->roomy;
	if (block->next)
		block->next->previous = block;
	slots->roomy = block;
}

static void unlink_roomy(struct wan_slots *slots, struct wan_slot_block *block)
{
	if (block->previous)
		block->previous->next = block->next;
	else
		slots->roomy = block->next;
	if (block->next)
		block->next->previous = block->previous;
}

/* A place whose block was freed, else one more at the end. */
static int find_place(struct wan_slots *slots, uint32_t *ret_place)
{
	if (slots->first_vacant != WAN_SLOTS_NONE) {
		*ret_place = slots->first_vacant;
		return 0;
	}
	if (slots->place_count >= WAN_SLOTS_NONE / WAN_SLOTS_IN_BLOCK)
		return -1;
	int rc = wan_array_reserve(&slots->places, &slots->place_capacity, slots->place_count + 1,
				   sizeof(*slots->places));
	if (rc < 0)
		return rc;
	slots->places[slots->place_count] = (struct wan_slot_place){
		.generation = 1,
		.next_vacant = slots->first_vacant,
	};
	slots->first_vacant = (uint32_t)slots->place_count;
	*ret_place = (uint32_t)slots->place_count++;
	return 0;
}

static struct wan_slot_block *add_block(struct wan_slots *slots)
{
	uint32_t number;
	if (find_place(slots, &number) < 0)
		return NULL;
	struct wan_slot_block *block = wan_calloc(1, sizeof(*block));
	if (!block)
		return NULL;

	struct wan_slot_place *place = &slots->places[number];
	slots->first_vacant = place->next_vacant;
	place->block = block;
	block->place = number;
	for (uint32_t i = WAN_SLOTS_IN_BLOCK; i-- > 0;) {
		struct wan_cache_entry *entry = &block->entries[i];
		entry->slot = number * WAN_SLOTS_IN_BLOCK + i;
		entry->generation = place->generation;
		entry->chain = block->free;
		block->free = entry;
	}
	link_roomy(slots, block);
	return block;
}

static void remove_block(struct wan_slots *slots, struct wan_slot_block *block)
{
	struct wan_slot_place *place = &slots->places[block->place];
	for (size_t i = 0; i < WAN_SLOTS_IN_BLOCK; i++)
		place->generation = WAN_MAX(place->generation, block->entries[i].generation);
	place->block = NULL;
	place->next_vacant = slots->first_vacant;
	slots->first_vacant = block->place;
	unlink_roomy(slots, block);
	wan_free(block);
}

struct wan_cache_entry *wan_slots_take(struct wan_slots *slots)
{
	struct wan_slot_block *block = slots->roomy ? slots->roomy : add_block(slots);
	if (!block)
		return NULL;

	struct wan_cache_entry *entry = block->free;
	block->free = entry->chain;
	block->used++;
	if (!block->free)
		unlink_roomy(slots, block);
	slots->used++;
	*entry = (struct wan_cache_entry){
		.slot = entry->slot,
		.generation = entry->generation,
		.state = WAN_ENTRY_TAKEN,
	};
	return entry;
}

void wan_slots_give(struct wan_slots *slots, struct wan_cache_entry *entry)
{
	struct wan_slot_block *block = slots->places[entry->slot / WAN_SLOTS_IN_BLOCK].block;
	assert(entry->state != WAN_ENTRY_FREE && block->used > 0);
	entry->state = WAN_ENTRY_FREE;
	entry->generation++;
	if (!block->free)
		link_roomy(slots, block);
	entry->chain = block->free;
	block->free = entry;
	block->used--;
	slots->used--;
	/* One empty block stays, or a cache of 32 entries would allocate on each eviction. */
	if (block->used == 0 && (block->previous || block->next))
		remove_block(slots, block);
}

struct wan_cache_entry *wan_slots_find(const struct wan_slots *slots, uint64_t slot,
				       uint64_t generation)
{
	if (slot / WAN_SLOTS_IN_BLOCK >= slots->place_count)
		return NULL;
	struct wan_slot_block *block = slots->places[slot / WAN_SLOTS_IN_BLOCK].block;
	if (!block)
		return NULL;
	struct wan_cache_entry *entry = &block->entries[slot % WAN_SLOTS_IN_BLOCK];
	return entry->generation == generation ? entry : NULL;
}
