/* SPDX-License-Identifier: MIT */
#include "job.h"

#include <math.h>

#include "clock.h"
#include "macros.h"

static uint64_t span_ns(uint64_t from, uint64_t to, double ns_per_tick)
{
	double ns = (double)wan_elapsed(from, to) * ns_per_tick;
	return ns < 0x1p63 ? (uint64_t)ns : (uint64_t)1 << 63; /* 292 years: damage */
}

double wan_job_median(double *values, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		double value = values[i];
		uint32_t at = i;
		for (; at && values[at - 1] > value; at--)
			values[at] = values[at - 1];
		values[at] = value;
	}
	if (!count)
		return 0;
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

uint64_t wan_job_name_hash(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv */
	if (!text || !*text)
		return 0;
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
	return hash ? hash : 1;
}

static void read_phases(struct wan_job *job, const uint64_t *words, double ns_per_tick,
			uint64_t now_ticks, uint64_t entered)
{
	for (unsigned phase = 0; phase < WAN_TRACKER_PHASES; phase++) {
		job->phase_ns[phase] = wan_load_relaxed(&words[WAN_TRACKER_PHASE_NS + phase]);
		/* Read while a phase changes, the difference may be below nothing. */
		uint64_t steps = wan_tracker_phase_steps(words, phase);
		job->phase_steps[phase] = steps <= job->updates ? steps : 0;
	}
	job->in_phase_ns = span_ns(entered, now_ticks, ns_per_tick);
	bool open = job->state == WAN_TRACKER_ACTIVE && (job->phase || job->phase_name);
	if (open && job->phase_ns[job->phase] < (uint64_t)1 << 62)
		job->phase_ns[job->phase] += job->in_phase_ns;
}

/* Newest first, as long as one comes before the other: what is being written just now is not. */
static void read_gaps(struct wan_job *job, const uint64_t *words, double ns_per_tick,
		      uint64_t now_ticks, uint64_t entered)
{
	uint64_t newer = 0;
	uint64_t kept = WAN_MIN(job->updates, (uint64_t)WAN_TRACKER_RECENT);
	for (uint64_t age = 0; age < kept; age++) {
		uint64_t slot = (job->updates - age) % WAN_TRACKER_RECENT;
		uint64_t time = wan_load_relaxed(&words[WAN_TRACKER_LATEST + slot]);
		if (time < entered || time > now_ticks || (age && time > newer))
			break;
		if (age)
			job->gaps_ns[job->gap_count++] = span_ns(time, newer, ns_per_tick);
		newer = time;
		job->since_phase++;
	}
	if (job->since_phase && job->since_phase < WAN_TRACKER_RECENT)
		job->first_ns = span_ns(entered, newer, ns_per_tick);
	double values[WAN_JOB_GAPS];
	for (uint32_t i = 0; i < job->gap_count; i++)
		values[i] = (double)job->gaps_ns[i];
	job->typical_ns = wan_job_median(values, job->gap_count);
	for (uint32_t i = 0; i < job->gap_count; i++)
		values[i] = fabs(values[i] - job->typical_ns);
	job->mad_ns = wan_job_median(values, job->gap_count);
}

void wan_job_read(struct wan_job *job, const uint64_t *words, double ns_per_tick,
		  uint64_t now_ticks)
{
	if (!(ns_per_tick > 1e-4 && ns_per_tick < 1e4)) /* also what is no number */
		ns_per_tick = 1;
	uint64_t begin = wan_load_relaxed(&words[WAN_TRACKER_BEGIN]);
	uint64_t updated = wan_load_relaxed(&words[WAN_TRACKER_UPDATED]);
	uint64_t phase = wan_load_relaxed(&words[WAN_TRACKER_PHASE]);
	uint64_t grace = wan_load_relaxed(&words[WAN_TRACKER_GRACE]);
	*job = (struct wan_job){
		.done = wan_load_acquire(&words[WAN_TRACKER_DONE]), /* pairs with the step */
		.total = wan_load_relaxed(&words[WAN_TRACKER_TOTAL]),
		.initial = wan_load_relaxed(&words[WAN_TRACKER_INITIAL]),
		.updates = wan_load_relaxed(&words[WAN_TRACKER_UPDATES]),
		.state = wan_load_relaxed(&words[WAN_TRACKER_STATE]),
		.phase = phase < WAN_TRACKER_PHASES ? phase : 0,
		.phase_name = wan_load_relaxed(&words[WAN_TRACKER_PHASE_TEXT]),
		.elapsed_ns = span_ns(begin, now_ticks, ns_per_tick),
		.grace_left_ns = span_ns(now_ticks, grace, ns_per_tick),
		.expected_ns = wan_load_relaxed(&words[WAN_TRACKER_EXPECTED]),
		.device_done = wan_load_relaxed(&words[WAN_TRACKER_DEVICE_DONE]) - 1,
	};
	uint64_t entered = wan_load_relaxed(&words[WAN_TRACKER_PHASE_START + job->phase]);
	entered = WAN_MAX(entered, begin);
	job->silent_ns = span_ns(WAN_MAX(entered, updated), now_ticks, ns_per_tick);
	read_phases(job, words, ns_per_tick, now_ticks, entered);
	read_gaps(job, words, ns_per_tick, now_ticks, entered);
}

double wan_job_units_per_update(const struct wan_job *job)
{
	if (!job->updates || job->done <= job->initial)
		return 1;
	return (double)(job->done - job->initial) / (double)job->updates;
}
