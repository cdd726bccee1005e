/* SPDX-License-Identifier: MIT */
/* A row of operations[], split by the size of the image: one entry for each power of two of pixels,
 * as the recording sums them. Counts and times add up to those of the row. */
#include <string.h>

#include "export.h"
#include "macros.h"

#define BUCKETS 65 /* floor(log2(pixels)) + 1; 0: no size */

struct size {
	uint64_t count, inside_ns, pixels, min_ns, max_ns, peak_bytes;
};

static unsigned bucket_of(const struct wan_recording_operation *record)
{
	uint64_t pixels = (uint64_t)record->width_px * record->height_px;
	return pixels ? 64 - (unsigned)__builtin_clzll(pixels) : 0;
}

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool of_row(const struct wan_row *row, const struct wan_process_aggregate *sum)
{
	return sum->status == row->status && (sum->flags & WAN_ROWS_OPTIONS) == row->flags &&
	       same_text(sum->name, row->name) && same_text(sum->library, row->library);
}

static void add(struct size *size, const struct wan_process_aggregate *sum)
{
	size->min_ns = size->count ? WAN_MIN(size->min_ns, sum->min_ns) : sum->min_ns;
	size->max_ns = WAN_MAX(size->max_ns, sum->max_ns);
	size->count += sum->count;
	size->inside_ns += sum->inside_ns;
	size->pixels += sum->pixels;
	if (sum->peak_bytes != UINT64_MAX)
		size->peak_bytes = WAN_MAX(size->peak_bytes, sum->peak_bytes);
}

/* What was there when profiling began; minimum, maximum and peak cannot be taken back. */
static void take_away(struct size *size, const struct wan_process_aggregate *sum)
{
	size->count -= WAN_MIN(size->count, sum->count);
	size->inside_ns -= WAN_MIN(size->inside_ns, sum->inside_ns);
	size->pixels -= WAN_MIN(size->pixels, sum->pixels);
}

static void add_sums(struct size *sizes, const struct wan_row *row,
		     const struct wan_process *process,
		     void (*take)(struct size *, const struct wan_process_aggregate *))
{
	for (size_t i = 0; process && i < process->aggregate_count; i++) {
		const struct wan_process_aggregate *sum = &process->aggregates[i];
		if (of_row(row, sum) && sum->size_bucket < BUCKETS)
			take(&sizes[sum->size_bucket], sum);
	}
}

/* Operations that were open when their process ended have no sum. */
static void add_unfinished(struct size *sizes, const struct wan_rows *rows,
			   const struct wan_row *row)
{
	for (size_t i = 0; i < row->records; i++) {
		const struct wan_view_operation *operation =
			&rows->operations[row->first_record + i];
		const struct wan_recording_operation *record = operation->record;
		const struct wan_process_aggregate sum = {
			.count = 1,
			.inside_ns = record->inside_ns,
			.min_ns = record->inside_ns,
			.max_ns = record->inside_ns,
			.pixels = (uint64_t)record->width_px * record->height_px,
		};
		if (operation->unfinished)
			add(&sizes[bucket_of(record)], &sum);
	}
}

void wan_export_sizes(const struct wan_export *export, const struct wan_row *row)
{
	struct wan_json *json = export->json;
	const struct wan_analysis *analysis = export->analysis;
	struct size sizes[BUCKETS] = {{0}};
	for (size_t i = 0; i < analysis->view.source_count; i++) {
		add_sums(sizes, row, analysis->view.sources[i].process, add);
		add_sums(sizes, row, analysis->view.sources[i].baseline, take_away);
	}
	add_unfinished(sizes, &analysis->kinds, row);
	wan_json_key(json, "sizes");
	wan_json_array_begin(json);
	for (unsigned i = 0; i < BUCKETS; i++) {
		if (!sizes[i].count)
			continue;
		wan_json_object_begin(json);
		wan_json_key_u64(json, "pixels_from", i ? UINT64_C(1) << (i - 1) : 0);
		wan_json_key_u64(json, "pixels_to",
				 i == 64 ? UINT64_MAX
				 : i     ? (UINT64_C(1) << i) - 1
					 : 0);
		wan_json_key_u64(json, "count", sizes[i].count);
		wan_export_time(json, "total_time", sizes[i].inside_ns);
		wan_export_time(json, "min", sizes[i].min_ns);
		wan_export_time(json, "max", sizes[i].max_ns);
		wan_export_number(json, "megapixels", i ? (double)sizes[i].pixels / 1e6 : -1, 6);
		wan_export_bytes(json, "peak_memory",
				 sizes[i].peak_bytes ? sizes[i].peak_bytes : UINT64_MAX);
		wan_json_object_end(json);
	}
	wan_json_array_end(json);
}
