/* SPDX-License-Identifier: MIT */
/*
 * Single flight: who computes which key, and who waits for it. Records live on the stacks of the
 * threads concerned, so nothing here can run out of memory. The caller holds the cache's lock.
 *
 * A flight is shared (others may wait for it) or private (a thread that could not wait computes for
 * itself). A shared flight goes stale when its key is put, removed or cleared meanwhile: those who
 * wait still get its result, but it is not stored and nobody joins it any more.
 */
#ifndef WAN_CACHE_FLIGHT_H
#define WAN_CACHE_FLIGHT_H

#include "entry.h"
#include "lock.h"

struct wan_flight;

struct wan_waiter {
	struct wan_waiter *next;
	struct wan_flight *flight;
	struct wan_cond cond;
	uint32_t thread;
	bool done;
	int error;                     /* when done: 0 or negative errno */
	struct wan_cache_entry *entry; /* when done and no error: pinned for this waiter */
};

struct wan_flight {
	struct wan_flight *next;
	struct wan_waiter *waiters;
	struct wan_key key;
	uint64_t reserved_bytes; /* in flight in the budget */
	uint32_t thread;
	bool shared;
	bool stale;
	bool thaws; /* the value was there in its cold form */
};

struct wan_flights {
	struct wan_flight *first;
};

/* The shared, fresh flight of a key; NULL: none. */
struct wan_flight *wan_flight_find(const struct wan_flights *flights, struct wan_key key);
/* How many computations of this key the thread is inside of. */
unsigned wan_flight_depth(const struct wan_flights *flights, struct wan_key key, uint32_t thread);
/* Would the thread wait for itself, directly or through threads that wait for each other? */
bool wan_flight_deadlocks(const struct wan_flights *flights, const struct wan_flight *flight,
			  uint32_t thread);

void wan_flight_begin(struct wan_flights *flights, struct wan_flight *flight);
/* Takes it out; its waiters stay with it for wan_flight_land(). */
void wan_flight_end(struct wan_flights *flights, struct wan_flight *flight);
/* Hands the outcome to every waiter and wakes it. Returns their number: the pins they now own when
 * entry is not NULL, to be added by the caller before the lock is given back. */
unsigned wan_flight_land(struct wan_flight *flight, int error, struct wan_cache_entry *entry);
/* Marks the flights of a key, or of all keys (NULL), as stale. */
void wan_flight_spoil(struct wan_flights *flights, const struct wan_key *key);

/* Waits until the flight lands or the deadline passes. 0 (waiter->error and entry are set),
 * -ETIMEDOUT. */
int wan_flight_wait(struct wan_flight *flight, struct wan_waiter *waiter, struct wan_mutex *lock,
		    uint64_t deadline_ns) WAN_REQUIRES(lock);

#endif
