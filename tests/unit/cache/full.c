/* SPDX-License-Identifier: MIT */
/* What get_or_compute does when the value has no room. */
#include <unistd.h>

#include "atomics.h"
#include "clock.h"
#include "support.h"

static uint64_t calls, in_flight_bytes;
static struct wan_cache *cache;

static int compute(void *context, struct wan_value *ret_value)
{
	wan_add_relaxed(&calls, 1);
	in_flight_bytes = stats_of(cache).in_flight_bytes;
	*ret_value = value_of(9, *(const uint64_t *)context);
	return 0;
}

static void start(enum wan_cache_full full, uint64_t wait_ns)
{
	struct wan_cache_options options;
	wan_cache_options_init(&options);
	options.limit_bytes = 2 * WEIGHT(1000);
	options.full = full;
	options.wait_ns = wait_ns;
	calls = gone_count = 0;
	REQUIRE_EQ(wan_cache_create(&options, &cache), 0);
	CHECK_EQ(put_of(cache, 1, 1000), 0);
	CHECK_EQ(put_of(cache, 2, 1000), 0);
}

static int get(uint64_t key, uint64_t bytes, struct wan_pin **ret_pin)
{
	return wan_cache_get_or_compute(cache, key_of(key), bytes, compute, &bytes, ret_pin, NULL);
}

TEST(fail_answers_before_anything_is_computed)
{
	struct wan_pin *held, *pin = NULL;
	start(WAN_CACHE_FAIL, 0);
	REQUIRE_EQ(wan_cache_pin(cache, key_of(1), &held), 0);
	CHECK_EQ(get(3, 1001, &pin), -EAGAIN);
	CHECK_EQ(get(3, 5000, &pin), -EFBIG);
	CHECK_EQ(calls, 0);
	CHECK(pin == NULL);
	CHECK_EQ(gone_count, 0);
	CHECK_EQ(stats_of(cache).refused_oversize, 1);
	CHECK_EQ(get(3, 1000, &pin), 0);
	CHECK_EQ(calls, 1);
	SOUND(cache);
	wan_pin_release(pin);
	wan_pin_release(held);
	wan_cache_destroy(cache);
}

static struct wan_pin *to_release;
static void *release_later(void *argument)
{
	usleep(30000);
	wan_pin_release(to_release);
	return NULL;
}

TEST(wait_computes_as_soon_as_there_is_room)
{
	struct wan_pin *pin;
	pthread_t thread;
	start(WAN_CACHE_WAIT, 20000000000);
	REQUIRE_EQ(wan_cache_pin(cache, key_of(1), &to_release), 0);
	REQUIRE_EQ(pthread_create(&thread, NULL, release_later, NULL), 0);
	uint64_t start_ns = wan_now_ns();
	REQUIRE_EQ(get(3, 1500, &pin), 0);
	CHECK(wan_now_ns() - start_ns < 10000000000); /* not by the deadline */
	pthread_join(thread, NULL);
	CHECK_EQ(in_flight_bytes, WEIGHT(1500));
	CHECK_EQ(stats_of(cache).passed_through, 0);
	CHECK_EQ(stats_of(cache).wait_timeouts, 0);
	CHECK(has(cache, 3));
	SOUND(cache);
	wan_pin_release(pin);
	wan_cache_destroy(cache);
}

TEST(wait_ends_and_the_result_is_passed_through)
{
	struct wan_pin *held, *pin;
	start(WAN_CACHE_WAIT, 20000000);
	REQUIRE_EQ(wan_cache_pin(cache, key_of(1), &held), 0); /* a waiter that holds the pin */
	REQUIRE_EQ(get(3, 1500, &pin), 0);
	CHECK_EQ(calls, 1);
	CHECK_EQ(in_flight_bytes, 0);
	CHECK_EQ(stats_of(cache).passed_through, 1);
	CHECK_EQ(stats_of(cache).wait_timeouts, 1);
	SOUND(cache);
	wan_pin_release(pin);
	wan_pin_release(held);
	SOUND(cache);
	CHECK(has(cache, 1));
	CHECK(has(cache, 1));
	wan_cache_destroy(cache);
}

TEST(wait_does_not_wait_for_what_never_fits)
{
	struct wan_pin *pin;
	start(WAN_CACHE_WAIT, 20000000000);
	REQUIRE_EQ(get(3, 5000, &pin), 0);
	CHECK_EQ(stats_of(cache).passed_through, 1);
	CHECK_EQ(gone_count, 0);
	wan_pin_release(pin);
	wan_cache_destroy(cache);
}

struct asker {
	pthread_t thread;
	int rc;
};

static void *ask(void *argument)
{
	struct asker *asker = argument;
	struct wan_pin *pin;
	asker->rc = get(3, 1500, &pin);
	if (asker->rc == 0)
		wan_pin_release(pin);
	return NULL;
}

TEST(many_that_wait_for_room_for_one_key_are_one_execution)
{
	struct asker askers[6];
	start(WAN_CACHE_WAIT, 20000000000);
	REQUIRE_EQ(wan_cache_pin(cache, key_of(1), &to_release), 0);
	for (unsigned i = 0; i < 6; i++)
		REQUIRE_EQ(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
	usleep(20000);
	CHECK_EQ(wan_load_relaxed(&calls), 0);
	wan_pin_release(to_release);
	for (unsigned i = 0; i < 6; i++) {
		pthread_join(askers[i].thread, NULL);
		CHECK_EQ(askers[i].rc, 0);
	}
	CHECK_EQ(calls, 1);
	SOUND(cache);
	wan_cache_destroy(cache);
}

TEST(an_unknown_way_is_refused)
{
	struct wan_cache_options options;
	wan_cache_options_init(&options);
	options.full = (enum wan_cache_full)3;
	CHECK_EQ(wan_cache_create(&options, &cache), -EINVAL);
	wan_cache_options_init(&options);
	options.policy = (enum wan_cache_policy)9;
	CHECK_EQ(wan_cache_create(&options, &cache), -EINVAL);
}

TAP_MAIN
