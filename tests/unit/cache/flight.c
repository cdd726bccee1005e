/* SPDX-License-Identifier: MIT */
/* The pure part: who waits for whom. Waiting itself is in compute.c. */
#include "flight.h"

#include "support.h"

static void wait_for(struct wan_flight *flight, struct wan_waiter *waiter, uint32_t thread)
{
	*waiter = (struct wan_waiter){.thread = thread, .flight = flight, .next = flight->waiters};
	flight->waiters = waiter;
}

TEST(only_shared_fresh_flights_are_found)
{
	struct wan_flights flights = {0};
	struct wan_flight shared = {.key = key_of(1), .thread = 1, .shared = true};
	struct wan_flight own = {.key = key_of(2), .thread = 1};
	wan_flight_begin(&flights, &shared);
	wan_flight_begin(&flights, &own);
	CHECK(wan_flight_find(&flights, key_of(1)) == &shared);
	CHECK(wan_flight_find(&flights, key_of(2)) == NULL);
	CHECK_EQ(wan_flight_depth(&flights, key_of(2), 1), 1);
	CHECK_EQ(wan_flight_depth(&flights, key_of(2), 2), 0);
	wan_flight_spoil(&flights, &own.key);
	CHECK(!shared.stale);
	wan_flight_spoil(&flights, NULL);
	CHECK(wan_flight_find(&flights, key_of(1)) == NULL);
	CHECK_EQ(wan_flight_depth(&flights, key_of(1), 1), 1);
	wan_flight_end(&flights, &shared);
	wan_flight_end(&flights, &own);
	CHECK(flights.first == NULL);
}

TEST(a_chain_of_waits_is_no_deadlock_and_a_ring_is)
{
	struct wan_flights flights = {0};
	struct wan_flight flight[5];
	struct wan_waiter waiter[5];
	for (unsigned i = 0; i < 5; i++) {
		flight[i] = (struct wan_flight){.key = key_of(i), .thread = i, .shared = true};
		wan_flight_begin(&flights, &flight[i]);
	}
	for (unsigned i = 0; i < 4; i++) { /* 0 waits for 1 waits for 2 ... */
		CHECK(!wan_flight_deadlocks(&flights, &flight[i + 1], i));
		wait_for(&flight[i + 1], &waiter[i], i);
	}
	for (unsigned i = 0; i < 5; i++)
		CHECK(wan_flight_deadlocks(&flights, &flight[i], 4));
	CHECK(!wan_flight_deadlocks(&flights, &flight[0], 9));
}

TEST(landing_tells_every_waiter_and_counts_them)
{
	struct wan_flight flight = {.key = key_of(1), .shared = true};
	struct wan_waiter waiters[3];
	struct wan_cache_entry entry = {0};
	for (unsigned i = 0; i < 3; i++) {
		wait_for(&flight, &waiters[i], i);
		wan_cond_init(&waiters[i].cond);
	}
	CHECK_EQ(wan_flight_land(&flight, 0, &entry), 3);
	for (unsigned i = 0; i < 3; i++) {
		CHECK(waiters[i].done);
		CHECK(waiters[i].entry == &entry);
		wan_cond_finish(&waiters[i].cond);
	}
	CHECK_EQ(wan_flight_land(&flight, 0, &entry), 0);
}

TAP_MAIN
