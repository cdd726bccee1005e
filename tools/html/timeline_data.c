/* SPDX-License-Identifier: MIT */
#include "timeline_data.h"

#include <math.h>
#include <string.h>

#include "clock.h"
#include "counters.h"
#include "host.h"
#include "macros.h"
#include "walk.h"

uint64_t html_realtime_ns(const struct wan_process *process, uint64_t time_ns)
{
	return process->start_realtime_ns + (time_ns - process->start_ns);
}

static unsigned column_of(const struct html_timeline *timeline, uint64_t realtime_ns)
{
	uint64_t since_ns = wan_elapsed(timeline->start_ns, realtime_ns);
	double share = (double)since_ns / (double)timeline->span_ns;
	return share >= 1 ? timeline->columns - 1 : (unsigned)(share * timeline->columns);
}

static void take(struct html_timeline *timeline, enum html_timeline_series which,
		 uint64_t realtime_ns, double value)
{
	struct html_series *series = &timeline->series[which];
	if (!(value >= 0) || !isfinite(value) || realtime_ns < timeline->start_ns ||
	    realtime_ns - timeline->start_ns > timeline->span_ns)
		return;
	unsigned at = column_of(timeline, realtime_ns);
	series->peak = series->count++ ? fmax(series->peak, value) : value;
	if (!series->known[at] || value > series->high[at]) {
		series->high[at] = value;
		series->high_first[at] = !series->known[at];
	}
	if (!series->known[at] || value < series->low[at]) {
		series->low[at] = value;
		series->high_first[at] = true;
	}
	series->known[at] = true;
}

/* next: the event behind it, NULL at the end: what the sensors said then. */
static void take_sample(struct html_timeline *timeline, const struct wan_process_event *event,
			const struct wan_process_event *next)
{
	struct wan_sample sample;
	double mb = (double)WAN_MIB, limit = (double)timeline->limit_bytes,
	       gpu = (double)timeline->gpu_bytes;
	uint64_t at = event->realtime_ns;
	wan_sample_from_event(event, &sample);
	if (next)
		wan_sample_add_sensors(&sample, next);
	take(timeline, HTML_RSS, at, sample.rss_mb * mb);
	take(timeline, HTML_CGROUP, at, sample.cgroup_need_mb * mb);
	take(timeline, HTML_GPU, at, sample.gpu_used_mb * mb);
	take(timeline, HTML_HOST, at, sample.system_percent);
	take(timeline, HTML_CPU_USE, at, sample.cpus_percent);
	take(timeline, HTML_GPU_USE, at, sample.gpu_percent);
	take(timeline, HTML_CPU_HEAT, at, sample.cpu_celsius);
	take(timeline, HTML_GPU_HEAT, at, sample.gpu_celsius);
	if (limit > 0)
		take(timeline, HTML_LIMIT, at, 100 * sample.cgroup_need_mb * mb / limit);
	if (gpu > 0)
		take(timeline, HTML_GPU_PCT, at, 100 * sample.gpu_used_mb * mb / gpu);
}

static bool is_limit(uint64_t bytes)
{
	return bytes && bytes < (uint64_t)1 << 60;
}

static void find_limits(struct html_timeline *timeline, const struct wan_view *view)
{
	struct wan_host host;
	wan_host_of(view, &host);
	if (is_limit(host.limit_bytes))
		timeline->limit_bytes = host.limit_bytes;
	if (is_limit(host.gpu_largest_bytes))
		timeline->gpu_bytes = host.gpu_largest_bytes;
	for (size_t i = 0; i < view->source_count; i++)
		for (size_t j = 0; j < view->sources[i].process->counters_count; j++) {
			const struct wan_process_counters *block =
				&view->sources[i].process->counters[j];
			if (block->kind != WAN_COUNTERS_MEMORY)
				continue;
			uint64_t limit = wan_counters_block_word(block, "cgroup_limit");
			uint64_t gpu = wan_counters_block_word(block, "gpu_total");
			if (is_limit(limit))
				timeline->limit_bytes = limit;
			if (is_limit(gpu))
				timeline->gpu_bytes = gpu;
		}
}

/* What the CUDA hooks counted, where nobody looked at the device from outside. */
static void take_vram(struct html_timeline *timeline, const struct wan_vram *vram)
{
	for (size_t i = 0; i < vram->count; i++) {
		const struct wan_vram_line *line = &vram->lines[i];
		for (size_t j = 0; j < line->count; j++) {
			uint64_t at = html_realtime_ns(line->process, line->samples[j].time_ns);
			take(timeline, HTML_GPU, at, (double)line->samples[j].live);
			take(timeline, HTML_GPU, at, (double)line->samples[j].high);
		}
	}
}

/*
 * The time of an operation goes to its columns. Whole columns are counted by differences: an
 * operation costs the same however long it was.
 */
static void take_operation(struct html_timeline *timeline, double *whole,
			   const struct wan_recording_operation *record)
{
	double scale = (double)timeline->columns / (double)timeline->span_ns;
	double from = (double)wan_elapsed(timeline->start_ns, record->start_realtime_ns) * scale;
	double to = fmin(from + (double)record->span_ns * scale, timeline->columns);
	if (!(from < timeline->columns))
		return;
	unsigned first = (unsigned)from, last = (unsigned)to;
	if (first == last) {
		timeline->busy[first] += to - from;
		return;
	}
	timeline->busy[first] += first + 1 - from;
	timeline->busy[last] += to - last;
	whole[first + 1] += 1;
	whole[last] -= 1;
}

static void take_operations(struct html_timeline *timeline, const struct wan_view *view)
{
	double whole[HTML_COLUMNS_MAX + 2] = {0}, open = 0;
	for (size_t i = 0; i < view->operation_count; i++)
		if (!wan_view_nested(&view->operations[i]))
			take_operation(timeline, whole, view->operations[i].record);
	for (size_t i = 0; i < view->in_flight_count; i++)
		take_operation(timeline, whole, view->in_flight[i].record);
	for (unsigned i = 0; i < timeline->columns; i++) {
		open += whole[i];
		timeline->busy[i] += open;
		timeline->busy_peak = fmax(timeline->busy_peak, timeline->busy[i]);
	}
}

void html_timeline_fill(struct html_timeline *timeline, const struct wan_analysis *analysis,
			unsigned columns, uint64_t span_ns)
{
	const struct wan_view *view = &analysis->view;
	memset(timeline, 0, sizeof(*timeline));
	timeline->start_ns = analysis->start_ns;
	timeline->columns = WAN_MIN(columns, (unsigned)HTML_COLUMNS_MAX);
	timeline->span_ns = span_ns ? span_ns : wan_elapsed(analysis->start_ns, analysis->end_ns);
	timeline->span_ns = WAN_MAX(timeline->span_ns, (uint64_t)1);
	find_limits(timeline, view);
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_view_source *source = &view->sources[i];
		if (!wan_walk_samples_of(view, source->process))
			continue;
		for (size_t j = 0; j < source->process->event_count; j++) {
			const struct wan_process_event *event = &source->process->events[j];
			if (event->kind == WAN_RECORD_SAMPLE && wan_walk_event(source, event))
				take_sample(timeline, event,
					    j + 1 < source->process->event_count ? event + 1
										 : NULL);
		}
	}
	if (!timeline->series[HTML_GPU].count)
		take_vram(timeline, &analysis->vram);
	take_operations(timeline, view);
}
