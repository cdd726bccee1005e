/* SPDX-License-Identifier: MIT */
/* From the marks of a recording to readings at the ends of iterations. */
#include "leak.h"

#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "heap.h"
#include "heap_mark.h"
#include "leak_parts.h"
#include "macros.h"
#include "str.h"
#include "tracker_words.h"

#define RESIDENT_LEAST (256.0 * 1024) /* per iteration: pages come in larger pieces than blocks */

static enum wan_heap_mark_kind kind_of(const struct wan_process_event *event)
{
	return (enum wan_heap_mark_kind)(event->code & 15);
}

static uint64_t done_of(const struct wan_process_event *event)
{
	return event->code >> 8;
}

static double pool_used(const struct wan_process_event *event)
{
	return (double)(uint32_t)event->values[3] * WAN_KIB;
}

static double held(const struct wan_process_event *event)
{
	return (double)event->values[0] + pool_used(event) - (double)event->values[2];
}

static double resident(const struct wan_process_event *event)
{
	double idle = (double)(event->values[3] >> 32) * WAN_KIB;
	return (double)event->values[1] - (double)event->values[2] - idle;
}

static const char *name_of(const struct wan_process_event *event)
{
	return event->name ? event->name : "";
}

/* What iterations could be: marks of a kind and name, or operations of a name. */
struct candidate {
	const struct wan_process *process;
	enum leak_from from;
	const char *name;
	uint64_t seen;
	unsigned level; /* of the tracker: 0 is the outermost */
};

static unsigned level_of(const struct wan_process *process, const char *name)
{
	for (size_t i = 0; i < process->counters_count; i++)
		if (process->counters[i].kind == WAN_COUNTERS_TRACKER &&
		    strcmp(process->counters[i].name, name) == 0)
			return (unsigned)process->counters[i].words[WAN_TRACKER_LEVEL];
	return 0;
}

/* A job that begins anew goes on from where the one before ended. */
struct counted {
	uint64_t base, last;
	bool any;
};

static uint64_t count_on(struct counted *counted, uint64_t done)
{
	if (counted->any && done < counted->last)
		counted->base += counted->last;
	counted->any = true;
	counted->last = done;
	return counted->base + done;
}

static bool marks_belong(const struct wan_process_event *event, enum wan_heap_mark_kind kind,
			 const char *name)
{
	return event->kind == WAN_RECORD_HEAP && kind_of(event) == kind &&
	       strcmp(name_of(event), name) == 0;
}

static enum wan_heap_mark_kind mark_kind(enum leak_from from)
{
	return from == LEAK_FROM_MARKS ? WAN_HEAP_MARK_ITERATION : WAN_HEAP_MARK_STEP;
}

/* Iterations between the first mark of that kind and name and the last. */
static uint64_t marks_seen(const struct wan_process *process, enum leak_from from, const char *name)
{
	struct counted counted = {0};
	uint64_t first = 0, last = 0;
	bool any = false;
	for (size_t i = 0; i < process->event_count; i++) {
		if (!marks_belong(&process->events[i], mark_kind(from), name))
			continue;
		last = count_on(&counted, done_of(&process->events[i]));
		first = any ? first : last;
		any = true;
	}
	return last - first;
}

static uint64_t operations_seen(const struct wan_process *process, const char *name)
{
	uint64_t count = 0;
	for (size_t i = 0; i < process->aggregate_count; i++) {
		const struct wan_process_aggregate *sum = &process->aggregates[i];
		if (!(sum->flags & WAN_FLAG_CHILD) && sum->name && strcmp(sum->name, name) == 0)
			count += sum->count;
	}
	return count;
}

/* Of two ways to cut, the better one: said by the program, else told as progress (the outermost),
 * else the operation that is repeated least often and often enough: the others are parts of it. */
static bool is_better(const struct candidate *a, const struct candidate *b, uint32_t wanted)
{
	if (!b->process)
		return true;
	if ((a->seen >= wanted) != (b->seen >= wanted))
		return a->seen >= wanted;
	if (a->seen < wanted)
		return a->seen > b->seen;
	if (a->from != b->from)
		return a->from < b->from;
	if (a->from == LEAK_FROM_STEPS && a->level != b->level)
		return a->level < b->level;
	return a->from == LEAK_FROM_OPERATIONS ? a->seen < b->seen : a->seen > b->seen;
}

static void offer(struct candidate *best, const struct candidate *candidate,
		  const struct leak_options *options)
{
	if (!candidate->name[0] || !candidate->seen ||
	    (options->from != LEAK_FROM_AUTO && options->from != candidate->from) ||
	    (options->name && strcmp(options->name, candidate->name) != 0))
		return;
	if (is_better(candidate, best, options->rules.iterations))
		*best = *candidate;
}

enum { LOOKED_MAX = 64 };

/* Kinds and names of marks that were looked at; of more than these none is the loop of a program.
 */
struct looked {
	struct {
		enum wan_heap_mark_kind kind;
		const char *name;
	} items[LOOKED_MAX];
	size_t count;
};

/* False: it was looked at before, or there are too many. */
static bool is_new(struct looked *looked, const struct wan_process_event *event)
{
	for (size_t i = looked->count; i--;)
		if (looked->items[i].kind == kind_of(event) &&
		    strcmp(looked->items[i].name, name_of(event)) == 0)
			return false;
	if (looked->count == LOOKED_MAX)
		return false;
	looked->items[looked->count].kind = kind_of(event);
	looked->items[looked->count++].name = name_of(event);
	return true;
}

static void look_at(const struct wan_process *process, const struct leak_options *options,
		    struct candidate *best)
{
	struct looked looked = {.count = 0};
	bool marked = false;
	for (size_t i = 0; i < process->event_count; i++) {
		const struct wan_process_event *event = &process->events[i];
		if (event->kind != WAN_RECORD_HEAP)
			continue;
		marked = true;
		enum wan_heap_mark_kind kind = kind_of(event);
		if (kind == WAN_HEAP_MARK_OPERATION ||
		    (options->name && strcmp(options->name, name_of(event)) != 0) ||
		    !is_new(&looked, event))
			continue;
		struct candidate candidate = {.process = process,
					      .from = kind == WAN_HEAP_MARK_STEP ? LEAK_FROM_STEPS
										 : LEAK_FROM_MARKS,
					      .name = name_of(event)};
		candidate.seen = marks_seen(process, candidate.from, candidate.name);
		candidate.level = level_of(process, candidate.name);
		offer(best, &candidate, options);
	}
	for (size_t i = 0; marked && i < process->aggregate_count; i++) {
		struct candidate candidate = {.process = process, .from = LEAK_FROM_OPERATIONS};
		candidate.name = process->aggregates[i].name ? process->aggregates[i].name : "";
		candidate.seen = operations_seen(process, candidate.name);
		offer(best, &candidate, options);
	}
}

/* Ends of the operations of that name, in order of their ends. */
static int collect_ends(const struct candidate *chosen, uint64_t **ret_ends, size_t *ret_count)
{
	const struct wan_process *process = chosen->process;
	uint64_t *ends = wan_calloc(process->operation_count + 1, sizeof(*ends));
	size_t count = 0;
	if (!ends)
		return -ENOMEM;
	for (size_t i = 0; i < process->operation_count; i++) {
		const struct wan_recording_operation *operation = &process->operations[i];
		if ((operation->flags & WAN_FLAG_CHILD) ||
		    strcmp(wan_operation_name(operation), chosen->name) != 0)
			continue;
		uint64_t end = operation->start_ns + operation->span_ns;
		size_t at = count++;
		for (; at && ends[at - 1] > end; at--) /* nearly sorted */
			ends[at] = ends[at - 1];
		ends[at] = end;
	}
	*ret_ends = ends;
	*ret_count = count;
	return 0;
}

/* Marks at the ends of its iterations; of several at the same place the lowest counts. */
static void add_mark(struct leak_readings *cut, const struct wan_process_event *event, double at)
{
	if (cut->count && cut->at[cut->count - 1] >= at) {
		const struct wan_process_event *before = cut->events[cut->count - 1];
		if (held(event) < held(before))
			cut->events[cut->count - 1] = event;
		return;
	}
	cut->events[cut->count] = event;
	cut->at[cut->count++] = at;
}

static void cut_marks(const struct candidate *chosen, struct leak_readings *cut)
{
	struct counted counted = {0};
	for (size_t i = 0; i < chosen->process->event_count; i++) {
		const struct wan_process_event *event = &chosen->process->events[i];
		if (marks_belong(event, mark_kind(chosen->from), chosen->name))
			add_mark(cut, event, (double)count_on(&counted, done_of(event)));
	}
}

static int cut_operations(const struct candidate *chosen, struct leak_readings *cut)
{
	uint64_t *ends;
	size_t count, ended = 0;
	int status = collect_ends(chosen, &ends, &count);
	if (status)
		return status;
	for (size_t i = 0; i < chosen->process->event_count; i++) {
		const struct wan_process_event *event = &chosen->process->events[i];
		if (event->kind != WAN_RECORD_HEAP)
			continue;
		while (ended < count && ends[ended] <= event->time_ns)
			ended++;
		if (ended)
			add_mark(cut, event, (double)ended);
	}
	wan_free(ends);
	return 0;
}

/* seen: iterations, of which the readings may not show the first (its begin was not marked) nor,
 * thinned out, the last. */
static void judge(struct leak_series *series, struct wan_leak_reading *readings, size_t count,
		  uint64_t seen, const struct wan_leak_rules *rules)
{
	struct wan_leak_rules taken = *rules;
	if (seen >= rules->iterations)
		taken.iterations = 0;
	series->known = true;
	series->count = wan_leak_thin(readings, count);
	memcpy(series->readings, readings, series->count * sizeof(*readings));
	wan_leak_judge_readings(series->readings, series->count, &taken, &series->judgement);
	if (series->judgement.shape == WAN_LEAK_TOO_FEW)
		series->judgement.iterations = (double)seen;
}

/* Bytes live on all devices at that time. */
static double device_bytes(const struct wan_process *process, uint64_t time_ns)
{
	enum { DEVICES = 16 };
	const char *names[DEVICES];
	double live[DEVICES], sum = 0;
	size_t count = 0;
	for (size_t i = 0; i < process->event_count; i++) {
		const struct wan_process_event *event = &process->events[i];
		size_t k = 0;
		if (event->kind != WAN_RECORD_VRAM || event->time_ns > time_ns)
			continue;
		while (k < count && strcmp(names[k], name_of(event)) != 0)
			k++;
		if (k == DEVICES)
			continue;
		count = WAN_MAX(count, k + 1);
		names[k] = name_of(event);
		live[k] = (double)event->values[0];
	}
	for (size_t k = 0; k < count; k++)
		sum += live[k];
	return sum;
}

static bool has_device(const struct wan_process *process)
{
	for (size_t i = 0; i < process->event_count; i++)
		if (process->events[i].kind == WAN_RECORD_VRAM)
			return true;
	return false;
}

static int judge_cut(const struct candidate *chosen, const struct leak_readings *cut,
		     const struct leak_options *options, struct leak_report *report)
{
	struct wan_leak_reading *readings = wan_calloc(cut->count + 1, sizeof(*readings));
	bool books = cut->count != 0, pages = books;
	if (!readings)
		return -ENOMEM;
	for (size_t i = 0; i < cut->count; i++) {
		books &= cut->events[i]->values[0] != UINT64_MAX;
		pages &= cut->events[i]->values[1] != UINT64_MAX;
	}
	struct leak_series *heap = &report->series[0], *rss = &report->series[1];
	heap->name = "held";
	rss->name = "resident";
	report->series_count = 2;
	report->books = books ? cut->events[0]->code >> 4 & 15 : WAN_HEAP_BOOKS_NONE;
	for (size_t i = 0; books && i < cut->count; i++)
		readings[i] = (struct wan_leak_reading){cut->at[i], held(cut->events[i])};
	if (books)
		leak_take_picture_off(chosen->process, cut, readings, report);
	if (books)
		judge(heap, readings, cut->count, chosen->seen, &options->rules);
	for (size_t i = 0; pages && i < cut->count; i++)
		readings[i] = (struct wan_leak_reading){cut->at[i], resident(cut->events[i])};
	if (pages)
		judge(rss, readings, cut->count, chosen->seen, &options->rules);
	/* Looked up for each reading: few enough are left then. */
	if (has_device(chosen->process) && cut->count) {
		size_t step = (cut->count + WAN_LEAK_READINGS_MAX - 1) / WAN_LEAK_READINGS_MAX,
		       n = 0;
		for (size_t i = 0; i < cut->count; i += step)
			readings[n++] = (struct wan_leak_reading){
				cut->at[i], device_bytes(chosen->process, cut->events[i]->time_ns)};
		report->series[2].name = "device";
		report->series_count = 3;
		judge(&report->series[2], readings, n, chosen->seen, &options->rules);
	}
	wan_free(readings);
	return 0;
}

/* The operations that keep most per call, of what is kept at all. */
static void find_keepers(const struct wan_rows *rows, const struct leak_options *options,
			 struct leak_report *report)
{
	for (size_t i = 0; i < rows->count; i++) {
		const struct wan_row *row = &rows->items[i];
		if (!row->memory_known || row->memory_bytes <= 0 || (row->flags & WAN_FLAG_CHILD))
			continue;
		struct leak_keeper keeper = {row->name, row->library, row->memory_known,
					     (double)row->memory_bytes / (double)row->memory_known};
		if (keeper.each_bytes < options->rules.each_bytes / 4)
			continue;
		size_t at = report->keeper_count;
		while (at &&
		       report->keepers[at - 1].each_bytes * (double)report->keepers[at - 1].calls <
			       keeper.each_bytes * (double)keeper.calls)
			at--;
		if (at == LEAK_KEEPERS_MAX)
			continue;
		report->keeper_count = WAN_MIN(report->keeper_count + 1, (size_t)LEAK_KEEPERS_MAX);
		memmove(&report->keepers[at + 1], &report->keepers[at],
			(report->keeper_count - 1 - at) * sizeof(keeper));
		report->keepers[at] = keeper;
	}
}

int leak_cut(const struct wan_analysis *analysis, const struct leak_options *options,
	     struct leak_report *ret_report)
{
	struct candidate chosen = {0};
	struct leak_readings cut = {0};
	const struct wan_view *view = &analysis->view;
	*ret_report = (struct leak_report){.verdict = WAN_LEAK_INCONCLUSIVE, .from = options->from};
	for (size_t i = 0; i < view->source_count; i++)
		look_at(view->sources[i].process, options, &chosen);
	if (!chosen.process)
		return 0;
	ret_report->from = chosen.from;
	ret_report->pid = chosen.process->header.pid;
	ret_report->seen = chosen.seen;
	wan_str_copy(ret_report->unit, sizeof(ret_report->unit), chosen.name);
	cut.events = wan_calloc(chosen.process->event_count, sizeof(*cut.events));
	cut.at = wan_calloc(chosen.process->event_count, sizeof(*cut.at));
	int status = cut.events && cut.at ? 0 : -ENOMEM;
	if (!status && chosen.from == LEAK_FROM_OPERATIONS)
		status = cut_operations(&chosen, &cut);
	else if (!status)
		cut_marks(&chosen, &cut);
	if (!status)
		status = judge_cut(&chosen, &cut, options, ret_report);
	if (!status) {
		find_keepers(&analysis->kinds, options, ret_report);
		leak_decide(ret_report, options);
	}
	wan_free(cut.events);
	wan_free(cut.at);
	return status;
}

/* Resident memory accuses by itself only where it grows a lot: pages come and go for many reasons.
 */
static bool accuses(const struct leak_series *series, bool beside_books)
{
	return series->known && series->judgement.verdict == WAN_LEAK_FOUND &&
	       (!beside_books || series->judgement.each >= RESIDENT_LEAST);
}

void leak_decide(struct leak_report *report, const struct leak_options *options)
{
	const struct leak_series *heap = &report->series[0], *rss = &report->series[1];
	const struct leak_series *device = &report->series[2];
	const struct leak_series *witness = heap->known ? heap : rss;
	report->verdict = witness->known ? witness->judgement.verdict : WAN_LEAK_INCONCLUSIVE;
	report->kind = NULL;
	if (accuses(heap, false))
		report->kind = "heap";
	else if (report->series_count > 2 && accuses(device, false))
		report->kind = "device";
	else if (accuses(rss, heap->known))
		report->kind = "resident";
	if (report->kind)
		report->verdict = WAN_LEAK_FOUND;
	else if (report->failed && report->verdict == WAN_LEAK_NONE)
		report->verdict = WAN_LEAK_INCONCLUSIVE;
}
