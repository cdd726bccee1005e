/* SPDX-License-Identifier: MIT */
/* What to do at a level, and how far admission may go. Pure. */
#ifndef WAN_MEMMGR_PLAN_H
#define WAN_MEMMGR_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "macros.h"
#include "wan/memory.h"

#define WAN_PLAN_WARNING_FLOOR  (64 * WAN_MIB) /* requirements: never below 64 MB at warning */
#define WAN_PLAN_CRITICAL_FLOOR (32 * WAN_MIB) /* and 32 MB at critical */

struct wan_plan_action {
	uint64_t limit_after; /* cache limit; equal to before: unchanged, 0: there is none */
	bool clear;           /* drop everything cached */
	double batch_factor;  /* batches times this; 0: to their minimum */
	bool reclaim_rebuild; /* also ask those whose values must be made again */
	bool purge;           /* give allocator pages back */
	bool callbacks;       /* emergency callbacks */
};

/* The action of a level for a cache limit (0: nobody owns one). repeated: it was done before in
 * this stay, so that the default rules lower an emergency's limit to the floor instead of clearing
 * again. */
struct wan_plan_action wan_plan_for(enum wan_memory_level level, uint64_t limit_before,
				    bool repeated, bool classic);
/* Bytes to free so that need falls to target_pct of the limit. */
uint64_t wan_plan_excess_bytes(uint64_t need_bytes, uint64_t limit_bytes, double target_pct);
/* Next limit on the way back: +5 % of full_limit per second of elapsed time, at most full_limit. */
uint64_t wan_plan_regrow(uint64_t limit, uint64_t full_limit, uint64_t elapsed_ns);
/* Whether the action of a level is due again: need rose by 1 % of the limit since the last time and
 * 250 ms have passed. classic: always. */
bool wan_plan_due_again(uint64_t need_then, uint64_t need_now, uint64_t limit_bytes,
			uint64_t elapsed_ns, bool classic);

#endif
