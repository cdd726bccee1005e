/* SPDX-License-Identifier: MIT */
/* What the benches of the cache share. */
#ifndef WAN_BENCH_CACHE_BENCH_H
#define WAN_BENCH_CACHE_BENCH_H

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "macros.h"
#include "wan/cache.h"

/* A key as prepared by a caller: hashed already. */
static inline struct wan_key bench_key(uint64_t number)
{
	uint64_t hash = (number + 1) * 0x9e3779b97f4a7c15u;
	return (struct wan_key){{hash ^ hash >> 29, number}};
}

static inline struct wan_cache *bench_cache(uint64_t limit_bytes, uint64_t entry_limit,
					    enum wan_cache_policy policy)
{
	struct wan_cache_options options;
	struct wan_cache *cache;
	wan_cache_options_init(&options);
	options.limit_bytes = limit_bytes;
	options.entry_limit = entry_limit;
	options.policy = policy;
	if (wan_cache_create(&options, &cache) < 0)
		exit(1);
	return cache;
}

static inline void bench_put(struct wan_cache *cache, struct wan_key key, uint64_t bytes)
{
	struct wan_value value = {.data = cache, .bytes = bytes};
	if (wan_cache_put(cache, key, &value) < 0)
		exit(1);
}

static inline void *bench_nothing(void *argument)
{
	return argument;
}

/* glibc's mutexes cost a third in a process that never had a second thread; a program with a
 * runtime has one. */
static inline void bench_start_threads(void)
{
	pthread_t other;
	if (pthread_create(&other, NULL, bench_nothing, NULL) == 0)
		pthread_join(other, NULL);
}

#endif
