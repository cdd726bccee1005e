/* SPDX-License-Identifier: MIT */
/* When to look next. Pure. */
#ifndef WAN_PROGRESS_SAMPLER_H
#define WAN_PROGRESS_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "wan/progress.h"

#define WAN_SAMPLER_LEAST_NS 100000000u  /* requirements: 0.1 s */
#define WAN_SAMPLER_MOST_NS  5000000000u /* requirements: 5 s */

/* An interval asked for, brought into the bounds. */
uint64_t wan_sampler_clamp_ns(uint64_t interval_ns);
/* Rule set classic: x1.1 when stressed (CPU > 70 %, memory > 400 MB, latency > 50 ms), else x0.95.
 */
uint64_t wan_sampler_classic_ns(uint64_t interval_ns, const struct wan_progress_sample *sample);
/* What the default policy remembers. Zeroed: new. */
struct wan_sampler_state {
	uint32_t costly; /* samples in a row that cost too much */
};

/*
 * Default: 0.1 s after one anomaly, else x1.25 up to quiet_ns; further, by x1.1, only when two
 * samples in a row cost more than 0.1 % of the interval.
 */
uint64_t wan_sampler_budget_ns(struct wan_sampler_state *state, uint64_t interval_ns,
			       uint64_t quiet_ns, uint64_t cost_ns, bool anomaly);

#endif
