/* SPDX-License-Identifier: MIT */
/*
 * Jobs under way and ended ones, from the words and latencies of their trackers; and where the time
 * of all of them went, by phase. Works on a whole recording and on a glance at a living process
 * alike. Pure.
 */
#ifndef WAN_PROFILER_TRACKERS_H
#define WAN_PROFILER_TRACKERS_H

#include "tracker_words.h"
#include "view.h"

struct wan_tracker_row {
	const struct wan_process *process;
	const struct wan_process_counters *block;
	const char *name, *unit, *phase; /* "": none; phase: the program's own name, if it has one
					  */
	bool active;                     /* and its process lives */
	bool unended;                    /* its process ended first */
	uint32_t outcome;                /* enum wan_tracker_outcome */
	uint32_t source, level, thread;  /* enum wan_tracker_source; nesting */
	uint64_t done, total, updates;   /* total 0: unknown */
	uint64_t begin_ns, updated_ns;   /* CLOCK_MONOTONIC of the recorded machine */
	uint64_t seen_ns;                /* of this look: now, or the last that is known */
	uint64_t grace_ns;               /* a declared one-off may last until then; 0: none */
	uint64_t phase_steps;            /* updates in the phase that is open */
	uint64_t device_done;            /* UINT64_MAX: not known */
	uint64_t expected_ns;            /* declared interval between updates; 0: none */
	uint64_t callback_ns, callback_max_ns;
	uint64_t latency_sum_ns, latency_max_ns;
	/* Times between the latest updates, oldest first. */
	uint64_t recent_ns[WAN_TRACKER_RECENT - 1];
	unsigned recent_count;
};

struct wan_trackers {
	struct wan_tracker_row *items; /* by process, then as they first appeared */
	size_t count;
};

/* Within 0.8 %, corrected where an interval was declared; all 0: nothing is known. */
struct wan_tracker_percentiles {
	uint64_t count; /* latencies, those included that a late one stands for */
	uint64_t p50_ns, p90_ns, p99_ns, p999_ns, max_ns;
};

/* 0, -ENOMEM. */
int wan_trackers_init(struct wan_trackers *trackers, const struct wan_view *view);
void wan_trackers_finish(struct wan_trackers *trackers);
/* Of that tracker alone. 0, -ENOMEM. */
int wan_tracker_percentiles(const struct wan_tracker_row *row,
			    struct wan_tracker_percentiles *ret_percentiles);
/* Of all trackers that share the name of the one at index, in whatever process. 0, -ENOMEM. */
int wan_trackers_merged(const struct wan_trackers *trackers, size_t index,
			struct wan_tracker_percentiles *ret_percentiles);
/* How many steps of all trackers of that name took at most edges_ns[i], in counts[i]; nothing is
 * corrected. Those whose time is not known are in *ret_count only. 0, -ENOMEM. */
int wan_trackers_buckets(const struct wan_trackers *trackers, size_t index,
			 const uint64_t *edges_ns, uint64_t *counts, size_t edge_count,
			 uint64_t *ret_count, uint64_t *ret_sum_ns);
/* Is there one of that name before it? Then it was merged into that one. */
bool wan_trackers_seen_before(const struct wan_trackers *trackers, size_t index);

struct wan_phase_row {
	const char *name; /* "model_loading", or the program's own */
	uint64_t duration_ns, steps;
	uint64_t started_ns; /* the first time; 0: not known */
	bool open;           /* in one of the trackers, at the end of what is known */
};

struct wan_phases {
	struct wan_phase_row *items; /* in the order they began */
	size_t count;
	uint64_t total_ns;
};

/* 0, -ENOMEM. */
int wan_phases_init(struct wan_phases *phases, const struct wan_view *view,
		    const struct wan_trackers *trackers);
void wan_phases_finish(struct wan_phases *phases);
/* "model_loading"; "none"; "unknown" when out of range. */
const char *wan_phase_text(uint64_t phase);

#endif
