/* SPDX-License-Identifier: MIT */
/*
 * What the cache itself takes: slots, table, order of use, what a policy remembers, and for each
 * thread a record and the stamps of its uses. Entries are charged for their share, and the first
 * 256 KiB are free; the rest counts under the ceiling like everything else.
 */
#include "core.h"
#include "macros.h"

#define FREE_BYTES ((uint64_t)256 * 1024)

static uint64_t now_locked(const struct wan_cache *cache) WAN_REQUIRES(&cache->lock)
{
	uint64_t bytes = cache->slots.present * WAN_SLOTS_IN_PAGE * sizeof(struct wan_cache_entry) +
			 cache->slots.page_capacity * sizeof(struct wan_slot_page) +
			 wan_table_bytes(&cache->table) + wan_order_bytes(&cache->order) +
			 cache->record_count *
				 (sizeof(struct wan_record) + cache->slots_high * sizeof(uint64_t));
	uint64_t charged = cache->budget.entries * WAN_CACHE_ENTRY_BYTES + FREE_BYTES;
	return bytes > charged ? bytes - charged : 0;
}

void wan_cache_charge_metadata_locked(struct wan_cache *cache, struct wan_victims *victims)
{
	struct wan_budget *budget = &cache->budget;
	for (uint64_t bytes; (bytes = now_locked(cache)) > budget->metadata_bytes;) {
		struct wan_budget_ask ask = {.bytes = bytes - budget->metadata_bytes};
		if (wan_cache_grant_locked(cache, &ask, NULL, victims) < 0) {
			/* It exists: a debt, unless something can still go. */
			budget->metadata_bytes = bytes;
			wan_cache_shrink_locked(cache, budget->limit_bytes, victims);
			return;
		}
		budget->metadata_bytes = bytes; /* what was evicted for it may have paid a part */
	}
}

void wan_cache_note_metadata_locked(struct wan_cache *cache)
{
	struct wan_budget *budget = &cache->budget;
	uint64_t bytes = now_locked(cache);
	/* Entries that left paid for more than they leave behind, so this does not exceed. */
	if (bytes <= budget->metadata_bytes ||
	    wan_budget_used(budget) - budget->metadata_bytes + bytes <= budget->limit_bytes)
		budget->metadata_bytes = bytes;
}

void wan_cache_reset_locked(struct wan_cache *cache)
{
	if (cache->slots.used || cache->slots_high < WAN_CACHE_SMALL)
		return;
	wan_order_reset(&cache->order);
	for (struct wan_record *record = cache->records; record; record = record->next)
		wan_record_empty(record);
	cache->slots_high = 0;
}
