/* SPDX-License-Identifier: MIT */
/*
 * How well `wanprof gate --baseline` tells a slow-down from noise. Prints, for pairs of runs and
 * injected slow-downs, how often the verdict was "regression", and how often "inconclusive".
 *
 *	bench-gate_power			simulated noise
 *	bench-gate_power RECORDING...		real noise: runs of one command, in order of time
 *
 * Simulated: three kinds of operations and their total, 20 operations of each in a run; operation
 * times are log-normal (6 %), every twelfth meets a neighbour (Pareto, up to 10 times), and runs
 * drift (2 % from run to run, correlated 0.6). Real: neighbouring runs are paired, blocks of four
 * pairs drawn with replacement, so that drift stays as it was; the slow-down is multiplied into the
 * second of each pair. Predicted: with a spread of 1.7 % between paired runs (measured), 10 pairs
 * find 5 % in more than 95 of 100 trials, and less than 1 in 100 alarms is false.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "compare.h"
#include "macros.h"

enum { PAIRS_MAX = 101, KINDS = 3, OPERATIONS = 20, TRIALS = 2000, BLOCK = 4, RUNS_MAX = 2000 };

static uint64_t state = 1;

static double uniform(void)
{
	state += 0x9e3779b97f4a7c15u;
	uint64_t z = state;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return ((double)((z ^ (z >> 31)) >> 11) + 0.5) / 9007199254740992.0;
}

static double gauss(void)
{
	return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
}

/* The median time of a kind in one run, in ms. */
static double simulated_median(double drift)
{
	double times[OPERATIONS];
	for (int i = 0; i < OPERATIONS; i++) {
		times[i] = 10 * exp(drift + 0.06 * gauss());
		if (uniform() < 1.0 / 12)
			times[i] *= fmin(10, pow(uniform(), -0.7));
	}
	return stat_percentile(times, OPERATIONS, 0.5);
}

struct trial {
	double base[KINDS + 1][PAIRS_MAX], now[KINDS + 1][PAIRS_MAX];
};

static void simulate(struct trial *trial, size_t pairs, double factor)
{
	double drift = 0.02 * gauss();
	for (size_t i = 0; i < 2 * pairs; i++) {
		double(*side)[PAIRS_MAX] = i % 2 ? trial->now : trial->base;
		double sum = 0;
		for (int kind = 0; kind < KINDS; kind++) {
			side[kind][i / 2] = simulated_median(drift) * (i % 2 ? factor : 1);
			sum += side[kind][i / 2];
		}
		side[KINDS][i / 2] = sum;
		drift = 0.6 * drift + 0.02 * sqrt(1 - 0.36) * gauss();
	}
}

static double real_ms[RUNS_MAX];
static size_t real_runs;

static void draw(struct trial *trial, size_t pairs, double factor)
{
	for (size_t i = 0; i < pairs; i++) {
		static size_t at;
		if (i % BLOCK == 0)
			at = (size_t)(uniform() * (double)(real_runs - 2 * BLOCK + 1));
		size_t run = at + 2 * (i % BLOCK);
		trial->base[0][i] = real_ms[run];
		trial->now[0][i] = real_ms[run + 1] * factor;
	}
}

static void judge(size_t pairs, double factor, unsigned *ret_slower, unsigned *ret_inconclusive)
{
	static struct trial trial;
	size_t kinds = real_runs ? 1 : KINDS + 1;
	struct compare_row rows[KINDS + 1] = {{0}};
	struct compare_sample samples[KINDS + 1];
	if (real_runs)
		draw(&trial, pairs, factor);
	else
		simulate(&trial, pairs, factor);
	for (size_t i = 0; i < kinds; i++)
		samples[i] = (struct compare_sample){trial.base[i], trial.now[i], pairs};
	compare_judge(rows, samples, kinds, COMPARE_LIMIT_PERCENT, false);
	bool slower = false, unsure = false;
	for (size_t i = 0; i < kinds; i++) {
		slower |= rows[i].verdict == COMPARE_SLOWER;
		unsure |= rows[i].verdict == COMPARE_INCONCLUSIVE ||
			  rows[i].verdict == COMPARE_TOO_FEW;
	}
	*ret_slower += slower;
	*ret_inconclusive += unsure && !slower;
}

static void read_runs(int count, char **paths)
{
	for (int i = 0; i < count && real_runs < RUNS_MAX; i++) {
		struct run_facts facts;
		struct wan_error error = {0};
		if (run_facts_load(&facts, paths[i], &error)) {
			fprintf(stderr, "%s: %s\n", error.object, error.reason);
			continue;
		}
		if (facts.kind_count && facts.kinds[0].median_ms > 0)
			real_ms[real_runs++] = facts.kinds[0].median_ms;
		run_facts_finish(&facts);
	}
}

int main(int argc, char **argv)
{
	static const size_t pairs[] = {5, 8, 10, 12, 15, 21, 31, 51, 101};
	static const double slower[] = {0, 2, 3, 5, 10};
	unsigned trials;
	read_runs(argc - 1, argv + 1);
	if (argc > 1 && real_runs < 4 * BLOCK) {
		fprintf(stderr, "give at least %d recordings of one command\n", 4 * BLOCK);
		return 1;
	}
	trials = real_runs ? 10 * TRIALS : TRIALS;
	printf("%s, %u trials: regression found %% / inconclusive %%\n%6s",
	       real_runs ? "real runs" : "simulated", trials, "pairs");
	for (size_t k = 0; k < WAN_COUNT_OF(slower); k++)
		printf("   %9.0f %% slower", slower[k]);
	printf("\n");
	for (size_t i = 0; i < WAN_COUNT_OF(pairs); i++) {
		printf("%6zu", pairs[i]);
		for (size_t k = 0; k < WAN_COUNT_OF(slower); k++) {
			unsigned found = 0, unsure = 0;
			for (unsigned t = 0; t < trials; t++)
				judge(pairs[i], 1 + slower[k] / 100, &found, &unsure);
			printf("   %8.2f / %6.2f", 100.0 * found / trials, 100.0 * unsure / trials);
			fflush(stdout);
		}
		printf("\n");
	}
	return 0;
}
