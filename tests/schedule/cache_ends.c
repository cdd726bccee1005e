/* SPDX-License-Identifier: MIT */
/* Ends under seeded schedules: of caches with pins held, of threads with pins held, of computations
 * many wait for; and more pins than a thread has room for. */
#include "cache_world.h"
#include "tap.h"

enum { THREADS = 3, PINS_MAX = 110 };

struct holder {
	struct wan_pin *pins[PINS_MAX];
	uint64_t keys[PINS_MAX];
	unsigned count, number;
};
static struct holder holders[THREADS];

static void run_threads(unsigned count, void (*run)(void *argument))
{
	void *arguments[THREADS];
	for (unsigned i = 0; i < THREADS; i++) {
		holders[i].number = i;
		arguments[i] = &holders[i];
	}
	scheduler_run(count, run, arguments);
}

static void begin(const struct scheduler_plan *plan, uint64_t keys)
{
	world_begin(plan, 1000000, 1000, 0, WAN_CACHE_LRU);
	memset(holders, 0, sizeof(holders));
	for (uint64_t key = 0; key < keys; key++)
		SCHEDULER_REQUIRE(world_put(key, 100, 0) == 0);
}

static void hold_some(void *argument)
{
	struct holder *holder = argument;
	for (unsigned i = 0; i < 3; i++) {
		uint64_t key = scheduler_below(3);
		if (world_pin(key, &holder->pins[holder->count]) == 0)
			holder->keys[holder->count++] = key;
	}
}

static void release_all(void *argument)
{
	struct holder *holder = argument;
	while (holder->count > 0) {
		holder->count--;
		world_release(holder->pins[holder->count], holder->keys[holder->count]);
	}
}

/* The threads that took the pins are gone; others give them back, and the last frees the cache. */
static void end_of_cache(const struct scheduler_plan *plan)
{
	begin(plan, 3);
	run_threads(THREADS, hold_some);
	wan_cache_destroy(world.cache);
	for (unsigned i = 0; i < THREADS; i++) {
		for (unsigned pin = 0; pin < holders[i].count; pin++)
			world_look(holders[i].pins[pin], holders[i].keys[pin]);
	}
	run_threads(THREADS, release_all);
	SCHEDULER_REQUIRE(world.dead_count == 3);
}

/* One thread destroys the cache it used while others hold pins, which they give back: allowed once
 * the destruction is done. */
static uint64_t holding, destroyed;
static void hold_then_end(void *argument)
{
	hold_some(argument);
	wan_add_acq_rel(&holding, 1);
	if (((struct holder *)argument)->number == 0) {
		while (wan_load_acquire(&holding) < THREADS)
			wan_pause();
		wan_cache_destroy(world.cache);
		wan_store_release(&destroyed, 1);
	}
	while (!wan_load_acquire(&destroyed))
		wan_pause();
	release_all(argument);
}

static void end_among_threads(const struct scheduler_plan *plan)
{
	begin(plan, 3);
	holding = destroyed = 0;
	run_threads(THREADS, hold_then_end);
	SCHEDULER_REQUIRE(world.dead_count == 3);
}

/* Threads come and go; what they used stays as old as it was, what they pinned stays pinned. */
static void use_and_leave(void *argument)
{
	struct holder *holder = argument;
	struct wan_pin *pin;
	for (unsigned i = 0; i < 3; i++) {
		uint64_t key = scheduler_below(5);
		if (scheduler_below(4) == 0) {
			(void)world_put(key, 100, 0);
			continue;
		}
		if (world_pin(key, &pin) < 0)
			continue;
		if (holder->count < 2 && scheduler_below(3) == 0) {
			holder->keys[holder->count] = key;
			holder->pins[holder->count++] = pin;
		} else {
			world_release(pin, key);
		}
	}
	if (scheduler_below(2))
		release_all(argument);
}

static void adopted_records(const struct scheduler_plan *plan)
{
	begin(plan, 5);
	for (unsigned generation = 0; generation < 3; generation++) {
		run_threads(THREADS, use_and_leave);
		world_sound();
	}
	for (unsigned i = 0; i < THREADS; i++)
		release_all(&holders[i]);
	world_evict_in_order();
	world_end();
}

static void use_another_cache(void *argument)
{
	struct wan_cache *mine;
	struct wan_pin *pin;
	use_and_leave(argument);
	SCHEDULER_REQUIRE(wan_cache_create(NULL, &mine) == 0);
	struct wan_value value = {.bytes = 10};
	SCHEDULER_REQUIRE(wan_cache_put(mine, world_key(1), &value) == 0);
	SCHEDULER_REQUIRE(wan_cache_pin(mine, world_key(1), &pin) == 0);
	use_and_leave(argument);
	wan_pin_release(pin);
	SCHEDULER_REQUIRE(wan_cache_pin(mine, world_key(1), &pin) == 0);
	wan_cache_destroy(mine);
	use_and_leave(argument);
	wan_pin_release(pin);
}

static void several_caches(const struct scheduler_plan *plan)
{
	begin(plan, 5);
	run_threads(THREADS, use_another_cache);
	for (unsigned i = 0; i < THREADS; i++)
		release_all(&holders[i]);
	world_evict_in_order();
	world_end();
}

static unsigned executions;
static int compute_once(void *context, struct wan_value *ret_value)
{
	executions++;
	scheduler_point("loader");
	struct value *value = world_make((uintptr_t)context, 100);
	world_own(value);
	*ret_value = world_value(value, 0);
	return 0;
}

static void ask(void *argument)
{
	struct wan_pin *pin;
	SCHEDULER_REQUIRE(wan_cache_get_or_compute(world.cache, world_key(7), 100, compute_once,
						   (void *)(uintptr_t)7, &pin, NULL) == 0);
	world_stored(world_look(pin, 7));
	wan_pin_release(pin);
}

static void single_flight(const struct scheduler_plan *plan)
{
	begin(plan, 0);
	executions = 0;
	run_threads(THREADS, ask);
	struct wan_cache_stats stats = world_stats();
	SCHEDULER_REQUIRE(executions == 1 + stats.wait_timeouts);
	SCHEDULER_REQUIRE(stats.hits + stats.shared_waits + stats.wait_timeouts + 1 == THREADS);
	world_evict_in_order();
	world_end();
}

/* One thread pins more than its record has slots, the others evict and overwrite meanwhile. */
static void pin_many(void *argument)
{
	struct holder *holder = argument;
	if (holder->number) {
		use_and_leave(holder);
		return;
	}
	while (holder->count < PINS_MAX) {
		uint64_t key = 50 + holder->count % 3;
		if (world_pin(key, &holder->pins[holder->count]) < 0) {
			(void)world_put(key, 100, 0);
			continue;
		}
		holder->keys[holder->count++] = key;
	}
	wan_cache_remove(world.cache, world_key(50));
	release_all(holder);
}

static void many_pins(const struct scheduler_plan *plan)
{
	begin(plan, 5);
	run_threads(THREADS, pin_many);
	for (unsigned i = 0; i < THREADS; i++)
		release_all(&holders[i]);
	world_evict_in_order();
	world_end();
}

static void check_seeds(const char *name, void (*run)(const struct scheduler_plan *plan),
			uint64_t count)
{
	struct scheduler_tally tally = scheduler_seeds(name, run, count, NULL);
	printf("# %llu seeds, %llu steps, %llu changes of thread\n",
	       (unsigned long long)tally.seeds, (unsigned long long)tally.steps,
	       (unsigned long long)tally.switches);
	CHECK_EQ(tally.failed_seed, 0);
	CHECK(tally.steps > 10 * tally.seeds && tally.switches > tally.seeds);
}

TEST(the_last_release_frees_a_destroyed_cache)
{
	check_seeds(__func__, end_of_cache, 2000);
}

TEST(a_cache_ends_while_other_threads_hold_pins)
{
	check_seeds(__func__, end_among_threads, 1000);
}

TEST(threads_that_come_take_over_what_those_that_went_left)
{
	check_seeds(__func__, adopted_records, 1500);
}

TEST(a_thread_uses_several_caches_and_ends_some)
{
	check_seeds(__func__, several_caches, 1500);
}

TEST(one_computes_and_all_who_wait_share_it)
{
	check_seeds(__func__, single_flight, 2000);
}

TEST(more_pins_than_a_thread_has_room_for)
{
	check_seeds(__func__, many_pins, 200);
}

TAP_MAIN
