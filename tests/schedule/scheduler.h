/* SPDX-License-Identifier: MIT */
/*
 * Seeded schedules: of the threads of a run only one goes on at a time, and the seed decides at
 * each yield point (runtime/base/schedule.h) which. Code under test is built with -DWAN_SCHEDULE.
 *
 *	static void run(const struct scheduler_plan *plan)
 *	{
 *		scheduler_begin(plan);
 *		...prepare...
 *		scheduler_run(3, thread_main, arguments);
 *		SCHEDULER_REQUIRE(...);
 *	}
 *	CHECK_EQ(scheduler_seeds("test", run, 1000, NULL).failed_seed, 0);
 *
 * The seed decides everything, so it can be run again (WAN_TEST_SEED=N PROGRAM test). A deadlock,
 *an endless run and a crash end the run and print the seed and the last steps.
 */
#ifndef WAN_TESTS_SCHEDULER_H
#define WAN_TESTS_SCHEDULER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { SCHEDULER_THREADS_MAX = 8 };

struct scheduler_plan {
	uint64_t seed;
	const char *name;     /* of the test */
	bool without_barrier; /* the heavy half of the asymmetric fence does nothing */
	bool without_buffers; /* light stores are seen at once */
	bool quiet;           /* end without a word: whoever started us expects an error */
};

/* Status of a process that was ended by the scheduler or by scheduler_fail(). */
enum { SCHEDULER_STATUS = 86 };

/* A new seed: random choices, logical clock and trace start again. */
void scheduler_begin(const struct scheduler_plan *plan);
/* Runs count threads to their end, thread-specific destructors included. */
void scheduler_run(unsigned count, void (*run)(void *argument), void *const *arguments);

/* A yield point for the test's own steps. */
void scheduler_point(const char *where);
/* Random numbers of the seed; only from the thread that goes on. */
uint64_t scheduler_below(uint64_t bound);

/* Steps and changes of thread since scheduler_begin(). */
uint64_t scheduler_steps(void);
uint64_t scheduler_switches(void);

/* Prints seed, reason and the last steps, and ends the process. */
void scheduler_fail(const char *reason);
#define SCHEDULER_REQUIRE(condition)                                                               \
	((condition) ? (void)0 : scheduler_fail(__FILE__ ": " #condition))

struct scheduler_tally {
	uint64_t seeds, steps, switches;
	uint64_t failed_seed; /* the first that ended by an error; 0: none */
};

/*
 * Runs the seeds from 1 to quick_count (20 or 200 times as many with WAN_TEST_TIER=full or soak),
 * in children, until one fails: a requirement, a deadlock, no end, a crash. The rest of the plan is
 * as in like (NULL: as usual). With WAN_TEST_SEED=N only what leads to seed N. With like->quiet the
 * error is expected: a test of the tests, for a protocol made wrong on purpose.
 */
struct scheduler_tally scheduler_seeds(const char *name,
				       void (*run)(const struct scheduler_plan *plan),
				       uint64_t quick_count, const struct scheduler_plan *like);

#endif
