/* SPDX-License-Identifier: MIT */
/* From a sample to alerts, and which of them are delivered. Pure. */
#ifndef WAN_PROGRESS_ALERT_H
#define WAN_PROGRESS_ALERT_H

#include <stdbool.h>
#include <stdint.h>

#include "wan/progress.h"

enum { WAN_ALERT_TYPES = WAN_ALERT_STALL + 1 };

/* Limits are exceeded by more than the value itself; doubled for the higher severity. */
struct wan_alert_rules {
	bool classic; /* literal: idle and declared phases are judged too, nothing is held back */
	double latency_ms, memory_mb, cpu_percent, updates_per_second;
	uint64_t queue;
};

/* What was delivered lately, per type. Zeroed is empty. */
struct wan_alert_gate {
	struct {
		uint64_t count, suppressed, delivered_ns;
		enum wan_alert_severity severity;
		bool delivered;
	} types[WAN_ALERT_TYPES];
};

/* Alerts that hold for a sample, in the order of their types; to has WAN_ALERT_TYPES places.
 * Returns their number. */
uint32_t wan_alert_judge(const struct wan_alert_rules *rules,
			 const struct wan_progress_sample *sample, struct wan_alert *to);
/* Counts the alert and says whether it is delivered: classic always, else one per type in 10 s, and
 * whenever its severity rises. Fills count and suppressed. */
bool wan_alert_pass(struct wan_alert_gate *gate, const struct wan_alert_rules *rules,
		    struct wan_alert *alert);
const char *wan_alert_type_name(enum wan_alert_type type);
const char *wan_alert_severity_name(enum wan_alert_severity severity);

#endif
