/* SPDX-License-Identifier: MIT */
/* Blocks of statistics in the recording, and the copy of a whole recording. */
#include "recorder.h"

#include <errno.h>

#include "alloc.h"
#include "check.h"
#include "tracker_words.h"

static struct wan_record_counters *block_at(struct wan_recorder *recorder, unsigned index)
{
	char *first = recorder->map + WAN_RECORD_COUNTERS_AT;
	return (struct wan_record_counters *)first + index;
}

uint64_t *wan_recorder_counters(struct wan_recorder *recorder, uint32_t kind, const char *name)
{
	if (!recorder || !kind || wan_load_acquire(&recorder->state) == WAN_RECORDER_DEAD)
		return NULL;
	uint64_t used = wan_load_relaxed(&recorder->counters_used);
	uint64_t bit;
	do {
		bit = ~used & (used + 1);
		if (!bit)
			return NULL;
	} while (!wan_cas_acq_rel(&recorder->counters_used, &used, used | bit));
	struct wan_record_counters *block = block_at(recorder, (unsigned)__builtin_ctzll(bit));
	block->name = wan_recorder_string(recorder, name);
	for (size_t i = 0; i < WAN_COUNT_OF(block->words); i++)
		wan_store_relaxed(&block->words[i], 0);
	wan_store_release(&block->kind, kind);
	return block->words;
}

/* Units are never given back, so a block that serves another tracker goes on with its own. */
static uint32_t latency_unit(struct wan_recorder *recorder, unsigned block)
{
	uint32_t unit = wan_load_relaxed(&recorder->latency_units[block]);
	if (unit)
		return unit - 1;
	unit = wan_space_claim(recorder, 1);
	if (unit == UINT32_MAX)
		return unit;
	wan_space_prepare_unit(recorder, unit);
	struct wan_record_latency *fresh = (void *)wan_space_unit(recorder, unit);
	fresh->block = block;
	fresh->check = wan_record_latency_check(block, unit);
	wan_store_release(&fresh->magic, WAN_RECORD_LATENCY_MAGIC);
	wan_store_relaxed(&recorder->latency_units[block], unit + 1);
	return unit;
}

uint32_t *wan_recorder_latencies(struct wan_recorder *recorder, uint64_t *words, uint32_t shift)
{
	if (!recorder || !words || !wan_recorder_usable(recorder))
		return NULL;
	struct wan_record_counters *block =
		wan_container_of(words, struct wan_record_counters, words);
	uint64_t index = (uint64_t)(block - block_at(recorder, 0));
	uint32_t unit =
		index < WAN_RECORD_COUNTERS ? latency_unit(recorder, (unsigned)index) : UINT32_MAX;
	if (unit == UINT32_MAX)
		return NULL;
	struct wan_record_latency *found = (void *)wan_space_unit(recorder, unit);
	for (size_t i = 0; i < WAN_COUNT_OF(found->counts); i++)
		wan_store_relaxed(&found->counts[i], 0);
	wan_store_relaxed(&found->shift, shift);
	wan_store_relaxed(&words[WAN_TRACKER_HISTOGRAM], unit + 1);
	return found->counts;
}

void wan_recorder_counters_release(struct wan_recorder *recorder, uint64_t *words)
{
	if (!recorder || !words)
		return;
	struct wan_record_counters *block =
		wan_container_of(words, struct wan_record_counters, words);
	size_t index = (size_t)(block - block_at(recorder, 0));
	if (index >= WAN_RECORD_COUNTERS)
		return;
	wan_store_release(&block->kind, 0);
	__atomic_fetch_and(&recorder->counters_used, ~((uint64_t)1 << index), __ATOMIC_ACQ_REL);
}

/* Other threads go on writing, as those of a recorded process do under its reader: each word is
 * read whole, what they make together is told by seals and checks. So this race is meant. */
__attribute__((no_sanitize("thread"))) static void copy_live(void *to, const void *from,
							     size_t bytes)
{
	uint64_t *target = to;
	const uint64_t *source = from;
	for (size_t i = 0; i < bytes / sizeof(*target); i++)
		target[i] = wan_load_relaxed(&source[i]);
}

/* Records first, then the lanes: what was folded between the two looks is in the fold that is
 * copied later, so every record is counted, and once. */
static void copy_lane(struct wan_recorder *recorder, char *to, uint64_t offset)
{
	const struct wan_record_lane *lane = (const void *)(recorder->map + offset);
	size_t bytes = WAN_RECORD_LANE_UNITS * WAN_RECORD_UNIT;
	for (int attempt = 0; attempt < 64; attempt++) {
		uint64_t before = wan_load_acquire(&lane->generation);
		copy_live(to + offset, lane, bytes);
		wan_fence_acquire();
		/* The half in force is rewritten only after the next generation is published. */
		if (wan_load_relaxed(&lane->generation) == before)
			return;
	}
}

int wan_recorder_snapshot(struct wan_recorder *recorder, void **ret_copy, size_t *ret_bytes)
{
	if (!recorder || !wan_recorder_usable(recorder))
		return -EINVAL;
	uint64_t bytes = wan_load_acquire(&recorder->header->used_bytes);
	if (bytes > recorder->map_bytes)
		return -EIO;
	char *copy = wan_malloc(bytes);
	if (!copy)
		return -ENOMEM;
	wan_recorder_anchor(recorder);
	copy_live(copy, recorder->map, bytes);
	const uint32_t *directory = (const uint32_t *)(copy + WAN_RECORD_LANE_DIR_AT);
	for (unsigned i = 0; i < WAN_RECORD_LANES; i++) {
		uint64_t offset =
			WAN_RECORD_UNITS_AT + ((uint64_t)directory[i] - 1) * WAN_RECORD_UNIT;
		if (directory[i] && offset < bytes &&
		    bytes - offset >= WAN_RECORD_LANE_UNITS * WAN_RECORD_UNIT)
			copy_lane(recorder, copy, offset);
	}
	*ret_copy = copy;
	*ret_bytes = bytes;
	return 0;
}
