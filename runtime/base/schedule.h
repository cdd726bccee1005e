/* SPDX-License-Identifier: MIT */
/*
 * Seams for seeded schedules. Built with -DWAN_SCHEDULE, each atomic access, each lock and each
 * wait asks a scheduler who goes on; tests/schedule holds that scheduler, and normal builds contain
 * nothing of it. Threads that no schedule has registered pass through unchanged.
 */
#ifndef WAN_BASE_SCHEDULE_H
#define WAN_BASE_SCHEDULE_H

#ifdef WAN_SCHEDULE
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Each of these is a yield point; where: literal text that stays, for traces. */

/* Where to read p from: p itself, or the thread's own store of it that others cannot see yet. */
void *wan_schedule_read(const volatile void *p, const char *where);
/* Before a plain store: earlier light stores become visible first, as on x86. Returns p. */
void *wan_schedule_write(volatile void *p, const char *where);
/* Before a locked instruction, which empties the store buffer. Returns p. */
void *wan_schedule_change(volatile void *p, const char *where);
/* Keeps the store of 1, 2, 4 or 8 bytes back for a while. */
void wan_schedule_store_light(volatile void *p, const void *value, size_t bytes, const char *where);
/* A fence that empties the thread's own store buffer. */
void wan_schedule_fence(const char *where);
/* What membarrier(2) does: the store buffers of all threads are empty after it. */
void wan_schedule_barrier(const char *where);
/* In a loop that waits for another thread: lets that thread run. */
void wan_schedule_pause(const char *where);

/* The clock of all threads: goes up by one with each read, so that a seed gives the same stamps. */
uint64_t wan_schedule_ticks(void);

int wan_schedule_mutex_lock(pthread_mutex_t *mutex);
int wan_schedule_mutex_unlock(pthread_mutex_t *mutex);
int wan_schedule_cond_broadcast(pthread_cond_t *cond);
/* May time out at any moment, and does when nothing else can happen. */
int wan_schedule_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);
int wan_schedule_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
				const struct timespec *deadline);

#define WAN_SCHEDULE_TEXT_(text) #text
#define WAN_SCHEDULE_LINE_(line) WAN_SCHEDULE_TEXT_(line)
#define WAN_SCHEDULE_HERE        __FILE__ ":" WAN_SCHEDULE_LINE_(__LINE__)
#endif

#endif
