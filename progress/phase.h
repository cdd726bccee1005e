/* SPDX-License-Identifier: MIT */
/* Time spent in each phase, kept in a tracker's words. Pure but for those words. */
#ifndef WAN_PROGRESS_PHASE_H
#define WAN_PROGRESS_PHASE_H

#include <stdint.h>

#include "tracker_words.h"
#include "wan/progress.h"

_Static_assert((int)WAN_PHASES == (int)WAN_TRACKER_PHASES, "phases as recorded");

/* Closes the open phase and opens another one; a phase entered again adds up. */
void wan_phase_enter(uint64_t *words, enum wan_phase phase, uint64_t now_ticks, double ns_per_tick);
/* Adds the time since the start of the open phase to it, and starts it anew. */
void wan_phase_settle(uint64_t *words, uint64_t now_ticks, double ns_per_tick);
/* Time in a phase until now, the open stretch included. */
uint64_t wan_phase_total_ns(const uint64_t *words, enum wan_phase phase, uint64_t now_ticks,
			    double ns_per_tick);
/* "model_loading"; "unknown" when out of range. */
const char *wan_phase_name(enum wan_phase phase);

#endif
