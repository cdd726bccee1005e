/* SPDX-License-Identifier: MIT */
/* Pins without the lock: slots, records, threads that end, processes that fork. */
#include "hit.h"

#include <sys/wait.h>
#include <unistd.h>

#include "fault.h"
#include "support.h"

static uint32_t records_of(const struct wan_cache *cache)
{
	uint32_t count = 0;
	for (const struct wan_record *record = cache->records; record; record = record->next)
		count++;
	return count;
}

TEST(more_pins_than_slots_are_counted_in_the_entry)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 0);
	struct wan_pin *pins[3 * WAN_RECORD_SLOTS];
	CHECK_EQ(put_of(cache, 1, 100), 0);
	CHECK_EQ(put_of(cache, 2, 100), 0);
	for (unsigned i = 0; i < WAN_COUNT_OF(pins); i++)
		REQUIRE_EQ(wan_cache_pin(cache, key_of(1 + i % 2), &pins[i]), 0);
	CHECK(wan_pin_is_counted(pins[WAN_COUNT_OF(pins) - 1]));
	CHECK(!wan_pin_is_counted(pins[0]));
	for (unsigned i = 0; i < WAN_COUNT_OF(pins); i++)
		CHECK_EQ((uintptr_t)wan_pin_data(pins[i]), 1 + i % 2);
	CHECK_EQ(stats_of(cache).pinned_bytes, 2 * WEIGHT(100));
	SOUND(cache);
	CHECK_EQ(wan_cache_remove(cache, key_of(1)), 0);
	for (unsigned i = 0; i < WAN_COUNT_OF(pins); i++) {
		CHECK_EQ(gone_count, 0);
		wan_pin_release(pins[i]);
		SOUND(cache);
	}
	CHECK_EQ(gone_count, 1);
	CHECK_EQ(stats_of(cache).pinned_bytes, 0);
	wan_cache_destroy(cache);
}

static void *hold_and_end(void *argument)
{
	struct wan_pin **pin = argument;
	if (wan_cache_pin((struct wan_cache *)*pin, key_of(1), pin) < 0)
		*pin = NULL;
	return NULL;
}

static struct wan_pin *pinned_by_a_thread_that_ends(struct wan_cache *cache)
{
	struct wan_pin *pin = (struct wan_pin *)cache;
	pthread_t thread;
	CHECK_EQ(pthread_create(&thread, NULL, hold_and_end, &pin), 0);
	pthread_join(thread, NULL);
	return pin;
}

TEST(a_pin_outlives_its_thread_and_is_released_by_another)
{
	struct wan_cache *cache = cache_of(3 * WEIGHT(100), 0);
	CHECK_EQ(put_of(cache, 1, 100), 0);
	CHECK(has(cache, 1));
	struct wan_pin *pin = pinned_by_a_thread_that_ends(cache);
	REQUIRE(pin != NULL);
	for (uint64_t key = 2; key < 20; key++)
		CHECK_EQ(put_of(cache, key, 100), 0);
	CHECK_EQ((uintptr_t)wan_pin_data(pin), 1);
	CHECK_EQ(stats_of(cache).pinned_bytes, WEIGHT(100));
	CHECK_EQ(wan_cache_remove(cache, key_of(1)), 0);
	SOUND(cache);
	unsigned before = gone_count;
	wan_pin_release(pin);
	CHECK_EQ(gone_count, before + 1);
	CHECK_EQ(gone[before], 1);
	SOUND(cache);
	wan_cache_destroy(cache);
}

TEST(threads_that_come_and_go_take_over_one_record)
{
	struct wan_cache *cache = cache_of(WAN_MIB, 0);
	CHECK_EQ(put_of(cache, 1, 100), 0);
	struct wan_pin *pins[50];
	for (unsigned i = 0; i < WAN_COUNT_OF(pins); i++)
		REQUIRE((pins[i] = pinned_by_a_thread_that_ends(cache)) != NULL);
	CHECK_EQ(records_of(cache), 1);
	CHECK_EQ(stats_of(cache).hits, WAN_COUNT_OF(pins));
	CHECK(has(cache, 1)); /* takes the orphan over, pins and all */
	CHECK_EQ(records_of(cache), 1);
	for (unsigned i = 0; i < WAN_COUNT_OF(pins); i++)
		wan_pin_release(pins[i]);
	CHECK_EQ(stats_of(cache).pinned_bytes, 0);
	SOUND(cache);
	wan_cache_destroy(cache);
}

TEST(one_thread_uses_many_caches_in_turn)
{
	struct wan_cache *caches[20];
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < WAN_COUNT_OF(caches); i++) {
			caches[i] = cache_of(WAN_MIB, 0);
			CHECK_EQ(put_of(caches[i], i, 100), 0);
		}
		for (unsigned i = 0; i < 10 * WAN_COUNT_OF(caches); i++)
			CHECK(has(caches[i % WAN_COUNT_OF(caches)], i % WAN_COUNT_OF(caches)));
		for (unsigned i = 0; i < WAN_COUNT_OF(caches); i++) {
			CHECK_EQ(records_of(caches[i]), 1);
			CHECK_EQ(stats_of(caches[i]).hits, 10);
			wan_cache_destroy(caches[i]);
		}
	}
}

TEST(the_oldest_is_the_one_no_thread_has_used_for_longest)
{
	struct wan_cache *cache = cache_of(3 * WEIGHT(100), 0);
	for (uint64_t key = 1; key <= 3; key++)
		CHECK_EQ(put_of(cache, key, 100), 0);
	CHECK(has(cache, 1));
	CHECK(has(cache, 2)); /* so 3 would go ... */
	CHECK(has(cache, 3)); /* ... and now 1, but for the other thread */
	wan_pin_release(pinned_by_a_thread_that_ends(cache));
	CHECK_EQ(put_of(cache, 4, 100), 0);
	CHECK_EQ(gone[0], 2);
	CHECK_EQ(put_of(cache, 5, 100), 0);
	CHECK_EQ(gone[1], 3);
	CHECK(has(cache, 1));
	wan_cache_destroy(cache);
}

TEST(the_newest_entry_again_is_the_newest_still)
{
	struct wan_cache_options options;
	struct wan_cache *cache;
	wan_cache_options_init(&options);
	options.limit_bytes = 2 * WEIGHT(100);
	gone_count = 0;
	REQUIRE_EQ(wan_cache_create(&options, &cache), 0);
	for (unsigned round = 0; round < 200; round++) {
		CHECK_EQ(put_of(cache, 1 + round, 100), 0);
		for (unsigned i = 0; i < 1 + round % 5; i++)
			CHECK(has(cache, 1)); /* often without a stamp; never the one to go */
	}
	CHECK_EQ(gone_count, 198);
	for (unsigned i = 0; i < gone_count; i++)
		CHECK_EQ(gone[i], i + 2);
	SOUND(cache);
	wan_cache_destroy(cache);
}

/* Two threads on a tight cache, with a kernel that refuses the barrier from the start or later. */
static uint64_t failures;
static void *use_much(void *argument)
{
	struct wan_pin *pin;
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t key = 1 + i % 7;
		if (wan_cache_pin(argument, key_of(key), &pin) == 0) {
			if ((uintptr_t)wan_pin_data(pin) != key)
				wan_add_relaxed(&failures, 1);
			wan_pin_release(pin);
		} else {
			struct wan_value value = {.data = (void *)(uintptr_t)key, .bytes = 100};
			if (wan_cache_put(argument, key_of(key), &value) < 0)
				wan_add_relaxed(&failures, 1);
		}
	}
	return NULL;
}

static void use_by_two(struct wan_cache *cache)
{
	pthread_t other;
	failures = 0;
	CHECK_EQ(pthread_create(&other, NULL, use_much, cache), 0);
	use_much(cache);
	pthread_join(other, NULL);
	CHECK_EQ(failures, 0);
	CHECK_EQ(stats_of(cache).pinned_bytes, 0);
	SOUND(cache);
}

TEST(without_the_barrier_readers_pay_for_the_fence)
{
	wan_fault_install();
	wan_fault_arm(WAN_FAULT_MEMBARRIER, 1, EPERM, true);
	struct wan_cache *cache = cache_of(4 * WEIGHT(100), 0);
	CHECK(!cache->light);
	use_by_two(cache);
	CHECK(wan_fault_calls(WAN_FAULT_MEMBARRIER) <= 1); /* asked once, when the cache was made */
	wan_cache_destroy(cache);
	wan_fault_remove();
}

TEST(a_barrier_refused_later_is_done_without_from_then_on)
{
	wan_fault_install();
	struct wan_cache *cache = cache_of(4 * WEIGHT(100), 0);
	bool light = cache->light;
	use_by_two(cache);
	if (light) {
		wan_fault_arm(WAN_FAULT_MEMBARRIER, 1, EPERM, true);
		use_by_two(cache);
		CHECK(!cache->light || wan_fault_calls(WAN_FAULT_MEMBARRIER) == 0);
		wan_fault_disarm();
	}
	use_by_two(cache);
	wan_cache_destroy(cache);
	wan_fault_remove();
	if (!light)
		SKIP("the barrier is not used here");
}

/* A child has one thread; what others had pinned stays pinned. */
static bool stop;
static void *pin_all_the_time(void *argument)
{
	struct wan_pin *kept, *pin;
	if (wan_cache_pin(argument, key_of(1), &kept) < 0)
		return NULL;
	wan_add_relaxed(&failures, 1); /* here: ready */
	while (!wan_load_relaxed(&stop)) {
		if (wan_cache_pin(argument, key_of(2), &pin) == 0)
			wan_pin_release(pin);
	}
	wan_pin_release(kept);
	return NULL;
}

static void live_as_a_child(struct wan_cache *cache)
{
	for (uint64_t key = 3; key < 100; key++)
		CHECK_EQ(put_of(cache, key, 100), 0);
	CHECK(has(cache, 1));
	CHECK(!has(cache, 3));
	CHECK(stats_of(cache).pinned_bytes >= WEIGHT(100));
	CHECK(wan_cache_others_locked(cache) == false);
	SOUND(cache);
}

TEST(a_forked_child_goes_on_with_the_cache)
{
	struct wan_cache *cache = cache_of(10 * WEIGHT(100), 0);
	pthread_t threads[3];
	failures = 0;
	CHECK_EQ(put_of(cache, 1, 100), 0);
	CHECK_EQ(put_of(cache, 2, 100), 0);
	for (unsigned i = 0; i < 3; i++)
		REQUIRE_EQ(pthread_create(&threads[i], NULL, pin_all_the_time, cache), 0);
	while (wan_load_relaxed(&failures) < 3)
		usleep(100);
	usleep(1000); /* all of them hit without the lock by now */
	pid_t child = fork();
	if (child == 0) {
		live_as_a_child(cache);
		_exit(0);
	}
	int status = -1;
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	wan_store_relaxed(&stop, true);
	for (unsigned i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(stats_of(cache).pinned_bytes, 0);
	SOUND(cache);
	wan_cache_destroy(cache);
}

static struct wan_cache *slow_cache;
static uint64_t destroying, looked;
static void destroy_slowly(void *data)
{
	wan_store_relaxed(&destroying, 1);
	for (unsigned i = 0; i < 200000 && !wan_load_relaxed(&looked); i++)
		usleep(100);
}

static void *remove_one(void *argument)
{
	wan_cache_remove(slow_cache, key_of(1));
	return NULL;
}

TEST(a_destructor_that_takes_long_keeps_its_bytes_and_nobody_waiting)
{
	pthread_t thread;
	struct wan_value value = {.data = &slow_cache, .bytes = 500, .destroy = destroy_slowly};
	slow_cache = cache_of(WEIGHT(500) + WEIGHT(100), 0);
	CHECK_EQ(wan_cache_put(slow_cache, key_of(1), &value), 0);
	REQUIRE_EQ(pthread_create(&thread, NULL, remove_one, NULL), 0);
	while (!wan_load_relaxed(&destroying))
		usleep(100);
	CHECK_EQ(stats_of(slow_cache).used_bytes, WEIGHT(500));
	CHECK_EQ(put_of(slow_cache, 2, 100), 0);
	CHECK_EQ(put_of(slow_cache, 3, 101), -EAGAIN);
	CHECK(has(slow_cache, 2));
	wan_store_relaxed(&looked, 1);
	pthread_join(thread, NULL);
	CHECK_EQ(put_of(slow_cache, 3, 101), 0);
	SOUND(slow_cache);
	wan_cache_destroy(slow_cache);
}

TAP_MAIN
