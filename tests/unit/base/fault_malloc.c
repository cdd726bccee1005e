/* SPDX-License-Identifier: MIT */
#include "fault_malloc.h"

#include <errno.h>

#include "tap.h"
#include "thread.h"

static void read_a_file(void *context)
{
	unsigned *opened = context;
	char *line = NULL;
	size_t capacity = 0;
	FILE *file = fopen("/proc/self/comm", "r");
	if (!file)
		return;
	*opened += getline(&line, &capacity, file) > 0;
	free(line);
	fclose(file);
}

TEST(allocations_inside_the_c_library_fail_too)
{
	unsigned opened = 0;
	if (!wan_fault_malloc_available())
		SKIP("a sanitizer owns malloc");
	wan_fault_malloc_arm(1, false);
	read_a_file(&opened);
	CHECK_EQ(wan_fault_malloc_disarm(), 1);
	CHECK_EQ(opened, 0);
	read_a_file(&opened);
	CHECK_EQ(opened, 1);
	CHECK(wan_fault_malloc_sweep(read_a_file, &opened) >= 4);
}

static void *nothing(void *argument)
{
	return argument;
}

static void start_and_join(void *context)
{
	pthread_t thread;
	int error = wan_thread_start(&thread, "wan-test", nothing, NULL);
	CHECK(error == 0 || error == -ENOMEM || error == -EAGAIN);
	if (!error)
		pthread_join(thread, NULL);
}

TEST(a_thread_that_cannot_be_started_is_told)
{
	if (!wan_fault_malloc_available())
		SKIP("a sanitizer owns malloc");
	CHECK(wan_fault_malloc_sweep(start_and_join, NULL) >= 0);
}

static char *lost;

static void loses(void *context)
{
	char *first = malloc(8), *second = malloc(8);
	if (first && !second) {
		lost = first;
		return;
	}
	free(first);
	free(second);
}

TEST(a_sweep_finds_a_leak)
{
	if (!wan_fault_malloc_available())
		SKIP("a sanitizer owns malloc");
	CHECK_EQ(wan_fault_malloc_sweep(loses, NULL), -1);
	free(lost);
}

TAP_MAIN
