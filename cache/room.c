/* SPDX-License-Identifier: MIT */
/*
 * Who goes. Entries are marked first, all that one step needs; then what other threads announced
 * before they could see the marks is made visible, once for all; those pinned or used since are
 * unmarked and others marked in their place; and only then they go, all of them or none.
 */
#include <errno.h>

#include "core.h"
#include "macros.h"

/* Threads that use everything all the time may win this often; then the order of uses that overlap
 * the eviction is taken as it was when it began. */
enum { PATIENCE = 3 };

struct going {
	struct wan_cache_entry *first, *last; /* in state LEAVING */
	struct wan_cache_entry *old;          /* goes in any case, NULL: none */
	uint64_t free_bytes;                  /* of those without a pin */
	uint64_t counted;
	unsigned rounds;
	bool others;   /* some thread could pin without the lock when the step began */
	bool begun[2]; /* searches in the order of use */
};

static void append(struct wan_cache_entry **first, struct wan_cache_entry **last,
		   struct wan_cache_entry *entry)
{
	entry->chain = NULL;
	if (*last)
		(*last)->chain = entry;
	else
		*first = entry;
	*last = entry;
}

void wan_cache_bury_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
			   struct wan_victims *victims)
{
	wan_store_relaxed(&entry->state, WAN_ENTRY_DYING);
	append(&victims->first, &victims->last, entry);
	victims->bytes += entry->charge_bytes;
	cache->budget.stored_bytes -= entry->charge_bytes;
	cache->budget.dying_bytes += entry->charge_bytes;
}

/* --- mark and unmark --- */

static void mark_locked(struct wan_cache *cache, struct going *going, struct wan_cache_entry *entry)
	WAN_REQUIRES(&cache->lock)
{
	if (!entry->pins)
		entry->seen = wan_order_last_use(&cache->order, entry->slot);
	wan_store_relaxed(&entry->state, WAN_ENTRY_LEAVING);
	append(&going->first, &going->last, entry);
}

/* release: whoever sees it INDEXED again sees what this step wrote */
static void unmark(struct wan_cache_entry *entry, enum wan_entry_state state)
{
	wan_store_release(&entry->state, (uint32_t)state);
}

static void sum_up_locked(struct wan_cache *cache, struct going *going) WAN_REQUIRES(&cache->lock)
{
	going->free_bytes = going->counted = 0;
	for (const struct wan_cache_entry *entry = going->first; entry; entry = entry->chain) {
		if (!wan_cache_is_pinned(cache, entry))
			going->free_bytes += entry->charge_bytes;
		going->counted += entry->counted;
	}
}

static bool skip(void *context, uint32_t slot)
{
	const struct wan_cache *cache = context;
	const struct wan_cache_entry *entry = wan_slots_at(&cache->slots, slot);
	return entry->state == WAN_ENTRY_LEAVING || wan_cache_is_pinned(cache, entry);
}

/* Marks the oldest that can go; NULL: none is left. */
static struct wan_cache_entry *mark_oldest_locked(struct wan_cache *cache, struct going *going,
						  bool counted) WAN_REQUIRES(&cache->lock)
{
	if (counted && cache->budget.counted == cache->budget.entries)
		counted = false; /* all are: one search serves for both */
	if (!going->begun[counted])
		wan_order_begin(&cache->order, counted, cache->pinned_entries);
	going->begun[counted] = true;
	uint32_t slot;
	do {
		slot = wan_order_next(&cache->order, counted, skip, cache);
	} while (slot != WAN_ORDER_NONE && skip(cache, slot));
	if (slot == WAN_ORDER_NONE)
		return NULL;
	struct wan_cache_entry *entry = wan_slots_at(&cache->slots, slot);
	mark_locked(cache, going, entry);
	/* Not a new look at its stamps: that would hide a use since the choice. */
	entry->seen = wan_order_chosen_by(&cache->order, counted);
	going->free_bytes += entry->charge_bytes;
	going->counted += entry->counted;
	return entry;
}

/* Bytes first, as strict LRU takes the oldest whatever its class; then entries. */
static bool mark_enough_locked(struct wan_cache *cache, struct going *going,
			       const struct wan_budget_goal *goal) WAN_REQUIRES(&cache->lock)
{
	/* What was unmarked is a candidate again; a policy's walk has ended since. */
	if (cache->order.policy)
		going->begun[0] = going->begun[1] = false;
	while (wan_goal_short_of_bytes(goal, going->free_bytes)) {
		if (!mark_oldest_locked(cache, going, false))
			return false;
	}
	while (wan_goal_short_of_entries(goal, going->counted)) {
		if (!mark_oldest_locked(cache, going, true))
			return false;
	}
	return true;
}

/* The first look, before anything is marked. A thread that ends meanwhile has used the time. */
static void begin_locked(struct wan_cache *cache, struct going *going) WAN_REQUIRES(&cache->lock)
{
	going->others = wan_cache_others_locked(cache);
	wan_cache_look_locked(cache);
}

/* What is marked can no longer be pinned without the lock: this look is final. Unmarks those that
 * were, or that were used until a moment ago. Nothing to do while no other thread could pin, and
 * nothing marked is pinned: then the look before the marks was as good. (A pin that the first look
 * saw may have been given back, by a thread without a record, too early to see the mark.) */
static void confirm_locked(struct wan_cache *cache, struct going *going) WAN_REQUIRES(&cache->lock)
{
	bool old_pinned = going->old && wan_cache_is_pinned(cache, going->old);
	if (!going->first || (!going->others && !old_pinned))
		return;
	wan_cache_see_all_locked(cache);
	wan_cache_look_locked(cache);
	struct wan_cache_entry *entry = going->first, *next;
	going->first = going->last = NULL;
	for (; entry; entry = next) {
		next = entry->chain;
		if (entry != going->old) {
			bool pinned = wan_cache_is_pinned(cache, entry);
			bool used = !pinned && !cache->order.policy && going->rounds < PATIENCE &&
				    wan_order_last_use(&cache->order, entry->slot) != entry->seen;
			if (pinned || used) {
				unmark(entry, wan_entry_rest(entry));
				if (used)
					wan_order_again(&cache->order, entry->slot);
				continue;
			}
		}
		append(&going->first, &going->last, entry);
	}
	going->rounds++;
	sum_up_locked(cache, going);
}

static void end_searches(struct wan_cache *cache, const struct going *going)
{
	for (unsigned which = 0; which < WAN_COUNT_OF(going->begun); which++) {
		if (going->begun[which])
			wan_order_end(&cache->order, which);
	}
}

static void roll_back_locked(struct wan_cache *cache, struct going *going)
	WAN_REQUIRES(&cache->lock)
{
	for (struct wan_cache_entry *entry = going->first, *next; entry; entry = next) {
		next = entry->chain;
		/* OWING is right for whatever it was before. */
		unmark(entry, entry == going->old ? WAN_ENTRY_OWING : wan_entry_rest(entry));
	}
	end_searches(cache, going);
}

/* All that is marked leaves the index. */
static void commit_locked(struct wan_cache *cache, struct going *going, enum wan_cache_word word,
			  struct wan_victims *victims) WAN_REQUIRES(&cache->lock)
{
	for (struct wan_cache_entry *entry = going->first, *next; entry; entry = next) {
		next = entry->chain;
		wan_table_remove(&cache->table, entry);
		wan_order_remove(&cache->order, entry->slot,
				 word == CACHE_WORD_EVICTIONS && entry != going->old);
		cache->budget.entries--;
		cache->budget.counted -= entry->counted;
		cache->budget.indexed_bytes -= entry->charge_bytes;
		if (entry != going->old && word < CACHE_WORDS)
			wan_counters_add(&cache->counters, word, 1);
		wan_tier_left(cache, entry, entry != going->old && word == CACHE_WORD_EVICTIONS,
			      victims);
		if (wan_cache_is_pinned(cache, entry))
			wan_store_release(&entry->state, WAN_ENTRY_DETACHED);
		else
			wan_cache_bury_locked(cache, entry, victims);
	}
	end_searches(cache, going);
}

/* --- grants and limits --- */

int wan_cache_grant_locked(struct wan_cache *cache, struct wan_budget_ask *ask,
			   struct wan_cache_entry *old, struct wan_victims *victims)
{
	ask->own_bytes = victims->bytes;
	if (ask->bytes > cache->budget.limit_bytes)
		return -EFBIG;
	struct wan_budget_goal goal = wan_budget_goal_of_ask(&cache->budget, ask);
	struct going going = {.old = old};
	if (old || wan_goal_short_of_bytes(&goal, 0) || wan_goal_short_of_entries(&goal, 0)) {
		begin_locked(cache, &going);
		ask->leaves = old && old->counted && wan_cache_is_pinned(cache, old);
		cache->budget.cold_bytes = cache->tier.store.charge_bytes;
		int rc = wan_budget_feasible(&cache->budget, ask);
		if (rc < 0)
			return rc;
		/* What is ready goes first, since its cold form may remain; then cold forms. */
		if (wan_goal_short_of_bytes(&goal, cache->budget.evictable_bytes)) {
			uint64_t hot_bytes = cache->budget.evictable_bytes;
			wan_tier_yield(cache, goal.bytes - goal.bytes_max - hot_bytes, victims);
			ask->own_bytes = victims->bytes;
			goal = wan_budget_goal_of_ask(&cache->budget, ask);
		}
		if (old) {
			mark_locked(cache, &going, old);
			sum_up_locked(cache, &going);
		}
		do {
			if (!mark_enough_locked(cache, &going, &goal)) {
				roll_back_locked(cache, &going);
				return -EAGAIN;
			}
			confirm_locked(cache, &going);
		} while (wan_goal_short_of_bytes(&goal, going.free_bytes) ||
			 wan_goal_short_of_entries(&goal, going.counted));
		commit_locked(cache, &going, CACHE_WORD_EVICTIONS, victims);
		ask->own_bytes = victims->bytes;
	}
	victims->bytes -= wan_budget_convert(&cache->budget, ask);
	return 0;
}

uint32_t wan_cache_owe_locked(struct wan_cache *cache)
{
	uint32_t count = 0;
	for (uint32_t slot = 0; slot < cache->order.capacity; slot++) {
		if (cache->order.born[slot] == WAN_ORDER_GONE)
			continue;
		struct wan_cache_entry *entry = wan_slots_at(&cache->slots, slot);
		if (entry->state != WAN_ENTRY_INDEXED)
			continue;
		wan_store_relaxed(&entry->state, WAN_ENTRY_OWING);
		count++;
	}
	return count;
}

uint64_t wan_cache_shrink_locked(struct wan_cache *cache, uint64_t target_bytes,
				 struct wan_victims *victims)
{
	uint64_t before_bytes = victims->bytes;
	struct wan_budget_goal goal = wan_budget_goal_of_target(&cache->budget, target_bytes);
	if (!wan_goal_short_of_bytes(&goal, 0) && !wan_goal_short_of_entries(&goal, 0))
		return 0;
	bool enough;
	do {
		struct going going = {0};
		begin_locked(cache, &going);
		do {
			enough = mark_enough_locked(cache, &going, &goal);
			confirm_locked(cache, &going);
		} while (enough && (wan_goal_short_of_bytes(&goal, going.free_bytes) ||
				    wan_goal_short_of_entries(&goal, going.counted)));
		commit_locked(cache, &going, CACHE_WORD_EVICTIONS, victims);
		goal = wan_budget_goal_of_target(&cache->budget, target_bytes);
		if (wan_goal_short_of_bytes(&goal, 0)) {
			wan_tier_yield(cache, goal.bytes - goal.bytes_max, victims);
			goal = wan_budget_goal_of_target(&cache->budget, target_bytes);
			enough = !wan_goal_short_of_bytes(&goal, 0) &&
				 !wan_goal_short_of_entries(&goal, 0);
		}
		if (enough || !wan_budget_in_debt(&cache->budget) ||
		    wan_cache_owe_locked(cache) == 0)
			break;
		/* From now on releases tell; one more look for those that did not. */
		wan_cache_see_all_locked(cache);
	} while (true);
	return victims->bytes - before_bytes;
}

/* --- all, one, or what was idle for too long --- */

/* Counted ones before the others, and the oldest of each first. */
static bool before(const struct wan_cache_entry *a, const struct wan_cache_entry *b)
{
	if (a->counted != b->counted)
		return a->counted;
	return (a->pins ? 0 : a->seen) <= (b->pins ? 0 : b->seen);
}

static struct wan_cache_entry *merge(struct wan_cache_entry *a, struct wan_cache_entry *b)
{
	struct wan_cache_entry *first = NULL, **link = &first;
	while (a && b) {
		struct wan_cache_entry **smaller = before(a, b) ? &a : &b;
		*link = *smaller;
		link = &(*smaller)->chain;
		*smaller = *link;
	}
	*link = a ? a : b;
	return first;
}

/* Merge sort of a chain: places[i] holds 2^i sorted ones or none. */
static void sort_by_age(struct going *going)
{
	struct wan_cache_entry *places[32] = {0}, *next;
	for (struct wan_cache_entry *entry = going->first; entry; entry = next) {
		next = entry->chain;
		entry->chain = NULL;
		unsigned i = 0;
		for (; i < WAN_COUNT_OF(places) - 1 && places[i]; i++) {
			entry = merge(places[i], entry);
			places[i] = NULL;
		}
		places[i] = merge(places[i], entry);
	}
	going->first = NULL;
	for (unsigned i = 0; i < WAN_COUNT_OF(places); i++)
		going->first = merge(places[i], going->first);
}

void wan_cache_drop_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
			   struct wan_victims *victims)
{
	struct going going = {0};
	assert(wan_entry_is_indexed(entry));
	mark_locked(cache, &going, entry);
	wan_cache_see_all_locked(cache);
	wan_cache_look_locked(cache);
	commit_locked(cache, &going, CACHE_WORDS, victims);
}

void wan_cache_drop_all_locked(struct wan_cache *cache, struct wan_victims *victims)
{
	struct going going = {0};
	wan_tier_clear(cache, victims);
	for (uint32_t slot = 0; slot < cache->order.capacity; slot++) {
		if (cache->order.born[slot] != WAN_ORDER_GONE)
			mark_locked(cache, &going, wan_slots_at(&cache->slots, slot));
	}
	if (!going.first)
		return;
	wan_cache_see_all_locked(cache);
	wan_cache_look_locked(cache);
	sort_by_age(&going);
	commit_locked(cache, &going, CACHE_WORDS, victims);
}

static uint64_t expiry_of(const struct wan_cache *cache, uint64_t last_use)
{
	uint64_t at;
	uint64_t idle = (uint64_t)cache->ticker.idle_next;
	return __builtin_add_overflow(last_use, idle, &at) ? UINT64_MAX : at;
}

void wan_cache_note_expiry_locked(struct wan_cache *cache, const struct wan_cache_entry *entry)
{
	uint64_t at = expiry_of(cache, wan_order_last_use(&cache->order, entry->slot));
	cache->next_expiry = WAN_MIN(cache->next_expiry, at);
}

/* Marks what seems to be idle for too long, and finds when the next one will be. */
static void mark_idle_locked(struct wan_cache *cache, struct going *going, uint64_t now)
	WAN_REQUIRES(&cache->lock)
{
	cache->next_expiry = UINT64_MAX;
	for (uint32_t slot = 0; slot < cache->order.capacity; slot++) {
		if (cache->order.born[slot] == WAN_ORDER_GONE)
			continue;
		uint64_t last = wan_order_last_use(&cache->order, slot);
		if (wan_ticker_expired(&cache->ticker, last, now))
			mark_locked(cache, going, wan_slots_at(&cache->slots, slot));
		else
			cache->next_expiry = WAN_MIN(cache->next_expiry, expiry_of(cache, last));
	}
}

uint64_t wan_cache_expire_locked(struct wan_cache *cache, struct wan_victims *victims)
{
	if (!cache->ticker.idle_ns)
		return 0;
	uint64_t now = wan_ticker_read(&cache->ticker);
	if (now < cache->next_expiry)
		return 0;
	struct going going = {0};
	wan_ticker_refine(&cache->ticker);
	mark_idle_locked(cache, &going, now);
	uint64_t cold = wan_tier_expire(cache, now, victims);
	wan_counters_add(&cache->counters, CACHE_WORD_EXPIRATIONS, cold);
	if (!going.first)
		return cold;
	wan_cache_see_all_locked(cache);
	wan_cache_look_locked(cache);
	struct wan_cache_entry *entry = going.first, *next;
	uint64_t count = 0;
	going.first = going.last = NULL;
	for (; entry; entry = next) {
		next = entry->chain;
		uint64_t last = wan_order_last_use(&cache->order, entry->slot);
		if (wan_cache_is_pinned(cache, entry)) {
			unmark(entry, WAN_ENTRY_OWING); /* its release starts to count */
		} else if (!wan_ticker_expired(&cache->ticker, last, now)) {
			unmark(entry, wan_entry_rest(entry));
			wan_cache_note_expiry_locked(cache, entry);
		} else {
			append(&going.first, &going.last, entry);
			count++;
		}
	}
	sort_by_age(&going);
	commit_locked(cache, &going, CACHE_WORD_EXPIRATIONS, victims);
	return count + cold;
}
