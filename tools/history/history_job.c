/* SPDX-License-Identifier: MIT */
#include "history_job.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "macros.h"
#include "str.h"

#define TREND_LATEST 3

/* The runs of one group while it is worked out; columns are for one figure after the other. */
struct group {
	const struct history_run **runs;
	int *cold;
	double *x, *y;
	size_t count;
};

static bool completed(const struct history_run *run)
{
	return run->succeeded > 0 && !isnan(run->total_s);
}

/* One figure of all completed runs that have it (cold: only of those that are so; -2: of all). */
static struct stat_summary figure(struct group *group, double (*of)(const struct history_run *),
				  int cold)
{
	size_t count = 0;
	for (size_t i = 0; i < group->count; i++) {
		double value = completed(group->runs[i]) ? of(group->runs[i]) : NAN;
		if (!isnan(value) && (cold == -2 || group->cold[i] == cold))
			group->y[count++] = value;
	}
	return stat_summarise(group->y, count);
}

static double total_of(const struct history_run *run)
{
	return run->total_s;
}
static double items_of(const struct history_run *run)
{
	return run->items ? (double)run->items : NAN;
}
static double item_s_of(const struct history_run *run)
{
	return run->items ? run->total_s / (double)run->items : NAN;
}
static double item_generation_of(const struct history_run *run)
{
	return run->items ? history_generation_s(run) / (double)run->items : NAN;
}

struct history_trend history_trend(const double *seconds, size_t count)
{
	struct history_trend trend = {.needs = HISTORY_TREND_RUNS, .percent = NAN};
	double confidences[] = {0.99, 0.95};
	if (count < HISTORY_TREND_RUNS)
		return trend;
	double *x = wan_malloc(count * sizeof(*x));
	if (!x)
		return trend;
	for (size_t i = 0; i < count; i++)
		x[i] = (double)i;
	size_t before = count - TREND_LATEST;
	struct stat_summary earlier = stat_summarise(seconds, before);
	struct stat_summary latest = stat_summarise(seconds + before, TREND_LATEST);
	bool beyond = latest.median > earlier.max || latest.median < earlier.min;
	trend.known = true;
	trend.percent = 100 * (latest.median / earlier.median - 1);
	for (unsigned i = 0; i < 2 && beyond && !trend.direction; i++) {
		struct stat_interval slope = stat_slope(x, seconds, count, confidences[i]);
		bool up = slope.low > 0 && latest.median > earlier.max;
		bool down = slope.high < 0 && latest.median < earlier.min;
		trend.direction = up - down;
		trend.confidence = confidences[i];
	}
	wan_free(x);
	return trend;
}

static void count_runs(struct history_job *job, struct group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct history_run *run = group->runs[i];
		job->runs++;
		job->unfinished += run->unfinished;
		job->unknown += run->succeeded < 0 && !run->unfinished;
		job->failed += run->succeeded == 0;
		if (run->tier)
			job->tier = run->tier;
		if (!completed(run))
			continue;
		job->completed++;
		job->latest = run;
		if (!job->best || run->total_s < job->best->total_s)
			job->best = run;
		if (!job->worst || run->total_s > job->worst->total_s)
			job->worst = run;
	}
	size_t ended = job->completed + job->failed;
	job->success_percent = ended ? 100.0 * (double)job->completed / (double)ended : NAN;
}

static void add_phase(struct history_job *job, const struct history_breakdown *run, size_t phase)
{
	char name[sizeof(job->phases[0].name)];
	size_t bytes = WAN_MIN(run->phases[phase].name_bytes, sizeof(name) - 1), at = 0;
	memcpy(name, run->phases[phase].name, bytes);
	name[bytes] = '\0';
	while (at < job->phase_count && strcmp(job->phases[at].name, name) != 0)
		at++;
	if (at == HISTORY_JOB_PHASES || isnan(run->phases[phase].seconds))
		return;
	if (at == job->phase_count) {
		wan_str_copy(job->phases[at].name, sizeof(name), name);
		job->phase_count++;
	}
	job->phases[at].mean_s += run->phases[phase].seconds; /* a sum until the end */
	job->phases[at].runs++;
}

static void tell_phases(struct history_job *job, struct group *group)
{
	struct history_breakdown run;
	double total = 0, rest = 0;
	for (size_t i = 0; i < group->count; i++) {
		history_break_down(group->runs[i], &run);
		job->flagged += run.flags != 0;
		if (!completed(group->runs[i]) || isnan(run.sum_s))
			continue;
		total += group->runs[i]->total_s;
		rest += run.unattributed_s;
		job->phase_runs++;
		for (size_t j = 0; j < run.count; j++)
			add_phase(job, &run, j);
	}
	for (size_t i = 0; i < job->phase_count; i++) {
		job->phases[i].share = 100 * job->phases[i].mean_s / total;
		job->phases[i].mean_s /= (double)job->phases[i].runs;
	}
	job->unattributed_share = job->phase_runs ? 100 * rest / total : NAN;
	job->unattributed_s = job->phase_runs ? rest / (double)job->phase_runs : NAN;
}

/* Generation over steps; a line needs two numbers of steps. */
static struct stat_line fit_steps(struct group *group, size_t *ret_runs)
{
	size_t count = 0;
	bool differ = false;
	for (size_t i = 0; i < group->count; i++) {
		const struct history_run *run = group->runs[i];
		double seconds = history_generation_s(run);
		if (!completed(run) || !run->steps || isnan(seconds))
			continue;
		group->x[count] = (double)run->steps;
		group->y[count] = seconds;
		differ |= group->x[count] != group->x[0];
		count++;
	}
	*ret_runs = differ ? count : 0;
	return differ ? stat_line(group->x, group->y, count)
		      : (struct stat_line){.fixed = NAN, .each = NAN, .r2 = NAN};
}

/* The estimate must have been made for this very job type: it stands with its runs. */
static void tell_variance(struct history_job *job, struct group *group, double declared_s)
{
	double sum = 0;
	job->estimate_s = job->variance_percent = NAN;
	for (size_t i = 0; i < group->count; i++)
		if (group->runs[i]->estimate_s > 0)
			job->estimate_s = group->runs[i]->estimate_s;
	bool own = !isnan(job->estimate_s);
	if (!own && declared_s > 0)
		job->estimate_s = declared_s;
	for (size_t i = 0; i < group->count; i++) {
		const struct history_run *run = group->runs[i];
		if (!completed(run) || isnan(job->estimate_s) ||
		    (own && run->estimate_s != job->estimate_s))
			continue;
		sum += run->total_s;
		job->variance_runs++;
	}
	if (job->variance_runs)
		job->variance_percent =
			100 * (sum / (double)job->variance_runs / job->estimate_s - 1);
}

static void tell_trend(struct history_job *job, struct group *group)
{
	size_t count = 0;
	for (size_t i = 0; i < group->count; i++)
		if (completed(group->runs[i]))
			group->x[count++] = group->runs[i]->total_s;
	job->trend = history_trend(group->x, count);
}

static void work_out(struct history_job *job, struct group *group, double declared_s)
{
	size_t unused;
	*job = (struct history_job){.name = group->runs[0]->job,
				    .machine = group->runs[0]->machine};
	history_tell_cold(group->runs, group->count, group->cold);
	count_runs(job, group);
	job->total_s = figure(group, total_of, -2);
	tell_phases(job, group);
	job->step_s = figure(group, history_step_s, -2);
	job->fixed_s = figure(group, history_fixed_s, -2);
	job->steps_fit = fit_steps(group, &unused);
	job->cold_total_s = figure(group, total_of, 1);
	job->warm_total_s = figure(group, total_of, 0);
	job->cold_load_s = figure(group, history_load_s, 1);
	job->warm_load_s = figure(group, history_load_s, 0);
	job->cold = job->cold_total_s.count;
	job->warm = job->warm_total_s.count;
	job->items = figure(group, items_of, -2).mean;
	job->item_s = figure(group, item_s_of, -2).mean;
	job->item_generation_s = figure(group, item_generation_of, -2).mean;
	tell_variance(job, group, declared_s);
	tell_trend(job, group);
}

static int by_start(const void *left, const void *right)
{
	const struct history_run *a = left, *b = right;
	if (a->started_ns != b->started_ns)
		return a->started_ns < b->started_ns ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order; /* as they came */
}

void history_runs_sort(struct history_runs *runs)
{
	if (runs->count)
		qsort(runs->items, runs->count, sizeof(*runs->items), by_start);
}

static bool same_group(const struct history_run *a, const struct history_run *b)
{
	return strcmp(a->job, b->job) == 0 &&
	       strcmp(a->machine ? a->machine : "", b->machine ? b->machine : "") == 0;
}

static double declared_estimate(const struct history_runs *runs, const char *job)
{
	for (size_t i = 0; i < runs->declared_count; i++)
		if (strcmp(runs->declared[i].job, job) == 0)
			return runs->declared[i].estimate_s;
	return NAN;
}

static bool job_named(const struct history_run *items, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(items[i].job, name) == 0)
			return true;
	return false;
}

static void count_types(struct history_jobs *jobs, const struct history_runs *runs)
{
	for (size_t i = 0; i < jobs->count; i++) {
		bool again = false;
		for (size_t j = 0; j < i; j++)
			again |= strcmp(jobs->items[j].name, jobs->items[i].name) == 0;
		jobs->types_with_runs += !again;
	}
	for (size_t i = 0; i < runs->declared_count; i++)
		if (!job_named(runs->items, runs->count, runs->declared[i].job) &&
		    !job_named(runs->declared, i, runs->declared[i].job))
			jobs->declared[jobs->declared_count++] = &runs->declared[i];
	jobs->types = jobs->types_with_runs + jobs->declared_count;
}

static int collect(struct history_jobs *jobs, const struct history_runs *runs, struct group *group,
		   bool *taken)
{
	size_t capacity = 0;
	for (size_t i = runs->count; i-- > 0;) {
		group->count = 0;
		for (size_t j = 0; j <= i && !taken[i]; j++)
			if (!taken[j] && same_group(&runs->items[j], &runs->items[i])) {
				group->runs[group->count++] = &runs->items[j];
				taken[j] = j < i;
			}
		if (!group->count)
			continue;
		taken[i] = true;
		if (wan_array_reserve(&jobs->items, &capacity, jobs->count + 1,
				      sizeof(*jobs->items)))
			return -ENOMEM;
		work_out(&jobs->items[jobs->count++], group,
			 declared_estimate(runs, runs->items[i].job));
	}
	return 0;
}

int history_jobs_init(struct history_jobs *jobs, const struct history_runs *runs)
{
	*jobs = (struct history_jobs){0};
	size_t room = runs->count + 1;
	struct group group = {
		.runs = wan_calloc(room, sizeof(*group.runs)),
		.cold = wan_calloc(room, sizeof(*group.cold)),
		.x = wan_calloc(room, sizeof(*group.x)),
		.y = wan_calloc(room, sizeof(*group.y)),
	};
	bool *taken = wan_calloc(room, sizeof(*taken));
	jobs->declared = wan_calloc(runs->declared_count + 1, sizeof(*jobs->declared));
	int rc = group.runs && group.cold && group.x && group.y && taken && jobs->declared
			 ? collect(jobs, runs, &group, taken)
			 : -ENOMEM;
	if (rc == 0) {
		count_types(jobs, runs);
		for (group.count = 0; group.count < runs->count; group.count++)
			group.runs[group.count] = &runs->items[group.count];
		jobs->steps_fit = fit_steps(&group, &jobs->steps_fit_runs);
	} else {
		history_jobs_finish(jobs);
	}
	wan_free(group.runs);
	wan_free(group.cold);
	wan_free(group.x);
	wan_free(group.y);
	wan_free(taken);
	return rc;
}

void history_jobs_finish(struct history_jobs *jobs)
{
	wan_free(jobs->items);
	wan_free(jobs->declared);
	*jobs = (struct history_jobs){0};
}
