/* SPDX-License-Identifier: MIT */
/* An operation that is told when it is over: nothing was kept while it lasted. */
#define WAN_PROFILE_CALLS
#include "profile.h"

#include "clock.h"
#include "heap_mark.h"

static uint64_t to_ticks(uint64_t ns)
{
	double ticks = (double)ns / wan_clock_ns_per_tick();
	return ticks < 0x1p63 ? (uint64_t)ticks : (uint64_t)1 << 63;
}

void wan_op_record(struct wan_profile *profile, const char *name, uint64_t span_ns,
		   uint64_t inside_ns, enum wan_op_status status)
{
	if (!profile || !name || !wan_load_relaxed(&profile->active))
		return;
	uint16_t id = wan_op_name_id(profile, name);
	struct wan_lane *lane = id == WAN_OP_NAME_OFF ? NULL : wan_lane_get(profile->recorder);
	if (!lane)
		return;
	uint64_t now = wan_ticks(), span = to_ticks(span_ns);
	double share = span_ns ? (double)WAN_MIN(inside_ns, span_ns) / (double)span_ns : 1;
	const struct wan_record_operation record = {
		.start_ticks = now > span ? now - span : 0,
		.span_ticks = WAN_MIN(span, now),
		.cpu_us = WAN_CPU_UNKNOWN,
		.thread = lane->thread,
		.file_bytes = WAN_BYTES_UNKNOWN,
		.memory_kib = WAN_MEMORY_UNKNOWN,
		.peak_kib = WAN_BYTES_UNKNOWN,
		.inside = (uint16_t)(share * UINT16_MAX),
		.name = id,
		.kind_status = (uint8_t)(WAN_RECORD_OPERATION << 4 | (status & 3)),
		.library = WAN_LIBRARY_PROGRAM,
		.flags = lane->depth || lane->foreign_open ? WAN_FLAG_CHILD : 0,
	};
	wan_lane_append(lane, &record);
	if (wan_unlikely(wan_heap_marks_on) && !record.flags)
		wan_heap_mark(profile->recorder, WAN_HEAP_MARK_OPERATION, id, 0);
}
