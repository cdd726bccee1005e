/* SPDX-License-Identifier: MIT */
/*
 * Seeded schedules: of the threads of a run only one goes on at a time, and the seed decides at
 * each yield point (runtime/base/schedule.h) which. Code under test is built with -DWAN_SCHEDULE.
 *
 *	for (seed ...) {
 *		scheduler_begin(&(struct scheduler_plan){.seed = seed});
 *		...prepare...
 *		scheduler_run(3, thread_main, arguments);
 *		...check...
 *	}
 *
 * A seed alone decides everything, so it can be run again: scheduler_seeds() reads WAN_TEST_SEED.
 * A deadlock, an endless run and a crash end the process and print the seed and the last steps.
 */
#ifndef WAN_TESTS_SCHEDULER_H
#define WAN_TESTS_SCHEDULER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { SCHEDULER_THREADS_MAX = 8 };

struct scheduler_plan {
	uint64_t seed;
	bool without_barrier; /* the heavy half of the asymmetric fence does nothing */
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

/* Which seeds to run: first to first + count - 1; WAN_TEST_SEED=N runs N alone, and
 * WAN_TEST_TIER=full or soak 20 or 200 times as many. */
struct scheduler_seeds {
	uint64_t first, count;
};
struct scheduler_seeds scheduler_seeds(uint64_t quick_count);

/* Runs the plan with seeds from 1 on in a child. Returns the first that ends by an error (failed
 * requirement, deadlock, no end, crash), 0: none up to seeds, or no child. A test of the tests: a
 * protocol made wrong on purpose has to be found. */
uint64_t scheduler_finds(void (*run)(const struct scheduler_plan *plan), uint64_t seeds,
			 bool without_barrier);

#endif
