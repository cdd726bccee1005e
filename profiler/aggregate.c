/* SPDX-License-Identifier: MIT */
#include "aggregate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "hash.h"
#include "macros.h"

enum { RECENT = 256 };

/* A kind of operation that was looked up. */
struct recent {
	bool used;
	const char *name, *library;
	uint64_t rest;
	size_t row;
};

static int compare_key(const char *name_a, const char *library_a, unsigned rest_a,
		       const char *name_b, const char *library_b, unsigned rest_b)
{
	int order = strcmp(name_a, name_b);
	if (!order)
		order = strcmp(library_a, library_b);
	return order ? order : (rest_a > rest_b) - (rest_a < rest_b);
}

static unsigned rest_of(unsigned flags, unsigned status)
{
	return flags << 8 | status;
}

static int by_key(const void *left, const void *right)
{
	const struct wan_row *a = left, *b = right;
	return compare_key(a->name, a->library, rest_of(a->flags, a->status), b->name, b->library,
			   rest_of(b->flags, b->status));
}

static const char *text_or_empty(const char *text)
{
	return text ? text : "";
}

static int compare_to_row(const void *left, const void *right)
{
	const struct wan_view_operation *operation = left;
	const struct wan_row *row = right;
	return compare_key(wan_operation_name(operation->record),
			   wan_operation_library(operation->record),
			   rest_of(operation->flags, operation->status), row->name, row->library,
			   rest_of(row->flags, row->status));
}

static int by_cost(const void *left, const void *right)
{
	const struct wan_row *a = left, *b = right;
	if (a->inside_ns != b->inside_ns)
		return a->inside_ns > b->inside_ns ? -1 : 1;
	return by_key(left, right);
}

static void add_aggregate(struct wan_row *row, const struct wan_process_aggregate *from,
			  uint16_t key_flags)
{
	row->name = text_or_empty(from->name);
	row->library = text_or_empty(from->library);
	row->status = from->status;
	row->flags = from->flags & key_flags;
	row->flags_seen = from->flags;
	row->unknown_name = row->name[0] == '\0';
	row->count = from->count;
	row->span_ns = from->span_ns;
	row->inside_ns = from->inside_ns;
	row->min_ns = from->min_ns;
	row->max_ns = from->max_ns;
	row->pixels = from->pixels;
	row->cpu_ns = from->cpu_ns;
	row->cpu_known = from->cpu_known;
	row->file_bytes = from->file_bytes;
	row->file_known = from->file_known;
	row->memory_bytes = from->memory_bytes;
	row->memory_known = from->memory_known;
	row->peak_bytes = from->peak_bytes == UINT64_MAX ? 0 : from->peak_bytes;
	memcpy(row->histogram, from->histogram, sizeof(row->histogram));
	if (from->flags & WAN_FLAG_PROGRESSIVE) {
		row->progressive = from->count;
		row->progressive_ns = from->inside_ns;
	}
}

/* Sums of a damaged recording may pass any limit. */
static int64_t wrapping(int64_t sum, uint64_t more)
{
	return (int64_t)((uint64_t)sum + more);
}

static uint64_t less(uint64_t from, uint64_t what)
{
	return from > what ? from - what : 0;
}

/* Sums since the baseline; minimum, maximum and peak cannot be taken back and stay. */
static void subtract(struct wan_row *row, const struct wan_process_aggregate *what)
{
	row->count = less(row->count, what->count);
	row->span_ns = less(row->span_ns, what->span_ns);
	row->inside_ns = less(row->inside_ns, what->inside_ns);
	row->progressive = WAN_MIN(row->progressive, row->count);
	row->progressive_ns = WAN_MIN(row->progressive_ns, row->inside_ns);
	row->pixels = less(row->pixels, what->pixels);
	row->cpu_ns = less(row->cpu_ns, what->cpu_ns);
	row->cpu_known = less(row->cpu_known, what->cpu_known);
	row->file_bytes = less(row->file_bytes, what->file_bytes);
	row->file_known = less(row->file_known, what->file_known);
	row->memory_bytes = wrapping(row->memory_bytes, -(uint64_t)what->memory_bytes);
	row->memory_known = less(row->memory_known, what->memory_known);
	for (size_t i = 0; i < WAN_RECORD_HISTOGRAM; i++)
		row->histogram[i] = less(row->histogram[i], what->histogram[i]);
}

static bool same_aggregate(const struct wan_process_aggregate *a,
			   const struct wan_process_aggregate *b)
{
	return a->status == b->status && a->flags == b->flags && a->size_bucket == b->size_bucket &&
	       strcmp(text_or_empty(a->name), text_or_empty(b->name)) == 0 &&
	       strcmp(text_or_empty(a->library), text_or_empty(b->library)) == 0;
}

static void subtract_baseline(struct wan_row *row, const struct wan_process_aggregate *from,
			      const struct wan_process *baseline)
{
	for (size_t i = 0; i < baseline->aggregate_count; i++)
		if (same_aggregate(&baseline->aggregates[i], from))
			subtract(row, &baseline->aggregates[i]);
}

static void merge(struct wan_row *to, const struct wan_row *from)
{
	to->flags_seen |= from->flags_seen;
	if (from->count && (!to->count || from->min_ns < to->min_ns))
		to->min_ns = from->min_ns;
	to->max_ns = WAN_MAX(to->max_ns, from->max_ns);
	to->count += from->count;
	to->progressive += from->progressive;
	to->progressive_ns += from->progressive_ns;
	to->span_ns += from->span_ns;
	to->inside_ns += from->inside_ns;
	to->pixels += from->pixels;
	to->cpu_ns += from->cpu_ns;
	to->cpu_known += from->cpu_known;
	to->file_bytes += from->file_bytes;
	to->file_known += from->file_known;
	to->memory_bytes = wrapping(to->memory_bytes, (uint64_t)from->memory_bytes);
	to->memory_known += from->memory_known;
	to->peak_bytes = WAN_MAX(to->peak_bytes, from->peak_bytes);
	for (size_t i = 0; i < WAN_RECORD_HISTOGRAM; i++)
		to->histogram[i] += from->histogram[i];
}

static unsigned bucket_of(uint64_t ns)
{
	unsigned bucket = 0;
	while (bucket + 1 < WAN_RECORD_HISTOGRAM && ns > wan_histogram_edge_ns(bucket))
		bucket++;
	return bucket;
}

/* The open operation of a process that ended is an operation like others, seen from its record. */
static void from_unfinished(struct wan_row *row, const struct wan_view_operation *operation,
			    uint16_t key_flags)
{
	const struct wan_recording_operation *record = operation->record;
	row->name = wan_operation_name(record);
	row->library = wan_operation_library(record);
	row->status = operation->status;
	row->flags = operation->flags & key_flags;
	row->flags_seen = operation->flags;
	row->count = 1;
	row->span_ns = record->span_ns;
	row->inside_ns = row->min_ns = row->max_ns = record->inside_ns;
	row->pixels = (uint64_t)record->width_px * record->height_px;
	row->file_known = record->file_bytes != UINT64_MAX;
	row->file_bytes = row->file_known ? record->file_bytes : 0;
	row->histogram[bucket_of(record->inside_ns)] = 1;
}

static size_t collect(struct wan_row *items, const struct wan_view *view, uint16_t key_flags)
{
	size_t count = 0;
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_view_source *source = &view->sources[i];
		const struct wan_process *process = source->process;
		for (size_t j = 0; j < process->aggregate_count; j++) {
			struct wan_row *row = &items[count];
			*row = (struct wan_row){0};
			add_aggregate(row, &process->aggregates[j], key_flags);
			if (!wan_view_wants(view, row->name))
				continue;
			if (source->baseline)
				subtract_baseline(row, &process->aggregates[j], source->baseline);
			count += row->count != 0;
		}
	}
	for (size_t i = 0; i < view->operation_count; i++)
		if (view->operations[i].unfinished) {
			items[count] = (struct wan_row){0};
			from_unfinished(&items[count++], &view->operations[i], key_flags);
		}
	return count;
}

static size_t merge_equal(struct wan_row *items, size_t count)
{
	size_t kept = 0;
	qsort(items, count, sizeof(*items), by_key);
	for (size_t i = 0; i < count; i++) {
		if (kept && by_key(&items[kept - 1], &items[i]) == 0)
			merge(&items[kept - 1], &items[i]);
		else
			items[kept++] = items[i];
	}
	return kept;
}

static int by_number(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
	return (a > b) - (a < b);
}

static uint64_t rank(const uint64_t *sorted, size_t count, double share)
{
	size_t index = (size_t)(share * (double)count);
	return sorted[index < count ? index : count - 1];
}

static void percentiles(struct wan_row *row, const struct wan_view_operation *operations,
			uint64_t *scratch)
{
	row->exact_percentiles = row->records == row->count && row->count;
	if (!row->exact_percentiles) {
		const uint64_t *h = row->histogram;
		row->p50_ns = wan_histogram_percentile_ns(h, 0.5, row->min_ns, row->max_ns);
		row->p90_ns = wan_histogram_percentile_ns(h, 0.9, row->min_ns, row->max_ns);
		row->p99_ns = wan_histogram_percentile_ns(h, 0.99, row->min_ns, row->max_ns);
		row->p999_ns = wan_histogram_percentile_ns(h, 0.999, row->min_ns, row->max_ns);
		return;
	}
	for (size_t i = 0; i < row->records; i++)
		scratch[i] = operations[i].record->inside_ns;
	qsort(scratch, row->records, sizeof(*scratch), by_number);
	row->min_ns = scratch[0]; /* exact also after a baseline was taken away */
	row->max_ns = scratch[row->records - 1];
	row->p50_ns = rank(scratch, row->records, 0.5);
	row->p90_ns = rank(scratch, row->records, 0.9);
	row->p99_ns = rank(scratch, row->records, 0.99);
	row->p999_ns = rank(scratch, row->records, 0.999);
}

static void fit(struct wan_row *row, const struct wan_view_operation *operations,
		struct wan_scaling_sample *scratch)
{
	size_t memory = 0;
	for (size_t i = 0; i < row->records; i++) {
		const struct wan_recording_operation *record = operations[i].record;
		scratch[i].pixels = (double)record->width_px * record->height_px;
		scratch[i].cost = (double)record->inside_ns;
	}
	wan_scaling_fit(scratch, row->records, &row->scaling);
	for (size_t i = 0; i < row->records; i++) {
		const struct wan_recording_operation *record = operations[i].record;
		if (record->peak_bytes == UINT64_MAX)
			continue;
		scratch[memory].pixels = (double)record->width_px * record->height_px;
		scratch[memory++].cost = (double)record->peak_bytes;
	}
	wan_scaling_fit(scratch, memory, &row->memory_scaling);
}

/*
 * The row of an operation. Kinds are few and a recording holds each name once, so the row is known
 * from the pointers nearly always; texts are compared only for what was not seen lately. The number
 * of rows where there is none.
 */
static size_t row_of(const struct wan_rows *rows, const struct wan_view_operation *operation,
		     struct recent *recent)
{
	const struct wan_recording_operation *record = operation->record;
	uint64_t rest = rest_of(operation->flags, operation->status);
	uint64_t words[3] = {(uintptr_t)record->name, (uintptr_t)record->library, rest};
	struct recent *slot = &recent[wan_mix32(words, WAN_COUNT_OF(words), 0) % RECENT];
	if (!slot->used || slot->name != record->name || slot->library != record->library ||
	    slot->rest != rest) {
		const struct wan_row *row = bsearch(operation, rows->items, rows->count,
						    sizeof(*rows->items), compare_to_row);
		*slot = (struct recent){.used = true,
					.name = record->name,
					.library = record->library,
					.rest = rest,
					.row = row ? (size_t)(row - rows->items) : rows->count};
	}
	return slot->row;
}

/*
 * Hands each row its records, in their order, in time linear in their number. rows->items are
 * sorted by key. A record without a row (its aggregate was damaged) comes after all others; it
 * still is in the list of operations. scratch: a number for each operation.
 */
static void assign_records(struct wan_rows *rows, const struct wan_view *view, uint16_t key_flags,
			   size_t *scratch)
{
	struct recent recent[RECENT] = {0};
	for (size_t i = 0; i < view->operation_count; i++) {
		struct wan_view_operation operation = view->operations[i];
		operation.flags &= key_flags;
		scratch[i] = row_of(rows, &operation, recent);
		if (scratch[i] < rows->count)
			rows->items[scratch[i]].records++;
	}
	size_t at = 0;
	for (size_t i = 0; i < rows->count; i++) {
		rows->items[i].first_record = at;
		at += rows->items[i].records;
		rows->items[i].records = 0;
	}
	for (size_t i = 0; i < view->operation_count; i++) {
		struct wan_row *row = &rows->items[scratch[i]];
		size_t to = scratch[i] < rows->count ? row->first_record + row->records++ : at++;
		rows->operations[to] = view->operations[i];
		rows->operations[to].flags &= key_flags;
	}
}

static void sum_up(struct wan_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		const struct wan_row *row = &rows->items[i];
		if (row->flags & WAN_FLAG_CHILD) {
			rows->nested_operations += row->count;
			continue;
		}
		rows->total_operations += row->count;
		rows->total_inside_ns += row->inside_ns;
		rows->total_cpu_ns += row->cpu_ns;
		rows->cpu_known |= row->cpu_known != 0;
		rows->memory_known |= row->memory_known != 0;
		if (row->memory_bytes > 0)
			rows->total_memory_bytes += (uint64_t)row->memory_bytes;
		rows->peak_bytes = WAN_MAX(rows->peak_bytes, row->peak_bytes);
	}
}

int wan_rows_init(struct wan_rows *rows, const struct wan_view *view, uint16_t key_flags)
{
	*rows = (struct wan_rows){0};
	size_t room = view->operation_count + 1;
	for (size_t i = 0; i < view->source_count; i++)
		room += view->sources[i].process->aggregate_count;
	size_t operations = view->operation_count;
	size_t scratch_bytes = WAN_MAX(sizeof(uint64_t), sizeof(struct wan_scaling_sample));
	rows->items = wan_calloc(room, sizeof(*rows->items));
	rows->operations = wan_calloc(operations + 1, sizeof(*rows->operations));
	void *scratch = wan_calloc(operations + 1, scratch_bytes);
	if (!rows->items || !rows->operations || !scratch) {
		wan_free(scratch);
		wan_rows_finish(rows);
		return -ENOMEM;
	}
	rows->count = merge_equal(rows->items, collect(rows->items, view, key_flags));
	assign_records(rows, view, key_flags, scratch);
	for (size_t i = 0; i < rows->count; i++) {
		struct wan_row *row = &rows->items[i];
		percentiles(row, rows->operations + row->first_record, scratch);
		fit(row, rows->operations + row->first_record, scratch);
	}
	wan_free(scratch);
	qsort(rows->items, rows->count, sizeof(*rows->items), by_cost);
	sum_up(rows);
	return 0;
}

void wan_rows_finish(struct wan_rows *rows)
{
	wan_free(rows->items);
	wan_free(rows->operations);
	*rows = (struct wan_rows){0};
}
