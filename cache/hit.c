/* SPDX-License-Identifier: MIT */
#include "hit.h"

#include <time.h>

#include "macros.h"
#include "sys.h"

/* Idle times are minutes and hours: the kernel's last tick is exact enough, and costs a third of a
 * tick counter read. */
static uint64_t coarse_ns(void)
{
	struct timespec now;
	if (wan_sys->clock_gettime(CLOCK_MONOTONIC_COARSE, &now) < 0)
		return 0;
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The entry is pinned and can no longer change; who cannot have it gives it back the usual way. */
static struct wan_pin *give_back(uintptr_t *slot)
{
	wan_pin_release((struct wan_pin *)slot);
	return NULL;
}

static void count_hit(struct wan_record *record, const struct wan_cache_entry *entry)
{
	wan_store_relaxed(&record->hits, record->hits + 1);
	wan_store_relaxed(&record->saved_ns, record->saved_ns + entry->cost_ns);
}

/* While no other thread uses the cache and nothing was stored, the entry this thread used last
 * still is the newest: another stamp would not change the order. It is given one with each tick of
 * the kernel all the same, or it would seem idle. */
static bool still_newest(struct wan_cache *cache, struct wan_record *record)
{
	if (!cache->ticker.idle_ns)
		return true;
	uint64_t now_ns = coarse_ns();
	if (now_ns == record->newest_at_ns && now_ns)
		return true;
	record->newest_at_ns = now_ns;
	return false;
}

static bool stamp(struct wan_cache *cache, struct wan_record *record,
		  const struct wan_cache_entry *entry)
{
	uint32_t slot = entry->slot;
	if (wan_unlikely(slot >= record->stamp_count))
		return false;
	uint64_t mine = wan_load_relaxed(&record->stamps[slot]);
	uint64_t used = WAN_MAX(mine, wan_load_relaxed(&entry->born));
	uint64_t now = wan_ticker_stamp(&cache->ticker, record->last);
	if (wan_unlikely((int64_t)(now - used) >= wan_load_relaxed(&cache->ticker.idle_near)))
		return false;
	wan_store_relaxed(&record->stamps[slot], now);
	record->last = now;
	return true;
}

/* Announces the pin, and looks whether the entry still is what was looked for. */
static uintptr_t *try_pin(struct wan_cache *cache, struct wan_record *record,
			  struct wan_cache_entry *entry, struct wan_key key)
{
	uintptr_t *slot = wan_pins_free_slot(record);
	if (wan_unlikely(!slot))
		return NULL;
	wan_pins_announce(record, slot, entry, wan_load_relaxed(&cache->light));
	if (wan_likely(wan_load_seq_cst(&entry->state) == WAN_ENTRY_INDEXED &&
		       wan_entry_has_key(entry, key)))
		return slot;
	give_back(slot);
	return NULL;
}

struct wan_pin *wan_cache_hit(struct wan_cache *cache, struct wan_key key)
{
	struct wan_record *record = wan_record_current;
	if (wan_unlikely(!record || wan_load_relaxed(&record->cache) != cache)) {
		record = wan_record_mine(cache);
		if (!record)
			return NULL;
	}
	uint64_t epoch = wan_load_acquire(&cache->epoch);
	struct wan_cache_entry *entry = record->newest;
	bool newest = record->epoch_then == epoch && wan_entry_has_key(entry, key);
	if (!newest)
		entry = wan_table_find(&cache->table, key);
	if (wan_unlikely(!entry))
		return NULL;
	uintptr_t *slot = try_pin(cache, record, entry, key);
	if (wan_unlikely(!slot))
		return NULL;
	if (!newest || !still_newest(cache, record)) {
		if (wan_unlikely(!stamp(cache, record, entry)))
			return give_back(slot);
		if (!newest) {
			record->newest = entry;
			record->newest_at_ns = 0;
			record->epoch_then = wan_load_relaxed(&cache->sole) == record ? epoch : 0;
		}
	}
	count_hit(record, entry);
	return (struct wan_pin *)slot;
}

static void release_counted(struct wan_cache_entry *entry)
{
	struct wan_cache *cache = entry->cache;
	struct wan_victims victims = {0};
	wan_mutex_lock(&cache->lock);
	wan_cache_uncount_pin_locked(cache, entry);
	wan_cache_released_locked(cache, entry, &victims);
	wan_cache_leave(cache, &victims);
}

/* The slot is emptied already, or is now, under the lock: in a cache that ends, the last pin frees
 * everything, so a pin that others may see gone must not be looked through any more. */
static void released(struct wan_cache *cache, struct wan_cache_entry *entry, uintptr_t *slot)
{
	struct wan_victims victims = {0};
	wan_mutex_lock(&cache->lock);
	if (slot)
		wan_store_seq_cst(slot, (uintptr_t)0);
	wan_cache_released_locked(cache, entry, &victims);
	wan_cache_leave(cache, &victims);
}

void wan_pin_release(struct wan_pin *pin)
{
	if (!pin)
		return;
	struct wan_cache_entry *entry = wan_entry_from_pin(pin);
	if (wan_unlikely(wan_pin_is_counted(pin))) {
		release_counted(entry);
		return;
	}
	uintptr_t *slot = wan_pin_slot(pin);
	struct wan_record *record = wan_record_of_slot(slot);
	struct wan_cache *cache = wan_load_relaxed(&record->cache);
	if (wan_unlikely(wan_load_relaxed(&entry->state) == WAN_ENTRY_DETACHED)) {
		released(cache, entry, slot);
		return;
	}
	wan_pins_empty(record, slot, record == wan_record_current, wan_load_relaxed(&cache->light));
	if (wan_likely(wan_load_seq_cst(&entry->state) == WAN_ENTRY_INDEXED))
		return;
	released(cache, entry, NULL);
}
