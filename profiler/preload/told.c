/* SPDX-License-Identifier: MIT */
#include "told.h"

#include <stdbool.h>
#include <string.h>

#include "clock.h"
#include "heap_mark.h"
#include "macros.h"
#include "preload.h"
#include "tracker_words.h"
#include "writer.h"

enum {
	COMPLETION = 7, /* enum wan_phase */
	PLACES = 48,
};

/* Blocks that we took; an ended one serves the next job of its name. */
static struct place {
	uint32_t in_use; /* atomic; 0: free, of that name when words is set */
	uint32_t name;
	uint64_t *words;
	uint32_t *counts;
	uint64_t phase_updates; /* before the open phase */
} places[PLACES];

static struct wan_tracker_scale scale_now(void)
{
	struct wan_tracker_scale scale = {.ns_per_tick = wan_clock_ns_per_tick()};
	scale.shift = wan_latency_shift(scale.ns_per_tick);
	return scale;
}

static struct place *place_of(const uint64_t *words)
{
	for (unsigned i = 0; words && i < PLACES; i++)
		if (places[i].words == words && wan_load_acquire(&places[i].in_use))
			return &places[i];
	return NULL;
}

/* One in use now: with the words of an ended job of that name, or without any. */
static struct place *take(uint32_t name)
{
	for (unsigned again = 0; again < 2; again++)
		for (unsigned i = 0; i < PLACES; i++) {
			uint32_t idle = 0;
			bool fits = again ? !places[i].words
					  : places[i].words && places[i].name == name;
			if (fits && wan_cas_acq_rel(&places[i].in_use, &idle, 1))
				return &places[i];
		}
	return NULL;
}

static void reset(uint64_t *words)
{
	uint64_t histogram =
		wan_load_relaxed(&words[WAN_TRACKER_HISTOGRAM]); /* the block keeps it */
	wan_store_relaxed(&words[WAN_TRACKER_STATE], WAN_TRACKER_UNUSED);
	wan_fence_release(); /* no reader takes the new words for those of the old job */
	for (unsigned i = 0; i < WAN_TRACKER_WORDS_USED; i++)
		if (i != WAN_TRACKER_STATE)
			wan_store_relaxed(&words[i], 0);
	wan_store_relaxed(&words[WAN_TRACKER_HISTOGRAM], histogram);
}

uint64_t *wan_told_begin(const char *name, uint64_t total, const char *unit, uint32_t **ret_counts)
{
	struct wan_recorder *recorder = wan_preload_recorder();
	struct wan_lane *lane = recorder && name ? wan_lane_get(recorder) : NULL;
	uint32_t id = lane ? wan_recorder_string(recorder, name) : 0;
	struct place *place = lane ? take(id) : NULL;
	if (!place)
		return NULL;
	if (!place->words)
		place->words = wan_recorder_counters(recorder, WAN_COUNTERS_TRACKER, name);
	uint64_t *words = place->words;
	if (!words) {
		wan_store_release(&place->in_use, 0);
		return NULL;
	}
	reset(words);
	place->name = id;
	place->phase_updates = 0;
	place->counts = wan_recorder_latencies(recorder, words, scale_now().shift);
	*ret_counts = place->counts;
	uint64_t now = wan_ticks();
	wan_store_relaxed(&words[WAN_TRACKER_TOTAL], total);
	wan_store_relaxed(&words[WAN_TRACKER_BEGIN], now);
	wan_store_relaxed(&words[WAN_TRACKER_UPDATED], now);
	wan_store_relaxed(&words[WAN_TRACKER_SOURCE], WAN_TRACKER_OF_PYTHON);
	wan_store_relaxed(&words[WAN_TRACKER_THREAD], lane->thread);
	if (unit && *unit)
		wan_store_relaxed(&words[WAN_TRACKER_UNIT], wan_recorder_string(recorder, unit));
	wan_store_release(&words[WAN_TRACKER_STATE], WAN_TRACKER_ACTIVE); /* pairs with readers */
	wan_recorder_anchor(recorder);
	return words;
}

void wan_told_steps(uint64_t *words, uint32_t *counts, uint64_t done, uint64_t count)
{
	struct wan_tracker_scale scale = scale_now();
	struct place *place = place_of(words);
	if (!count || !place)
		return;
	wan_tracker_steps(words, counts, &scale, done, count, wan_ticks());
	if (wan_unlikely(wan_heap_marks_on))
		wan_heap_mark(wan_preload_recorder(), WAN_HEAP_MARK_STEP, (uint16_t)place->name,
			      done);
}

/* The stretch of the open phase, as the progress monitor of a linked program records it. */
static void record_stretch(const struct place *place, uint64_t phase, uint64_t start,
			   uint64_t duration_ns)
{
	struct wan_recorder *recorder = wan_preload_recorder();
	struct wan_lane *lane = recorder ? wan_lane_get(recorder) : NULL;
	if (!lane)
		return;
	uint64_t steps = wan_load_relaxed(&place->words[WAN_TRACKER_UPDATES]);
	const struct wan_record_event event = {
		.ticks = wan_ticks(),
		.values = {start, duration_ns, steps - place->phase_updates},
		.name = (uint16_t)place->name,
		.text = (uint16_t)wan_load_relaxed(&place->words[WAN_TRACKER_PHASE_TEXT]),
		.code = (uint32_t)phase,
		.kind_status = WAN_RECORD_PHASE << 4,
		.thread = lane->thread,
	};
	wan_lane_append(lane, &event);
}

static void close_phase(struct place *place, uint64_t now)
{
	uint64_t *words = place->words;
	uint64_t phase = wan_load_relaxed(&words[WAN_TRACKER_PHASE]);
	uint64_t start = wan_load_relaxed(&words[WAN_TRACKER_PHASE_START + phase]);
	wan_tracker_bump(&words[WAN_TRACKER_PHASE_STEPS + phase],
			 wan_load_relaxed(&words[WAN_TRACKER_UPDATES]));
	if (!phase && !wan_load_relaxed(&words[WAN_TRACKER_PHASE_TEXT]))
		return;
	uint64_t ns = wan_tracker_ns(wan_elapsed(start, now), wan_clock_ns_per_tick());
	record_stretch(place, phase, start, ns);
	wan_tracker_bump(&words[WAN_TRACKER_PHASE_NS + phase], ns);
	wan_store_relaxed(&words[WAN_TRACKER_PHASE_START + phase], now);
}

void wan_told_phase(uint64_t *words, unsigned number, const char *name)
{
	struct place *place = place_of(words);
	if (!place || number >= WAN_TRACKER_PHASES)
		return;
	uint64_t now = wan_ticks(), updates = wan_load_relaxed(&words[WAN_TRACKER_UPDATES]);
	uint64_t text = name && *name ? wan_recorder_string(wan_preload_recorder(), name) : 0;
	close_phase(place, now);
	wan_tracker_bump(&words[WAN_TRACKER_PHASE_STEPS + number], -updates);
	wan_store_relaxed(&words[WAN_TRACKER_PHASE_TEXT], text);
	wan_store_relaxed(&words[WAN_TRACKER_PHASE_START + number], now);
	wan_store_relaxed(&words[WAN_TRACKER_PHASE], number);
	place->phase_updates = updates;
}

void wan_told_grace(uint64_t *words, uint64_t at_most_ns)
{
	double ticks = (double)at_most_ns / wan_clock_ns_per_tick();
	if (place_of(words))
		wan_store_relaxed(&words[WAN_TRACKER_GRACE],
				  ticks < 0x1p62 ? wan_ticks() + (uint64_t)ticks : UINT64_MAX);
}

void wan_told_end(uint64_t *words, uint64_t outcome)
{
	struct place *place = place_of(words);
	if (!place)
		return;
	wan_told_phase(words, COMPLETION, NULL);
	wan_tracker_bump(&words[WAN_TRACKER_PHASE_STEPS + COMPLETION],
			 wan_load_relaxed(&words[WAN_TRACKER_UPDATES]));
	wan_store_relaxed(&words[WAN_TRACKER_OUTCOME], outcome);
	wan_store_release(&words[WAN_TRACKER_STATE], WAN_TRACKER_ENDED); /* pairs with readers */
	wan_store_release(&place->in_use, 0);
}

void wan_told_after_fork(void)
{
	memset(places, 0, sizeof(places));
}
