/* SPDX-License-Identifier: MIT */
/* Single flight: 8 threads want one missing value that takes 2 ms to make. How often it is made,
 * and how long after its end the first and the last of those who waited go on. */
#include <unistd.h>

#include "atomics.h"
#include "cache_bench.h"
#include "figures.h"

enum { WAITERS = 8, FLIGHTS = 101 };
static uint64_t computed_at_ns, executions;

static int compute_slowly(void *context, struct wan_value *ret_value)
{
	usleep(2000);
	wan_add_relaxed(&executions, 1);
	ret_value->data = context;
	computed_at_ns = wan_now_ns();
	return 0;
}

struct waiter {
	pthread_t thread;
	pthread_barrier_t *start;
	struct wan_cache *cache;
	uint64_t number;
	uint64_t done_ns;
};

static void *wait_for_value(void *argument)
{
	struct waiter *waiter = argument;
	struct wan_pin *pin;
	pthread_barrier_wait(waiter->start);
	if (wan_cache_get_or_compute(waiter->cache, bench_key(waiter->number), 100, compute_slowly,
				     waiter->cache, &pin, NULL) < 0)
		exit(1);
	waiter->done_ns = wan_now_ns();
	wan_pin_release(pin);
	return NULL;
}

static void fly(struct wan_cache *cache, uint64_t number, double done_us[WAITERS])
{
	struct waiter waiters[WAITERS];
	pthread_barrier_t start;
	pthread_barrier_init(&start, NULL, WAITERS);
	for (unsigned i = 0; i < WAITERS; i++) {
		waiters[i] = (struct waiter){.start = &start, .cache = cache, .number = number};
		if (pthread_create(&waiters[i].thread, NULL, wait_for_value, &waiters[i]))
			exit(1);
	}
	for (unsigned i = 0; i < WAITERS; i++) {
		pthread_join(waiters[i].thread, NULL);
		done_us[i] = ((double)waiters[i].done_ns - (double)computed_at_ns) / 1000;
	}
	pthread_barrier_destroy(&start);
	figures_percentile(done_us, WAITERS, 0); /* sorts */
}

int main(void)
{
	struct wan_cache *cache = bench_cache(WAN_MIB, 1000, WAN_CACHE_LRU);
	double first[FLIGHTS], last[FLIGHTS], done_us[WAITERS], value;
	char text[64];
	for (unsigned flight = 0; flight < FLIGHTS; flight++) {
		fly(cache, flight, done_us);
		first[flight] = done_us[1]; /* 0 is who computed */
		last[flight] = done_us[WAITERS - 1];
	}
	wan_cache_destroy(cache);
	figures_head();
	value = (double)executions / FLIGHTS;
	snprintf(text, sizeof(text), "%.2f executions a key", value);
	figures_line("single flight, 8 threads", "1", "1", WANT_AT_MOST, 1, value, text);
	value = figures_percentile(first, FLIGHTS, 0.5);
	snprintf(text, sizeof(text), "%.0f us after the end (median)", value);
	figures_line("single flight, the first who waited", "40 us", "<= 100 us", WANT_AT_MOST, 100,
		     value, text);
	value = figures_percentile(last, FLIGHTS, 0.5);
	snprintf(text, sizeof(text), "%.0f us after the end (median)", value);
	figures_line("single flight, the last who waited", "150-300 us", "<= 400 us", WANT_AT_MOST,
		     400, value, text);
	return 0;
}
