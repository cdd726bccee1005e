/* SPDX-License-Identifier: MIT */
/* Samples of the whole, and the thread that takes them between start and stop. */
#include <errno.h>
#include <time.h>

#include "atomics.h"
#include "fork.h"
#include "macros.h"
#include "procfs.h"
#include "sampler.h"
#include "state.h"
#include "sys.h"
#include "thread.h"

static const uint64_t RATE_WINDOW_NS = 10000000000u; /* requirements: updates of the last 10 s */

static uint64_t process_cpu_ns(void)
{
	struct timespec time;
	if (wan_sys->clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) < 0)
		return 0;
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* CPU in percent of one core since the last reading; 0 when that was less than 1 ms ago. */
static double cpu_percent(struct wan_progress *progress)
{
	uint64_t cpu = process_cpu_ns(), now = wan_now_ns();
	double percent = 0;
	wan_mutex_lock(&progress->lock);
	uint64_t span = now - progress->cpu_last_time_ns;
	if (span >= 1000000) {
		if (progress->cpu_last_time_ns && cpu >= progress->cpu_last_ns)
			percent = (double)(cpu - progress->cpu_last_ns) * 100 / (double)span;
		progress->cpu_last_ns = cpu;
		progress->cpu_last_time_ns = now;
	}
	wan_mutex_unlock(&progress->lock);
	return percent;
}

static void read_resources(struct wan_progress *progress, struct wan_progress_sample *sample)
{
	if (progress->options.resources) {
		progress->options.resources(progress->options.context, &sample->memory_mb,
					    &sample->cpu_percent);
		return;
	}
	uint64_t rss;
	if (wan_procfs_rss_bytes(0, &rss) == 0)
		sample->memory_mb = (double)rss / (double)WAN_MIB;
	sample->cpu_percent = cpu_percent(progress);
}

/* Mean latency of what was completed since the last sample. */
static double recent_latency_ms(bool classic, const struct wan_progress_totals *now,
				const struct wan_progress_totals *last)
{
	uint64_t updates = classic ? now->updates : now->judged_updates;
	uint64_t latency = classic ? now->latency_ns : now->judged_latency_ns;
	uint64_t updates_before = classic ? last->updates : last->judged_updates;
	uint64_t latency_before = classic ? last->latency_ns : last->judged_latency_ns;
	/* A tracker that declares itself takes its past out of the judged sums. */
	if (updates <= updates_before || latency < latency_before)
		return 0;
	return (double)(latency - latency_before) / (double)(updates - updates_before) * 1e-6;
}

/* Updates per second over the last 10 s. classic counts as if the window were full at once; the
 * default rules say "not known yet" until the window could hold two updates at the limit. */
static double rate_locked(struct wan_progress *progress, uint64_t now_ns, uint64_t updates)
	WAN_REQUIRES(&progress->lock)
{
	struct wan_rate_sample oldest = {now_ns, updates};
	for (uint32_t age = 0; age < progress->rate_count; age++) {
		uint32_t at = (progress->rate_next + WAN_RATE_SAMPLES - 1 - age) % WAN_RATE_SAMPLES;
		struct wan_rate_sample sample = progress->rates[at];
		if (sample.time_ns > now_ns || now_ns - sample.time_ns > RATE_WINDOW_NS)
			break;
		oldest = sample;
	}
	progress->rates[progress->rate_next] = (struct wan_rate_sample){now_ns, updates};
	progress->rate_next = (progress->rate_next + 1) % WAN_RATE_SAMPLES;
	progress->rate_count = WAN_MIN(progress->rate_count + 1, (uint32_t)WAN_RATE_SAMPLES);
	double window_s = (double)(now_ns - oldest.time_ns) * 1e-9;
	double count = (double)(updates - WAN_MIN(oldest.updates, updates));
	if (progress->rules.classic)
		return count / 10;
	return window_s * progress->rules.updates_per_second >= 2 ? count / window_s : -1;
}

static void take_figures(struct wan_progress *progress, struct wan_progress_sample *sample)
{
	wan_mutex_lock(&progress->lock);
	struct wan_progress_totals totals = wan_progress_totals_locked(progress);
	bool worked = totals.judged_updates > progress->last_totals.judged_updates;
	sample->latency_ms =
		recent_latency_ms(progress->rules.classic, &totals, &progress->last_totals);
	bool was_active = progress->last_totals.active > 0;
	if (!was_active && !progress->rules.classic)
		progress->rate_count = 0; /* a pause is no slow job */
	sample->updates_per_second = rate_locked(progress, sample->time_ns, totals.updates);
	sample->active_trackers = totals.active;
	sample->queue = totals.active ? totals.active - 1 : 0;
	sample->active = totals.active > 0 || worked;
	sample->declared = sample->active && !totals.undeclared && !worked;
	progress->last_totals = totals;

	progress->samples++;
	progress->memory_sum_mb += sample->memory_mb;
	progress->memory_peak_mb = WAN_MAX(progress->memory_peak_mb, sample->memory_mb);
	progress->cpu_sum += sample->cpu_percent;
	progress->cpu_peak = WAN_MAX(progress->cpu_peak, sample->cpu_percent);
	progress->rate_sum += WAN_MAX(sample->updates_per_second, 0);
	wan_mutex_unlock(&progress->lock);
}

static void adapt_interval(struct wan_progress *progress, const struct wan_progress_sample *sample,
			   uint64_t cost_ns)
{
	struct wan_alert alerts[WAN_ALERT_TYPES];
	bool anomaly = wan_alert_judge(&progress->rules, sample, alerts) > 0;
	wan_mutex_lock(&progress->lock);
	progress->interval_ns =
		progress->classic_sampling
			? wan_sampler_classic_ns(progress->interval_ns, sample)
			: wan_sampler_budget_ns(progress->interval_ns, progress->quiet_ns, cost_ns,
						anomaly);
	wan_mutex_unlock(&progress->lock);
}

static void store_words(struct wan_progress *progress)
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
	};
	for (unsigned i = 0; i < WAN_COUNT_OF(values); i++)
		wan_store_relaxed(&words[i], values[i]);
}

uint64_t wan_progress_sample_now(struct wan_progress *progress)
{
	uint64_t cost_begin = wan_thread_cpu_ns();
	struct wan_progress_sample sample = {.time_ns = wan_progress_now_ns(progress)};
	read_resources(progress, &sample);
	take_figures(progress, &sample);
	uint64_t cost_ns = wan_thread_cpu_ns() - cost_begin;
	adapt_interval(progress, &sample, cost_ns);
	if (progress->options.on_sample)
		progress->options.on_sample(progress->options.context, &sample);
	wan_progress_judge(progress, &sample);
	store_words(progress);
	wan_mutex_lock(&progress->lock);
	uint64_t interval = progress->interval_ns;
	wan_mutex_unlock(&progress->lock);
	return interval;
}

static void *sample_until_stopped(void *argument)
{
	struct wan_progress *progress = argument;
	uint64_t due_ns = wan_now_ns();
	for (;;) {
		uint64_t interval = wan_progress_sample_now(progress);
		/* From when it was due, so that the work of a sample does not add up; but a late
		 * one is not made up for. */
		uint64_t now = wan_now_ns();
		due_ns = due_ns + interval > now ? due_ns + interval : now + interval;
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
	progress->delivering_thread = 0;
	wan_cond_init(&progress->changed);
}

int wan_progress_start(struct wan_progress *progress, uint64_t interval_ns)
{
	if (!progress)
		return -EINVAL;
	wan_mutex_lock(&progress->lock);
	forget_after_fork_locked(progress);
	bool ending = progress->state == WAN_MONITOR_RUNNING && progress->stopping;
	bool own = ending && pthread_equal(progress->thread, pthread_self());
	wan_mutex_unlock(&progress->lock);
	if (own)
		return -EAGAIN; /* a callback stopped us and still runs on that thread */
	if (ending)
		wan_progress_stop(progress);

	int status = 0;
	wan_mutex_lock(&progress->lock);
	if (progress->state == WAN_MONITOR_RUNNING) {
		status = -EALREADY;
	} else {
		progress->quiet_ns = WAN_MAX(progress->first_interval_ns, interval_ns);
		progress->interval_ns = wan_sampler_clamp_ns(
			interval_ns ? interval_ns : progress->first_interval_ns);
		progress->stopping = false;
		progress->rate_count = 0;
		progress->started_ns = wan_now_ns();
		status = wan_thread_start(&progress->thread, "wan-progress", sample_until_stopped,
					  progress);
		if (!status)
			progress->state = WAN_MONITOR_RUNNING;
	}
	wan_mutex_unlock(&progress->lock);
	return status;
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
	bool own = running && pthread_equal(progress->thread, pthread_self());
	bool joins = running && !own && !progress->joining;
	if (joins)
		progress->joining = true;
	else
		while (!own && progress->joining) /* somebody else is at it */
			wan_cond_wait(&progress->changed, &progress->lock, UINT64_MAX);
	wan_mutex_unlock(&progress->lock);
	if (!joins)
		return;

	pthread_join(progress->thread, NULL);
	wan_mutex_lock(&progress->lock);
	progress->state = WAN_MONITOR_STOPPED;
	progress->stopping = progress->joining = false;
	wan_cond_wake_all(&progress->changed);
	wan_mutex_unlock(&progress->lock);
	store_words(progress);
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
