/* SPDX-License-Identifier: MIT */
#include "core.h"

#include <errno.h>

#include "alloc.h"
#include "macros.h"

static void free_cache(struct wan_cache *cache)
{
	wan_record_release_all(cache->records);
	wan_slots_finish(&cache->slots);
	wan_order_finish(&cache->order);
	wan_table_finish(&cache->table);
	wan_tier_finish(&cache->tier);
	wan_cond_finish(&cache->room);
	wan_mutex_finish(&cache->lock);
	wan_free(cache->block);
}

static void destroy_values(const struct wan_victims *victims)
{
	for (struct wan_cold *cold = victims->cold, *next; cold; cold = next) {
		next = cold->chain;
		if (cold->destroy)
			cold->destroy(cold->data);
		wan_free(cold);
	}
	for (struct wan_cache_entry *entry = victims->first; entry; entry = entry->chain) {
		if (entry->destroy)
			entry->destroy(entry->data);
	}
}

static void give_slots_locked(struct wan_cache *cache, struct wan_victims *victims)
	WAN_REQUIRES(&cache->lock)
{
	for (struct wan_cache_entry *entry = victims->first, *next; entry; entry = next) {
		next = entry->chain;
		wan_slots_give(&cache->slots, entry);
	}
	cache->budget.dying_bytes -= victims->bytes;
	cache->tier.dying_bytes -= victims->cold_bytes;
	*victims = (struct wan_victims){0};
	wan_cache_reset_locked(cache);
	wan_cache_note_metadata_locked(cache);
}

/* Each thread tells its own hits whenever it takes the lock; those of threads that never do are
 * asked for now and then. */
enum { TELL_ALL = 64 };

static void publish_locked(struct wan_cache *cache) WAN_REQUIRES(&cache->lock)
{
	wan_cache_note_metadata_locked(cache);
	if (++cache->leaves % TELL_ALL == 0)
		wan_counters_tell_all(&cache->counters, cache->records);
	else
		wan_counters_tell(&cache->counters, wan_record_mine(cache));
	wan_tier_publish(cache);
	wan_counters_follow(&cache->counters, &cache->budget);
}

void wan_cache_leave(struct wan_cache *cache, struct wan_victims *victims)
{
	publish_locked(cache);
	if (victims->first || victims->cold) {
		wan_mutex_unlock(&cache->lock);
		destroy_values(victims);
		wan_mutex_lock(&cache->lock);
		give_slots_locked(cache, victims);
		wan_counters_follow(&cache->counters, &cache->budget);
	}
	if (cache->room_waiters)
		wan_cond_wake_all(&cache->room);
	bool last = cache->closing && cache->slots.used == 0;
	wan_mutex_unlock(&cache->lock);
	if (last)
		free_cache(cache);
}

uint64_t wan_cache_stamp_locked(struct wan_cache *cache)
{
	struct wan_record *record = wan_record_mine(cache);
	uint64_t last = cache->last_stamp;
	if (record)
		last = WAN_MAX(last, record->last);
	uint64_t stamp = wan_ticker_stamp(&cache->ticker, last);
	cache->last_stamp = stamp;
	if (record)
		record->last = stamp;
	return stamp;
}

/* Somebody's newest entry is not the newest any more. */
static void next_epoch_locked(struct wan_cache *cache) WAN_REQUIRES(&cache->lock)
{
	wan_store_release(&cache->epoch, cache->epoch + 1);
}

/* What is pinned is in use, however long ago it was asked for. */
static bool expired_locked(struct wan_cache *cache, const struct wan_cache_entry *entry)
	WAN_REQUIRES(&cache->lock)
{
	if (!cache->ticker.idle_ns)
		return false;
	uint64_t last = wan_order_last_use(&cache->order, entry->slot);
	uint64_t now = wan_ticker_read(&cache->ticker);
	if ((int64_t)(now - last) < cache->ticker.idle_near)
		return false;
	wan_ticker_refine(&cache->ticker);
	if (!wan_ticker_expired(&cache->ticker, last, now))
		return false;
	wan_cache_look_locked(cache);
	return !wan_cache_is_pinned(cache, entry);
}

bool wan_cache_has_locked(struct wan_cache *cache, struct wan_key key)
{
	const struct wan_cache_entry *entry = wan_table_find(&cache->table, key);
	return entry ? !expired_locked(cache, entry) : wan_tier_has(&cache->tier, key);
}

/* For a release: a limit to be met, or a value to be made. */
static bool somebody_waits(const struct wan_cache *cache)
{
	return cache->room_waiters || wan_budget_in_debt(&cache->budget);
}

static void use_locked(struct wan_cache *cache, struct wan_cache_entry *entry)
	WAN_REQUIRES(&cache->lock)
{
	uint64_t stamp = wan_cache_stamp_locked(cache);
	wan_store_relaxed(&entry->born, stamp);
	wan_order_use(&cache->order, entry->slot, stamp);
	next_epoch_locked(cache);
	if (entry->state == WAN_ENTRY_OWING && !somebody_waits(cache))
		wan_store_release(&entry->state, (uint32_t)wan_entry_rest(entry));
}

struct wan_cache_entry *wan_cache_find_locked(struct wan_cache *cache, struct wan_key key,
					      struct wan_victims *victims)
{
	struct wan_cache_entry *entry = wan_table_find(&cache->table, key);
	if (!entry)
		return NULL;
	if (expired_locked(cache, entry)) {
		wan_cache_drop_locked(cache, entry, victims);
		wan_counters_add(&cache->counters, CACHE_WORD_EXPIRATIONS, 1);
		return NULL;
	}
	use_locked(cache, entry);
	return entry;
}

/* This thread will pin: from the next hit on without the lock, when there is memory for that. */
static void join_locked(struct wan_cache *cache) WAN_REQUIRES(&cache->lock)
{
	struct wan_record *record = wan_record_mine(cache);
	if (!record) {
		wan_store_relaxed(&cache->sole, NULL);
		next_epoch_locked(cache);
		const struct wan_record *first = cache->records;
		record = wan_record_join(cache, &cache->records);
		cache->record_count += cache->records != first;
		cache->order.records = cache->records;
		if (record)
			wan_store_relaxed(&record->light, cache->light);
	}
	if (!record)
		return;
	(void)wan_record_reserve(record, cache->order.capacity);
	if (cache->noting && !record->notes)
		record->notes = wan_calloc(1, sizeof(*record->notes));
	if (cache->sole != record && cache->seconds && !wan_cache_others_locked(cache))
		wan_store_relaxed(&cache->sole, record);
}

struct wan_pin *wan_cache_request_locked(struct wan_cache *cache, struct wan_key key,
					 struct wan_victims *victims, int *ret_error)
{
	*ret_error = -ENOENT;
	join_locked(cache);
	wan_cache_charge_metadata_locked(cache, victims);
	struct wan_cache_entry *entry = wan_cache_find_locked(cache, key, victims);
	wan_counters_add(&cache->counters, CACHE_WORD_REQUESTS, 1);
	if (!entry) {
		wan_counters_add(&cache->counters, CACHE_WORD_MISSES, 1);
		wan_order_missed(&cache->order, key);
		return NULL;
	}
	wan_counters_add(&cache->counters, CACHE_WORD_HITS, 1);
	wan_counters_add(&cache->counters, CACHE_WORD_TIME_SAVED_NS, entry->cost_ns);
	if (entry->flags & WAN_CACHE_FAILURE) {
		*ret_error = -(int)(intptr_t)entry->data;
		return NULL;
	}
	return wan_cache_pin_locked(cache, entry);
}

void wan_cache_released_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
			       struct wan_victims *victims)
{
	if (entry->state == WAN_ENTRY_DETACHED) {
		wan_cache_look_locked(cache);
		if (!wan_cache_is_pinned(cache, entry))
			wan_cache_bury_locked(cache, entry, victims);
	} else if (entry->state == WAN_ENTRY_OWING) {
		wan_cache_note_expiry_locked(cache, entry);
		/* A limit was lowered below what was pinned: now it can be met. */
		wan_cache_shrink_locked(cache, cache->budget.limit_bytes, victims);
		if (entry->state == WAN_ENTRY_OWING && !somebody_waits(cache))
			wan_store_release(&entry->state, (uint32_t)wan_entry_rest(entry));
	}
}

uint64_t wan_cache_charge(uint64_t bytes)
{
	uint64_t charge;
	return __builtin_add_overflow(bytes, WAN_CACHE_ENTRY_BYTES, &charge) ? UINT64_MAX : charge;
}

struct wan_cache_entry *wan_cache_take_locked(struct wan_cache *cache)
{
	if (wan_table_reserve(&cache->table) < 0)
		return NULL;
	struct wan_cache_entry *entry = wan_slots_take(&cache->slots);
	if (!entry)
		return NULL;
	if (wan_order_reserve(&cache->order, entry->slot + 1) < 0) {
		wan_slots_give(&cache->slots, entry);
		return NULL;
	}
	cache->slots_high = WAN_MAX(cache->slots_high, entry->slot + 1);
	return entry;
}

void wan_cache_fill_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
			   struct wan_key key, const struct wan_value *value)
{
	bool small = value->flags & WAN_CACHE_DERIVED && value->bytes <= WAN_DERIVED_BYTES_MAX;
	/* Who still looks at what was in this slot before compares keys, and then the state. */
	wan_store_relaxed(&entry->key.words[0], key.words[0]);
	wan_store_relaxed(&entry->key.words[1], key.words[1]);
	entry->cache = cache;
	entry->data = value->data;
	entry->bytes = value->bytes;
	entry->destroy = value->destroy;
	entry->cold = value->cold;
	entry->cost_ns = value->cost_ns;
	entry->flags = (uint16_t)value->flags;
	entry->charge_bytes = wan_cache_charge(value->bytes);
	entry->counted = cache->count_derived || !small;
}

int wan_cache_store_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
			   struct wan_victims *victims)
{
	struct wan_budget_ask ask = {.bytes = entry->charge_bytes, .counted = entry->counted};
	if (wan_table_reserve(&cache->table) < 0)
		return -ENOMEM;
	wan_order_drain(&cache->order);
	wan_cache_charge_metadata_locked(cache, victims);
	struct wan_cache_entry *old = wan_table_find(&cache->table, entry->key);
	int rc = wan_cache_grant_locked(cache, &ask, old, victims);
	if (rc < 0)
		return rc;

	wan_tier_forget(cache, entry->key, victims);
	uint64_t stamp = wan_cache_stamp_locked(cache);
	wan_store_relaxed(&entry->born, stamp);
	cache->budget.stored_bytes += entry->charge_bytes;
	cache->budget.indexed_bytes += entry->charge_bytes;
	cache->budget.counted += entry->counted;
	cache->budget.entries++;
	wan_order_insert(&cache->order, entry->slot, stamp,
			 &(struct wan_policy_entry){.key = entry->key,
						    .charge_bytes = entry->charge_bytes,
						    .cost_ns = entry->cost_ns,
						    .flags = entry->flags,
						    .counted = entry->counted});
	wan_store_relaxed(&cache->turn, stamp);
	/* release: a hit that sees it INDEXED sees all of it */
	wan_store_release(&entry->state, (uint32_t)wan_entry_rest(entry));
	wan_table_insert(&cache->table, entry);
	next_epoch_locked(cache);
	wan_cache_note_expiry_locked(cache, entry);
	wan_counters_add(&cache->counters, CACHE_WORD_PUTS, 1);
	return 0;
}

void wan_cache_hold_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
			   struct wan_victims *victims)
{
	struct wan_budget_ask ask = {.bytes = entry->charge_bytes};
	if (wan_cache_grant_locked(cache, &ask, NULL, victims) < 0)
		entry->charge_bytes = 0;
	wan_store_release(&entry->state, WAN_ENTRY_DETACHED);
	cache->budget.stored_bytes += entry->charge_bytes;
	wan_counters_add(&cache->counters, CACHE_WORD_PASSED_THROUGH, 1);
}
