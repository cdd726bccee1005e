/* SPDX-License-Identifier: MIT */
/* Tracked calls: one tracker for all calls of a name, from any thread; and the sums over all. */
#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "atomics.h"
#include "macros.h"
#include "state.h"
#include "str.h"

void wan_tracker_add_totals(struct wan_progress_totals *totals, const struct wan_tracker *tracker,
			    bool judged)
{
	const uint64_t *words = wan_load_relaxed(&tracker->words);
	uint64_t updates = wan_load_relaxed(&words[WAN_TRACKER_UPDATES]);
	uint64_t latency = wan_tracker_latency_sum_ns(words, tracker->scale.ns_per_tick);
	uint64_t most = wan_load_relaxed(&words[WAN_TRACKER_LATENCY_MAX]);
	totals->updates += updates;
	totals->latency_ns += latency;
	totals->latency_max_ns = WAN_MAX(totals->latency_max_ns, most);
	if (judged) {
		totals->judged_updates += updates;
		totals->judged_latency_ns += latency;
	}
}

static struct wan_tracker *call_tracker_locked(struct wan_progress *progress, const char *name)
	WAN_REQUIRES(&progress->lock)
{
	for (struct wan_tracker *tracker = progress->calls; tracker; tracker = tracker->next)
		if (strcmp(tracker->name, name) == 0)
			return tracker;
	return progress->calls_count >= WAN_TRACKED_NAMES_MAX ? &progress->other_calls : NULL;
}

/* The tracker of all calls of a name, made at the first one. */
static struct wan_tracker *call_tracker(struct wan_progress *progress, const char *name)
{
	wan_mutex_lock(&progress->lock);
	struct wan_tracker *tracker = call_tracker_locked(progress, name);
	wan_mutex_unlock(&progress->lock);
	if (tracker)
		return tracker;
	struct wan_tracker *fresh = wan_calloc(1, sizeof(*fresh));
	if (!fresh)
		return &progress->other_calls;
	wan_tracker_prepare(fresh, progress, name, 0);
	fresh->tracks_calls = true;
	wan_mutex_lock(&progress->lock);
	tracker = call_tracker_locked(progress, name);
	if (!tracker) {
		fresh->next = progress->calls;
		progress->calls = tracker = fresh;
		progress->calls_count++;
	} else if (fresh->set) { /* another thread was first */
		fresh->set->in_use = false;
	}
	wan_mutex_unlock(&progress->lock);
	if (tracker != fresh)
		wan_free(fresh);
	return tracker;
}

int wan_progress_track(struct wan_progress *progress, const char *name,
		       int (*function)(void *context), void *context)
{
	if (!function)
		return -EINVAL;
	if (!progress)
		return function(context);
	char cut[WAN_TRACKER_NAME_MAX];
	wan_str_copy(cut, sizeof(cut), name ? name : "call");
	struct wan_tracker *tracker = call_tracker(progress, cut);
	uint64_t *words = tracker->words;
	uint32_t *counts = wan_load_relaxed(&tracker->counts);
	wan_add_relaxed(&tracker->calls_in_flight, 1);
	uint64_t begin = wan_progress_ticks(progress);
	int result = function(context);
	uint64_t now = wan_progress_ticks(progress);
	uint64_t ticks = wan_elapsed(begin, now);
	uint64_t latency_ns = wan_tracker_ns(ticks, tracker->scale.ns_per_tick);
	wan_add_relaxed(&words[WAN_TRACKER_DONE], 1);
	wan_add_relaxed(&words[WAN_TRACKER_UPDATES], 1);
	wan_add_relaxed(&words[WAN_TRACKER_LATENCY_SUM], latency_ns);
	wan_max_relaxed(&words[WAN_TRACKER_LATENCY_MAX], latency_ns);
	wan_max_relaxed(&words[WAN_TRACKER_UPDATED], now);
	if (counts)
		wan_add_relaxed(&counts[wan_latency_bucket(ticks >> tracker->scale.shift)], 1);
	wan_sub_relaxed(&tracker->calls_in_flight, 1);
	return result;
}

struct wan_progress_totals wan_progress_totals_locked(struct wan_progress *progress)
{
	struct wan_progress_totals totals = progress->retired;
	totals.active = progress->active_count;
	for (struct wan_tracker *tracker = progress->active; tracker; tracker = tracker->next) {
		bool declared = wan_load_relaxed(&tracker->declared);
		wan_tracker_add_totals(&totals, tracker, !declared);
		totals.undeclared += !declared;
	}
	for (struct wan_tracker *tracker = progress->calls; tracker; tracker = tracker->next) {
		uint32_t in_flight = wan_load_relaxed(&tracker->calls_in_flight);
		wan_tracker_add_totals(&totals, tracker, true);
		totals.active += in_flight;
		totals.undeclared += in_flight;
	}
	uint32_t others = wan_load_relaxed(&progress->other_calls.calls_in_flight);
	wan_tracker_add_totals(&totals, &progress->other_calls, true);
	totals.active += others;
	totals.undeclared += others;
	return totals;
}
