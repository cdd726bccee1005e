/* SPDX-License-Identifier: MIT */
#include "hit.h"

#include <errno.h>
#include <time.h>

#include "macros.h"
#include "sys.h"

/* Calls in the path of a hit would make it save registers. */
#define NOINLINE __attribute__((noinline))

/* The entry is pinned and can no longer change; who cannot have it gives it back the usual way. */
static NOINLINE struct wan_pin *give_back(uintptr_t *slot)
{
	wan_pin_release((struct wan_pin *)slot);
	return NULL;
}

static inline void count_hit(struct wan_record *record, const struct wan_cache_entry *entry)
{
	wan_store_relaxed(&record->hits, record->hits + 1);
	wan_store_relaxed(&record->saved_ns, record->saved_ns + entry->cost_ns);
}

/* A second has begun since the newest entry was stamped, or none was noted: it would seem idle
 * without another stamp. Where nothing expires every second is the same. */
static inline uint64_t second(const struct wan_cache *cache)
{
	return cache->ticker.idle_ns ? (uint64_t)wan_sys->time(NULL) : 1;
}

/* False: this is left to a step under the lock. */
static inline bool stamp(struct wan_cache *cache, struct wan_record *record,
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

static inline void note(struct wan_record *record, uint32_t slot)
{
	struct wan_notes *notes = record->notes;
	if (wan_unlikely(!notes))
		return;
	uint32_t written = notes->written;
	/* acquire: pairs with the release of whoever has read them */
	if (wan_unlikely(written - wan_load_acquire(&notes->read) == WAN_NOTES))
		return;
	wan_store_relaxed(&notes->slots[written % WAN_NOTES], slot);
	wan_store_release(&notes->written, written + 1);
}

/* For a policy: a stamp and a note with the first use in a turn, a stamp with the first use in a
 * second, else nothing. A turn ends with each insertion. */
static inline bool stamp_and_note(struct wan_cache *cache, struct wan_record *record,
				  const struct wan_cache_entry *entry, uint64_t now_s)
{
	uint32_t slot = entry->slot;
	if (wan_unlikely(slot >= record->stamp_count))
		return false;
	uint64_t mine = wan_load_relaxed(&record->stamps[slot]);
	bool noted = mine > wan_load_relaxed(&cache->turn);
	if (wan_likely(noted && mine >= record->second_stamp && record->second == now_s && now_s))
		return true;
	if (!stamp(cache, record, entry))
		return false;
	if (record->second != now_s) {
		record->second = now_s;
		record->second_stamp = record->last;
	}
	if (!noted)
		note(record, slot);
	return true;
}

/* Announces the pin, and looks whether the entry still is what was looked for. */
static inline uintptr_t *try_pin(struct wan_record *record, struct wan_cache_entry *entry,
				 struct wan_key key)
{
	uintptr_t *slot = wan_pins_free_slot(record);
	if (wan_unlikely(!slot))
		return NULL;
	wan_pins_announce(slot, entry, wan_load_relaxed(&record->light));
	if (wan_likely(wan_load_seq_cst(&entry->state) == WAN_ENTRY_INDEXED &&
		       wan_entry_has_key(entry, key)))
		return slot;
	give_back(slot);
	return NULL;
}

/* While no other thread uses the cache and nothing is stored, the entry this thread used last is
 * the newest: another stamp would not change the order. */
static inline bool is_newest(const struct wan_cache *cache, const struct wan_record *record,
			     struct wan_key key)
{
	return wan_load_relaxed(&cache->epoch) == record->epoch_then &&
	       wan_entry_has_key(record->newest, key);
}

static inline struct wan_pin *hit_newest(struct wan_cache *cache, struct wan_record *record)
{
	struct wan_cache_entry *entry = record->newest;
	uintptr_t *slot = &record->slots[record->hint];
	if (wan_unlikely(wan_load_relaxed(slot) != 0))
		return NULL;
	wan_pins_announce(slot, entry, wan_load_relaxed(&record->light));
	/* The same epoch: nothing was stored, so an entry that is INDEXED has the key it had. */
	if (wan_unlikely(wan_load_seq_cst(&entry->state) != WAN_ENTRY_INDEXED ||
			 wan_load_relaxed(&cache->epoch) != record->epoch_then))
		return give_back(slot);
	count_hit(record, entry);
	return (struct wan_pin *)slot;
}

/* The second is noted when the entry is asked for again, so that other hits need not look. */
static NOINLINE struct wan_pin *newest_again(struct wan_cache *cache, struct wan_record *record,
					     uintptr_t *slot)
{
	record->newest_at = second(cache);
	return (struct wan_pin *)slot;
}

static inline struct wan_pin *hit_stamped(struct wan_cache *cache, struct wan_record *record,
					  struct wan_key key)
{
	struct wan_cache_entry *entry = wan_table_find(&cache->table, key);
	if (wan_unlikely(!entry))
		return NULL;
	/* Before the stamp: what is stored after this makes the stamp old. */
	uint64_t epoch = wan_load_acquire(&cache->epoch);
	uintptr_t *slot = try_pin(record, entry, key);
	if (wan_unlikely(!slot))
		return NULL;
	if (wan_unlikely(!stamp(cache, record, entry)))
		return give_back(slot);
	count_hit(record, entry);
	if (wan_load_relaxed(&cache->sole) == record) {
		bool again = record->newest == entry && record->epoch_then == epoch;
		record->newest = entry;
		record->epoch_then = epoch;
		record->newest_at = 0;
		if (wan_unlikely(again))
			return newest_again(cache, record, slot);
	}
	return (struct wan_pin *)slot;
}

static NOINLINE struct wan_pin *hit_noted(struct wan_cache *cache, struct wan_record *record,
					  struct wan_key key)
{
	uint64_t now_s = cache->seconds ? second(cache) : 0;
	struct wan_cache_entry *entry = wan_table_find(&cache->table, key);
	if (wan_unlikely(!entry))
		return NULL;
	uintptr_t *slot = try_pin(record, entry, key);
	if (wan_unlikely(!slot))
		return NULL;
	if (wan_unlikely(!stamp_and_note(cache, record, entry, now_s)))
		return give_back(slot);
	count_hit(record, entry);
	return (struct wan_pin *)slot;
}

/* A thread that used another cache in between, or none before. */
static NOINLINE struct wan_pin *hit_elsewhere(struct wan_cache *cache, struct wan_key key)
{
	struct wan_record *record = wan_record_mine(cache);
	if (!record)
		return NULL;
	return cache->noting ? hit_noted(cache, record, key) : hit_stamped(cache, record, key);
}

static inline struct wan_pin *hit(struct wan_cache *cache, struct wan_key key)
{
	struct wan_record *record = wan_record_current;
	if (wan_unlikely(!record || wan_load_relaxed(&record->cache) != cache))
		return hit_elsewhere(cache, key);
	if (is_newest(cache, record, key) && record->newest_at == second(cache)) {
		struct wan_pin *pin = hit_newest(cache, record);
		if (wan_likely(pin))
			return pin;
	}
	return cache->noting ? hit_noted(cache, record, key) : hit_stamped(cache, record, key);
}

struct wan_pin *wan_cache_hit(struct wan_cache *cache, struct wan_key key)
{
	return hit(cache, key);
}

static NOINLINE int pin_slowly(struct wan_cache *cache, struct wan_key key,
			       struct wan_pin **ret_pin)
{
	struct wan_victims victims = {0};
	wan_mutex_lock(&cache->lock);
	int error;
	struct wan_pin *pin = wan_cache_request_locked(cache, key, &victims, &error);
	if (!pin)
		wan_cache_expire_locked(cache, &victims);
	if (!pin && error == -ENOENT)
		pin = wan_cache_thaw_locked(cache, key, &victims);
	wan_cache_leave(cache, &victims);
	if (!pin)
		return error;
	*ret_pin = pin;
	return 0;
}

int wan_cache_pin(struct wan_cache *cache, struct wan_key key, struct wan_pin **ret_pin)
{
	if (wan_unlikely(!cache || !ret_pin))
		return -EINVAL;
	struct wan_pin *pin = hit(cache, key);
	if (wan_unlikely(!pin))
		return pin_slowly(cache, key, ret_pin);
	*ret_pin = pin;
	return 0;
}

static NOINLINE void release_counted(struct wan_cache_entry *entry)
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
static NOINLINE void released(struct wan_cache *cache, struct wan_cache_entry *entry,
			      uintptr_t *slot)
{
	struct wan_victims victims = {0};
	wan_mutex_lock(&cache->lock);
	if (slot)
		wan_store_seq_cst(slot, (uintptr_t)0);
	wan_cache_released_locked(cache, entry, &victims);
	wan_cache_leave(cache, &victims);
}

/* Of another thread's slot, or where announcing needs a fence, or of a cache that ends. */
static NOINLINE void release_heavy(uintptr_t *slot)
{
	struct wan_cache_entry *entry = (struct wan_cache_entry *)wan_load_relaxed(slot);
	struct wan_cache *cache = wan_load_relaxed(&wan_record_of_slot(slot)->cache);
	if (wan_load_relaxed(&entry->state) == WAN_ENTRY_DETACHED) {
		released(cache, entry, slot);
		return;
	}
	wan_store_seq_cst(slot, (uintptr_t)0);
	if (wan_load_seq_cst(&entry->state) != WAN_ENTRY_INDEXED)
		released(cache, entry, NULL);
}

void wan_pin_release(struct wan_pin *pin)
{
	if (wan_unlikely(!pin))
		return;
	if (wan_unlikely((uintptr_t)pin & WAN_PIN_COUNTED)) {
		release_counted(wan_entry_from_pin(pin));
		return;
	}
	uintptr_t *slot = wan_pin_slot(pin);
	struct wan_record *record = wan_record_of_slot(slot);
	if (wan_unlikely(record != wan_record_current || !wan_load_relaxed(&record->light))) {
		release_heavy(slot);
		return;
	}
	struct wan_cache_entry *entry = (struct wan_cache_entry *)wan_load_relaxed(slot);
	wan_store_light(slot, (uintptr_t)0);
	if (wan_unlikely(wan_load_seq_cst(&entry->state) != WAN_ENTRY_INDEXED))
		released(wan_load_relaxed(&record->cache), entry, NULL);
}
