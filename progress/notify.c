/* SPDX-License-Identifier: MIT */
/*
 * Who hears of alerts. One thread delivers at a time, without the lock; places in the list never
 * move, so that a callback may unregister itself or others while the list is walked.
 */
#include <errno.h>

#include "sampler.h"
#include "state.h"
#include "thread.h"

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
		else if (!each->function && !place)
			place = each;
	}
	if (!status && !place)
		status = -ENOSPC;
	if (!status)
		*place = (struct wan_alert_callback){callback, context};
	wan_mutex_unlock(&progress->lock);
	return status;
}

int wan_progress_off_alert(struct wan_progress *progress,
			   void (*callback)(void *context, const struct wan_alert *alert),
			   void *context)
{
	if (!progress)
		return -EINVAL;
	bool found = false;
	wan_mutex_lock(&progress->lock);
	for (unsigned i = 0; i < WAN_ALERT_CALLBACKS_MAX; i++) {
		struct wan_alert_callback *each = &progress->callbacks[i];
		if (each->function != callback || each->context != context)
			continue;
		*each = (struct wan_alert_callback){0};
		found = true;
	}
	/* It may be running: it must be over before its owner frees the context. */
	while (found && progress->delivering_thread &&
	       progress->delivering_thread != wan_thread_id())
		wan_cond_wait(&progress->changed, &progress->lock, UINT64_MAX);
	wan_mutex_unlock(&progress->lock);
	return 0;
}

void wan_progress_deliver(struct wan_progress *progress, const struct wan_alert *alert)
{
	if (progress->options.on_alert)
		progress->options.on_alert(progress->options.context, alert);
	uint32_t self = wan_thread_id();
	wan_mutex_lock(&progress->lock);
	bool nested = progress->delivering_thread == self; /* a callback judged a sample itself */
	while (!nested && progress->delivering_thread)
		wan_cond_wait(&progress->changed, &progress->lock, UINT64_MAX);
	progress->delivering_thread = self;
	for (unsigned i = 0; i < WAN_ALERT_CALLBACKS_MAX; i++) {
		struct wan_alert_callback each = progress->callbacks[i];
		if (!each.function)
			continue;
		wan_mutex_unlock(&progress->lock);
		each.function(each.context, alert);
		wan_mutex_lock(&progress->lock);
	}
	if (!nested) {
		progress->delivering_thread = 0;
		wan_cond_wake_all(&progress->changed);
	}
	wan_mutex_unlock(&progress->lock);
}

uint32_t wan_progress_judge(struct wan_progress *progress, const struct wan_progress_sample *sample)
{
	if (!progress || !sample)
		return 0;
	struct wan_alert alerts[WAN_ALERT_TYPES];
	uint32_t count = wan_alert_judge(&progress->rules, sample, alerts);
	uint32_t delivered = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct wan_alert *alert = &alerts[i];
		bool critical = alert->severity == WAN_ALERT_CRITICAL;
		wan_mutex_lock(&progress->lock);
		bool pass = wan_alert_pass(&progress->gate, &progress->rules, alert);
		progress->total_alerts++;
		progress->critical_alerts += critical;
		/* Emergency reaction of the requirements: look half as often. */
		if (pass && critical && alert->type == WAN_ALERT_LARGE_QUEUE)
			progress->interval_ns = wan_sampler_clamp_ns(progress->interval_ns * 2);
		wan_mutex_unlock(&progress->lock);
		if (!pass)
			continue;
		wan_progress_deliver(progress, alert);
		delivered++;
	}
	return delivered;
}
