/* SPDX-License-Identifier: MIT */
/* Limits that alerts have lowered grow back when what they told of is over. Pure. */
#ifndef WAN_RUNTIME_RESTORE_H
#define WAN_RUNTIME_RESTORE_H

#include <stdbool.h>
#include <stdint.h>

/* One limit. Zeroed: nothing was lowered. */
struct wan_restore {
	uint64_t full;       /* before the first lowering; 0: not lowered */
	uint64_t ours;       /* as it was set last; another value means that its owner changed it */
	uint64_t alerted_ns; /* the last alert */
	uint64_t grown_ns;
};

/* An alert has lowered the limit from before to after. */
void wan_restore_lowered(struct wan_restore *restore, uint64_t before, uint64_t after,
			 uint64_t now_ns);
/* Whether ten seconds have gone by since the last alert, and its figure is a tenth below its limit
 * (value below 0: not known, nobody measures any more). */
bool wan_restore_over(const struct wan_restore *restore, double value, double limit,
		      uint64_t now_ns);
/* The limit of now, one step of 5 % of the full one back, at most one a second and at least by 1.
 * Returns now_limit when there is nothing to do. */
uint64_t wan_restore_step(struct wan_restore *restore, uint64_t now_limit, uint64_t now_ns);

#endif
