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
	WAN_TRACKER_RECENT = 16, /* updates whose time is kept */
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
	WAN_TRACKER_LATENCY_MAX_TICKS,
	WAN_TRACKER_OUTCOME, /* enum wan_tracker_outcome */
	WAN_TRACKER_INITIAL, /* done at the begin: a bar that goes on from there */
	WAN_TRACKER_WORDS_USED,
	WAN_TRACKER_WORDS = 64,
};

_Static_assert(WAN_TRACKER_HISTOGRAM == 33 && WAN_TRACKER_LATEST == 40 &&
		       WAN_TRACKER_LATENCY_MAX_TICKS == 60,
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

enum wan_tracker_outcome {
	WAN_TRACKER_NOT_TOLD,
	WAN_TRACKER_COMPLETED,
	WAN_TRACKER_FAILED, /* left by an exception */
};

/* One writer: a load and a store are enough, nothing is locked on the bus. */
static inline void wan_tracker_bump(uint64_t *word, uint64_t by)
{
	wan_store_relaxed(word, wan_load_relaxed(word) + by);
}

/* How a tracker's ticks become ns and units of its histogram. */
struct wan_tracker_scale {
	double ns_per_tick;
	uint32_t shift; /* wan_latency_shift(ns_per_tick) */
};

static inline uint64_t wan_tracker_ns(uint64_t ticks, double ns_per_tick)
{
	return (uint64_t)((double)ticks * ns_per_tick);
}

/*
 * An update: done so far. counts: its histogram, may be NULL. DONE is stored last, so that a step
 * which is told has its latency. Nothing is converted here: the clock's answer goes to memory as it
 * is, since whatever waits for it holds up the next reading.
 */
static inline void wan_tracker_step(uint64_t *words, uint32_t *counts,
				    const struct wan_tracker_scale *scale, uint64_t done,
				    uint64_t now_ticks)
{
	uint64_t before = wan_load_relaxed(&words[WAN_TRACKER_UPDATED]);
	uint64_t updates = wan_load_relaxed(&words[WAN_TRACKER_UPDATES]) + 1;
	uint64_t ticks = now_ticks > before ? now_ticks - before : 0;
	wan_store_relaxed(&words[WAN_TRACKER_UPDATED], now_ticks);
	wan_store_relaxed(&words[WAN_TRACKER_UPDATES], updates);
	wan_store_relaxed(&words[WAN_TRACKER_LATEST + updates % WAN_TRACKER_RECENT], now_ticks);
	if (wan_unlikely(ticks > wan_load_relaxed(&words[WAN_TRACKER_LATENCY_MAX_TICKS]))) {
		wan_store_relaxed(&words[WAN_TRACKER_LATENCY_MAX_TICKS], ticks);
		wan_store_relaxed(&words[WAN_TRACKER_LATENCY_MAX],
				  wan_tracker_ns(ticks, scale->ns_per_tick));
	}
	if (wan_likely(counts != NULL))
		wan_latency_add(counts, ticks >> scale->shift);
	wan_store_release(&words[WAN_TRACKER_DONE], done);
}

/* count steps (at least 1) since the update before, of which only the last one's time is known. */
static inline void wan_tracker_steps(uint64_t *words, uint32_t *counts,
				     const struct wan_tracker_scale *scale, uint64_t done,
				     uint64_t count, uint64_t now_ticks)
{
	uint64_t before = wan_load_relaxed(&words[WAN_TRACKER_UPDATED]);
	uint64_t updates = wan_load_relaxed(&words[WAN_TRACKER_UPDATES]);
	uint64_t each = (now_ticks > before ? now_ticks - before : 0) / count;
	if (counts)
		wan_latency_add_many(counts, each >> scale->shift, count - 1);
	for (uint64_t i = count > WAN_TRACKER_RECENT ? count - WAN_TRACKER_RECENT : 0;
	     i + 1 < count; i++)
		wan_store_relaxed(
			&words[WAN_TRACKER_LATEST + (updates + 1 + i) % WAN_TRACKER_RECENT],
			before + (i + 1) * each);
	wan_store_relaxed(&words[WAN_TRACKER_UPDATES], updates + count - 1);
	wan_store_relaxed(&words[WAN_TRACKER_UPDATED], now_ticks > each ? now_ticks - each : 0);
	wan_tracker_step(words, counts, scale, done, now_ticks);
}

/* A phase begins: from now on its word of updates counts from here (see below). */
static inline void wan_tracker_open_phase(uint64_t *words, uint64_t phase, uint64_t now_ticks)
{
	wan_tracker_bump(&words[WAN_TRACKER_PHASE_STEPS + phase],
			 -wan_load_relaxed(&words[WAN_TRACKER_UPDATES]));
	wan_store_relaxed(&words[WAN_TRACKER_PHASE_START + phase], now_ticks);
	wan_store_relaxed(&words[WAN_TRACKER_PHASE], phase);
}

/* How long the phase has been open this time. */
static inline uint64_t wan_tracker_stretch_ns(const uint64_t *words, uint64_t phase,
					      uint64_t now_ticks, double ns_per_tick)
{
	uint64_t start = wan_load_relaxed(&words[WAN_TRACKER_PHASE_START + phase]);
	return now_ticks > start ? wan_tracker_ns(now_ticks - start, ns_per_tick) : 0;
}

/* Updates in a phase: while it is open its word holds them less those of the whole job. */
static inline uint64_t wan_tracker_phase_steps(const uint64_t *words, uint64_t phase)
{
	uint64_t steps = wan_load_relaxed(&words[WAN_TRACKER_PHASE_STEPS + phase]);
	bool open = wan_load_relaxed(&words[WAN_TRACKER_PHASE]) == phase &&
		    wan_load_relaxed(&words[WAN_TRACKER_STATE]) == WAN_TRACKER_ACTIVE;
	return open ? steps + wan_load_relaxed(&words[WAN_TRACKER_UPDATES]) : steps;
}

/* Sum of the time between updates. */
static inline uint64_t wan_tracker_latency_sum_ns(const uint64_t *words, double ns_per_tick)
{
	uint64_t sum = wan_load_relaxed(&words[WAN_TRACKER_LATENCY_SUM]);
	uint64_t begin = wan_load_relaxed(&words[WAN_TRACKER_BEGIN]);
	uint64_t updated = wan_load_relaxed(&words[WAN_TRACKER_UPDATED]);
	if (sum || updated <= begin)
		return sum;
	return wan_tracker_ns(updated - begin, ns_per_tick);
}

#endif
