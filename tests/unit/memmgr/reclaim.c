/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include <errno.h>
#include <sys/wait.h>

#include "fakes.h"
#include "state.h"

struct giver {
	uint64_t has, asked;
	uint32_t calls, order;
	struct wan_memory *reenters;
};
static uint32_t order;

static uint64_t give(void *context, enum wan_memory_level level, uint64_t want)
{
	struct giver *giver = context;
	giver->asked = want;
	giver->calls++;
	giver->order = ++order;
	if (giver->reenters) {
		wan_memory_tick(giver->reenters);
		CHECK_EQ(wan_memory_reclaim(giver->reenters, level, want, INT32_MAX), 0);
		CHECK(wan_memory_reserve(giver->reenters, 1 << 20, NULL) <= 0);
		wan_memory_remove_reclaimer(giver->reenters, giver);
	}
	uint64_t given = WAN_MIN(giver->has, want);
	giver->has -= given;
	return given;
}

static int add(struct wan_memory *memory, const char *name, int priority, struct giver *giver)
{
	struct wan_reclaimer reclaimer = {name, priority, give, giver};
	return wan_memory_add_reclaimer(memory, &reclaimer);
}

TEST(the_cheapest_is_asked_first_for_exactly_what_is_missing)
{
	fake_reset(10);
	struct wan_memory *memory = fake_manager(NULL);
	struct giver cheap = {.has = 30}, middle = {.has = 50}, dear = {.has = 1000},
		     never = {.has = 1000};
	order = 0;
	CHECK_EQ(add(memory, "never", 40, &never), 0);
	CHECK_EQ(add(memory, "dear", 30, &dear), 0);
	CHECK_EQ(add(memory, "cheap", 0, &cheap), 0);
	CHECK_EQ(add(memory, "middle", 20, &middle), 0);
	CHECK_EQ(wan_memory_reclaim(memory, WAN_MEMORY_CRITICAL, 100, INT32_MAX), 100);
	CHECK_EQ(cheap.asked, 100);
	CHECK_EQ(middle.asked, 70);
	CHECK_EQ(dear.asked, 20);
	CHECK_EQ(never.calls, 0);
	CHECK(cheap.order < middle.order && middle.order < dear.order);
	wan_memory_destroy(memory);
}

TEST(a_warning_asks_only_for_idle_memory)
{
	fake_reset(76);
	fake.limit = fake.used = 0;
	struct wan_memory *memory = fake_manager(NULL);
	struct giver idle = {.has = WAN_MIB}, cache = {.has = 100 * WAN_MIB};
	CHECK_EQ(add(memory, "idle", WAN_RECLAIM_IDLE, &idle), 0);
	CHECK_EQ(add(memory, "cache", WAN_RECLAIM_REBUILD, &cache), 0);
	wan_memory_tick(memory);
	CHECK_EQ(idle.calls, 1);
	CHECK_EQ(cache.calls, 0);
	CHECK_STR(fake_last_action()->what, "reclaim");
	CHECK_EQ(fake_last_action()->freed_bytes, WAN_MIB);
	fake_host_percent(86);
	wan_memory_tick(memory);
	CHECK_EQ(cache.calls, 1);
	CHECK_EQ(cache.asked, 60 * WAN_MIB); /* 86 to 80 % of 1000 MB */
	wan_memory_destroy(memory);
}

TEST(critical_pressure_by_others_does_not_empty_the_cache)
{
	fake_reset(86);
	fake.total *= 64;
	fake.available *= 64; /* gigabytes are missing */
	struct wan_memory *memory = fake_manager(NULL);
	struct giver idle = {.has = WAN_MIB}, cache = {.has = 100 * WAN_MIB};
	CHECK_EQ(add(memory, "idle", WAN_RECLAIM_IDLE, &idle), 0);
	CHECK_EQ(add(memory, "cache", WAN_RECLAIM_REBUILD, &cache), 0);
	wan_memory_tick(memory);
	CHECK_EQ(fake.limit, 128 * WAN_MIB); /* the required step is taken */
	CHECK_EQ(idle.calls, 1);
	CHECK_EQ(cache.calls, 0);
	wan_memory_destroy(memory);
}

TEST(a_reclaimer_that_enters_again_gets_nothing_and_may_remove_itself)
{
	fake_reset(86);
	fake.limit = 0;
	struct wan_memory *memory = fake_manager(NULL);
	struct giver giver = {.has = WAN_MIB, .reenters = memory};
	CHECK_EQ(add(memory, "again", 0, &giver), 0);
	wan_memory_tick(memory);
	CHECK_EQ(giver.calls, 1);
	wan_memory_reclaim(memory, WAN_MEMORY_CRITICAL, 5, INT32_MAX);
	CHECK_EQ(giver.calls, 1); /* it is gone */
	wan_memory_destroy(memory);
}

static uint64_t boast(void *context, enum wan_memory_level level, uint64_t want)
{
	return UINT64_MAX;
}

TEST(a_reclaimer_that_boasts_does_not_overflow)
{
	fake_reset(10);
	struct wan_memory *memory = fake_manager(NULL);
	struct giver one = {.has = 10};
	struct wan_reclaimer reclaimer = {"boast", 5, boast, NULL};
	CHECK_EQ(add(memory, "one", 0, &one), 0);
	CHECK_EQ(wan_memory_add_reclaimer(memory, &reclaimer), 0);
	CHECK(wan_memory_reclaim(memory, WAN_MEMORY_NORMAL, 100, INT32_MAX) == UINT64_MAX);
	wan_memory_destroy(memory);
}

TEST(registering_twice_or_too_many_is_refused)
{
	fake_reset(10);
	struct wan_memory *memory = fake_manager(NULL);
	static struct giver givers[WAN_RECLAIMERS_MAX + 1];
	for (int i = 0; i < WAN_RECLAIMERS_MAX; i++)
		CHECK_EQ(add(memory, "x", i, &givers[i]), 0);
	CHECK_EQ(add(memory, "x", 1, &givers[3]), -EEXIST);
	CHECK_EQ(add(memory, "x", 1, &givers[WAN_RECLAIMERS_MAX]), -ENOSPC);
	struct wan_reclaimer nothing = {"nothing", 0, NULL, NULL};
	CHECK_EQ(wan_memory_add_reclaimer(memory, &nothing), -EINVAL);
	wan_memory_remove_reclaimer(memory, &givers[3]);
	CHECK_EQ(add(memory, "x", 1, &givers[3]), 0);
	wan_memory_destroy(memory);
}

/* --- several threads --- */

struct shared {
	struct wan_memory *memory;
	uint32_t running, overlaps, calls;
	bool stop;
};

static uint64_t give_alone(void *context, enum wan_memory_level level, uint64_t want)
{
	struct shared *shared = context;
	if (__atomic_fetch_add(&shared->running, 1, __ATOMIC_SEQ_CST) != 0)
		__atomic_fetch_add(&shared->overlaps, 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&shared->calls, 1, __ATOMIC_SEQ_CST);
	usleep(200);
	__atomic_fetch_sub(&shared->running, 1, __ATOMIC_SEQ_CST);
	return 1;
}

static void *reclaim_often(void *argument)
{
	struct shared *shared = argument;
	for (int i = 0; i < 50; i++)
		wan_memory_reclaim(shared->memory, WAN_MEMORY_CRITICAL, 1, INT32_MAX);
	return NULL;
}

TEST(one_thread_reclaims_at_a_time_and_removal_waits_for_it)
{
	fake_reset(10);
	struct shared shared = {.memory = fake_manager(NULL)};
	struct wan_reclaimer reclaimer = {"alone", 0, give_alone, &shared};
	pthread_t threads[4];
	REQUIRE_EQ(wan_memory_add_reclaimer(shared.memory, &reclaimer), 0);
	for (int i = 0; i < 4; i++)
		REQUIRE(pthread_create(&threads[i], NULL, reclaim_often, &shared) == 0);
	usleep(5000);
	wan_memory_remove_reclaimer(shared.memory, &shared);
	CHECK_EQ(__atomic_load_n(&shared.running, __ATOMIC_SEQ_CST), 0);
	uint32_t calls = __atomic_load_n(&shared.calls, __ATOMIC_SEQ_CST);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(shared.calls, calls);
	CHECK_EQ(shared.overlaps, 0);
	wan_memory_destroy(shared.memory);
}

/* Stays inside until told to leave, so that no lock is held when the test forks. */
static uint64_t give_when_told(void *context, enum wan_memory_level level, uint64_t want)
{
	struct shared *shared = context;
	__atomic_store_n(&shared->running, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&shared->stop, __ATOMIC_SEQ_CST))
		usleep(1000);
	return 1;
}

static void *reclaim_once(void *argument)
{
	struct shared *shared = argument;
	wan_memory_reclaim(shared->memory, WAN_MEMORY_CRITICAL, 1, INT32_MAX);
	return NULL;
}

TEST(a_child_forked_while_a_thread_reclaims_can_reclaim_itself)
{
	fake_reset(10);
	struct shared shared = {.memory = fake_manager(NULL)};
	struct wan_reclaimer reclaimer = {"told", 0, give_when_told, &shared};
	pthread_t thread;
	REQUIRE_EQ(wan_memory_add_reclaimer(shared.memory, &reclaimer), 0);
	REQUIRE(pthread_create(&thread, NULL, reclaim_once, &shared) == 0);
	while (!__atomic_load_n(&shared.running, __ATOMIC_SEQ_CST))
		usleep(1000);
	pid_t child = fork();
	if (child == 0) {
		alarm(10);
		shared.stop = true;
		wan_memory_tick(shared.memory);
		uint64_t freed = wan_memory_reclaim(shared.memory, WAN_MEMORY_NORMAL, 1, INT32_MAX);
		wan_memory_destroy(shared.memory);
		_exit(freed == 1 ? 0 : 1);
	}
	__atomic_store_n(&shared.stop, true, __ATOMIC_SEQ_CST);
	int status = -1;
	waitpid(child, &status, 0);
	pthread_join(thread, NULL);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	wan_memory_destroy(shared.memory);
}

static uint64_t give_late(void *context, enum wan_memory_level level, uint64_t want)
{
	struct shared *shared = context;
	__atomic_fetch_add(&shared->calls, 1, __ATOMIC_SEQ_CST);
	return give_when_told(context, level, want);
}

/* How often it was told that a reclaimer degraded, with that in its reason. */
static uint32_t told(const char *reason)
{
	uint32_t times = 0;
	for (uint32_t i = 0; i < fake.action_count; i++)
		times += strcmp(fake.actions[i].what, "degraded") == 0 &&
			 strstr(fake.actions[i].reason, reason) != NULL;
	return times;
}

TEST(one_that_blocks_is_left_behind_and_told_once)
{
	fake_reset(10);
	struct shared shared = {.memory = fake_manager(NULL)};
	struct wan_reclaimer reclaimer = {"slow", 0, give_late, &shared};
	struct giver dear = {.has = 1000};
	pthread_t thread;
	REQUIRE_EQ(wan_memory_add_reclaimer(shared.memory, &reclaimer), 0);
	REQUIRE_EQ(add(shared.memory, "dear", 30, &dear), 0);
	REQUIRE(pthread_create(&thread, NULL, reclaim_once, &shared) == 0);
	while (!__atomic_load_n(&shared.running, __ATOMIC_SEQ_CST))
		usleep(1000);
	CHECK_EQ(wan_memory_reclaim(shared.memory, WAN_MEMORY_CRITICAL, 100, INT32_MAX), 100);
	CHECK_EQ(wan_memory_reclaim(shared.memory, WAN_MEMORY_CRITICAL, 100, INT32_MAX), 100);
	CHECK_EQ(dear.has, 800);
	CHECK_EQ(told("slow: has not come back"), 1);
	__atomic_store_n(&shared.stop, true, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);
	CHECK_EQ(shared.calls, 1);
	/* For a second it is not asked again. */
	CHECK_EQ(wan_memory_reclaim(shared.memory, WAN_MEMORY_CRITICAL, 100, INT32_MAX), 100);
	CHECK_EQ(shared.calls, 1);
	wan_memory_remove_reclaimer(shared.memory, &shared);
	wan_memory_destroy(shared.memory);
}

TEST(one_that_gives_nothing_or_enters_again_is_told_once)
{
	fake_reset(10);
	struct wan_memory *memory = fake_manager(NULL);
	struct giver empty = {.has = 0}, again = {.has = 1000, .reenters = memory};
	CHECK_EQ(add(memory, "empty", 0, &empty), 0);
	for (int i = 0; i < 100; i++)
		wan_memory_reclaim(memory, WAN_MEMORY_CRITICAL, 1, INT32_MAX);
	CHECK_EQ(empty.calls, 100); /* it may have something later */
	CHECK_EQ(told("empty: gave nothing"), 1);
	CHECK_EQ(add(memory, "again", 1, &again), 0);
	CHECK_EQ(wan_memory_reclaim(memory, WAN_MEMORY_CRITICAL, 1, INT32_MAX), 1);
	CHECK_EQ(told("again: asks for memory itself"), 1);
	wan_memory_destroy(memory);
}

TAP_MAIN
