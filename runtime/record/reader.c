/* SPDX-License-Identifier: MIT */
/* One recording out of a block of bytes: identity, time, and then its parts. */
#include "reading.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "check.h"
#include "log.h"
#include "macros.h"
#include "str.h"

int wan_read_identify(const void *bytes, uint64_t count, const char *object,
		      struct wan_error *reterr_error)
{
	struct wan_record_header header = {0};
	static const char *const hint = "give a .wprof file written by wanprof run, by the preload "
					"library or by a linked program";
	memcpy(&header, bytes, WAN_MIN(count, sizeof(header)));
	if (!count)
		return wan_error_set(reterr_error, -ENODATA, object,
				     "record again; the process ended before its first operation",
				     "the file is empty");
	if (count >= 8 && header.magic == __builtin_bswap64(WAN_RECORD_MAGIC))
		return wan_error_set(reterr_error, -ENOTSUP, object,
				     "read it on a machine like the one that wrote it",
				     "the recording has the other byte order");
	if (count < 8 || header.magic != WAN_RECORD_MAGIC)
		return wan_error_set(reterr_error, -EBADMSG, object, hint, "not a recording");
	if (count < sizeof(header))
		return wan_error_set(reterr_error, -EBADMSG, object, "record again",
				     "cut off inside the header, after %llu bytes",
				     (unsigned long long)count);
	if (header.endian != WAN_RECORD_ENDIAN &&
	    header.endian == __builtin_bswap32(WAN_RECORD_ENDIAN))
		return wan_error_set(reterr_error, -ENOTSUP, object,
				     "read it on a machine like the one that wrote it",
				     "the recording has the other byte order");
	bool whole = header.check == wan_record_header_check(&header);
	if (whole && header.version > WAN_RECORD_VERSION)
		return wan_error_set(reterr_error, -ENOTSUP, object, "update wanprof",
				     "made by a newer version (format %u, this one reads %u)",
				     header.version, WAN_RECORD_VERSION);
	if (whole && (header.header_bytes != WAN_RECORD_ANCHORS_AT ||
		      header.record_bytes != sizeof(struct wan_record_operation)))
		return wan_error_set(reterr_error, -ENOTSUP, object, "update wanprof",
				     "the recording has another layout (records of %u bytes)",
				     header.record_bytes);
	return 0;
}

static void terminate(char *text, size_t bytes)
{
	text[bytes - 1] = '\0';
}

static void read_header(struct wan_reading *reading)
{
	struct wan_record_header *header = &reading->to->process.header;
	memcpy(header, reading->bytes, sizeof(*header));
	terminate(header->job, sizeof(header->job));
	terminate(header->program, sizeof(header->program));
	terminate(header->command, sizeof(header->command));
	terminate(header->allocator, sizeof(header->allocator));
	terminate(header->libraries, sizeof(header->libraries));
	terminate(header->cpu, sizeof(header->cpu));
	terminate(header->kernel, sizeof(header->kernel));
	if (header->check != wan_record_header_check(header))
		wan_read_damage(reading, 0, "the identity of the recording does not fit its check");
	if (header->state < WAN_RUN_RUNNING || header->state > WAN_RUN_UNKNOWN) {
		wan_read_damage(reading, offsetof(struct wan_record_header, state),
				"unknown state %u", header->state);
		header->state = WAN_RUN_UNKNOWN;
	}
}

static bool believable(double ns_per_tick)
{
	return ns_per_tick > 1e-4 && ns_per_tick < 1e4; /* false for NaN */
}

/* The line through the first and the last anchor; near ones say less than the writer's rate. */
static void read_anchors(struct wan_reading *reading)
{
	struct wan_record_anchor first = {0}, last = {0};
	for (unsigned i = 0; i < WAN_RECORD_ANCHORS; i++) {
		struct wan_record_anchor anchor;
		uint64_t at = WAN_RECORD_ANCHORS_AT + i * sizeof(anchor);
		if (at + sizeof(anchor) > reading->count)
			break;
		memcpy(&anchor, reading->bytes + at, sizeof(anchor));
		uint32_t sequence = (uint32_t)anchor.seal;
		if (!anchor.seal)
			continue;
		if (anchor.seal != wan_record_anchor_seal(&anchor, sequence)) {
			if (!reading->to->process.live)
				wan_read_damage(reading, at,
						"a time anchor does not fit its check");
			continue;
		}
		if (!first.seal || sequence < (uint32_t)first.seal)
			first = anchor;
		if (!last.seal || sequence > (uint32_t)last.seal)
			last = anchor;
	}
	struct wan_process *process = &reading->to->process;
	double rate = process->header.ns_per_tick;
	if (!first.seal)
		wan_read_damage(reading, WAN_RECORD_ANCHORS_AT, "no time anchor is left");
	if (last.monotonic_ns >= first.monotonic_ns + 1000000 && last.ticks > first.ticks) {
		double measured = (double)(last.monotonic_ns - first.monotonic_ns) /
				  (double)(last.ticks - first.ticks);
		rate = believable(measured) ? measured : rate;
	}
	reading->scale.base.ticks = first.ticks;
	reading->scale.base.monotonic_ns = first.monotonic_ns;
	reading->scale.base.realtime_ns = first.realtime_ns;
	reading->scale.ns_per_tick = believable(rate) ? rate : 1;
	reading->last_ticks = last.ticks;
	process->ns_per_tick = reading->scale.ns_per_tick;
	process->start_ticks = first.ticks;
	process->start_ns = first.monotonic_ns;
	process->start_realtime_ns = first.realtime_ns;
}

static void read_strings(struct wan_reading *reading)
{
	uint64_t used = reading->to->process.header.strings_used;
	if (used > WAN_RECORD_STRINGS_BYTES) {
		wan_read_damage(reading, offsetof(struct wan_record_header, strings_used),
				"more text than there is room for");
		used = WAN_RECORD_STRINGS_BYTES;
	}
	if (reading->count <= WAN_RECORD_STRINGS_AT)
		used = 0;
	else
		used = WAN_MIN(used, reading->count - WAN_RECORD_STRINGS_AT);
	reading->strings = reading->bytes + WAN_RECORD_STRINGS_AT;
	reading->strings_used = used;
	/* one byte more than the texts need, so that whatever is read ends */
	reading->to->texts = wan_calloc(1, used + 1);
	reading->resolved = wan_calloc(1, used / 32 + 1);
	reading->to->process.texts = reading->to->texts;
	reading->to->process.texts_bytes = used;
	reading->no_memory |= !reading->to->texts || !reading->resolved;
}

static int compare_operations(const void *left, const void *right)
{
	const struct wan_recording_operation *a = left, *b = right;
	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns ? -1 : 1;
	return a->span_ns > b->span_ns ? -1 : a->span_ns < b->span_ns; /* outer ones first */
}

static int compare_events(const void *left, const void *right)
{
	const struct wan_process_event *a = left, *b = right;
	return a->time_ns < b->time_ns ? -1 : a->time_ns > b->time_ns;
}

static void sort_by(void *array, size_t count, size_t bytes,
		    int (*compare)(const void *, const void *))
{
	if (count > 1)
		qsort(array, count, bytes, compare);
}

static void settle_times(struct wan_reading *reading)
{
	struct wan_process *process = &reading->to->process;
	process->end_ns = wan_clock_monotonic_ns(&reading->scale, reading->last_ticks);
	if (process->live)
		process->end_ns = WAN_MAX(process->end_ns, wan_now_ns());
	process->end_ns = WAN_MAX(process->end_ns, process->start_ns);
	for (size_t i = 0; i < process->inflight_count; i++) {
		struct wan_recording_operation *operation = &process->inflight[i].operation;
		operation->span_ns = wan_elapsed(operation->start_ns, process->end_ns);
		operation->inside_ns = operation->span_ns;
	}
}

static void finish(struct wan_reading *reading)
{
	struct wan_process *process = &reading->to->process;
	wan_read_sum_finish(reading);
	sort_by(process->operations, process->operation_count, sizeof(process->operations[0]),
		compare_operations);
	sort_by(process->events, process->event_count, sizeof(process->events[0]), compare_events);
	sort_by(process->details, process->detail_count, sizeof(process->details[0]),
		wan_compare_details);
	settle_times(reading);
	process->dropped = process->header.dropped;
	process->skipped = wan_elapsed(process->operation_count, process->total_operations);
}

static int read_parts(const void *bytes, uint64_t count, bool live, const char *source,
		      uint64_t offset, bool whole, struct wan_read_process **ret_process,
		      struct wan_error *reterr_error)
{
	int error = wan_read_identify(bytes, count, source, reterr_error);
	if (error)
		return error;
	struct wan_read_process *to = wan_calloc(1, sizeof(*to));
	if (to)
		to->source = wan_strdup(source);
	struct wan_reading reading = {
		.bytes = bytes, .count = count, .to = to, .no_memory = !to || !to->source};
	if (!reading.no_memory) {
		to->process.source = to->source;
		to->process.offset = offset;
		to->process.live = live;
		read_header(&reading);
		to->process.state = to->process.header.state;
		read_anchors(&reading);
		read_strings(&reading);
	}
	if (!reading.no_memory) {
		wan_read_add_counters(&reading);
		if (whole)
			wan_read_lanes(&reading);
		else
			wan_read_inflight(&reading);
		finish(&reading);
	}
	wan_free(reading.resolved);
	wan_free(reading.aggregate_slots);
	wan_free(reading.aggregate_keys);
	if (reading.no_memory) {
		wan_read_process_free(to);
		return wan_error_set(reterr_error, -ENOMEM, source, "", "not enough memory");
	}
	*ret_process = to;
	return 0;
}

int wan_read_process(const void *bytes, uint64_t count, bool live, const char *source,
		     uint64_t offset, struct wan_read_process **ret_process,
		     struct wan_error *reterr_error)
{
	return read_parts(bytes, count, live, source, offset, true, ret_process, reterr_error);
}

int wan_read_glance(const void *bytes, uint64_t count, bool live, const char *source,
		    struct wan_read_process **ret_process)
{
	return read_parts(bytes, count, live, source, 0, false, ret_process, NULL);
}

void wan_read_process_free(struct wan_read_process *to)
{
	if (!to)
		return;
	for (size_t i = 0; to->process.counters && i < to->process.counters_count; i++)
		wan_free(to->process.counters[i].latencies);
	for (size_t i = 0; i < to->process.event_count; i++)
		wan_free(to->process.events[i].made);
	wan_free(to->process.operations);
	wan_free(to->process.aggregates);
	wan_free(to->process.counters);
	wan_free(to->process.events);
	wan_free(to->process.inflight);
	wan_free(to->process.damage);
	wan_free(to->process.details);
	wan_free(to->texts);
	wan_free(to->source);
	wan_free(to);
}
