/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <unistd.h>

#include "atomics.h"
#include "clock.h"

struct job {
	struct wan_cache *cache;
	struct wan_key key;
	uint64_t expected_bytes;
	struct wan_value value;
	int result;
	unsigned sleep_ms;
	unsigned calls;
	uint64_t in_flight_bytes; /* seen inside */
	void (*inside)(struct job *job);
	struct wan_pin *inner;
	int inner_rc;
};

static int compute(void *context, struct wan_value *ret_value)
{
	struct job *job = context;
	wan_add_relaxed(&job->calls, 1);
	job->in_flight_bytes = stats_of(job->cache).in_flight_bytes;
	if (job->sleep_ms)
		usleep(job->sleep_ms * 1000);
	if (job->inside)
		job->inside(job);
	if (job->result == 0)
		*ret_value = job->value;
	return job->result;
}

static int get(struct job *job, struct wan_pin **ret_pin, bool *ret_hit)
{
	return wan_cache_get_or_compute(job->cache, job->key, job->expected_bytes, compute, job,
					ret_pin, ret_hit);
}

static struct job job_of(struct wan_cache *cache, uint64_t key, uint64_t bytes)
{
	return (struct job){.cache = cache,
			    .key = key_of(key),
			    .expected_bytes = bytes,
			    .value = value_of((uintptr_t)key, bytes)};
}

TEST(the_second_call_does_not_compute)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 10);
	struct job job = job_of(cache, 1, 1000);
	struct wan_pin *first, *second;
	bool hit = true;
	job.sleep_ms = 3;
	uint64_t begin_ns = wan_now_ns();
	REQUIRE_EQ(get(&job, &first, &hit), 0);
	uint64_t took_ns = wan_now_ns() - begin_ns;
	CHECK(!hit);
	CHECK_EQ(job.in_flight_bytes, WEIGHT(1000));
	CHECK_EQ(stats_of(cache).in_flight_bytes, 0);
	CHECK_EQ(stats_of(cache).time_saved_ns, 0);
	REQUIRE_EQ(get(&job, &second, &hit), 0);
	CHECK(hit);
	CHECK_EQ(job.calls, 1);
	CHECK(wan_pin_data(first) == wan_pin_data(second));
	struct wan_cache_stats stats = stats_of(cache);
	CHECK_EQ(stats.hits, 1);
	CHECK_EQ(stats.misses, 1);
	CHECK(stats.time_saved_ns >= 3000000 && stats.time_saved_ns <= took_ns);
	CHECK(has(cache, 1));
	CHECK_EQ(stats_of(cache).time_saved_ns, 2 * stats.time_saved_ns);
	SOUND(cache);
	wan_pin_release(first);
	wan_pin_release(second);
	wan_cache_destroy(cache);
	CHECK_EQ(gone_count, 1);
}

TEST(empty_results_are_cached)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 10);
	struct job job = job_of(cache, 1, 0);
	struct wan_pin *pin;
	job.value = (struct wan_value){0};
	for (unsigned i = 0; i < 3; i++) {
		REQUIRE_EQ(get(&job, &pin, NULL), 0);
		CHECK(wan_pin_data(pin) == NULL);
		wan_pin_release(pin);
	}
	CHECK_EQ(job.calls, 1);
	SOUND(cache);
	wan_cache_destroy(cache);
}

TEST(failures_are_told_and_not_cached)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 10);
	struct job job = job_of(cache, 1, 1000);
	struct wan_pin *pin = NULL;
	job.result = -EBADMSG;
	CHECK_EQ(get(&job, &pin, NULL), -EBADMSG);
	CHECK_EQ(get(&job, &pin, NULL), -EBADMSG);
	CHECK_EQ(job.calls, 2);
	job.result = 5;
	CHECK_EQ(get(&job, &pin, NULL), -EINVAL);
	CHECK(pin == NULL);
	CHECK_EQ(stats_of(cache).used_bytes, 0);
	CHECK_EQ(gone_count, 0);
	SOUND(cache);
	wan_cache_destroy(cache);
}

static int fail_for_good(void *context, struct wan_value *ret_value)
{
	++*(unsigned *)context;
	ret_value->flags = WAN_CACHE_FAILURE;
	return -EBADMSG;
}

TEST(a_failure_is_kept_when_the_computation_asks_for_that)
{
	struct wan_cache *cache = cache_of(2 * WEIGHT(0), 10);
	struct wan_pin *pin = NULL;
	unsigned calls = 0;
	for (unsigned i = 0; i < 5; i++) {
		bool hit = true;
		CHECK_EQ(wan_cache_get_or_compute(cache, key_of(1), 0, fail_for_good, &calls, &pin,
						  &hit),
			 -EBADMSG);
		CHECK(hit); /* untouched */
		CHECK_EQ(wan_cache_pin(cache, key_of(1), &pin), -EBADMSG);
		SOUND(cache);
	}
	CHECK(pin == NULL);
	CHECK_EQ(calls, 1);
	CHECK_EQ(stats_of(cache).hits, 9);
	CHECK_EQ(stats_of(cache).entries, 1);
	CHECK_EQ(put_of(cache, 2, 0), 0);
	CHECK_EQ(put_of(cache, 3, 0), 0); /* it leaves like any other */
	CHECK_EQ(wan_cache_get_or_compute(cache, key_of(1), 0, fail_for_good, &calls, &pin, NULL),
		 -EBADMSG);
	CHECK_EQ(calls, 2);
	CHECK_EQ(put_of(cache, 1, 0), 0); /* a value in its place */
	CHECK(has(cache, 1));
	CHECK_EQ(wan_cache_remove(cache, key_of(1)), 0);
	SOUND(cache);
	struct wan_value value = {.flags = WAN_CACHE_FAILURE};
	CHECK_EQ(wan_cache_put(cache, key_of(1), &value), -EINVAL);
	wan_cache_destroy(cache);
}

TEST(room_is_made_before_computing)
{
	struct wan_cache *cache = cache_of(2 * WEIGHT(1000), 0);
	struct job job = job_of(cache, 3, 1500);
	struct wan_pin *pin;
	CHECK_EQ(put_of(cache, 1, 1000), 0);
	CHECK_EQ(put_of(cache, 2, 1000), 0);
	REQUIRE_EQ(get(&job, &pin, NULL), 0);
	CHECK_EQ(job.in_flight_bytes, WEIGHT(1500));
	CHECK_EQ(gone_count, 2);
	SOUND(cache);
	wan_pin_release(pin);
	wan_cache_destroy(cache);
}

TEST(excess_over_the_reservation_is_reserved_again)
{
	struct wan_cache *cache = cache_of(3 * WEIGHT(1000), 0);
	struct job job = job_of(cache, 4, 100);
	struct wan_pin *pin;
	for (uint64_t key = 1; key <= 3; key++)
		CHECK_EQ(put_of(cache, key, 1000), 0);
	job.value.bytes = 2000;
	REQUIRE_EQ(get(&job, &pin, NULL), 0);
	CHECK(has(cache, 4));
	CHECK(has(cache, 3) == (WEIGHT(2000) <= 2 * WEIGHT(1000)));
	CHECK(!has(cache, 1));
	CHECK(!has(cache, 2));
	SOUND(cache);
	wan_pin_release(pin);

	/* Less than reserved: what is left over goes back. */
	job = job_of(cache, 5, 900);
	job.value.bytes = 10;
	REQUIRE_EQ(get(&job, &pin, NULL), 0);
	CHECK_EQ(stats_of(cache).in_flight_bytes, 0);
	CHECK(has(cache, 5));
	SOUND(cache);
	wan_pin_release(pin);
	wan_cache_destroy(cache);
}

TEST(an_oversize_result_is_passed_through_and_the_others_stay)
{
	struct wan_cache *cache = cache_of(3 * WEIGHT(1000), 0);
	struct job known = job_of(cache, 4, WAN_MIB), unknown = job_of(cache, 5, WAN_MIB);
	struct wan_pin *pins[2];
	bool hit = true;
	for (uint64_t key = 1; key <= 3; key++)
		CHECK_EQ(put_of(cache, key, 1000), 0);
	unknown.expected_bytes = 0;
	REQUIRE_EQ(get(&known, &pins[0], &hit), 0);
	CHECK(!hit);
	CHECK_EQ(gone_count, 0);
	CHECK_EQ(wan_pin_bytes(pins[0]), WAN_MIB);
	REQUIRE_EQ(get(&unknown, &pins[1], NULL), 0);
	CHECK_EQ(gone_count, 1); /* the metadata of an unknown value were reserved */
	CHECK_EQ(stats_of(cache).refused_oversize, 2);
	CHECK_EQ(stats_of(cache).passed_through, 2);
	CHECK(stats_of(cache).used_bytes <= 3 * WEIGHT(1000));
	SOUND(cache);
	wan_pin_release(pins[0]);
	wan_pin_release(pins[1]);
	CHECK_EQ(gone_count, 3);
	CHECK(!has(cache, 4));
	wan_cache_destroy(cache);
}

TEST(without_room_beside_the_pinned_the_result_is_passed_through)
{
	struct wan_cache *cache = cache_of(2 * WEIGHT(1000), 0);
	struct job job = job_of(cache, 2, 1500);
	struct wan_pin *held, *pin;
	CHECK_EQ(put_of(cache, 1, 1000), 0);
	REQUIRE_EQ(wan_cache_pin(cache, key_of(1), &held), 0);
	REQUIRE_EQ(get(&job, &pin, NULL), 0);
	CHECK_EQ((uintptr_t)wan_pin_data(pin), 2);
	CHECK_EQ(stats_of(cache).used_bytes, WEIGHT(1000));
	SOUND(cache);
	wan_pin_release(pin);
	wan_pin_release(held);
	wan_cache_destroy(cache);
}

static void clear_inside(struct job *job)
{
	wan_cache_clear(job->cache);
}

static void put_inside(struct job *job)
{
	struct wan_value value = value_of(99, 10);
	job->inner_rc = wan_cache_put(job->cache, job->key, &value);
}

TEST(a_key_cleared_or_put_meanwhile_is_not_stored_by_the_loader)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 0);
	struct job job = job_of(cache, 1, 100);
	struct wan_pin *pin;
	job.inside = clear_inside;
	REQUIRE_EQ(get(&job, &pin, NULL), 0);
	CHECK_EQ((uintptr_t)wan_pin_data(pin), 1);
	CHECK_EQ(stats_of(cache).entries, 0);
	CHECK_EQ(stats_of(cache).pinned_bytes, WEIGHT(100));
	SOUND(cache);
	wan_pin_release(pin);
	CHECK_EQ(stats_of(cache).used_bytes, 0);

	job.inside = put_inside;
	REQUIRE_EQ(get(&job, &pin, NULL), 0);
	CHECK_EQ((uintptr_t)wan_pin_data(pin), 1);
	wan_pin_release(pin);
	REQUIRE_EQ(wan_cache_pin(cache, key_of(1), &pin), 0);
	CHECK_EQ((uintptr_t)wan_pin_data(pin), 99);
	SOUND(cache);
	wan_pin_release(pin);
	wan_cache_destroy(cache);
}

static int plain_value(void *context, struct wan_value *ret_value)
{
	*ret_value = value_of(55, 10);
	return 0;
}

static void ask_for_own_key(struct job *job)
{
	job->inside = NULL;
	job->inner_rc = wan_cache_get_or_compute(job->cache, job->key, 10, plain_value, NULL,
						 &job->inner, NULL);
}

TEST(a_loader_that_asks_for_its_own_key_is_passed_through)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 0);
	struct job job = job_of(cache, 1, 100);
	struct wan_pin *pin;
	job.inside = ask_for_own_key;
	REQUIRE_EQ(get(&job, &pin, NULL), 0);
	REQUIRE_EQ(job.inner_rc, 0);
	CHECK_EQ((uintptr_t)wan_pin_data(job.inner), 55);
	CHECK_EQ((uintptr_t)wan_pin_data(pin), 1);
	CHECK_EQ(stats_of(cache).deadlocks, 1);
	CHECK_EQ(stats_of(cache).wait_timeouts, 0); /* not by the deadline */
	CHECK_EQ(stats_of(cache).passed_through, 1);
	CHECK_EQ(stats_of(cache).entries, 1);
	SOUND(cache);
	wan_pin_release(pin);
	wan_pin_release(job.inner);
	wan_cache_destroy(cache);
}

static void recurse(struct job *job)
{
	job->inner_rc = get(job, &job->inner, NULL);
	if (job->inner_rc < 0)
		job->result = job->inner_rc;
}

TEST(endless_recursion_of_a_loader_ends_with_edeadlk)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 0);
	struct job job = job_of(cache, 1, 100);
	struct wan_pin *pin;
	job.inside = recurse;
	CHECK_EQ(get(&job, &pin, NULL), -EDEADLK);
	CHECK_EQ(job.calls, 2);
	CHECK_EQ(stats_of(cache).used_bytes, 0);
	SOUND(cache);
	wan_cache_destroy(cache);
}

/* Threads: results are kept in the job, checked by the main thread. */
struct caller {
	struct job *job;
	pthread_t thread;
	int rc;
	uintptr_t data;
	bool hit;
	uint64_t took_ns;
	struct wan_pin *held; /* released by the thread afterwards */
};

static void *call(void *argument)
{
	struct caller *caller = argument;
	struct wan_pin *pin;
	uint64_t start_ns = wan_now_ns();
	caller->rc = get(caller->job, &pin, &caller->hit);
	caller->took_ns = wan_now_ns() - start_ns;
	if (caller->rc == 0) {
		caller->data = (uintptr_t)wan_pin_data(pin);
		wan_pin_release(pin);
	}
	wan_pin_release(caller->held);
	return NULL;
}

static void call_all(struct caller *callers, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		pthread_create(&callers[i].thread, NULL, call, &callers[i]);
	for (unsigned i = 0; i < count; i++)
		pthread_join(callers[i].thread, NULL);
}

TEST(eight_threads_and_one_missing_key_are_one_execution)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 0);
	struct job job = job_of(cache, 1, 100);
	struct caller callers[8] = {0};
	job.sleep_ms = 100;
	for (unsigned i = 0; i < 8; i++)
		callers[i].job = &job;
	call_all(callers, 8);
	for (unsigned i = 0; i < 8; i++) {
		CHECK_EQ(callers[i].rc, 0);
		CHECK_EQ(callers[i].data, 1);
	}
	CHECK_EQ(job.calls, 1);
	struct wan_cache_stats stats = stats_of(cache);
	CHECK_EQ(stats.requests, 8);
	CHECK_EQ(stats.hits + stats.shared_waits, 7);
	CHECK_EQ(stats.pinned_bytes, 0);
	SOUND(cache);
	wan_cache_destroy(cache);
	CHECK_EQ(gone_count, 1);
}

TEST(a_failure_reaches_every_waiter)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 0);
	struct job job = job_of(cache, 1, 100);
	struct caller callers[8] = {0};
	job.sleep_ms = 200;
	job.result = -EBADMSG;
	for (unsigned i = 0; i < 8; i++)
		callers[i].job = &job;
	call_all(callers, 8);
	for (unsigned i = 0; i < 8; i++)
		CHECK_EQ(callers[i].rc, -EBADMSG);
	CHECK_EQ(job.calls + stats_of(cache).shared_waits, 8);
	CHECK(job.calls < 8);
	CHECK_EQ(stats_of(cache).used_bytes, 0);
	SOUND(cache);
	wan_cache_destroy(cache);
}

TEST(an_oversize_result_is_shared_by_all_waiters)
{
	struct wan_cache *cache = cache_of(WEIGHT(10), 0);
	struct job job = job_of(cache, 1, WAN_MIB);
	struct caller callers[4] = {0};
	job.sleep_ms = 200;
	for (unsigned i = 0; i < 4; i++)
		callers[i].job = &job;
	call_all(callers, 4);
	for (unsigned i = 0; i < 4; i++)
		CHECK_EQ(callers[i].data, 1);
	CHECK_EQ(job.calls + stats_of(cache).shared_waits, 4);
	CHECK_EQ(job.calls, gone_count);
	SOUND(cache);
	wan_cache_destroy(cache);
}

/* The waiter ends first: it had nothing to wait for but its deadline. */
static unsigned waiter_ended;
static void until_the_waiter_ended(struct job *job)
{
	for (unsigned i = 0; i < 20000 && !wan_load_relaxed(&waiter_ended); i++)
		usleep(1000);
	job->inner_rc = wan_load_relaxed(&waiter_ended) ? 0 : -ETIMEDOUT;
}

TEST(after_the_deadline_a_waiter_computes_for_itself)
{
	struct wan_cache_options options;
	struct wan_cache *cache;
	struct wan_pin *pin;
	wan_cache_options_init(&options);
	CHECK_EQ(options.wait_ns, 1000000000);
	options.wait_ns = 50000000;
	gone_count = 0;
	REQUIRE_EQ(wan_cache_create(&options, &cache), 0);
	CHECK_EQ(put_of(cache, 7, 10), 0);
	struct job slow = job_of(cache, 1, 100), quick = job_of(cache, 1, 100);
	slow.inside = until_the_waiter_ended;
	quick.value.data = (void *)2;
	struct caller leader = {.job = &slow}, waiter = {.job = &quick};
	CHECK_EQ(wan_cache_pin(cache, key_of(7), &waiter.held), 0); /* a waiter that holds a pin */
	pthread_create(&leader.thread, NULL, call, &leader);
	while (!wan_load_relaxed(&slow.calls))
		usleep(1000);
	pthread_create(&waiter.thread, NULL, call, &waiter);
	pthread_join(waiter.thread, NULL);
	wan_add_relaxed(&waiter_ended, 1);
	CHECK(waiter.rc == 0 && waiter.data == 2);
	CHECK(waiter.took_ns >= 50000000);
	CHECK_EQ(stats_of(cache).wait_timeouts, 1);
	CHECK_EQ(stats_of(cache).passed_through, 1);
	pthread_join(leader.thread, NULL);
	CHECK_EQ(slow.inner_rc, 0);
	REQUIRE_EQ(wan_cache_pin(cache, key_of(1), &pin), 0);
	CHECK_EQ((uintptr_t)wan_pin_data(pin), 1); /* the leader's is the one stored */
	SOUND(cache);
	wan_pin_release(pin);
	wan_cache_destroy(cache);
}

/* Two loaders, each of which needs the other's key. */
static unsigned ready;
static struct job ring[2];
static void need_the_other(struct job *job)
{
	struct job *other = job == &ring[0] ? &ring[1] : &ring[0];
	job->inside = NULL;
	wan_add_relaxed(&ready, 1);
	while (wan_load_relaxed(&ready) < 2)
		usleep(100);
	job->inner_rc = wan_cache_get_or_compute(job->cache, other->key, 10, plain_value, NULL,
						 &job->inner, NULL);
}

TEST(loaders_that_wait_for_each_other_are_told_apart_at_once)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 0);
	struct caller callers[2] = {{.job = &ring[0]}, {.job = &ring[1]}};
	for (unsigned i = 0; i < 2; i++) {
		ring[i] = job_of(cache, i + 1, 100);
		ring[i].inside = need_the_other;
	}
	call_all(callers, 2);
	for (unsigned i = 0; i < 2; i++) {
		CHECK_EQ(callers[i].rc, 0);
		CHECK_EQ(callers[i].data, i + 1);
		CHECK_EQ(ring[i].inner_rc, 0);
		wan_pin_release(ring[i].inner);
	}
	CHECK_EQ(stats_of(cache).deadlocks, 1);
	CHECK_EQ(stats_of(cache).wait_timeouts, 0);
	SOUND(cache);
	wan_cache_destroy(cache);
}

TAP_MAIN
