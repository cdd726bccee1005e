/* SPDX-License-Identifier: MIT */
/*
 * Tests that speak TAP version 13, header only, one file a program:
 *
 *	#include "tap.h"
 *	TEST(pinned_entry_survives_eviction)
 *	{
 *		if (!have_gpu())
 *			SKIP("no GPU on this machine");
 *		REQUIRE(pointer != NULL);	(leaves the test when false)
 *		CHECK_EQ(count, 3);		(actual first, then expected; goes on)
 *	}
 *	TAP_MAIN
 *
 * Run with arguments, a program runs only the tests whose names contain one of them. Assertions
 * belong to the main thread; elsewhere they stop the program. In a forked child a failed assertion
 * ends the child with status 99, so that the parent can check the status.
 */
#ifndef WAN_TESTS_TAP_H
#define WAN_TESTS_TAP_H

#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#endif

struct tap_test {
	const char *name;
	void (*run)(void);
	struct tap_test *next;
};
static struct tap_test *tap_first, **tap_last = &tap_first;
static pthread_t tap_thread;
static pid_t tap_pid;
static unsigned tap_failures; /* of the test under way */
static char tap_skip_reason[256];

/* Checks are calls: inlined, each of them costs the compiler more than the rest of its test. */
#define TAP_ONCE static __attribute__((noinline, unused))

#define TEST(name_)                                                                                \
	static void name_(void);                                                                   \
	__attribute__((constructor)) static void tap_register_##name_(void)                        \
	{                                                                                          \
		static struct tap_test test = {.name = #name_, .run = name_};                      \
		*tap_last = &test;                                                                 \
		tap_last = &test.next;                                                             \
	}                                                                                          \
	static void name_(void)

/* Leaves the test; what it checked so far still counts. */
#define SKIP(...)                                                                                  \
	do {                                                                                       \
		snprintf(tap_skip_reason, sizeof(tap_skip_reason), __VA_ARGS__);                   \
		return;                                                                            \
	} while (0)

TAP_ONCE bool tap_check(bool passed, const char *file, int line, const char *text)
{
	if (!pthread_equal(pthread_self(), tap_thread)) {
		fprintf(stderr, "%s:%d: assertion outside the main thread\n", file, line);
		abort();
	}
	if (passed)
		return true;
	fprintf(getpid() == tap_pid ? stdout : stderr, "# %s:%d: failed: %s\n", file, line, text);
	if (getpid() != tap_pid)
		_exit(99);
	tap_failures++;
	return false;
}

TAP_ONCE bool tap_equal(bool passed, const char *file, int line, const char *text,
			const char *actual, const char *expected)
{
	char detail[2048];
	snprintf(detail, sizeof(detail), "%.300s\n#   actual:   %.800s\n#   expected: %.800s", text,
		 actual ? actual : "(null)", expected ? expected : "(null)");
	return tap_check(passed, file, line, detail);
}

TAP_ONCE bool tap_integer(long long actual, long long expected, const char *file, int line,
			  const char *text)
{
	char a[64], e[64];
	if (actual == expected)
		return tap_check(true, file, line, text);
	snprintf(a, sizeof(a), "%lld (0x%llx)", actual, (unsigned long long)actual);
	snprintf(e, sizeof(e), "%lld (0x%llx)", expected, (unsigned long long)expected);
	return tap_equal(false, file, line, text, a, e);
}

TAP_ONCE bool tap_near(double actual, double expected, double tolerance, const char *file, int line,
		       const char *text)
{
	char a[64], e[96];
	snprintf(a, sizeof(a), "%.17g", actual);
	snprintf(e, sizeof(e), "%.17g +- %g", expected, tolerance);
	return tap_equal(fabs(actual - expected) <= tolerance, file, line, text, a, e);
}

TAP_ONCE bool tap_string(const char *actual, const char *expected, const char *file, int line,
			 const char *text)
{
	bool same = actual && expected ? strcmp(actual, expected) == 0 : actual == expected;
	return tap_equal(same, file, line, text, actual, expected);
}

/* Each of these is an expression: true when it held. */
#define CHECK(condition) tap_check((condition), __FILE__, __LINE__, #condition)
#define CHECK_EQ(actual, expected)                                                                 \
	tap_integer((long long)(actual), (long long)(expected), __FILE__, __LINE__,                \
		    #actual " == " #expected)
#define CHECK_NEAR(actual, expected, tolerance)                                                    \
	tap_near((actual), (expected), (tolerance), __FILE__, __LINE__, #actual " ~ " #expected)
#define CHECK_STR(actual, expected)                                                                \
	tap_string((actual), (expected), __FILE__, __LINE__, #actual " is " #expected)
#define CHECK_MEM(actual, expected, bytes)                                                         \
	tap_check(memcmp((actual), (expected), (bytes)) == 0, __FILE__, __LINE__,                  \
		  #actual " has the bytes of " #expected)
#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!CHECK(condition))                                                             \
			return;                                                                    \
	} while (0)
#define REQUIRE_EQ(actual, expected)                                                               \
	do {                                                                                       \
		if (!CHECK_EQ(actual, expected))                                                   \
			return;                                                                    \
	} while (0)

TAP_ONCE bool tap_chosen(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strstr(name, argv[i]))
			return true;
	return argc < 2;
}

TAP_ONCE int tap_main(int argc, char **argv)
{
	unsigned count = 0, failed = 0;
	tap_thread = pthread_self();
	tap_pid = getpid();
	setvbuf(stdout, NULL, _IOLBF, 0); /* a forked child must not repeat our lines */
	puts("TAP version 13");
	for (struct tap_test *test = tap_first; test; test = test->next) {
		if (!tap_chosen(test->name, argc, argv))
			continue;
		tap_failures = 0;
		tap_skip_reason[0] = '\0';
		test->run();
		printf("%s %u - ", tap_failures ? "not ok" : "ok", ++count);
		for (const char *c = test->name; *c; c++)
			putchar(*c == '_' ? ' ' : *c);
		if (tap_skip_reason[0] && !tap_failures)
			printf(" # SKIP %s", tap_skip_reason);
		putchar('\n');
		failed += tap_failures != 0;
	}
#if __has_include(<sys/single_threaded.h>)
	/* The build lists this program as one that the thread sanitizer need not see. */
	const char *threads = getenv("WAN_TEST_THREADS");
	if (threads && strcmp(threads, "none") == 0 && !__libc_single_threaded) {
		printf("not ok %u - no thread is started, as the build says of this program\n",
		       ++count);
		failed++;
	}
#endif
	printf("1..%u\n", count);
	return failed || !count;
}

#define TAP_MAIN                                                                                   \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		return tap_main(argc, argv);                                                       \
	}

#endif
