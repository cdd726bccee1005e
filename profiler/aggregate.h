/* SPDX-License-Identifier: MIT */
/*
 * One row per kind of operation: name, library, outcome and, where asked for, options. Counts and
 * sums are exact (they come from the recording's aggregates, which lose nothing when the ring of
 * records wraps); percentiles are exact while all records are there, else from the histogram. Pure.
 */
#ifndef WAN_PROFILER_AGGREGATE_H
#define WAN_PROFILER_AGGREGATE_H

#include "scaling.h"
#include "view.h"

struct wan_row {
	const char *name, *library; /* borrowed from the recording */
	uint8_t status;
	uint16_t flags;      /* those that tell rows apart */
	uint16_t flags_seen; /* of any operation in it */
	bool unknown_name;   /* operations of many names, merged for lack of room */
	uint64_t count, records;
	uint64_t progressive,
		progressive_ns; /* of count: with WAN_FLAG_PROGRESSIVE, and their time */
	uint64_t span_ns, inside_ns, min_ns, max_ns;
	uint64_t p50_ns, p90_ns, p99_ns, p999_ns; /* of inside */
	bool exact_percentiles;
	uint64_t pixels;
	uint64_t cpu_ns, cpu_known; /* operations whose CPU time is known */
	uint64_t file_bytes, file_known;
	int64_t memory_bytes;
	uint64_t memory_known;
	uint64_t peak_bytes; /* maximum; 0 when not known */
	uint64_t histogram[WAN_RECORD_HISTOGRAM];
	size_t first_record; /* of rows->operations */
	struct wan_scaling scaling, memory_scaling;
};

struct wan_rows {
	struct wan_row *items; /* by total inside time, largest first */
	size_t count;
	/* Records sorted by row: those of a row are operations[first_record .. + records). */
	struct wan_view_operation *operations;
	uint64_t total_operations, nested_operations; /* ended; outermost and nested */
	uint64_t total_inside_ns;                     /* outermost */
	uint64_t total_memory_bytes, peak_bytes;      /* outermost: sum of what stayed; maximum */
	bool memory_known, cpu_known;
	uint64_t total_cpu_ns;
};

/* Flags that tell rows apart: nesting always, options where they are listed one by one. */
#define WAN_ROWS_MERGED WAN_FLAG_CHILD
#define WAN_ROWS_OPTIONS                                                                           \
	(WAN_FLAG_CHILD | WAN_FLAG_PROGRESSIVE | WAN_FLAG_SCALED | WAN_FLAG_LOSSLESS)

/* 0, -ENOMEM. */
int wan_rows_init(struct wan_rows *rows, const struct wan_view *view, uint16_t key_flags);
void wan_rows_finish(struct wan_rows *rows);

#endif
