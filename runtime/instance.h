/* SPDX-License-Identifier: MIT */
/* The runtime object as its own files see it. */
#ifndef WAN_RUNTIME_INSTANCE_H
#define WAN_RUNTIME_INSTANCE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "auto_limit.h"
#include "config.h"
#include "event.h"
#include "identity.h"
#include "lock.h"
#include "restore.h"
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
	struct wan_cond wake;           /* for a thread that has no descriptor */
	struct wan_event wake_event;
	bool stopping; /* atomic */
	bool has_thread;
	uint32_t thread_generation;       /* of the process that it is in */
	pthread_t thread;                 /* looks at memory every memory.interval */
	struct wan_restore memory_alert;  /* lock */
	struct wan_restore latency_alert; /* lock */
	double latency_ms;                /* lock; of the last sample */
	struct {
		const char *what; /* static */
		uint64_t time_ns, before, after;
	} last_action; /* atomic each; what alerts tell, no more */
	/* Of the thread: the last resource sample. */
	uint64_t sampled_ns, sampled_cpu_ns;
};

/* A stable copy of an operation name; "thumbnail" when there are too many of them. */
const char *wan_runtime_name(struct wan_runtime *runtime, const char *text, const char *fallback);
/* Record an action; unit bytes or entries as the name says. */
void wan_runtime_record_action(struct wan_runtime *runtime, const char *what, const char *reason,
			       uint32_t level, const uint64_t values[4]);

/* Append an event of the schema to the recording; name and text may be NULL. */
void wan_runtime_record_event(struct wan_runtime *runtime, uint32_t kind, const char *name,
			      const char *text, uint32_t code, const uint64_t values[4]);
/* The cache's new limit at once, its pages given back. context is the runtime. Returns the bytes
 * dropped. */
uint64_t wan_wire_set_cache_limit(void *context, uint64_t limit_bytes);

/* Let the cache's ceiling follow memory, when cache.auto says so and it is time. */
void wan_runtime_follow_memory(struct wan_runtime *runtime);

/* watch.c: the thread. 0, negative errno. */
int wan_runtime_watch(struct wan_runtime *runtime);
/* Whether it is there to take the samples of the progress monitor; begins at once. */
bool wan_runtime_hosts(void *context);
/* Have it look at memory now. Threads: any. */
void wan_runtime_wake(struct wan_runtime *runtime);
/* Ends and joins it; no thread is fine. */
void wan_runtime_stop_watching(struct wan_runtime *runtime);

/* wire.c: introduce the parts to each other. 0, negative errno; half-wired objects are fine for
 * wan_wire_disconnect(). */
int wan_wire_connect(struct wan_runtime *runtime, struct wan_error *reterr_error);
void wan_wire_disconnect(struct wan_runtime *runtime);
/* Record what this process and its machine use, once a second, while no monitor does. */
void wan_wire_sample(struct wan_runtime *runtime);
/* Bring the statistics in the recording up to date. */
void wan_wire_publish(struct wan_runtime *runtime);

#endif
