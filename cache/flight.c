/* SPDX-License-Identifier: MIT */
#include "flight.h"

#include <errno.h>

#include "table.h"

struct wan_flight *wan_flight_find(const struct wan_flights *flights, struct wan_key key)
{
	struct wan_flight *flight = flights->first;
	while (flight && !(flight->shared && !flight->stale && wan_key_equal(flight->key, key)))
		flight = flight->next;
	return flight;
}

unsigned wan_flight_depth(const struct wan_flights *flights, struct wan_key key, uint32_t thread)
{
	unsigned depth = 0;
	for (const struct wan_flight *flight = flights->first; flight; flight = flight->next)
		depth += flight->thread == thread && wan_key_equal(flight->key, key);
	return depth;
}

/* The flight a thread waits for; NULL: it runs. */
static const struct wan_flight *awaited_by(const struct wan_flights *flights, uint32_t thread)
{
	for (const struct wan_flight *flight = flights->first; flight; flight = flight->next) {
		for (const struct wan_waiter *waiter = flight->waiters; waiter;
		     waiter = waiter->next) {
			if (waiter->thread == thread)
				return flight;
		}
	}
	return NULL;
}

/* Ends: each wait was checked like this one before it began, so no cycle exists yet. */
bool wan_flight_deadlocks(const struct wan_flights *flights, const struct wan_flight *flight,
			  uint32_t thread)
{
	while (flight) {
		if (flight->thread == thread)
			return true;
		flight = awaited_by(flights, flight->thread);
	}
	return false;
}

void wan_flight_begin(struct wan_flights *flights, struct wan_flight *flight)
{
	flight->next = flights->first;
	flights->first = flight;
}

void wan_flight_end(struct wan_flights *flights, struct wan_flight *flight)
{
	struct wan_flight **link = &flights->first;
	while (*link != flight)
		link = &(*link)->next;
	*link = flight->next;
}

unsigned wan_flight_land(struct wan_flight *flight, int error, struct wan_cache_entry *entry)
{
	unsigned count = 0;
	for (struct wan_waiter *waiter = flight->waiters, *next; waiter; waiter = next) {
		next = waiter->next;
		waiter->error = error;
		waiter->entry = entry;
		waiter->done = true;
		wan_cond_wake_all(&waiter->cond);
		count++;
	}
	flight->waiters = NULL;
	return count;
}

void wan_flight_spoil(struct wan_flights *flights, const struct wan_key *key)
{
	for (struct wan_flight *flight = flights->first; flight; flight = flight->next) {
		if (!key || wan_key_equal(flight->key, *key))
			flight->stale = true;
	}
}

int wan_flight_wait(struct wan_flight *flight, struct wan_waiter *waiter, struct wan_mutex *lock,
		    uint64_t deadline_ns)
{
	waiter->flight = flight;
	waiter->done = false;
	waiter->next = flight->waiters;
	flight->waiters = waiter;
	wan_cond_init(&waiter->cond);

	int rc = 0;
	while (!waiter->done && rc != -ETIMEDOUT)
		rc = wan_cond_wait(&waiter->cond, lock, deadline_ns);

	/* Once done, the flight may be gone from its owner's stack. */
	if (!waiter->done) {
		struct wan_waiter **link = &flight->waiters;
		while (*link != waiter)
			link = &(*link)->next;
		*link = waiter->next;
	}
	wan_cond_finish(&waiter->cond);
	return waiter->done ? 0 : -ETIMEDOUT;
}
