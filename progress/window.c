/* SPDX-License-Identifier: MIT */
/* What a window saw: figures of the process, and what declared jobs are judged by. */
#include <string.h>
#include <time.h>

#include "atomics.h"
#include "macros.h"
#include "phase.h"
#include "procfs.h"
#include "state.h"
#include "str.h"
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
	/* The dearest part of a sample: four times a second is enough where a limit has to be
	 * exceeded for a second. */
	enum { EVERY_NS = 250000000 };
	uint64_t rss, now_ns = wan_now_ns();
	bool due = progress->rules.classic || !progress->memory_read_ns ||
		   wan_elapsed(progress->memory_read_ns, now_ns) >= EVERY_NS;
	if (due && wan_procfs_rss_bytes(0, &rss) == 0) {
		progress->memory_mb = (double)rss / (double)WAN_MIB;
		progress->memory_read_ns = now_ns;
	}
	sample->memory_mb = progress->memory_mb;
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

/* Told as produced and not yet as consumed. */
static uint32_t depth(struct wan_progress *progress)
{
	uint64_t consumed = wan_load_relaxed(&progress->consumed);
	uint64_t produced = wan_load_relaxed(&progress->produced);
	uint64_t waiting = produced > consumed ? produced - consumed : 0;
	return (uint32_t)WAN_MIN(waiting, (uint64_t)UINT32_MAX / 2);
}

static void take_figures_locked(struct wan_progress *progress, struct wan_progress_sample *sample)
	WAN_REQUIRES(&progress->lock)
{
	struct wan_progress_totals totals = wan_progress_totals_locked(progress);
	bool worked = totals.judged_updates > progress->last_totals.judged_updates;
	sample->latency_ms =
		recent_latency_ms(progress->rules.classic, &totals, &progress->last_totals);
	bool was_active = progress->last_totals.active > 0;
	if (!was_active && !progress->rules.classic)
		progress->rate_count = 0; /* a pause is no slow job */
	sample->updates_per_second = rate_locked(progress, sample->time_ns, totals.updates);
	sample->active_trackers = totals.active;
	sample->queue = (totals.active ? totals.active - 1 : 0) + depth(progress);
	sample->active = totals.active > 0 || worked;
	sample->declared = sample->active && !totals.undeclared && !worked;
	progress->last_totals = totals;
	/* A window without an update says nothing new of how long one takes. */
	if (!progress->rules.classic && sample->active && !worked)
		sample->latency_ms = progress->latency_ms;
	progress->latency_ms = sample->active ? sample->latency_ms : 0;

	progress->samples++;
	progress->memory_sum_mb += sample->memory_mb;
	progress->memory_peak_mb = WAN_MAX(progress->memory_peak_mb, sample->memory_mb);
	progress->cpu_sum += sample->cpu_percent;
	progress->cpu_peak = WAN_MAX(progress->cpu_peak, sample->cpu_percent);
	progress->rate_sum += WAN_MAX(sample->updates_per_second, 0);
}

/* --- threads that show progress --- */

/* CPU of the monitor and of these threads since the last window; one that ended leaves its place.
 */
static double own_cpu_percent_locked(struct wan_progress *progress, uint64_t window_ns)
	WAN_REQUIRES(&progress->lock)
{
	uint64_t sum_ns = progress->own_cpu_ns - progress->own_cpu_last_ns;
	progress->own_cpu_last_ns = progress->own_cpu_ns;
	for (unsigned i = 0; i < WAN_UI_THREADS_MAX; i++) {
		struct timespec time;
		if (!progress->ui[i].thread)
			continue;
		if (wan_sys->clock_gettime(progress->ui[i].clock, &time) < 0) {
			progress->ui[i].thread = 0;
			continue;
		}
		uint64_t now_ns = (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
		sum_ns += wan_elapsed(progress->ui[i].cpu_ns, now_ns);
		progress->ui[i].cpu_ns = now_ns;
	}
	return window_ns ? (double)sum_ns * 100 / (double)window_ns : 0;
}

/* --- jobs that declare what they do --- */

/* What declared jobs did in a window, together. */
struct declared {
	bool stepped;   /* one of them told an update */
	bool unsettled; /* one is in the first step of its phase, or in something that happens once
			 */
};

static void note_phase(struct wan_tracker_watch *watch, const uint64_t *words)
{
	uint64_t phase = wan_load_relaxed(&words[WAN_TRACKER_PHASE]);
	uint64_t text = wan_load_relaxed(&words[WAN_TRACKER_PHASE_TEXT]);
	uint64_t start =
		phase < WAN_PHASES ? wan_load_relaxed(&words[WAN_TRACKER_PHASE_START + phase]) : 0;
	if (phase == watch->phase && text == watch->phase_text && start == watch->phase_start)
		return;
	uint64_t updates = wan_load_relaxed(&words[WAN_TRACKER_UPDATES]);
	*watch = (struct wan_tracker_watch){.updates = updates,
					    .phase = phase,
					    .phase_text = text,
					    .phase_start = start,
					    .phase_updates = updates};
}

/* Typical time between updates of late, in ns: their mean where the window saw many, else the
 * median of the latest four. 0: not known. */
static double present_gap_ns(const struct wan_tracker *tracker, const uint64_t *words,
			     uint64_t in_phase, uint64_t in_window, uint64_t window_ns)
{
	enum { LATEST = 4 };
	if (in_window >= LATEST)
		return (double)window_ns / (double)in_window;
	if (in_phase <= LATEST)
		return 0;
	uint64_t updates = wan_load_relaxed(&words[WAN_TRACKER_UPDATES]), gaps[LATEST];
	for (unsigned i = 0; i < LATEST; i++) {
		uint64_t n = updates - i;
		uint64_t gap = wan_elapsed(
			wan_load_relaxed(&words[WAN_TRACKER_LATEST + (n - 1) % WAN_TRACKER_RECENT]),
			wan_load_relaxed(&words[WAN_TRACKER_LATEST + n % WAN_TRACKER_RECENT]));
		unsigned at = i;
		for (; at > 0 && gaps[at - 1] > gap; at--)
			gaps[at] = gaps[at - 1];
		gaps[at] = gap;
	}
	return (double)(gaps[1] + gaps[2]) / 2 * tracker->scale.ns_per_tick;
}

/* Slow steps do not teach what is usual. */
static void learn(struct wan_tracker_watch *watch, double gap_ns)
{
	enum { WINDOWS_TO_KNOW = 3 };
	watch->now_ns = gap_ns;
	watch->windows += gap_ns > 0;
	if (watch->windows <= WINDOWS_TO_KNOW)
		watch->usual_ns = WAN_MAX(watch->usual_ns, gap_ns);
	else if (gap_ns < 1.5 * watch->usual_ns)
		watch->usual_ns += (gap_ns - watch->usual_ns) / 8;
}

/* How far it is behind what was declared or learned becomes the window's, if no other is further.
 */
static void compare_rate(const struct wan_tracker *tracker, const uint64_t *words,
			 struct wan_alert_window *window)
{
	const struct wan_tracker_watch *watch = &tracker->watch;
	double declared_ns = (double)wan_load_relaxed(&words[WAN_TRACKER_EXPECTED]);
	double usual_ns = declared_ns > 0 ? declared_ns : watch->windows > 3 ? watch->usual_ns : 0;
	if (usual_ns <= 0 || watch->now_ns <= 0)
		return;
	double share = usual_ns / watch->now_ns;
	if (window->expected_rate > 0 && share >= window->rate / window->expected_rate)
		return;
	window->rate = 1e9 / watch->now_ns;
	window->expected_rate = 1e9 / usual_ns;
	wan_str_copy(window->rate_tracker, sizeof(window->rate_tracker), tracker->name);
}

static void watch_declared(struct wan_tracker *tracker, uint64_t now_ticks,
			   struct wan_alert_window *window, struct declared *declared)
{
	const uint64_t *words = wan_load_relaxed(&tracker->words);
	struct wan_tracker_watch *watch = &tracker->watch;
	note_phase(watch, words);
	uint64_t updates = wan_load_relaxed(&words[WAN_TRACKER_UPDATES]);
	uint64_t updated = wan_load_relaxed(&words[WAN_TRACKER_UPDATED]);
	uint64_t in_window = wan_elapsed(watch->updates, updates);
	uint64_t in_phase = wan_elapsed(watch->phase_updates, updates);
	bool once = wan_load_relaxed(&words[WAN_TRACKER_GRACE]) > now_ticks;
	if (in_window) {
		/* A step of more than half again as long did something else: a swap, a preview. */
		double gap_ns = watch->updated
					? (double)wan_elapsed(watch->updated, updated) *
						  tracker->scale.ns_per_tick / (double)in_window
					: 0;
		if (!once) /* one slow step in four does not change their median */
			learn(watch, present_gap_ns(tracker, words, in_phase, in_window,
						    window->window_ns));
		once |= watch->usual_ns > 0 && gap_ns > 1.5 * watch->usual_ns;
		watch->updated = updated;
		watch->updates = updates;
		declared->stepped = true;
	}
	declared->unsettled |= once || in_phase < 2;
	compare_rate(tracker, words, window);
}

/* Memory is looked at from step to step: what a swap or the first step of a phase takes is theirs,
 * what grows while every step is like the last is a leak. */
static void follow_memory_locked(struct wan_progress *progress, const struct declared *declared,
				 struct wan_alert_window *window) WAN_REQUIRES(&progress->lock)
{
	double mb = window->sample.memory_mb;
	if (declared->unsettled) {
		progress->baseline_mb = declared->stepped && progress->step_mb > 0
						? progress->baseline_mb + mb - progress->step_mb
						: mb;
		progress->step_mb = mb;
	} else if (declared->stepped) {
		progress->step_mb = mb;
	}
	window->baseline_mb = progress->baseline_mb;
	window->grown_mb = progress->baseline_mb > 0
				   ? WAN_MAX(progress->step_mb - progress->baseline_mb, 0)
				   : 0;
}

static void longest(struct wan_tracker *tracker, struct wan_alert_window *window)
{
	double callback_ms = (double)wan_swap_acq_rel(&tracker->callback_longest_ns, 0) * 1e-6;
	double delivery_ms = (double)wan_swap_acq_rel(&tracker->delivery_longest_ns, 0) * 1e-6;
	window->callback_ms = WAN_MAX(window->callback_ms, callback_ms);
	window->delivery_ms = WAN_MAX(window->delivery_ms, delivery_ms);
}

static void watch_jobs_locked(struct wan_progress *progress, struct wan_alert_window *window)
	WAN_REQUIRES(&progress->lock)
{
	struct declared declared = {0};
	uint64_t now_ticks = wan_progress_ticks(progress);
	bool any = false;
	for (struct wan_tracker *tracker = progress->active; tracker; tracker = tracker->next) {
		longest(tracker, window);
		if (!wan_load_relaxed(&tracker->declared))
			continue;
		watch_declared(tracker, now_ticks, window, &declared);
		any = true;
	}
	if (any)
		follow_memory_locked(progress, &declared, window);
	else
		progress->baseline_mb = progress->step_mb = 0;
}

/* Little's law: what waits, by the rate at which it is taken. */
static void measure_queue_locked(struct wan_progress *progress, struct wan_alert_window *window)
	WAN_REQUIRES(&progress->lock)
{
	uint64_t consumed = wan_load_relaxed(&progress->consumed);
	uint64_t taken = wan_elapsed(progress->consumed_last, consumed);
	uint32_t waiting = depth(progress);
	progress->consumed_last = consumed;
	window->queue_wait_s = -1;
	if (!waiting)
		window->queue_wait_s = 0;
	else if (taken && window->window_ns)
		window->queue_wait_s =
			(double)waiting * (double)window->window_ns * 1e-9 / (double)taken;
	progress->queue_wait_ns =
		window->queue_wait_s < 0 ? UINT64_MAX : (uint64_t)(window->queue_wait_s * 1e9);
}

void wan_progress_close_window(struct wan_progress *progress, struct wan_alert_window *window)
{
	read_resources(progress, &window->sample);
	wan_mutex_lock(&progress->lock);
	uint64_t before_ns = progress->window_ns, now_ns = window->sample.time_ns;
	window->window_ns = before_ns ? wan_elapsed(before_ns, now_ns) : 0;
	progress->window_ns = now_ns;
	take_figures_locked(progress, &window->sample);
	window->own_cpu_percent = own_cpu_percent_locked(progress, window->window_ns);
	watch_jobs_locked(progress, window);
	measure_queue_locked(progress, window);
	wan_mutex_unlock(&progress->lock);
}
