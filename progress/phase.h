/* SPDX-License-Identifier: MIT */
/*
 * Time spent in each phase, kept in a tracker's words. Pure but for those words. All phases with a
 * name of the program's own share the place of WAN_PHASE_NONE; which one is open says the word
 * WAN_TRACKER_PHASE_TEXT.
 */
#ifndef WAN_PROGRESS_PHASE_H
#define WAN_PROGRESS_PHASE_H

#include <stdint.h>

#include "tracker_words.h"
#include "wan/progress.h"

_Static_assert((int)WAN_PHASES == (int)WAN_TRACKER_PHASES, "phases as recorded");

/* Closes the open phase and opens another one; a phase entered again adds up. text: id of a name of
 * the program's own, with WAN_PHASE_NONE; else 0. */
void wan_phase_enter(uint64_t *words, enum wan_phase phase, uint64_t text, uint64_t now_ticks,
		     double ns_per_tick);
/* Adds the time and the updates since the start of the open phase to it; it is left open, though
 * nothing is counted in it any more. */
void wan_phase_settle(uint64_t *words, uint64_t now_ticks, double ns_per_tick);
/* Time in a phase until now, the open stretch included. */
uint64_t wan_phase_total_ns(const uint64_t *words, enum wan_phase phase, uint64_t now_ticks,
			    double ns_per_tick);
/* "model_loading"; "unknown" when out of range. */
const char *wan_phase_name(enum wan_phase phase);

#endif
