/* SPDX-License-Identifier: MIT */
/* What a thread is doing now: a small stack that any thread may empty an entry of. */
#include "recorder.h"

_Static_assert(offsetof(struct wan_record_inflight, name) % 8 == 0 &&
		       offsetof(struct wan_record_inflight, library) -
				       offsetof(struct wan_record_inflight, name) ==
			       4 &&
		       offsetof(struct wan_record_inflight, sequence) -
				       offsetof(struct wan_record_inflight, name) ==
			       8,
	       "wan_lane_enter_plain() stores the names as one word");

static bool owns(const struct wan_lane *lane, const struct wan_record_inflight *slot)
{
	const struct wan_record_inflight *first = lane->shared->inflight;
	return slot >= first && slot < first + WAN_RECORD_INFLIGHT;
}

/* Entries that another thread emptied, or that ended out of order, are passed over. */
static void pop_empty(struct wan_lane *lane)
{
	if (lane->depth > WAN_RECORD_INFLIGHT)
		return;
	while (lane->depth && !wan_load_relaxed(&lane->shared->inflight[lane->depth - 1].sequence))
		lane->depth--;
}

struct wan_record_inflight *wan_lane_enter(struct wan_lane *lane)
{
	if (lane->shared) /* none: a lane from before a fork, which leads nowhere now */
		pop_empty(lane);
	if (!lane->shared || lane->depth >= WAN_RECORD_INFLIGHT) {
		lane->depth++;
		lane->spill = (struct wan_record_inflight){.sequence = 1};
		return &lane->spill;
	}
	wan_lane_inflight_filled(lane);
	struct wan_record_inflight *slot = &lane->shared->inflight[lane->depth++];
	wan_store_relaxed(&slot->start_ticks, 0);
	wan_fence_release(); /* a reader that sees new fields does not see the old start */
	slot->object = 0;
	slot->width_px = slot->height_px = slot->rows_done = 0;
	slot->file_bytes = UINT64_MAX;
	slot->thread = lane->thread;
	slot->name = slot->file = 0;
	slot->library = slot->channels = slot->bit_depth = 0;
	wan_store_release(&slot->sequence,
			  (uint32_t)lane->sequence + 1 ? (uint32_t)lane->sequence + 1 : 1);
	return slot;
}

void wan_lane_leave(struct wan_lane *lane, struct wan_record_inflight *slot)
{
	if (slot == &lane->spill) {
		if (lane->depth > WAN_RECORD_INFLIGHT)
			lane->depth--;
		return;
	}
	wan_store_release(&slot->sequence, 0);
	if (!lane->shared || !owns(lane, slot))
		return;
	struct wan_record_inflight *entries = lane->shared->inflight;
	uint32_t above = (uint32_t)(slot - entries) + 1;
	lane->depth = WAN_MIN(lane->depth, WAN_RECORD_INFLIGHT);
	for (; above < lane->depth; above++)
		if (!entries[above].object)
			wan_store_relaxed(&entries[above].sequence, 0);
	pop_empty(lane);
}

void wan_lane_inflight_reset(struct wan_lane *lane)
{
	for (unsigned i = 0; i < WAN_RECORD_INFLIGHT; i++)
		wan_store_relaxed(&lane->shared->inflight[i].sequence, 0);
	lane->depth = 0;
}
