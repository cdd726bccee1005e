/* SPDX-License-Identifier: MIT */
/*
 * How far off the remaining time is, on simulated generations (wan_job.h), looked at each second of
 * their life. Error: of what is left, in percent of the whole job. Peers of the same runs: the mean
 * of the whole bar, and tqdm's moving average (0.3), which know the steps only.
 */
#include <stdio.h>
#include <stdlib.h>

#include "macros.h"
#include "wan_job.h"

enum { RUNS = 200, LOOKS = 2000 };

struct figures {
	double *errors;
	size_t count, looks, covered;
};

static int by_value(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return a < b ? -1 : a > b;
}

static double share(const struct figures *figures, double part)
{
	return figures->count ? figures->errors[(size_t)(part * (double)(figures->count - 1))] : 0;
}

static void print_figures(const char *name, struct figures *figures)
{
	qsort(figures->errors, figures->count, sizeof(double), by_value);
	printf("%-44s %8.2f %8.2f %8.2f %9.1f %9.1f\n", name, share(figures, 0.5),
	       share(figures, 0.9), share(figures, 0.99),
	       100.0 * (double)figures->count / (double)figures->looks,
	       100.0 * (double)figures->covered / (double)WAN_MAX(figures->count, (size_t)1));
	figures->count = figures->looks = figures->covered = 0;
}

static void count(struct figures *figures, double told_s, double left_s, double end_s, bool covered)
{
	figures->looks++;
	if (told_s < 0 || figures->count >= (size_t)RUNS * LOOKS)
		return;
	figures->errors[figures->count++] = fabs(told_s - left_s) / end_s * 100;
	figures->covered += covered;
}

/* tqdm: exponential average of the time of a step, bias corrected. */
static double tqdm_left(const struct job *job, const struct job_life *life, double at_s)
{
	double average = 0, last = 0, weight = 0;
	for (unsigned i = 0; i < life->next; i++) {
		if (job->moments[i].kind != MOMENT_STEP)
			continue;
		average = 0.3 * (job->moments[i].at_s - last) + 0.7 * average;
		weight = 0.3 + 0.7 * weight;
		last = job->moments[i].at_s;
	}
	(void)at_s;
	return weight > 0 ? average / weight * (double)(job->total - life->done) : -1;
}

static double mean_left(const struct job *job, const struct job_life *life, double at_s)
{
	return life->done ? at_s / (double)life->done * (double)(job->total - life->done) : -1;
}

enum peer { OURS, MEAN, TQDM };

static void live_one(const struct job_plan *plan, uint64_t seed, const struct wan_prior *prior,
		     enum peer peer, struct figures *figures)
{
	static struct job job;
	static struct job_life life;
	job_make(&job, plan, seed);
	job_live(&life, &job);
	for (double at = 0.5; at < job.end_s; at += 1) {
		struct wan_job look;
		struct wan_eta eta;
		double left = job.end_s - at, told = -1;
		bool covered = false;
		job_advance(&life, &job, at);
		job_look(&life, at, &look);
		wan_eta_job(&look, prior, &eta);
		if (peer == MEAN) {
			told = mean_left(&job, &life, at);
		} else if (peer == TQDM) {
			told = tqdm_left(&job, &life, at);
		} else if (eta.basis != WAN_ETA_UNKNOWN) {
			told = (double)eta.left_ns * 1e-9;
			covered = (double)eta.low_ns * 1e-9 <= left &&
				  left <= (double)eta.high_ns * 1e-9;
		}
		count(figures, told, left, job.end_s, covered);
	}
}

static bool learn(const struct job_plan *plan, uint64_t seed, unsigned jobs,
		  struct wan_prior *ret_prior)
{
	static struct job job;
	static struct job_life life;
	for (unsigned i = 0; i < jobs; i++) {
		struct wan_prior one;
		job_make(&job, plan, seed * 31 + i + 1000000);
		job_live(&life, &job);
		job_advance(&life, &job, job.end_s);
		if (!job_learn(&life, plan->work, &one))
			return false;
		if (i)
			wan_prior_merge(ret_prior, &one);
		else
			*ret_prior = one;
	}
	return true;
}

/* Runs of plan, each after so many earlier ones of another plan (or the same). */
static void measure(const char *name, const struct job_plan *plan, const struct job_plan *earlier,
		    unsigned jobs, enum peer peer, struct figures *figures)
{
	for (uint64_t seed = 1; seed <= RUNS; seed++) {
		struct wan_prior prior = {0};
		if (jobs && !learn(earlier, seed, jobs, &prior)) {
			printf("%s: nothing could be learned\n", name);
			exit(1);
		}
		if (jobs && (plan->work != earlier->work || plan->steps != earlier->steps))
			wan_prior_scale(&prior, plan->steps, plan->work);
		live_one(plan, seed, jobs ? &prior : NULL, peer, figures);
	}
	print_figures(name, figures);
}

int main(void)
{
	static const struct {
		const char *name;
		enum job_style style;
	} styles[] = {{"phases", JOB_PHASES}, {"named phases", JOB_NAMED}, {"bar", JOB_BAR}};
	struct figures figures = {malloc(sizeof(double) * RUNS * LOOKS), 0, 0, 0};
	if (!figures.errors)
		return 1;
	printf("error of what is left, %% of the job; goal: median 1, p90 3, told 99 %%\n");
	printf("%-44s %8s %8s %8s %9s %9s\n", "", "median", "p90", "p99", "told %", "in range");
	for (unsigned i = 0; i < WAN_COUNT_OF(styles); i++) {
		struct job_plan plan = {styles[i].style, 40, 1, false, false};
		struct job_plan small = plan, few = plan;
		small.work = 0.5;
		few.steps = 24;
		char name[80];
		printf("-- %s\n", styles[i].name);
		measure("peer: mean of the bar", &plan, &plan, 0, MEAN, &figures);
		measure("peer: tqdm's average", &plan, &plan, 0, TQDM, &figures);
		measure("first run: steps only", &plan, &plan, 0, OURS, &figures);
		measure("second run of the size", &plan, &plan, 1, OURS, &figures);
		measure("sixth run of the size", &plan, &plan, 5, OURS, &figures);
		snprintf(name, sizeof(name), "after one run of half the size (goal: 3)");
		measure(name, &plan, &small, 1, OURS, &figures);
		measure("after one run of 24 steps (goal: 3)", &plan, &few, 1, OURS, &figures);
	}
	free(figures.errors);
	return 0;
}
