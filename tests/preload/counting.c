/* SPDX-License-Identifier: MIT */
/* The counting hooks, preloaded into this program: every function of the allocator, at any time. */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "heap.h"
#include "tap.h"

extern __typeof__(wan_alloc_counters) wan_alloc_counters __attribute__((weak));

static void *volatile early_block;
static uint64_t early_bytes;

/* Before main, and before most constructors. */
__attribute__((constructor(101))) static void early(void)
{
	struct wan_alloc_counters *counters = wan_alloc_counters ? wan_alloc_counters() : NULL;
	uint64_t before = counters ? counters->allocated : 0;
	early_block = malloc(5000);
	early_bytes = counters ? counters->allocated - before : 0;
}

static struct wan_alloc_counters *mine(void)
{
	return wan_alloc_counters ? wan_alloc_counters() : NULL;
}

#define NEED_HOOKS()                                                                               \
	do {                                                                                       \
		if (!mine())                                                                       \
			SKIP("libwanrt-count.so is not preloaded");                                \
	} while (0)

static int64_t level(void)
{
	return (int64_t)(mine()->allocated - mine()->freed);
}

/* What one allocation adds is what freeing it takes away. */
static void check_pair(void *block, int64_t before, size_t bytes)
{
	REQUIRE(block);
	int64_t taken = level() - before;
	CHECK(taken >= (int64_t)bytes && taken < (int64_t)bytes + 8192);
	CHECK_EQ(taken, malloc_usable_size(block));
	memset(block, 7, bytes);
	free(block);
	CHECK_EQ(level(), before);
}

TEST(every_way_to_allocate_is_counted)
{
	NEED_HOOKS();
	int64_t before = level();
	void *volatile block = malloc(1000);
	check_pair(block, before, 1000);
	check_pair(calloc(10, 100), before, 1000);
	check_pair(realloc(NULL, 1000), before, 1000);
	check_pair(reallocarray(NULL, 10, 100), before, 1000);
	check_pair(memalign(4096, 1000), before, 1000);
	check_pair(aligned_alloc(64, 1024), before, 1024);
	check_pair(valloc(1000), before, 1000);
	check_pair(pvalloc(1000), before, 4096);
	check_pair(malloc(64 << 20), before, 64 << 20);
	void *aligned = NULL;
	REQUIRE_EQ(posix_memalign(&aligned, 256, 1000), 0);
	CHECK_EQ((uintptr_t)aligned % 256, 0);
	check_pair(aligned, before, 1000);
	check_pair(strdup("0123456789012345678901234567890123456789"), before, 41);
}

TEST(a_failed_call_counts_nothing_and_says_why)
{
	NEED_HOOKS();
	int64_t before = level();
	volatile size_t huge = SIZE_MAX / 2 - 4096;
	char *block = malloc(100);
	int64_t held = level();
	void *untouched = (void *)1;
	errno = 0;
	CHECK(!malloc(huge) && errno == ENOMEM);
	errno = 0;
	CHECK(!calloc(huge, 4) && errno == ENOMEM);
	errno = 0;
	CHECK(!realloc(block, huge) && errno == ENOMEM);
	errno = 0;
	void *larger = reallocarray(block, huge, 4);
	CHECK(!larger && errno == ENOMEM);
	CHECK_EQ(posix_memalign(&untouched, 64, huge), ENOMEM);
	CHECK_EQ(posix_memalign(&untouched, 3, 8), EINVAL);
	CHECK(untouched == (void *)1);
	CHECK_EQ(level(), held);
	free(larger ? larger : block);
	free(NULL);
	CHECK_EQ(malloc_usable_size(NULL), 0);
	CHECK_EQ(level(), before);
}

TEST(realloc_counts_what_the_block_becomes)
{
	NEED_HOOKS();
	int64_t before = level();
	char *block = malloc(100);
	for (size_t bytes = 200; bytes < 4u << 20; bytes = bytes * 3 / 2) {
		block = realloc(block, bytes);
		REQUIRE(block);
		block[bytes - 1] = 1;
		CHECK_EQ(level() - before, malloc_usable_size(block));
	}
	block = realloc(block, 10);
	CHECK_EQ(level() - before, malloc_usable_size(block));
	CHECK(!realloc(block, 0));
	CHECK_EQ(level(), before);
}

TEST(the_highest_level_is_kept)
{
	NEED_HOOKS();
	struct wan_alloc_counters *counters = mine();
	void *volatile first = malloc(3 << 20);
	int64_t base = counters->high = level();
	void *volatile second = malloc(5 << 20);
	free(first);
	free(second);
	CHECK(counters->high - base >= 5 << 20);
	CHECK(counters->high - base < (5 << 20) + 8192);
	CHECK_EQ(level(), base - (3 << 20) - (counters->high - base - (5 << 20)));
}

TEST(the_first_allocations_of_a_process_are_counted)
{
	NEED_HOOKS();
	CHECK(early_bytes >= 5000 && early_bytes < 6000);
	free(early_block);
	early_block = NULL;
}

static pthread_key_t key;
static uint64_t last_bytes;

/* Runs after the thread's own code, in its teardown. */
static void destructor(void *value)
{
	struct wan_alloc_counters *counters = mine();
	uint64_t before = counters->allocated;
	void *volatile block = malloc(7000);
	last_bytes = counters->allocated - before;
	free(block);
	free(value);
}

static void *allocate(void *argument)
{
	struct wan_alloc_counters *counters = mine();
	if (counters->allocated > 4096)
		return NULL; /* a fresh thread has what its start took, not its creator's bytes */
	pthread_setspecific(key, malloc(100));
	void *volatile block = malloc(2 << 20);
	uint64_t taken = counters->allocated;
	free(block);
	return taken >= 2 << 20 ? argument : NULL;
}

TEST(each_thread_has_its_own_counters_to_its_last_destructor)
{
	NEED_HOOKS();
	pthread_t thread;
	void *result = NULL;
	REQUIRE_EQ(pthread_key_create(&key, destructor), 0);
	int64_t before = level();
	for (int i = 0; i < 50; i++) {
		last_bytes = 0;
		REQUIRE_EQ(pthread_create(&thread, NULL, allocate, &key), 0);
		REQUIRE_EQ(pthread_join(thread, &result), 0);
		CHECK(result == &key);
		CHECK(last_bytes >= 7000 && last_bytes < 8000);
	}
	CHECK(level() - before < 1 << 20);
	pthread_key_delete(key);
}

static void *free_it(void *block)
{
	free(block);
	return mine()->freed >= 3 << 20 ? block : NULL;
}

TEST(a_block_freed_by_another_thread_is_that_threads_freeing)
{
	NEED_HOOKS();
	pthread_t thread;
	void *result = NULL, *volatile block = malloc(3 << 20);
	uint64_t freed = mine()->freed;
	REQUIRE_EQ(pthread_create(&thread, NULL, free_it, block), 0);
	REQUIRE_EQ(pthread_join(thread, &result), 0);
	CHECK(result == block);
	CHECK(mine()->freed - freed < 4096);
}

TEST(a_forked_child_goes_on_counting)
{
	NEED_HOOKS();
	int status = -1;
	pid_t pid = fork();
	if (pid == 0) {
		uint64_t before = mine()->allocated;
		void *volatile block = malloc(1 << 20);
		uint64_t after = mine()->allocated;
		free(block);
		_exit(after - before >= 1 << 20 ? 0 : 1);
	}
	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}

static volatile sig_atomic_t handled;

static void handler(int number)
{
	struct wan_alloc_counters *counters = mine();
	(void)number;
	handled += counters != NULL && counters->allocated >= counters->freed;
}

TEST(counters_are_read_in_a_signal_handler)
{
	NEED_HOOKS();
	signal(SIGUSR1, handler);
	for (int i = 0; i < 100; i++) {
		void *volatile block = malloc((size_t)i * 100);
		raise(SIGUSR1);
		free(block);
	}
	CHECK_EQ(handled, 100);
	signal(SIGUSR1, SIG_DFL);
}

TEST(libraries_loaded_later_are_counted)
{
	NEED_HOOKS();
	int64_t before = level();
	void *library = dlopen("libpng16.so.16", RTLD_NOW | RTLD_LOCAL);
	if (!library)
		SKIP("libpng16.so.16 is not installed");
	dlclose(library);
	CHECK(level() - before < 1 << 20);
	char *text = NULL;
	int64_t held = level();
	REQUIRE(asprintf(&text, "%2000d", 1) == 2000); /* the C library calls itself through us */
	CHECK(level() - held >= 2001);
	free(text);
}

TEST(the_source_says_who_counts)
{
	NEED_HOOKS();
	uint64_t *allocated, *freed, peak = 0;
	REQUIRE_EQ(wan_heap_source(), WAN_HEAP_COUNTED);
	CHECK(strstr(wan_heap_describe(), "(counted)") != NULL);
	REQUIRE(wan_heap_thread_pointers(&allocated, &freed));
	CHECK(allocated == &mine()->allocated && freed == &mine()->freed);
	REQUIRE(wan_heap_peak_reset());
	void *volatile block = malloc(9 << 20);
	free(block);
	REQUIRE(wan_heap_peak_read(&peak));
	CHECK(peak >= 9 << 20 && peak < 10 << 20);
}

TAP_MAIN
