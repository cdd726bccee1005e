/* SPDX-License-Identifier: MIT */
/*
 * What finished jobs teach about the next one: a list of stretches (a phase from its begin to its
 * end), and how the steps in them were spread. Plain data, to be copied; pure.
 */
#ifndef WAN_PROGRESS_PRIOR_H
#define WAN_PROGRESS_PRIOR_H

#include <stdbool.h>
#include <stdint.h>

#include "job.h"

enum { WAN_PRIOR_STRETCHES = 24 };

struct wan_prior_stretch {
	uint64_t phase, name_hash; /* as in struct wan_job; of a named phase the hash tells */
	uint64_t steps;            /* updates in it */
	double ns;
	double spread_ns; /* what one job is away from the next; 0: one job only */
};

struct wan_prior {
	uint32_t jobs;   /* learned from; 0: nothing is known */
	bool scaled;     /* made from jobs of another size */
	uint64_t total;  /* steps of the job */
	double work;     /* of a step: megapixels x frames; 0: not known */
	double total_ns; /* begin to end */
	/* From the job's end to that of its process, where it went well: what a program does after
	 * its last bar. Negative: not known. */
	double after_ns;
	uint32_t stretch_count;
	struct wan_prior_stretch stretches[WAN_PRIOR_STRETCHES];
	/* Of the steps, over the whole job. */
	double typical_ns; /* median; 0: not known */
	double usual_ns;   /* mean of the steps that are not slow; of those before the tail */
	double slow_ns;    /* what a step with all the excess would take */
	double excess_ns;  /* of the slow steps before the tail, over what is usual */
	/* The latest gaps, newest first: where in the job they are is known. */
	uint32_t tail_count;
	double tail_ns[WAN_JOB_GAPS];
};

/* A phase as it was recorded, for wan_prior_of_tracker(). */
struct wan_prior_event {
	uint64_t phase, name_hash, started_ticks, duration_ns, steps;
};

/*
 * From the words of a job that ended and did all its work; else false, and *ret_prior is untouched.
 * counts: its histogram of units of unit_ns, or NULL. events: its phases in the order of time; when
 * there are none the words' sums are taken.
 */
bool wan_prior_of_tracker(struct wan_prior *ret_prior, const uint64_t *words, double ns_per_tick,
			  const uint32_t *counts, double unit_ns,
			  const struct wan_prior_event *events, uint32_t event_count);
/* Adds an earlier job of the same size: what is alike in both becomes the mean of all. */
void wan_prior_merge(struct wan_prior *prior, const struct wan_prior *earlier);
/*
 * What the same job would take at another size: steps by total and by work, decoding and saving by
 * work, loading as it was; what happened once happens once. work 0: by total only.
 */
void wan_prior_scale(struct wan_prior *prior, uint64_t total, double work);
/*
 * Megapixels x frames out of a command line whose words blanks or \x1f separate: --size 1280*720,
 * --width W --height H, --frame_num N, --num_frames N, --frames N. 0: it says no size.
 */
double wan_prior_work(const char *command);

/* Where a job stands in the prior: place of the stretch that is open, or -1 before the first. */
int wan_prior_place(const struct wan_prior *prior, const struct wan_job *job,
		    uint64_t *ret_steps_before);

#endif
