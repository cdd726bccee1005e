/* SPDX-License-Identifier: MIT */
/*
 * cache.auto: the ceiling follows available memory. Every five seconds cache.auto_percent of it,
 * 32 to 512 MB; changed when that is more than a tenth away. "Available" is the least that host and
 * cgroups leave, with what the cache holds itself counted in, or the ceiling would chase its tail.
 *
 * Others lower the limit too (a memory level, an alert, the program). Theirs stays: it is raised
 * only while it is what was set here last, and only while memory is at its normal level.
 */
#ifndef WAN_RUNTIME_AUTO_LIMIT_H
#define WAN_RUNTIME_AUTO_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "wan/cache.h"
#include "wan/memory.h"

struct wan_auto_limit {
	bool on;
	double percent;
	uint64_t looked_ns;  /* atomic; 0: never */
	uint64_t ours_bytes; /* as set last; written by whoever moved looked_ns */
};

struct wan_auto_look {
	uint64_t available_bytes; /* host; 0: unknown */
	uint64_t headroom_bytes;  /* of the tightest level */
	enum wan_memory_level level;
	uint64_t used_bytes, limit_bytes; /* of the cache */
};

/* The limit to set, or 0: leave it. Pure. */
uint64_t wan_auto_limit_for(const struct wan_auto_limit *follow, const struct wan_auto_look *look);
/* Is it time? True for one caller every five seconds. */
bool wan_auto_limit_due(struct wan_auto_limit *follow, uint64_t now_ns);
/* Look and set. True: changed, with both limits told. */
bool wan_auto_limit_follow(struct wan_auto_limit *follow, struct wan_cache *cache,
			   struct wan_memory *memory, uint64_t *ret_before, uint64_t *ret_after);

#endif
