/* SPDX-License-Identifier: MIT */
/* Looks at the whole process over time: memory, processor, GPU. */
#include <errno.h>
#include <math.h>

#include "alloc.h"
#include "export.h"
#include "host.h"
#include "macros.h"
#include "sensors.h"
#include "walk.h"

static bool wanted(const struct wan_view_source *source, const struct wan_process_event *event)
{
	return event->kind == WAN_RECORD_SAMPLE && wan_walk_event(source, event);
}

/* Halves of a stretch's budget go to its smallest and its largest sample, in order of time. */
static size_t thin(struct wan_sample *samples, size_t count, size_t room)
{
	size_t stretches = room / 2, kept = 0;
	if (count <= room)
		return count;
	for (size_t i = 0; i < stretches; i++) {
		size_t first = i * count / stretches, end = (i + 1) * count / stretches;
		size_t low = first, high = first;
		for (size_t j = first; j < end; j++) {
			if (samples[j].rss_mb < samples[low].rss_mb)
				low = j;
			if (samples[j].rss_mb > samples[high].rss_mb)
				high = j;
		}
		struct wan_sample early = samples[WAN_MIN(low, high)];
		struct wan_sample late = samples[WAN_MAX(low, high)];
		samples[kept++] = early; /* kept never passes first: nothing unread is lost */
		if (low != high)
			samples[kept++] = late;
	}
	return kept;
}

int wan_export_collect_samples(const struct wan_analysis *analysis, struct wan_sample **ret_samples,
			       size_t *ret_count, size_t *ret_total)
{
	const struct wan_view *view = &analysis->view;
	size_t room = 1, count = 0;
	for (size_t i = 0; i < view->source_count; i++)
		room += view->sources[i].process->event_count;
	struct wan_sample *samples = wan_calloc(room, sizeof(*samples));
	if (!samples)
		return -ENOMEM;
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_view_source *source = &view->sources[i];
		if (!wan_walk_samples_of(view, source->process))
			continue;
		for (size_t j = 0; j < source->process->event_count; j++)
			if (wanted(source, &source->process->events[j]))
				wan_sample_from_event(&source->process->events[j],
						      &samples[count++]);
			else if (count)
				wan_sample_add_sensors(&samples[count - 1],
						       &source->process->events[j]);
	}
	*ret_total = count;
	*ret_count = thin(samples, count, WAN_EXPORT_SAMPLES_MAX);
	*ret_samples = samples;
	return 0;
}

static void one(struct wan_json *json, const struct wan_sample *sample)
{
	wan_json_object_begin(json);
	wan_export_timestamp(json, "timestamp", sample->realtime_ns);
	wan_json_key_u64(json, "monotonic_ns", sample->time_ns);
	wan_export_number(json, "rss_mb", sample->rss_mb, 3);
	wan_export_number(json, "system_used_percent", sample->system_percent, 2);
	wan_export_number(json, "cgroup_need_mb", sample->cgroup_need_mb, 3);
	wan_export_number(json, "cpu_percent", sample->cpu_percent, 2);
	wan_export_number(json, "gpu_used_mb", sample->gpu_used_mb, 3);
	wan_export_number(json, "gpu_utilization_percent", sample->gpu_percent, 2);
	wan_export_number(json, "system_cpu_percent", sample->cpus_percent, 2);
	wan_export_number(json, "disk_busy_percent", sample->disk_percent, 2);
	wan_export_number(json, "cpu_temperature_c", sample->cpu_celsius, 1);
	wan_export_number(json, "gpu_temperature_c", sample->gpu_celsius, 1);
	wan_export_number(json, "cpu_power_w", sample->cpu_watts, 2);
	wan_export_number(json, "gpu_power_w", sample->gpu_watts, 2);
	wan_export_number(json, "cpu_mhz", sample->mhz, 0);
	wan_export_number(json, "cpu_throttled", sample->cpu_throttled, 0);
	wan_export_number(json, "gpu_throttle_reasons", sample->gpu_reasons, 0);
	wan_json_object_end(json);
}

enum { FIGURES = 11 };

struct figure {
	double sum, peak;
	uint64_t known;
};

static void take(struct figure *figure, double value)
{
	if (value < 0)
		return;
	figure->peak = figure->known ? WAN_MAX(figure->peak, value) : value;
	figure->sum += value;
	figure->known++;
}

static void figures(struct wan_json *json, const char *name, const struct figure *all, bool peak)
{
	static const char *const keys[] = {"rss_mb",
					   "system_used_percent",
					   "cpu_percent",
					   "gpu_used_mb",
					   "gpu_utilization_percent",
					   "system_cpu_percent",
					   "disk_busy_percent",
					   "cpu_temperature_c",
					   "gpu_temperature_c",
					   "cpu_power_w",
					   "gpu_power_w"};
	wan_json_key(json, name);
	wan_json_object_begin(json);
	for (size_t i = 0; i < WAN_COUNT_OF(keys); i++)
		wan_export_number(json, keys[i],
				  !all[i].known ? -1
				  : peak        ? all[i].peak
						: all[i].sum / (double)all[i].known,
				  3);
	wan_json_object_end(json);
}

static void growth(struct wan_json *json, const struct wan_sample *samples, size_t count)
{
	size_t first = 0, last = count;
	while (first < count && samples[first].rss_mb < 0)
		first++;
	while (last > first && samples[last - 1].rss_mb < 0)
		last--;
	wan_json_key(json, "growth");
	wan_json_object_begin(json);
	if (last <= first + 1) {
		wan_json_key_null(json, "rss_mb");
		wan_json_key_null(json, "rss_mb_per_minute");
	} else {
		double grown = samples[last - 1].rss_mb - samples[first].rss_mb;
		double minutes =
			(double)(samples[last - 1].time_ns - samples[first].time_ns) / 60e9;
		wan_json_key_double(json, "rss_mb", grown, 3);
		if (minutes > 0)
			wan_json_key_double(json, "rss_mb_per_minute", grown / minutes, 3);
		else
			wan_json_key_null(json, "rss_mb_per_minute");
	}
	wan_json_object_end(json);
}

static void bound(struct wan_json *json, const char *name, double value)
{
	if (isnan(value))
		wan_json_key_null(json, name);
	else
		wan_json_key_double(json, name, value, 2);
}

/* What the requirements ask of a machine of this tier, of all samples. */
static void targets(struct wan_json *json, const struct wan_view *view)
{
	struct wan_sensors sensors;
	struct wan_sensors_judged judged[WAN_TARGETS];
	struct wan_host host;
	wan_host_of(view, &host);
	wan_sensors_of(view, &sensors);
	wan_sensors_judge(&sensors, host.known ? host.tier : NULL, judged);
	wan_json_key(json, "targets");
	wan_json_array_begin(json);
	for (size_t i = 0; i < WAN_TARGETS; i++) {
		wan_json_object_begin(json);
		wan_json_key_string(json, "name", judged[i].name);
		bound(json, "value", judged[i].value);
		bound(json, "low", judged[i].low);
		bound(json, "high", judged[i].high);
		wan_json_key_string(json, "unit", judged[i].unit);
		wan_json_key_string(json, "verdict", wan_target_verdict_name(judged[i].verdict));
		wan_json_object_end(json);
	}
	wan_json_array_end(json);
}

void wan_export_samples(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	struct wan_sample *samples = NULL;
	struct figure all[FIGURES] = {{0}};
	size_t count = 0, total = 0;
	if (wan_export_collect_samples(export->analysis, &samples, &count, &total)) {
		json->error = json->error ? json->error : -ENOMEM;
		return;
	}
	wan_json_key(json, "samples");
	wan_json_array_begin(json);
	for (size_t i = 0; i < count; i++) {
		one(json, &samples[i]);
		take(&all[0], samples[i].rss_mb);
		take(&all[1], samples[i].system_percent);
		take(&all[2], samples[i].cpu_percent);
		take(&all[3], samples[i].gpu_used_mb);
		take(&all[4], samples[i].gpu_percent);
		take(&all[5], samples[i].cpus_percent);
		take(&all[6], samples[i].disk_percent);
		take(&all[7], samples[i].cpu_celsius);
		take(&all[8], samples[i].gpu_celsius);
		take(&all[9], samples[i].cpu_watts);
		take(&all[10], samples[i].gpu_watts);
	}
	wan_json_array_end(json);
	wan_json_key(json, "samples_summary");
	wan_json_object_begin(json);
	wan_json_key_u64(json, "taken", total);
	figures(json, "average", all, false);
	figures(json, "peak", all, true);
	growth(json, samples, count);
	targets(json, &export->analysis->view);
	/* Bare preload has nobody outside to look; the reader shall not take silence for zero. */
	wan_json_key_string(json, "note",
			    total ? NULL
				  : "no samples: only `wanprof run`, for commands longer than an "
				    "interval, and the monitor of a linked program take them");
	wan_json_object_end(json);
	wan_free(samples);
}
