/* SPDX-License-Identifier: MIT */
#include "bar_words.h"

#include "recorder.h"
#include "thread.h"
#include "writer.h"

static struct wan_tracker_scale scale_of(const struct wan_recorder *recorder)
{
	double ns_per_tick = (double)recorder->ns_per_tick_32 / 4294967296.0;
	return (struct wan_tracker_scale){.ns_per_tick = ns_per_tick,
					  .shift = wan_latency_shift(ns_per_tick)};
}

void wan_bar_words_begin(struct wan_recorder *recorder, struct wan_bar_words *bar,
			 const struct wan_bar_start *start)
{
	uint64_t *words = bar->words;
	wan_store_relaxed(&words[WAN_TRACKER_STATE], WAN_TRACKER_UNUSED);
	wan_fence_release(); /* no reader takes the new words for those of the old run */
	for (unsigned i = 0; i < WAN_TRACKER_WORDS_USED; i++)
		if (i != WAN_TRACKER_STATE)
			wan_store_relaxed(&words[i], 0);
	bar->counts = wan_recorder_latencies(recorder, words, scale_of(recorder).shift);
	bar->told = false;
	wan_store_relaxed(&words[WAN_TRACKER_DONE], start->done);
	wan_store_relaxed(&words[WAN_TRACKER_INITIAL], start->done);
	wan_store_relaxed(&words[WAN_TRACKER_TOTAL], start->total);
	wan_store_relaxed(&words[WAN_TRACKER_BEGIN], start->now_ticks);
	wan_store_relaxed(&words[WAN_TRACKER_UPDATED], start->now_ticks);
	wan_store_relaxed(&words[WAN_TRACKER_THREAD], wan_thread_id());
	wan_store_relaxed(&words[WAN_TRACKER_SOURCE], WAN_TRACKER_OF_BAR);
	wan_store_relaxed(&words[WAN_TRACKER_LEVEL], start->level);
	wan_tracker_open_phase(words, start->phase, start->now_ticks);
	wan_store_release(&words[WAN_TRACKER_STATE], WAN_TRACKER_ACTIVE); /* pairs with readers */
	wan_recorder_anchor(recorder);
}

void wan_bar_words_step(struct wan_recorder *recorder, struct wan_bar_words *bar, uint64_t done,
			bool by_draw, uint64_t now_ticks)
{
	const struct wan_tracker_scale scale = scale_of(recorder);
	uint64_t *words = bar->words;
	uint64_t before = wan_load_relaxed(&words[WAN_TRACKER_DONE]);
	uint64_t updated = wan_load_relaxed(&words[WAN_TRACKER_UPDATED]);
	uint64_t steps = by_draw ? 1 : done - before;
	uint64_t ticks = now_ticks > updated ? now_ticks - updated : 0;
	/* Of many steps the latest ones are told one by one, the others in a sum. */
	uint64_t summed = steps > WAN_TRACKER_RECENT ? steps - WAN_TRACKER_RECENT : 0;
	uint64_t each = ticks / steps;
	bar->told = false;
	wan_store_relaxed(&words[WAN_TRACKER_THREAD], wan_thread_id());
	if (summed) {
		if (bar->counts)
			wan_latency_add_many(bar->counts, each >> scale.shift, summed);
		wan_store_relaxed(&words[WAN_TRACKER_UPDATES],
				  wan_load_relaxed(&words[WAN_TRACKER_UPDATES]) + summed);
		wan_store_relaxed(&words[WAN_TRACKER_UPDATED], updated + each * summed);
	}
	for (uint64_t left = steps - summed; left; left--)
		wan_tracker_step(words, bar->counts, &scale, by_draw ? done : done - left + 1,
				 now_ticks - each * (left - 1));
	wan_recorder_anchor(recorder);
}

void wan_bar_words_end(struct wan_recorder *recorder, struct wan_bar_words *bar, bool completed,
		       uint64_t now_ticks)
{
	const struct wan_tracker_scale scale = scale_of(recorder);
	uint64_t *words = bar->words;
	uint64_t phase = wan_load_relaxed(&words[WAN_TRACKER_PHASE]) % WAN_TRACKER_PHASES;
	wan_tracker_bump(&words[WAN_TRACKER_PHASE_STEPS + phase],
			 wan_load_relaxed(&words[WAN_TRACKER_UPDATES]));
	wan_tracker_bump(&words[WAN_TRACKER_PHASE_NS + phase],
			 wan_tracker_stretch_ns(words, phase, now_ticks, scale.ns_per_tick));
	if (completed)
		wan_store_relaxed(&words[WAN_TRACKER_OUTCOME], WAN_TRACKER_COMPLETED);
	wan_store_release(&words[WAN_TRACKER_STATE], WAN_TRACKER_ENDED);
}

void wan_bar_words_resume(struct wan_bar_words *bar, uint64_t now_ticks)
{
	uint64_t *words = bar->words;
	wan_store_relaxed(&words[WAN_TRACKER_OUTCOME], WAN_TRACKER_NOT_TOLD);
	wan_tracker_open_phase(
		words, wan_load_relaxed(&words[WAN_TRACKER_PHASE]) % WAN_TRACKER_PHASES, now_ticks);
	wan_store_release(&words[WAN_TRACKER_STATE], WAN_TRACKER_ACTIVE);
}

void wan_bar_words_tell(struct wan_recorder *recorder, struct wan_bar_words *bar,
			uint64_t now_ticks)
{
	const uint64_t *words = bar->words;
	uint64_t phase = wan_load_relaxed(&words[WAN_TRACKER_PHASE]) % WAN_TRACKER_PHASES;
	struct wan_lane *lane = bar->told ? NULL : wan_lane_get(recorder);
	if (!lane)
		return;
	const struct wan_record_event event = {
		.ticks = now_ticks,
		.values = {wan_load_relaxed(&words[WAN_TRACKER_BEGIN]),
			   wan_load_relaxed(&words[WAN_TRACKER_PHASE_NS + phase]),
			   wan_load_relaxed(&words[WAN_TRACKER_UPDATES])},
		.name = bar->name,
		.code = (uint32_t)phase,
		.kind_status = WAN_RECORD_PHASE << 4,
		.thread = lane->thread,
	};
	bar->told = true;
	wan_lane_append(lane, &event);
}
