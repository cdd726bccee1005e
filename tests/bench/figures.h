/* SPDX-License-Identifier: MIT */
/* How benches of the cache measure and tell: rounds that interleave all loops, medians, lines with
 * what was predicted, what is wanted and what came out. */
#ifndef WAN_BENCH_FIGURES_H
#define WAN_BENCH_FIGURES_H

#include <pthread.h>
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
	double ns; /* median over the rounds of the mean over the threads, for one operation */
};

struct figures_lane {
	const struct figures_loop *loop;
	unsigned number;
	pthread_barrier_t *start;
	pthread_t thread;
	double ns;
};

static inline void *figures_run_lane(void *argument)
{
	struct figures_lane *lane = argument;
	const struct figures_loop *loop = lane->loop;
	loop->run(loop->context, lane->number, loop->count / 10 + 1); /* warm */
	pthread_barrier_wait(lane->start);
	uint64_t start_ns = wan_now_ns();
	loop->run(loop->context, lane->number, loop->count);
	lane->ns = (double)(wan_now_ns() - start_ns) / loop->count;
	return NULL;
}

static inline double figures_once(const struct figures_loop *loop)
{
	struct figures_lane lanes[LANES_MAX];
	pthread_barrier_t start;
	double sum = 0;
	if (loop->ask)
		return loop->ask(loop->context, loop->count);
	pthread_barrier_init(&start, NULL, loop->threads);
	for (unsigned i = 0; i < loop->threads; i++) {
		lanes[i] = (struct figures_lane){.loop = loop, .number = i, .start = &start};
		if (i && pthread_create(&lanes[i].thread, NULL, figures_run_lane, &lanes[i]))
			exit(1);
	}
	figures_run_lane(&lanes[0]);
	for (unsigned i = 0; i < loop->threads; i++) {
		if (i)
			pthread_join(lanes[i].thread, NULL);
		sum += lanes[i].ns;
	}
	pthread_barrier_destroy(&start);
	return sum / loop->threads;
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
