/* SPDX-License-Identifier: MIT */
/*
 * Which content a path names just now, as a token of 128 bits: equal tokens mean equal pixels.
 *
 * inotify  a path once looked at is watched, with every folder and link on its way; a look drains
 *          the queue first, and events are queued before the writer's call returns, so a change
 *          that happened before the look is never missed. What raises no event (a mapping that is
 *          written to, a file system mounted over) is seen by a stat at most every 100 ms.
 * stat     a stat at most every 100 ms
 * strict   a stat at each look
 * auto     inotify; a path that cannot be watched as stat
 * A path that cannot be watched in mode inotify, and every relative path, is looked at as strict.
 */
#ifndef WAN_RUNTIME_IDENTITY_H
#define WAN_RUNTIME_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "wan/cache.h"
#include "wan/runtime.h"

struct wan_identity;

struct wan_identity_options {
	enum wan_identity_mode mode;
	bool by_content; /* the token is a hash of the bytes: one for equal files */
	/* Called without locks for each noted key whose file has changed. NULL: nobody cares. */
	void (*gone)(void *context, struct wan_key key);
	void *context;
	uint64_t (*now_ns)(void); /* clock of the 100 ms; NULL: CLOCK_MONOTONIC_COARSE */
	uint32_t paths_max;       /* 0: 1024 */
};

/* What a look found. */
struct wan_sight {
	struct wan_key token;
	uint32_t file; /* private */
};

/* 0, -ENOMEM. Nothing is opened before the first look. */
int wan_identity_create(const struct wan_identity_options *options,
			struct wan_identity **ret_identity);
/* NULL is fine. */
void wan_identity_destroy(struct wan_identity *identity);

/* 0, or the negative errno of stat, -ENOMEM. Any thread. An unchanged path costs one system call
 * that asks for the length of the queue and one look-up; no allocation, no stat. */
int wan_identity_look(struct wan_identity *identity, const char *path, struct wan_sight *ret_sight);
/* Does path still name what was seen? Asks the kernel in every mode. */
bool wan_identity_still(struct wan_identity *identity, const char *path,
			const struct wan_sight *sight);
/* The value of key is about to be made from what was seen: gone() is called when that changes. */
void wan_identity_note(struct wan_identity *identity, const struct wan_sight *sight,
		       struct wan_key key);

void wan_identity_stats(struct wan_identity *identity, struct wan_identity_stats *ret_stats);

#endif
