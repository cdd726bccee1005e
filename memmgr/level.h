/* SPDX-License-Identifier: MIT */
/* Percentages to levels. Pure: no clock, no files, no locks. */
#ifndef WAN_MEMMGR_LEVEL_H
#define WAN_MEMMGR_LEVEL_H

#include <stdbool.h>
#include <stdint.h>

#include "wan/memory.h"

struct wan_level_rules {
	double warning_pct, critical_pct, emergency_pct;
	double leave_points;    /* a level is left this far below its entry */
	uint64_t leave_hold_ns; /* and not before this long after it was entered */
};

struct wan_level_state {
	enum wan_memory_level level;
	uint64_t entered_ns;
};

/* Percentage of a limit; 0 when the limit is 0. Exact where the quotient is. */
double wan_level_percent(uint64_t need_bytes, uint64_t limit_bytes);
/* The level whose entry is reached (>=) by percent. */
enum wan_memory_level wan_level_of(const struct wan_level_rules *rules, double percent);
/* Entry threshold of a level; 0 for normal. */
double wan_level_entry(const struct wan_level_rules *rules, enum wan_memory_level level);
/* Next state: up at once, down with hysteresis. A clock that went backwards restarts the hold. */
struct wan_level_state wan_level_step(const struct wan_level_rules *rules,
				      struct wan_level_state state, double percent,
				      uint64_t now_ns);
const char *wan_level_name(enum wan_memory_level level);

#endif
