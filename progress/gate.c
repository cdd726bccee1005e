/* SPDX-License-Identifier: MIT */
#include "gate.h"

/* "for" and "keep firing for" of monitoring systems, and a bucket. */
static const uint64_t HELD_NS = 1000000000u;       /* a condition holds at least a second */
static const uint64_t HOLD_BACK_NS = 10000000000u; /* one alert per type in 10 s */
static const uint64_t MINUTE_NS = 60000000000u;    /* ten alerts in it */
enum { WINDOWS_TO_FIRE = 2, WINDOWS_TO_KEEP = 3 };

/* Earlier than that: also after a clock that stepped back. */
static bool within(uint64_t now_ns, uint64_t then_ns, uint64_t span_ns)
{
	return now_ns >= then_ns && now_ns - then_ns < span_ns;
}

static void step(__typeof__(&((struct wan_alert_gate *)0)->types[0]) type, bool raised,
		 bool lingers, uint64_t now_ns)
{
	if (raised) {
		if (!type->windows && !type->firing)
			type->since_ns = now_ns;
		type->quiet = 0;
		type->windows++;
		if (type->windows >= WINDOWS_TO_FIRE && !within(now_ns, type->since_ns, HELD_NS))
			type->firing = true;
		return;
	}
	type->windows = type->firing ? type->windows : 0;
	if (!type->firing || lingers) {
		type->quiet = 0;
		return;
	}
	if (++type->quiet <= WINDOWS_TO_KEEP)
		return;
	type->firing = false;
	type->windows = type->quiet = 0;
}

uint32_t wan_alert_hold(struct wan_alert_gate *gate, const struct wan_alert_rules *rules,
			const struct wan_alert *alerts, uint32_t count, uint32_t lingering,
			uint64_t now_ns)
{
	uint32_t raised = 0, firing = 0;
	for (uint32_t i = 0; i < count; i++)
		raised |= 1u << alerts[i].type;
	for (unsigned type = 0; type < WAN_ALERT_TYPES; type++) {
		step(&gate->types[type], raised >> type & 1, lingering >> type & 1, now_ns);
		firing |= (uint32_t)gate->types[type].firing << type;
	}
	return rules->classic ? raised : firing;
}

void wan_alert_count(struct wan_alert_gate *gate, struct wan_alert *alert)
{
	__typeof__(&gate->types[0]) type = &gate->types[alert->type];
	alert->count = ++type->count;
	alert->suppressed = ++type->suppressed;
	gate->suppressed++;
}

bool wan_alert_pass(struct wan_alert_gate *gate, const struct wan_alert_rules *rules,
		    struct wan_alert *alert)
{
	__typeof__(&gate->types[0]) type = &gate->types[alert->type];
	uint64_t now_ns = alert->time_ns, *oldest = &gate->recent_ns[gate->next];
	bool recent = type->delivered && within(now_ns, type->delivered_ns, HOLD_BACK_NS);
	bool severe = type->delivered && within(now_ns, type->severe_ns, MINUTE_NS);
	bool rises = type->delivered && alert->severity > type->severity;
	bool full = *oldest && within(now_ns, *oldest, MINUTE_NS);
	if (!rules->classic && !rises && (recent || full)) {
		wan_alert_count(gate, alert);
		return false;
	}
	alert->count = ++type->count;
	alert->suppressed = type->suppressed;
	alert->id = ++gate->last_id;
	if (type->windows)
		alert->since_ns = type->since_ns;
	type->suppressed = 0;
	type->delivered = true;
	type->delivered_ns = now_ns;
	if (!severe || alert->severity >= type->severity) {
		type->severity = alert->severity;
		type->severe_ns = now_ns;
	}
	*oldest = now_ns;
	gate->next = (gate->next + 1) % WAN_GATE_RECENT;
	return true;
}
