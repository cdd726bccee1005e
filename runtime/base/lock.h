/* SPDX-License-Identifier: MIT */
/*
 * Mutexes with a rank. Debug builds stop (assert) when a thread takes locks in the wrong order;
 * clang -Wthread-safety stops at a missing or leaked lock. Take lower ranks first.
 */
#ifndef WAN_BASE_LOCK_H
#define WAN_BASE_LOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#if defined(__clang__)
#define WAN_LOCKABLE        __attribute__((capability("mutex")))
#define WAN_REQUIRES(m)     __attribute__((requires_capability(m)))
#define WAN_ACQUIRES(m)     __attribute__((acquire_capability(m)))
#define WAN_TRY_ACQUIRES(m) __attribute__((try_acquire_capability(true, m)))
#define WAN_RELEASES(m)     __attribute__((release_capability(m)))
#define WAN_NO_ANALYSIS     __attribute__((no_thread_safety_analysis))
#else
#define WAN_LOCKABLE
#define WAN_REQUIRES(m)
#define WAN_ACQUIRES(m)
#define WAN_TRY_ACQUIRES(m)
#define WAN_RELEASES(m)
#define WAN_NO_ANALYSIS
#endif

enum wan_lock_rank {
	WAN_RANK_RUNTIME = 10,  /* wiring: list of instances, configuration */
	WAN_RANK_PROGRESS = 20, /* tracker list, alert state */
	WAN_RANK_IDENTITY = 25, /* which content a path names */
	WAN_RANK_MEMORY = 30,   /* level, reclaimer list */
	WAN_RANK_BATCH = 35,    /* batch limits */
	WAN_RANK_CACHE = 40,    /* index, budget */
	WAN_RANK_READERS = 45,  /* which thread reads which cache */
	WAN_RANK_POOL = 50,     /* idle pixel buffers */
	WAN_RANK_PROFILE = 60,  /* start/stop of profiling */
	WAN_RANK_RECORD = 70,   /* string table, growth */
	WAN_RANK_LOG = 90,      /* log callback */
};

struct WAN_LOCKABLE wan_mutex {
	pthread_mutex_t native;
	enum wan_lock_rank rank;
};

#define WAN_MUTEX_INITIALIZER(rank_)                                                               \
	{                                                                                          \
		.native = PTHREAD_MUTEX_INITIALIZER, .rank = (rank_)                               \
	}

void wan_mutex_init(struct wan_mutex *mutex, enum wan_lock_rank rank);
void wan_mutex_finish(struct wan_mutex *mutex);
void wan_mutex_lock(struct wan_mutex *mutex) WAN_ACQUIRES(mutex);
/* False: somebody holds it, or this thread holds one that comes after it. For what may be left out
 * where waiting could be for ever. */
bool wan_mutex_try(struct wan_mutex *mutex) WAN_TRY_ACQUIRES(mutex);
void wan_mutex_unlock(struct wan_mutex *mutex) WAN_RELEASES(mutex);

/* A condition on CLOCK_MONOTONIC. */
struct wan_cond {
	pthread_cond_t native;
};
void wan_cond_init(struct wan_cond *cond);
void wan_cond_finish(struct wan_cond *cond);
void wan_cond_wake_all(struct wan_cond *cond);
/* Waits until woken or until deadline_ns of wan_now_ns() (UINT64_MAX: for ever).
 * Returns 0, -ETIMEDOUT. */
int wan_cond_wait(struct wan_cond *cond, struct wan_mutex *mutex, uint64_t deadline_ns)
	WAN_REQUIRES(mutex);

#endif
