/* SPDX-License-Identifier: MIT */
/* Heat and use of the machine, against what its tier is meant for. */
#include <math.h>

#include "host.h"
#include "sensors.h"
#include "str.h"
#include "summary_state.h"

static size_t heat(char *text, size_t bytes, size_t used, const char *name,
		   const struct wan_sensors_judged *judged)
{
	char value[32];
	if (judged->verdict == WAN_TARGET_UNKNOWN)
		return used;
	wan_sensors_text(judged, value, sizeof(value));
	return used + wan_str_format(text + used, bytes - used, "%s%s at most %s C (%s %.0f)",
				     used ? ", " : "heat: ", name, value,
				     judged->verdict == WAN_TARGET_MET ? "below" : "NOT below",
				     judged->high);
}

static void heat_line(const struct wan_screen *screen, const struct wan_sensors *sensors,
		      const struct wan_sensors_judged *judged)
{
	char text[WAN_SCREEN_TEXT];
	size_t used = heat(text, sizeof(text), 0, "processor", &judged[WAN_TARGET_CPU_HEAT]);
	used = heat(text, sizeof(text), used, "GPU", &judged[WAN_TARGET_GPU_HEAT]);
	const struct wan_sensors_judged *cpu = &judged[WAN_TARGET_CPU_THROTTLED];
	const struct wan_sensors_judged *gpu = &judged[WAN_TARGET_GPU_THROTTLED];
	bool slowed = cpu->verdict == WAN_TARGET_ABOVE || gpu->verdict == WAN_TARGET_ABOVE;
	if (cpu->verdict != WAN_TARGET_UNKNOWN || gpu->verdict != WAN_TARGET_UNKNOWN)
		used += wan_str_format(text + used, sizeof(text) - used, "%s%s",
				       used ? "; " : "heat: ",
				       slowed ? "SLOWED DOWN by it" : "not slowed down by it");
	if (sensors->cpu_watts.count)
		used += wan_str_format(
			text + used, sizeof(text) - used, "%sprocessors %.0f W",
			used ? "; " : "power: ", wan_figure_mean(&sensors->cpu_watts));
	if (sensors->gpu_watts.count)
		used += wan_str_format(
			text + used, sizeof(text) - used, "%sGPU %.0f W",
			used ? "; " : "power: ", wan_figure_mean(&sensors->gpu_watts));
	if (used)
		wan_screen_wrapped(screen, text, 2, 2);
}

static size_t use(char *text, size_t bytes, size_t used, const char *name,
		  const struct wan_sensors_judged *judged)
{
	char band[48], value[32];
	if (judged->verdict == WAN_TARGET_UNKNOWN)
		return used;
	if (isnan(judged->low))
		wan_str_format(band, sizeof(band), "below %.0f", judged->high);
	else
		wan_str_format(band, sizeof(band), "%.0f to %.0f", judged->low, judged->high);
	wan_sensors_text(judged, value, sizeof(value));
	return used + wan_str_format(text + used, bytes - used, "%s%s %s %% of %s%s",
				     used ? ", " : "", name, value, band,
				     judged->verdict == WAN_TARGET_BELOW   ? " (unused)"
				     : judged->verdict == WAN_TARGET_ABOVE ? " (OVERLOAD)"
									   : "");
}

void wan_summary_sensors(const struct wan_screen *screen, const struct wan_view *view)
{
	struct wan_sensors sensors;
	struct wan_sensors_judged judged[WAN_TARGETS];
	struct wan_host host;
	char text[WAN_SCREEN_TEXT], line[WAN_SCREEN_TEXT];
	wan_host_of(view, &host);
	const char *tier = host.known ? host.tier : NULL;
	wan_sensors_of(view, &sensors);
	wan_sensors_judge(&sensors, tier, judged);
	heat_line(screen, &sensors, judged);
	size_t used = use(text, sizeof(text), 0, "CPU", &judged[WAN_TARGET_CPU_USE]);
	used = use(text, sizeof(text), used, "GPU", &judged[WAN_TARGET_GPU_USE]);
	used = use(text, sizeof(text), used, "memory", &judged[WAN_TARGET_MEMORY_USE]);
	used = use(text, sizeof(text), used, "disk", &judged[WAN_TARGET_DISK_USE]);
	if (!used)
		return;
	wan_str_format(line, sizeof(line), "use (tier %s): %s", tier, text);
	wan_screen_wrapped(screen, line, 2, 2);
}
