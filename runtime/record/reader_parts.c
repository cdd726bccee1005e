/* SPDX-License-Identifier: MIT */
/* Single parts of a recording, converted into what readers want: ns, bytes, names. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert_table.h"
#include "alloc.h"
#include "fold.h"
#include "macros.h"
#include "check.h"
#include "reading.h"
#include "tracker_words.h"
#include "wan/profile.h"

#define TEXT_MOST 1023

void wan_read_damage(struct wan_reading *reading, uint64_t offset, const char *format, ...)
{
	struct wan_process *process = &reading->to->process;
	va_list arguments;
	if (process->damage_count >= WAN_READ_DAMAGE_MOST)
		return;
	if (wan_array_reserve(&process->damage, &reading->damage_capacity,
			      process->damage_count + 1, sizeof(process->damage[0])) != 0) {
		reading->no_memory = true;
		return;
	}
	struct wan_process_damage *damage = &process->damage[process->damage_count++];
	damage->offset = process->offset + offset;
	va_start(arguments, format);
	vsnprintf(damage->reason, sizeof(damage->reason), format, arguments);
	va_end(arguments);
}

const char *wan_read_library(uint8_t library)
{
	static const char *const names[] = {
		[WAN_LIBRARY_NONE] = "",
		[WAN_LIBRARY_LIBJPEG] = "libjpeg",
		[WAN_LIBRARY_TURBOJPEG] = "turbojpeg",
		[WAN_LIBRARY_LIBPNG] = "libpng",
		[WAN_LIBRARY_WANRT] = "wanrt",
		[WAN_LIBRARY_CUDA] = "cuda",
		[WAN_LIBRARY_PYTHON] = "python",
		[WAN_LIBRARY_PROGRAM] = "program",
		[WAN_LIBRARY_PILLOW] = "pillow",
		[WAN_LIBRARY_OPENCV] = "opencv",
		[WAN_LIBRARY_AVCODEC] = "libavcodec",
		[WAN_LIBRARY_NVTX] = "nvtx",
	};
	return library < WAN_COUNT_OF(names) ? names[library] : "unknown";
}

/*
 * A text and its terminator need no more room than its length word and characters had, so each is
 * resolved at the offset it has in the file. Overlapping ids of a hostile file overwrite each
 * other, and still end inside the block.
 */
const char *wan_read_text(struct wan_reading *reading, uint16_t id)
{
	uint64_t at = ((uint64_t)id - 1) * 4;
	uint16_t bytes;
	if (!id)
		return "";
	if (at + sizeof(bytes) > reading->strings_used)
		return "";
	char *text = reading->to->texts + at;
	if (reading->resolved[id / 8] >> id % 8 & 1)
		return text;
	memcpy(&bytes, reading->strings + at, sizeof(bytes));
	if (bytes > TEXT_MOST || at + sizeof(bytes) + bytes > reading->strings_used) {
		wan_read_damage(reading, WAN_RECORD_STRINGS_AT + at, "a text of %u bytes", bytes);
		bytes = 0;
	}
	memcpy(text, reading->strings + at + sizeof(bytes), bytes);
	text[bytes] = '\0';
	reading->resolved[id / 8] |= (uint8_t)(1 << id % 8);
	return text;
}

const char *wan_process_text(const struct wan_process *process, uint64_t id)
{
	bool inside = process->texts && id && (id - 1) < process->texts_bytes / 4;
	return inside ? process->texts + (id - 1) * 4 : "";
}

uint64_t wan_process_time_ns(const struct wan_process *process, uint64_t ticks)
{
	const struct wan_clock_scale scale = {
		.base = {.ticks = process->start_ticks, .monotonic_ns = process->start_ns},
		.ns_per_tick = process->ns_per_tick,
	};
	return wan_clock_monotonic_ns(&scale, ticks);
}

static uint8_t known_status(unsigned status)
{
	return (uint8_t)(status <= WAN_OP_ABORTED ? status : WAN_OP_FAILED);
}

static const char *file_text(struct wan_reading *reading, uint16_t id)
{
	const char *text = wan_read_text(reading, id);
	return text[0] ? text : NULL;
}

/*
 * A thread uses no more than the time that passes: what is above that was used beside the
 * operation, between the writer's readings of the two clocks or since its last one (op.c).
 */
static uint64_t read_cpu_ns(const struct wan_record_operation *record, uint64_t span_ns)
{
	if (record->cpu_us == WAN_CPU_UNKNOWN)
		return UINT64_MAX;
	return WAN_MIN((uint64_t)record->cpu_us * 1000, span_ns);
}

void wan_read_add_operation(struct wan_reading *reading, const struct wan_record_operation *record)
{
	struct wan_process *process = &reading->to->process;
	if (wan_array_reserve(&process->operations, &reading->operation_capacity,
			      process->operation_count + 1, sizeof(process->operations[0])) != 0) {
		reading->no_memory = true;
		return;
	}
	uint64_t end_ticks = wan_record_add(record->start_ticks, record->span_ticks);
	uint64_t span_ns = wan_clock_span_ns(&reading->scale, record->span_ticks);
	reading->last_ticks = WAN_MAX(reading->last_ticks, end_ticks);
	process->operations[process->operation_count++] = (struct wan_recording_operation){
		.name = wan_read_text(reading, record->name),
		.library = wan_read_library(record->library),
		.file = file_text(reading, record->file),
		.start_ns = wan_clock_monotonic_ns(&reading->scale, record->start_ticks),
		.start_realtime_ns = wan_clock_realtime_ns(&reading->scale, record->start_ticks),
		.span_ns = span_ns,
		.inside_ns = wan_clock_span_ns(&reading->scale, wan_record_inside_ticks(record)),
		.cpu_ns = read_cpu_ns(record, span_ns),
		.memory_bytes = record->memory_kib == WAN_MEMORY_UNKNOWN
					? INT64_MIN
					: (int64_t)record->memory_kib * 1024,
		.peak_bytes = record->peak_kib == WAN_BYTES_UNKNOWN
				      ? UINT64_MAX
				      : (uint64_t)record->peak_kib * 1024,
		.file_bytes =
			record->file_bytes == WAN_BYTES_UNKNOWN ? UINT64_MAX : record->file_bytes,
		.width_px = record->width_px,
		.height_px = record->height_px,
		.channels = record->channels,
		.bit_depth = record->bit_depth,
		.status = known_status(wan_record_status_of(record)),
		.child = record->flags & WAN_FLAG_CHILD,
		.flags = record->flags,
		.thread = record->thread,
		.process = process->header.pid,
	};
}

static void add_detail(struct wan_reading *reading, const struct wan_record_event *event)
{
	struct wan_process *process = &reading->to->process;
	if (wan_array_reserve(&process->details, &reading->detail_capacity,
			      process->detail_count + 1, sizeof(process->details[0])) != 0) {
		reading->no_memory = true;
		return;
	}
	process->details[process->detail_count++] = (struct wan_process_detail){
		.start_ns = wan_clock_monotonic_ns(&reading->scale, event->ticks),
		.thread = event->thread,
		.identity = event->values[0],
		.output_width_px = (uint32_t)event->values[1],
		.output_height_px = (uint32_t)(event->values[1] >> 32),
	};
}

int wan_compare_details(const void *left, const void *right)
{
	const struct wan_process_detail *a = left, *b = right;
	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns ? -1 : 1;
	return (a->thread > b->thread) - (a->thread < b->thread);
}

const struct wan_process_detail *wan_process_detail(const struct wan_process *process,
						    const struct wan_recording_operation *operation)
{
	const struct wan_process_detail key = {.start_ns = operation->start_ns,
					       .thread = operation->thread};
	if (!process->detail_count)
		return NULL;
	return bsearch(&key, process->details, process->detail_count, sizeof(key),
		       wan_compare_details);
}

/* Alerts whose sentence was not worth a place in the recording get it here. */
static void make_message(struct wan_reading *reading, struct wan_process_event *event)
{
	const struct wan_alert_kind *kind = wan_alert_kind_named(event->name);
	bool subject = event->code & WAN_ALERT_CODE_SUBJECT;
	event->code &= WAN_ALERT_CODE_SEVERITY;
	if (!subject || !kind)
		return;
	char text[160];
	wan_alert_message(kind, *event->text ? event->text : NULL,
			  (double)(int64_t)event->values[0] / 1000,
			  (double)(int64_t)event->values[1] / 1000, text, sizeof(text));
	event->made = wan_strdup(text);
	if (event->made)
		event->text = event->made;
	reading->no_memory |= !event->made;
}

void wan_read_add_event(struct wan_reading *reading, const struct wan_record_operation *record)
{
	struct wan_process *process = &reading->to->process;
	struct wan_record_event event;
	memcpy(&event, record, sizeof(event));
	if (wan_record_kind_of(record) == WAN_RECORD_DETAIL) {
		add_detail(reading, &event);
		return;
	}
	if (wan_array_reserve(&process->events, &reading->event_capacity, process->event_count + 1,
			      sizeof(process->events[0])) != 0) {
		reading->no_memory = true;
		return;
	}
	reading->last_ticks = WAN_MAX(reading->last_ticks, event.ticks);
	struct wan_process_event *to = &process->events[process->event_count++];
	*to = (struct wan_process_event){
		.kind = wan_record_kind_of(record),
		.time_ns = wan_clock_monotonic_ns(&reading->scale, event.ticks),
		.realtime_ns = wan_clock_realtime_ns(&reading->scale, event.ticks),
		.name = wan_read_text(reading, event.name),
		.text = wan_read_text(reading, event.text),
		.code = event.code,
		.thread = event.thread,
	};
	memcpy(to->values, event.values, sizeof(to->values));
	if (to->kind == WAN_RECORD_ALERT)
		make_message(reading, to);
}

void wan_read_add_inflight(struct wan_reading *reading, const struct wan_record_inflight *entry)
{
	struct wan_process *process = &reading->to->process;
	if (wan_array_reserve(&process->inflight, &reading->inflight_capacity,
			      process->inflight_count + 1, sizeof(process->inflight[0])) != 0) {
		reading->no_memory = true;
		return;
	}
	reading->last_ticks = WAN_MAX(reading->last_ticks, entry->start_ticks);
	process->inflight[process->inflight_count++] = (struct wan_process_inflight){
		.operation =
			{
				.name = wan_read_text(reading, entry->name),
				.library = wan_read_library(entry->library),
				.file = file_text(reading, entry->file),
				.start_ns =
					wan_clock_monotonic_ns(&reading->scale, entry->start_ticks),
				.start_realtime_ns =
					wan_clock_realtime_ns(&reading->scale, entry->start_ticks),
				.cpu_ns = UINT64_MAX,
				.memory_bytes = INT64_MIN,
				.peak_bytes = UINT64_MAX,
				.file_bytes = entry->file_bytes,
				.width_px = entry->width_px,
				.height_px = entry->height_px,
				.channels = entry->channels,
				.bit_depth = entry->bit_depth,
				.status = 255,
				.thread = entry->thread,
				.process = process->header.pid,
			},
		.rows_done = entry->rows_done,
	};
}

/* The latencies of the tracker in that block, when it has some and they are whole. */
static void add_latencies(struct wan_reading *reading, struct wan_process_counters *to,
			  uint32_t block)
{
	uint64_t unit = to->words[WAN_TRACKER_HISTOGRAM] - 1;
	uint64_t at = WAN_RECORD_UNITS_AT + unit * WAN_RECORD_UNIT;
	const struct wan_record_latency *found;
	if (unit >= WAN_RECORD_MAXIMUM / WAN_RECORD_UNIT || at + sizeof(*found) > reading->count)
		return;
	found = (const void *)(reading->bytes + at);
	if (found->magic != WAN_RECORD_LATENCY_MAGIC || found->block != block ||
	    found->check != wan_record_latency_check(block, (uint32_t)unit) || found->shift > 16) {
		wan_read_damage(reading, at, "the latencies of \"%s\" are damaged", to->name);
		return;
	}
	uint32_t *counts = wan_malloc(sizeof(found->counts));
	if (counts)
		memcpy(counts, found->counts, sizeof(found->counts));
	reading->no_memory |= !counts;
	to->latencies = counts;
	to->latency_unit_ns = reading->scale.ns_per_tick * (double)(1u << found->shift);
}

static void resolve_word(struct wan_reading *reading, const struct wan_process_counters *to,
			 unsigned word)
{
	if (to->words[word] <= UINT16_MAX)
		wan_read_text(reading, (uint16_t)to->words[word]);
}

void wan_read_add_counters(struct wan_reading *reading)
{
	struct wan_process *process = &reading->to->process;
	struct wan_record_counters block;
	process->counters = wan_calloc(WAN_RECORD_COUNTERS, sizeof(process->counters[0]));
	if (!process->counters) {
		reading->no_memory = true;
		return;
	}
	for (unsigned i = 0; i < WAN_RECORD_COUNTERS; i++) {
		uint64_t at = WAN_RECORD_COUNTERS_AT + i * sizeof(block);
		if (at + sizeof(block) > reading->count)
			return;
		memcpy(&block, reading->bytes + at, sizeof(block));
		if (!block.kind)
			continue;
		if (block.kind > WAN_COUNTERS_HOST || block.name > UINT16_MAX) {
			wan_read_damage(reading, at, "statistics of unknown kind %u", block.kind);
			continue;
		}
		struct wan_process_counters *to = &process->counters[process->counters_count++];
		to->kind = block.kind;
		to->name = wan_read_text(reading, (uint16_t)block.name);
		memcpy(to->words, block.words, sizeof(to->words));
		if (to->kind == WAN_COUNTERS_MEMORY)
			resolve_word(reading, to, WAN_MEMORY_DECIDING);
		if (to->kind == WAN_COUNTERS_HOST)
			resolve_word(reading, to, WAN_HOST_GPU_MODEL);
		if (to->kind != WAN_COUNTERS_TRACKER)
			continue;
		resolve_word(reading, to, WAN_TRACKER_UNIT);
		resolve_word(reading, to, WAN_TRACKER_PHASE_TEXT);
		if (to->words[WAN_TRACKER_HISTOGRAM])
			add_latencies(reading, to, i);
	}
}
