/* SPDX-License-Identifier: MIT */
/*
 * The background call: looks at what will leave next, and makes cold forms of what is worth it
 * while the values are still ready. The room of a form is granted before it is made.
 */
#include <errno.h>

#include "alloc.h"
#include "clock.h"
#include "core.h"
#include "macros.h"

enum { CANDIDATES = 32 }; /* looked up at a time */

/* A value near the end, by the place it had when the lock was held. */
struct candidate {
	uint32_t slot;
	uint64_t generation;
};

static bool skip_none(void *context, uint32_t slot)
{
	(void)context;
	(void)slot;
	return false;
}

/* Full, or nearly: something will leave soon. */
static bool under_pressure(const struct wan_budget *budget)
{
	uint64_t used = budget->stored_bytes + budget->in_flight_bytes;
	return used > budget->limit_bytes - budget->limit_bytes / 8 ||
	       budget->counted > budget->entry_limit - budget->entry_limit / 8;
}

static uint32_t uses_locked(struct wan_cache *cache, const struct wan_cache_entry *entry)
	WAN_REQUIRES(&cache->lock)
{
	uint32_t before = (entry->flags & WAN_ENTRY_USES) >> WAN_ENTRY_USES_SHIFT;
	bool used = wan_order_last_use(&cache->order, entry->slot) != entry->born;
	return before + 1 + used;
}

static struct wan_tier_offer offer_locked(struct wan_cache *cache,
					  const struct wan_cache_entry *entry)
	WAN_REQUIRES(&cache->lock)
{
	return (struct wan_tier_offer){.bytes = entry->bytes,
				       .cost_ns = entry->cost_ns,
				       .uses = uses_locked(cache, entry)};
}

static bool may_be_frozen_locked(struct wan_cache *cache, struct wan_cache_entry *entry)
	WAN_REQUIRES(&cache->lock)
{
	if (!entry->cold || entry->state != WAN_ENTRY_INDEXED || entry->flags & WAN_ENTRY_JUDGED ||
	    entry->pins || wan_tier_has(&cache->tier, entry->key))
		return false;
	/* One of many looked at once. */
	return !(entry->flags & WAN_CACHE_SCAN) || uses_locked(cache, entry) > 1;
}

/* So many bytes of what is ready that leaves next, or (0) a quarter of it. */
static unsigned find_candidates_locked(struct wan_cache *cache, uint64_t want_bytes,
				       struct candidate *candidates) WAN_REQUIRES(&cache->lock)
{
	uint64_t bytes_most = want_bytes ? want_bytes : cache->budget.indexed_bytes / 4, bytes = 0;
	uint64_t entries_most = want_bytes ? 1 : cache->budget.entries / 4 + 1, entries = 0;
	unsigned found = 0;
	wan_order_begin(&cache->order, false, cache->pinned_entries);
	while (found < CANDIDATES && (bytes < bytes_most || entries < entries_most)) {
		uint32_t slot = wan_order_next(&cache->order, false, skip_none, NULL);
		if (slot == WAN_ORDER_NONE)
			break;
		struct wan_cache_entry *entry = wan_slots_at(&cache->slots, slot);
		bytes += entry->charge_bytes;
		entries++;
		cache->tier.offered |= entry->cold != NULL;
		if (may_be_frozen_locked(cache, entry))
			candidates[found++] = (struct candidate){slot, entry->generation};
	}
	wan_order_end(&cache->order, false);
	return found;
}

/* Would it have room beside those that are worth more? Gives up those that are worth less. */
static bool make_room_locked(struct wan_cache *cache, const struct wan_tier_offer *offer,
			     uint64_t cold_bytes, struct wan_victims *victims)
	WAN_REQUIRES(&cache->lock)
{
	struct wan_tier *tier = &cache->tier;
	uint64_t most = (uint64_t)((double)cache->budget.limit_bytes * tier->judge.share);
	double value = tier->store.floor + wan_tier_value(&tier->judge, offer, cold_bytes);
	if (cold_bytes > most)
		return false;
	if (cache->count_derived && /* the entry limit is meant literally */
	    cache->budget.entries + tier->store.count >= cache->budget.entry_limit)
		return false;
	while (tier->store.charge_bytes + cold_bytes > most) {
		struct wan_cold *least = wan_tier_store_least(&tier->store);
		if (!least || least->value >= value)
			return false;
		wan_tier_yield(cache, 1, victims);
	}
	return true;
}

static bool admit_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
			 struct wan_victims *victims, uint64_t *ret_bytes_max)
	WAN_REQUIRES(&cache->lock)
{
	struct wan_tier *tier = &cache->tier;
	struct wan_tier_offer offer = offer_locked(cache, entry);
	enum wan_tier_verdict verdict = wan_tier_admit(&tier->judge, &offer);
	tier->cheap += verdict == WAN_TIER_CHEAP;
	tier->seldom += verdict == WAN_TIER_SELDOM;
	if (verdict != WAN_TIER_KEEP) {
		entry->flags |= WAN_ENTRY_JUDGED;
		return false;
	}
	uint64_t bytes_max = wan_tier_cold_bytes(&tier->judge, entry->bytes);
	struct wan_budget_ask ask = {.bytes = wan_cache_charge(bytes_max)};
	if (!make_room_locked(cache, &offer, ask.bytes, victims))
		return false;
	wan_cache_count_pins_locked(cache, entry, 1); /* it must not go to make that room */
	if (wan_tier_store_reserve(&tier->store) < 0 ||
	    wan_cache_grant_locked(cache, &ask, NULL, victims) < 0) {
		wan_cache_uncount_pin_locked(cache, entry);
		wan_cache_released_locked(cache, entry, victims);
		return false;
	}
	cache->budget.in_flight_bytes += ask.bytes;
	tier->reserved_bytes += ask.bytes;
	*ret_bytes_max = bytes_max;
	return true;
}

/* The form becomes one of the tier's, unless its value was replaced, removed or cleared meanwhile.
 */
static bool keep_locked(struct wan_cache *cache, const struct wan_cache_entry *entry,
			const struct wan_value *form, struct wan_cold *cold)
	WAN_REQUIRES(&cache->lock)
{
	struct wan_tier *tier = &cache->tier;
	if (!wan_entry_is_indexed(entry) || wan_tier_has(tier, entry->key) ||
	    wan_tier_store_reserve(&tier->store) < 0)
		return false;
	struct wan_tier_offer offer = offer_locked(cache, entry);
	*cold = (struct wan_cold){
		.key = entry->key,
		.data = form->data,
		.destroy = form->destroy,
		.ops = entry->cold,
		.charge_bytes = wan_cache_charge(form->bytes),
		.bytes = entry->bytes,
		.cost_ns = entry->cost_ns,
		.stamp = wan_order_last_use(&cache->order, entry->slot),
		.clock = UINT64_MAX,
		.value = wan_tier_value(&tier->judge, &offer, wan_cache_charge(form->bytes)),
		.uses = offer.uses,
		.flags = entry->flags,
		.ready = true,
	};
	cache->budget.stored_bytes += cold->charge_bytes;
	wan_tier_store_insert(&tier->store, cold);
	wan_cache_note_expiry_locked(cache, entry);
	tier->made++;
	return true;
}

static int freeze(const struct wan_cache_entry *entry, uint64_t bytes_max,
		  struct wan_value *ret_form, struct wan_cold **ret_cold)
{
	struct wan_cold *cold = wan_malloc(sizeof(*cold));
	if (!cold)
		return -ENOMEM;
	int rc = entry->cold->freeze(entry->data, bytes_max, ret_form);
	if (rc == 0 && ret_form->bytes > bytes_max) { /* it promised not to */
		if (ret_form->destroy)
			ret_form->destroy(ret_form->data);
		rc = -E2BIG;
	}
	if (rc < 0) {
		wan_free(cold);
		return rc;
	}
	*ret_cold = cold;
	return 0;
}

/* Makes one cold form; takes and gives the lock. */
static bool work_on(struct wan_cache *cache, const struct candidate *candidate)
{
	struct wan_victims victims = {0};
	struct wan_value form = {0};
	struct wan_cold *cold = NULL;
	uint64_t bytes_max = 0;
	wan_mutex_lock(&cache->lock);
	struct wan_cache_entry *entry =
		wan_slots_find(&cache->slots, candidate->slot, candidate->generation);
	bool admitted = entry && may_be_frozen_locked(cache, entry) &&
			admit_locked(cache, entry, &victims, &bytes_max);
	wan_cache_leave(cache, &victims);
	if (!admitted)
		return false;

	uint64_t start_ns = wan_now_ns();
	int rc = freeze(entry, bytes_max, &form, &cold);
	uint64_t took_ns = wan_now_ns() - start_ns;

	wan_mutex_lock(&cache->lock);
	struct wan_tier *tier = &cache->tier;
	uint64_t reserved = wan_cache_charge(bytes_max);
	cache->budget.in_flight_bytes -= reserved;
	tier->reserved_bytes -= reserved;
	wan_tier_learn_freeze(&tier->judge, entry->bytes, rc == 0 ? form.bytes : 0, took_ns);
	bool kept = rc == 0 && keep_locked(cache, entry, &form, cold);
	if (rc < 0 && rc != -ENOMEM) {
		tier->failed++;
		entry->flags |= WAN_ENTRY_JUDGED;
	}
	wan_cache_uncount_pin_locked(cache, entry);
	wan_cache_released_locked(cache, entry, &victims);
	wan_cache_leave(cache, &victims);
	if (rc == 0 && !kept) {
		if (form.destroy)
			form.destroy(form.data);
		wan_free(cold);
	}
	return kept;
}

/* want_bytes 0: what leaves next of a cache that is full. */
static uint64_t work(struct wan_cache *cache, uint64_t want_bytes, uint64_t budget_ns)
{
	struct candidate candidates[CANDIDATES];
	uint64_t start_ns = wan_now_ns(), made = 0;
	unsigned count = 0, at = 0;
	bool progress = true;
	do {
		if (at == count) { /* the next ones, as long as that leads anywhere */
			struct wan_victims victims = {0};
			if (!progress)
				break;
			progress = false;
			wan_mutex_lock(&cache->lock);
			cache->tier.active = true;
			cache->tier.pressed = under_pressure(&cache->budget);
			bool wanted = cache->tier.pressed || want_bytes;
			count = wanted && cache->tier.judge.share > 0
					? find_candidates_locked(cache, want_bytes, candidates)
					: 0;
			wan_cache_leave(cache, &victims);
			at = 0;
			if (count == 0)
				break;
		}
		bool kept = work_on(cache, &candidates[at++]);
		made += kept;
		progress |= kept;
	} while (wan_now_ns() - start_ns < budget_ns);
	return made;
}

uint64_t wan_cache_background(struct wan_cache *cache, uint64_t budget_ns)
{
	return cache && !cache->tier.useless ? work(cache, 0, budget_ns) : 0;
}

uint64_t wan_cache_compress(struct wan_cache *cache, uint64_t want_bytes, uint64_t budget_ns)
{
	bool any = cache && !cache->tier.useless && want_bytes;
	return any ? work(cache, want_bytes, budget_ns) : 0;
}
