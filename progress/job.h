/* SPDX-License-Identifier: MIT */
/*
 * What a tracker's words say about a job, as durations: of this process or of another, live or
 * dead, sound or damaged. Pure: everything that estimates and judges starts from here.
 */
#ifndef WAN_PROGRESS_JOB_H
#define WAN_PROGRESS_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "tracker_words.h"

enum { WAN_JOB_GAPS = WAN_TRACKER_RECENT - 1 };

struct wan_job {
	uint64_t done, total; /* total 0: unknown */
	uint64_t initial; /* done when it began: a bar that goes on where an earlier run ended */
	uint64_t updates;
	uint64_t state;      /* enum wan_tracker_state */
	uint64_t phase;      /* enum wan_phase; out of range is told as 0 */
	uint64_t phase_name; /* id of the text of a phase of the program's own; 0: none */
	uint64_t name_hash;  /* wan_job_name_hash() of that text, for whoever has it; 0: not told */
	uint64_t elapsed_ns; /* since it began */
	uint64_t in_phase_ns;                  /* since the open phase was entered this time */
	uint64_t silent_ns;                    /* since the latest update or phase */
	uint64_t grace_left_ns;                /* of a declared one-off; 0: none */
	uint64_t expected_ns;                  /* declared interval between updates; 0: none */
	uint64_t device_done;                  /* UINT64_MAX: not known */
	uint64_t phase_ns[WAN_TRACKER_PHASES]; /* the open stretch included */
	uint64_t phase_steps[WAN_TRACKER_PHASES];
	uint32_t since_phase;           /* updates of these below that came after the phase began */
	uint32_t gap_count;             /* between updates of this phase; the first unit is none */
	uint64_t gaps_ns[WAN_JOB_GAPS]; /* newest first */
	uint64_t first_ns;              /* the phase's first unit; 0: not known any more */
	double typical_ns;              /* median gap; 0: not known */
	double mad_ns;                  /* median of what the gaps are away from it */
};

/* Takes 63 words of a tracker; they may change meanwhile. now_ticks: of a dead process, its end. */
void wan_job_read(struct wan_job *job, const uint64_t *words, double ns_per_tick,
		  uint64_t now_ticks);
/* Done since it began in each update; 1 when that is not known. */
double wan_job_units_per_update(const struct wan_job *job);
/* Never 0 for a text that is not empty. */
uint64_t wan_job_name_hash(const char *text);
/* Median of values, which are sorted in place; 0 when there are none. */
double wan_job_median(double *values, uint32_t count);

#endif
