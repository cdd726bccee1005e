/* SPDX-License-Identifier: MIT */
/* Processes made up by hand: operations with their aggregates, as the reader would give them. */
#ifndef WAN_TESTS_PROFILER_SUPPORT_H
#define WAN_TESTS_PROFILER_SUPPORT_H

#include <string.h>

#include "analysis.h"
#include "config.h"
#include "wan/profile.h"

#define FAKE_OPERATIONS 512

struct fake {
	struct wan_process process;
	struct wan_recording_operation operations[FAKE_OPERATIONS];
	struct wan_process_aggregate aggregates[FAKE_OPERATIONS];
	struct wan_process_inflight inflight[8];
	struct wan_process_event events[64];
	struct wan_process_counters counters[16];
	struct wan_process_detail details[FAKE_OPERATIONS];
};

static inline void fake_init(struct fake *fake)
{
	memset(fake, 0, sizeof(*fake));
	fake->process.header.role = WAN_ROLE_LINKED;
	fake->process.header.pid = 100;
	fake->process.state = WAN_RUN_EXITED;
	fake->process.source = "/tmp/fake.wprof";
	fake->process.start_realtime_ns = 1700000000000000000u;
	fake->process.start_ns = 1000000000u;
	fake->process.end_ns = 11000000000u;
	fake->process.ns_per_tick = 1;
	fake->process.operations = fake->operations;
	fake->process.aggregates = fake->aggregates;
	fake->process.inflight = fake->inflight;
	fake->process.events = fake->events;
	fake->process.counters = fake->counters;
	fake->process.details = fake->details;
}

static inline struct wan_recording_operation fake_operation(const char *name, double ms)
{
	return (struct wan_recording_operation){
		.name = name,
		.library = "libjpeg",
		.span_ns = (uint64_t)(ms * 1e6),
		.inside_ns = (uint64_t)(ms * 1e6),
		.cpu_ns = UINT64_MAX,
		.memory_bytes = INT64_MIN,
		.peak_bytes = UINT64_MAX,
		.file_bytes = UINT64_MAX,
		.process = 100,
		.thread = 100,
	};
}

/* Adds the record and an aggregate of its own (rows merge equal ones). */
static inline struct wan_recording_operation *fake_add(struct fake *fake,
						       struct wan_recording_operation operation)
{
	size_t index = fake->process.operation_count++;
	struct wan_recording_operation *record = &fake->operations[index];
	struct wan_process_aggregate *sum = &fake->aggregates[fake->process.aggregate_count++];
	*record = operation;
	if (!record->start_ns) {
		record->start_ns = fake->process.start_ns + index * 1000000u;
		record->start_realtime_ns = fake->process.start_realtime_ns + index * 1000000u;
	}
	*sum = (struct wan_process_aggregate){
		.name = record->name,
		.library = record->library,
		.status = record->status,
		.flags = (uint16_t)(record->flags | (record->child ? WAN_FLAG_CHILD : 0)),
		.count = 1,
		.span_ns = record->span_ns,
		.inside_ns = record->inside_ns,
		.min_ns = record->inside_ns,
		.max_ns = record->inside_ns,
		.pixels = (uint64_t)record->width_px * record->height_px,
		.cpu_known = record->cpu_ns != UINT64_MAX,
		.cpu_ns = record->cpu_ns == UINT64_MAX ? 0 : record->cpu_ns,
		.memory_known = record->memory_bytes != INT64_MIN,
		.memory_bytes = record->memory_bytes == INT64_MIN ? 0 : record->memory_bytes,
		.peak_bytes = record->peak_bytes == UINT64_MAX ? 0 : record->peak_bytes,
		.file_known = record->file_bytes != UINT64_MAX,
		.file_bytes = record->file_bytes == UINT64_MAX ? 0 : record->file_bytes,
	};
	fake->process.total_operations++;
	return record;
}

/* More about the operation added last: of its input, and of what came out. */
static inline void fake_detail(struct fake *fake, uint64_t identity, uint32_t width_px,
			       uint32_t height_px)
{
	const struct wan_recording_operation *record =
		&fake->operations[fake->process.operation_count - 1];
	fake->details[fake->process.detail_count++] = (struct wan_process_detail){
		.start_ns = record->start_ns,
		.thread = record->thread,
		.identity = identity,
		.output_width_px = width_px,
		.output_height_px = height_px,
	};
}

static inline int fake_analyse(struct fake **fakes, size_t count, const struct wan_config *config,
			       struct wan_analysis *ret_analysis)
{
	struct wan_view_source sources[8];
	struct wan_view view;
	for (size_t i = 0; i < count; i++)
		sources[i] = (struct wan_view_source){.process = &fakes[i]->process,
						      .until_ns = UINT64_MAX};
	int rc = wan_view_init(&view, sources, count, NULL);
	return rc ? rc : wan_analysis_init(ret_analysis, &view, config);
}

static inline const struct wan_finding *fake_finding(const struct wan_analysis *analysis,
						     const char *id)
{
	for (size_t i = 0; i < analysis->findings.count; i++)
		if (strcmp(analysis->findings.items[i].advice->id, id) == 0)
			return &analysis->findings.items[i];
	return NULL;
}

#endif
