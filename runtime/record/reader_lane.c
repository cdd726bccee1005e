/* SPDX-License-Identifier: MIT */
/*
 * Lanes and their chunks. What a lane recorded is its fold and the records with a later sequence
 * number. The copy of a living process was taken chunks first, folds last, so its records run
 * without a gap from the fold on, up to a moment; what lies beyond a gap came later and is left
 * out.
 */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "check.h"
#include "fold.h"
#include "macros.h"
#include "reading.h"

#define LANE_BYTES ((uint64_t)WAN_RECORD_LANE_UNITS * WAN_RECORD_UNIT)
#define NO_LANE    WAN_RECORD_LANES /* chunks whose lane cannot be told */

struct reference {
	uint64_t sequence;
	const struct wan_record_operation *record;
	uint32_t lane;
};

struct lane_state {
	uint64_t offset; /* 0: not there */
	uint64_t folded;
	uint64_t base; /* a full sequence number near those of the records */
	uint32_t bad;  /* records that do not fit their check */
};

struct scan {
	struct wan_reading *reading;
	struct lane_state lanes[WAN_RECORD_LANES + 1];
	uint8_t *unit_used; /* belongs to a lane */
	uint64_t units;
	struct reference *references;
	size_t reference_count, reference_capacity;
};

static bool fold_is_whole(const struct wan_record_fold *fold)
{
	return fold->generation && fold->aggregate_count <= WAN_RECORD_AGGREGATES &&
	       fold->slow_count <= WAN_RECORD_NOTABLE && fold->failed_count <= WAN_RECORD_NOTABLE &&
	       fold->check == wan_record_fold_check(fold);
}

const struct wan_record_fold *wan_read_fold(const char *lane_bytes, bool *ret_damaged)
{
	const struct wan_record_lane *lane = (const void *)lane_bytes;
	const struct wan_record_fold *halves[2];
	bool whole[2];
	for (unsigned i = 0; i < 2; i++) {
		halves[i] =
			(const void *)(lane_bytes + WAN_RECORD_PAGE + i * WAN_RECORD_FOLD_BYTES);
		whole[i] = fold_is_whole(halves[i]);
	}
	uint64_t generation = lane->generation;
	*ret_damaged = false;
	if (generation && whole[generation & 1] && halves[generation & 1]->generation == generation)
		return halves[generation & 1];
	/* The first fold is half 1. Whole but not yet in force it is as good as its records. */
	if (!generation && !whole[0])
		return whole[1] ? halves[1] : NULL;
	*ret_damaged = true;
	if (whole[0] && whole[1])
		return halves[halves[1]->generation > halves[0]->generation];
	return whole[0] ? halves[0] : whole[1] ? halves[1] : NULL;
}

static uint64_t unit_offset(uint64_t unit)
{
	return WAN_RECORD_UNITS_AT + unit * WAN_RECORD_UNIT;
}

static bool place_lane(struct scan *scan, uint32_t index, uint64_t unit)
{
	if (unit + WAN_RECORD_LANE_UNITS > scan->units || scan->lanes[index].offset)
		return false;
	for (unsigned i = 0; i < WAN_RECORD_LANE_UNITS; i++)
		if (scan->unit_used[unit + i])
			return false;
	memset(scan->unit_used + unit, 1, WAN_RECORD_LANE_UNITS);
	scan->lanes[index].offset = unit_offset(unit);
	return true;
}

/* The directory first; a lane whose entry was not written before the kill names itself. */
static void find_lanes(struct scan *scan)
{
	struct wan_reading *reading = scan->reading;
	for (uint32_t i = 0; i < WAN_RECORD_LANES; i++) {
		uint32_t entry;
		uint64_t at = WAN_RECORD_LANE_DIR_AT + i * sizeof(entry);
		if (at + sizeof(entry) > reading->count)
			break;
		memcpy(&entry, reading->bytes + at, sizeof(entry));
		if (!entry)
			continue;
		uint32_t magic = 0;
		if (entry - 1 < scan->units)
			memcpy(&magic, reading->bytes + unit_offset(entry - 1), sizeof(magic));
		if (magic != WAN_RECORD_LANE_MAGIC || !place_lane(scan, i, entry - 1)) {
			bool cut = unit_offset((uint64_t)entry - 1 + WAN_RECORD_LANE_UNITS) >
				   reading->count;
			wan_read_damage(reading, at, "lane %u leads to unit %u, %s", i, entry - 1,
					cut ? "which is not there" : "which is none");
		}
	}
	for (uint64_t unit = 0; unit + WAN_RECORD_LANE_UNITS <= scan->units; unit++) {
		struct wan_record_lane lane;
		memcpy(&lane, reading->bytes + unit_offset(unit), sizeof(lane));
		if (!scan->unit_used[unit] && lane.magic == WAN_RECORD_LANE_MAGIC &&
		    lane.index < WAN_RECORD_LANES)
			place_lane(scan, lane.index, unit);
	}
}

static void read_inflight(struct wan_reading *reading, const struct wan_record_lane *lane)
{
	for (unsigned i = 0; i < WAN_RECORD_INFLIGHT; i++)
		if (lane->inflight[i].sequence && lane->inflight[i].start_ticks)
			wan_read_add_inflight(reading, &lane->inflight[i]);
}

void wan_read_inflight(struct wan_reading *reading)
{
	for (uint32_t i = 0; i < WAN_RECORD_LANES; i++) {
		uint32_t entry;
		struct wan_record_lane lane;
		uint64_t at = WAN_RECORD_LANE_DIR_AT + i * sizeof(entry);
		if (at + sizeof(entry) > reading->count)
			return;
		memcpy(&entry, reading->bytes + at, sizeof(entry));
		if (!entry || unit_offset((uint64_t)entry - 1) + sizeof(lane) > reading->count)
			continue;
		memcpy(&lane, reading->bytes + unit_offset((uint64_t)entry - 1), sizeof(lane));
		if (lane.magic == WAN_RECORD_LANE_MAGIC)
			read_inflight(reading, &lane);
	}
}

/* Records that the fold kept apart have a seal like any other. */
static void read_notable(struct scan *scan, const struct wan_record_operation *records,
			 uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (records[i].check == wan_record_check(&records[i]) &&
		    wan_record_kind_of(&records[i]) == WAN_RECORD_OPERATION)
			wan_read_add_operation(scan->reading, &records[i]);
}

static void read_lane(struct scan *scan, struct lane_state *state)
{
	const char *bytes = scan->reading->bytes + state->offset;
	const struct wan_record_lane *lane = (const void *)bytes;
	bool damaged;
	const struct wan_record_fold *fold = wan_read_fold(bytes, &damaged);
	if (damaged)
		wan_read_damage(scan->reading, state->offset + WAN_RECORD_PAGE,
				fold ? "one of two copies of a lane's sums is damaged"
				     : "both copies of a lane's sums are damaged");
	read_inflight(scan->reading, lane);
	if (damaged)
		state->bad = UINT32_MAX / 2; /* explains any gap */
	state->base = fold ? fold->folded_sequence : damaged ? lane->sequence : 0;
	if (!fold)
		return;
	state->folded = fold->folded_sequence;
	wan_read_sum_fold(scan->reading, fold);
	read_notable(scan, fold->slowest, fold->slow_count);
	read_notable(scan, fold->failed, fold->failed_count);
}

static void read_record(struct scan *scan, uint32_t lane, uint64_t offset)
{
	struct lane_state *state = &scan->lanes[lane];
	const struct wan_record_operation *record = (const void *)(scan->reading->bytes + offset);
	if (!record->seal)
		return; /* never written, or being written when the process died */
	if (record->check != wan_record_check(record)) {
		state->bad++;
		if (!scan->reading->to->process.live)
			wan_read_damage(scan->reading, offset, "a record does not fit its check");
		return;
	}
	int32_t distance = (int32_t)(record->seal - (uint32_t)state->base);
	uint64_t sequence = state->base + (uint64_t)(int64_t)distance;
	if (distance <= 0 && (uint64_t) - (int64_t)distance >= state->base)
		sequence = 0;
	if (sequence <= state->folded)
		return;
	if (wan_array_reserve(&scan->references, &scan->reference_capacity,
			      scan->reference_count + 1, sizeof(scan->references[0])) != 0) {
		scan->reading->no_memory = true;
		return;
	}
	scan->references[scan->reference_count++] =
		(struct reference){.sequence = sequence, .record = record, .lane = lane};
}

/* Which lane a unit's records belong to; false: the unit is empty. */
static bool chunk_lane(struct scan *scan, uint64_t unit, uint32_t *ret_lane)
{
	struct wan_reading *reading = scan->reading;
	struct wan_record_chunk chunk;
	uint64_t offset = unit_offset(unit);
	static const char zeros[sizeof(chunk)];
	memcpy(&chunk, reading->bytes + offset, sizeof(chunk));
	if (!chunk.magic &&
	    memcmp(reading->bytes + offset + sizeof(chunk), zeros, sizeof(zeros)) == 0)
		return false; /* claimed, and the process died before its first record */
	bool whole = chunk.check == wan_record_chunk_check(chunk.lane, (uint32_t)unit);
	*ret_lane = whole && chunk.lane < WAN_RECORD_LANES ? chunk.lane : NO_LANE;
	bool known = *ret_lane != NO_LANE && scan->lanes[*ret_lane].offset;
	if (known && chunk.magic == WAN_RECORD_CHUNK_MAGIC)
		return true;
	if (reading->to->process.live)
		return known; /* its lane was not there yet when we looked */
	wan_read_damage(reading, offset, "a chunk of records whose %s",
			known    ? "magic is damaged"
			: !whole ? "owner is damaged"
				 : "lane is missing");
	if (!known)
		*ret_lane = NO_LANE;
	return true;
}

/* Sums need no lane. Of magic and check, one may be damaged. */
static bool read_sums(struct scan *scan, uint64_t unit)
{
	struct wan_reading *reading = scan->reading;
	uint64_t offset = unit_offset(unit);
	if (offset + sizeof(struct wan_record_sums) > reading->count)
		return false;
	const struct wan_record_sums *sums = (const void *)(reading->bytes + offset);
	bool named = sums->magic == WAN_RECORD_SUMS_MAGIC;
	bool checked = sums->check == wan_record_sums_check(sums->lane, (uint32_t)unit);
	if (!named && !checked)
		return false;
	/* The check is written first: without a magic, a kill may have come between the two. */
	if (!checked || (!named && sums->magic))
		wan_read_damage(reading, offset, "sums of calls whose %s is damaged",
				named ? "owner" : "magic");
	wan_read_sum_unit(reading, sums, offset + offsetof(struct wan_record_sums, sums));
	return true;
}

/* Read where its tracker names it. Of magic and check, one may be damaged. */
static bool is_latencies(const struct scan *scan, uint64_t unit)
{
	const struct wan_record_latency *found =
		(const void *)(scan->reading->bytes + unit_offset(unit));
	return unit_offset(unit) + sizeof(*found) <= scan->reading->count &&
	       (found->magic == WAN_RECORD_LATENCY_MAGIC ||
		(found->check &&
		 found->check == wan_record_latency_check(found->block, (uint32_t)unit)));
}

static void read_chunks(struct scan *scan)
{
	for (uint64_t unit = 0; unit <= scan->units; unit++) {
		uint64_t offset = unit_offset(unit);
		uint64_t end = WAN_MIN(offset + WAN_RECORD_UNIT, scan->reading->count);
		uint32_t lane;
		if (offset + sizeof(struct wan_record_chunk) * 2 > end)
			break;
		if (scan->unit_used[unit] || is_latencies(scan, unit) || read_sums(scan, unit) ||
		    !chunk_lane(scan, unit, &lane))
			continue;
		for (uint64_t at = offset + sizeof(struct wan_record_chunk); at + 64 <= end;
		     at += 64)
			read_record(scan, lane, at);
	}
}

static int compare_references(const void *left, const void *right)
{
	const struct reference *a = left, *b = right;
	if (a->lane != b->lane)
		return a->lane < b->lane ? -1 : 1;
	return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

static uint64_t next_sequence(uint64_t sequence)
{
	return (uint32_t)(sequence + 1) ? sequence + 1 : sequence + 2;
}

static void take(struct scan *scan, const struct wan_record_operation *record)
{
	unsigned kind = wan_record_kind_of(record);
	if (kind != WAN_RECORD_OPERATION) {
		wan_read_add_event(scan->reading, record);
		return;
	}
	wan_read_add_operation(scan->reading, record);
	wan_read_sum_operation(scan->reading, record);
}

/* The records of one lane in order; a gap is what damage explains, or the end of a live copy. */
static void take_lane(struct scan *scan, size_t first, size_t end)
{
	struct wan_reading *reading = scan->reading;
	uint32_t lane = scan->references[first].lane;
	struct lane_state *state = &scan->lanes[lane];
	uint64_t expected = next_sequence(state->folded);
	uint64_t bad_left = state->bad;
	for (size_t i = first; i < end && !reading->no_memory; i++) {
		struct reference *reference = &scan->references[i];
		uint64_t missing = wan_elapsed(expected, reference->sequence);
		if (reference->sequence < expected && lane != NO_LANE) {
			wan_read_damage(reading, state->offset, "a record appears twice");
			continue;
		}
		if (missing > bad_left && lane != NO_LANE) {
			if (reading->to->process.live)
				return;
			if (!reading->to->process.damage_count)
				wan_read_damage(reading, state->offset, "%llu records are missing",
						(unsigned long long)missing);
		}
		bad_left -= WAN_MIN(bad_left, missing);
		expected = next_sequence(reference->sequence);
		take(scan, reference->record);
	}
}

void wan_read_lanes(struct wan_reading *reading)
{
	struct scan *scan = wan_calloc(1, sizeof(*scan));
	uint64_t space = wan_elapsed(WAN_RECORD_UNITS_AT, reading->count);
	if (scan)
		scan->unit_used = wan_calloc(space / WAN_RECORD_UNIT + 2, 1);
	if (!scan || !scan->unit_used) {
		reading->no_memory = true;
		wan_free(scan);
		return;
	}
	scan->reading = reading;
	scan->units = space / WAN_RECORD_UNIT;
	find_lanes(scan);
	for (uint32_t i = 0; i < WAN_RECORD_LANES; i++)
		if (scan->lanes[i].offset)
			read_lane(scan, &scan->lanes[i]);
	read_chunks(scan);
	if (scan->reference_count > 1)
		qsort(scan->references, scan->reference_count, sizeof(scan->references[0]),
		      compare_references);
	for (size_t first = 0; first < scan->reference_count;) {
		size_t end = first + 1;
		while (end < scan->reference_count &&
		       scan->references[end].lane == scan->references[first].lane)
			end++;
		take_lane(scan, first, end);
		first = end;
	}
	wan_free(scan->references);
	wan_free(scan->unit_used);
	wan_free(scan);
}
