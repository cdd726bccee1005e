/* SPDX-License-Identifier: MIT */
/* Percentages, remaining time. Pure. */
#ifndef WAN_PROGRESS_ETA_H
#define WAN_PROGRESS_ETA_H

#include <stdint.h>

#include "prior.h"

/* done of total, 0 to 100; 0 when total is unknown (0). */
double wan_eta_percent(uint64_t done, uint64_t total);
/* elapsed * (total - done) / done; UINT64_MAX: unknown (no total, or nothing done yet). */
uint64_t wan_eta_ns(uint64_t elapsed_ns, uint64_t done, uint64_t total);

/* What an estimate rests on. */
enum wan_eta_basis {
	WAN_ETA_UNKNOWN,
	WAN_ETA_STEPS,  /* the steps that are left; what comes after them is not known */
	WAN_ETA_PRIOR,  /* earlier jobs of the same size */
	WAN_ETA_SCALED, /* earlier jobs of another size */
	WAN_ETA_DONE,   /* it has ended */
};

/* UINT64_MAX: not known. Eight of ten times it takes between low and high. */
struct wan_eta {
	uint64_t left_ns, low_ns, high_ns;
	double step_ns; /* what an update takes as a rule; 0: not known */
	enum wan_eta_basis basis;
};

/*
 * What is left of a job. Steps count by their median, so that a warm-up, a swap of models or a
 * hiccup moves nothing; with prior (NULL: none) also those to come are counted, and the phases
 * after the steps. Between two steps it counts down, though never below what comes after this one.
 */
void wan_eta_job(const struct wan_job *job, const struct wan_prior *prior, struct wan_eta *ret_eta);
/* "unknown", "steps", "prior", "scaled", "done"; static. */
const char *wan_eta_basis_name(enum wan_eta_basis basis);

#endif
