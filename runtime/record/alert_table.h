/* SPDX-License-Identifier: MIT */
/* The table of alerts, as text and in a recording. */
#ifndef WAN_RECORD_ALERT_TABLE_H
#define WAN_RECORD_ALERT_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* Of an ALERT event's code: the severity, and whether its text is only what the value is of. */
#define WAN_ALERT_CODE_SEVERITY 0xffu
#define WAN_ALERT_CODE_SUBJECT  0x100u

struct wan_alert_kind {
	const char *id;
	unsigned severity, higher; /* enum wan_alert_severity */
	const char *subject, *unit, *relation, *action, *key;
};

struct wan_process;
struct wan_process_event;

/* By enum wan_alert_type; NULL: there is none. */
const struct wan_alert_kind *wan_alert_kind(unsigned type);
const struct wan_alert_kind *wan_alert_kind_named(const char *id);
/* One sentence with number and limit; subject NULL: the kind's. */
void wan_alert_message(const struct wan_alert_kind *kind, const char *subject, double value,
		       double limit, char *to, size_t to_bytes);
/* More about an ALERT event, one of that process's: its ALERT_DETAIL event, or NULL. */
const struct wan_process_event *wan_alert_detail(const struct wan_process *process,
						 const struct wan_process_event *alert);

#endif
