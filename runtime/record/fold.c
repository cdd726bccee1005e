/* SPDX-License-Identifier: MIT */
#include "fold.h"

#include "histogram.h"
#include "recorder.h"
#include "wan/profile.h"

unsigned wan_record_size_bucket(uint32_t width_px, uint32_t height_px)
{
	uint64_t pixels = (uint64_t)width_px * height_px;
	return pixels ? 64 - (unsigned)__builtin_clzll(pixels) : 0;
}

uint64_t wan_record_inside_ticks(const struct wan_record_operation *operation)
{
	uint64_t span = operation->span_ticks;
	if (operation->inside == UINT16_MAX)
		return span;
	if (span >> 48)
		return span / UINT16_MAX * operation->inside;
	return span * operation->inside / UINT16_MAX;
}

bool wan_aggregate_matches(const struct wan_record_aggregate *aggregate,
			   const struct wan_record_operation *operation, unsigned size_bucket)
{
	return aggregate->name == operation->name && aggregate->library == operation->library &&
	       aggregate->status == wan_record_status_of(operation) &&
	       aggregate->flags == operation->flags && aggregate->size_bucket == size_bucket;
}

void wan_aggregate_start(struct wan_record_aggregate *aggregate,
			 const struct wan_record_operation *operation, unsigned size_bucket)
{
	*aggregate = (struct wan_record_aggregate){
		.name = operation->name,
		.library = operation->library,
		.status = (uint8_t)wan_record_status_of(operation),
		.flags = operation->flags,
		.size_bucket = (uint8_t)size_bucket,
		.min_ticks = UINT64_MAX,
	};
}

void wan_aggregate_add(struct wan_record_aggregate *aggregate,
		       const struct wan_record_operation *operation, unsigned histogram_bucket)
{
	uint64_t inside = wan_record_inside_ticks(operation);
	aggregate->count++;
	aggregate->span_ticks = wan_record_add(aggregate->span_ticks, operation->span_ticks);
	aggregate->inside_ticks = wan_record_add(aggregate->inside_ticks, inside);
	aggregate->pixels += (uint64_t)operation->width_px * operation->height_px;
	if (operation->cpu_us != WAN_CPU_UNKNOWN) {
		aggregate->cpu_known++;
		aggregate->cpu_us += operation->cpu_us;
	}
	if (operation->file_bytes != WAN_BYTES_UNKNOWN) {
		aggregate->file_known++;
		aggregate->file_bytes += operation->file_bytes;
	}
	if (operation->memory_kib != WAN_MEMORY_UNKNOWN) {
		aggregate->memory_known++;
		aggregate->memory_kib += operation->memory_kib;
	}
	if (operation->peak_kib != WAN_BYTES_UNKNOWN && operation->peak_kib > aggregate->peak_kib)
		aggregate->peak_kib = operation->peak_kib;
	aggregate->min_ticks = WAN_MIN(aggregate->min_ticks, inside);
	aggregate->max_ticks = WAN_MAX(aggregate->max_ticks, inside);
	aggregate->histogram[histogram_bucket]++;
}

/* The entry for this operation. The last one is kept for what finds no room: name 0, "other". */
static struct wan_record_aggregate *find(struct wan_fold_work *work,
					 const struct wan_record_operation *operation)
{
	struct wan_record_fold *fold = work->fold;
	unsigned bucket = wan_record_size_bucket(operation->width_px, operation->height_px);
	if (work->latest && wan_aggregate_matches(work->latest, operation, bucket))
		return work->latest; /* work of one kind comes in rows */
	for (uint32_t i = 0; i < fold->aggregate_count; i++)
		if (wan_aggregate_matches(&fold->aggregates[i], operation, bucket))
			return work->latest = &fold->aggregates[i];
	struct wan_record_aggregate *fresh = &fold->aggregates[fold->aggregate_count];
	if (fold->aggregate_count < WAN_RECORD_AGGREGATES - 1) {
		fold->aggregate_count++;
		wan_aggregate_start(fresh, operation, bucket);
		return work->latest = fresh;
	}
	fold->merged++;
	if (fold->aggregate_count < WAN_RECORD_AGGREGATES) {
		static const struct wan_record_operation other;
		fold->aggregate_count++;
		wan_aggregate_start(fresh, &other, 0);
	}
	return &fold->aggregates[WAN_RECORD_AGGREGATES - 1];
}

static void find_least(struct wan_fold_work *work)
{
	work->least_ticks = UINT64_MAX;
	for (uint32_t i = 0; i < WAN_RECORD_NOTABLE; i++) {
		uint64_t ticks = wan_record_inside_ticks(&work->fold->slowest[i]);
		if (ticks < work->least_ticks) {
			work->least_ticks = ticks;
			work->least = i;
		}
	}
}

/* The slowest by inside time: replaces the fastest of those kept. */
static void keep_slow(struct wan_fold_work *work, const struct wan_record_operation *operation,
		      uint64_t ticks)
{
	struct wan_record_fold *fold = work->fold;
	if (fold->slow_count < WAN_RECORD_NOTABLE) {
		fold->slowest[fold->slow_count++] = *operation;
		return;
	}
	if (!work->least_ticks)
		find_least(work);
	if (ticks <= work->least_ticks)
		return;
	fold->slowest[work->least] = *operation;
	find_least(work);
}

/* The latest failures: replaces the oldest of those kept. */
static void keep_failed(struct wan_record_fold *fold, const struct wan_record_operation *operation)
{
	uint32_t oldest = 0;
	if (fold->failed_count < WAN_RECORD_NOTABLE) {
		fold->failed[fold->failed_count++] = *operation;
		return;
	}
	for (uint32_t i = 1; i < WAN_RECORD_NOTABLE; i++)
		if (fold->failed[i].start_ticks < fold->failed[oldest].start_ticks)
			oldest = i;
	fold->failed[oldest] = *operation;
}

void wan_fold_operation(struct wan_fold_work *work, const struct wan_record_operation *operation)
{
	uint64_t ticks = wan_record_inside_ticks(operation);
	uint64_t ns = (uint64_t)((__uint128_t)ticks * work->ns_per_tick_32 >> 32);
	wan_aggregate_add(find(work, operation), operation, wan_histogram_bucket(ns));
	unsigned status = wan_record_status_of(operation);
	if (status == WAN_OP_FAILED || status == WAN_OP_ABORTED)
		keep_failed(work->fold, operation);
	else
		keep_slow(work, operation, ticks);
}

/* Only the entries in use: a program has a few kinds of work, not a hundred. */
static void copy_used(struct wan_record_fold *to, const struct wan_record_fold *from)
{
	memcpy(to, from, offsetof(struct wan_record_fold, aggregates));
	memcpy(to->aggregates, from->aggregates,
	       from->aggregate_count * sizeof(from->aggregates[0]));
	memcpy(to->slowest, from->slowest, from->slow_count * sizeof(from->slowest[0]));
	memcpy(to->failed, from->failed, from->failed_count * sizeof(from->failed[0]));
}

static struct wan_record_fold *fold_of(struct wan_lane *lane, uint64_t generation)
{
	char *first = (char *)lane->shared + WAN_RECORD_PAGE;
	return (struct wan_record_fold *)(first + (generation & 1) * WAN_RECORD_FOLD_BYTES);
}

/* Sequence of the record that stands before `current` by its seal. */
static uint64_t sequence_of(uint64_t current, uint32_t seal)
{
	return current - (uint32_t)((uint32_t)current - seal);
}

void wan_fold_chunk(struct wan_lane *lane, const struct wan_record_operation *oldest)
{
	uint64_t generation = lane->shared->generation;
	struct wan_record_fold *to = fold_of(lane, generation + 1);
	if (generation)
		copy_used(to, fold_of(lane, generation));
	else
		memset(to, 0, offsetof(struct wan_record_fold, aggregates));

	struct wan_fold_work work = {
		.fold = to,
		.ns_per_tick_32 = lane->recorder->ns_per_tick_32,
	};
	for (unsigned i = 0; i < WAN_RECORD_CHUNK_RECORDS; i++)
		if (oldest[i].seal && wan_record_kind_of(&oldest[i]) == WAN_RECORD_OPERATION)
			wan_fold_operation(&work, &oldest[i]);
	uint32_t last_seal = oldest[WAN_RECORD_CHUNK_RECORDS - 1].seal;
	if (last_seal)
		to->folded_sequence = sequence_of(lane->sequence, last_seal);
	to->generation = generation + 1;
	to->check = wan_record_fold_check(to);
	/* pairs with the reader: from here on the records of the chunk count no more */
	wan_store_release(&lane->shared->generation, generation + 1);
}
