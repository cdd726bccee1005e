/* SPDX-License-Identifier: MIT */
/* Threads that all come first, while no file is there yet. */
#include "support.h"

#include <pthread.h>

static pthread_barrier_t gate;

static void *first_work(void *unused)
{
	pthread_barrier_wait(&gate);
	struct wan_recorder *recorder =
		wan_recorder_process(support_config_shared(), WAN_ROLE_LINKED, true);
	return recorder && support_append(recorder, 0, 2) ? NULL : &gate;
}

/* 64 threads at once find no file yet. Returns how many of their operations are missing. */
static int first_threads(void)
{
	pthread_t threads[64];
	pthread_barrier_init(&gate, NULL, 64);
	for (unsigned i = 0; i < 64; i++)
		if (pthread_create(&threads[i], NULL, first_work, NULL) != 0)
			return 200;
	for (unsigned i = 0; i < 64; i++)
		pthread_join(threads[i], NULL);
	struct wan_recorder *recorder =
		wan_recorder_process(support_config_shared(), WAN_ROLE_LINKED, true);
	struct wan_recording *recording = recorder ? support_look(recorder) : NULL;
	if (!recording)
		return 201;
	return (int)(128 - wan_recording_process(recording, 0)->total_operations);
}

static int rounds_of_first_threads(void)
{
	int missing = 0;
	for (unsigned round = 0; round < 50; round++) {
		pid_t child = fork();
		if (child == 0)
			_exit(first_threads());
		missing += support_wait(child);
	}
	return missing;
}

TEST(first_threads_of_a_program_lose_nothing)
{
	support_config(1000);
	CHECK_EQ(rounds_of_first_threads(), 0);
}

TEST(first_threads_of_a_forked_child_lose_nothing)
{
	REQUIRE(wan_recorder_process(support_config(1000), WAN_ROLE_LINKED, true) != NULL);
	CHECK_EQ(rounds_of_first_threads(), 0);
}

TAP_MAIN
