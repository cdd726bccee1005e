/* SPDX-License-Identifier: MIT */
/* Built twice: without jemalloc, and linked with it (LINKED). */
#include "jemalloc.h"

#include "sys.h"
#include "tap.h"

#ifdef LINKED
#define EXPECTED true
#else
#define EXPECTED false
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OTHER_MALLOC true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OTHER_MALLOC true
#endif
#endif
#ifndef OTHER_MALLOC
#define OTHER_MALLOC false
#endif

TEST(it_is_active_when_it_is_the_allocator)
{
	/* A sanitizer owns malloc: jemalloc is linked, but its counters stand still. */
	CHECK_EQ(wan_jemalloc_active(), EXPECTED && !OTHER_MALLOC);
	CHECK_EQ(strncmp(wan_allocator_name(), "jemalloc 5.", 11) == 0, wan_jemalloc_active());
	CHECK_EQ(strncmp(wan_allocator_name(), "glibc 2.", 8) == 0, !wan_jemalloc_active());
}

TEST(when_absent_nothing_is_claimed)
{
	uint64_t a = 7, b = 7, *pointer = NULL;
	if (wan_jemalloc_active())
		SKIP("jemalloc is active here");
	CHECK(!wan_jemalloc_thread_bytes(&a, &b));
	CHECK(!wan_jemalloc_thread_pointers(&pointer, &pointer));
	CHECK(!wan_jemalloc_peak_reset());
	CHECK(!wan_jemalloc_peak_read(&a));
	wan_jemalloc_purge();
	CHECK(a == 7 && b == 7 && !pointer);
}

TEST(the_counters_of_this_thread_move_by_what_it_takes)
{
	uint64_t taken, freed, taken_after, freed_after, *at_taken, *at_freed;
	if (!wan_jemalloc_active())
		SKIP("jemalloc is not the allocator here");
	REQUIRE(wan_jemalloc_thread_bytes(&taken, &freed));
	REQUIRE(wan_jemalloc_thread_pointers(&at_taken, &at_freed));
	CHECK_EQ(*at_taken, taken);
	void *block = wan_sys->malloc(3 << 20);
	wan_sys->free(block);
	REQUIRE(wan_jemalloc_thread_bytes(&taken_after, &freed_after));
	CHECK(taken_after - taken >= 3 << 20 && taken_after - taken < 5 << 20);
	CHECK_EQ(freed_after - freed, taken_after - taken);
	CHECK_EQ(*at_taken, taken_after);
}

TEST(the_peak_remembers_what_is_already_freed)
{
	uint64_t peak = 0;
	if (!wan_jemalloc_active())
		SKIP("jemalloc is not the allocator here");
	if (!wan_jemalloc_peak_reset())
		SKIP("this jemalloc has no thread.peak");
	void *block = wan_sys->malloc(8 << 20);
	wan_sys->free(block);
	REQUIRE(wan_jemalloc_peak_read(&peak));
	CHECK(peak >= 8 << 20 && peak < 11 << 20);
	REQUIRE(wan_jemalloc_peak_reset());
	REQUIRE(wan_jemalloc_peak_read(&peak));
	CHECK_EQ(peak, 0);
	wan_jemalloc_purge();
}

static void *count_own(void *argument)
{
	uint64_t freed, *result = argument;
	void *block = wan_sys->malloc(5 << 20);
	wan_sys->free(block);
	if (!wan_jemalloc_thread_bytes(result, &freed))
		*result = 0;
	return NULL;
}

TEST(another_threads_bytes_are_its_own)
{
	uint64_t before, after, freed, other = 0;
	pthread_t thread;
	if (!wan_jemalloc_active())
		SKIP("jemalloc is not the allocator here");
	REQUIRE(wan_jemalloc_thread_bytes(&before, &freed));
	REQUIRE_EQ(pthread_create(&thread, NULL, count_own, &other), 0);
	pthread_join(thread, NULL);
	REQUIRE(wan_jemalloc_thread_bytes(&after, &freed));
	CHECK(other >= 5 << 20);
	CHECK(after - before < 1 << 20);
}

TAP_MAIN
