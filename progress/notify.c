/* SPDX-License-Identifier: MIT */
/*
 * Who hears of alerts. One thread has the turn to call callbacks at a time, without the lock;
 * places in the list never move, so that a callback may unregister itself or others while the list
 * is walked. One that does not come back loses its thread the turn: another goes on with the rest.
 */
#include <errno.h>
#include <string.h>

#include "atomics.h"
#include "macros.h"
#include "sampler.h"
#include "state.h"
#include "str.h"
#include "thread.h"

static const uint64_t BLOCKED_NS = 1000000000u; /* in one callback: others are kept no longer */

int wan_progress_on_alert(struct wan_progress *progress,
			  void (*callback)(void *context, const struct wan_alert *alert),
			  void *context)
{
	if (!progress || !callback)
		return -EINVAL;
	int status = 0;
	struct wan_alert_callback *place = NULL;
	wan_mutex_lock(&progress->lock);
	for (unsigned i = 0; i < WAN_ALERT_CALLBACKS_MAX; i++) {
		struct wan_alert_callback *each = &progress->callbacks[i];
		if (each->function == callback && each->context == context)
			status = -EEXIST;
		else if (!each->function && !each->running && !place)
			place = each;
	}
	if (!status && !place)
		status = -ENOSPC;
	if (!status)
		*place = (struct wan_alert_callback){.function = callback, .context = context};
	wan_mutex_unlock(&progress->lock);
	return status;
}

int wan_progress_off_alert(struct wan_progress *progress,
			   void (*callback)(void *context, const struct wan_alert *alert),
			   void *context)
{
	if (!progress)
		return -EINVAL;
	struct wan_alert_callback *found = NULL;
	wan_mutex_lock(&progress->lock);
	for (unsigned i = 0; i < WAN_ALERT_CALLBACKS_MAX; i++) {
		struct wan_alert_callback *each = &progress->callbacks[i];
		if (each->function != callback || each->context != context)
			continue;
		each->function = NULL;
		found = each;
	}
	/* It may be running: it must be over before its owner frees the context. */
	while (found && found->running && found->runner != wan_thread_id())
		wan_cond_wait(&progress->changed, &progress->lock, UINT64_MAX);
	wan_mutex_unlock(&progress->lock);
	return 0;
}

/* Calls one callback, with the turn. */
static void call_locked(struct wan_progress *progress, struct wan_alert_callback *place,
			struct wan_alert_walk *walk) WAN_REQUIRES(&progress->lock)
{
	const struct wan_alert_callback each = *place;
	struct wan_alert_walk *outer = progress->walk;
	uint32_t self = wan_thread_id();
	place->runner = self;
	place->running++;
	walk->since_ns = wan_now_ns();
	progress->walk = walk;
	wan_mutex_unlock(&progress->lock);
	each.function(each.context, walk->alert);
	wan_mutex_lock(&progress->lock);
	if (--place->running == 0)
		place->runner = 0;
	wan_cond_wake_all(&progress->changed);
	if (progress->delivering_thread == self && !walk->relieved)
		progress->walk = outer;
}

bool wan_progress_walk_locked(struct wan_progress *progress, const struct wan_alert *alert,
			      unsigned from)
{
	struct wan_alert_walk walk = {.alert = alert};
	uint32_t self = wan_thread_id();
	for (walk.place = from; walk.place < WAN_ALERT_CALLBACKS_MAX; walk.place++) {
		struct wan_alert_callback *place = &progress->callbacks[walk.place];
		if (!place->function)
			continue;
		if (place->running && place->runner != self) {
			progress->missed++;
			continue;
		}
		call_locked(progress, place, &walk);
		if (walk.relieved)
			return false;
		/* A callback inside this one was relieved: the rest here is still ours. */
		if (progress->delivering_thread != self)
			wan_progress_take_turn_locked(progress);
	}
	return true;
}

/* The turn of a thread that has been in a callback for too long, and the rest of its work. */
static void relieve_locked(struct wan_progress *progress) WAN_REQUIRES(&progress->lock)
{
	struct wan_alert_walk *walk = progress->walk;
	const struct wan_alert rest = *walk->alert; /* on the stack of the one that is stuck */
	unsigned from = walk->place + 1;
	walk->relieved = true;
	progress->delivering_thread = wan_thread_id();
	progress->walk = NULL;
	if (wan_progress_walk_locked(progress, &rest, from))
		wan_progress_leave_turn_locked(progress);
}

void wan_progress_take_turn_locked(struct wan_progress *progress)
{
	while (progress->delivering_thread) {
		uint64_t deadline_ns = progress->walk->since_ns + BLOCKED_NS;
		if (wan_now_ns() >= deadline_ns)
			relieve_locked(progress);
		else
			wan_cond_wait(&progress->changed, &progress->lock, deadline_ns);
	}
	progress->delivering_thread = wan_thread_id();
	progress->walk = NULL;
}

void wan_progress_leave_turn_locked(struct wan_progress *progress)
{
	progress->delivering_thread = 0;
	progress->walk = NULL;
	wan_cond_wake_all(&progress->changed);
}

void wan_progress_deliver(struct wan_progress *progress, const struct wan_alert *alert)
{
	wan_mutex_lock(&progress->lock);
	/* A callback that judges a sample itself has the turn already. */
	bool nested = progress->delivering_thread == wan_thread_id();
	if (!nested)
		wan_progress_take_turn_locked(progress);
	bool whole = wan_progress_walk_locked(progress, alert, 0);
	if (!nested && whole)
		wan_progress_leave_turn_locked(progress);
	wan_mutex_unlock(&progress->lock);
}

void wan_progress_relieve(struct wan_progress *progress)
{
	wan_mutex_lock(&progress->lock);
	bool blocked = progress->delivering_thread &&
		       progress->delivering_thread != wan_thread_id() &&
		       wan_now_ns() >= progress->walk->since_ns + BLOCKED_NS;
	wan_mutex_unlock(&progress->lock);
	if (blocked)
		wan_progress_post(progress, NULL);
}

/* --- judging --- */

/* Emergency reactions of the requirements to a critical queue: look half as often, and tell every
 * second update. */
static void react_locked(struct wan_progress *progress, struct wan_alert *alert)
	WAN_REQUIRES(&progress->lock)
{
	if (alert->severity != WAN_ALERT_CRITICAL || alert->type != WAN_ALERT_LARGE_QUEUE)
		return;
	progress->interval_ns = wan_sampler_clamp_ns(progress->interval_ns * 2);
	uint32_t granularity = wan_load_relaxed(&progress->granularity) * 2;
	granularity = WAN_MIN(granularity, (uint32_t)WAN_GRANULARITY_MAX);
	wan_store_relaxed(&progress->granularity, granularity);
	alert->action.applied = true;
	wan_str_copy(alert->action.code, sizeof(alert->action.code), "granularity");
	wan_str_format(alert->action.text, sizeof(alert->action.text),
		       "sampled every %.1f s, update callbacks every %u updates",
		       (double)progress->interval_ns * 1e-9, granularity);
}

bool wan_progress_raise(struct wan_progress *progress, struct wan_alert *alert, bool post)
{
	const struct wan_progress_options *options = &progress->options;
	wan_mutex_lock(&progress->lock);
	bool pass = wan_alert_pass(&progress->gate, &progress->rules, alert);
	progress->total_alerts++;
	progress->critical_alerts += alert->severity == WAN_ALERT_CRITICAL;
	if (pass)
		react_locked(progress, alert);
	wan_mutex_unlock(&progress->lock);
	if (!pass)
		return false;
	if (options->act)
		options->act(options->context, alert);
	if (options->on_alert)
		options->on_alert(options->context, alert);
	if (post)
		wan_progress_post(progress, alert);
	else
		wan_progress_deliver(progress, alert);
	return true;
}

uint32_t wan_progress_judge_window(struct wan_progress *progress,
				   const struct wan_alert_window *window, bool post)
{
	const struct wan_alert_rules *rules = &progress->rules;
	struct wan_alert alerts[WAN_ALERT_TYPES];
	uint32_t count = wan_alert_judge_window(rules, window, alerts), delivered = 0;
	wan_mutex_lock(&progress->lock);
	uint32_t firing =
		wan_alert_hold(&progress->gate, rules, alerts, count,
			       wan_alert_lingering(rules, window), window->sample.time_ns);
	for (uint32_t i = 0; i < count; i++)
		if (!(firing >> alerts[i].type & 1))
			wan_alert_count(&progress->gate, &alerts[i]);
	if (!(firing >> WAN_ALERT_LARGE_QUEUE & 1))
		wan_store_relaxed(&progress->granularity, 1);
	wan_mutex_unlock(&progress->lock);
	for (uint32_t i = 0; i < count; i++)
		if (firing >> alerts[i].type & 1)
			delivered += wan_progress_raise(progress, &alerts[i], post);
	return delivered;
}

uint32_t wan_progress_judge(struct wan_progress *progress, const struct wan_progress_sample *sample)
{
	if (!progress || !sample)
		return 0;
	struct wan_alert alerts[WAN_ALERT_TYPES];
	uint32_t count = wan_alert_judge(&progress->rules, sample, alerts), delivered = 0;
	for (uint32_t i = 0; i < count; i++)
		delivered += wan_progress_raise(progress, &alerts[i], false);
	return delivered;
}
