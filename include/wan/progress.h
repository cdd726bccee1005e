/* SPDX-License-Identifier: MIT */
/** Progress: trackers that cost nanoseconds, rules that say what is wrong. */
#ifndef WAN_PROGRESS_H
#define WAN_PROGRESS_H

#include <stdbool.h>
#include "wan/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct wan_progress; /**< the monitor */
struct wan_tracker;

enum wan_phase {
	WAN_PHASE_NONE,
	WAN_PHASE_INITIALIZATION,
	WAN_PHASE_MODEL_LOADING,
	WAN_PHASE_PREPROCESSING,
	WAN_PHASE_GENERATION,
	WAN_PHASE_POSTPROCESSING,
	WAN_PHASE_ENCODING,
	WAN_PHASE_COMPLETION,
};

enum wan_alert_type {
	WAN_ALERT_HIGH_LATENCY,
	WAN_ALERT_HIGH_MEMORY,
	WAN_ALERT_HIGH_CPU,
	WAN_ALERT_LARGE_QUEUE,
	WAN_ALERT_LOW_UPDATE_RATE,
	WAN_ALERT_STALL,
};
enum wan_alert_severity {
	WAN_ALERT_NOTICE,
	WAN_ALERT_MEDIUM,
	WAN_ALERT_HIGH,
	WAN_ALERT_CRITICAL,
};
struct wan_alert {
	enum wan_alert_type type;
	const char *type_name; /**< "high_latency" */
	enum wan_alert_severity severity;
	double value, limit;
	uint64_t time_ns; /**< monotonic */
	char message[160];
	char suggested_action[160];
};

/** One look at everything the rules judge. */
struct wan_progress_sample {
	uint64_t time_ns;
	double latency_ms; /**< mean over the recent completed updates; 0 when none */
	double memory_mb, cpu_percent;
	double updates_per_second;
	uint32_t active_trackers, queue;
	bool active; /**< something is being tracked: idle is no alert */
};

struct wan_progress_summary {
	size_t struct_size;
	double monitoring_duration_minutes, average_latency_ms, max_latency_ms;
	double average_memory_mb, peak_memory_mb, average_cpu_percent, peak_cpu_percent;
	double average_updates_per_second, current_update_interval_s;
	uint64_t total_alerts, critical_alerts, active_trackers, updates;
};

/** Begin tracking; total 0: unknown. unit may be NULL. The name is copied. */
WAN_API WAN_MUST_CHECK int wan_progress_begin(struct wan_progress *progress, const char *name,
					      uint64_t total, const char *unit,
					      struct wan_tracker **ret_tracker);
/** done so far (not the increment). Cost: two stores and a clock read. Threads: one per tracker. */
WAN_API void wan_progress_update(struct wan_tracker *tracker, uint64_t done);
WAN_API void wan_progress_phase(struct wan_tracker *tracker, enum wan_phase phase);
WAN_API void wan_progress_end(struct wan_tracker *tracker);
/** Call function(context), count it as one update whose latency is its duration, return its result. */
WAN_API int wan_progress_track(struct wan_progress *progress, const char *name,
			       int (*function)(void *context), void *context);
/** All callbacks are called for each alert; one that misbehaves does not stop the others.
 *  -EEXIST (already registered). */
WAN_API WAN_MUST_CHECK int wan_progress_on_alert(struct wan_progress *progress,
						 void (*callback)(void *context,
								  const struct wan_alert *alert),
						 void *context);
WAN_API int wan_progress_off_alert(struct wan_progress *progress,
				   void (*callback)(void *context, const struct wan_alert *alert),
				   void *context);
/** Sampling. interval_ns 0: the configured one. start twice: -EALREADY. stop joins. */
WAN_API WAN_MUST_CHECK int wan_progress_start(struct wan_progress *progress, uint64_t interval_ns);
WAN_API void wan_progress_stop(struct wan_progress *progress);
WAN_API bool wan_progress_running(struct wan_progress *progress);
WAN_API void wan_progress_summary(struct wan_progress *progress, struct wan_progress_summary *summary);
/** Judge a sample by the configured rules and deliver the alerts (what the sampler does each time). */
WAN_API uint32_t wan_progress_judge(struct wan_progress *progress,
				    const struct wan_progress_sample *sample);

#ifdef __cplusplus
}
#endif
#endif
