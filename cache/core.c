/* SPDX-License-Identifier: MIT */
#include "core.h"

#include <time.h>

#include "alloc.h"
#include "macros.h"
#include "sys.h"

/* Idle times are minutes and hours: the kernel's last tick is exact enough and costs a tenth. */
uint64_t wan_cache_now_ns(const struct wan_cache *cache)
{
	if (cache->now_ns)
		return cache->now_ns();
	if (!cache->idle_ns)
		return 0;
	struct timespec now;
	if (wan_sys->clock_gettime(CLOCK_MONOTONIC_COARSE, &now) < 0)
		return 0;
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void free_cache(struct wan_cache *cache)
{
	wan_slots_finish(&cache->slots);
	wan_index_finish(&cache->index);
	wan_mutex_finish(&cache->lock);
	wan_free(cache);
}

static void destroy_values(struct wan_victims *victims)
{
	for (struct wan_cache_entry *entry = victims->first; entry; entry = entry->chain) {
		if (entry->destroy)
			entry->destroy(entry->data);
	}
}

static void bury_locked(struct wan_cache *cache, struct wan_victims *victims)
	WAN_REQUIRES(&cache->lock)
{
	for (struct wan_cache_entry *entry = victims->first, *next; entry; entry = next) {
		next = entry->chain;
		wan_slots_give(&cache->slots, entry);
	}
	cache->budget.dying_bytes -= victims->bytes;
	*victims = (struct wan_victims){0};
}

void wan_cache_leave(struct wan_cache *cache, struct wan_victims *victims)
{
	if (victims->first) {
		wan_counters_follow(&cache->counters, &cache->budget);
		wan_mutex_unlock(&cache->lock);
		destroy_values(victims);
		wan_mutex_lock(&cache->lock);
		bury_locked(cache, victims);
	}
	wan_counters_follow(&cache->counters, &cache->budget);
	bool last = cache->closing && cache->slots.used == 0;
	wan_mutex_unlock(&cache->lock);
	if (last)
		free_cache(cache);
}

static void add_victim_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
			      struct wan_victims *victims) WAN_REQUIRES(&cache->lock)
{
	entry->state = WAN_ENTRY_DYING;
	entry->chain = NULL;
	if (victims->last)
		victims->last->chain = entry;
	else
		victims->first = entry;
	victims->last = entry;
	victims->bytes += entry->charge_bytes;
	cache->budget.stored_bytes -= entry->charge_bytes;
	cache->budget.dying_bytes += entry->charge_bytes;
}

void wan_cache_drop_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
			   struct wan_victims *victims)
{
	assert(entry->state == WAN_ENTRY_INDEXED);
	wan_index_remove(&cache->index, entry);
	cache->budget.entries--;
	cache->budget.counted -= entry->counted;
	if (entry->pins) {
		entry->state = WAN_ENTRY_DETACHED;
		return;
	}
	cache->budget.evictable_bytes -= entry->charge_bytes;
	cache->budget.evictable_counted -= entry->counted;
	add_victim_locked(cache, entry, victims);
}

void wan_cache_drop_all_locked(struct wan_cache *cache, struct wan_victims *victims)
{
	for (unsigned which = 0; which < WAN_USE_CLASSES; which++) {
		while (cache->index.uses[which].oldest)
			wan_cache_drop_locked(cache, cache->index.uses[which].oldest, victims);
	}
}

/* The moment an entry may expire becomes the next look, if it is sooner. */
static void note_expiry_locked(struct wan_cache *cache, const struct wan_cache_entry *entry)
	WAN_REQUIRES(&cache->lock)
{
	uint64_t at_ns;
	if (__builtin_add_overflow(entry->used_ns, cache->idle_ns, &at_ns))
		at_ns = UINT64_MAX;
	cache->next_expiry_ns = WAN_MIN(cache->next_expiry_ns, at_ns);
}

static uint64_t forward_locked(struct wan_cache *cache, uint64_t now_ns) WAN_REQUIRES(&cache->lock)
{
	cache->last_now_ns = WAN_MAX(cache->last_now_ns, now_ns);
	return cache->last_now_ns;
}

/* What is pinned is in use, however long ago it was asked for. */
static bool expired(const struct wan_cache *cache, const struct wan_cache_entry *entry,
		    uint64_t now_ns)
{
	return cache->idle_ns && !entry->pins && now_ns - entry->used_ns >= cache->idle_ns;
}

bool wan_cache_has_locked(struct wan_cache *cache, struct wan_key key, uint64_t now_ns)
{
	const struct wan_cache_entry *entry = wan_index_find(&cache->index, key);
	return entry && !expired(cache, entry, forward_locked(cache, now_ns));
}

static void drop_expired_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
				struct wan_victims *victims) WAN_REQUIRES(&cache->lock)
{
	wan_cache_drop_locked(cache, entry, victims);
	wan_counters_add(&cache->counters, CACHE_WORD_EXPIRATIONS, 1);
}

struct wan_cache_entry *wan_cache_find_locked(struct wan_cache *cache, struct wan_key key,
					      uint64_t now_ns, struct wan_victims *victims)
{
	struct wan_cache_entry *entry = wan_index_find(&cache->index, key);
	if (!entry)
		return NULL;
	now_ns = forward_locked(cache, now_ns);
	if (expired(cache, entry, now_ns)) {
		drop_expired_locked(cache, entry, victims);
		return NULL;
	}
	wan_index_touch(&cache->index, entry);
	entry->used_ns = now_ns;
	return entry;
}

struct wan_cache_entry *wan_cache_request_locked(struct wan_cache *cache, struct wan_key key,
						 uint64_t now_ns, struct wan_victims *victims)
{
	struct wan_cache_entry *entry = wan_cache_find_locked(cache, key, now_ns, victims);
	wan_counters_add(&cache->counters, CACHE_WORD_REQUESTS, 1);
	if (!entry) {
		wan_counters_add(&cache->counters, CACHE_WORD_MISSES, 1);
		return NULL;
	}
	wan_counters_add(&cache->counters, CACHE_WORD_HITS, 1);
	wan_counters_add(&cache->counters, CACHE_WORD_TIME_SAVED_NS, entry->cost_ns);
	wan_cache_pin_locked(cache, entry, 1);
	return entry;
}

void wan_cache_pin_locked(struct wan_cache *cache, struct wan_cache_entry *entry, uint32_t pins)
{
	if (!entry->pins) {
		cache->budget.pinned_bytes += entry->charge_bytes;
		if (entry->state == WAN_ENTRY_INDEXED) {
			cache->budget.evictable_bytes -= entry->charge_bytes;
			cache->budget.evictable_counted -= entry->counted;
		}
	}
	entry->pins += pins;
}

void wan_cache_unpin_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
			    struct wan_victims *victims)
{
	assert(entry->pins > 0);
	if (--entry->pins)
		return;
	cache->budget.pinned_bytes -= entry->charge_bytes;
	if (entry->state == WAN_ENTRY_DETACHED) {
		add_victim_locked(cache, entry, victims);
		return;
	}
	cache->budget.evictable_bytes += entry->charge_bytes;
	cache->budget.evictable_counted += entry->counted;
	note_expiry_locked(cache, entry);
	/* A limit was lowered below what was pinned: now it can be met. */
	wan_cache_shrink_locked(cache, cache->budget.limit_bytes, victims);
}

uint64_t wan_cache_charge(uint64_t bytes)
{
	uint64_t charge;
	return __builtin_add_overflow(bytes, WAN_CACHE_ENTRY_BYTES, &charge) ? UINT64_MAX : charge;
}

void wan_cache_fill_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
			   struct wan_key key, const struct wan_value *value, uint64_t now_ns)
{
	bool small = value->flags & WAN_CACHE_DERIVED && value->bytes <= WAN_DERIVED_BYTES_MAX;
	entry->key = key;
	entry->cache = cache;
	entry->data = value->data;
	entry->bytes = value->bytes;
	entry->destroy = value->destroy;
	entry->charge_bytes = wan_cache_charge(value->bytes);
	entry->counted = cache->count_derived || !small;
	entry->used_ns = forward_locked(cache, now_ns);
}

static void evict_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
			 struct wan_victims *victims) WAN_REQUIRES(&cache->lock)
{
	wan_cache_drop_locked(cache, entry, victims);
	wan_counters_add(&cache->counters, CACHE_WORD_EVICTIONS, 1);
}

int wan_cache_grant_locked(struct wan_cache *cache, struct wan_budget_ask *ask,
			   struct wan_victims *victims)
{
	ask->own_bytes = victims->bytes;
	int rc = wan_budget_feasible(&cache->budget, ask);
	if (rc < 0)
		return rc;
	/* Bytes first, as strict LRU takes the oldest whatever its class; then entries. */
	while (wan_budget_short_of_bytes(&cache->budget, ask)) {
		evict_locked(cache, wan_index_oldest(&cache->index), victims);
		ask->own_bytes = victims->bytes;
	}
	while (wan_budget_short_of_entries(&cache->budget, ask)) {
		evict_locked(cache, wan_index_oldest_of(&cache->index, WAN_USE_COUNTED), victims);
		ask->own_bytes = victims->bytes;
	}
	victims->bytes -= wan_budget_convert(&cache->budget, ask);
	return 0;
}

int wan_cache_store_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
			   struct wan_victims *victims)
{
	struct wan_cache_entry *old = wan_index_find(&cache->index, entry->key);
	struct wan_budget_ask ask = {
		.bytes = entry->charge_bytes,
		.own_bytes = victims->bytes,
		.counted = entry->counted,
		.leaves = old && old->pins && old->counted,
	};
	int rc = wan_budget_feasible(&cache->budget, &ask);
	if (rc < 0)
		return rc;
	if (old)
		wan_cache_drop_locked(cache, old, victims);
	ask.leaves = false;
	rc = wan_cache_grant_locked(cache, &ask, victims);
	assert(rc == 0);

	entry->state = WAN_ENTRY_INDEXED;
	cache->budget.stored_bytes += entry->charge_bytes;
	cache->budget.evictable_bytes += entry->charge_bytes;
	cache->budget.evictable_counted += entry->counted;
	cache->budget.counted += entry->counted;
	cache->budget.entries++;
	wan_index_insert(&cache->index, entry);
	note_expiry_locked(cache, entry);
	wan_counters_add(&cache->counters, CACHE_WORD_PUTS, 1);
	return rc;
}

void wan_cache_hold_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
			   struct wan_victims *victims)
{
	struct wan_budget_ask ask = {.bytes = entry->charge_bytes};
	entry->state = WAN_ENTRY_DETACHED;
	if (wan_cache_grant_locked(cache, &ask, victims) < 0)
		entry->charge_bytes = 0;
	cache->budget.stored_bytes += entry->charge_bytes;
	wan_counters_add(&cache->counters, CACHE_WORD_PASSED_THROUGH, 1);
}

uint64_t wan_cache_shrink_locked(struct wan_cache *cache, uint64_t target_bytes,
				 struct wan_victims *victims)
{
	struct wan_budget *budget = &cache->budget;
	uint64_t before_bytes = victims->bytes;
	/* Dying bytes, ours and others', are on their way out already. */
	while (budget->evictable_bytes &&
	       budget->stored_bytes + budget->in_flight_bytes > target_bytes)
		evict_locked(cache, wan_index_oldest(&cache->index), victims);
	while (budget->evictable_counted && budget->counted > budget->entry_limit)
		evict_locked(cache, wan_index_oldest_of(&cache->index, WAN_USE_COUNTED), victims);
	return victims->bytes - before_bytes;
}

uint64_t wan_cache_expire_locked(struct wan_cache *cache, uint64_t now_ns,
				 struct wan_victims *victims)
{
	now_ns = forward_locked(cache, now_ns);
	if (!cache->idle_ns || now_ns < cache->next_expiry_ns)
		return 0;

	uint64_t count = 0;
	cache->next_expiry_ns = UINT64_MAX;
	for (unsigned which = 0; which < WAN_USE_CLASSES; which++) {
		struct wan_cache_entry *entry;
		while ((entry = wan_index_oldest_of(&cache->index, which)) &&
		       expired(cache, entry, now_ns)) {
			drop_expired_locked(cache, entry, victims);
			count++;
		}
		if (entry)
			note_expiry_locked(cache, entry);
	}
	return count;
}
