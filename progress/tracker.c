/* SPDX-License-Identifier: MIT */
/*
 * Handles are never freed before the monitor is, so that a late call on an ended one is harmless.
 * Its words belong to its name: the next job of that name writes to the same place in the
 * recording.
 */
#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "atomics.h"
#include "eta.h"
#include "macros.h"
#include "phase.h"
#include "state.h"
#include "str.h"
#include "tracker_words.h"

static void reset_words(uint64_t *words, uint64_t total, uint64_t now_ticks)
{
	wan_store_relaxed(&words[WAN_TRACKER_STATE], WAN_TRACKER_UNUSED);
	for (unsigned i = 0; i < WAN_TRACKER_WORDS_USED; i++)
		if (i != WAN_TRACKER_STATE)
			wan_store_relaxed(&words[i], 0);
	wan_store_relaxed(&words[WAN_TRACKER_TOTAL], total);
	wan_store_relaxed(&words[WAN_TRACKER_BEGIN], now_ticks);
	wan_store_relaxed(&words[WAN_TRACKER_UPDATED], now_ticks);
	wan_store_release(&words[WAN_TRACKER_STATE], WAN_TRACKER_ACTIVE); /* pairs with readers */
}

static struct wan_words_set *free_set_locked(struct wan_progress *progress, const char *name)
	WAN_REQUIRES(&progress->lock)
{
	for (struct wan_words_set *set = progress->sets; set; set = set->next)
		if (!set->in_use && strcmp(set->name, name) == 0)
			return set;
	return NULL;
}

/* Words of the recording for a name, marked as in use; NULL: there are none to be had. */
static struct wan_words_set *take_set(struct wan_progress *progress, const char *name)
{
	wan_mutex_lock(&progress->lock);
	struct wan_words_set *set = free_set_locked(progress, name);
	if (set)
		set->in_use = true;
	wan_mutex_unlock(&progress->lock);
	if (set || !progress->options.counters)
		return set;

	set = wan_calloc(1, sizeof(*set));
	if (!set)
		return NULL;
	set->words = progress->options.counters(progress->options.context, name);
	set->in_use = true;
	wan_str_copy(set->name, sizeof(set->name), name);
	wan_mutex_lock(&progress->lock);
	/* The recording may answer a name with the words it gave for it before. */
	bool taken = !set->words;
	for (struct wan_words_set *other = progress->sets; other && !taken; other = other->next)
		taken = other->words == set->words;
	if (!taken) {
		set->next = progress->sets;
		progress->sets = set;
	}
	wan_mutex_unlock(&progress->lock);
	if (taken) {
		wan_free(set);
		return NULL;
	}
	return set;
}

/* An old ended handle when enough of them are kept, else a new one. */
static int take_handle(struct wan_progress *progress, struct wan_tracker **ret_tracker)
{
	struct wan_tracker *tracker = NULL;
	int status = 0;
	wan_mutex_lock(&progress->lock);
	if (progress->active_count >= WAN_TRACKERS_ACTIVE_MAX) {
		status = -ENOSPC;
	} else if (progress->ended_count > WAN_TRACKERS_ENDED_KEPT) {
		tracker = progress->ended_first;
		progress->ended_first = tracker->next;
		progress->ended_count--;
	}
	wan_mutex_unlock(&progress->lock);
	if (status)
		return status;
	if (!tracker)
		tracker = wan_calloc(1, sizeof(*tracker));
	if (!tracker)
		return -ENOMEM;
	*ret_tracker = tracker;
	return 0;
}

static void prepare(struct wan_tracker *tracker, struct wan_progress *progress, const char *name,
		    uint64_t total)
{
	tracker->progress = progress;
	tracker->set = take_set(progress, name);
	tracker->ns_per_tick = wan_progress_tick_ns(progress);
	tracker->callback = NULL;
	wan_str_copy(tracker->name, sizeof(tracker->name), name);
	uint64_t *words = tracker->set ? tracker->set->words : tracker->own_words;
	reset_words(words, total, wan_progress_ticks(progress));
	wan_store_relaxed(&tracker->words, words);
	wan_store_relaxed(&tracker->completed, false);
	wan_store_relaxed(&tracker->declared, false);
	wan_store_release(&tracker->ended, false); /* pairs with the acquire in look */
}

int wan_progress_begin(struct wan_progress *progress, const char *name, uint64_t total,
		       const char *unit, struct wan_tracker **ret_tracker)
{
	if (!progress || !name || !ret_tracker)
		return -EINVAL;
	struct wan_tracker *tracker;
	char cut[WAN_TRACKER_NAME_MAX];
	int status = take_handle(progress, &tracker);
	if (status < 0)
		return status;
	wan_str_copy(cut, sizeof(cut), name);
	prepare(tracker, progress, cut, total);
	wan_store_relaxed(&tracker->declared, unit && *unit);
	wan_mutex_lock(&progress->lock);
	tracker->next = progress->active;
	progress->active = tracker;
	progress->active_count++;
	wan_mutex_unlock(&progress->lock);
	*ret_tracker = tracker;
	return 0;
}

static void call_back(struct wan_tracker *tracker)
{
	if (wan_unlikely(tracker->callback != NULL))
		tracker->callback(tracker->callback_context, tracker);
}

void wan_progress_update(struct wan_tracker *tracker, uint64_t done)
{
	if (!tracker || wan_load_relaxed(&tracker->ended))
		return;
	wan_tracker_step(wan_load_relaxed(&tracker->words), NULL, done,
			 wan_progress_ticks(tracker->progress), tracker->ns_per_tick);
	call_back(tracker);
}

void wan_progress_phase(struct wan_tracker *tracker, enum wan_phase phase)
{
	if (!tracker || (unsigned)phase >= WAN_PHASES || wan_load_relaxed(&tracker->ended))
		return;
	wan_phase_enter(wan_load_relaxed(&tracker->words), phase,
			wan_progress_ticks(tracker->progress), tracker->ns_per_tick);
	if (phase != WAN_PHASE_NONE)
		wan_store_relaxed(&tracker->declared, true);
	call_back(tracker);
}

void wan_progress_on_update(struct wan_tracker *tracker,
			    void (*callback)(void *context, const struct wan_tracker *tracker),
			    void *context)
{
	if (!tracker)
		return;
	tracker->callback_context = context;
	tracker->callback = callback;
}

static void add_totals(struct wan_progress_totals *totals, const uint64_t *words, bool judged)
{
	uint64_t updates = wan_load_relaxed(&words[WAN_TRACKER_UPDATES]);
	uint64_t latency = wan_load_relaxed(&words[WAN_TRACKER_LATENCY_SUM]);
	uint64_t most = wan_load_relaxed(&words[WAN_TRACKER_LATENCY_MAX]);
	totals->updates += updates;
	totals->latency_ns += latency;
	totals->latency_max_ns = WAN_MAX(totals->latency_max_ns, most);
	if (judged) {
		totals->judged_updates += updates;
		totals->judged_latency_ns += latency;
	}
}

/* Out of the active list, its figures into the retired ones, its words free for the next job. */
static void retire(struct wan_tracker *tracker)
{
	struct wan_progress *progress = tracker->progress;
	uint64_t *words = wan_load_relaxed(&tracker->words);
	if (words != tracker->own_words)
		for (unsigned i = 0; i < WAN_TRACKER_WORDS_USED; i++)
			wan_store_relaxed(&tracker->own_words[i], wan_load_relaxed(&words[i]));
	wan_mutex_lock(&progress->lock);
	struct wan_tracker **link = &progress->active;
	while (*link && *link != tracker)
		link = &(*link)->next;
	if (*link) {
		*link = tracker->next;
		progress->active_count--;
	}
	add_totals(&progress->retired, words, !wan_load_relaxed(&tracker->declared));
	wan_store_relaxed(&tracker->words, tracker->own_words);
	if (tracker->set)
		tracker->set->in_use = false;
	tracker->set = NULL;
	tracker->next = NULL;
	if (!progress->ended_first)
		progress->ended_last = &progress->ended_first;
	*progress->ended_last = tracker;
	progress->ended_last = &tracker->next;
	progress->ended_count++;
	wan_mutex_unlock(&progress->lock);
}

static void end(struct wan_tracker *tracker, bool completed)
{
	if (!tracker || wan_load_relaxed(&tracker->ended))
		return;
	uint64_t *words = wan_load_relaxed(&tracker->words);
	uint64_t now = wan_progress_ticks(tracker->progress);
	uint64_t total = wan_load_relaxed(&words[WAN_TRACKER_TOTAL]);
	if (completed && total)
		wan_store_relaxed(&words[WAN_TRACKER_DONE], total);
	if (wan_load_relaxed(&words[WAN_TRACKER_PHASE]) != WAN_PHASE_COMPLETION)
		wan_phase_enter(words, WAN_PHASE_COMPLETION, now, tracker->ns_per_tick);
	wan_phase_settle(words, now, tracker->ns_per_tick);
	wan_store_relaxed(&words[WAN_TRACKER_STATE], WAN_TRACKER_ENDED);
	wan_store_relaxed(&tracker->ended_ticks, now);
	wan_store_relaxed(&tracker->completed, completed);
	wan_store_release(&tracker->ended, true); /* pairs with the acquire in look */
	call_back(tracker);
	tracker->callback = NULL;
	retire(tracker);
}

void wan_progress_end(struct wan_tracker *tracker)
{
	end(tracker, false);
}

void wan_progress_complete(struct wan_tracker *tracker)
{
	end(tracker, true);
}

void wan_progress_look(const struct wan_tracker *tracker, struct wan_progress_look *look)
{
	size_t bytes = look ? look->struct_size : 0;
	if (!tracker || bytes < sizeof(bytes))
		return;
	bool ended = wan_load_acquire(&tracker->ended); /* pairs with the release in end */
	const uint64_t *words = wan_load_relaxed(&tracker->words);
	uint64_t now = ended ? wan_load_relaxed(&tracker->ended_ticks)
			     : wan_progress_ticks(tracker->progress);
	uint64_t begin = wan_load_relaxed(&words[WAN_TRACKER_BEGIN]);
	uint64_t updates = wan_load_relaxed(&words[WAN_TRACKER_UPDATES]);
	struct wan_progress_look seen = {
		.struct_size = bytes,
		.done = wan_load_relaxed(&words[WAN_TRACKER_DONE]),
		.total = wan_load_relaxed(&words[WAN_TRACKER_TOTAL]),
		.phase = (enum wan_phase)wan_load_relaxed(&words[WAN_TRACKER_PHASE]),
		.ended = ended,
	};
	if (now > begin)
		seen.elapsed_ns = (uint64_t)((double)(now - begin) * tracker->ns_per_tick);
	bool completed = ended && wan_load_relaxed(&tracker->completed);
	seen.percent = completed ? 100 : wan_eta_percent(seen.done, seen.total);
	seen.eta_ns = ended ? 0 : wan_eta_ns(seen.elapsed_ns, seen.done, seen.total);
	if (seen.elapsed_ns)
		seen.updates_per_second = (double)updates * 1e9 / (double)seen.elapsed_ns;
	for (unsigned phase = 0; phase < WAN_PHASES; phase++)
		seen.phase_ns[phase] =
			wan_phase_total_ns(words, (enum wan_phase)phase, now, tracker->ns_per_tick);
	memcpy(look, &seen, WAN_MIN(bytes, sizeof(seen)));
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
	prepare(fresh, progress, name, 0);
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
	wan_add_relaxed(&tracker->calls_in_flight, 1);
	uint64_t begin = wan_progress_ticks(progress);
	int result = function(context);
	uint64_t now = wan_progress_ticks(progress);
	uint64_t latency_ns =
		now > begin ? (uint64_t)((double)(now - begin) * tracker->ns_per_tick) : 0;
	wan_add_relaxed(&words[WAN_TRACKER_DONE], 1);
	wan_add_relaxed(&words[WAN_TRACKER_UPDATES], 1);
	wan_add_relaxed(&words[WAN_TRACKER_LATENCY_SUM], latency_ns);
	wan_max_relaxed(&words[WAN_TRACKER_LATENCY_MAX], latency_ns);
	wan_max_relaxed(&words[WAN_TRACKER_UPDATED], now);
	wan_sub_relaxed(&tracker->calls_in_flight, 1);
	return result;
}

struct wan_progress_totals wan_progress_totals_locked(struct wan_progress *progress)
{
	struct wan_progress_totals totals = progress->retired;
	totals.active = progress->active_count;
	for (struct wan_tracker *tracker = progress->active; tracker; tracker = tracker->next) {
		bool declared = wan_load_relaxed(&tracker->declared);
		add_totals(&totals, wan_load_relaxed(&tracker->words), !declared);
		totals.undeclared += !declared;
	}
	for (struct wan_tracker *tracker = progress->calls; tracker; tracker = tracker->next) {
		uint32_t in_flight = wan_load_relaxed(&tracker->calls_in_flight);
		add_totals(&totals, tracker->words, true);
		totals.active += in_flight;
		totals.undeclared += in_flight;
	}
	uint32_t others = wan_load_relaxed(&progress->other_calls.calls_in_flight);
	add_totals(&totals, progress->other_calls.words, true);
	totals.active += others;
	totals.undeclared += others;
	return totals;
}

static void free_list(struct wan_tracker *tracker)
{
	while (tracker) {
		struct wan_tracker *next = tracker->next;
		wan_free(tracker);
		tracker = next;
	}
}

void wan_progress_free_trackers(struct wan_progress *progress)
{
	free_list(progress->active);
	free_list(progress->calls);
	free_list(progress->ended_first);
	while (progress->sets) {
		struct wan_words_set *next = progress->sets->next;
		wan_free(progress->sets);
		progress->sets = next;
	}
}
