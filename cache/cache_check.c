/* SPDX-License-Identifier: MIT */
#include "cache_check.h"

#include "core.h"

struct sums {
	uint64_t slots, stored_bytes, dying_bytes;
	uint64_t indexed, indexed_bytes, counted;
	uint64_t counted_pins;
};

static void add_entry(struct sums *sums, const struct wan_cache_entry *entry)
{
	if (entry->state == WAN_ENTRY_FREE)
		return;
	sums->slots++;
	sums->counted_pins += entry->pins > 0;
	if (entry->state == WAN_ENTRY_DYING)
		sums->dying_bytes += entry->charge_bytes;
	if (entry->state == WAN_ENTRY_DETACHED)
		sums->stored_bytes += entry->charge_bytes;
	if (!wan_entry_is_indexed(entry))
		return;
	sums->stored_bytes += entry->charge_bytes;
	sums->indexed_bytes += entry->charge_bytes;
	sums->indexed++;
	sums->counted += entry->counted;
}

static const char *check_entry_locked(const struct wan_cache *cache,
				      const struct wan_cache_entry *entry)
{
	if (entry->state == WAN_ENTRY_LEAVING)
		return "an entry is still marked although no step is under way";
	if (entry->state == WAN_ENTRY_FREE && entry->pins)
		return "a free slot has a counted pin";
	if (!wan_entry_is_indexed(entry)) {
		if (entry->slot < cache->order.capacity &&
		    cache->order.born[entry->slot] != WAN_ORDER_GONE)
			return "an entry that is not indexed is in the order of use";
		return NULL;
	}
	if (entry->charge_bytes != wan_cache_charge(entry->bytes))
		return "an indexed entry is not charged in full";
	if (cache->order.born[entry->slot] != entry->born)
		return "an entry and the order of use disagree about its stamp";
	if (wan_table_find(&cache->table, entry->key) != entry)
		return "an indexed entry is not found by its key";
	return NULL;
}

static const char *check_slots_locked(const struct wan_cache *cache, struct sums *sums)
{
	for (uint32_t p = 0; p < cache->slots.page_count; p++) {
		const struct wan_slot_page *page = &cache->slots.pages[p];
		if (!page->present)
			continue;
		uint64_t before = sums->slots;
		for (uint32_t i = 0; i < WAN_SLOTS_IN_PAGE; i++) {
			const struct wan_cache_entry *entry = wan_slots_page(&cache->slots, p) + i;
			if (entry->slot != p * WAN_SLOTS_IN_PAGE + i)
				return "a slot has the wrong number";
			const char *wrong = check_entry_locked(cache, entry);
			if (wrong)
				return wrong;
			add_entry(sums, entry);
		}
		if (page->used != sums->slots - before)
			return "a page miscounts its slots";
	}
	return sums->slots == cache->slots.used ? NULL : "slots in use miscounted";
}

static const char *check_table_locked(const struct wan_cache *cache)
{
	const uintptr_t *cells = (const uintptr_t *)(cache->table.cells & ~WAN_TABLE_LOW);
	size_t count = 0;
	for (size_t i = 0; i < (size_t)1 << (cache->table.cells & WAN_TABLE_LOW); i++) {
		const struct wan_cache_entry *entry =
			(const struct wan_cache_entry *)(cells[i] & ~WAN_TABLE_LOW);
		if (entry && !wan_entry_is_indexed(entry))
			return "an entry in the table is not marked as indexed";
		count += entry != NULL;
	}
	return count == cache->table.count ? NULL : "entries in the table miscounted";
}

/* Each entry whose key is below the bound must be in the batch with a key not above its own. */
static const char *check_batch_locked(const struct wan_cache *cache, bool counted)
{
	const struct wan_order *order = &cache->order;
	const struct wan_order_batch *batch = &order->batches[counted];
	uint64_t inside = 0, below = 0;
	for (uint32_t i = batch->head; i < batch->count; i++) {
		if (i > batch->head && batch->items[i - 1].key > batch->items[i].key)
			return "the oldest entries are out of order";
	}
	for (uint32_t slot = 0; slot < order->capacity; slot++) {
		if (order->born[slot] == WAN_ORDER_GONE ||
		    (counted && !(order->tags[slot] & WAN_ORDER_COUNTED)))
			continue;
		uint64_t key = wan_order_key(order, slot);
		if (key >= batch->bound)
			continue;
		below++;
		for (uint32_t i = batch->head; i < batch->count; i++) {
			if (batch->items[i].slot == slot && batch->items[i].key <= key) {
				inside++;
				break;
			}
		}
	}
	return inside == below ? NULL : "an old entry is missing among the oldest";
}

/* A policy knows each entry in the index, once. */
static const char *check_policy_locked(struct wan_cache *cache) WAN_REQUIRES(&cache->lock)
{
	struct wan_order *order = &cache->order;
	uint64_t count = 0;
	uint32_t slot;
	order->drains++;
	wan_policy_begin(order->policy, false);
	while ((slot = wan_policy_next(order->policy)) != WAN_POLICY_NONE) {
		if (slot >= order->capacity || order->born[slot] == WAN_ORDER_GONE)
			return "the policy names an entry that is not there";
		if (order->noted[slot] == order->drains)
			return "the policy names an entry twice";
		order->noted[slot] = order->drains;
		count++;
	}
	return count == cache->budget.entries ? NULL : "the policy does not know all entries";
}

static const char *check_order_locked(struct wan_cache *cache) WAN_REQUIRES(&cache->lock)
{
	if (cache->order.policy)
		return check_policy_locked(cache);
	const char *wrong = check_batch_locked(cache, false);
	return wrong ? wrong : check_batch_locked(cache, true);
}

static const char *check_pins_locked(struct wan_cache *cache, const struct sums *sums)
	WAN_REQUIRES(&cache->lock)
{
	uint64_t listed = 0;
	for (uint32_t at = cache->counted_pins; at; listed++) {
		const struct wan_cache_entry *entry = wan_slots_at(&cache->slots, at - 1);
		if (!entry->pins)
			return "an entry without counted pins is in their list";
		at = entry->linked[1];
	}
	if (listed != sums->counted_pins)
		return "entries with counted pins are not all in their list";
	/* An entry that only pins keep has one, or its last release waits for this lock. */
	wan_cache_see_all_locked(cache);
	wan_cache_look_locked(cache);
	const struct wan_budget *budget = &cache->budget;
	if (budget->evictable_bytes > budget->indexed_bytes ||
	    budget->evictable_counted > budget->counted ||
	    budget->pinned_bytes > budget->stored_bytes)
		return "more is pinned than there is";
	return NULL;
}

static const char *check_budget_locked(const struct wan_cache *cache, const struct sums *sums)
{
	const struct wan_budget *budget = &cache->budget;
	uint64_t reserved_bytes = 0;
	for (const struct wan_flight *flight = cache->flights.first; flight; flight = flight->next)
		reserved_bytes += flight->reserved_bytes;
	reserved_bytes += cache->tier.reserved_bytes;
	if (budget->in_flight_bytes != reserved_bytes)
		return "bytes in flight are not what the flights reserved";
	uint64_t cold_bytes = cache->tier.store.charge_bytes + cache->tier.thawing_bytes;
	if (budget->stored_bytes != sums->stored_bytes + cold_bytes)
		return "stored bytes are not the sum of the entries";
	if (budget->indexed_bytes != sums->indexed_bytes)
		return "indexed bytes are not the sum of the entries in the index";
	if (budget->dying_bytes > sums->dying_bytes + cache->tier.dying_bytes)
		return "more dying bytes than entries being destroyed";
	if (budget->entries != sums->indexed || cache->table.count != sums->indexed)
		return "entries miscounted";
	if (budget->counted != sums->counted)
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
		wrong = check_order_locked(cache);
	if (!wrong)
		wrong = check_pins_locked(cache, &sums);
	if (!wrong)
		wrong = check_budget_locked(cache, &sums);
	if (!wrong)
		wrong = wan_tier_store_check(&cache->tier.store);
	wan_mutex_unlock(&cache->lock);
	return wrong;
}
