/* SPDX-License-Identifier: MIT */
/*
 * The cache as a child would write it: one array, searched from end to end, nothing clever. What it
 * throws out, and in which order, is the truth the real one is compared with.
 */
#ifndef WAN_TESTS_CACHE_MODEL_H
#define WAN_TESTS_CACHE_MODEL_H

#include "support.h"

enum { MODEL_MAX = 4096 };

struct model_entry {
	bool alive, indexed, counted;
	unsigned rank; /* by hint: 0 goes first */
	uint64_t key, weight, stamp, used_ns;
	uintptr_t value;
	unsigned pins;
};

static struct model {
	struct model_entry entries[MODEL_MAX];
	unsigned top; /* entries in use are below */
	uint64_t limit_bytes, entry_limit, idle_ns, in_flight_bytes, stamp;
	uint64_t hits, misses, evictions, expirations, puts, refused, passed;
	uintptr_t out[MODEL_MAX]; /* thrown out by the operation under way, in order */
	bool loose[MODEL_MAX];    /* whose order among its neighbours says nothing: not evicted */
	bool loosely;
	unsigned out_count;
} model;

static uint64_t model_used(void)
{
	uint64_t sum = model.in_flight_bytes;
	for (unsigned i = 0; i < model.top; i++)
		sum += model.entries[i].alive ? model.entries[i].weight : 0;
	return sum;
}

static uint64_t model_entries(bool only_counted)
{
	uint64_t count = 0;
	for (unsigned i = 0; i < model.top; i++)
		count += model.entries[i].indexed && (model.entries[i].counted || !only_counted);
	return count;
}

static uint64_t model_pinned(void)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < model.top; i++)
		sum += model.entries[i].alive && model.entries[i].pins ? model.entries[i].weight
								       : 0;
	return sum;
}

static struct model_entry *model_find(uint64_t key)
{
	for (unsigned i = 0; i < model.top; i++) {
		if (model.entries[i].indexed && model.entries[i].key == key)
			return &model.entries[i];
	}
	return NULL;
}

static void model_die(struct model_entry *entry)
{
	entry->alive = false;
	model.loose[model.out_count] = model.loosely;
	model.out[model.out_count++] = entry->value;
}

static void model_drop(struct model_entry *entry)
{
	entry->indexed = false;
	if (!entry->pins)
		model_die(entry);
}

static bool model_before(const struct model_entry *a, const struct model_entry *b)
{
	return a->rank != b->rank ? a->rank < b->rank : a->stamp < b->stamp;
}

/* Who goes next: first those hinted as SCAN, last those hinted as PIN, among equals the oldest. */
static struct model_entry *model_oldest(bool only_counted)
{
	struct model_entry *oldest = NULL;
	for (unsigned i = 0; i < model.top; i++) {
		struct model_entry *entry = &model.entries[i];
		if (entry->indexed && !entry->pins && (entry->counted || !only_counted) &&
		    (!oldest || model_before(entry, oldest)))
			oldest = entry;
	}
	return oldest;
}

/* A use of the entry. */
static void model_use(struct model_entry *entry)
{
	entry->stamp = ++model.stamp;
	entry->used_ns = test_now_ns;
	if (entry->rank == 0)
		entry->rank = 1;
}

static void model_evict(struct model_entry *entry)
{
	model.evictions++;
	model_drop(entry);
}

static void model_shrink(uint64_t target_bytes)
{
	while (model_used() > target_bytes && model_oldest(false))
		model_evict(model_oldest(false));
	while (model_entries(true) > model.entry_limit && model_oldest(true))
		model_evict(model_oldest(true));
}

static bool model_expired(const struct model_entry *entry)
{
	return entry->indexed && !entry->pins && test_now_ns - entry->used_ns >= model.idle_ns;
}

static void model_expire(void)
{
	model.loosely = true;
	for (unsigned i = 0; i < model.top; i++) {
		if (model_expired(&model.entries[i])) {
			model.expirations++;
			model_drop(&model.entries[i]);
		}
	}
	model.loosely = false;
}

static void model_clear(void)
{
	model.loosely = true;
	for (unsigned i = 0; i < model.top; i++) {
		if (model.entries[i].indexed)
			model_drop(&model.entries[i]);
	}
	model.loosely = false;
}

/* Bytes that stay whatever is evicted. */
static uint64_t model_firm_bytes(void)
{
	uint64_t sum = model_used();
	for (unsigned i = 0; i < model.top; i++) {
		const struct model_entry *entry = &model.entries[i];
		sum -= entry->indexed && !entry->pins ? entry->weight : 0;
	}
	return sum;
}

static int model_room(uint64_t weight, bool counted, const struct model_entry *old)
{
	if (weight > model.limit_bytes)
		return -EFBIG;
	if (model_firm_bytes() + weight > model.limit_bytes)
		return -EAGAIN;
	uint64_t firm = 0;
	for (unsigned i = 0; i < model.top; i++) {
		const struct model_entry *entry = &model.entries[i];
		firm += entry->indexed && entry->counted && entry->pins && entry != old;
	}
	return counted && firm >= model.entry_limit ? -EAGAIN : 0;
}

static struct model_entry *model_new(uint64_t key, uintptr_t value, uint64_t weight, uint32_t flags)
{
	unsigned i = 0;
	while (i < model.top && model.entries[i].alive)
		i++;
	if (i == model.top)
		model.top++;
	model.entries[i] = (struct model_entry){.alive = true,
						.counted = !(flags & WAN_CACHE_DERIVED),
						.rank = flags & WAN_CACHE_SCAN  ? 0
							: flags & WAN_CACHE_PIN ? 2
										: 1,
						.key = key,
						.value = value,
						.weight = weight,
						.used_ns = test_now_ns};
	return &model.entries[i];
}

/* 0 and the entry, or why not. */
static int model_store(uint64_t key, uintptr_t value, uint64_t weight, uint32_t flags,
		       struct model_entry **ret_entry)
{
	bool counted = !(flags & WAN_CACHE_DERIVED);
	struct model_entry *old = model_find(key);
	int rc = model_room(weight, counted, old);
	if (rc < 0)
		return rc;
	if (old)
		model_drop(old);
	while (model_used() + weight > model.limit_bytes)
		model_evict(model_oldest(false));
	while (counted && model_entries(true) >= model.entry_limit)
		model_evict(model_oldest(true));
	*ret_entry = model_new(key, value, weight, flags);
	(*ret_entry)->indexed = true;
	(*ret_entry)->stamp = ++model.stamp;
	model.puts++;
	return 0;
}

/* Not stored: charged when the bytes alone have room. */
static struct model_entry *model_hold(uint64_t key, uintptr_t value, uint64_t weight,
				      uint32_t flags)
{
	bool fits = model_room(weight, false, NULL) == 0;
	while (fits && model_used() + weight > model.limit_bytes)
		model_evict(model_oldest(false));
	model.passed++;
	return model_new(key, value, fits ? weight : 0, flags);
}

static struct model_entry *model_request(uint64_t key)
{
	struct model_entry *entry = model_find(key);
	if (entry && model_expired(entry)) {
		model.expirations++;
		model_drop(entry);
		entry = NULL;
	}
	if (!entry) {
		model.misses++;
		return NULL;
	}
	model.hits++;
	model_use(entry);
	entry->pins++;
	return entry;
}

static void model_release(struct model_entry *entry)
{
	if (--entry->pins)
		return;
	if (!entry->indexed)
		model_die(entry);
	else
		model_shrink(model.limit_bytes);
}

#endif
