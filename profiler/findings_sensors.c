/* SPDX-License-Identifier: MIT */
/* The machine was too hot, or asked for more than it has: then every other number of the run is
 * that of a slower machine. Capacity that nobody uses is no fault; the JSON and the report tell. */
#include <errno.h>
#include <math.h>

#include "host.h"
#include "judge.h"
#include "macros.h"
#include "sensors.h"
#include "str.h"

static int say(struct wan_findings *findings, enum wan_advice_id id,
	       const struct wan_sensors_judged *judged, const char *what)
{
	struct wan_finding *finding = wan_judge_add(findings, id, NULL, 1);
	if (!finding)
		return -ENOMEM;
	wan_str_format(finding->evidence, sizeof(finding->evidence), "%s: %.4g %s, %s %.4g", what,
		       judged->value, judged->unit, isnan(judged->low) ? "not below" : "above",
		       judged->high);
	return wan_judge_put(finding, judged->value, judged->high, judged->unit);
}

int wan_judge_sensors(struct wan_findings *findings, const struct wan_finding_input *input)
{
	static const struct {
		enum wan_sensors_target target;
		enum wan_advice_id id;
		const char *evidence;
	} rules[] = {
		{WAN_TARGET_CPU_HEAT, WAN_ADVICE_HOT, "the hottest processor sensor"},
		{WAN_TARGET_GPU_HEAT, WAN_ADVICE_HOT, "the hottest GPU"},
		{WAN_TARGET_CPU_THROTTLED, WAN_ADVICE_THROTTLED,
		 "processors slowed themselves down because of heat"},
		{WAN_TARGET_GPU_THROTTLED, WAN_ADVICE_THROTTLED,
		 "GPUs were slowed down because of heat"},
		{WAN_TARGET_CPU_USE, WAN_ADVICE_OVERLOAD, "mean use of all processors"},
		{WAN_TARGET_GPU_USE, WAN_ADVICE_OVERLOAD, "mean use of the busiest GPU"},
		{WAN_TARGET_MEMORY_USE, WAN_ADVICE_OVERLOAD, "mean use of the machine's memory"},
		{WAN_TARGET_DISK_USE, WAN_ADVICE_OVERLOAD, "mean use of the busiest disk"},
	};
	struct wan_sensors sensors;
	struct wan_sensors_judged judged[WAN_TARGETS];
	struct wan_host host;
	wan_host_of(input->view, &host);
	wan_sensors_of(input->view, &sensors);
	wan_sensors_judge(&sensors, host.known ? host.tier : NULL, judged);
	for (size_t i = 0; i < WAN_COUNT_OF(rules); i++) {
		const struct wan_sensors_judged *here = &judged[rules[i].target];
		if (here->verdict != WAN_TARGET_ABOVE)
			continue;
		int status = say(findings, rules[i].id, here, rules[i].evidence);
		if (status)
			return status;
	}
	return 0;
}
