/* SPDX-License-Identifier: MIT */
/*
 * What stands between a program that keeps every image and the limit of its memory:
 *	none	nothing: a cache without a bound
 *	fits	a cache whose bound was chosen by somebody who knew the limit
 *	poll10	a cache without a bound, and a thread that reads usage every 10 ms: above 85 % of
 *the limit it drops the oldest down to 70 %, the usual remedy
 *	ours	the runtime with its defaults; it is told nothing
 */
#ifndef WAN_BENCH_SURVIVE_GUARD_H
#define WAN_BENCH_SURVIVE_GUARD_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "naive_cache.h"
#include "wan/wan.h"

enum guard { GUARD_NONE, GUARD_FITS, GUARD_POLL10, GUARD_OURS };

struct survive {
	enum guard guard;
	uint64_t limit_bytes;
	const char *usage_path;   /* of the group, for the watcher */
	struct naive_cache naive; /* all but ours */
	struct wan_runtime *runtime;
	uint32_t stopping; /* atomic */
};

static inline bool survive_guard_of(const char *name, enum guard *ret)
{
	static const char *const names[] = {"none", "fits", "poll10", "ours"};
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0) {
			*ret = (enum guard)i;
			return true;
		}
	}
	return false;
}

static inline void survive_pause_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static inline void survive_drop(struct naive_cache *cache, uint64_t bytes)
{
	pthread_mutex_lock(&cache->lock);
	uint64_t target = cache->used_bytes > bytes ? cache->used_bytes - bytes : 0;
	while (cache->used_bytes > target)
		naive_drop(cache, naive_place(cache, cache->ends.previous->key));
	pthread_mutex_unlock(&cache->lock);
}

static inline void *survive_watch(void *argument)
{
	struct survive *survive = argument;
	int fd = open(survive->usage_path, O_RDONLY | O_CLOEXEC);
	char text[32];
	while (fd >= 0 && !__atomic_load_n(&survive->stopping, __ATOMIC_RELAXED)) {
		ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
		text[n > 0 ? n : 0] = '\0';
		uint64_t usage = strtoull(text, NULL, 10);
		if (usage > survive->limit_bytes / 100 * 85)
			survive_drop(&survive->naive, usage - survive->limit_bytes / 100 * 70);
		survive_pause_ms(10);
	}
	return NULL;
}

/* The bound of "fits": what is left when every thread has one image in the making. */
static inline bool survive_open(struct survive *survive, uint64_t fits_bytes)
{
	pthread_t watcher;
	uint64_t bound = survive->guard == GUARD_FITS ? fits_bytes : UINT64_MAX;
	naive_init(&survive->naive, bound, UINT32_MAX / 4096);
	if (survive->guard == GUARD_POLL10)
		return pthread_create(&watcher, NULL, survive_watch, survive) == 0;
	if (survive->guard == GUARD_OURS)
		survive->runtime = wan_runtime_default();
	return survive->guard != GUARD_OURS || survive->runtime;
}

static inline void survive_keep(struct survive *survive, uint64_t number, void *data,
				uint64_t bytes)
{
	const uint64_t key[2] = {(number + 1) * 0x9e3779b97f4a7c15u, number};
	naive_put(&survive->naive, key, data, bytes, free);
}

#endif
