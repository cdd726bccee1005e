/* SPDX-License-Identifier: MIT */
/*
 * The words of a tracker, in the recording or private. One thread writes (tracked calls: several,
 * by atomic addition), anybody reads; each word stands alone. Times are raw ticks, durations are
 * ns.
 */
#ifndef WAN_PROGRESS_TRACKER_H
#define WAN_PROGRESS_TRACKER_H

#include "wan/progress.h"

/* Order is fixed by the recording's schema (TRACKER). */
enum wan_tracker_word {
	WAN_TRACKER_DONE,
	WAN_TRACKER_TOTAL,
	WAN_TRACKER_PHASE,
	WAN_TRACKER_STATE, /* enum wan_tracker_state */
	WAN_TRACKER_BEGIN,
	WAN_TRACKER_UPDATED,
	WAN_TRACKER_UPDATES,
	WAN_TRACKER_LATENCY_SUM,
	WAN_TRACKER_LATENCY_MAX,
	WAN_TRACKER_PHASE_START,                                     /* one per phase */
	WAN_TRACKER_PHASE_NS = WAN_TRACKER_PHASE_START + WAN_PHASES, /* one per phase */
	WAN_TRACKER_WORDS_USED = WAN_TRACKER_PHASE_NS + WAN_PHASES,
	WAN_TRACKER_WORDS = 64,
};

enum wan_tracker_state {
	WAN_TRACKER_UNUSED,
	WAN_TRACKER_ACTIVE,
	WAN_TRACKER_ENDED,
};

#endif
