/* SPDX-License-Identifier: MIT */
/* Which alerts are delivered, and when: a condition must hold, stay, and not come too often. Pure.
 */
#ifndef WAN_PROGRESS_GATE_H
#define WAN_PROGRESS_GATE_H

#include "alert.h"

enum {
	WAN_GATE_RECENT = 10, /* deliveries in a minute, all types together */
};

/* Zeroed is empty. */
struct wan_alert_gate {
	struct {
		uint64_t count, suppressed; /* exceeded; of these, held back since a delivery */
		uint64_t since_ns;          /* exceeded since */
		uint64_t delivered_ns;
		uint64_t severe_ns;               /* when severity was delivered */
		enum wan_alert_severity severity; /* the highest one of a minute */
		uint32_t windows, quiet;          /* exceeded, and over, in a row */
		bool firing, delivered;
	} types[WAN_ALERT_TYPES];
	uint64_t recent_ns[WAN_GATE_RECENT]; /* when alerts were delivered; 0: none */
	uint32_t next;
	uint64_t last_id, suppressed; /* of all types, ever */
};

/* One window's alerts, and the types that linger above 80 % of their limit. A condition fires once
 * it held for two windows and a second, and until it was over for three windows. Returns the bits
 * of the types that fire; with classic rules all that are raised do. */
uint32_t wan_alert_hold(struct wan_alert_gate *gate, const struct wan_alert_rules *rules,
			const struct wan_alert *alerts, uint32_t count, uint32_t lingering,
			uint64_t now_ns);
/*
 * Counts the alert and says whether it is delivered. classic: always. Else one per type in 10 s and
 * ten of all in a minute; a severity that rises above all of its type in a minute passes always.
 * Fills count, suppressed and, when it passes, id.
 */
bool wan_alert_pass(struct wan_alert_gate *gate, const struct wan_alert_rules *rules,
		    struct wan_alert *alert);
/* Counts an alert that does not fire yet. */
void wan_alert_count(struct wan_alert_gate *gate, struct wan_alert *alert);

#endif
