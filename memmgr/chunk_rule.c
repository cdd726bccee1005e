/* SPDX-License-Identifier: MIT */
#include "chunk_rule.h"

#include <string.h>

#include "macros.h"
#include "str.h"
#include "units.h"

void wan_chunk_samples_add(struct wan_chunk_samples *samples, uint64_t frame_bytes, bool exact)
{
	samples->exact = exact && (samples->exact || !samples->count);
	samples->frame_bytes[samples->count++ % WAN_CHUNK_SAMPLES] = frame_bytes;
}

uint64_t wan_chunk_samples_p95(const struct wan_chunk_samples *samples)
{
	uint64_t sorted[WAN_CHUNK_SAMPLES];
	uint32_t count = WAN_MIN(samples->count, (uint32_t)WAN_CHUNK_SAMPLES);
	if (count < WAN_CHUNK_SAMPLES_NEEDED)
		return 0;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = i;
		for (; at && sorted[at - 1] > samples->frame_bytes[i]; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = samples->frame_bytes[i];
	}
	return sorted[(count * 95 + 99) / 100 - 1];
}

uint64_t wan_chunk_frame_bytes(const struct wan_chunk_samples *samples, uint64_t estimate_bytes,
			       bool *ret_measured)
{
	uint64_t p95 = wan_chunk_samples_p95(samples);
	*ret_measured = p95 > 0;
	if (!p95)
		return estimate_bytes;
	/* Frames that were freed before we looked seem to take nothing. */
	return samples->exact ? p95 : WAN_MAX(p95, estimate_bytes / 4);
}

/* Frames of one place, and why. */
static uint32_t frames_at(const struct wan_chunk_place *place, const struct wan_chunk_wish *wish,
			  enum wan_chunk_reason *ret_reason)
{
	double reserve = (double)wan_memory_chunk_reserve(place->limit_bytes);
	double headroom = (double)place->headroom_bytes, frame = (double)place->frame_bytes;
	double spare = headroom > reserve ? (headroom - reserve) * 0.70 : headroom - reserve;
	double frames = spare > 0 ? spare / frame : 0;
	uint32_t most = WAN_MAX(wish->most, 1), least = WAN_MIN(wish->least, most);
	*ret_reason = place->gpu ? WAN_CHUNK_BY_GPU : WAN_CHUNK_BY_MEMORY;
	if (frames >= most) {
		*ret_reason = WAN_CHUNK_MOST;
		return most;
	}
	/* The preferred least may borrow a tenth of the reserve, but never take all there is. */
	bool borrows = least * frame - spare <= reserve * 0.10;
	if (frames < least && borrows && least * frame <= headroom * 0.90) {
		*ret_reason = WAN_CHUNK_LEAST;
		return least;
	}
	if (frames < 1)
		*ret_reason = WAN_CHUNK_NO_FIT;
	return (uint32_t)frames;
}

static void say(struct wan_chunk_advice *advice)
{
	static const char *const reasons[] = {
		[WAN_CHUNK_NO_FIT] = "not even one frame fits",
		[WAN_CHUNK_BY_MEMORY] = "70 % of what is left after the reserve",
		[WAN_CHUNK_LEAST] = "the preferred least",
		[WAN_CHUNK_MOST] = "the preferred most",
		[WAN_CHUNK_REST] = "all that is left",
		[WAN_CHUNK_BY_FAILURE] = "below what did not fit",
		[WAN_CHUNK_BY_GPU] = "70 % of what is left on the device",
	};
	char headroom[32], reserve[32], frame[32];
	wan_format_bytes(headroom, sizeof(headroom), advice->headroom_bytes);
	wan_format_bytes(reserve, sizeof(reserve), advice->reserve_bytes);
	wan_format_bytes(frame, sizeof(frame), advice->frame_bytes);
	wan_str_format(advice->text, sizeof(advice->text),
		       "%u frames, %s: %s has %s left, %s are kept free, a frame takes %s%s",
		       advice->frames, reasons[advice->reason], advice->limiting, headroom, reserve,
		       frame, advice->measured ? " (measured)" : "");
}

void wan_chunk_advise(const struct wan_chunk_place *places, uint32_t place_count,
		      const struct wan_chunk_wish *wish, struct wan_chunk_advice *ret_advice)
{
	struct wan_chunk_advice best = {.frames = UINT32_MAX};
	for (uint32_t i = 0; i < place_count; i++) {
		const struct wan_chunk_place *place = &places[i];
		enum wan_chunk_reason reason;
		if (!place->frame_bytes)
			continue;
		uint32_t frames = frames_at(place, wish, &reason);
		if (frames >= best.frames)
			continue;
		best = (struct wan_chunk_advice){
			.frames = frames,
			.reason = reason,
			.headroom_bytes = place->headroom_bytes,
			.limit_bytes = place->limit_bytes,
			.reserve_bytes = wan_memory_chunk_reserve(place->limit_bytes),
			.frame_bytes = place->frame_bytes,
			.measured = place->measured,
		};
		wan_str_copy(best.limiting, sizeof(best.limiting), place->name);
	}
	if (best.frames > wish->fits) {
		best.frames = wish->fits;
		best.reason = WAN_CHUNK_BY_FAILURE;
	}
	if (best.frames > wish->left) {
		best.frames = (uint32_t)wish->left;
		best.reason = WAN_CHUNK_REST;
	}
	say(&best);
	best.struct_size = sizeof(best);
	*ret_advice = best;
}
