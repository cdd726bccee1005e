/* SPDX-License-Identifier: MIT */
/* The runtime object as its own files see it. */
#ifndef WAN_RUNTIME_INSTANCE_H
#define WAN_RUNTIME_INSTANCE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "auto_limit.h"
#include "config.h"
#include "identity.h"
#include "lock.h"
#include "wan/runtime.h"
#include "writer.h"

#define WAN_RUNTIME_NAMES 64

struct wan_runtime {
	uint32_t refs; /* atomic */
	struct wan_config config;
	struct wan_recorder *recorder; /* of the process; borrowed */
	uint64_t *counters;            /* WAN_COUNTERS_RUNTIME, or NULL */
	struct wan_cache *cache;
	struct wan_identity *identity;
	struct wan_memory *memory;
	struct wan_progress *progress;
	struct wan_profile *profile;
	struct wan_auto_limit follow; /* cache.auto */
	uint64_t actions;             /* atomic: limits changed by alerts or memory levels */

	struct wan_mutex lock;          /* rank WAN_RANK_RUNTIME */
	char *names[WAN_RUNTIME_NAMES]; /* lock; operation names with sizes in them */
	struct wan_cond wake;
	bool stopping; /* lock */
	bool has_thread;
	pthread_t thread; /* looks at memory every memory.interval */
};

/* A stable copy of an operation name; "thumbnail" when there are too many of them. */
const char *wan_runtime_name(struct wan_runtime *runtime, const char *text, const char *fallback);
/* Record an action; unit bytes or entries as the name says. */
void wan_runtime_record_action(struct wan_runtime *runtime, const char *what, const char *reason,
			       uint32_t level, const uint64_t values[4]);

/* Let the cache's ceiling follow memory, when cache.auto says so and it is time. */
void wan_runtime_follow_memory(struct wan_runtime *runtime);

/* wire.c: introduce the parts to each other. 0, negative errno; half-wired objects are fine for
 * wan_wire_disconnect(). */
int wan_wire_connect(struct wan_runtime *runtime, struct wan_error *reterr_error);
void wan_wire_disconnect(struct wan_runtime *runtime);
/* Bring the statistics in the recording up to date. */
void wan_wire_publish(struct wan_runtime *runtime);

#endif
