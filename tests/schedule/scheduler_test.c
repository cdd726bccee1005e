/* SPDX-License-Identifier: MIT */
/* The scheduler finds what it is there to find, and finds the same again. */
#include "scheduler.h"

#include <errno.h>

#include "atomics.h"
#include "lock.h"
#include "tap.h"

static uint64_t flags[2], seen[2], counter;
static struct wan_mutex locks[2];
static struct wan_cond cond;
static bool ready;

static void run_two(const struct scheduler_plan *plan, void (*run)(void *argument))
{
	void *arguments[2] = {&flags[0], &flags[1]};
	scheduler_begin(plan);
	flags[0] = flags[1] = seen[0] = seen[1] = counter = 0;
	ready = false;
	scheduler_run(2, run, arguments);
}

static unsigned number(void *argument)
{
	return argument == &flags[1];
}

/* Who goes in saw the other's flag down: both at once is wrong. */
static void knock(void *argument)
{
	unsigned me = number(argument);
	wan_store_light(&flags[me], 1);
	if (me)
		wan_schedule_barrier("barrier");
	seen[me] = wan_load_acquire(&flags[!me]);
}

static void asymmetric_fence(const struct scheduler_plan *plan)
{
	run_two(plan, knock);
	SCHEDULER_REQUIRE(seen[0] || seen[1]);
}

static void add_in_two_steps(void *argument)
{
	for (int i = 0; i < 3; i++)
		wan_store_relaxed(&counter, wan_load_relaxed(&counter) + 1);
}

static void lost_addition(const struct scheduler_plan *plan)
{
	run_two(plan, add_in_two_steps);
	SCHEDULER_REQUIRE(counter == 6);
}

static void add_under_lock(void *argument)
{
	for (int i = 0; i < 3; i++) {
		wan_mutex_lock(&locks[0]);
		wan_store_relaxed(&counter, wan_load_relaxed(&counter) + 1);
		wan_mutex_unlock(&locks[0]);
	}
}

static void lock_crosswise(void *argument)
{
	unsigned me = number(argument);
	pthread_mutex_t *first = &locks[me].native, *second = &locks[!me].native;
	wan_schedule_mutex_lock(first);
	wan_schedule_mutex_lock(second);
	wan_schedule_mutex_unlock(second);
	wan_schedule_mutex_unlock(first);
}

static void deadlock(const struct scheduler_plan *plan)
{
	wan_mutex_init(&locks[0], WAN_RANK_CACHE);
	wan_mutex_init(&locks[1], WAN_RANK_POOL);
	run_two(plan, lock_crosswise);
}

/* One waits, the other sets the flag and wakes. */
static void hand_over(void *argument)
{
	wan_mutex_lock(&locks[0]);
	if (number(argument)) {
		ready = true;
		wan_cond_wake_all(&cond);
	} else {
		while (!ready)
			counter += wan_cond_wait(&cond, &locks[0], 5) == -ETIMEDOUT;
	}
	wan_mutex_unlock(&locks[0]);
}

static void spin(void *argument)
{
	if (number(argument))
		wan_store_release(&flags[1], 1);
	else
		while (!wan_load_acquire(&flags[1]))
			wan_pause();
}

static pthread_key_t key;
static void exit_late(void *argument)
{
	wan_add_relaxed(&counter, 1);
	wan_store_relaxed((uint64_t *)argument, 1);
}

static void leave(void *argument)
{
	pthread_setspecific(key, argument);
}

static bool is_found(void (*run)(const struct scheduler_plan *plan))
{
	struct scheduler_plan like = {.quiet = true};
	uint64_t seed = scheduler_seeds("", run, 1000, &like).failed_seed;
	return seed > 0 && seed <= 1000;
}

TEST(a_fence_without_its_heavy_half_is_found)
{
	struct scheduler_plan like = {.quiet = true, .without_barrier = true};
	uint64_t seed = scheduler_seeds("", asymmetric_fence, 1000, &like).failed_seed;
	printf("# seed %llu of 1000\n", (unsigned long long)seed);
	CHECK(seed > 0 && seed <= 1000);
}

TEST(a_fence_with_both_halves_holds)
{
	CHECK_EQ(scheduler_seeds("both_halves", asymmetric_fence, 2000, NULL).failed_seed, 0);
}

TEST(an_addition_in_two_steps_is_found)
{
	CHECK(is_found(lost_addition));
}

TEST(locks_taken_crosswise_are_found)
{
	CHECK(is_found(deadlock));
}

TEST(a_lock_keeps_additions_apart)
{
	wan_mutex_init(&locks[0], WAN_RANK_CACHE);
	for (uint64_t seed = 1; seed <= 300; seed++) {
		run_two(&(struct scheduler_plan){.seed = seed}, add_under_lock);
		REQUIRE_EQ(counter, 6);
	}
}

TEST(waits_end_by_wake_by_deadline_and_for_no_reason)
{
	uint64_t late = 0;
	wan_mutex_init(&locks[0], WAN_RANK_CACHE);
	wan_cond_init(&cond);
	for (uint64_t seed = 1; seed <= 300; seed++) {
		run_two(&(struct scheduler_plan){.seed = seed}, hand_over);
		late += counter;
	}
	CHECK(late > 0);
}

TEST(who_waits_in_a_loop_lets_the_other_go_on)
{
	for (uint64_t seed = 1; seed <= 300; seed++)
		run_two(&(struct scheduler_plan){.seed = seed}, spin);
}

TEST(destructors_of_threads_are_part_of_the_schedule)
{
	REQUIRE_EQ(pthread_key_create(&key, exit_late), 0);
	for (uint64_t seed = 1; seed <= 100; seed++) {
		run_two(&(struct scheduler_plan){.seed = seed}, leave);
		REQUIRE_EQ(counter, 2);
		REQUIRE_EQ(flags[0] + flags[1], 2);
		CHECK(scheduler_steps() >= 4);
	}
	pthread_key_delete(key);
}

TEST(a_seed_gives_the_same_run_again)
{
	uint64_t different = 0, last = 0;
	wan_mutex_init(&locks[0], WAN_RANK_CACHE);
	for (uint64_t seed = 1; seed <= 50; seed++) {
		run_two(&(struct scheduler_plan){.seed = seed}, add_under_lock);
		uint64_t steps = scheduler_steps(), switches = scheduler_switches();
		run_two(&(struct scheduler_plan){.seed = seed}, add_under_lock);
		CHECK_EQ(scheduler_steps(), steps);
		CHECK_EQ(scheduler_switches(), switches);
		different += switches != last;
		last = switches;
	}
	CHECK(different > 10);
}

TAP_MAIN
