/* SPDX-License-Identifier: MIT */
#include "restore.h"

#include "macros.h"

static const uint64_t CALM_NS = 10000000000, STEP_NS = 1000000000;
enum { STEPS = 20 };

void wan_restore_lowered(struct wan_restore *restore, uint64_t before, uint64_t after,
			 uint64_t now_ns)
{
	if (!restore->full || restore->ours != before)
		restore->full = before;
	restore->ours = after;
	restore->alerted_ns = restore->grown_ns = now_ns;
}

bool wan_restore_over(const struct wan_restore *restore, double value, double limit,
		      uint64_t now_ns)
{
	if (restore->alerted_ns && now_ns - restore->alerted_ns < CALM_NS)
		return false;
	return value < 0 || value <= limit * 0.9;
}

uint64_t wan_restore_step(struct wan_restore *restore, uint64_t now_limit, uint64_t now_ns)
{
	if (!restore->full || now_ns - restore->grown_ns < STEP_NS)
		return now_limit;
	if (now_limit != restore->ours || now_limit >= restore->full) {
		restore->full = 0; /* its owner has decided since, or it is done */
		return now_limit;
	}
	uint64_t step = WAN_MAX(restore->full / STEPS, (uint64_t)1);
	restore->ours = now_limit + WAN_MIN(step, restore->full - now_limit);
	restore->grown_ns = now_ns;
	return restore->ours;
}
