/* SPDX-License-Identifier: MIT */
#include "compare_classes.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cleanup.h"
#include "statistics.h"

int compare_class_kind(const struct run_class *a, const struct run_class *b)
{
	int order = strcmp(a->name, b->name);
	return order ? order : strcmp(a->library, b->library);
}

int compare_class(const struct run_class *a, const struct run_class *b)
{
	int order = compare_class_kind(a, b);
	if (order)
		return order;
	if (a->width_px != b->width_px)
		return a->width_px < b->width_px ? -1 : 1;
	return (a->height_px > b->height_px) - (a->height_px < b->height_px);
}

static int by_class(const void *left, const void *right)
{
	const struct run_class *a = left, *b = right;
	int order = compare_class(a, b);
	return order ? order : (a->first > b->first) - (a->first < b->first);
}

static const char *some(const char *text)
{
	return text ? text : "";
}

/* One class for each operation that ended well; first is its place in time. */
static size_t take_operations(struct run_class *all, const struct run_facts *run)
{
	size_t count = 0;
	for (size_t i = 0; i < run->operation_count; i++) {
		const struct run_operation *operation = &run->operations[i];
		/* One that failed took the time to fail. */
		if (operation->status > 1 || !(operation->time_ms > 0))
			continue;
		all[count++] = (struct run_class){
			.name = some(operation->name),
			.library = some(operation->library),
			.width_px = operation->width_px,
			.height_px = operation->height_px,
			.first = i,
			.total_ms = operation->time_ms,
			.peak_mb = operation->peak_mb,
		};
	}
	return count;
}

static int by_kind(const void *left, const void *right)
{
	return compare_class_kind(left, right);
}

/* Kinds of whose operations not one is there have a class of their own, of no size. */
static size_t take_means(struct run_class *all, size_t taken, const struct run_facts *run)
{
	size_t count = taken;
	for (size_t i = 0; i < run->kind_count; i++) {
		const struct run_kind *kind = &run->kinds[i];
		struct run_class like = {.name = some(kind->name),
					 .library = some(kind->library),
					 .width_px = UINT32_MAX,
					 .height_px = UINT32_MAX,
					 .median_ms = kind->mean_ms,
					 .total_ms = kind->total_ms,
					 .peak_mb = kind->peak_mb};
		if (!kind->failed && kind->mean_ms > 0 &&
		    !bsearch(&like, all, taken, sizeof(all[0]), by_kind))
			all[count++] = like;
	}
	return count;
}

/* Neighbours of one class become one; their times are laid out in times_ms. */
static void merge(struct run_classes *classes, size_t count)
{
	size_t used = 0;
	for (size_t i = 0, next; i < count; i = next) {
		struct run_class *merged = &classes->items[classes->count++];
		struct run_class one = classes->items[i];
		size_t first = used;
		double total = 0;
		for (next = i; next < count && compare_class(&classes->items[next], &one) == 0;
		     next++) {
			total += classes->items[next].total_ms;
			one.peak_mb = fmax(one.peak_mb, classes->items[next].peak_mb);
			classes->times_ms[used++] = classes->items[next].total_ms;
		}
		*merged = one;
		merged->first = first;
		merged->count = used - first;
		merged->total_ms = total;
		merged->median_ms = stat_percentile(classes->times_ms + first, used - first, 0.5);
	}
}

int run_classes_init(struct run_classes *classes, const struct run_facts *run)
{
	size_t room = run->operation_count + run->kind_count + 1;
	*classes = (struct run_classes){
		.items = wan_calloc(room, sizeof(classes->items[0])),
		.times_ms = wan_calloc(room, sizeof(double)),
	};
	if (!classes->items || !classes->times_ms) {
		run_classes_finish(classes);
		return -ENOMEM;
	}
	size_t taken = take_operations(classes->items, run);
	qsort(classes->items, taken, sizeof(classes->items[0]), by_class);
	merge(classes, taken);
	classes->count = take_means(classes->items, classes->count, run);
	qsort(classes->items, classes->count, sizeof(classes->items[0]), by_class);
	for (size_t i = 0; i < classes->count; i++)
		classes->total_ms += classes->items[i].total_ms;
	return 0;
}

void run_classes_finish(struct run_classes *classes)
{
	wan_free(classes->items);
	wan_free(classes->times_ms);
	*classes = (struct run_classes){0};
}

const struct run_class *run_classes_find(const struct run_classes *classes,
					 const struct run_class *like)
{
	size_t low = 0, high = classes->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_class(&classes->items[middle], like);
		if (!order)
			return &classes->items[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
