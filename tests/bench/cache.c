/* SPDX-License-Identifier: MIT */
/*
 * What a hit, a put and a wait cost, beside two clock reads and beside the cache everybody writes
 * first (mutex, hash table, linked list) in the same run. Ratios count; nanoseconds depend on the
 * machine. Prints one line a figure; takes about five seconds.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "atomics.h"
#include "clock.h"
#include "macros.h"
#include "naive_cache.h"
#include "wan/cache.h"

enum { RUNS = 9, HITS = 100000, THREADS_MAX = 2 };

static struct wan_key key_of(uint64_t number)
{
	return (struct wan_key){{number * 0x9e3779b97f4a7c15u, number}};
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *values, unsigned count)
{
	qsort(values, count, sizeof(*values), by_value);
	return values[count / 2];
}

/* One thread's loop; the time of one operation comes back in ns. */
struct lane {
	void (*loop)(struct lane *lane);
	void *cache;
	uint64_t first_key, key_count; /* keys are first, first + 1, ... in turn */
	unsigned count;
	pthread_t thread;
	pthread_barrier_t *start;
	double ns;
};

static volatile uint64_t sink;

static void loop_clock(struct lane *lane)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < lane->count; i++)
		sum += wan_ticks() ^ wan_ticks();
	sink = sum;
}

static void loop_ours(struct lane *lane)
{
	struct wan_pin *pin;
	for (unsigned i = 0; i < lane->count; i++) {
		if (wan_cache_pin(lane->cache, key_of(lane->first_key + i % lane->key_count),
				  &pin) < 0)
			exit(1);
		wan_pin_release(pin);
	}
}

static void loop_naive(struct lane *lane)
{
	for (unsigned i = 0; i < lane->count; i++) {
		struct wan_key key = key_of(lane->first_key + i % lane->key_count);
		struct naive_entry *entry = naive_pin(lane->cache, key.words);
		if (!entry)
			exit(1);
		naive_release(lane->cache, entry);
	}
}

static void *run_lane(void *argument)
{
	struct lane *lane = argument;
	pthread_barrier_wait(lane->start);
	uint64_t start_ns = wan_now_ns();
	lane->loop(lane);
	lane->ns = (double)(wan_now_ns() - start_ns) / lane->count;
	return NULL;
}

/* Mean over the threads, median over the runs. */
static double measure(const struct lane *model, unsigned threads, bool same_keys)
{
	double runs[RUNS];
	for (unsigned run = 0; run < RUNS; run++) {
		struct lane lanes[THREADS_MAX];
		pthread_barrier_t start;
		pthread_barrier_init(&start, NULL, threads);
		for (unsigned i = 0; i < threads; i++) {
			lanes[i] = *model;
			lanes[i].start = &start;
			if (!same_keys)
				lanes[i].first_key += i * model->key_count;
			if (i)
				pthread_create(&lanes[i].thread, NULL, run_lane, &lanes[i]);
		}
		run_lane(&lanes[0]);
		runs[run] = lanes[0].ns / threads;
		for (unsigned i = 1; i < threads; i++) {
			pthread_join(lanes[i].thread, NULL);
			runs[run] += lanes[i].ns / threads;
		}
		pthread_barrier_destroy(&start);
	}
	return median(runs, RUNS);
}

static struct wan_cache *ours_of(uint64_t limit_bytes, uint64_t entry_limit)
{
	struct wan_cache_options options;
	struct wan_cache *cache;
	wan_cache_options_init(&options);
	options.limit_bytes = limit_bytes;
	options.entry_limit = entry_limit;
	if (wan_cache_create(&options, &cache) < 0)
		exit(1);
	return cache;
}

static void put_ours(struct wan_cache *cache, uint64_t number, uint64_t bytes)
{
	struct wan_value value = {.data = cache, .bytes = bytes};
	if (wan_cache_put(cache, key_of(number), &value) < 0)
		exit(1);
}

static double clock_ns;

static void hits(const char *what, uint64_t keys, unsigned threads, bool same)
{
	struct wan_cache *ours = ours_of(1024 * WAN_MIB, 1000);
	struct naive_cache naive;
	naive_init(&naive);
	for (uint64_t i = 0; i < keys * THREADS_MAX; i++) {
		put_ours(ours, i, 1000);
		naive_put(&naive, key_of(i).words, ours);
	}
	struct lane lane = {.loop = loop_ours, .cache = ours, .key_count = keys, .count = HITS};
	double ours_ns = measure(&lane, threads, same);
	lane.loop = loop_naive;
	lane.cache = &naive;
	double naive_ns = measure(&lane, threads, same);
	printf("%-44s %7.1f ns  %5.2f x two clock reads  %5.2f x naive (%.1f ns)\n", what, ours_ns,
	       ours_ns / clock_ns, ours_ns / naive_ns, naive_ns);
	naive_finish(&naive);
	wan_cache_destroy(ours);
}

static void hit_of_size(const char *what, uint64_t bytes)
{
	struct wan_cache *ours = ours_of(1024 * WAN_MIB, 10);
	put_ours(ours, 0, bytes);
	put_ours(ours, 1, bytes);
	struct lane lane = {.loop = loop_ours, .cache = ours, .key_count = 2, .count = HITS};
	printf("%-44s %7.1f ns\n", what, measure(&lane, 1, true));
	wan_cache_destroy(ours);
}

static void puts_of(uint64_t entries)
{
	enum { PUTS = 20000 };
	static double each[PUTS];
	struct wan_cache *ours = ours_of(1024 * WAN_MIB, entries);
	uint64_t number = 0;
	while (number < entries)
		put_ours(ours, number++, 100);
	double sum = 0;
	for (unsigned i = 0; i < PUTS; i++) {
		uint64_t start_ns = wan_now_ns();
		put_ours(ours, number++, 100);
		each[i] = (double)(wan_now_ns() - start_ns) - clock_ns;
		sum += each[i];
	}
	double middle = median(each, PUTS);
	printf("put + evict at %-29llu %7.1f ns  mean %.1f  p99 %.1f\n",
	       (unsigned long long)entries, middle, sum / PUTS, each[PUTS * 99 / 100]);
	wan_cache_destroy(ours);
}

/* The time from the end of a computation to each waiter's return. */
enum { WAITERS = 8, FLIGHTS = 51 };
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
	if (wan_cache_get_or_compute(waiter->cache, key_of(waiter->number), 100, compute_slowly,
				     waiter->cache, &pin, NULL) < 0)
		exit(1);
	waiter->done_ns = wan_now_ns();
	wan_pin_release(pin);
	return NULL;
}

static void single_flight(void)
{
	struct wan_cache *cache = ours_of(WAN_MIB, 1000);
	double first[FLIGHTS], last[FLIGHTS];
	for (unsigned flight = 0; flight < FLIGHTS; flight++) {
		struct waiter waiters[WAITERS];
		pthread_barrier_t start;
		pthread_barrier_init(&start, NULL, WAITERS);
		for (unsigned i = 0; i < WAITERS; i++) {
			waiters[i] =
				(struct waiter){.start = &start, .cache = cache, .number = flight};
			pthread_create(&waiters[i].thread, NULL, wait_for_value, &waiters[i]);
		}
		double done_us[WAITERS];
		for (unsigned i = 0; i < WAITERS; i++) {
			pthread_join(waiters[i].thread, NULL);
			done_us[i] = ((double)waiters[i].done_ns - (double)computed_at_ns) / 1000;
		}
		qsort(done_us, WAITERS, sizeof(double), by_value);
		first[flight] = done_us[1]; /* 0 is who computed */
		last[flight] = done_us[WAITERS - 1];
		pthread_barrier_destroy(&start);
	}
	printf("single flight, 8 threads: %.2f executions a key; first waiter %.0f us, last %.0f "
	       "us "
	       "(medians)\n",
	       (double)executions / FLIGHTS, median(first, FLIGHTS), median(last, FLIGHTS));
	wan_cache_destroy(cache);
}

/* glibc's mutexes cost a third in a process that never had a second thread; a program with a
 * runtime has one. */
static void *nothing(void *argument)
{
	return argument;
}

int main(void)
{
	pthread_t other;
	if (pthread_create(&other, NULL, nothing, NULL) == 0)
		pthread_join(other, NULL);
	struct lane lane = {.loop = loop_clock, .count = HITS};
	clock_ns = measure(&lane, 1, true);
	printf("%-44s %7.1f ns\n", "two clock reads", clock_ns);
	hits("hit, 1 thread, 50 keys", 50, 1, true);
	hits("hit, 1 thread, the newest again", 1, 1, true);
	hits("hit, 2 threads, different keys", 50, 2, false);
	hits("hit, 2 threads, the same keys", 50, 2, true);
	hit_of_size("hit, 64x64 RGB", 64 * 64 * 3);
	hit_of_size("hit, 4096x4096 RGB", 4096 * 4096 * 3);
	puts_of(50);
	puts_of(1000);
	puts_of(100000);
	single_flight();
	return 0;
}
