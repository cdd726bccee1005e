/* SPDX-License-Identifier: MIT */
#include "view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "str.h"
#include "wan/profile.h"

const char *wan_op_status_name(unsigned status)
{
	static const char *const names[] = {"ok", "warned", "failed", "aborted"};
	return status < 4 ? names[status] : "aborted";
}

const char *wan_run_state_name(unsigned state)
{
	static const char *const names[] = {"unknown",   "running",           "exited",
					    "signalled", "killed_for_memory", "unknown"};
	return state < 6 ? names[state] : "unknown";
}

bool wan_view_wants(const struct wan_view *view, const char *name)
{
	return !view->operation_glob || wan_str_glob(view->operation_glob, name ? name : "");
}

bool wan_view_nested(const struct wan_view_operation *operation)
{
	return operation->flags & WAN_FLAG_CHILD;
}

/*
 * How an operation ended that was still open when its process did: a decode that had delivered all
 * rows is done, only the codec was not told ("ok"); else a program that left by itself with an
 * error status did so because of it ("failed"); any other end cut it off ("aborted").
 */
static uint8_t status_of_unfinished(const struct wan_process *process,
				    const struct wan_process_inflight *open)
{
	const struct wan_recording_operation *record = &open->operation;
	if (record->height_px && open->rows_done >= record->height_px &&
	    strstr(wan_operation_name(record), "decode"))
		return WAN_OP_OK;
	/* Ranges and calls that a program leaves open when it ends well are no failures. */
	const char *library = wan_operation_library(record);
	if (process->state == WAN_RUN_EXITED && process->header.exit_status == 0 &&
	    (strcmp(library, "nvtx") == 0 || strcmp(library, "cuda") == 0))
		return WAN_OP_OK;
	bool gave_up = process->state == WAN_RUN_EXITED && process->header.exit_status != 0;
	return gave_up ? WAN_OP_FAILED : WAN_OP_ABORTED;
}

static bool in_window(const struct wan_view_source *source,
		      const struct wan_recording_operation *record)
{
	return record->start_ns >= source->since_ns && record->start_ns <= source->until_ns;
}

static void fill(struct wan_view_operation *to, const struct wan_process *process,
		 const struct wan_recording_operation *record,
		 const struct wan_process_inflight *open)
{
	to->record = record;
	to->process = process;
	to->detail = wan_process_detail(process, record);
	bool call = strcmp(wan_operation_library(record), "cuda") == 0; /* in no total */
	to->flags = (uint16_t)(record->flags | (record->child || call ? WAN_FLAG_CHILD : 0));
	to->unfinished = open != NULL;
	to->status = open ? status_of_unfinished(process, open) : record->status;
}

static void add_source(struct wan_view *view, const struct wan_view_source *source)
{
	const struct wan_process *process = source->process;
	for (size_t i = 0; i < process->operation_count; i++) {
		const struct wan_recording_operation *record = &process->operations[i];
		if (in_window(source, record) && wan_view_wants(view, record->name))
			fill(&view->operations[view->operation_count++], process, record, NULL);
	}
	for (size_t i = 0; i < process->inflight_count; i++) {
		const struct wan_process_inflight *open = &process->inflight[i];
		const struct wan_recording_operation *record = &open->operation;
		if (!in_window(source, record) || !wan_view_wants(view, record->name))
			continue;
		if (process->live)
			fill(&view->in_flight[view->in_flight_count++], process, record, open);
		else
			fill(&view->operations[view->operation_count++], process, record, open);
	}
}

static int by_start(const void *left, const void *right)
{
	const struct wan_view_operation *a = left, *b = right;
	if (a->record->start_realtime_ns != b->record->start_realtime_ns)
		return a->record->start_realtime_ns < b->record->start_realtime_ns ? -1 : 1;
	if (a->record->start_ns != b->record->start_ns)
		return a->record->start_ns < b->record->start_ns ? -1 : 1;
	return a->record < b->record ? -1 : a->record > b->record; /* stable */
}

/* The command is the parent's first child, else whoever started first. */
static void choose_main(struct wan_view *view)
{
	for (size_t i = 0; i < view->source_count; i++)
		if (view->sources[i].process->header.role == WAN_ROLE_PARENT && !view->parent)
			view->parent = view->sources[i].process;
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_process *process = view->sources[i].process;
		if (process->header.role == WAN_ROLE_PARENT)
			continue;
		bool child = view->parent && process->header.parent_pid == view->parent->header.pid;
		bool had = view->main && view->parent &&
			   view->main->header.parent_pid == view->parent->header.pid;
		if (!view->main || (child && !had) ||
		    (child == had && process->start_realtime_ns < view->main->start_realtime_ns))
			view->main = process;
	}
	if (!view->main)
		view->main = view->parent;
}

int wan_view_init(struct wan_view *view, const struct wan_view_source *sources, size_t count,
		  const char *operation_glob)
{
	*view = (struct wan_view){.operation_glob = operation_glob};
	size_t operations = 0, in_flight = 0;
	for (size_t i = 0; i < count; i++) {
		operations += sources[i].process->operation_count;
		in_flight += sources[i].process->inflight_count;
	}
	view->sources = wan_calloc(count + 1, sizeof(*sources));
	view->operations = wan_calloc(operations + in_flight + 1, sizeof(*view->operations));
	view->in_flight = wan_calloc(in_flight + 1, sizeof(*view->in_flight));
	if (!view->sources || !view->operations || !view->in_flight) {
		wan_view_finish(view);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		view->sources[i] = sources[i];
		add_source(view, &sources[i]);
	}
	view->source_count = count;
	qsort(view->operations, view->operation_count, sizeof(*view->operations), by_start);
	qsort(view->in_flight, view->in_flight_count, sizeof(*view->in_flight), by_start);
	choose_main(view);
	return 0;
}

int wan_view_init_recordings(struct wan_view *view, struct wan_recording *const *recordings,
			     size_t count, const char *operation_glob)
{
	size_t processes = 0, at = 0;
	for (size_t i = 0; i < count; i++)
		processes += wan_recording_process_count(recordings[i]);
	struct wan_view_source *sources = wan_calloc(processes + 1, sizeof(*sources));
	if (!sources)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < wan_recording_process_count(recordings[i]); j++)
			sources[at++] = (struct wan_view_source){
				.process = wan_recording_process(recordings[i], j),
				.until_ns = UINT64_MAX,
			};
	int rc = wan_view_init(view, sources, at, operation_glob);
	wan_free(sources);
	return rc;
}

void wan_view_finish(struct wan_view *view)
{
	wan_free(view->sources);
	wan_free(view->operations);
	wan_free(view->in_flight);
	*view = (struct wan_view){0};
}

const struct wan_process *wan_view_outcome(const struct wan_view *view)
{
	return view->parent ? view->parent : view->main;
}

static void source_span(const struct wan_view_source *source, uint64_t *ret_first_ns,
			uint64_t *ret_last_ns)
{
	const struct wan_process *process = source->process;
	uint64_t first = process->start_realtime_ns;
	if (source->since_ns > process->start_ns)
		first += source->since_ns - process->start_ns;
	uint64_t last_ns = process->end_ns;
	if (last_ns > source->until_ns)
		last_ns = source->until_ns;
	uint64_t last = process->start_realtime_ns;
	if (last_ns > process->start_ns)
		last += last_ns - process->start_ns;
	if (process->header.end_realtime_ns > process->start_realtime_ns &&
	    source->until_ns == UINT64_MAX)
		last = process->header.end_realtime_ns;
	*ret_first_ns = first;
	*ret_last_ns = last;
}

void wan_view_span(const struct wan_view *view, uint64_t *ret_start_ns, uint64_t *ret_end_ns)
{
	uint64_t start = UINT64_MAX, end = 0, first, last;
	for (size_t i = 0; i < view->source_count; i++) {
		source_span(&view->sources[i], &first, &last);
		start = first < start ? first : start;
		end = last > end ? last : end;
	}
	*ret_start_ns = start == UINT64_MAX ? 0 : start;
	*ret_end_ns = end > *ret_start_ns ? end : *ret_start_ns;
}

static bool same_run(const struct wan_view_source *a, const struct wan_view_source *b)
{
	return memcmp(a->process->header.run_id, b->process->header.run_id,
		      sizeof(a->process->header.run_id)) == 0;
}

uint64_t wan_view_run_ns(const struct wan_view *view, unsigned *ret_runs)
{
	uint64_t sum_ns = 0, first, last;
	*ret_runs = 0;
	for (size_t i = 0; i < view->source_count; i++) {
		uint64_t start = UINT64_MAX, end = 0;
		bool counted = false;
		for (size_t j = 0; j < view->source_count && !counted; j++) {
			if (!same_run(&view->sources[i], &view->sources[j]))
				continue;
			counted = j < i;
			source_span(&view->sources[j], &first, &last);
			start = first < start ? first : start;
			end = last > end ? last : end;
		}
		if (counted)
			continue;
		(*ret_runs)++;
		sum_ns += end > start ? end - start : 0;
	}
	return sum_ns;
}
