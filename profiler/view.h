/* SPDX-License-Identifier: MIT */
/*
 * What an output looks at: the processes of one or several recordings, an optional moment from
 * which on operations count (the start of profiling), and an optional choice of operations. Records
 * of all processes stand in one list by start time. Pure: reads struct wan_process only.
 */
#ifndef WAN_PROFILER_VIEW_H
#define WAN_PROFILER_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reader.h"

struct wan_view_source {
	const struct wan_process *process;
	/* The same process when profiling was started: what it had by then is taken away. NULL:
	 * everything counts. */
	const struct wan_process *baseline;
	uint64_t since_ns, until_ns; /* operations that started here; 0, UINT64_MAX: all */
};

struct wan_view_operation {
	const struct wan_recording_operation *record;
	const struct wan_process *process;
	const struct wan_process_detail *detail; /* NULL: nothing more is known */
	uint16_t flags;
	uint8_t status;  /* enum wan_op_status */
	bool unfinished; /* its process ended first: status is the one we concluded */
};

struct wan_view {
	struct wan_view_source *sources;
	size_t source_count;
	struct wan_view_operation *operations; /* ended, nested ones included; by start */
	size_t operation_count;
	struct wan_view_operation *in_flight; /* of live processes */
	size_t in_flight_count;
	const struct wan_process *parent; /* the recorder of `wanprof run`, or NULL */
	const struct wan_process *main; /* the command itself: never NULL when there is a source */
	const char *operation_glob;     /* borrowed; NULL: all */
	bool hide_files;                /* set by the owner: findings name no files */
};

/* Sources are copied, what they point to is borrowed until finish. 0, -ENOMEM. */
int wan_view_init(struct wan_view *view, const struct wan_view_source *sources, size_t count,
		  const char *operation_glob);
/* Every process of these recordings. 0, -ENOMEM. */
int wan_view_init_recordings(struct wan_view *view, struct wan_recording *const *recordings,
			     size_t count, const char *operation_glob);
void wan_view_finish(struct wan_view *view);

/* Is an operation of this name part of the view? */
bool wan_view_wants(const struct wan_view *view, const char *name);
bool wan_view_nested(const struct wan_view_operation *operation);
static inline const char *wan_operation_name(const struct wan_recording_operation *record)
{
	return record->name ? record->name : "";
}
static inline const char *wan_operation_library(const struct wan_recording_operation *record)
{
	return record->library ? record->library : "";
}
/* The outcome of the command: the parent's word when there is one. */
const struct wan_process *wan_view_outcome(const struct wan_view *view);
/* From the first start to the last thing known, realtime ns. */
void wan_view_span(const struct wan_view *view, uint64_t *ret_start_ns, uint64_t *ret_end_ns);
/* How long the runs took that are put together here, without the pauses between them. */
uint64_t wan_view_run_ns(const struct wan_view *view, unsigned *ret_runs);

const char *wan_op_status_name(unsigned status);
const char *wan_run_state_name(unsigned state);

#endif
