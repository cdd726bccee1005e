/* SPDX-License-Identifier: MIT */
#include "stall.h"

#include <math.h>
#include <string.h>

#include "clock.h"
#include "macros.h"
#include "str.h"

/* 1.5 m and m + 8 MAD: measured on steps of seconds with a warm-up and a swap of models; 3 m comes
 * twice as late. Below half a second a hiccup of the machine is longer than a step. */
static const double FACTOR = 1.5, DEVIATIONS = 8, LEAST_NS = 0.75e9;
static const uint64_t BEFORE_NS = 500000000; /* evidence begins so long before the deadline */
static const uint64_t LATE_NS = 2000000000, SOON_NS = 250000000;
static const uint64_t WINDOW_NS = 2000000000, YOUNG_NS = 200000000;
static const uint64_t BLIND_FACTOR = 3; /* without any evidence a stall is told so late */

/* Of one core; Python's own threads and the monitor need a tenth of that. */
static const double BUSY_PERCENT = 10;
/* A disk that gives less is what is waited for, not what is being read. */
static const double LOADS_BYTES_PER_S = 1 << 20;
/* Pages thrown out and read again: a tenth of what a disk of 4 MB/s brings. */
static const double REFAULTS_PER_S = 100;

static uint64_t whole_ns(double ns)
{
	return ns < 0x1p62 ? (uint64_t)fmax(ns, 0) : UINT64_MAX;
}

/* A median of fewer gaps than this says nothing of how far they are apart. */
static const uint32_t GAPS_FOR_DEVIATION = 5;

static double too_long(double typical_ns, double mad_ns)
{
	double deadline = fmax(FACTOR * typical_ns, typical_ns + DEVIATIONS * mad_ns);
	return fmax(deadline, LEAST_NS);
}

/* Of a phase that has no steps, or not yet a second one. */
static double earlier_ns(const struct wan_job *job, const struct wan_prior *prior)
{
	uint64_t before = 0;
	int place = prior && prior->jobs ? wan_prior_place(prior, job, &before) : -1;
	if (place < 0)
		return 0;
	const struct wan_prior_stretch *stretch = &prior->stretches[place];
	/* Where in the stretch the slow steps are is not known: it may be the first. */
	return stretch->steps ? fmin(prior->slow_ns, stretch->ns) : stretch->ns;
}

static uint64_t deadline_of(const struct wan_job *job, const struct wan_prior *prior,
			    double *ret_typical_ns)
{
	*ret_typical_ns = job->typical_ns;
	if (job->state != WAN_TRACKER_ACTIVE)
		return UINT64_MAX;
	if (job->total && job->done >= job->total && !job->phase && !job->phase_name)
		return UINT64_MAX; /* all is done; nothing is due */
	if (job->gap_count)
		return whole_ns(too_long(job->typical_ns,
					 job->gap_count >= GAPS_FOR_DEVIATION ? job->mad_ns : 0));
	if (job->expected_ns) {
		*ret_typical_ns = (double)job->expected_ns;
		return whole_ns(too_long(*ret_typical_ns, 0));
	}
	double earlier = earlier_ns(job, prior);
	*ret_typical_ns = earlier;
	if (!(earlier > 0))
		return UINT64_MAX;
	bool between = job->since_phase > 0; /* the second step: what is usual is known */
	if (between)
		*ret_typical_ns = prior->usual_ns;
	return whole_ns(too_long(*ret_typical_ns, 0));
}

uint64_t wan_stall_deadline_ns(const struct wan_job *job, const struct wan_prior *prior)
{
	double typical_ns;
	return deadline_of(job, prior, &typical_ns);
}

/* By ticks a suspended machine was silent; by looks it was only for as long as somebody looked. */
static uint64_t silent_ns(const struct wan_stall_watch *watch, const struct wan_job *job,
			  uint64_t now_ns)
{
	if (!watch->seen)
		return job->silent_ns;
	return WAN_MIN(job->silent_ns, wan_elapsed(watch->moved_ns, now_ns));
}

bool wan_stall_wants_evidence(const struct wan_stall_watch *watch, const struct wan_job *job,
			      const struct wan_prior *prior)
{
	uint64_t deadline = wan_stall_deadline_ns(job, prior);
	bool moved = watch->seen && watch->updates != job->updates;
	return deadline != UINT64_MAX && !moved &&
	       job->silent_ns + WAN_MIN(BEFORE_NS, deadline / 2) >= deadline;
}

static void count_sample(struct wan_stall_window *window, const struct wan_evidence *evidence)
{
	if (!window->samples)
		window->first = *evidence;
	window->samples++;
	window->running += evidence->thread_state == 'R';
	window->device += evidence->gpu_wait_ns > 0;
	window->disk += evidence->thread_state == 'D' || evidence->sleep == WAN_SLEEP_DISK;
	window->futex += evidence->sleep == WAN_SLEEP_FUTEX;
	window->other += evidence->sleep == WAN_SLEEP_OTHER;
}

/* A device's steps that the job itself tells count as those that its calls tell. */
static uint64_t device_done(const struct wan_evidence *evidence, const struct wan_job *job)
{
	if (evidence->device_done == UINT64_MAX)
		return job->device_done;
	return evidence->device_done + (job->device_done == UINT64_MAX ? 0 : job->device_done);
}

static void take_evidence(struct wan_stall_watch *watch, const struct wan_evidence *evidence,
			  const struct wan_job *job)
{
	if (!evidence || !evidence->time_ns || evidence->time_ns == watch->latest.time_ns)
		return;
	watch->latest = *evidence;
	watch->latest.device_done = device_done(evidence, job);
	if (!evidence->readable)
		return;
	uint64_t age = wan_elapsed(watch->window.first.time_ns, evidence->time_ns);
	if (age >= WINDOW_NS && watch->younger.samples) {
		watch->window = watch->younger;
		watch->younger = (struct wan_stall_window){0};
	}
	count_sample(&watch->window, &watch->latest);
	age = wan_elapsed(watch->window.first.time_ns, evidence->time_ns);
	if (age >= WINDOW_NS / 2)
		count_sample(&watch->younger, &watch->latest);
}

static void notice_moves(struct wan_stall_watch *watch, const struct wan_job *job, uint64_t now_ns)
{
	bool other_job = watch->begun > job->elapsed_ns; /* begun anew under the same name */
	bool moved = !watch->seen || other_job || watch->updates != job->updates ||
		     watch->phase != job->phase || watch->phase_name != job->phase_name;
	if (moved) {
		/* Since the look before; the first look knows only what the words say. */
		uint64_t moved_ns = wan_elapsed(job->silent_ns, now_ns);
		watch->window = watch->younger = (struct wan_stall_window){0};
		watch->latest = (struct wan_evidence){0};
		watch->moved_ns = watch->seen ? WAN_MAX(moved_ns, watch->looked_ns) : moved_ns;
	}
	/* Whoever looks was stopped or starved, and so perhaps was the job. */
	uint64_t late_ns = watch->due_ns ? wan_elapsed(watch->due_ns, now_ns) : 0;
	if (!moved && late_ns > LATE_NS)
		watch->moved_ns = WAN_MIN(watch->moved_ns + late_ns, now_ns);
	watch->looked_ns = now_ns;
	watch->seen = true;
	watch->updates = job->updates;
	watch->phase = job->phase;
	watch->phase_name = job->phase_name;
	watch->begun = job->elapsed_ns;
}

/* Per second; 0 when one of them is not known. */
static double rate(uint64_t from, uint64_t to, double seconds)
{
	if (from == UINT64_MAX || to == UINT64_MAX || !(seconds > 0))
		return 0;
	return (double)wan_elapsed(from, to) / seconds;
}

static bool mostly(uint32_t count, uint32_t samples)
{
	return samples && 2 * count >= samples;
}

enum wan_cause wan_stall_cause(const struct wan_stall_window *window,
			       const struct wan_evidence *latest, struct wan_stall *ret_figures)
{
	const struct wan_evidence *first = &window->first;
	double seconds = (double)wan_elapsed(first->time_ns, latest->time_ns) * 1e-9;
	double cpu = rate(first->cpu_ns, latest->cpu_ns, seconds) * 1e-7;
	double bytes = fmax(rate(first->storage_bytes, latest->storage_bytes, seconds),
			    rate(first->call_bytes, latest->call_bytes, seconds));
	double refaults = rate(first->refaults, latest->refaults, seconds);
	double faults = rate(first->major_faults, latest->major_faults, seconds);
	ret_figures->window_s = seconds;
	ret_figures->cpu_percent = cpu;
	ret_figures->megabytes_per_s = bytes / 1048576;
	ret_figures->refaults_per_s = refaults;
	wan_str_copy(ret_figures->where, sizeof(ret_figures->where), latest->where);
	if (latest->killed_for_memory)
		return WAN_CAUSE_KILLED_FOR_MEMORY;
	if (latest->gone)
		return WAN_CAUSE_GONE;
	if (latest->stopped)
		return WAN_CAUSE_STOPPED;
	/* Its own faults, and pages that had been there: reading a model for the first time has the
	 * former only. */
	if (refaults >= REFAULTS_PER_S && faults >= 1)
		return WAN_CAUSE_THRASHING;
	/* What a device has done it was busy with, whoever waits for it. */
	if (rate(first->device_done, latest->device_done, seconds) > 0)
		return WAN_CAUSE_COMPUTING;
	/* Waits for a device spin by default: the processor says nothing then. */
	if (mostly(window->device, window->samples) && latest->gpu_wait_ns)
		return latest->gpu_percent >= 5 ? WAN_CAUSE_COMPUTING : WAN_CAUSE_GPU_WAIT;
	/* Runnable counts as well: on a busy machine it gets little of the processor. */
	if (cpu >= BUSY_PERCENT || mostly(window->running, window->samples))
		return WAN_CAUSE_COMPUTING;
	if (bytes >= LOADS_BYTES_PER_S)
		return WAN_CAUSE_LOADING;
	if (latest->gpu_percent >= 5)
		return WAN_CAUSE_COMPUTING;
	if (mostly(window->disk, window->samples))
		return WAN_CAUSE_DISK;
	if (mostly(window->futex, window->samples))
		return WAN_CAUSE_LOCK;
	if (mostly(window->other, window->samples) || latest->thread_state == 'S')
		return WAN_CAUSE_WAITING;
	return WAN_CAUSE_UNKNOWN;
}

static bool ended_or_stopped(const struct wan_evidence *evidence)
{
	return evidence->time_ns && (evidence->gone || evidence->stopped);
}

static enum wan_stall_state state_of(const struct wan_stall_watch *watch, const struct wan_job *job,
				     const struct wan_stall *stall)
{
	if (job->state != WAN_TRACKER_ACTIVE)
		return WAN_STALL_NOT_KNOWN;
	if (ended_or_stopped(&watch->latest))
		return WAN_STALL_STALLED;
	if (stall->deadline_ns == UINT64_MAX)
		return WAN_STALL_NOT_KNOWN;
	if (stall->silent_ns <= stall->deadline_ns)
		return WAN_STALL_FINE;
	if (job->grace_left_ns)
		return WAN_STALL_GRACE;
	uint64_t seen_ns = wan_elapsed(watch->window.first.time_ns, watch->latest.time_ns);
	if (watch->window.samples < 2 || seen_ns < YOUNG_NS)
		return stall->silent_ns / BLIND_FACTOR > stall->deadline_ns ? WAN_STALL_STALLED
									    : WAN_STALL_LOOKING;
	return wan_cause_progresses(stall->cause) ? WAN_STALL_LONG_STEP : WAN_STALL_STALLED;
}

/* Without a deadline it is still worth a look whether the process lives. */
static uint64_t look_in_ns(const struct wan_job *job, const struct wan_stall *stall)
{
	if (job->state != WAN_TRACKER_ACTIVE)
		return UINT64_MAX;
	if (stall->deadline_ns == UINT64_MAX)
		return 4 * SOON_NS;
	uint64_t left = wan_elapsed(stall->silent_ns + BEFORE_NS, stall->deadline_ns);
	return WAN_MAX(WAN_MIN(left, (uint64_t)1 << 40), SOON_NS);
}

void wan_stall_step(struct wan_stall_watch *watch, const struct wan_job *job,
		    const struct wan_prior *prior, const struct wan_evidence *evidence,
		    uint64_t now_ns, struct wan_stall *ret_stall)
{
	struct wan_stall stall = {0};
	notice_moves(watch, job, now_ns);
	take_evidence(watch, evidence, job);
	stall.deadline_ns = deadline_of(job, prior, &stall.typical_ns);
	stall.silent_ns = silent_ns(watch, job, now_ns);
	if (watch->latest.time_ns)
		stall.cause = wan_stall_cause(&watch->window, &watch->latest, &stall);
	stall.state = state_of(watch, job, &stall);
	stall.look_in_ns = look_in_ns(job, &stall);
	watch->due_ns = stall.look_in_ns == UINT64_MAX ? 0 : now_ns + stall.look_in_ns;
	*ret_stall = stall;
}

bool wan_cause_progresses(enum wan_cause cause)
{
	return cause == WAN_CAUSE_COMPUTING || cause == WAN_CAUSE_LOADING;
}

static const struct {
	const char *name, *text;
} causes[WAN_CAUSES] = {
	[WAN_CAUSE_UNKNOWN] = {"unknown", "the cause is not known"},
	[WAN_CAUSE_COMPUTING] = {"computing", "it computes"},
	[WAN_CAUSE_LOADING] = {"loading", "it reads or writes files"},
	[WAN_CAUSE_GPU_WAIT] = {"gpu_wait", "waiting for the GPU"},
	[WAN_CAUSE_LOCK] = {"lock", "waiting for a lock or another thread"},
	[WAN_CAUSE_DISK] = {"disk", "waiting for the disk"},
	[WAN_CAUSE_THRASHING] = {"thrashing",
				 "memory is too small: what it needs is thrown out and read again"},
	[WAN_CAUSE_STOPPED] = {"stopped", "the process is stopped"},
	[WAN_CAUSE_GONE] = {"gone", "the process is gone"},
	[WAN_CAUSE_KILLED_FOR_MEMORY] = {"killed_for_memory",
					 "the kernel killed the process for lack of memory"},
	[WAN_CAUSE_WAITING] = {"waiting", "waiting for a pipe, a socket or a timer"},
};

const char *wan_cause_name(enum wan_cause cause)
{
	return (unsigned)cause < WAN_CAUSES ? causes[cause].name : "unknown";
}

const char *wan_cause_text(enum wan_cause cause)
{
	return causes[(unsigned)cause < WAN_CAUSES ? cause : WAN_CAUSE_UNKNOWN].text;
}

const char *wan_stall_message(const struct wan_stall *stall, const struct wan_job *job, char *to,
			      size_t to_bytes)
{
	double silent = (double)stall->silent_ns * 1e-9, typical = stall->typical_ns * 1e-9;
	bool steps = job->gap_count || job->since_phase;
	const char *what = steps ? "no step" : "nothing";
	const char *text = wan_cause_text(stall->cause);
	if (typical > 0)
		wan_str_format(to, to_bytes, "%s for %.1f s, %.1f s is typical: %s", what, silent,
			       typical, text);
	else
		wan_str_format(to, to_bytes, "%s for %.1f s: %s", what, silent, text);
	return to;
}
