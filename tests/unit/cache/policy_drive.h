/* SPDX-License-Identifier: MIT */
/* A policy at work without the cache: what a plain loop over accesses asks of it. */
#ifndef WAN_TESTS_CACHE_POLICY_DRIVE_H
#define WAN_TESTS_CACHE_POLICY_DRIVE_H

#include "policy.h"
#include "tap.h"

enum { DRIVE_KEYS = 20000 };

struct drive {
	struct wan_policy *policy; /* NULL: strict LRU, kept here */
	uint64_t limit_bytes, used_bytes;
	uint64_t bytes[DRIVE_KEYS], cost_ns[DRIVE_KEYS]; /* by key, which is its slot too */
	uint64_t last[DRIVE_KEYS];                       /* 0: not cached */
	uint64_t turn, noted[DRIVE_KEYS], now;
	double saved, hits;
};

static inline struct wan_key drive_key(uint32_t number)
{
	return (struct wan_key){{number, ~(uint64_t)number}};
}

static inline struct drive *drive_new(enum wan_cache_policy which, uint64_t limit_bytes)
{
	struct drive *drive = calloc(1, sizeof(*drive));
	drive->limit_bytes = limit_bytes;
	if (which == WAN_CACHE_LRU)
		return drive;
	if (!CHECK_EQ(wan_policy_create(which, limit_bytes, INT64_MAX, &drive->policy), 0) ||
	    !CHECK_EQ(wan_policy_reserve(drive->policy, DRIVE_KEYS), 0))
		abort();
	wan_policy_set_limits(drive->policy, limit_bytes + wan_policy_bytes(drive->policy),
			      INT64_MAX);
	return drive;
}

static inline void drive_free(struct drive *drive)
{
	wan_policy_destroy(drive->policy);
	free(drive);
}

static inline uint32_t drive_victim(struct drive *drive)
{
	if (drive->policy) {
		wan_policy_begin(drive->policy, false);
		return wan_policy_next(drive->policy);
	}
	uint32_t oldest = WAN_POLICY_NONE;
	for (uint32_t key = 0; key < DRIVE_KEYS; key++) {
		if (drive->last[key] &&
		    (oldest == WAN_POLICY_NONE || drive->last[key] < drive->last[oldest]))
			oldest = key;
	}
	return oldest;
}

/* True: it was there. Uses are told once a turn, as the cache does. */
static inline bool drive_access(struct drive *drive, uint32_t key, uint64_t bytes, uint64_t cost_ns)
{
	bool hit = drive->last[key] != 0;
	drive->last[key] = ++drive->now;
	if (hit) {
		drive->hits++;
		drive->saved += (double)cost_ns;
		if (drive->policy && drive->noted[key] != drive->turn)
			wan_policy_used(drive->policy, key);
		drive->noted[key] = drive->turn;
		return true;
	}
	drive->last[key] = 0;
	if (drive->policy)
		wan_policy_missed(drive->policy, drive_key(key));
	while (drive->used_bytes + bytes > drive->limit_bytes) {
		uint32_t victim = drive_victim(drive);
		drive->used_bytes -= drive->bytes[victim];
		drive->last[victim] = 0;
		if (drive->policy)
			wan_policy_removed(drive->policy, victim, true);
	}
	drive->bytes[key] = bytes;
	drive->used_bytes += bytes;
	drive->last[key] = drive->now;
	drive->noted[key] = ++drive->turn;
	if (drive->policy)
		wan_policy_inserted(drive->policy, key,
				    &(struct wan_policy_entry){.key = drive_key(key),
							       .charge_bytes = bytes,
							       .cost_ns = cost_ns,
							       .counted = true});
	return false;
}

/* The same numbers in each run. */
static inline uint32_t drive_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

#endif
