/* SPDX-License-Identifier: MIT */
/*
 * Heat, power, throttling and use of the machine over a run, from the samples of `wanprof run`, and
 * what the requirements ask of its tier: processors below 85 C, GPUs below 83 C, no throttling by
 * heat; use of processors and GPUs in a band (below it is capacity that nobody uses, above it
 * overload), memory and disks below a limit. Pure. What was not seen is unknown.
 */
#ifndef WAN_PROFILER_SENSORS_H
#define WAN_PROFILER_SENSORS_H

#include "view.h"

#define WAN_SENSORS_CPU_CELSIUS 85.0
#define WAN_SENSORS_GPU_CELSIUS 83.0
#define WAN_SENSORS_LEAST       5u /* samples that a mean is judged by */

/* NVML's reasons that are heat: thermal slowdown by software and hardware, and the hardware's own,
 * which is heat or power. */
#define WAN_GPU_SLOWED_BY_HEAT (0x8u | 0x20u | 0x40u)

struct wan_figure {
	double sum, peak;
	uint64_t count; /* 0: unknown */
};
static inline double wan_figure_mean(const struct wan_figure *figure)
{
	return figure->sum / (double)figure->count;
}

struct wan_sensors {
	struct wan_figure cpu_celsius, gpu_celsius, cpu_watts, gpu_watts, cpus_percent, gpu_percent,
		memory_percent, disk_percent, mhz;
	struct wan_figure cpu_throttled; /* peak: times since the start */
	struct wan_figure gpu_throttled; /* sum: samples slowed down by heat */
};

enum wan_target_verdict {
	WAN_TARGET_UNKNOWN, /* not seen, or no tier is known */
	WAN_TARGET_MET,
	WAN_TARGET_BELOW, /* of a band */
	WAN_TARGET_ABOVE,
};

enum wan_sensors_target {
	WAN_TARGET_CPU_HEAT,
	WAN_TARGET_GPU_HEAT,
	WAN_TARGET_CPU_THROTTLED,
	WAN_TARGET_GPU_THROTTLED,
	WAN_TARGET_CPU_USE,
	WAN_TARGET_GPU_USE,
	WAN_TARGET_MEMORY_USE,
	WAN_TARGET_DISK_USE,
	WAN_TARGETS
};

struct wan_sensors_judged {
	const char *name, *unit; /* "cpu_temperature", "C" */
	double value;            /* NAN: unknown */
	double low, high; /* NAN: no such bound; met is low..high of a band, below high else */
	enum wan_target_verdict verdict;
};

/* Of all samples in the view. */
void wan_sensors_of(const struct wan_view *view, struct wan_sensors *ret_sensors);
/* tier: "high-end" ...; NULL or another: no bands are known. */
void wan_sensors_judge(const struct wan_sensors *sensors, const char *tier,
		       struct wan_sensors_judged ret_judged[WAN_TARGETS]);
/* The value with as few decimals as show on which side of its limits it lies: 84.6 is not "85". */
void wan_sensors_text(const struct wan_sensors_judged *judged, char *to, size_t bytes);
/* "met", "below", "above", "unknown"; static. */
const char *wan_target_verdict_name(enum wan_target_verdict verdict);

#endif
