/* SPDX-License-Identifier: MIT */
/* The operations of a time line: ended ones and those under way, in order of start, filtered. */
#ifndef WAN_PROFILER_WALK_H
#define WAN_PROFILER_WALK_H

#include "clock.h"
#include "export.h"

struct wan_walk {
	size_t operation, in_flight;
};

/* NULL at the end. */
static inline const struct wan_view_operation *wan_walk_next(const struct wan_export *export,
							     struct wan_walk *walk)
{
	const struct wan_view *view = &export->analysis->view;
	for (;;) {
		const struct wan_view_operation *ended =
			walk->operation < view->operation_count ? &view->operations[walk->operation]
								: NULL;
		const struct wan_view_operation *open = walk->in_flight < view->in_flight_count
								? &view->in_flight[walk->in_flight]
								: NULL;
		if (!ended && !open)
			return NULL;
		bool first = wan_unlikely(open != NULL) &&
			     (!ended ||
			      open->record->start_realtime_ns <= ended->record->start_realtime_ns);
		walk->in_flight += first;
		walk->operation += !first;
		if (wan_export_shows(export, first ? open : ended))
			return first ? open : ended;
	}
}

/* Is it still going on? Then its end is the moment of the export. */
static inline bool wan_walk_open(const struct wan_view_operation *operation)
{
	return operation->unfinished && operation->process->live;
}

/* Nanoseconds since the beginning of the run. */
static inline uint64_t wan_walk_start(const struct wan_export *export,
				      const struct wan_recording_operation *record)
{
	return wan_elapsed(export->analysis->start_ns, record->start_realtime_ns);
}

static inline uint64_t wan_walk_end(uint64_t start_ns, const struct wan_recording_operation *record)
{
	uint64_t end_ns;
	return __builtin_add_overflow(start_ns, record->span_ns, &end_ns) ? UINT64_MAX : end_ns;
}

/* Do the samples of this process belong to the run? The recorder of `wanprof run` looks at the
 * command from outside; where there is none, each process speaks for itself. */
bool wan_walk_samples_of(const struct wan_view *view, const struct wan_process *process);
/* A mark the profiler makes for itself? */
bool wan_walk_internal(const struct wan_process_event *event);
/* Has an earlier source the same pid (a program that called exec)? */
bool wan_walk_pid_before(const struct wan_view *view, size_t source);
/* Samples, alerts, actions and phases of all processes, each by time; marks that the profiler makes
 * for itself are left out. */
void wan_walk_events(const struct wan_export *export,
		     void (*take)(void *context, const struct wan_process *process,
				  const struct wan_process_event *event),
		     void *context);
/* Is the event part of the view? */
static inline bool wan_walk_event(const struct wan_view_source *source,
				  const struct wan_process_event *event)
{
	return event->time_ns >= source->since_ns && event->time_ns <= source->until_ns;
}

#endif
