/* SPDX-License-Identifier: MIT */
/* Samples of the whole, and the thread that takes them between start and stop. */
#include <errno.h>
#include <string.h>

#include "atomics.h"
#include "fork.h"
#include "macros.h"
#include "sampler.h"
#include "state.h"
#include "thread.h"

static void adapt_interval(struct wan_progress *progress, const struct wan_alert_window *window,
			   uint64_t cost_ns)
{
	struct wan_alert alerts[WAN_ALERT_TYPES];
	uint32_t count = wan_alert_judge_window(&progress->rules, window, alerts);
	bool emergency = false;
	for (uint32_t i = 0; i < count; i++)
		emergency |= alerts[i].type == WAN_ALERT_LARGE_QUEUE &&
			     alerts[i].severity == WAN_ALERT_CRITICAL;
	bool anomaly = count > 0;
	wan_mutex_lock(&progress->lock);
	progress->own_cpu_ns += cost_ns;
	if (emergency && !progress->classic_sampling) { /* then less is looked at, not more */
		wan_mutex_unlock(&progress->lock);
		return;
	}
	progress->interval_ns =
		progress->classic_sampling
			? wan_sampler_classic_ns(progress->interval_ns, &window->sample)
			: wan_sampler_budget_ns(&progress->sampler, progress->interval_ns,
						progress->quiet_ns, cost_ns, anomaly);
	wan_mutex_unlock(&progress->lock);
}

void wan_progress_store_words(struct wan_progress *progress)
{
	uint64_t *words = progress->options.monitor_words;
	if (!words)
		return;
	struct wan_progress_summary summary = {.struct_size = sizeof(summary)};
	wan_progress_summary(progress, &summary);
	/* Order is fixed by the recording's schema (MONITOR). */
	const uint64_t values[] = {
		summary.samples,
		(uint64_t)(summary.monitoring_duration_minutes * 60e9),
		(uint64_t)(summary.average_latency_ms * 1e6),
		(uint64_t)(summary.max_latency_ms * 1e6),
		(uint64_t)(summary.average_memory_mb * (double)WAN_MIB),
		(uint64_t)(summary.peak_memory_mb * (double)WAN_MIB),
		(uint64_t)(summary.average_cpu_percent * 1e3),
		(uint64_t)(summary.peak_cpu_percent * 1e3),
		(uint64_t)(summary.average_updates_per_second * 1e3),
		summary.total_alerts,
		summary.critical_alerts,
		summary.active_trackers,
		(uint64_t)(summary.current_update_interval_s * 1e9),
		wan_progress_running(progress),
		summary.suppressed_alerts,
		summary.own_cpu_ns,
		summary.queue,
		summary.queue_wait_ns,
		summary.granularity,
		wan_load_relaxed(&progress->stalled),
		wan_load_relaxed(&progress->delivery_max_ns),
	};
	for (unsigned i = 0; i < WAN_COUNT_OF(values); i++)
		wan_store_relaxed(&words[i], values[i]);
}

static uint64_t take_sample(struct wan_progress *progress, bool post)
{
	uint64_t cost_begin = wan_thread_cpu_ns();
	struct wan_alert_window window = {.sample.time_ns = wan_progress_now_ns(progress)};
	wan_progress_close_window(progress, &window);
	adapt_interval(progress, &window, wan_thread_cpu_ns() - cost_begin);
	if (progress->options.on_sample)
		progress->options.on_sample(progress->options.context, &window.sample);
	wan_progress_judge_window(progress, &window, post);
	cost_begin = wan_thread_cpu_ns();
	uint64_t look_in_ns = wan_progress_watch_silence(progress, window.sample.time_ns, post);
	wan_mutex_lock(&progress->lock);
	progress->own_cpu_ns += wan_thread_cpu_ns() - cost_begin;
	wan_mutex_unlock(&progress->lock);
	wan_progress_store_words(progress);
	wan_mutex_lock(&progress->lock);
	uint64_t interval = progress->interval_ns;
	wan_mutex_unlock(&progress->lock);
	/* A deadline does not wait for the interval. */
	return WAN_MIN(interval, WAN_MAX(look_in_ns, WAN_SAMPLER_LEAST_NS));
}

uint64_t wan_progress_sample_now(struct wan_progress *progress)
{
	return take_sample(progress, false);
}

/* --- when --- */

/* How much earlier than due a sample may be taken. */
static uint64_t slack_ns_locked(const struct wan_progress *progress) WAN_REQUIRES(&progress->lock)
{
	enum { LEAST_NS = 400000000 }; /* short ones are kept exactly */
	bool may = !progress->classic_sampling && progress->interval_ns >= LEAST_NS;
	return may ? progress->interval_ns / 4 : 0;
}

uint64_t wan_progress_serve(struct wan_progress *progress, bool convenient)
{
	uint64_t due_ns, now_ns = wan_now_ns();
	wan_mutex_lock(&progress->lock);
	bool runs = progress->state == WAN_MONITOR_RUNNING && !progress->stopping;
	due_ns = runs ? progress->due_ns : UINT64_MAX;
	bool due = runs && due_ns <= now_ns + (convenient ? slack_ns_locked(progress) : 0);
	due_ns = due ? WAN_MIN(due_ns, now_ns) : due_ns;
	if (due)
		progress->serving_thread = wan_thread_id();
	wan_mutex_unlock(&progress->lock);
	if (!due)
		return due_ns;

	wan_progress_relieve(progress);
	uint64_t interval = take_sample(progress, true);
	now_ns = wan_now_ns();
	wan_mutex_lock(&progress->lock);
	/* From when it was due, so that the work of a sample does not add up; but a late one is not
	 * made up for. */
	progress->due_ns = due_ns + interval > now_ns ? due_ns + interval : now_ns + interval;
	due_ns = progress->stopping ? UINT64_MAX : progress->due_ns;
	progress->serving_thread = 0;
	wan_cond_wake_all(&progress->changed);
	wan_mutex_unlock(&progress->lock);
	return due_ns;
}

static void *sample_until_stopped(void *argument)
{
	struct wan_progress *progress = argument;
	for (;;) {
		uint64_t due_ns = wan_progress_serve(progress, false);
		wan_mutex_lock(&progress->lock);
		while (!progress->stopping && wan_now_ns() < due_ns)
			wan_cond_wait(&progress->changed, &progress->lock, due_ns);
		bool stopping = progress->stopping;
		wan_mutex_unlock(&progress->lock);
		if (stopping)
			return NULL;
	}
}

/* Threads of the parent that sampled, delivered or waited are not in the child; a condition with
 * waiters that never come back could not even be destroyed. */
static void forget_after_fork_locked(struct wan_progress *progress) WAN_REQUIRES(&progress->lock)
{
	uint32_t generation = wan_fork_generation();
	if (progress->fork_generation == generation)
		return;
	progress->fork_generation = generation;
	progress->state = WAN_MONITOR_STOPPED;
	progress->stopping = progress->joining = false;
	progress->delivering_thread = progress->serving_thread = 0;
	progress->walk = NULL;
	wan_evidence_close(&progress->evidence);
	progress->courier = progress->posted_count = 0;
	memset(progress->couriers, 0, sizeof(progress->couriers));
	for (unsigned i = 0; i < WAN_ALERT_CALLBACKS_MAX; i++)
		progress->callbacks[i].running = progress->callbacks[i].runner = 0;
	wan_cond_init(&progress->changed);
}

/* A thread of our own, unless somebody has one that serves us. */
static int begin_thread(struct wan_progress *progress, uint32_t run)
{
	const struct wan_progress_options *options = &progress->options;
	if (options->host && options->host(options->context))
		return 0;
	int status = 0;
	wan_mutex_lock(&progress->lock);
	if (progress->run == run && progress->state == WAN_MONITOR_RUNNING && !progress->stopping) {
		status = wan_thread_start(&progress->thread, "wan-progress", sample_until_stopped,
					  progress);
		progress->hosted = false;
		if (status < 0)
			progress->state = WAN_MONITOR_STOPPED;
	}
	wan_mutex_unlock(&progress->lock);
	return status;
}

static bool on_own_thread_locked(const struct wan_progress *progress) WAN_REQUIRES(&progress->lock)
{
	return progress->serving_thread == wan_thread_id();
}

int wan_progress_start(struct wan_progress *progress, uint64_t interval_ns)
{
	if (!progress)
		return -EINVAL;
	wan_mutex_lock(&progress->lock);
	forget_after_fork_locked(progress);
	bool ending = progress->state == WAN_MONITOR_RUNNING && progress->stopping;
	bool own = ending && on_own_thread_locked(progress);
	wan_mutex_unlock(&progress->lock);
	if (own)
		return -EAGAIN; /* a hook stopped us and still runs on that thread */
	if (ending)
		wan_progress_stop(progress);

	uint32_t run = 0;
	wan_mutex_lock(&progress->lock);
	if (progress->state != WAN_MONITOR_RUNNING) {
		progress->quiet_ns = WAN_MAX(progress->first_interval_ns, interval_ns);
		progress->interval_ns = wan_sampler_clamp_ns(
			interval_ns ? interval_ns : progress->first_interval_ns);
		progress->stopping = false;
		progress->hosted = true;
		progress->rate_count = 0;
		progress->window_ns = 0;
		progress->started_ns = progress->due_ns = wan_now_ns();
		progress->state = WAN_MONITOR_RUNNING;
		run = ++progress->run;
	}
	wan_mutex_unlock(&progress->lock);
	return run ? begin_thread(progress, run) : -EALREADY;
}

void wan_progress_stop(struct wan_progress *progress)
{
	if (!progress)
		return;
	wan_mutex_lock(&progress->lock);
	forget_after_fork_locked(progress);
	bool running = progress->state == WAN_MONITOR_RUNNING;
	if (running && !progress->stopping) {
		progress->stopping = true;
		progress->monitored_ns += wan_now_ns() - progress->started_ns;
		wan_cond_wake_all(&progress->changed);
	}
	bool own = running && on_own_thread_locked(progress);
	bool joins = running && !own && !progress->joining;
	if (joins)
		progress->joining = true;
	else /* somebody else is at it; he waits for a callback that stops, which must not wait too
	      */
		while (!own && !wan_progress_is_courier_locked(progress) && progress->joining)
			wan_cond_wait(&progress->changed, &progress->lock, UINT64_MAX);
	bool hosted = progress->hosted;
	while (joins && hosted && progress->serving_thread)
		wan_cond_wait(&progress->changed, &progress->lock, UINT64_MAX);
	wan_mutex_unlock(&progress->lock);
	if (!joins)
		return;

	if (!hosted)
		pthread_join(progress->thread, NULL);
	wan_progress_dismiss_couriers(progress);
	wan_evidence_close(&progress->evidence);
	wan_mutex_lock(&progress->lock);
	progress->state = WAN_MONITOR_STOPPED;
	progress->stopping = progress->joining = false;
	wan_cond_wake_all(&progress->changed);
	wan_mutex_unlock(&progress->lock);
	wan_progress_store_words(progress);
}

bool wan_progress_running(struct wan_progress *progress)
{
	if (!progress)
		return false;
	wan_mutex_lock(&progress->lock);
	forget_after_fork_locked(progress);
	bool running = progress->state == WAN_MONITOR_RUNNING && !progress->stopping;
	wan_mutex_unlock(&progress->lock);
	return running;
}
