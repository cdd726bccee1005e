/* SPDX-License-Identifier: MIT */
/*
 * What could be saved by who knows the future. For objects of one size and cost that is Belady's
 * rule, and exact. For others the optimum is out of reach: the best rule known is a floor of it
 * (the one with the largest size x distance / cost goes), and PFOO-L (Berger, Beckmann,
 * Harchol-Balter, SIGMETRICS 2018) a ceiling: each reuse takes size x distance of the room, the
 * dearest for its room first, until all room of all time is spent.
 */
#ifndef WAN_BENCH_SIMULATE_OFFLINE_H
#define WAN_BENCH_SIMULATE_OFFLINE_H

#include "simulate_trace.h"

struct offline {
	double best;  /* worth saved by the best rule */
	double bound; /* nobody saves more */
};

struct offline_held {
	uint32_t key, next;
	double worth;
};

struct offline_cache {
	const struct trace *trace;
	struct offline_held *held;
	uint32_t *places; /* by key, TRACE_NEVER: not held */
	uint32_t count;
	uint64_t used_bytes;
};

static void offline_drop(struct offline_cache *cache, uint32_t place)
{
	cache->used_bytes -= cache->trace->bytes[cache->held[place].key];
	cache->places[cache->held[place].key] = TRACE_NEVER;
	cache->held[place] = cache->held[--cache->count];
	if (place < cache->count)
		cache->places[cache->held[place].key] = place;
}

/* Room and time the next use would take for what it saves. */
static double offline_price(const struct offline_cache *cache, const struct offline_held *held,
			    uint32_t now)
{
	double bytes = (double)cache->trace->bytes[held->key];
	return bytes * (held->next - now) / (held->worth > 0 ? held->worth : 1e-9);
}

static void offline_make_room(struct offline_cache *cache, uint64_t limit_bytes, uint32_t now)
{
	while (cache->used_bytes > limit_bytes) {
		uint32_t worst = 0;
		double worst_price = -1;
		for (uint32_t i = 0; i < cache->count; i++) {
			double price = offline_price(cache, &cache->held[i], now);
			if (price > worst_price) {
				worst_price = price;
				worst = i;
			}
		}
		offline_drop(cache, worst);
	}
}

static double offline_best(const struct trace *trace, uint64_t limit_bytes)
{
	struct offline_cache cache = {.trace = trace};
	double saved = 0;
	cache.held = trace_alloc(NULL, trace->keys + 1, sizeof(*cache.held));
	cache.places = trace_alloc(NULL, trace->keys + 1, sizeof(*cache.places));
	memset(cache.places, 0xff, trace->keys * sizeof(*cache.places));
	for (uint32_t i = 0; i < trace->count; i++) {
		const struct trace_access *access = &trace->accesses[i];
		uint64_t bytes = trace->bytes[access->key];
		if (cache.places[access->key] != TRACE_NEVER) {
			saved += trace_worth(trace, i);
			offline_drop(&cache, cache.places[access->key]);
		}
		if (access->next == TRACE_NEVER || bytes > limit_bytes)
			continue;
		cache.held[cache.count] = (struct offline_held){access->key, access->next,
								trace_worth(trace, access->next)};
		cache.places[access->key] = cache.count++;
		cache.used_bytes += bytes;
		offline_make_room(&cache, limit_bytes, i);
	}
	free(cache.held);
	free(cache.places);
	return saved;
}

struct offline_reuse {
	double room, worth;
};

/* The most worth for its room first. */
static int offline_compare(const void *left, const void *right)
{
	const struct offline_reuse *a = left, *b = right;
	double x = a->worth * b->room, y = b->worth * a->room;
	return x > y ? -1 : x < y;
}

static double offline_bound(const struct trace *trace, uint64_t limit_bytes)
{
	struct offline_reuse *reuses = trace_alloc(NULL, trace->count + 1, sizeof(*reuses));
	double room = (double)limit_bytes * trace->count, saved = 0;
	uint32_t count = 0;
	for (uint32_t i = 0; i < trace->count; i++) {
		const struct trace_access *access = &trace->accesses[i];
		uint64_t bytes = trace->bytes[access->key];
		if (access->next != TRACE_NEVER && bytes <= limit_bytes)
			reuses[count++] = (struct offline_reuse){(double)bytes * (access->next - i),
								 trace_worth(trace, access->next)};
	}
	qsort(reuses, count, sizeof(*reuses), offline_compare);
	for (uint32_t i = 0; i < count && room > 0; i++) {
		double part = reuses[i].room > room ? room / reuses[i].room : 1;
		saved += reuses[i].worth * part;
		room -= reuses[i].room;
	}
	free(reuses);
	return saved;
}

static struct offline offline_of(const struct trace *trace, uint64_t limit_bytes)
{
	struct offline offline = {.best = offline_best(trace, limit_bytes)};
	offline.bound = trace_has_sizes(trace) ? offline_bound(trace, limit_bytes) : offline.best;
	return offline;
}

#endif
