/* SPDX-License-Identifier: MIT */
/*
 * Handles are never freed before the monitor is, so that a late call on an ended one is harmless.
 * Its words belong to its name: the next job of that name writes to the same place in the
 * recording.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "alloc.h"
#include "atomics.h"
#include "eta.h"
#include "macros.h"
#include "phase.h"
#include "state.h"
#include "str.h"
#include "thread.h"
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
	if (progress->options.latencies) /* only now are the words known to be ours */
		set->counts = progress->options.latencies(
			progress->options.context, set->words,
			wan_latency_shift(wan_progress_tick_ns(progress)));
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

/* Percentiles are kept where there is memory for them: the recording's, or the handle's own. */
static void prepare_counts(struct wan_tracker *tracker)
{
	uint32_t *recorded = tracker->set ? tracker->set->counts : NULL;
	if (!tracker->own_counts)
		tracker->own_counts = wan_malloc(WAN_RECORD_LATENCY_BUCKETS * sizeof(uint32_t));
	uint32_t *counts = recorded ? recorded : tracker->own_counts;
	for (unsigned i = 0; counts && i < WAN_RECORD_LATENCY_BUCKETS; i++)
		wan_store_relaxed(&counts[i], 0);
	wan_store_relaxed(&tracker->counts, counts);
}

void wan_tracker_prepare(struct wan_tracker *tracker, struct wan_progress *progress,
			 const char *name, uint64_t total)
{
	tracker->progress = progress;
	tracker->set = take_set(progress, name);
	tracker->scale.ns_per_tick = wan_progress_tick_ns(progress);
	tracker->scale.shift = wan_latency_shift(tracker->scale.ns_per_tick);
	tracker->now_ns = progress->options.now_ns;
	tracker->callback = NULL;
	tracker->phase_updates = 0;
	tracker->callbacks_skipped = 0;
	tracker->callback_longest_ns = tracker->delivery_longest_ns = tracker->delivery_max_ns = 0;
	memset(&tracker->watch, 0, sizeof(tracker->watch));
	memset(&tracker->silence, 0, sizeof(tracker->silence));
	tracker->told = WAN_STALL_NOT_KNOWN;
	tracker->asked_prior = false;
	wan_store_relaxed(&tracker->phase_hash, 0);
	tracker->phase_text[0] = '\0';
	wan_str_copy(tracker->name, sizeof(tracker->name), name);
	prepare_counts(tracker);
	uint64_t *words = tracker->set ? tracker->set->words : tracker->own_words;
	uint64_t histogram =
		wan_load_relaxed(&words[WAN_TRACKER_HISTOGRAM]); /* the block keeps it */
	reset_words(words, total, wan_progress_ticks(progress));
	wan_store_relaxed(&words[WAN_TRACKER_HISTOGRAM], tracker->set ? histogram : 0);
	wan_store_relaxed(&words[WAN_TRACKER_THREAD], wan_thread_id());
	wan_store_relaxed(&tracker->words, words);
	wan_store_relaxed(&tracker->completed, false);
	wan_store_relaxed(&tracker->declared, false);
	wan_store_release(&tracker->ended, false); /* pairs with the acquire in look */
	wan_tracker_judge_plain(tracker);
}

static void tell_unit(struct wan_tracker *tracker, const char *unit)
{
	const struct wan_progress_options *options = &tracker->progress->options;
	bool told = unit && *unit;
	if (told && options->string_id)
		wan_store_relaxed(&tracker->words[WAN_TRACKER_UNIT],
				  options->string_id(options->context, unit));
	wan_store_relaxed(&tracker->declared, told);
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
	wan_tracker_prepare(tracker, progress, cut, total);
	tell_unit(tracker, unit);
	wan_mutex_lock(&progress->lock);
	tracker->next = progress->active;
	progress->active = tracker;
	progress->active_count++;
	wan_mutex_unlock(&progress->lock);
	*ret_tracker = tracker;
	return 0;
}

/* The next job of that name writes to the same counts; this handle keeps what it had. */
static void keep_counts(struct wan_tracker *tracker)
{
	const uint32_t *counts = wan_load_relaxed(&tracker->counts);
	uint32_t *own = tracker->own_counts;
	for (unsigned i = 0; counts && own && counts != own && i < WAN_RECORD_LATENCY_BUCKETS; i++)
		wan_store_relaxed(&own[i], wan_load_relaxed(&counts[i]));
	wan_store_relaxed(&tracker->counts, own);
}

/* Out of the active list, its figures into the retired ones, its words free for the next job. */
static void retire(struct wan_tracker *tracker)
{
	struct wan_progress *progress = tracker->progress;
	uint64_t *words = wan_load_relaxed(&tracker->words);
	if (words != tracker->own_words)
		for (unsigned i = 0; i < WAN_TRACKER_WORDS_USED; i++)
			wan_store_relaxed(&tracker->own_words[i], wan_load_relaxed(&words[i]));
	keep_counts(tracker);
	wan_mutex_lock(&progress->lock);
	struct wan_tracker **link = &progress->active;
	while (*link && *link != tracker)
		link = &(*link)->next;
	if (*link) {
		*link = tracker->next;
		progress->active_count--;
	}
	wan_tracker_add_totals(&progress->retired, tracker, !wan_load_relaxed(&tracker->declared));
	wan_store_relaxed(&tracker->words, tracker->own_words);
	if (tracker->set)
		tracker->set->in_use = false;
	wan_free(tracker->prior);
	tracker->prior = NULL;
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
	uint64_t now = wan_tracker_ticks(tracker);
	uint64_t total = wan_load_relaxed(&words[WAN_TRACKER_TOTAL]);
	if (completed && total)
		wan_store_relaxed(&words[WAN_TRACKER_DONE], total);
	if (completed)
		wan_store_relaxed(&words[WAN_TRACKER_OUTCOME], WAN_TRACKER_COMPLETED);
	wan_tracker_enter(tracker, WAN_PHASE_COMPLETION, NULL);
	wan_phase_settle(words, now, tracker->scale.ns_per_tick);
	wan_store_relaxed(&tracker->plain, false);
	wan_store_relaxed(&words[WAN_TRACKER_STATE], WAN_TRACKER_ENDED);
	wan_store_relaxed(&tracker->ended_ticks, now);
	wan_store_relaxed(&tracker->completed, completed);
	wan_store_release(&tracker->ended, true); /* pairs with the acquire in look */
	wan_tracker_call_back(tracker);
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

static void look_closer(const struct wan_tracker *tracker, const uint64_t *words,
			struct wan_progress_look *seen)
{
	struct wan_latency *latency = wan_calloc(1, sizeof(*latency));
	const uint32_t *counts = wan_load_relaxed(&tracker->counts);
	seen->max_ns = wan_load_relaxed(&words[WAN_TRACKER_LATENCY_MAX]);
	if (latency && counts) {
		double unit_ns = tracker->scale.ns_per_tick * (double)(1u << tracker->scale.shift);
		wan_latency_begin(latency, unit_ns);
		wan_latency_merge(latency, counts, unit_ns);
		wan_latency_correct(latency, wan_load_relaxed(&words[WAN_TRACKER_EXPECTED]));
		seen->p50_ns = wan_latency_percentile_ns(latency, 0.5, seen->max_ns);
		seen->p90_ns = wan_latency_percentile_ns(latency, 0.9, seen->max_ns);
		seen->p99_ns = wan_latency_percentile_ns(latency, 0.99, seen->max_ns);
		seen->p999_ns = wan_latency_percentile_ns(latency, 0.999, seen->max_ns);
	}
	wan_free(latency);
	for (unsigned phase = 0; phase < WAN_PHASES; phase++)
		seen->phase_steps[phase] = wan_tracker_phase_steps(words, phase);
	seen->device_done = wan_load_relaxed(&words[WAN_TRACKER_DEVICE_DONE]) - 1;
	seen->callback_ns = wan_load_relaxed(&words[WAN_TRACKER_CALLBACK_SUM]);
	seen->callback_max_ns = wan_load_relaxed(&words[WAN_TRACKER_CALLBACK_MAX]);
	seen->delivery_max_ns = wan_load_relaxed(&tracker->delivery_max_ns);
}

void wan_progress_look(const struct wan_tracker *tracker, struct wan_progress_look *look)
{
	size_t bytes = look ? look->struct_size : 0;
	if (!tracker || bytes < sizeof(bytes))
		return;
	bool ended = wan_load_acquire(&tracker->ended); /* pairs with the release in end */
	const uint64_t *words = wan_load_relaxed(&tracker->words);
	uint64_t now = ended ? wan_load_relaxed(&tracker->ended_ticks) : wan_tracker_ticks(tracker);
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
		seen.elapsed_ns = (uint64_t)((double)(now - begin) * tracker->scale.ns_per_tick);
	bool completed = ended && wan_load_relaxed(&tracker->completed);
	seen.percent = completed ? 100 : wan_eta_percent(seen.done, seen.total);
	seen.eta_ns = ended ? 0 : wan_eta_ns(seen.elapsed_ns, seen.done, seen.total);
	if (seen.elapsed_ns)
		seen.updates_per_second = (double)updates * 1e9 / (double)seen.elapsed_ns;
	for (unsigned phase = 0; phase < WAN_PHASES; phase++)
		seen.phase_ns[phase] = wan_phase_total_ns(words, (enum wan_phase)phase, now,
							  tracker->scale.ns_per_tick);
	if (bytes > offsetof(struct wan_progress_look, p50_ns))
		look_closer(tracker, words, &seen);
	memcpy(look, &seen, WAN_MIN(bytes, sizeof(seen)));
}

static void leave_recording(struct wan_tracker *tracker)
{
	for (; tracker; tracker = tracker->next)
		wan_store_relaxed(&tracker->counts, tracker->own_counts);
}

void wan_progress_leave_recording(struct wan_progress *progress) WAN_NO_ANALYSIS
{
	progress->options.latencies = NULL;
	leave_recording(progress->active);
	leave_recording(progress->calls);
	for (struct wan_words_set *set = progress->sets; set; set = set->next)
		set->counts = NULL;
}

static void free_list(struct wan_tracker *tracker)
{
	while (tracker) {
		struct wan_tracker *next = tracker->next;
		wan_free(tracker->own_counts);
		wan_free(tracker->prior);
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
