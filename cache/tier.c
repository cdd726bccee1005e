/* SPDX-License-Identifier: MIT */
#include "tier.h"

#include "alloc.h"
#include "core.h"
#include "macros.h"

void wan_tier_init(struct wan_tier *tier, uint64_t seed, bool careful)
{
	*tier = (struct wan_tier){.active = false};
	wan_tier_store_init(&tier->store, seed);
	wan_tier_judge_init(&tier->judge, careful);
}

void wan_tier_finish(struct wan_tier *tier)
{
	wan_tier_store_finish(&tier->store);
}

bool wan_tier_has(const struct wan_tier *tier, struct wan_key key)
{
	return wan_tier_store_find(&tier->store, key) != NULL;
}

static struct wan_tier_offer offer_of(const struct wan_cold *cold)
{
	return (struct wan_tier_offer){
		.bytes = cold->bytes, .cost_ns = cold->cost_ns, .uses = cold->uses};
}

struct wan_cold *wan_tier_take(struct wan_tier *tier, struct wan_key key)
{
	struct wan_cold *cold = wan_tier_store_find(&tier->store, key);
	if (cold)
		wan_tier_store_remove(&tier->store, cold);
	return cold;
}

void wan_tier_describe(const struct wan_cold *cold, struct wan_value *value)
{
	uint32_t uses = WAN_MIN(cold->uses, 3u);
	value->cold = cold->ops;
	value->cost_ns = cold->cost_ns;
	value->flags = (cold->flags & ~(uint32_t)(WAN_ENTRY_USES | WAN_CACHE_SCAN)) |
		       uses << WAN_ENTRY_USES_SHIFT;
}

/* Fewer bytes have left since than cold ones take: without them it would not have. */
static bool would_be_ready(const struct wan_tier *tier, uint64_t clock)
{
	return clock != UINT64_MAX && tier->clock - clock < tier->store.charge_bytes;
}

void wan_tier_thawed(struct wan_cache *cache, const struct wan_cold *cold, uint64_t took_ns)
{
	struct wan_tier *tier = &cache->tier;
	struct wan_tier_offer offer = offer_of(cold);
	if (!took_ns) {
		tier->failed++;
		return;
	}
	uint64_t saved_ns = cold->cost_ns > took_ns ? cold->cost_ns - took_ns : 0;
	tier->hits++;
	tier->saved_ns += saved_ns;
	wan_tier_learn_thaw(&tier->judge, cold->bytes, took_ns);
	wan_tier_learn_fate(&tier->judge, &offer, true);
	wan_tier_learn_hit(&tier->judge, cold->cost_ns, took_ns, would_be_ready(tier, cold->clock));
	/* The request was counted as a miss. */
	wan_counters_add(&cache->counters, CACHE_WORD_HITS, 1);
	wan_counters_add(&cache->counters, CACHE_WORD_MISSES, (uint64_t)-1);
	wan_counters_add(&cache->counters, CACHE_WORD_TIME_SAVED_NS, saved_ns);
}

void wan_tier_discard(struct wan_cache *cache, struct wan_cold *cold, struct wan_victims *victims)
{
	cold->chain = victims->cold;
	victims->cold = cold;
	victims->bytes += cold->charge_bytes;
	victims->cold_bytes += cold->charge_bytes;
	cache->tier.dying_bytes += cold->charge_bytes;
	cache->budget.stored_bytes -= cold->charge_bytes;
	cache->budget.dying_bytes += cold->charge_bytes;
}

void wan_tier_forget(struct wan_cache *cache, struct wan_key key, struct wan_victims *victims)
{
	struct wan_cold *cold = wan_tier_take(&cache->tier, key);
	if (cold)
		wan_tier_discard(cache, cold, victims);
}

void wan_tier_clear(struct wan_cache *cache, struct wan_victims *victims)
{
	struct wan_tier_store *store = &cache->tier.store;
	for (struct wan_cold *cold; (cold = wan_tier_store_least(store));) {
		wan_tier_store_remove(store, cold);
		wan_tier_discard(cache, cold, victims);
	}
	store->floor = 0;
}

/* The least valuable one goes; what it was worth is what the others are worth less from now on. */
static void give_up(struct wan_cache *cache, struct wan_cold *cold, struct wan_victims *victims)
{
	struct wan_tier *tier = &cache->tier;
	wan_tier_store_give_up(&tier->store, cold);
	tier->dropped++;
	if (cold->ready) {
		/* Not again while the value is ready: two forms would push each other out. */
		struct wan_cache_entry *entry = wan_table_find(&cache->table, cold->key);
		if (entry)
			entry->flags |= WAN_ENTRY_JUDGED;
	} else {
		struct wan_tier_offer offer = offer_of(cold);
		wan_tier_learn_fate(&tier->judge, &offer, false);
		if (cold->clock != UINT64_MAX)
			wan_tier_store_bury(&tier->store, cold->key, cold->clock, cold->cost_ns);
	}
	wan_tier_discard(cache, cold, victims);
}

uint64_t wan_tier_yield(struct wan_cache *cache, uint64_t bytes, struct wan_victims *victims)
{
	uint64_t freed = 0;
	for (struct wan_cold *cold;
	     freed < bytes && (cold = wan_tier_store_least(&cache->tier.store));) {
		freed += cold->charge_bytes;
		give_up(cache, cold, victims);
	}
	return freed;
}

void wan_tier_keep_share(struct wan_cache *cache, struct wan_victims *victims)
{
	double most = (double)cache->budget.limit_bytes * cache->tier.judge.share;
	uint64_t most_bytes = (uint64_t)most, held = cache->tier.store.charge_bytes;
	if (held > most_bytes)
		wan_tier_yield(cache, held - most_bytes, victims);
}

void wan_tier_left(struct wan_cache *cache, const struct wan_cache_entry *entry, bool evicted,
		   struct wan_victims *victims)
{
	struct wan_tier *tier = &cache->tier;
	if (!tier->active)
		return;
	/* Entries may leave for want of places instead of bytes: cold bytes took nothing from them.
	 */
	bool for_bytes = cache->budget.stored_bytes + cache->budget.in_flight_bytes >
			 cache->budget.limit_bytes - cache->budget.limit_bytes / 4;
	struct wan_cold *cold = wan_tier_store_find(&tier->store, entry->key);
	if (!evicted) {
		if (cold) {
			wan_tier_store_remove(&tier->store, cold);
			wan_tier_discard(cache, cold, victims);
		}
		return;
	}
	if (for_bytes)
		tier->clock += entry->charge_bytes;
	if (cold) {
		cold->ready = false;
		cold->clock = for_bytes ? tier->clock : UINT64_MAX;
	} else if (for_bytes) {
		wan_tier_store_bury(&tier->store, entry->key, tier->clock, entry->cost_ns);
	}
	if (wan_tier_learn_eviction(&tier->judge))
		wan_tier_keep_share(cache, victims);
}

void wan_tier_missed(struct wan_cache *cache, struct wan_key key)
{
	struct wan_tier *tier = &cache->tier;
	struct wan_ghost ghost;
	if (tier->active && wan_tier_store_recall(&tier->store, key, &ghost) &&
	    would_be_ready(tier, ghost.clock))
		wan_tier_learn_loss(&tier->judge, ghost.cost_ns);
}

uint64_t wan_tier_expire(struct wan_cache *cache, uint64_t now, struct wan_victims *victims)
{
	struct wan_tier_store *store = &cache->tier.store;
	uint64_t count = 0;
	for (size_t i = 0; i < store->count;) {
		struct wan_cold *cold = store->heap[i];
		if (!wan_ticker_expired(&cache->ticker, cold->stamp, now)) {
			uint64_t at, idle = (uint64_t)cache->ticker.idle_next;
			if (__builtin_add_overflow(cold->stamp, idle, &at))
				at = UINT64_MAX;
			cache->next_expiry = WAN_MIN(cache->next_expiry, at);
			i++;
			continue;
		}
		/* The one that takes its place may come from behind or from before. */
		wan_tier_store_remove(store, cold);
		wan_tier_discard(cache, cold, victims);
		count += !cold->ready;
		i = 0;
	}
	return count;
}

static enum wan_cold_reason reason(const struct wan_tier *tier)
{
	if (tier->store.count)
		return WAN_COLD_WORKS;
	if (tier->useless)
		return WAN_COLD_POLICY;
	if (!tier->active)
		return WAN_COLD_OFF;
	if (!tier->pressed && !tier->clock)
		return WAN_COLD_NO_PRESSURE;
	if (!tier->offered)
		return WAN_COLD_NOTHING_OFFERED;
	if (tier->failed && tier->failed >= tier->cheap && tier->failed >= tier->seldom)
		return WAN_COLD_INCOMPRESSIBLE;
	if (tier->cheap > tier->seldom)
		return WAN_COLD_CHEAP;
	return tier->seldom ? WAN_COLD_SELDOM : WAN_COLD_NOT_YET;
}

/* A policy compares what it saves with what strict LRU would, both in the room of what is ready. */
static void tell_policy(struct wan_cache *cache)
{
	struct wan_tier *tier = &cache->tier;
	uint64_t limit_bytes = cache->budget.limit_bytes, held = tier->store.charge_bytes;
	uint64_t change =
		held > tier->told_bytes ? held - tier->told_bytes : tier->told_bytes - held;
	if (!cache->order.policy || change <= limit_bytes / 64 || held >= limit_bytes)
		return;
	tier->told_bytes = held;
	wan_policy_set_limits(cache->order.policy, limit_bytes - held, cache->budget.entry_limit);
}

void wan_tier_publish(struct wan_cache *cache)
{
	tell_policy(cache);
	const struct wan_tier *tier = &cache->tier;
	struct wan_cache_counters *counters = &cache->counters;
	wan_counters_set(counters, CACHE_WORD_COLD_BYTES, tier->store.charge_bytes);
	wan_counters_set(counters, CACHE_WORD_COLD_ENTRIES, tier->store.count);
	wan_counters_set(counters, CACHE_WORD_COLD_RAW_BYTES, tier->store.bytes);
	wan_counters_set(counters, CACHE_WORD_COLD_HITS, tier->hits);
	wan_counters_set(counters, CACHE_WORD_COLD_MADE, tier->made);
	wan_counters_set(counters, CACHE_WORD_COLD_DROPPED, tier->dropped);
	wan_counters_set(counters, CACHE_WORD_COLD_SAVED_NS, tier->saved_ns);
	wan_counters_set(counters, CACHE_WORD_COLD_REASON, reason(tier));
}

const char *wan_cold_reason_text(enum wan_cold_reason reason)
{
	switch (reason) {
#define WAN_COLD_REASON(name, text)                                                                \
	case WAN_COLD_##name:                                                                      \
		return text;
#include "cold_reasons.def"
#undef WAN_COLD_REASON
	}
	return "unknown";
}
