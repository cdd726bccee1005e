/* SPDX-License-Identifier: MIT */
#include "alert.h"

#include "alert_table.h"
#include "macros.h"
#include "str.h"

const char *wan_alert_type_name(enum wan_alert_type type)
{
	const struct wan_alert_kind *kind = wan_alert_kind((unsigned)type);
	return kind ? kind->id : "unknown";
}

const char *wan_alert_severity_name(enum wan_alert_severity severity)
{
	static const char *const names[] = {"notice", "medium", "high", "critical"};
	return (unsigned)severity < 4 ? names[severity] : "unknown";
}

void wan_alert_fill(struct wan_alert *alert, enum wan_alert_type type, const char *subject,
		    double value, double limit)
{
	const struct wan_alert_kind *kind = wan_alert_kind((unsigned)type);
	*alert = (struct wan_alert){
		.type = type,
		.type_name = kind->id,
		.severity = (enum wan_alert_severity)(value > 2 * limit ? kind->higher
									: kind->severity),
		.value = value,
		.limit = limit,
		.subject = subject ? subject : kind->subject,
		.unit = kind->unit,
		.baseline = -1,
	};
	wan_alert_message(kind, subject, value, limit, alert->message, sizeof(alert->message));
	wan_str_copy(alert->suggested_action, sizeof(alert->suggested_action), kind->action);
}

/* Judging fills this. */
struct verdicts {
	struct wan_alert *to;
	uint32_t count;
};

static struct wan_alert *raise(struct verdicts *verdicts, enum wan_alert_type type,
			       const char *subject, double value, double limit)
{
	struct wan_alert *alert = &verdicts->to[verdicts->count++];
	wan_alert_fill(alert, type, subject, value, limit);
	return alert;
}

/* Gaps between updates where the absolute limits hold; time that a job waits for those who listen,
 * and that these wait for it, always. */
static void judge_latency(const struct wan_alert_rules *rules,
			  const struct wan_alert_window *window, bool absolute,
			  struct verdicts *verdicts)
{
	const struct {
		const char *subject;
		double ms;
	} all[] = {{NULL, absolute ? window->sample.latency_ms : 0},
		   {"Time in an update callback", window->callback_ms},
		   {"Delivery of an update", window->delivery_ms}};
	unsigned worst = 0;
	for (unsigned i = 1; i < WAN_COUNT_OF(all); i++)
		if (all[i].ms > rules->latency_ms && !(all[worst].ms >= all[i].ms))
			worst = i;
	if (all[worst].ms > rules->latency_ms)
		raise(verdicts, WAN_ALERT_HIGH_LATENCY, all[worst].subject, all[worst].ms,
		      rules->latency_ms)
			->window_ns = window->window_ns;
}

static void judge_memory(const struct wan_alert_rules *rules, const struct wan_alert_window *window,
			 bool absolute, struct verdicts *verdicts)
{
	double mb = window->sample.memory_mb;
	if (absolute && mb > rules->memory_mb)
		raise(verdicts, WAN_ALERT_HIGH_MEMORY, NULL, mb, rules->memory_mb);
	else if (!absolute && window->grown_mb > rules->memory_mb)
		raise(verdicts, WAN_ALERT_HIGH_MEMORY, "Growth of memory in this phase",
		      window->grown_mb, rules->memory_mb)
			->baseline = window->baseline_mb;
}

static void judge_cpu(const struct wan_alert_rules *rules, const struct wan_alert_window *window,
		      bool absolute, struct verdicts *verdicts)
{
	double own = window->own_cpu_percent;
	if (absolute && window->sample.cpu_percent > rules->cpu_percent)
		raise(verdicts, WAN_ALERT_HIGH_CPU, NULL, window->sample.cpu_percent,
		      rules->cpu_percent)
			->window_ns = window->window_ns;
	else if (own > rules->cpu_percent)
		raise(verdicts, WAN_ALERT_HIGH_CPU, "CPU of threads that show progress", own,
		      rules->cpu_percent)
			->window_ns = window->window_ns;
}

static void judge_queue(const struct wan_alert_rules *rules, const struct wan_alert_window *window,
			struct verdicts *verdicts)
{
	if (window->sample.queue <= rules->queue)
		return;
	struct wan_alert *alert = raise(verdicts, WAN_ALERT_LARGE_QUEUE, NULL, window->sample.queue,
					(double)rules->queue);
	if (window->queue_wait_s > 0)
		wan_str_format(alert->evidence, sizeof(alert->evidence),
			       "at the present rate the last one waits %.1f s",
			       window->queue_wait_s);
}

static void judge_rate(const struct wan_alert_rules *rules, const struct wan_alert_window *window,
		       bool absolute, struct verdicts *verdicts)
{
	double rate = window->sample.updates_per_second;
	if (absolute && rate >= 0 && rate < rules->updates_per_second) {
		raise(verdicts, WAN_ALERT_LOW_UPDATE_RATE, NULL, rate, rules->updates_per_second)
			->window_ns = 10000000000u;
	} else if (!absolute && window->expected_rate > 0 &&
		   window->rate < window->expected_rate * rules->rate_share) {
		struct wan_alert *alert =
			raise(verdicts, WAN_ALERT_LOW_UPDATE_RATE, NULL, window->rate,
			      window->expected_rate * rules->rate_share);
		alert->baseline = window->expected_rate;
		wan_str_copy(alert->tracker, sizeof(alert->tracker), window->rate_tracker);
	}
}

uint32_t wan_alert_judge_window(const struct wan_alert_rules *rules,
				const struct wan_alert_window *window, struct wan_alert *to)
{
	const struct wan_progress_sample *sample = &window->sample;
	struct verdicts verdicts = {.to = to};
	/* Idle is no alert; steps of a declared job take as long and as much as they need. */
	bool judged = rules->classic || sample->active;
	bool absolute = rules->classic || (sample->active && !sample->declared);
	if (!judged)
		return 0;
	judge_latency(rules, window, absolute, &verdicts);
	judge_memory(rules, window, absolute, &verdicts);
	judge_cpu(rules, window, absolute, &verdicts);
	judge_queue(rules, window, &verdicts);
	judge_rate(rules, window, absolute, &verdicts);
	for (uint32_t i = 0; i < verdicts.count; i++)
		to[i].time_ns = to[i].since_ns = to[i].last_ns = sample->time_ns;
	return verdicts.count;
}

uint32_t wan_alert_judge(const struct wan_alert_rules *rules,
			 const struct wan_progress_sample *sample, struct wan_alert *to)
{
	const struct wan_alert_window window = {.sample = *sample, .queue_wait_s = -1};
	return wan_alert_judge_window(rules, &window, to);
}

uint32_t wan_alert_lingering(const struct wan_alert_rules *rules,
			     const struct wan_alert_window *window)
{
	struct wan_alert alerts[WAN_ALERT_TYPES];
	struct wan_alert_rules lower = *rules;
	lower.latency_ms *= 0.8;
	lower.memory_mb *= 0.8;
	lower.cpu_percent *= 0.8;
	lower.queue = rules->queue * 4 / 5;
	lower.updates_per_second /= 0.8;
	lower.rate_share /= 0.8;
	uint32_t types = 0, count = wan_alert_judge_window(&lower, window, alerts);
	for (uint32_t i = 0; i < count; i++)
		types |= 1u << alerts[i].type;
	return types;
}
