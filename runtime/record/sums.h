/* SPDX-License-Identifier: MIT */
/*
 * Sums that a lane keeps in place, for calls too many to have a record each: adding costs a few
 * stores to warm lines. One writer, the lane's thread; readers of a living process may see a call
 * half counted, never a torn number.
 */
#ifndef WAN_RECORD_SUMS_H
#define WAN_RECORD_SUMS_H

#include "writer.h"

/* More than this many kinds of call in one thread are summed up under name 0, "other". */
#define WAN_LANE_SUM_KINDS (WAN_LANE_SUM_UNITS * WAN_RECORD_SUMS - 1)

/*
 * The sum of that key, made when it is not there yet (a search: keep the pointer; it stays valid
 * as long as the lane is this thread's). bytes_known: wan_sum_add() will be told bytes of every
 * call. NULL: no room in the file. flags: enum wan_record_flags. The lane's thread only.
 */
struct wan_record_aggregate *wan_lane_sum(struct wan_lane *lane, uint16_t name, uint8_t library,
					  uint8_t status, uint16_t flags, bool bytes_known);

/* histogram_bucket: wan_histogram_bucket() of the time. */
static inline void wan_sum_add(struct wan_record_aggregate *sum, uint64_t ticks,
			       unsigned histogram_bucket, uint64_t bytes)
{
	uint32_t *bucket = &sum->histogram[histogram_bucket];
	wan_store_relaxed(bucket, *bucket + (*bucket != UINT32_MAX));
	wan_store_relaxed(&sum->inside_ticks, sum->inside_ticks + ticks);
	wan_store_relaxed(&sum->file_bytes, sum->file_bytes + bytes);
	if (wan_unlikely(ticks < sum->min_ticks))
		wan_store_relaxed(&sum->min_ticks, ticks);
	if (wan_unlikely(ticks > sum->max_ticks))
		wan_store_relaxed(&sum->max_ticks, ticks);
	/* Last: what is not counted yet is not there. */
	wan_store_release(&sum->count, sum->count + 1);
}

/* Memory of one call: bytes that stayed and the most at once. After wan_sum_add(). */
static inline void wan_sum_memory(struct wan_record_aggregate *sum, int64_t net_kib,
				  uint32_t peak_kib)
{
	wan_store_relaxed(&sum->memory_kib, sum->memory_kib + net_kib);
	wan_store_relaxed(&sum->memory_known,
			  sum->memory_known + (sum->memory_known != UINT32_MAX));
	if (peak_kib > sum->peak_kib)
		wan_store_relaxed(&sum->peak_kib, peak_kib);
}

#endif
