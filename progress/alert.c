/* SPDX-License-Identifier: MIT */
#include "alert.h"

#include "str.h"

static const uint64_t HOLD_BACK_NS = 10000000000u; /* one alert per type in 10 s */

const char *wan_alert_type_name(enum wan_alert_type type)
{
	static const char *const names[WAN_ALERT_TYPES] = {
		"high_latency", "high_memory",     "high_cpu",
		"large_queue",  "low_update_rate", "stall",
	};
	return (unsigned)type < WAN_ALERT_TYPES ? names[type] : "unknown";
}

const char *wan_alert_severity_name(enum wan_alert_severity severity)
{
	static const char *const names[] = {"notice", "medium", "high", "critical"};
	return (unsigned)severity < 4 ? names[severity] : "unknown";
}

static struct wan_alert *raise(struct wan_alert *to, enum wan_alert_type type,
			       enum wan_alert_severity severity, double value, double limit)
{
	*to = (struct wan_alert){
		.type = type,
		.type_name = wan_alert_type_name(type),
		.severity = severity,
		.value = value,
		.limit = limit,
	};
	return to;
}

static void say(struct wan_alert *alert, const char *action, const char *subject, const char *unit,
		const char *relation)
{
	wan_str_format(alert->message, sizeof(alert->message), "%s is %.1f%s (limit %s%g%s)",
		       subject, alert->value, unit, relation, alert->limit, unit);
	wan_str_copy(alert->suggested_action, sizeof(alert->suggested_action), action);
}

static uint32_t judge_latency(const struct wan_alert_rules *rules, double value,
			      struct wan_alert *to)
{
	if (!(value > rules->latency_ms))
		return 0;
	say(raise(to, WAN_ALERT_HIGH_LATENCY,
		  value > 2 * rules->latency_ms ? WAN_ALERT_HIGH : WAN_ALERT_MEDIUM, value,
		  rules->latency_ms),
	    "Do less in each update, or declare unit and phase of steps that take long",
	    "Update latency", " ms", "");
	return 1;
}

static uint32_t judge_memory(const struct wan_alert_rules *rules, double value,
			     struct wan_alert *to)
{
	if (!(value > rules->memory_mb))
		return 0;
	say(raise(to, WAN_ALERT_HIGH_MEMORY,
		  value > 2 * rules->memory_mb ? WAN_ALERT_CRITICAL : WAN_ALERT_HIGH, value,
		  rules->memory_mb),
	    "Lower the cache limit, or process fewer images at once", "Process memory", " MB", "");
	return 1;
}

static uint32_t judge_cpu(const struct wan_alert_rules *rules, double value, struct wan_alert *to)
{
	if (!(value > rules->cpu_percent))
		return 0;
	say(raise(to, WAN_ALERT_HIGH_CPU, WAN_ALERT_MEDIUM, value, rules->cpu_percent),
	    "Use fewer threads, or update progress less often", "Process CPU", " %", "");
	return 1;
}

static uint32_t judge_queue(const struct wan_alert_rules *rules, uint32_t value,
			    struct wan_alert *to)
{
	if (value <= rules->queue)
		return 0;
	say(raise(to, WAN_ALERT_LARGE_QUEUE,
		  value > 2 * rules->queue ? WAN_ALERT_CRITICAL : WAN_ALERT_HIGH, value,
		  (double)rules->queue),
	    "Finish jobs before new ones are begun, or take larger steps", "Queue", " items", "");
	return 1;
}

static uint32_t judge_rate(const struct wan_alert_rules *rules, double value, struct wan_alert *to)
{
	if (value < 0 || !(value < rules->updates_per_second))
		return 0;
	say(raise(to, WAN_ALERT_LOW_UPDATE_RATE, WAN_ALERT_MEDIUM, value,
		  rules->updates_per_second),
	    "Look for a step that blocks, or declare unit and phase of steps that take long",
	    "Update rate", " updates/s", "at least ");
	return 1;
}

uint32_t wan_alert_judge(const struct wan_alert_rules *rules,
			 const struct wan_progress_sample *sample, struct wan_alert *to)
{
	uint32_t count = 0;
	/* Idle is no alert; steps of a declared job take as long and as much as they need. */
	bool judged = rules->classic || sample->active;
	bool absolute = rules->classic || (sample->active && !sample->declared);
	if (absolute) {
		count += judge_latency(rules, sample->latency_ms, to + count);
		count += judge_memory(rules, sample->memory_mb, to + count);
		count += judge_cpu(rules, sample->cpu_percent, to + count);
	}
	if (judged)
		count += judge_queue(rules, sample->queue, to + count);
	if (absolute)
		count += judge_rate(rules, sample->updates_per_second, to + count);
	for (uint32_t i = 0; i < count; i++)
		to[i].time_ns = sample->time_ns;
	return count;
}

bool wan_alert_pass(struct wan_alert_gate *gate, const struct wan_alert_rules *rules,
		    struct wan_alert *alert)
{
	__typeof__(&gate->types[0]) type = &gate->types[alert->type];
	alert->count = ++type->count;
	bool recent = type->delivered && alert->time_ns >= type->delivered_ns &&
		      alert->time_ns - type->delivered_ns < HOLD_BACK_NS;
	if (!rules->classic && recent && alert->severity <= type->severity) {
		type->suppressed++;
		return false;
	}
	alert->suppressed = type->suppressed;
	type->suppressed = 0;
	type->delivered = true;
	type->delivered_ns = alert->time_ns;
	type->severity = alert->severity;
	return true;
}
