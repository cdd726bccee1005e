/* SPDX-License-Identifier: MIT */
#include "sensors.h"

#include <math.h>
#include <string.h>

#include "analysis.h"
#include "macros.h"
#include "str.h"

/* Requirements: use in percent by tier. Memory and disks have a limit only. */
static const struct band {
	const char *tier;
	double cpu_low, cpu_high, gpu_low, gpu_high, other_high;
} bands[] = {
	{"high-end", 70, 85, 85, 95, 80},
	{"mid-range", 75, 90, 80, 90, 85},
	{"budget", 80, 95, 75, 85, 90},
	{"minimal", 85, 100, 70, 80, 95},
};

static void add(struct wan_figure *figure, double value)
{
	if (value < 0)
		return;
	figure->peak = figure->count ? WAN_MAX(figure->peak, value) : value;
	figure->sum += value;
	figure->count++;
}

static void add_sample(struct wan_sensors *sensors, const struct wan_sample *sample)
{
	add(&sensors->cpu_celsius, sample->cpu_celsius);
	add(&sensors->gpu_celsius, sample->gpu_celsius);
	add(&sensors->cpu_watts, sample->cpu_watts);
	add(&sensors->gpu_watts, sample->gpu_watts);
	add(&sensors->cpus_percent, sample->cpus_percent);
	add(&sensors->gpu_percent, sample->gpu_percent);
	add(&sensors->memory_percent, sample->system_percent);
	add(&sensors->disk_percent, sample->disk_percent);
	add(&sensors->mhz, sample->mhz);
	add(&sensors->cpu_throttled, sample->cpu_throttled);
	if (sample->gpu_reasons >= 0)
		add(&sensors->gpu_throttled,
		    ((uint32_t)sample->gpu_reasons & WAN_GPU_SLOWED_BY_HEAT) != 0);
}

void wan_sensors_of(const struct wan_view *view, struct wan_sensors *ret_sensors)
{
	*ret_sensors = (struct wan_sensors){.cpu_celsius = {0}};
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_process *process = view->sources[i].process;
		for (size_t j = 0; j < process->event_count; j++) {
			struct wan_sample sample;
			if (process->events[j].kind != WAN_RECORD_SAMPLE)
				continue;
			wan_sample_from_event(&process->events[j], &sample);
			if (j + 1 < process->event_count)
				wan_sample_add_sensors(&sample, &process->events[j + 1]);
			add_sample(ret_sensors, &sample);
		}
	}
}

static void judge(struct wan_sensors_judged *judged, double value)
{
	bool band = !isnan(judged->low);
	judged->value = value;
	if (isnan(value) || isnan(judged->high))
		judged->verdict = WAN_TARGET_UNKNOWN;
	else if (band ? value > judged->high : value >= judged->high)
		judged->verdict = WAN_TARGET_ABOVE;
	else if (band && value < judged->low)
		judged->verdict = WAN_TARGET_BELOW;
	else
		judged->verdict = WAN_TARGET_MET;
}

static double peak(const struct wan_figure *figure)
{
	return figure->count ? figure->peak : NAN;
}

static double mean(const struct wan_figure *figure)
{
	return figure->count >= WAN_SENSORS_LEAST ? wan_figure_mean(figure) : NAN;
}

void wan_sensors_judge(const struct wan_sensors *sensors, const char *tier,
		       struct wan_sensors_judged ret_judged[WAN_TARGETS])
{
	struct band band = {NULL, NAN, NAN, NAN, NAN, NAN};
	for (size_t i = 0; tier && i < WAN_COUNT_OF(bands); i++)
		if (strcmp(bands[i].tier, tier) == 0)
			band = bands[i];
	const struct wan_sensors_judged targets[WAN_TARGETS] = {
		[WAN_TARGET_CPU_HEAT] = {"cpu_temperature", "C", NAN, NAN, WAN_SENSORS_CPU_CELSIUS,
					 WAN_TARGET_UNKNOWN},
		[WAN_TARGET_GPU_HEAT] = {"gpu_temperature", "C", NAN, NAN, WAN_SENSORS_GPU_CELSIUS,
					 WAN_TARGET_UNKNOWN},
		[WAN_TARGET_CPU_THROTTLED] = {"cpu_throttled", "times", NAN, NAN, 1,
					      WAN_TARGET_UNKNOWN},
		[WAN_TARGET_GPU_THROTTLED] = {"gpu_throttled", "samples", NAN, NAN, 1,
					      WAN_TARGET_UNKNOWN},
		[WAN_TARGET_CPU_USE] = {"cpu_use", "%", NAN, band.cpu_low, band.cpu_high,
					WAN_TARGET_UNKNOWN},
		[WAN_TARGET_GPU_USE] = {"gpu_use", "%", NAN, band.gpu_low, band.gpu_high,
					WAN_TARGET_UNKNOWN},
		[WAN_TARGET_MEMORY_USE] = {"memory_use", "%", NAN, NAN, band.other_high,
					   WAN_TARGET_UNKNOWN},
		[WAN_TARGET_DISK_USE] = {"disk_use", "%", NAN, NAN, band.other_high,
					 WAN_TARGET_UNKNOWN},
	};
	memcpy(ret_judged, targets, sizeof(targets));
	judge(&ret_judged[WAN_TARGET_CPU_HEAT], peak(&sensors->cpu_celsius));
	judge(&ret_judged[WAN_TARGET_GPU_HEAT], peak(&sensors->gpu_celsius));
	judge(&ret_judged[WAN_TARGET_CPU_THROTTLED], peak(&sensors->cpu_throttled));
	judge(&ret_judged[WAN_TARGET_GPU_THROTTLED],
	      sensors->gpu_throttled.count ? sensors->gpu_throttled.sum : NAN);
	judge(&ret_judged[WAN_TARGET_CPU_USE], mean(&sensors->cpus_percent));
	judge(&ret_judged[WAN_TARGET_GPU_USE], mean(&sensors->gpu_percent));
	judge(&ret_judged[WAN_TARGET_MEMORY_USE], mean(&sensors->memory_percent));
	judge(&ret_judged[WAN_TARGET_DISK_USE], mean(&sensors->disk_percent));
}

static int side(double value, double limit)
{
	return (value > limit) - (value < limit);
}

void wan_sensors_text(const struct wan_sensors_judged *judged, char *to, size_t bytes)
{
	enum { DECIMALS_MOST = 3 };
	double value = judged->value, scale = 1;
	for (int decimals = 0; decimals <= DECIMALS_MOST; decimals++, scale *= 10) {
		double shown = nearbyint(value * scale) / scale;
		wan_str_format(to, bytes, "%.*f", decimals, value);
		if (side(shown, judged->low) == side(value, judged->low) &&
		    side(shown, judged->high) == side(value, judged->high))
			return;
	}
}

const char *wan_target_verdict_name(enum wan_target_verdict verdict)
{
	static const char *const names[] = {[WAN_TARGET_UNKNOWN] = "unknown",
					    [WAN_TARGET_MET] = "met",
					    [WAN_TARGET_BELOW] = "below",
					    [WAN_TARGET_ABOVE] = "above"};
	return (unsigned)verdict < WAN_COUNT_OF(names) ? names[verdict] : "unknown";
}
