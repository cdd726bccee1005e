/* SPDX-License-Identifier: MIT */
#include "compare.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cleanup.h"
#include "compare_classes.h"
#include "compare_memory.h"
#include "macros.h"
#include "str.h"

struct work {
	struct comparison comparison;
	struct run_classes *base, *now; /* of each pair of runs */
	size_t runs;                    /* pairs of runs */
	struct compare_sample *samples; /* of each row */
	double *values;                 /* what samples point to */
	size_t room;                    /* pairs that one row may have */
};

/* Text of another run: what is known of both and differs. */
static bool differs(const char *a, const char *b)
{
	return a && b && strcmp(a, b) != 0;
}

static void not_comparable(struct comparison *comparison, const char *what, const char *base,
			   const char *now)
{
	char from[80], to[80];
	if (!comparison->comparable)
		return;
	wan_str_printable(from, sizeof(from), base);
	wan_str_printable(to, sizeof(to), now);
	comparison->comparable = false;
	wan_str_format(comparison->reason, sizeof(comparison->reason),
		       "the baseline is of another %s (%s, now %s)", what, from, to);
}

static void check_machine(struct comparison *comparison, const struct run_facts *base,
			  const struct run_facts *now)
{
	const struct run_machine *a = &base->machine, *b = &now->machine;
	char from[32], to[32];
	if (differs(a->tier, b->tier))
		not_comparable(comparison, "hardware tier", a->tier, b->tier);
	if (differs(a->cpu_model, b->cpu_model))
		not_comparable(comparison, "machine", a->cpu_model, b->cpu_model);
	if (differs(a->gpu_model, b->gpu_model))
		not_comparable(comparison, "machine", a->gpu_model, b->gpu_model);
	if (a->cpus && b->cpus && a->cpus != b->cpus) {
		wan_str_format(from, sizeof(from), "%u CPUs", a->cpus);
		wan_str_format(to, sizeof(to), "%u", b->cpus);
		not_comparable(comparison, "machine", from, to);
	}
	if (fabs(a->memory_mb - b->memory_mb) > 0.1 * fmax(a->memory_mb, b->memory_mb)) {
		wan_str_format(from, sizeof(from), "%.0f MB of memory", a->memory_mb);
		wan_str_format(to, sizeof(to), "%.0f", b->memory_mb);
		not_comparable(comparison, "machine", from, to);
	}
	if (base->cold >= 0 && now->cold >= 0 && base->cold != now->cold)
		not_comparable(comparison, "start", base->cold ? "cold" : "warm",
			       now->cold ? "cold" : "warm");
}

/* Is there no run between those of each pair, of those whose start is known? */
static bool interleaved(const struct run_facts *base, const struct run_facts *now, size_t pairs)
{
	for (size_t i = 0; i < pairs; i++) {
		uint64_t from = WAN_MIN(base[i].started_realtime_ns, now[i].started_realtime_ns);
		uint64_t to = WAN_MAX(base[i].started_realtime_ns, now[i].started_realtime_ns);
		for (size_t k = 0; k < pairs; k++) {
			uint64_t a = base[k].started_realtime_ns, b = now[k].started_realtime_ns;
			if (k != i && ((a > from && a < to) || (b > from && b < to)))
				return false;
		}
	}
	return true;
}

/* What the base took, and what it would take at the speed of now. False: nothing alike. */
static bool pair_of_runs(const struct compare_row *row, const struct run_classes *base,
			 const struct run_classes *now, double *ret_base, double *ret_now,
			 double *operations)
{
	*ret_base = *ret_now = 0;
	for (size_t i = 0; i < base->count; i++) {
		const struct run_class *a = &base->items[i];
		const struct run_class *b =
			compare_of_row(row, a) ? run_classes_find(now, a) : NULL;
		if (!b)
			continue;
		*ret_base += a->total_ms;
		*ret_now += a->total_ms * (b->median_ms / a->median_ms);
		*operations += row->name ? a->total_ms / a->median_ms : 0;
	}
	return *ret_base > 0 && isfinite(*ret_now);
}

static void sample_runs(struct work *work, struct compare_row *row, double *base, double *now,
			size_t *ret_pairs)
{
	double operations = 0, base_sum = 0, now_sum = 0;
	size_t pairs = 0;
	for (size_t i = 0; i < work->runs; i++) {
		if (!pair_of_runs(row, &work->base[i], &work->now[i], &base[pairs], &now[pairs],
				  &operations))
			continue;
		base_sum += base[pairs];
		now_sum += now[pairs++];
	}
	double each = row->name ? operations : (double)pairs;
	row->base_ms = each > 0 ? base_sum / each : NAN;
	row->now_ms = each > 0 ? now_sum / each : NAN;
	*ret_pairs = pairs;
}

/* Operations of one run each, in order within their class. */
static void sample_operations(struct work *work, struct compare_row *row, double *base, double *now,
			      size_t *ret_pairs)
{
	const struct run_classes *from = &work->base[0], *to = &work->now[0];
	double operations = 0, base_ms = 0, now_ms = 0;
	size_t pairs = 0;
	for (size_t i = 0; i < from->count; i++) {
		const struct run_class *a = &from->items[i];
		const struct run_class *b = compare_of_row(row, a) ? run_classes_find(to, a) : NULL;
		for (size_t k = 0; b && k < a->count && k < b->count; k++) {
			base[pairs] = from->times_ms[a->first + k];
			now[pairs++] = to->times_ms[b->first + k];
		}
	}
	if (pair_of_runs(row, from, to, &base_ms, &now_ms, &operations)) {
		row->base_ms = base_ms / (row->name ? operations : 1);
		row->now_ms = now_ms / (row->name ? operations : 1);
	}
	*ret_pairs = pairs;
}

static struct compare_row *row_of(struct comparison *comparison, const struct run_class *class)
{
	for (size_t i = 0; i < comparison->count; i++)
		if (compare_of_row(&comparison->rows[i], class))
			return &comparison->rows[i];
	if (wan_array_reserve(&comparison->rows, &comparison->capacity, comparison->count + 2,
			      sizeof(comparison->rows[0])))
		return NULL;
	struct compare_row *row = &comparison->rows[comparison->count++];
	*row = (struct compare_row){.name = class->name,
				    .library = class->library,
				    .base_ms = NAN,
				    .now_ms = NAN,
				    .base_mb = NAN,
				    .now_mb = NAN};
	return row;
}

/* Kinds of one run that may be worth judging: a file may name a million that are not. */
static int add_rows(struct comparison *comparison, const struct run_classes *run, double all_ms)
{
	for (size_t i = 0, next; i < run->count; i = next) {
		double total_ms = 0;
		for (next = i; next < run->count &&
			       compare_class_kind(&run->items[next], &run->items[i]) == 0;
		     next++)
			total_ms += run->items[next].total_ms;
		if (!(total_ms >= COMPARE_SHARE_MIN / 2 * run->total_ms))
			continue;
		struct compare_row *row = row_of(comparison, &run->items[i]);
		if (!row)
			return -ENOMEM;
		row->share += total_ms / all_ms;
	}
	return 0;
}

static int by_share(const void *left, const void *right)
{
	const struct compare_row *a = left, *b = right;
	if (!a->name || !b->name)
		return a->name ? 1 : -1;
	return a->share < b->share ? 1 : a->share > b->share ? -1 : strcmp(a->name, b->name);
}

/* Small kinds go; where several stay, their total is a row as well. */
static void choose_rows(struct comparison *comparison)
{
	size_t kept = 0;
	for (size_t i = 0; i < comparison->count; i++)
		if (comparison->rows[i].share >= COMPARE_SHARE_MIN)
			comparison->rows[kept++] = comparison->rows[i];
	comparison->count = kept;
	if (kept > 1)
		comparison->rows[comparison->count++] = (struct compare_row){
			.share = 1, .base_ms = NAN, .now_ms = NAN, .base_mb = NAN, .now_mb = NAN};
	if (comparison->count)
		qsort(comparison->rows, comparison->count, sizeof(comparison->rows[0]), by_share);
}

static int fill_rows(struct work *work)
{
	struct comparison *comparison = &work->comparison;
	size_t rows = 0;
	for (size_t i = 0; i < work->base[0].count; i++)
		work->room += work->base[0].items[i].count + 1;
	work->room = WAN_MAX(work->room, work->runs);
	work->samples = wan_calloc(comparison->count + 1, sizeof(work->samples[0]));
	work->values = wan_calloc((comparison->count + 1) * 2, work->room * sizeof(double));
	if (!work->samples || !work->values)
		return -ENOMEM;
	for (size_t i = 0; i < comparison->count; i++) {
		double *base = work->values + 2 * i * work->room, *now = base + work->room;
		struct compare_row row = comparison->rows[i];
		size_t pairs;
		if (comparison->by_runs)
			sample_runs(work, &row, base, now, &pairs);
		else
			sample_operations(work, &row, base, now, &pairs);
		if (!pairs) {
			comparison->unmatched++;
			continue;
		}
		work->samples[rows] = (struct compare_sample){base, now, pairs};
		comparison->rows[rows++] = row;
	}
	comparison->count = rows;
	compare_judge(comparison->rows, work->samples, rows, comparison->limit_percent,
		      !comparison->by_runs || !comparison->interleaved);
	return 0;
}

static void work_finish(struct work *work)
{
	for (size_t i = 0; i < work->runs; i++) {
		if (work->base)
			run_classes_finish(&work->base[i]);
		if (work->now)
			run_classes_finish(&work->now[i]);
	}
	wan_free(work->base);
	wan_free(work->now);
	wan_free(work->samples);
	wan_free(work->values);
}

static int do_work(struct work *work, const struct run_facts *base, const struct run_facts *now)
{
	double total_ms = 0;
	work->base = wan_calloc(work->runs, sizeof(work->base[0]));
	work->now = wan_calloc(work->runs, sizeof(work->now[0]));
	if (!work->base || !work->now)
		return -ENOMEM;
	for (size_t i = 0; i < work->runs; i++) {
		if (run_classes_init(&work->base[i], &base[i]) ||
		    run_classes_init(&work->now[i], &now[i]))
			return -ENOMEM;
		total_ms += work->base[i].total_ms;
		check_machine(&work->comparison, &base[i], &now[i]);
	}
	for (size_t i = 0; i < work->runs; i++)
		if (add_rows(&work->comparison, &work->base[i], total_ms))
			return -ENOMEM;
	choose_rows(&work->comparison);
	int rc = fill_rows(work);
	return rc ? rc
		  : compare_memory(&work->comparison, &(struct compare_sides){.base = work->base,
									      .now = work->now,
									      .base_runs = base,
									      .now_runs = now,
									      .count = work->runs});
}

int compare_runs(struct comparison *ret_comparison, const struct run_facts *base, size_t base_count,
		 const struct run_facts *now, size_t now_count, double limit_percent)
{
	struct work work = {.runs = WAN_MIN(base_count, now_count)};
	if (!work.runs)
		return -EINVAL;
	work.comparison = (struct comparison){
		.by_runs = work.runs > 1,
		.interleaved = interleaved(base, now, work.runs),
		.comparable = true,
		.base_runs = base_count,
		.now_runs = now_count,
		.limit_percent = limit_percent > 0 ? limit_percent : COMPARE_LIMIT_PERCENT,
	};
	int rc = do_work(&work, base, now);
	work_finish(&work);
	if (rc)
		compare_finish(&work.comparison);
	else
		*ret_comparison = work.comparison;
	return rc;
}

void compare_finish(struct comparison *comparison)
{
	wan_free(comparison->rows);
	*comparison = (struct comparison){0};
}
