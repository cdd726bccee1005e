/* SPDX-License-Identifier: MIT */
#include "diff.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cleanup.h"
#include "macros.h"
#include "str.h"

#define DIFF_CONFIDENCE 0.95

const char *diff_judgement_name(enum diff_judgement judgement)
{
	static const char *const names[] = {"within noise", "more", "less", "unknown"};
	return names[judgement];
}

/* Runs of one side are independent samples: what is known of their noise is between them. */
static void judge(struct diff_row *row, const double *base, size_t base_count, const double *now,
		  size_t now_count)
{
	row->base = stat_percentile(base, base_count, 0.5);
	row->now = stat_percentile(now, now_count, 0.5);
	row->ratio = (struct stat_interval){NAN, 0, INFINITY};
	row->judgement = DIFF_UNKNOWN;
	if (!(row->base > 0) || !(row->now > 0))
		return;
	row->ratio = stat_shift(base, base_count, now, now_count, true, DIFF_CONFIDENCE);
	if (!(row->ratio.high < INFINITY))
		return;
	row->judgement = row->ratio.low > 1    ? DIFF_MORE
			 : row->ratio.high < 1 ? DIFF_LESS
					       : DIFF_WITHIN_NOISE;
}

typedef double (*figure)(const struct run_facts *run, const struct diff_row *row);

/* The values of one side that are known. */
static size_t gather(const struct run_facts *runs, size_t count, figure value,
		     const struct diff_row *row, double *to)
{
	size_t known = 0;
	for (size_t i = 0; i < count; i++) {
		double one = value(&runs[i], row);
		if (!isnan(one))
			to[known++] = one;
	}
	return known;
}

static int add(struct diff *diff, struct diff_rows *rows, struct diff_row row, figure value)
{
	wan_cleanup(wan_freep) double *base = wan_calloc(diff->base_count, sizeof(double));
	wan_cleanup(wan_freep) double *now = wan_calloc(diff->now_count, sizeof(double));
	if (!base || !now ||
	    wan_array_reserve(&rows->items, &rows->capacity, rows->count + 1, sizeof(row)))
		return -ENOMEM;
	size_t base_count = gather(diff->base, diff->base_count, value, &row, base);
	size_t now_count = gather(diff->now, diff->now_count, value, &row, now);
	if (!base_count && !now_count)
		return 0;
	judge(&row, base, base_count, now, now_count);
	rows->items[rows->count++] = row;
	return 0;
}

static double duration(const struct run_facts *run, const struct diff_row *row)
{
	return run->duration_ms;
}

static double operations(const struct run_facts *run, const struct diff_row *row)
{
	return (double)run->total_operations;
}

static double operation_time(const struct run_facts *run, const struct diff_row *row)
{
	double sum = 0;
	for (size_t i = 0; i < run->kind_count; i++)
		sum += run->kinds[i].total_ms;
	return sum;
}

static double failed(const struct run_facts *run, const struct diff_row *row)
{
	return (double)run->failed_operations;
}

static double cpu(const struct run_facts *run, const struct diff_row *row)
{
	return run->cpu_average_percent;
}

static double hit_rate(const struct run_facts *run, const struct diff_row *row)
{
	return 100 * run->cache_hit_rate;
}

static double phase(const struct run_facts *run, const struct diff_row *row)
{
	for (size_t i = 0; i < run->phase_count; i++)
		if (wan_str_equal(run->phases[i].name, row->name))
			return run->phases[i].duration_ms;
	return NAN;
}

static const struct run_kind *kind_of(const struct run_facts *run, const struct diff_row *row)
{
	for (size_t i = 0; i < run->kind_count; i++)
		if (wan_str_equal(run->kinds[i].name, row->name) &&
		    wan_str_equal(run->kinds[i].library, row->library))
			return &run->kinds[i];
	return NULL;
}

/* The median where all operations are listed; else the mean, which is exact always. */
static double kind_time(const struct run_facts *run, const struct diff_row *row)
{
	const struct run_kind *kind = kind_of(run, row);
	return !kind ? NAN : isnan(kind->median_ms) ? kind->mean_ms : kind->median_ms;
}

static double kind_peak(const struct run_facts *run, const struct diff_row *row)
{
	const struct run_kind *kind = kind_of(run, row);
	return kind ? kind->peak_mb : NAN;
}

static double rss_peak(const struct run_facts *run, const struct diff_row *row)
{
	return run->rss_peak_mb;
}

static double rss_average(const struct run_facts *run, const struct diff_row *row)
{
	return run->rss_average_mb;
}

static double gpu_peak(const struct run_facts *run, const struct diff_row *row)
{
	return run->gpu_peak_mb;
}

static bool known(const struct diff_rows *rows, const char *name, const char *library)
{
	for (size_t i = 0; i < rows->count; i++)
		if (wan_str_equal(rows->items[i].name, name) &&
		    wan_str_equal(rows->items[i].library, library))
			return true;
	return false;
}

enum { ROWS_MAX = 500 }; /* names of one list; a file may have a million, a person reads ten */

static int add_side(struct diff *diff, const struct run_facts *runs, size_t count)
{
	int rc = 0;
	for (size_t i = 0; i < count && !rc; i++) {
		for (size_t k = 0; k < runs[i].phase_count && !rc; k++)
			if (diff->phases.count < ROWS_MAX &&
			    !known(&diff->phases, runs[i].phases[k].name, NULL))
				rc = add(diff, &diff->phases,
					 (struct diff_row){.name = runs[i].phases[k].name,
							   .unit = "ms"},
					 phase);
		for (size_t k = 0; k < runs[i].kind_count && !rc; k++) {
			const struct run_kind *kind = &runs[i].kinds[k];
			struct diff_row row = {
				.name = kind->name, .library = kind->library, .unit = "ms"};
			if (diff->kinds.count == ROWS_MAX ||
			    known(&diff->kinds, kind->name, kind->library))
				continue;
			rc = add(diff, &diff->kinds, row, kind_time);
			row.unit = "MB";
			if (!rc)
				rc = add(diff, &diff->memory, row, kind_peak);
		}
	}
	return rc;
}

static bool same_finding(const struct run_finding *a, const struct run_finding *b)
{
	return wan_str_equal(a->id, b->id) && wan_str_equal(a->operation, b->operation);
}

static bool has(const struct run_facts *runs, size_t count, const struct run_finding *finding)
{
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < runs[i].finding_count; k++)
			if (same_finding(&runs[i].findings[k], finding))
				return true;
	return false;
}

/* Findings of some run of one side that no run of the other has. */
static int only_of(const struct run_facts *runs, size_t count, const struct run_facts *others,
		   size_t other_count, const struct run_finding ***ret_found, size_t *ret_count)
{
	size_t capacity = 0;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < runs[i].finding_count && *ret_count < ROWS_MAX; k++) {
			const struct run_finding *finding = &runs[i].findings[k];
			bool before = has(others, other_count, finding);
			for (size_t j = 0; j < *ret_count && !before; j++)
				before = same_finding((*ret_found)[j], finding);
			if (before)
				continue;
			if (wan_array_reserve(ret_found, &capacity, *ret_count + 1,
					      sizeof(**ret_found)))
				return -ENOMEM;
			(*ret_found)[(*ret_count)++] = finding;
		}
	return 0;
}

static int largest_first(const void *left, const void *right)
{
	const struct diff_row *a = left, *b = right;
	double x = fmax(a->base, a->now), y = fmax(b->base, b->now);
	return x < y ? 1 : x > y ? -1 : strcmp(a->name ? a->name : "", b->name ? b->name : "");
}

static void sort(struct diff_rows *rows)
{
	if (rows->count > 1)
		qsort(rows->items, rows->count, sizeof(rows->items[0]), largest_first);
}

static int fill(struct diff *diff)
{
	static const struct {
		const char *name, *unit;
		figure value;
	} totals[] = {{"duration", "ms", duration},   {"time in operations", "ms", operation_time},
		      {"operations", "", operations}, {"failed operations", "", failed},
		      {"mean CPU use", "%", cpu},     {"cache hits", "%", hit_rate}},
	  memory[] = {{"peak resident", "MB", rss_peak},
		      {"mean resident", "MB", rss_average},
		      {"peak GPU memory", "MB", gpu_peak}};
	int rc = 0;
	for (size_t i = 0; i < WAN_COUNT_OF(totals) && !rc; i++)
		rc = add(diff, &diff->totals,
			 (struct diff_row){.name = totals[i].name, .unit = totals[i].unit},
			 totals[i].value);
	for (size_t i = 0; i < WAN_COUNT_OF(memory) && !rc; i++)
		rc = add(diff, &diff->memory,
			 (struct diff_row){.name = memory[i].name, .unit = memory[i].unit},
			 memory[i].value);
	if (!rc)
		rc = add_side(diff, diff->base, diff->base_count);
	if (!rc)
		rc = add_side(diff, diff->now, diff->now_count);
	if (!rc)
		rc = only_of(diff->base, diff->base_count, diff->now, diff->now_count, &diff->gone,
			     &diff->gone_count);
	if (!rc)
		rc = only_of(diff->now, diff->now_count, diff->base, diff->base_count,
			     &diff->appeared, &diff->appeared_count);
	sort(&diff->kinds);
	return rc;
}

int diff_runs(struct diff *ret_diff, const struct run_facts *base, size_t base_count,
	      const struct run_facts *now, size_t now_count)
{
	struct diff diff = {
		.base = base, .now = now, .base_count = base_count, .now_count = now_count};
	struct comparison comparison;
	if (!base_count || !now_count)
		return -EINVAL;
	int rc = compare_runs(&comparison, base, base_count, now, now_count, 0);
	if (rc)
		return rc;
	diff.comparable = comparison.comparable;
	wan_str_copy(diff.reason, sizeof(diff.reason), comparison.reason);
	compare_finish(&comparison);
	rc = fill(&diff);
	if (rc)
		diff_finish(&diff);
	else
		*ret_diff = diff;
	return rc;
}

void diff_finish(struct diff *diff)
{
	wan_free(diff->totals.items);
	wan_free(diff->phases.items);
	wan_free(diff->kinds.items);
	wan_free(diff->memory.items);
	wan_free(diff->gone);
	wan_free(diff->appeared);
	*diff = (struct diff){0};
}
