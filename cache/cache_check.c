/* SPDX-License-Identifier: MIT */
#include "cache_check.h"

#include "core.h"

struct sums {
	uint64_t slots, stored_bytes, pinned_bytes, evictable_bytes, dying_bytes;
	uint64_t indexed, counted, evictable_counted;
};

static void add_entry(struct sums *sums, const struct wan_cache_entry *entry)
{
	if (entry->state == WAN_ENTRY_FREE)
		return;
	sums->slots++;
	if (entry->state == WAN_ENTRY_DYING)
		sums->dying_bytes += entry->charge_bytes;
	if (entry->state != WAN_ENTRY_INDEXED && entry->state != WAN_ENTRY_DETACHED)
		return;
	sums->stored_bytes += entry->charge_bytes;
	if (entry->pins)
		sums->pinned_bytes += entry->charge_bytes;
	if (entry->state != WAN_ENTRY_INDEXED)
		return;
	sums->indexed++;
	sums->counted += entry->counted;
	if (!entry->pins) {
		sums->evictable_bytes += entry->charge_bytes;
		sums->evictable_counted += entry->counted;
	}
}

static const char *check_slots_locked(const struct wan_cache *cache, struct sums *sums)
{
	for (size_t p = 0; p < cache->slots.place_count; p++) {
		const struct wan_slot_block *block = cache->slots.places[p].block;
		if (!block)
			continue;
		uint64_t before = sums->slots;
		for (size_t i = 0; i < WAN_SLOTS_IN_BLOCK; i++) {
			const struct wan_cache_entry *entry = &block->entries[i];
			if (entry->slot != p * WAN_SLOTS_IN_BLOCK + i)
				return "a slot has the wrong number";
			if (entry->state == WAN_ENTRY_DETACHED && !entry->pins)
				return "a detached entry has no pin";
			if (entry->state == WAN_ENTRY_INDEXED &&
			    entry->charge_bytes != wan_cache_charge(entry->bytes))
				return "an indexed entry is not charged in full";
			add_entry(sums, entry);
		}
		if (block->used != sums->slots - before)
			return "a block miscounts its slots";
	}
	return sums->slots == cache->slots.used ? NULL : "slots in use miscounted";
}

static const char *check_table_locked(const struct wan_cache *cache)
{
	const struct wan_index *index = &cache->index;
	uint64_t count = 0;
	for (size_t i = 0; i < index->bucket_count; i++) {
		for (const struct wan_cache_entry *entry = index->buckets[i]; entry;
		     entry = entry->chain, count++) {
			if (entry->state != WAN_ENTRY_INDEXED)
				return "an entry in the table is not marked as indexed";
			if (wan_index_find(index, entry->key) != entry)
				return "a key is in the table twice or in the wrong bucket";
		}
	}
	return count == index->count ? NULL : "entries in the table miscounted";
}

static const char *check_uses_locked(const struct wan_cache *cache)
{
	const struct wan_index *index = &cache->index;
	uint64_t count = 0;
	for (unsigned which = 0; which < WAN_USE_CLASSES; which++) {
		const struct wan_cache_entry *previous = NULL, *entry;
		for (entry = index->uses[which].oldest; entry; entry = entry->newer, count++) {
			if (entry->older != previous)
				return "the list of uses is not linked both ways";
			if (previous &&
			    (previous->stamp >= entry->stamp || previous->used_ns > entry->used_ns))
				return "the list of uses is out of order";
			if (entry->counted != (which == WAN_USE_COUNTED))
				return "an entry is in the list of the other class";
			if (!entry->pins &&
			    entry->used_ns + cache->idle_ns < cache->next_expiry_ns &&
			    cache->idle_ns)
				return "an entry would expire before the next look";
			previous = entry;
		}
		if (index->uses[which].newest != previous)
			return "the list of uses has the wrong end";
	}
	return count == index->count ? NULL : "entries in the lists of uses miscounted";
}

static const char *check_budget_locked(const struct wan_cache *cache, const struct sums *sums)
{
	const struct wan_budget *budget = &cache->budget;
	uint64_t reserved_bytes = 0;
	for (const struct wan_flight *flight = cache->flights.first; flight; flight = flight->next)
		reserved_bytes += flight->reserved_bytes;
	if (budget->in_flight_bytes != reserved_bytes)
		return "bytes in flight are not what the flights reserved";
	if (budget->stored_bytes != sums->stored_bytes)
		return "stored bytes are not the sum of the entries";
	if (budget->pinned_bytes != sums->pinned_bytes)
		return "pinned bytes are not the sum of the pinned entries";
	if (budget->evictable_bytes != sums->evictable_bytes)
		return "evictable bytes are not the sum of the unpinned entries";
	if (budget->dying_bytes > sums->dying_bytes)
		return "more dying bytes than entries being destroyed";
	if (budget->entries != sums->indexed || cache->index.count != sums->indexed)
		return "entries miscounted";
	if (budget->counted != sums->counted ||
	    budget->evictable_counted != sums->evictable_counted)
		return "entries under the entry limit miscounted";
	return NULL;
}

const char *wan_cache_check(struct wan_cache *cache)
{
	struct sums sums = {0};
	wan_mutex_lock(&cache->lock);
	const char *wrong = check_slots_locked(cache, &sums);
	if (!wrong)
		wrong = check_table_locked(cache);
	if (!wrong)
		wrong = check_uses_locked(cache);
	if (!wrong)
		wrong = check_budget_locked(cache, &sums);
	wan_mutex_unlock(&cache->lock);
	return wrong;
}
