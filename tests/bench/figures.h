/* SPDX-License-Identifier: MIT */
/* How benches of the cache measure and tell: rounds that interleave all loops, medians, lines with
 * what was predicted, what is wanted and what came out. */
#ifndef WAN_BENCH_FIGURES_H
#define WAN_BENCH_FIGURES_H

#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

static inline int figures_by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Sorts values. part: 0.5 is the median, 0.99 the 99th percentile. */
static inline double figures_percentile(double *values, unsigned count, double part)
{
	qsort(values, count, sizeof(*values), figures_by_value);
	unsigned at = (unsigned)((double)count * part);
	return values[at < count ? at : count - 1];
}

enum figures_want { WANT_AT_MOST, WANT_AT_LEAST, WANT_NOTHING };

static inline void figures_head(void)
{
	printf("%-47s %-16s %-16s %-34s %s\n", "figure", "predicted", "target", "measured",
	       "verdict");
}

/* measured: the text to print; value: the number that is compared with the target. */
static inline void figures_line(const char *name, const char *predicted, const char *target_text,
				enum figures_want want, double target, double value,
				const char *measured)
{
	char verdict[64] = "-";
	double by = want == WANT_AT_LEAST ? target - value : value - target;
	if (want != WANT_NOTHING && by <= 0)
		snprintf(verdict, sizeof(verdict), "met");
	else if (want != WANT_NOTHING && target != 0)
		snprintf(verdict, sizeof(verdict), "missed by %.0f %%", 100 * by / target);
	else if (want != WANT_NOTHING)
		snprintf(verdict, sizeof(verdict), "missed by %g", by);
	printf("%-47s %-16s %-16s %-34s %s\n", name, predicted, target_text, measured, verdict);
	fflush(stdout);
}

enum { LANES_MAX = 16, ROUNDS_MAX = 101 };

/* A loop to be timed, in one or more threads at once. run does count operations; number tells the
 * threads of a loop apart. Or told by another program: ask returns ns per operation. */
struct figures_loop {
	void (*run)(void *context, unsigned number, unsigned count);
	double (*ask)(void *context, unsigned count);
	void *context;
	unsigned threads, count;
	double rounds[ROUNDS_MAX];
	double ns; /* median over the rounds, for one operation of each thread */
};

struct figures_lane {
	const struct figures_loop *loop;
	unsigned number;
	pthread_barrier_t *start;
	pthread_t thread;
	uint64_t start_ns, end_ns;
};

/* Threads that have just begun often share a processor for a while: each has its own from the
 * start, as far as there are enough. */
static inline void figures_stay_on(pthread_t thread, unsigned number)
{
	static cpu_set_t allowed; /* before anybody was told where to stay */
	cpu_set_t one;
	unsigned seen = 0;
	if (CPU_COUNT(&allowed) == 0 && sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		return;
	CPU_ZERO(&one);
	number %= (unsigned)CPU_COUNT(&allowed);
	for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &allowed) && seen++ == number)
			CPU_SET(cpu, &one);
	}
	pthread_setaffinity_np(thread, sizeof(one), &one);
}

static inline void *figures_run_lane(void *argument)
{
	struct figures_lane *lane = argument;
	const struct figures_loop *loop = lane->loop;
	loop->run(loop->context, lane->number, loop->count / 10 + 1); /* warm */
	pthread_barrier_wait(lane->start);
	lane->start_ns = wan_now_ns();
	loop->run(loop->context, lane->number, loop->count);
	lane->end_ns = wan_now_ns();
	return NULL;
}

/* From the first start to the last end: a thread that keeps a lock for itself while the others
 * sleep makes nothing faster. */
static inline double figures_once(const struct figures_loop *loop)
{
	struct figures_lane lanes[LANES_MAX];
	pthread_barrier_t start;
	uint64_t start_ns = UINT64_MAX, end_ns = 0;
	if (loop->ask)
		return loop->ask(loop->context, loop->count);
	pthread_barrier_init(&start, NULL, loop->threads);
	for (unsigned i = 0; i < loop->threads; i++) {
		lanes[i] = (struct figures_lane){.loop = loop, .number = i, .start = &start};
		if (i && pthread_create(&lanes[i].thread, NULL, figures_run_lane, &lanes[i]))
			exit(1);
		figures_stay_on(i ? lanes[i].thread : pthread_self(), i);
	}
	figures_run_lane(&lanes[0]);
	for (unsigned i = 0; i < loop->threads; i++) {
		if (i)
			pthread_join(lanes[i].thread, NULL);
		start_ns = lanes[i].start_ns < start_ns ? lanes[i].start_ns : start_ns;
		end_ns = lanes[i].end_ns > end_ns ? lanes[i].end_ns : end_ns;
	}
	pthread_barrier_destroy(&start);
	return (double)(end_ns - start_ns) / loop->count;
}

/* All loops in turn, rounds times, so that a disturbance hits all alike. */
static inline void figures_measure(struct figures_loop *loops, unsigned count, unsigned rounds)
{
	for (unsigned round = 0; round < rounds; round++) {
		for (unsigned i = 0; i < count; i++)
			loops[i].rounds[round] = figures_once(&loops[i]);
	}
	for (unsigned i = 0; i < count; i++) {
		double sorted[ROUNDS_MAX];
		memcpy(sorted, loops[i].rounds, rounds * sizeof(*sorted));
		loops[i].ns = figures_percentile(sorted, rounds, 0.5);
	}
}

/* Median of the ratios of the rounds. */
static inline double figures_ratio(const struct figures_loop *a, const struct figures_loop *b,
				   unsigned rounds)
{
	double ratios[ROUNDS_MAX];
	for (unsigned round = 0; round < rounds; round++)
		ratios[round] = a->rounds[round] / b->rounds[round];
	return figures_percentile(ratios, rounds, 0.5);
}

#endif
