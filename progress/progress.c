/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "atomics.h"
#include "fork.h"
#include "macros.h"
#include "sampler.h"
#include "state.h"
#include "str.h"

static void take_rules(struct wan_progress *progress, const struct wan_config *config)
{
	progress->rules = (struct wan_alert_rules){
		.classic = strcmp(config->progress_rules, "classic") == 0,
		.latency_ms = (double)config->progress_latency_ns * 1e-6,
		.memory_mb = (double)config->progress_memory_bytes / (double)WAN_MIB,
		.cpu_percent = config->progress_cpu_pct,
		.updates_per_second = config->progress_rate,
		.queue = config->progress_queue,
		.rate_share = 0.5,
	};
	progress->classic_sampling = strcmp(config->progress_sampling, "classic") == 0;
	progress->first_interval_ns = wan_sampler_clamp_ns(config->progress_interval_ns);
	progress->interval_ns = progress->quiet_ns = progress->first_interval_ns;
}

/* Monitors whose trackers write latencies into the recording: see forget_in_child(). */
static struct wan_progress *monitors[16]; /* atomic */

/* The child's recording may put records of its own where the parent's has latencies. */
static void forget_in_child(void)
{
	for (size_t i = 0; i < WAN_COUNT_OF(monitors); i++)
		if (monitors[i])
			wan_progress_leave_recording(monitors[i]);
}

static void enlist(struct wan_progress *progress)
{
	static uint32_t hooked;
	bool listed = wan_swap_acq_rel(&hooked, 1) || wan_fork_on_child(forget_in_child) == 0;
	for (size_t i = 0; listed && i < WAN_COUNT_OF(monitors); i++) {
		struct wan_progress *none = NULL;
		if (wan_cas_acq_rel(&monitors[i], &none, progress))
			return;
	}
	progress->options.latencies = NULL; /* percentiles are kept, but not recorded */
}

static void delist(struct wan_progress *progress)
{
	for (size_t i = 0; i < WAN_COUNT_OF(monitors); i++) {
		struct wan_progress *listed = progress;
		wan_cas_acq_rel(&monitors[i], &listed, NULL);
	}
}

int wan_progress_create(const struct wan_progress_options *options,
			struct wan_progress **ret_progress)
{
	if (!options || !ret_progress || options->struct_size < sizeof(*options))
		return -EINVAL;
	struct wan_progress *progress = wan_calloc(1, sizeof(*progress));
	struct wan_config *defaults = options->config ? NULL : wan_malloc(sizeof(*defaults));
	if (!progress || (!options->config && !defaults)) {
		wan_free(defaults);
		wan_free(progress);
		return -ENOMEM;
	}
	if (defaults)
		wan_config_defaults(defaults);
	take_rules(progress, options->config ? options->config : defaults);
	wan_free(defaults);
	progress->options = *options;
	progress->options.config = NULL;
	progress->ended_last = &progress->ended_first;
	progress->granularity = 1;
	progress->queue_wait_ns = UINT64_MAX;
	progress->fork_generation = wan_fork_generation();
	wan_mutex_init(&progress->lock, WAN_RANK_PROGRESS);
	wan_cond_init(&progress->changed);
	struct wan_tracker *other = &progress->other_calls;
	other->progress = progress;
	other->words = other->own_words;
	other->tracks_calls = true;
	other->scale.ns_per_tick = wan_progress_tick_ns(progress);
	other->scale.shift = wan_latency_shift(other->scale.ns_per_tick);
	wan_str_copy(other->name, sizeof(other->name), "other calls");
	other->now_ns = options->now_ns;
	enlist(progress);
	*ret_progress = progress;
	return 0;
}

void wan_progress_destroy(struct wan_progress *progress)
{
	if (!progress)
		return;
	delist(progress);
	wan_progress_stop(progress);
	wan_progress_dismiss_couriers(progress); /* one whose callback stopped sampling itself */
	wan_evidence_close(&progress->evidence);
	wan_progress_free_trackers(progress);
	wan_cond_finish(&progress->changed);
	wan_mutex_finish(&progress->lock);
	wan_free(progress);
}

static double mean(double sum, uint64_t count)
{
	return count ? sum / (double)count : 0;
}

void wan_progress_summary(struct wan_progress *progress, struct wan_progress_summary *summary)
{
	size_t bytes = summary ? summary->struct_size : 0;
	if (!progress || bytes < sizeof(bytes))
		return;
	bool running = wan_progress_running(progress);
	wan_mutex_lock(&progress->lock);
	struct wan_progress_totals totals = wan_progress_totals_locked(progress);
	uint64_t monitored = progress->monitored_ns;
	if (running && !progress->stopping)
		monitored += wan_now_ns() - progress->started_ns;
	struct wan_progress_summary now = {
		.struct_size = bytes,
		.monitoring_duration_minutes = (double)monitored / 60e9,
		.average_latency_ms = mean((double)totals.latency_ns * 1e-6, totals.updates),
		.max_latency_ms = (double)totals.latency_max_ns * 1e-6,
		.average_memory_mb = mean(progress->memory_sum_mb, progress->samples),
		.peak_memory_mb = progress->memory_peak_mb,
		.average_cpu_percent = mean(progress->cpu_sum, progress->samples),
		.peak_cpu_percent = progress->cpu_peak,
		.average_updates_per_second = mean(progress->rate_sum, progress->samples),
		.current_update_interval_s = (double)progress->interval_ns * 1e-9,
		.total_alerts = progress->total_alerts,
		.critical_alerts = progress->critical_alerts,
		.active_trackers = totals.active,
		.updates = totals.updates,
		.samples = progress->samples,
		.suppressed_alerts = progress->gate.suppressed,
		.own_cpu_ns = progress->own_cpu_ns,
		.queue = wan_elapsed(wan_load_relaxed(&progress->consumed),
				     wan_load_relaxed(&progress->produced)),
		.queue_wait_ns = progress->queue_wait_ns,
		.granularity = wan_load_relaxed(&progress->granularity),
	};
	wan_mutex_unlock(&progress->lock);
	memcpy(summary, &now, WAN_MIN(bytes, sizeof(now)));
}
