/* SPDX-License-Identifier: MIT */
/*
 * A generation of a video as a list of moments, and a tracker that lives through it: load, encode,
 * 20 + 20 steps with a warm-up in the first and a swap of models in the 21st, decode, save. What
 * makes it unlike the estimator's idea of a job: the pace wanders from step to step and from run to
 * run, the second half is slower, hiccups come at random, loading is cold or warm.
 */
#ifndef WAN_BENCH_WAN_JOB_H
#define WAN_BENCH_WAN_JOB_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "eta.h"
#include "phase.h"
#include "prior.h"
#include "stall.h"

enum { JOB_MOMENTS = 256 };

enum job_style {
	JOB_PHASES, /* told by the program: the phases of the library */
	JOB_NAMED,  /* phases of its own: load, text, high noise, swap, low noise, decode, save */
	JOB_BAR,    /* one bar around the steps, nothing else (tqdm) */
};

struct job_plan {
	enum job_style style;
	unsigned steps;
	double work;        /* 1: a step takes 9 s */
	bool swap_declared; /* by wan_progress_one_off() */
	bool warm;          /* the model is in the page cache */
};

struct job_moment {
	double at_s;
	enum { MOMENT_PHASE, MOMENT_STEP, MOMENT_ONE_OFF, MOMENT_END } kind;
	enum wan_phase phase;
	uint64_t text; /* id of a name */
	bool busy;     /* until the next moment something slow but healthy goes on: the swap */
};

struct job {
	unsigned count;
	struct job_moment moments[JOB_MOMENTS];
	unsigned total;
	double end_s;
};

/* Marsaglia's xorshift64*, a normal variate by summing twelve. */
static inline double job_random(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return (double)(*seed * 0x2545f4914f6cdd1du >> 11) * 0x1p-53;
}

static inline double job_normal(uint64_t *seed)
{
	double sum = -6;
	for (int i = 0; i < 12; i++)
		sum += job_random(seed);
	return sum;
}

static inline void job_add(struct job *job, double at_s, int kind, enum wan_phase phase,
			   uint64_t text, bool busy)
{
	job->moments[job->count++] = (struct job_moment){at_s, kind, phase, text, busy};
	job->end_s = at_s;
}

static inline void job_enter(struct job *job, const struct job_plan *plan, double at_s,
			     enum wan_phase phase, uint64_t text)
{
	if (plan->style == JOB_PHASES)
		job_add(job, at_s, MOMENT_PHASE, phase, 0, false);
	else if (plan->style == JOB_NAMED)
		job_add(job, at_s, MOMENT_PHASE, WAN_PHASE_NONE, text, false);
}

static inline void job_make(struct job *job, const struct job_plan *plan, uint64_t seed)
{
	seed = seed * 0x9e3779b97f4a7c15u + 1;
	for (int i = 0; i < 8; i++)
		job_random(&seed);
	double run = 1 + 0.01 * job_normal(&seed), drift = 0, at = 0;
	*job = (struct job){.total = plan->steps};
	bool bar = plan->style == JOB_BAR;
	if (!bar) {
		job_enter(job, plan, at, WAN_PHASE_MODEL_LOADING, 1);
		at += (plan->warm ? 22 : 55) * (1 + 0.04 * job_normal(&seed));
		job_enter(job, plan, at, WAN_PHASE_PREPROCESSING, 2);
		at += 6 * (1 + 0.05 * job_normal(&seed));
		job_enter(job, plan, at, WAN_PHASE_GENERATION, 3);
	}
	for (unsigned step = 0; step < plan->steps; step++) {
		double pace = 9 * plan->work * run;
		drift = 0.9 * drift + 0.003 * job_normal(&seed);
		double takes = pace * (1 + drift + 0.006 * job_normal(&seed));
		bool swap = step == plan->steps / 2;
		if (step >= plan->steps / 2)
			takes *= 1.02;
		if (step == 0)
			takes += 5 * (1 + 0.1 * job_normal(&seed)); /* kernels are chosen */
		if (job_random(&seed) < 0.01)
			takes += 1 + 2 * job_random(&seed); /* a preview on a slow line */
		if (swap && plan->style == JOB_NAMED)
			job_enter(job, plan, at, WAN_PHASE_NONE, 4);
		if (swap) {
			if (plan->swap_declared)
				job_add(job, at, MOMENT_ONE_OFF, 0, 0, false);
			job->moments[job->count - 1].busy = true;
			double swap_s = 13 * (1 + 0.06 * job_normal(&seed));
			if (plan->style == JOB_NAMED) {
				at += swap_s;
				job_enter(job, plan, at, WAN_PHASE_NONE, 5);
			} else {
				takes += swap_s;
			}
		}
		at += takes;
		job_add(job, at, MOMENT_STEP, 0, 0, false);
	}
	if (!bar) {
		job_enter(job, plan, at, WAN_PHASE_POSTPROCESSING, 6);
		at += 35 * plan->work * run * (1 + 0.02 * job_normal(&seed));
		job_enter(job, plan, at, WAN_PHASE_ENCODING, 7);
		at += 8 * plan->work * (1 + 0.06 * job_normal(&seed));
	}
	job_add(job, at, MOMENT_END, 0, 0, false);
}

/* The tracker of a job: one tick is one ns. */
struct job_life {
	uint64_t words[WAN_TRACKER_WORDS];
	uint32_t counts[WAN_RECORD_LATENCY_BUCKETS];
	struct wan_prior_event events[WAN_PRIOR_STRETCHES];
	uint32_t event_count;
	unsigned next; /* moment */
	uint64_t done;
};

static const uint64_t JOB_BEGIN_NS = 1000000000000;

static inline uint64_t job_ticks(double at_s)
{
	return JOB_BEGIN_NS + (uint64_t)(at_s * 1e9);
}

static inline void job_live(struct job_life *life, const struct job *job)
{
	memset(life, 0, sizeof(*life));
	life->words[WAN_TRACKER_TOTAL] = job->total;
	life->words[WAN_TRACKER_BEGIN] = life->words[WAN_TRACKER_UPDATED] = JOB_BEGIN_NS;
	life->words[WAN_TRACKER_STATE] = WAN_TRACKER_ACTIVE;
}

static inline void job_phase(struct job_life *life, enum wan_phase phase, uint64_t text,
			     uint64_t now)
{
	uint64_t *words = life->words, open = words[WAN_TRACKER_PHASE];
	if ((open || words[WAN_TRACKER_PHASE_TEXT]) && life->event_count < WAN_PRIOR_STRETCHES) {
		struct wan_prior_event *event = &life->events[life->event_count++];
		uint64_t start = words[WAN_TRACKER_PHASE_START + open], before = 0;
		for (uint32_t i = 0; i + 1 < life->event_count; i++)
			before += life->events[i].steps;
		*event = (struct wan_prior_event){open, words[WAN_TRACKER_PHASE_TEXT], start,
						  now - start, words[WAN_TRACKER_UPDATES] - before};
	}
	wan_phase_enter(words, phase, text, now, 1);
}

/* Everything up to at_s has happened. */
static inline void job_advance(struct job_life *life, const struct job *job, double at_s)
{
	struct wan_tracker_scale scale = {1, wan_latency_shift(1)};
	for (; life->next < job->count && job->moments[life->next].at_s <= at_s; life->next++) {
		const struct job_moment *moment = &job->moments[life->next];
		uint64_t now = job_ticks(moment->at_s);
		if (moment->kind == MOMENT_PHASE)
			job_phase(life, moment->phase, moment->text, now);
		else if (moment->kind == MOMENT_STEP)
			wan_tracker_step(life->words, life->counts, &scale, ++life->done, now);
		else if (moment->kind == MOMENT_ONE_OFF)
			life->words[WAN_TRACKER_GRACE] = now + 30000000000u;
		else {
			job_phase(life, WAN_PHASE_COMPLETION, 0, now);
			wan_phase_settle(life->words, now, 1);
			life->words[WAN_TRACKER_STATE] = WAN_TRACKER_ENDED;
		}
	}
}

static inline void job_look(const struct job_life *life, double at_s, struct wan_job *ret_job)
{
	wan_job_read(ret_job, life->words, 1, job_ticks(at_s));
	ret_job->name_hash = ret_job->phase_name; /* texts are their ids here */
}

/* What remains of a job that was recorded. */
static inline bool job_learn(const struct job_life *life, double work, struct wan_prior *ret_prior)
{
	double unit_ns = (double)(1u << wan_latency_shift(1));
	bool events = life->event_count > 0;
	if (!wan_prior_of_tracker(ret_prior, life->words, 1, life->counts, unit_ns,
				  events ? life->events : NULL, life->event_count))
		return false;
	ret_prior->work = work;
	return true;
}

#endif
