/* SPDX-License-Identifier: MIT */
/*
 * Aggregates of a process: those of every lane's fold and the records beyond it. They are found by
 * hash, since a hostile file can bring a hundred thousand different ones. Until finish() the times
 * are ticks, CPU microseconds and memory KiB, as they came.
 */
#include <string.h>

#include "alloc.h"
#include "fold.h"
#include "histogram.h"
#include "macros.h"
#include "reading.h"
#include "wan/profile.h"

static uint64_t key_of(const struct wan_record_aggregate *aggregate)
{
	return aggregate->name | (uint64_t)aggregate->library << 16 |
	       (uint64_t)aggregate->status << 24 | (uint64_t)aggregate->flags << 32 |
	       (uint64_t)aggregate->size_bucket << 48;
}

static size_t slot_of(const struct wan_reading *reading, uint64_t key)
{
	size_t mask = reading->aggregate_slot_count - 1;
	size_t slot = (size_t)(key * 0x9e3779b97f4a7c15u >> 32) & mask;
	while (reading->aggregate_slots[slot] &&
	       reading->aggregate_keys[reading->aggregate_slots[slot] - 1] != key)
		slot = (slot + 1) & mask;
	return slot;
}

/* At most half full. */
static bool make_room(struct wan_reading *reading)
{
	struct wan_process *process = &reading->to->process;
	size_t want = process->aggregate_count + 1;
	if (wan_array_reserve(&process->aggregates, &reading->aggregate_capacity, want,
			      sizeof(process->aggregates[0])) != 0 ||
	    wan_array_reserve(&reading->aggregate_keys, &reading->aggregate_key_capacity, want,
			      sizeof(reading->aggregate_keys[0])) != 0)
		return false;
	if (want * 2 <= reading->aggregate_slot_count)
		return true;
	size_t count = reading->aggregate_slot_count ? reading->aggregate_slot_count * 2 : 256;
	uint32_t *slots = wan_calloc(count, sizeof(*slots));
	if (!slots)
		return false;
	wan_free(reading->aggregate_slots);
	reading->aggregate_slots = slots;
	reading->aggregate_slot_count = count;
	for (size_t i = 0; i < process->aggregate_count; i++)
		slots[slot_of(reading, reading->aggregate_keys[i])] = (uint32_t)i + 1;
	return true;
}

static struct wan_process_aggregate *find(struct wan_reading *reading,
					  const struct wan_record_aggregate *like)
{
	struct wan_process *process = &reading->to->process;
	uint64_t key = key_of(like);
	if (!make_room(reading)) {
		reading->no_memory = true;
		return NULL;
	}
	size_t slot = slot_of(reading, key);
	if (reading->aggregate_slots[slot])
		return &process->aggregates[reading->aggregate_slots[slot] - 1];
	reading->aggregate_keys[process->aggregate_count] = key;
	reading->aggregate_slots[slot] = (uint32_t)process->aggregate_count + 1;
	struct wan_process_aggregate *fresh = &process->aggregates[process->aggregate_count++];
	*fresh = (struct wan_process_aggregate){
		.name = wan_read_text(reading, like->name),
		.library = wan_read_library(like->library),
		.status = like->status <= WAN_OP_ABORTED ? like->status : WAN_OP_FAILED,
		.flags = like->flags,
		.size_bucket = like->size_bucket,
		.min_ns = UINT64_MAX,
	};
	return fresh;
}

static void add(struct wan_reading *reading, const struct wan_record_aggregate *from)
{
	struct wan_process_aggregate *to = find(reading, from);
	if (!to)
		return;
	to->cpu_known += from->cpu_known;
	to->file_known += from->file_known;
	to->memory_known += from->memory_known;
	to->count = wan_record_add(to->count, from->count);
	to->span_ns = wan_record_add(to->span_ns, from->span_ticks);
	to->inside_ns = wan_record_add(to->inside_ns, from->inside_ticks);
	to->cpu_ns = wan_record_add(to->cpu_ns, from->cpu_us);
	to->pixels = wan_record_add(to->pixels, from->pixels);
	to->file_bytes = wan_record_add(to->file_bytes, from->file_bytes);
	if (__builtin_add_overflow(to->memory_bytes, from->memory_kib, &to->memory_bytes))
		to->memory_bytes = INT64_MAX;
	to->peak_bytes = WAN_MAX(to->peak_bytes, from->peak_kib);
	to->min_ns = WAN_MIN(to->min_ns, from->min_ticks);
	to->max_ns = WAN_MAX(to->max_ns, from->max_ticks);
	for (unsigned i = 0; i < WAN_RECORD_HISTOGRAM; i++)
		to->histogram[i] += from->histogram[i];
}

void wan_read_sum_fold(struct wan_reading *reading, const struct wan_record_fold *fold)
{
	for (uint32_t i = 0; i < fold->aggregate_count; i++)
		if (fold->aggregates[i].count)
			add(reading, &fold->aggregates[i]);
}

void wan_read_sum_operation(struct wan_reading *reading,
			    const struct wan_record_operation *operation)
{
	struct wan_record_aggregate one;
	uint64_t inside_ns = wan_clock_span_ns(&reading->scale, wan_record_inside_ticks(operation));
	wan_aggregate_start(&one, operation,
			    wan_record_size_bucket(operation->width_px, operation->height_px));
	wan_aggregate_add(&one, operation, wan_histogram_bucket(inside_ns));
	add(reading, &one);
}

/* A call that a kill or our own look cut in half is in the histogram and not yet in the count. */
static bool sum_is_whole(const struct wan_record_aggregate *sum)
{
	uint64_t in_histogram = 0;
	for (unsigned i = 0; i < WAN_RECORD_HISTOGRAM; i++) {
		if (sum->histogram[i] == UINT32_MAX)
			return true; /* a full one tells nothing */
		in_histogram += sum->histogram[i];
	}
	return sum->status <= WAN_OP_ABORTED && sum->min_ticks <= sum->max_ticks &&
	       in_histogram - sum->count <= 1;
}

void wan_read_sum_unit(struct wan_reading *reading, const struct wan_record_sums *unit,
		       uint64_t offset)
{
	for (unsigned i = 0; i < WAN_RECORD_SUMS; i++) {
		struct wan_record_aggregate one;
		memcpy(&one, &unit->sums[i], sizeof(one));
		if (!one.count)
			continue;
		/* While the process goes on, more than one call may come between two words. */
		if (!reading->to->process.live && !sum_is_whole(&one)) {
			wan_read_damage(reading, offset + (uint64_t)i * sizeof(one),
					"sums of calls that contradict themselves");
			continue;
		}
		one.size_bucket = 0;
		one.span_ticks = one.inside_ticks;
		one.file_known = one.file_known ? (uint32_t)WAN_MIN(one.count, UINT32_MAX) : 0;
		one.cpu_known = 0;
		add(reading, &one);
	}
}

static uint64_t times(uint64_t value, uint64_t factor)
{
	uint64_t product;
	return __builtin_mul_overflow(value, factor, &product) ? UINT64_MAX : product;
}

void wan_read_sum_finish(struct wan_reading *reading)
{
	struct wan_process *process = &reading->to->process;
	const struct wan_clock_scale *scale = &reading->scale;
	for (size_t i = 0; i < process->aggregate_count; i++) {
		struct wan_process_aggregate *sum = &process->aggregates[i];
		sum->span_ns = wan_clock_span_ns(scale, sum->span_ns);
		sum->inside_ns = wan_clock_span_ns(scale, sum->inside_ns);
		sum->min_ns = sum->min_ns == UINT64_MAX ? 0 : wan_clock_span_ns(scale, sum->min_ns);
		sum->max_ns = wan_clock_span_ns(scale, sum->max_ns);
		sum->cpu_ns = WAN_MIN(times(sum->cpu_ns, 1000), sum->span_ns);
		sum->peak_bytes = times(sum->peak_bytes, 1024);
		if (__builtin_mul_overflow(sum->memory_bytes, 1024, &sum->memory_bytes))
			sum->memory_bytes = INT64_MAX;
		process->total_operations = wan_record_add(process->total_operations, sum->count);
	}
}
