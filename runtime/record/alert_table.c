/* SPDX-License-Identifier: MIT */
#include "alert_table.h"

#include <math.h>
#include <string.h>

#include "layout.h"
#include "macros.h"
#include "reader.h"
#include "str.h"

enum { NOTICE, MEDIUM, HIGH, CRITICAL };

static const struct wan_alert_kind kinds[] = {
#define WAN_ALERT_KIND(name, ...) {__VA_ARGS__},
#include "alerts.def"
#undef WAN_ALERT_KIND
};

const struct wan_alert_kind *wan_alert_kind(unsigned type)
{
	return type < WAN_COUNT_OF(kinds) ? &kinds[type] : NULL;
}

const struct wan_alert_kind *wan_alert_kind_named(const char *id)
{
	for (size_t i = 0; id && i < WAN_COUNT_OF(kinds); i++)
		if (strcmp(kinds[i].id, id) == 0)
			return &kinds[i];
	return NULL;
}

void wan_alert_message(const struct wan_alert_kind *kind, const char *subject, double value,
		       double limit, char *to, size_t to_bytes)
{
	char number[32];
	/* A rate of 0.04 is not 0.0. */
	bool small = fabs(value) > 0 && fabs(value) < 0.1;
	const char *space = *kind->unit ? " " : "";
	wan_str_format(number, sizeof(number), small ? "%.3g" : "%.1f", value);
	wan_str_format(to, to_bytes, "%s is %s%s%s (limit %s%.6g%s%s)",
		       subject ? subject : kind->subject, number, space, kind->unit, kind->relation,
		       limit, space, kind->unit);
}

const struct wan_process_event *wan_alert_detail(const struct wan_process *process,
						 const struct wan_process_event *alert)
{
	/* Written by the same thread right after it: what others told meanwhile is not much. */
	enum { AWAY_MOST = 1024 };
	size_t left = process->event_count - (size_t)(alert - process->events);
	const struct wan_process_event *end = alert + WAN_MIN(left, (size_t)AWAY_MOST);
	if (!alert->values[3])
		return NULL;
	for (const struct wan_process_event *event = alert; event < end; event++)
		if (event->kind == WAN_RECORD_ALERT_DETAIL && event->values[0] == alert->values[3])
			return event;
	return NULL;
}
