/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include <errno.h>
#include <sys/wait.h>

#include "clock.h"
#include "fakes.h"
#include "state.h"

/* A box of 256 MB on a large, empty host. */
static struct wan_memory *box(uint64_t need_mb)
{
	fake_reset(10);
	fake.total = 24 * GIB;
	fake.available = 20 * GIB;
	strcpy(fake.cgroups[0].name, "cgroup /box");
	fake.cgroups[0].limit_bytes = 256 * WAN_MIB;
	fake.cgroups[0].need_bytes = need_mb * WAN_MIB;
	fake.cgroup_count = 1;
	fake.rss = need_mb * WAN_MIB;
	return fake_manager(NULL);
}

static uint64_t give_all(void *context, enum wan_memory_level level, uint64_t want)
{
	uint64_t *has = context;
	uint64_t given = WAN_MIN(*has, want);
	*has -= given;
	fake.cgroups[0].need_bytes -= given;
	return given;
}

TEST(what_fits_below_the_line_is_granted)
{
	struct wan_memory *memory = box(100);
	struct wan_error error;
	/* 73 % of 256 MB are 186.88 MB. */
	CHECK_EQ(wan_memory_reserve(memory, 80 * WAN_MIB, &error), 0);
	CHECK_EQ(wan_memory_reserve(memory, 6 * WAN_MIB, &error), 0);
	CHECK_EQ(wan_memory_reserve(memory, 60 * WAN_MIB, &error), -ENOMEM);
	struct wan_memory_state state = {.struct_size = sizeof(state)};
	wan_memory_state(memory, &state);
	CHECK_EQ(state.reserved_bytes, 86 * WAN_MIB);
	wan_memory_unreserve(memory, 80 * WAN_MIB);
	CHECK_EQ(wan_memory_reserve(memory, 60 * WAN_MIB, &error), 0);
	wan_memory_destroy(memory);
}

TEST(a_refusal_names_the_limiting_level_and_the_numbers)
{
	struct wan_memory *memory = box(200);
	struct wan_error error = {0};
	CHECK_EQ(wan_memory_reserve(memory, 100 * WAN_MIB, &error), -ENOMEM);
	CHECK_EQ(error.code, -ENOMEM);
	CHECK_STR(error.object, "cgroup /box");
	CHECK(strstr(error.reason, "100") != NULL);
	CHECK(strstr(error.reason, "56") != NULL);
	CHECK(error.hint[0]);
	CHECK_EQ(wan_memory_reserve(memory, 100 * WAN_MIB, NULL), -ENOMEM);
	struct wan_memory_state state = {.struct_size = sizeof(state)};
	wan_memory_state(memory, &state);
	CHECK_EQ(state.reserved_bytes, 0);
	wan_memory_destroy(memory);
}

TEST(reclaimers_make_room_for_exactly_what_is_missing)
{
	struct wan_memory *memory = box(180);
	uint64_t cached = 100 * WAN_MIB;
	struct wan_reclaimer cache = {"cache", WAN_RECLAIM_REBUILD, give_all, &cached};
	REQUIRE_EQ(wan_memory_add_reclaimer(memory, &cache), 0);
	CHECK_EQ(wan_memory_reserve(memory, 20 * WAN_MIB, NULL), 0);
	/* 186.88 - 180 leave 6.88 MB: 13.12 MB were given. */
	CHECK_NEAR((double)cached / (double)WAN_MIB, 86.88, 0.01);
	CHECK_EQ(wan_memory_reserve(memory, 300 * WAN_MIB, NULL), -ENOMEM);
	wan_memory_destroy(memory);
}

TEST(above_the_line_a_quarter_of_the_rest_may_be_in_flight)
{
	struct wan_memory *memory = box(216); /* 40 MB left */
	fake.rss = WAN_MIB;                   /* others have it */
	CHECK_EQ(wan_memory_reserve(memory, 6 * WAN_MIB, NULL), 0);
	CHECK_EQ(wan_memory_reserve(memory, 4 * WAN_MIB, NULL), 0);
	CHECK_EQ(wan_memory_reserve(memory, 1, NULL), -ENOMEM);
	wan_memory_unreserve(memory, 10 * WAN_MIB);
	CHECK_EQ(wan_memory_reserve(memory, 11 * WAN_MIB, NULL), -ENOMEM);
	wan_memory_destroy(memory);
}

TEST(memory_that_others_hold_is_not_looked_for_in_the_cache)
{
	struct wan_memory *memory = box(40);
	fake.available = 24 * GIB / 100 * 15; /* host at 85 %, gigabytes above the line */
	fake.rss = 40 * WAN_MIB;
	uint64_t cached = 30 * WAN_MIB;
	struct wan_reclaimer cache = {"cache", WAN_RECLAIM_REBUILD, give_all, &cached};
	REQUIRE_EQ(wan_memory_add_reclaimer(memory, &cache), 0);
	CHECK_EQ(wan_memory_reserve(memory, 8 * WAN_MIB, NULL), 0);
	CHECK_EQ(cached, 30 * WAN_MIB);
	wan_memory_destroy(memory);
}

TEST(a_large_process_does_not_empty_its_small_cache_in_vain)
{
	struct wan_memory *memory = box(40);
	fake.total = 64 * GIB;
	fake.available = 64 * GIB / 100 * 20; /* gigabytes above the line, ours but not cached */
	fake.rss = 40 * GIB;
	uint64_t cached = 30 * WAN_MIB;
	struct wan_reclaimer cache = {"cache", WAN_RECLAIM_REBUILD, give_all, &cached};
	REQUIRE_EQ(wan_memory_add_reclaimer(memory, &cache), 0);
	CHECK_EQ(wan_memory_reserve(memory, 8 * WAN_MIB, NULL), 0);
	CHECK_EQ(cached, 30 * WAN_MIB);
	wan_memory_destroy(memory);
}

TEST(a_twelve_megapixel_image_in_64_mb_is_refused)
{
	struct wan_memory *memory = box(20);
	fake.cgroups[0].limit_bytes = 64 * WAN_MIB;
	wan_memory_tick(memory);
	uint64_t begin = wan_now_ns();
	CHECK_EQ(wan_memory_reserve(memory, 36 * WAN_MIB, NULL), -ENOMEM);
	CHECK_EQ(wan_memory_reserve(memory, 9 * WAN_MIB, NULL), 0); /* scaled to a half it fits */
	printf("# refused and granted within %.1f us\n", (double)(wan_now_ns() - begin) / 1000);
	wan_memory_destroy(memory);
}

TEST(usage_is_read_again_after_each_mebibyte)
{
	struct wan_memory *memory = box(100);
	uint32_t reads = fake.reads;
	for (int i = 0; i < 15; i++) {
		CHECK_EQ(wan_memory_reserve(memory, 64 * WAN_KIB, NULL), 0);
		wan_memory_unreserve(memory, 64 * WAN_KIB);
	}
	CHECK_EQ(fake.reads, reads);
	for (int i = 0; i < 16; i++) {
		CHECK_EQ(wan_memory_reserve(memory, 64 * WAN_KIB, NULL), 0);
		wan_memory_unreserve(memory, 64 * WAN_KIB);
	}
	CHECK(fake.reads > reads);
	wan_memory_destroy(memory);
}

TEST(a_lowered_limit_is_seen_by_the_next_large_reserve)
{
	struct wan_memory *memory = box(100);
	CHECK_EQ(wan_memory_reserve(memory, 20 * WAN_MIB, NULL), 0);
	wan_memory_unreserve(memory, 20 * WAN_MIB);
	fake.cgroups[0].limit_bytes = 90 * WAN_MIB;
	CHECK_EQ(wan_memory_reserve(memory, 20 * WAN_MIB, NULL), -ENOMEM);
	wan_memory_destroy(memory);
}

TEST(absurd_amounts_are_refused)
{
	struct wan_memory *memory = box(100);
	CHECK_EQ(wan_memory_reserve(memory, UINT64_MAX, NULL), -ENOMEM);
	CHECK_EQ(wan_memory_reserve(memory, INT64_MAX, NULL), -ENOMEM);
	CHECK_EQ(wan_memory_reserve(memory, WAN_MIB, NULL), 0);
	CHECK_EQ(wan_memory_reserve(memory, UINT64_MAX - WAN_MIB / 2, NULL), -ENOMEM);
	wan_memory_unreserve(memory, UINT64_MAX); /* more than was reserved: clamped */
	struct wan_memory_state state = {.struct_size = sizeof(state)};
	wan_memory_state(memory, &state);
	CHECK_EQ(state.reserved_bytes, 0);
	CHECK_EQ(wan_memory_reserve(memory, 0, NULL), 0);
	CHECK_EQ(wan_memory_reserve(NULL, 1, NULL), -EINVAL);
	wan_memory_unreserve(NULL, 1);
	wan_memory_destroy(memory);
}

/* --- several threads --- */

static struct wan_memory *shared;
static uint64_t held, most;

static void *reserve_often(void *argument)
{
	for (int i = 0; i < 2000; i++) {
		uint64_t bytes = 200 * WAN_KIB + (uint64_t)(i % 7) * WAN_MIB;
		if (wan_memory_reserve(shared, bytes, NULL) < 0)
			continue;
		uint64_t now = __atomic_add_fetch(&held, bytes, __ATOMIC_SEQ_CST);
		uint64_t seen = __atomic_load_n(&most, __ATOMIC_SEQ_CST);
		while (now > seen &&
		       !__atomic_compare_exchange_n(&most, &seen, now, false, __ATOMIC_SEQ_CST,
						    __ATOMIC_SEQ_CST))
			;
		__atomic_fetch_sub(&held, bytes, __ATOMIC_SEQ_CST);
		wan_memory_unreserve(shared, bytes);
	}
	return NULL;
}

static void *tick_often(void *argument)
{
	for (int i = 0; i < 500; i++)
		wan_memory_tick(shared);
	return NULL;
}

TEST(threads_together_never_hold_more_than_the_line)
{
	pthread_t threads[4];
	shared = box(170); /* 16.88 MB below the line, 21.5 MB as the quarter of the rest */
	held = most = 0;
	for (int i = 0; i < 3; i++)
		REQUIRE(pthread_create(&threads[i], NULL, reserve_often, NULL) == 0);
	REQUIRE(pthread_create(&threads[3], NULL, tick_often, NULL) == 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	CHECK(most > 0);
	CHECK(most <= 86 * WAN_MIB / 4);
	struct wan_memory_state state = {.struct_size = sizeof(state)};
	wan_memory_state(shared, &state);
	CHECK_EQ(state.reserved_bytes, 0);
	wan_memory_destroy(shared);
}

/* --- asking --- */

static struct wan_memory_answer ask_for(struct wan_memory *memory, uint64_t bytes, uint64_t wait_ns,
					int *ret_status)
{
	struct wan_memory_request request = {
		.struct_size = sizeof(request), .bytes = bytes, .wait_ns = wait_ns};
	struct wan_memory_answer answer = {.struct_size = sizeof(answer)};
	*ret_status = wan_memory_ask(memory, &request, &answer, NULL);
	return answer;
}

TEST(an_answer_tells_which_way_it_went)
{
	struct wan_memory *memory = box(180);
	uint64_t cached = 30 * WAN_MIB;
	int r;
	struct wan_reclaimer cache = {"cache", WAN_RECLAIM_REBUILD, give_all, &cached};
	REQUIRE_EQ(wan_memory_add_reclaimer(memory, &cache), 0);
	struct wan_memory_answer answer = ask_for(memory, 2 * WAN_MIB, 0, &r);
	CHECK_EQ(r, 0);
	CHECK_EQ(answer.outcome, WAN_MEMORY_GRANTED);
	CHECK_EQ(answer.evicted_bytes, 0);
	answer = ask_for(memory, 10 * WAN_MIB, 0, &r);
	CHECK_EQ(r, 0);
	CHECK_EQ(answer.outcome, WAN_MEMORY_GRANTED_AFTER_EVICTION);
	CHECK(answer.evicted_bytes > 5 * WAN_MIB && answer.evicted_bytes < 6 * WAN_MIB);
	answer = ask_for(memory, 200 * WAN_MIB, 60000000000, &r);
	CHECK_EQ(r, -ENOMEM); /* only this thread holds anything: it does not wait for itself */
	CHECK_EQ(answer.outcome, WAN_MEMORY_REFUSED);
	CHECK_STR(answer.limiting, "cgroup /box");
	CHECK(answer.grantable_bytes < 30 * WAN_MIB);
	CHECK(answer.headroom_bytes > 70 * WAN_MIB);
	CHECK(answer.waited_ns < 30000000000);
	wan_memory_destroy(memory);
}

TEST(nobody_gives_for_a_request_that_keeps_what_is_cached)
{
	struct wan_memory *memory = box(180);
	uint64_t cached = 30 * WAN_MIB;
	struct wan_reclaimer cache = {"cache", WAN_RECLAIM_REBUILD, give_all, &cached};
	REQUIRE_EQ(wan_memory_add_reclaimer(memory, &cache), 0);
	fake.rss = UINT64_MAX;
	struct wan_memory_request request = {
		.struct_size = sizeof(request), .bytes = 25 * WAN_MIB, .keep_cached = true};
	CHECK_EQ(wan_memory_ask(memory, &request, NULL, NULL), -ENOMEM);
	CHECK_EQ(cached, 30 * WAN_MIB);
	request.keep_cached = false;
	CHECK_EQ(wan_memory_ask(memory, &request, NULL, NULL), 0);
	wan_memory_destroy(memory);
}

TEST(requests_of_other_versions_are_taken_or_refused)
{
	struct wan_memory *memory = box(100);
	struct {
		struct wan_memory_request request;
		uint64_t tail;
	} newer = {.request = {.struct_size = sizeof(newer), .bytes = WAN_MIB}};
	CHECK_EQ(wan_memory_ask(memory, &newer.request, NULL, NULL), 0);
	newer.tail = 1;
	CHECK_EQ(wan_memory_ask(memory, &newer.request, NULL, NULL), -EINVAL);
	newer.request.struct_size = 2 * sizeof(size_t); /* without what came later */
	newer.request.wait_ns = UINT64_MAX;
	CHECK_EQ(wan_memory_ask(memory, &newer.request, NULL, NULL), 0);
	newer.request.struct_size = 1;
	CHECK_EQ(wan_memory_ask(memory, &newer.request, NULL, NULL), -EINVAL);
	CHECK_EQ(wan_memory_ask(memory, NULL, NULL, NULL), -EINVAL);
	wan_memory_destroy(memory);
}

struct holder {
	struct wan_memory *memory;
	uint32_t state; /* 1: it holds, 2: give back, 3: given back */
};

static void *hold_until_told(void *argument)
{
	struct holder *holder = argument;
	if (wan_memory_reserve(holder->memory, 80 * WAN_MIB, NULL) == 0)
		__atomic_store_n(&holder->state, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&holder->state, __ATOMIC_SEQ_CST) != 2)
		usleep(1000);
	usleep(20000);
	wan_memory_unreserve(holder->memory, 80 * WAN_MIB);
	__atomic_store_n(&holder->state, 3, __ATOMIC_SEQ_CST);
	return NULL;
}

TEST(what_another_thread_has_reserved_is_waited_for)
{
	struct holder holder = {.memory = box(100)};
	pthread_t thread;
	int r;
	REQUIRE(pthread_create(&thread, NULL, hold_until_told, &holder) == 0);
	while (__atomic_load_n(&holder.state, __ATOMIC_SEQ_CST) != 1)
		usleep(1000);
	struct wan_memory_answer answer = ask_for(holder.memory, 50 * WAN_MIB, 0, &r);
	CHECK_EQ(r, -EAGAIN);
	CHECK_EQ(answer.outcome, WAN_MEMORY_WAIT);
	CHECK_EQ(answer.awaited_bytes, 80 * WAN_MIB);
	answer = ask_for(holder.memory, 50 * WAN_MIB, 5000000, &r); /* in vain */
	CHECK_EQ(r, -EAGAIN);
	CHECK(answer.waited_ns >= 5000000);
	answer = ask_for(holder.memory, 100 * WAN_MIB, 60000000000, &r);
	CHECK_EQ(r, -ENOMEM); /* not even then */
	__atomic_store_n(&holder.state, 2, __ATOMIC_SEQ_CST);
	answer = ask_for(holder.memory, 50 * WAN_MIB, 60000000000, &r);
	CHECK_EQ(r, 0);
	CHECK_EQ(answer.outcome, WAN_MEMORY_GRANTED);
	CHECK(answer.waited_ns < 60000000000);
	pthread_join(thread, NULL);
	wan_memory_destroy(holder.memory);
}

/* The thread is put aside for 10 ms after it has read; meanwhile others took 60 MB. */
static int read_late(void *context, uint64_t *ret_rss)
{
	if (fake.reads == 1) {
		fake_now_ns += 10000000;
		fake.cgroups[0].need_bytes = 160 * WAN_MIB;
	}
	*ret_rss = 1;
	return 0;
}

TEST(a_look_that_took_too_long_is_repeated)
{
	struct wan_memory *memory = box(100); /* 86 MB below the line */
	struct wan_look look;
	struct wan_look_verdict verdict;
	memory->sources.process = read_late;
	fake.reads = 0;
	wan_memory_look(memory, &look, &verdict);
	CHECK_EQ(fake.reads, 2);
	CHECK_EQ(verdict.line_left_bytes / (int64_t)WAN_MIB, 26);
	wan_memory_destroy(memory);
}

TEST(nothing_is_waited_for_where_memory_wait_is_0)
{
	struct holder holder = {.memory = box(100)};
	pthread_t thread;
	holder.memory->wait_ns = 0;
	REQUIRE(pthread_create(&thread, NULL, hold_until_told, &holder) == 0);
	while (__atomic_load_n(&holder.state, __ATOMIC_SEQ_CST) != 1)
		usleep(1000);
	/* It would never come: the other thread gives back after this has returned. */
	CHECK_EQ(wan_memory_reserve(holder.memory, 50 * WAN_MIB, NULL), -ENOMEM);
	__atomic_store_n(&holder.state, 2, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);
	wan_memory_destroy(holder.memory);
}

TEST(a_child_keeps_its_own_reservations_and_forgets_those_of_other_threads)
{
	struct holder holder = {.memory = box(100)};
	pthread_t thread;
	REQUIRE(pthread_create(&thread, NULL, hold_until_told, &holder) == 0);
	while (__atomic_load_n(&holder.state, __ATOMIC_SEQ_CST) != 1)
		usleep(1000);
	CHECK_EQ(wan_memory_reserve(holder.memory, 3 * WAN_MIB, NULL), 0);
	pid_t child = fork();
	if (child == 0) {
		alarm(10);
		bool granted = wan_memory_reserve(holder.memory, 50 * WAN_MIB, NULL) == 0;
		struct wan_memory_state state = {.struct_size = sizeof(state)};
		wan_memory_state(holder.memory, &state);
		_exit(granted && state.reserved_bytes == 53 * WAN_MIB ? 0 : 1);
	}
	int status = -1;
	waitpid(child, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	__atomic_store_n(&holder.state, 2, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);
	wan_memory_unreserve(holder.memory, 3 * WAN_MIB);
	wan_memory_destroy(holder.memory);
}

TEST(a_reserve_that_sees_a_step_reached_acts_before_it_answers)
{
	struct wan_memory *memory = box(100);
	CHECK_EQ(fake.lowered, 0);
	fake.cgroups[0].need_bytes = 200 * WAN_MIB; /* 78 %, by others */
	CHECK_EQ(wan_memory_reserve(memory, 2 * WAN_MIB, NULL), 0);
	CHECK_EQ(fake.lowered, 1);
	CHECK_EQ(fake.limit, 256 * WAN_MIB / 10 * 8 + 256 * WAN_MIB % 10 * 8 / 10);
	wan_memory_destroy(memory);
}

TEST(a_small_reserve_costs_nanoseconds)
{
	struct wan_memory_options options = {.struct_size = sizeof(options)};
	struct wan_memory *memory;
	REQUIRE_EQ(wan_memory_create(&options, &memory), 0);
	enum { TIMES = 1000000 };
	uint64_t begin = wan_thread_cpu_ns();
	for (int i = 0; i < TIMES; i++) {
		if (wan_memory_reserve(memory, 1, NULL) == 0)
			wan_memory_unreserve(memory, 1);
	}
	double ns = (double)(wan_thread_cpu_ns() - begin) / TIMES;
	printf("# %.1f ns per reserve and unreserve\n", ns);
	CHECK(ns < 10000);
	wan_memory_destroy(memory);
}

TAP_MAIN
