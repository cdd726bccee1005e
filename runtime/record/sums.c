/* SPDX-License-Identifier: MIT */
#include "sums.h"

#include "check.h"
#include "recorder.h"

static bool is_key(const struct wan_record_aggregate *sum, uint16_t name, uint8_t library,
		   uint8_t status, uint16_t flags)
{
	return sum->name == name && sum->library == library && sum->status == status &&
	       sum->flags == flags;
}

static struct wan_record_sums *fresh_unit(struct wan_lane *lane)
{
	uint32_t unit = wan_space_claim(lane->recorder, 1);
	if (unit == UINT32_MAX)
		return NULL;
	wan_space_prepare_unit(lane->recorder, unit);
	struct wan_record_sums *sums = (void *)wan_space_unit(lane->recorder, unit);
	sums->lane = lane->index;
	sums->check = wan_record_sums_check(lane->index, unit);
	wan_store_release(&sums->magic, WAN_RECORD_SUMS_MAGIC);
	return sums;
}

/* The next free entry; the very last one is kept for "other". */
static struct wan_record_aggregate *fresh_sum(struct wan_lane *lane, bool other)
{
	uint32_t index = lane->sum_count;
	if (index >= WAN_LANE_SUM_KINDS + (other ? 1 : 0))
		return NULL;
	uint32_t unit = index / WAN_RECORD_SUMS;
	if (!lane->sums[unit])
		lane->sums[unit] = fresh_unit(lane);
	if (!lane->sums[unit])
		return NULL;
	lane->sum_count++;
	return &lane->sums[unit]->sums[index % WAN_RECORD_SUMS];
}

struct wan_record_aggregate *wan_lane_sum(struct wan_lane *lane, uint16_t name, uint8_t library,
					  uint8_t status, uint16_t flags, bool bytes_known)
{
	for (uint32_t i = 0; i < lane->sum_count; i++) {
		struct wan_record_aggregate *sum =
			&lane->sums[i / WAN_RECORD_SUMS]->sums[i % WAN_RECORD_SUMS];
		if (is_key(sum, name, library, status, flags))
			return sum;
	}
	struct wan_record_aggregate *sum = fresh_sum(lane, name == 0);
	if (!sum)
		return name ? wan_lane_sum(lane, 0, library, status, flags, false) : NULL;
	sum->name = name;
	sum->library = library;
	sum->status = status;
	sum->flags = flags;
	sum->file_known = bytes_known;
	wan_store_relaxed(&sum->min_ticks, UINT64_MAX);
	return sum;
}
