/* SPDX-License-Identifier: MIT */
#include "lock.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

#ifdef WAN_SCHEDULE
#include "schedule.h" /* the same calls, each a yield point */
#define pthread_mutex_lock     wan_schedule_mutex_lock
#define pthread_mutex_unlock   wan_schedule_mutex_unlock
#define pthread_cond_broadcast wan_schedule_cond_broadcast
#define pthread_cond_wait      wan_schedule_cond_wait
#define pthread_cond_timedwait wan_schedule_cond_timedwait
#endif

#ifndef NDEBUG
/* One bit for each five ranks, so that the whole state is 8 bytes of thread-local storage. */
static __thread uint64_t held_ranks __attribute__((tls_model("initial-exec")));

static uint64_t rank_bit(const struct wan_mutex *mutex)
{
	assert(mutex->rank > 0 && mutex->rank % 5 == 0 && mutex->rank / 5 < 64);
	return (uint64_t)1 << mutex->rank / 5;
}

static void rank_taken(const struct wan_mutex *mutex)
{
	uint64_t bit = rank_bit(mutex);
	assert(held_ranks < bit && "lock taken against the order of ranks in lock.h");
	held_ranks |= bit;
}

static bool rank_fits(const struct wan_mutex *mutex)
{
	return held_ranks < rank_bit(mutex);
}

static void rank_given(const struct wan_mutex *mutex)
{
	uint64_t bit = rank_bit(mutex);
	assert(held_ranks & bit && "lock given back by a thread that does not hold it");
	held_ranks &= ~bit;
}
#else
static bool rank_fits(const struct wan_mutex *mutex)
{
	return true;
}

static void rank_taken(const struct wan_mutex *mutex)
{
}

static void rank_given(const struct wan_mutex *mutex)
{
}
#endif

void wan_mutex_init(struct wan_mutex *mutex, enum wan_lock_rank rank)
{
	pthread_mutex_init(&mutex->native, NULL); /* cannot fail with default attributes */
	mutex->rank = rank;
}

void wan_mutex_finish(struct wan_mutex *mutex)
{
	pthread_mutex_destroy(&mutex->native);
}

/* The rank is checked before waiting: a wrong order is found even when it does not deadlock today.
 */
void wan_mutex_lock(struct wan_mutex *mutex) WAN_NO_ANALYSIS
{
	rank_taken(mutex);
	pthread_mutex_lock(&mutex->native);
}

bool wan_mutex_try(struct wan_mutex *mutex) WAN_NO_ANALYSIS
{
	if (!rank_fits(mutex) || pthread_mutex_trylock(&mutex->native) != 0)
		return false;
	rank_taken(mutex);
	return true;
}

void wan_mutex_unlock(struct wan_mutex *mutex) WAN_NO_ANALYSIS
{
	rank_given(mutex); /* first: giving back what is not held is undefined below */
	pthread_mutex_unlock(&mutex->native);
}

void wan_cond_init(struct wan_cond *cond)
{
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&cond->native, &attributes);
	pthread_condattr_destroy(&attributes);
}

void wan_cond_finish(struct wan_cond *cond)
{
	pthread_cond_destroy(&cond->native);
}

void wan_cond_wake_all(struct wan_cond *cond)
{
	pthread_cond_broadcast(&cond->native);
}

int wan_cond_wait(struct wan_cond *cond, struct wan_mutex *mutex, uint64_t deadline_ns)
{
	if (deadline_ns == UINT64_MAX)
		return -pthread_cond_wait(&cond->native, &mutex->native);
	struct timespec deadline = {
		.tv_sec = (time_t)(deadline_ns / 1000000000),
		.tv_nsec = (long)(deadline_ns % 1000000000),
	};
	return -pthread_cond_timedwait(&cond->native, &mutex->native, &deadline);
}
