/* SPDX-License-Identifier: MIT */
/*
 * The words of a tracker (schema.def: TRACKER), in the recording or private. One thread writes
 * (tracked calls: several, by atomic addition), anybody reads; each word stands alone. Times are
 * raw ticks, durations are ns.
 */
#ifndef WAN_RECORD_TRACKER_WORDS_H
#define WAN_RECORD_TRACKER_WORDS_H

#include "latency.h"

enum {
	WAN_TRACKER_PHASES = 8,  /* enum wan_phase */
	WAN_TRACKER_RECENT = 16, /* latencies kept one by one */
};

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
	WAN_TRACKER_PHASE_START,                                             /* one per phase */
	WAN_TRACKER_PHASE_NS = WAN_TRACKER_PHASE_START + WAN_TRACKER_PHASES, /* one per phase */
	WAN_TRACKER_PHASE_STEPS = WAN_TRACKER_PHASE_NS + WAN_TRACKER_PHASES, /* one per phase */
	WAN_TRACKER_HISTOGRAM = WAN_TRACKER_PHASE_STEPS + WAN_TRACKER_PHASES,
	WAN_TRACKER_UNIT,
	WAN_TRACKER_THREAD,
	WAN_TRACKER_SOURCE, /* enum wan_tracker_source */
	WAN_TRACKER_LEVEL,
	WAN_TRACKER_GRACE,
	WAN_TRACKER_DEVICE_DONE,
	WAN_TRACKER_LATEST, /* WAN_TRACKER_RECENT of them */
	WAN_TRACKER_PHASE_TEXT = WAN_TRACKER_LATEST + WAN_TRACKER_RECENT,
	WAN_TRACKER_EXPECTED,
	WAN_TRACKER_CALLBACK_SUM,
	WAN_TRACKER_CALLBACK_MAX,
	WAN_TRACKER_WORDS_USED,
	WAN_TRACKER_WORDS = 64,
};

_Static_assert(WAN_TRACKER_HISTOGRAM == 33 && WAN_TRACKER_LATEST == 40 &&
		       WAN_TRACKER_CALLBACK_MAX == 59,
	       "words as in schema.def");

enum wan_tracker_state {
	WAN_TRACKER_UNUSED,
	WAN_TRACKER_ACTIVE,
	WAN_TRACKER_ENDED,
};

enum wan_tracker_source {
	WAN_TRACKER_OF_PROGRAM, /* told by the program itself */
	WAN_TRACKER_OF_BAR,     /* read off a progress bar that it printed */
	WAN_TRACKER_OF_PYTHON,  /* told by the Python package */
	WAN_TRACKER_OF_GUESS,   /* inferred from what it does */
};

/* One writer: a load and a store are enough, nothing is locked on the bus. */
static inline void wan_tracker_bump(uint64_t *word, uint64_t by)
{
	wan_store_relaxed(word, wan_load_relaxed(word) + by);
}

/*
 * An update: done so far. counts: its histogram, may be NULL. DONE is stored last, so that a step
 * which is told has its latency. Returns that latency in ns.
 */
static inline uint64_t wan_tracker_step(uint64_t *words, uint32_t *counts, uint64_t done,
					uint64_t now_ticks, double ns_per_tick)
{
	uint64_t before = wan_load_relaxed(&words[WAN_TRACKER_UPDATED]);
	uint64_t gap_ns =
		now_ticks > before
			? (uint64_t)(int64_t)((double)(int64_t)(now_ticks - before) * ns_per_tick)
			: 0;
	uint64_t updates = wan_load_relaxed(&words[WAN_TRACKER_UPDATES]) + 1;
	uint64_t phase = wan_load_relaxed(&words[WAN_TRACKER_PHASE]) % WAN_TRACKER_PHASES;
	wan_store_relaxed(&words[WAN_TRACKER_UPDATED], now_ticks);
	wan_store_relaxed(&words[WAN_TRACKER_UPDATES], updates);
	wan_store_relaxed(&words[WAN_TRACKER_LATEST + updates % WAN_TRACKER_RECENT], gap_ns);
	wan_tracker_bump(&words[WAN_TRACKER_PHASE_STEPS + phase], 1);
	wan_tracker_bump(&words[WAN_TRACKER_LATENCY_SUM], gap_ns);
	if (wan_unlikely(gap_ns > wan_load_relaxed(&words[WAN_TRACKER_LATENCY_MAX])))
		wan_store_relaxed(&words[WAN_TRACKER_LATENCY_MAX], gap_ns);
	if (counts)
		wan_latency_add(counts, gap_ns);
	wan_store_release(&words[WAN_TRACKER_DONE], done);
	return gap_ns;
}

#endif
