/* SPDX-License-Identifier: MIT */
/* One look at all sources, and what it means for level and admission. Judging is pure. */
#ifndef WAN_MEMMGR_LOOK_H
#define WAN_MEMMGR_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "source.h"

enum { WAN_LOOK_LEVELS_MAX = WAN_CGROUP_LEVELS_MAX + 2 }; /* and host and process cap */

struct wan_look {
	uint64_t time_ns;
	bool light;
	uint32_t count;
	struct wan_level_reading levels[WAN_LOOK_LEVELS_MAX];
	uint64_t total_bytes, available_bytes; /* host; 0: unknown */
	uint64_t rss_bytes;                    /* 0: unknown */
};

struct wan_look_request {
	uint64_t now_ns;
	uint64_t process_cap_bytes; /* 0: none */
	bool light;                 /* by who reserves: see struct wan_light */
	double line_pct;            /* when light */
	uint64_t rss_bytes;         /* when light: stands for what is not read; 0: read it */
};

/* Verdict; indices are into look->levels, -1 when there is none. */
struct wan_look_verdict {
	int deciding; /* highest percentage: the step */
	double percent;
	int tightest; /* fewest bytes of headroom */
	uint64_t headroom_bytes;
	int limiting;            /* fewest bytes below the admission line */
	int64_t line_left_bytes; /* negative: above the line already */
	int cgroup;              /* tightest one among the cgroups */
};

/* Reads every source once; allocates nothing, takes no lock. */
void wan_look_read(const struct wan_memory_sources *sources, const struct wan_look_request *request,
		   struct wan_look *ret_look);
/* line_pct: admission keeps need below this share of each limit. */
void wan_look_judge(const struct wan_look *look, double line_pct,
		    struct wan_look_verdict *ret_verdict);
/* How long all levels stay below the lowest step whatever others do; those that the kernel tells
 * about count as for ever. 0: some level has not 25 % of headroom. */
uint64_t wan_look_calm_ns(const struct wan_look *look, double step_pct);

#endif
