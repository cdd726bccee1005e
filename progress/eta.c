/* SPDX-License-Identifier: MIT */
#include "eta.h"

#include <math.h>

#include "clock.h"
#include "macros.h"
#include "str.h"
#include "wan/progress.h"

double wan_eta_percent(uint64_t done, uint64_t total)
{
	if (!total)
		return 0;
	return done >= total ? 100 : (double)done * 100 / (double)total;
}

uint64_t wan_eta_ns(uint64_t elapsed_ns, uint64_t done, uint64_t total)
{
	if (!total)
		return UINT64_MAX;
	if (done >= total)
		return 0;
	if (!done)
		return UINT64_MAX;
	double left = (double)elapsed_ns * (double)(total - done) / (double)done;
	return left >= 0x1p63 ? UINT64_MAX : (uint64_t)left;
}

const char *wan_progress_duration_text(char *to, size_t to_bytes, int64_t seconds)
{
	long long s = seconds;
	if (s <= 0)
		wan_str_format(to, to_bytes, "0s");
	else if (s < 60)
		wan_str_format(to, to_bytes, "%llds", s);
	else if (s < 3600)
		wan_str_format(to, to_bytes, "%lldm %llds", s / 60, s % 60);
	else
		wan_str_format(to, to_bytes, "%lldh %lldm", s / 3600, s % 3600 / 60);
	return to;
}

static const double P90 = 1.2816; /* of a normal distribution, in standard deviations */

/* Mean and variance of what is left. */
struct rest {
	double ns, variance;
};

static uint64_t whole_ns(double ns)
{
	if (!(ns > 0))
		return 0;
	return ns < 0x1p63 ? (uint64_t)ns : UINT64_MAX;
}

static void told(struct wan_eta *eta, const struct rest *rest, enum wan_eta_basis basis)
{
	double away = P90 * sqrt(rest->variance);
	eta->left_ns = whole_ns(rest->ns);
	eta->low_ns = whole_ns(rest->ns - away);
	eta->high_ns = whole_ns(rest->ns + away);
	eta->basis = basis;
}

/* How far one step is from the next, and what is not known of their mean. */
static void add_steps(struct rest *rest, const struct wan_job *job, double steps, double step_ns)
{
	double away = fmax(1.4826 * job->mad_ns, 0.003 * step_ns);
	double mean = steps * away * 1.25 / sqrt(job->gap_count + 1.0);
	mean = fmax(mean, 0.006 * steps * step_ns); /* the pace of a machine wanders */
	if (job->gap_count < 2)
		mean = fmax(mean, 0.15 * steps * step_ns);
	rest->variance += steps * away * away + mean * mean;
}

/* Steps of less than this are many: their mean tells more than the median of the latest few. */
static const double SHORT_STEP_NS = 1e9;

static double step_of(const struct wan_job *job)
{
	double steps = (double)job->phase_steps[job->phase];
	double told_ns = (double)wan_elapsed(job->silent_ns, job->in_phase_ns);
	if (job->typical_ns >= SHORT_STEP_NS || job->since_phase < WAN_TRACKER_RECENT)
		return job->typical_ns;
	/* The updates of earlier stretches of this phase took time as well. */
	double before = (double)wan_elapsed(job->in_phase_ns, job->phase_ns[job->phase]);
	bool all = job->phase || job->phase_name;
	return ((all ? before : 0) + told_ns) / fmax(steps, 1);
}

static void by_steps(const struct wan_job *job, struct wan_eta *eta)
{
	if (!job->total || !job->gap_count)
		return;
	if (job->done >= job->total) {
		if (!job->phase && !job->phase_name)
			told(eta, &(struct rest){0}, WAN_ETA_STEPS);
		return; /* saving comes, who knows how long it takes */
	}
	double step_ns = step_of(job);
	double steps = (double)(job->total - job->done) / wan_job_units_per_update(job);
	double silent = (double)job->silent_ns;
	struct rest rest = {.ns = step_ns * fmax(steps - 1, 0) + fmax(step_ns - silent, 0)};
	add_steps(&rest, job, steps, step_ns);
	told(eta, &rest, WAN_ETA_STEPS);
}

/* Step number index (from 0) of a stretch as earlier jobs took it. */
static double earlier_step(const struct wan_prior *prior, bool has_tail, uint64_t steps,
			   uint64_t index)
{
	uint64_t to_end = steps - 1 - index;
	return has_tail && to_end < prior->tail_count ? prior->tail_ns[to_end] : prior->usual_ns;
}

/* This job's pace over that of the earlier ones; near 1 until there is something to tell. */
static double pace(const struct wan_prior *prior, const struct wan_job *job, bool has_tail,
		   uint64_t steps, uint64_t index)
{
	double ratios[WAN_JOB_GAPS];
	uint32_t count = 0;
	for (; count < job->gap_count && count < index; count++) {
		double earlier = earlier_step(prior, has_tail, steps, index - 1 - count);
		if (!(earlier > 0))
			return 1;
		ratios[count] = (double)job->gaps_ns[count] / earlier;
	}
	double known = count / (count + (prior->scaled ? 0.3 : 3.0));
	return count ? 1 + known * (wan_job_median(ratios, count) - 1) : 1;
}

static bool is_last_with_steps(const struct wan_prior *prior, uint32_t place)
{
	for (uint32_t i = place + 1; i < prior->stretch_count; i++)
		if (prior->stretches[i].steps)
			return false;
	return true;
}

/* What is left of a stretch with steps, of which index are done. */
static void rest_of_steps(const struct wan_job *job, const struct wan_prior *prior, uint32_t place,
			  uint64_t index, struct rest *rest)
{
	const struct wan_prior_stretch *stretch = &prior->stretches[place];
	bool tail = is_last_with_steps(prior, place);
	uint64_t steps = stretch->steps, tail_count = tail ? WAN_MIN(prior->tail_count, steps) : 0;
	double tail_ns = 0, ratio = pace(prior, job, tail, steps, index);
	for (uint64_t i = 0; i < tail_count; i++)
		tail_ns += prior->tail_ns[i];
	/* The step under way, then those behind it. */
	double now_ns = earlier_step(prior, tail, steps, index), behind_ns = 0;
	double head = (double)(steps - tail_count);
	if ((double)index + 1 < head)
		behind_ns += (head - (double)index - 1) * prior->usual_ns;
	for (uint64_t i = 0; i < tail_count && i < steps - 1 - index; i++)
		behind_ns += prior->tail_ns[i];
	/* What slow steps are still to come before the tail: those of then, less those of today. */
	double excess = 0;
	if ((double)index < head) {
		double then = stretch->ns - tail_ns - head * prior->usual_ns;
		double told_ns = (double)wan_elapsed(job->silent_ns, job->in_phase_ns);
		double today = told_ns / ratio - (double)index * prior->usual_ns;
		excess = fmax(fmax(then, 0) - fmax(today, 0), 0);
	}
	double silent = (double)job->silent_ns;
	rest->ns = ratio * behind_ns + fmax(ratio * now_ns + excess - silent, 0);
	add_steps(rest, job, (double)(steps - index), ratio * prior->usual_ns);
	rest->variance += 0.0625 * excess * excess;
}

static double stretch_variance(const struct wan_prior *prior,
			       const struct wan_prior_stretch *stretch)
{
	double away = stretch->spread_ns;
	if (prior->jobs < 2)
		away = fmax(away, (stretch->steps ? 0.015 : 0.06) * stretch->ns);
	return away * away;
}

static bool by_prior(const struct wan_job *job, const struct wan_prior *prior, struct wan_eta *eta)
{
	uint64_t before = 0;
	struct rest rest = {0};
	int place = wan_prior_place(prior, job, &before);
	if (place < 0) {
		/* In nothing that it knows: only the whole can be told. */
		rest.ns = prior->total_ns - (double)job->elapsed_ns;
		rest.variance = pow(0.05 * prior->total_ns, 2);
	} else {
		const struct wan_prior_stretch *stretch = &prior->stretches[place];
		uint64_t index = wan_elapsed(before, job->updates);
		if (stretch->steps && prior->usual_ns > 0 && index < stretch->steps)
			rest_of_steps(job, prior, (uint32_t)place, index, &rest);
		else if (!stretch->steps)
			rest.ns = fmax(stretch->ns - (double)job->in_phase_ns, 0);
		if (!stretch->steps)
			rest.variance = stretch_variance(prior, stretch);
		for (uint32_t i = (uint32_t)place + 1; i < prior->stretch_count; i++) {
			rest.ns += prior->stretches[i].ns;
			rest.variance += stretch_variance(prior, &prior->stretches[i]);
		}
	}
	if (!(rest.ns > 0) && (double)job->elapsed_ns > 1.05 * prior->total_ns)
		return false; /* longer than ever: nothing is known of what is left */
	told(eta, &rest, prior->scaled ? WAN_ETA_SCALED : WAN_ETA_PRIOR);
	return true;
}

void wan_eta_job(const struct wan_job *job, const struct wan_prior *prior, struct wan_eta *ret_eta)
{
	*ret_eta = (struct wan_eta){
		.left_ns = UINT64_MAX,
		.low_ns = UINT64_MAX,
		.high_ns = UINT64_MAX,
		.step_ns = job->typical_ns,
	};
	if (job->state == WAN_TRACKER_ENDED) {
		ret_eta->left_ns = ret_eta->low_ns = ret_eta->high_ns = 0;
		ret_eta->basis = WAN_ETA_DONE;
		return;
	}
	if (job->state != WAN_TRACKER_ACTIVE)
		return;
	bool useful = prior && prior->jobs && prior->stretch_count;
	if (useful && !(ret_eta->step_ns > 0))
		ret_eta->step_ns = prior->typical_ns;
	if (useful && job->total && prior->total && job->total != prior->total) {
		struct wan_prior other = *prior;
		wan_prior_scale(&other, job->total, 0);
		if (by_prior(job, &other, ret_eta))
			return;
	} else if (useful && by_prior(job, prior, ret_eta)) {
		return;
	}
	by_steps(job, ret_eta);
}

const char *wan_eta_basis_name(enum wan_eta_basis basis)
{
	static const char *const names[] = {"unknown", "steps", "prior", "scaled", "done"};
	return (unsigned)basis < WAN_COUNT_OF(names) ? names[basis] : "unknown";
}
