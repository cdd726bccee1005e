/* SPDX-License-Identifier: MIT */
/* From what a window saw to alerts. Pure. */
#ifndef WAN_PROGRESS_ALERT_H
#define WAN_PROGRESS_ALERT_H

#include <stdbool.h>
#include <stdint.h>

#include "wan/progress.h"

enum { WAN_ALERT_TYPES = WAN_ALERT_LONG_STEP + 1 };

/* Limits are exceeded by more than the value itself; doubled for the higher severity. */
struct wan_alert_rules {
	bool classic; /* literal: idle and declared phases are judged too, nothing is held back */
	double latency_ms, memory_mb, cpu_percent, updates_per_second;
	uint64_t queue;
	double rate_share; /* of what a declared job does otherwise */
};

/* A window: the sample at its end, and what declared jobs are judged by. Zeroed: nothing known. */
struct wan_alert_window {
	struct wan_progress_sample sample;
	uint64_t window_ns;
	double callback_ms, delivery_ms; /* the longest in it */
	double own_cpu_percent;          /* of the monitor and of threads declared as "ui" */
	double grown_mb, baseline_mb;    /* from one step of a phase to another; 0: not known */
	double rate, expected_rate; /* of the declared job that is furthest behind; 0: not known */
	char rate_tracker[64];
	double queue_wait_s; /* below 0: not known */
};

/* Alerts that hold for a window, in the order of their types; to has WAN_ALERT_TYPES places.
 * Returns their number. */
uint32_t wan_alert_judge_window(const struct wan_alert_rules *rules,
				const struct wan_alert_window *window, struct wan_alert *to);
/* The same of a sample alone. */
uint32_t wan_alert_judge(const struct wan_alert_rules *rules,
			 const struct wan_progress_sample *sample, struct wan_alert *to);
/* Bits of the types that are not over: above 80 % of their limit. */
uint32_t wan_alert_lingering(const struct wan_alert_rules *rules,
			     const struct wan_alert_window *window);
/* An alert of a type with its table's texts; message from value and limit. subject NULL: usual. */
void wan_alert_fill(struct wan_alert *alert, enum wan_alert_type type, const char *subject,
		    double value, double limit);
const char *wan_alert_type_name(enum wan_alert_type type);
const char *wan_alert_severity_name(enum wan_alert_severity severity);

#endif
