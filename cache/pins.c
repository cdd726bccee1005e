/* SPDX-License-Identifier: MIT */
#include "pins.h"

#include "barrier.h"
#include "core.h"

/* Goes on from the one before, and stays there while it is pinned and released again and again: the
 * hint is written here only, so that hits need not wait for it. Opens slots one by one: whoever
 * looks at all pins looks at open slots only. */
uintptr_t *wan_pins_search(struct wan_record *record)
{
	uint32_t used = record->slots_used, at = record->hint;
	for (uint32_t i = 0; i < used; i++) {
		at = at + 1 < used ? at + 1 : 0;
		if (wan_load_relaxed(&record->slots[at]) == 0) {
			record->hint = (uint16_t)at;
			return &record->slots[at];
		}
	}
	if (used == WAN_RECORD_SLOTS)
		return NULL;
	wan_store_relaxed(&record->slots[used], (uintptr_t)0);
	wan_store_release(&record->slots_used, used + 1);
	record->hint = (uint16_t)used;
	return &record->slots[used];
}

/* The list of entries with counted pins: threads without a record and records without a free slot
 * are rare. */
static void link_counted_locked(struct wan_cache *cache, struct wan_cache_entry *entry)
	WAN_REQUIRES(&cache->lock)
{
	entry->linked[0] = 0;
	entry->linked[1] = cache->counted_pins;
	if (entry->linked[1])
		wan_slots_at(&cache->slots, entry->linked[1] - 1)->linked[0] = entry->slot + 1;
	cache->counted_pins = entry->slot + 1;
}

static void unlink_counted_locked(struct wan_cache *cache, const struct wan_cache_entry *entry)
	WAN_REQUIRES(&cache->lock)
{
	if (entry->linked[0])
		wan_slots_at(&cache->slots, entry->linked[0] - 1)->linked[1] = entry->linked[1];
	else
		cache->counted_pins = entry->linked[1];
	if (entry->linked[1])
		wan_slots_at(&cache->slots, entry->linked[1] - 1)->linked[0] = entry->linked[0];
}

void wan_cache_count_pins_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
				 uint32_t pins)
{
	if (pins && !entry->pins)
		link_counted_locked(cache, entry);
	entry->pins += pins;
}

void wan_cache_uncount_pin_locked(struct wan_cache *cache, struct wan_cache_entry *entry)
{
	assert(entry->pins > 0);
	if (--entry->pins == 0)
		unlink_counted_locked(cache, entry);
}

struct wan_pin *wan_cache_pin_locked(struct wan_cache *cache, struct wan_cache_entry *entry)
{
	struct wan_record *record = wan_record_mine(cache);
	uintptr_t *slot = record ? wan_pins_free_slot(record) : NULL;
	if (!slot) {
		wan_cache_count_pins_locked(cache, entry, 1);
		return wan_pin_counted(entry);
	}
	wan_pins_announce(slot, entry, record->light);
	return (struct wan_pin *)slot;
}

static void see_pinned_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
			      struct wan_pinned *pinned) WAN_REQUIRES(&cache->lock)
{
	if (entry->pinned_at == cache->look)
		return;
	entry->pinned_at = cache->look;
	pinned->entries++;
	pinned->bytes += entry->charge_bytes;
	if (entry->state == WAN_ENTRY_DETACHED)
		return;
	pinned->indexed_bytes += entry->charge_bytes;
	pinned->counted += entry->counted;
}

/* A slot may name an entry for a moment before its thread finds out that it cannot have it: a free
 * one, or one that is dying. Those are of no interest. */
static bool can_be_pinned(const struct wan_cache_entry *entry)
{
	return wan_entry_is_indexed(entry) || entry->state == WAN_ENTRY_LEAVING ||
	       entry->state == WAN_ENTRY_DETACHED;
}

void wan_cache_look_locked(struct wan_cache *cache)
{
	struct wan_pinned pinned = {0};
	cache->look++;
	for (struct wan_record *record = cache->records; record; record = record->next) {
		uint32_t used = wan_load_acquire(&record->slots_used);
		for (uint32_t i = 0; i < used; i++) {
			uintptr_t held = wan_load_seq_cst(&record->slots[i]);
			struct wan_cache_entry *entry = (struct wan_cache_entry *)held;
			if (held && can_be_pinned(entry))
				see_pinned_locked(cache, entry, &pinned);
		}
	}
	for (uint32_t at = cache->counted_pins; at;) {
		struct wan_cache_entry *entry = wan_slots_at(&cache->slots, at - 1);
		see_pinned_locked(cache, entry, &pinned);
		at = entry->linked[1];
	}
	cache->pinned_entries = pinned.entries;
	wan_budget_set_pinned(&cache->budget, &pinned);
}

bool wan_cache_others_locked(const struct wan_cache *cache)
{
	const struct wan_record *mine = wan_record_mine((struct wan_cache *)cache);
	for (const struct wan_record *record = cache->records; record; record = record->next) {
		if (record != mine && wan_record_is_live(record))
			return true;
	}
	return false;
}

void wan_cache_fence_locked(struct wan_cache *cache)
{
	cache->light = false;
	for (struct wan_record *record = cache->records; record; record = record->next)
		wan_store_seq_cst(&record->light, false);
}

/* Milliseconds in which every store buffer has emptied, interrupts alone see to that. */
#define DRAIN_NS 10000000

void wan_cache_see_all_locked(struct wan_cache *cache)
{
	/* Also for a thread without a record that gives a pin of ours back. */
	wan_fence_seq_cst();
	if (!cache->light || !wan_cache_others_locked(cache) || wan_barrier_heavy())
		return;
	/* What the kernel allowed once it now refuses: from here on readers pay for the fence. */
	wan_cache_fence_locked(cache);
	uint64_t start_ns = wan_now_ns();
	while (wan_elapsed(start_ns, wan_now_ns()) < DRAIN_NS)
		wan_pause();
}
