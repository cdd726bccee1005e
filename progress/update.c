/* SPDX-License-Identifier: MIT */
/* What the thread of a job tells about it: stores to words that are its own. */
#include <string.h>

#include "atomics.h"
#include "macros.h"
#include "phase.h"
#include "state.h"
#include "str.h"
#include "thread.h"

void wan_tracker_call_back(struct wan_tracker *tracker)
{
	if (wan_likely(!tracker->callback))
		return;
	uint64_t *words = wan_load_relaxed(&tracker->words);
	uint64_t begin = wan_tracker_ticks(tracker);
	tracker->callback(tracker->callback_context, tracker);
	uint64_t ticks = wan_elapsed(begin, wan_tracker_ticks(tracker));
	uint64_t ns = (uint64_t)((double)ticks * tracker->scale.ns_per_tick);
	wan_tracker_bump(&words[WAN_TRACKER_CALLBACK_SUM], ns);
	if (ns > wan_load_relaxed(&words[WAN_TRACKER_CALLBACK_MAX]))
		wan_store_relaxed(&words[WAN_TRACKER_CALLBACK_MAX], ns);
	wan_max_relaxed(&tracker->callback_longest_ns, ns);
}

void wan_tracker_judge_plain(struct wan_tracker *tracker)
{
	bool counter =
		wan_clock_uses_counter && !tracker->now_ns && !tracker->progress->options.on_step;
	wan_store_relaxed(&tracker->plain,
			  counter && !tracker->callback && !wan_load_relaxed(&tracker->ended));
}

static bool writes(const struct wan_tracker *tracker)
{
	return tracker && !wan_load_relaxed(&tracker->ended);
}

static void step(struct wan_tracker *tracker, uint64_t done, uint64_t now)
{
	wan_tracker_step(wan_load_relaxed(&tracker->words), wan_load_relaxed(&tracker->counts),
			 &tracker->scale, done, now);
}

static void tell_step(const struct wan_tracker *tracker, uint64_t done)
{
	const struct wan_progress_options *options = &tracker->progress->options;
	if (options->on_step)
		options->on_step(options->context, tracker->name, done);
}

static __attribute__((noinline)) void update_slowly(struct wan_tracker *tracker, uint64_t done)
{
	if (!writes(tracker))
		return;
	step(tracker, done, wan_tracker_ticks(tracker));
	tell_step(tracker, done);
	/* In an emergency every second one, fourth, ... but always the last. */
	uint32_t granularity = wan_load_relaxed(&tracker->progress->granularity);
	uint64_t total = wan_load_relaxed(&tracker->words[WAN_TRACKER_TOTAL]);
	if (++tracker->callbacks_skipped < granularity && (!total || done < total))
		return;
	tracker->callbacks_skipped = 0;
	wan_tracker_call_back(tracker);
}

/* One test for all that is not plain keeps registers and stack out of it: a fifth of the cost. */
void wan_progress_update(struct wan_tracker *tracker, uint64_t done)
{
	if (wan_likely(tracker && wan_load_relaxed(&tracker->plain)))
		step(tracker, done, wan_counter_ticks());
	else
		update_slowly(tracker, done);
}

void wan_progress_update_many(struct wan_tracker *tracker, uint64_t done, uint64_t count)
{
	if (!writes(tracker) || !count)
		return;
	wan_tracker_steps(wan_load_relaxed(&tracker->words), wan_load_relaxed(&tracker->counts),
			  &tracker->scale, done, count, wan_tracker_ticks(tracker));
	tell_step(tracker, done);
	wan_tracker_call_back(tracker);
}

/* The stretch that ends now, for the recording. */
static void tell_stretch(struct wan_tracker *tracker, const uint64_t *words, uint64_t now)
{
	const struct wan_progress_options *options = &tracker->progress->options;
	uint64_t phase = wan_load_relaxed(&words[WAN_TRACKER_PHASE]);
	bool open = phase < WAN_PHASES && (phase != WAN_PHASE_NONE || tracker->phase_text[0]);
	if (!open || !options->on_phase)
		return;
	uint64_t started = wan_load_relaxed(&words[WAN_TRACKER_PHASE_START + phase]);
	const struct wan_progress_stretch stretch = {
		.tracker = tracker->name,
		.phase = (enum wan_phase)phase,
		.text = tracker->phase_text,
		.started_ticks = started,
		.duration_ns =
			(uint64_t)((double)wan_elapsed(started, now) * tracker->scale.ns_per_tick),
		.steps = wan_load_relaxed(&words[WAN_TRACKER_UPDATES]) - tracker->phase_updates,
	};
	options->on_phase(options->context, &stretch);
}

/* Of a text without a place in the recording it is told that there is one. */
static uint64_t text_word(const struct wan_tracker *tracker, const char *text)
{
	const struct wan_progress_options *options = &tracker->progress->options;
	uint64_t id = options->string_id ? options->string_id(options->context, text) : 0;
	return id ? id : UINT64_MAX;
}

void wan_tracker_enter(struct wan_tracker *tracker, enum wan_phase phase, const char *text)
{
	uint64_t *words = wan_load_relaxed(&tracker->words);
	const char *name = text ? text : "";
	if (wan_load_relaxed(&words[WAN_TRACKER_PHASE]) == (uint64_t)phase &&
	    strcmp(tracker->phase_text, name) == 0)
		return; /* it is open */
	uint64_t now = wan_tracker_ticks(tracker);
	tell_stretch(tracker, words, now);
	wan_store_relaxed(&tracker->phase_hash, wan_job_name_hash(name));
	wan_phase_enter(words, phase, *name ? text_word(tracker, name) : 0, now,
			tracker->scale.ns_per_tick);
	wan_str_copy(tracker->phase_text, sizeof(tracker->phase_text), name);
	tracker->phase_updates = wan_load_relaxed(&words[WAN_TRACKER_UPDATES]);
	wan_store_relaxed(&words[WAN_TRACKER_THREAD], wan_thread_id());
}

void wan_progress_phase(struct wan_tracker *tracker, enum wan_phase phase)
{
	if ((unsigned)phase >= WAN_PHASES || !writes(tracker))
		return;
	wan_tracker_enter(tracker, phase, NULL);
	if (phase != WAN_PHASE_NONE)
		wan_store_relaxed(&tracker->declared, true);
	wan_tracker_call_back(tracker);
}

void wan_progress_phase_named(struct wan_tracker *tracker, const char *name)
{
	char cut[WAN_TRACKER_NAME_MAX];
	if (!name || !*name || !writes(tracker))
		return;
	wan_str_copy(cut, sizeof(cut), name);
	wan_tracker_enter(tracker, WAN_PHASE_NONE, cut);
	wan_store_relaxed(&tracker->declared, true);
	wan_tracker_call_back(tracker);
}

void wan_progress_total(struct wan_tracker *tracker, uint64_t total)
{
	if (writes(tracker))
		wan_store_relaxed(&tracker->words[WAN_TRACKER_TOTAL], total);
}

void wan_progress_one_off(struct wan_tracker *tracker, uint64_t at_most_ns)
{
	if (!writes(tracker))
		return;
	double ticks = (double)at_most_ns / tracker->scale.ns_per_tick;
	uint64_t now = wan_tracker_ticks(tracker);
	uint64_t until = ticks < 0x1p62 ? now + (uint64_t)ticks : UINT64_MAX;
	wan_store_relaxed(&tracker->words[WAN_TRACKER_GRACE], WAN_MAX(until, now));
}

void wan_progress_expect(struct wan_tracker *tracker, uint64_t interval_ns)
{
	if (writes(tracker))
		wan_store_relaxed(&tracker->words[WAN_TRACKER_EXPECTED], interval_ns);
}

void wan_progress_device_done(struct wan_tracker *tracker, uint64_t done)
{
	if (writes(tracker))
		wan_store_relaxed(&tracker->words[WAN_TRACKER_DEVICE_DONE],
				  done == UINT64_MAX ? 0 : done + 1);
}

uint64_t *wan_progress_slot(struct wan_tracker *tracker)
{
	return writes(tracker) ? wan_load_relaxed(&tracker->words) : NULL;
}

void wan_progress_on_update(struct wan_tracker *tracker,
			    void (*callback)(void *context, const struct wan_tracker *tracker),
			    void *context)
{
	if (!tracker)
		return;
	wan_store_relaxed(&tracker->plain, false);
	tracker->callback_context = context;
	tracker->callback = callback;
	if (!callback)
		wan_tracker_judge_plain(tracker);
}
