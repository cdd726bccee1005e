/* SPDX-License-Identifier: MIT */
#include "analysis.h"

#include <string.h>

#include "counters.h"
#include "macros.h"

static double mb_or_unknown(uint64_t bytes)
{
	return bytes == UINT64_MAX ? -1 : (double)bytes / (double)WAN_MIB;
}

static void no_sensors(struct wan_sample *sample)
{
	sample->cpu_celsius = sample->gpu_celsius = sample->cpu_watts = sample->gpu_watts = -1;
	sample->cpu_throttled = sample->gpu_reasons = sample->mhz = sample->most_mhz = -1;
	sample->disk_percent = sample->cpus_percent = -1;
}

void wan_sample_from_event(const struct wan_process_event *event, struct wan_sample *ret_sample)
{
	uint64_t percent = event->values[3];
	uint32_t host = percent & 0xffff, cpu = (uint32_t)(percent >> 16);
	uint32_t gpu = (uint32_t)(percent >> 48);
	*ret_sample = (struct wan_sample){
		.realtime_ns = event->realtime_ns,
		.time_ns = event->time_ns,
		.rss_mb = mb_or_unknown(event->values[0]),
		.cgroup_need_mb = mb_or_unknown(event->values[1]),
		.gpu_used_mb = mb_or_unknown(event->values[2]),
		.system_percent = host == 0xffff ? -1 : host / 100.0,
		.cpu_percent = cpu == UINT32_MAX ? -1 : cpu / 100.0,
		.gpu_percent = gpu == 0xffff ? -1 : gpu / 100.0,
	};
	no_sensors(ret_sample);
}

#define SENSORS_APART_NS 1000u /* written one tick behind the sample */

/* 16 bits of a word, all ones unknown. */
static double part(uint64_t word, unsigned shift, double scale, double less)
{
	unsigned value = (unsigned)(word >> shift & 0xffff);
	return value == 0xffff ? -1 : value * scale - less;
}

static double half(uint64_t word, unsigned shift, double scale)
{
	uint32_t value = (uint32_t)(word >> shift);
	return value == UINT32_MAX ? -1 : value * scale;
}

void wan_sample_add_sensors(struct wan_sample *sample, const struct wan_process_event *event)
{
	if (event->kind != WAN_RECORD_SENSORS ||
	    event->time_ns - sample->time_ns > SENSORS_APART_NS)
		return;
	sample->cpu_celsius = part(event->values[0], 0, 0.1, 273.1);
	sample->gpu_celsius = part(event->values[0], 16, 0.1, 273.1);
	sample->cpu_watts = half(event->values[1], 0, 0.001);
	sample->gpu_watts = half(event->values[1], 32, 0.001);
	sample->cpu_throttled = half(event->values[2], 0, 1);
	sample->gpu_reasons = half(event->values[2], 32, 1);
	sample->mhz = part(event->values[3], 0, 1, 0);
	sample->most_mhz = part(event->values[3], 16, 1, 0);
	sample->disk_percent = part(event->values[3], 32, 0.01, 0);
	sample->cpus_percent = part(event->values[3], 48, 0.01, 0);
}

/* What no number of a whole recording reaches, a damaged one may. */
static uint64_t whole(double value)
{
	return value > 0 ? value < 18446744073709551615.0 ? (uint64_t)value : UINT64_MAX : 0;
}

/* CPU time of the run: mean of the samples times its duration; 0 when there are none. */
static uint64_t cpu_of_samples(const struct wan_view *view, uint64_t duration_ns)
{
	double sum = 0;
	uint64_t count = 0;
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_process *process = view->sources[i].process;
		for (size_t j = 0; j < process->event_count; j++) {
			struct wan_sample sample;
			if (process->events[j].kind != WAN_RECORD_SAMPLE)
				continue;
			wan_sample_from_event(&process->events[j], &sample);
			if (sample.cpu_percent < 0)
				continue;
			sum += sample.cpu_percent;
			count++;
		}
	}
	return count ? whole(sum / (double)count / 100 * (double)duration_ns) : 0;
}

static const struct wan_process_counters *price_of(const struct wan_process *process)
{
	for (size_t i = 0; i < process->counters_count; i++)
		if (process->counters[i].kind == WAN_COUNTERS_OVERHEAD)
			return &process->counters[i];
	return NULL;
}

/* count of them at a price for 1024. */
static uint64_t cost_ns(const struct wan_process_counters *price, const char *count,
			const char *cost)
{
	return whole((double)wan_counters_block_word(price, count) *
		     (double)wan_counters_block_word(price, cost) / 1024);
}

/* What the hooks measured; for operations without hooks, what they are assumed to cost. */
static void count_overhead(struct wan_analysis *analysis)
{
	const struct wan_view *view = &analysis->view;
	bool assume = false;
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_process *process = view->sources[i].process;
		const struct wan_process_counters *price = price_of(process);
		assume |= !price && process->total_operations;
		if (!price)
			continue;
		analysis->overhead_operations_ns +=
			whole((double)wan_counters_block_word(price, "own") * process->ns_per_tick);
		analysis->overhead_rows_ns += cost_ns(price, "rows", "row_cost") +
					      cost_ns(price, "timed_rows", "timed_row_cost");
		analysis->overhead_allocations_ns +=
			cost_ns(price, "allocations", "allocation_cost");
	}
	for (size_t i = 0; assume && i < analysis->rows.count; i++) {
		const struct wan_row *row = &analysis->rows.items[i];
		uint64_t large = WAN_MIN(row->cpu_known, row->count);
		analysis->overhead_operations_ns +=
			large * WAN_ASSUMED_NS_PER_LARGE_OPERATION +
			(row->count - large) * WAN_ASSUMED_NS_PER_OPERATION;
	}
	analysis->overhead_measured = !assume;
	analysis->overhead_ns = analysis->overhead_start_ns + analysis->overhead_operations_ns +
				analysis->overhead_rows_ns + analysis->overhead_allocations_ns;
}

static void count_processes(struct wan_analysis *analysis)
{
	const struct wan_view *view = &analysis->view;
	for (size_t i = 0; i < view->source_count; i++) {
		analysis->dropped += view->sources[i].process->dropped;
		analysis->overhead_start_ns +=
			view->sources[i].process->header.overhead_start_us * UINT64_C(1000);
		analysis->damaged |= view->sources[i].process->damage_count != 0;
	}
	for (size_t i = 0; i < analysis->rows.count; i++)
		analysis->recorded += analysis->rows.items[i].count;
	for (size_t i = 0; i < view->operation_count; i++)
		analysis->in_records += !wan_view_nested(&view->operations[i]);
	count_overhead(analysis);
	/* Damage can leave records without their aggregate: a record is an operation all the same.
	 */
	if (analysis->rows.total_operations < analysis->in_records)
		analysis->rows.total_operations = analysis->in_records;
}

int wan_analysis_init(struct wan_analysis *analysis, struct wan_view *view,
		      const struct wan_config *config)
{
	*analysis = (struct wan_analysis){.view = *view, .config = config};
	int rc = wan_rows_init(&analysis->rows, &analysis->view, WAN_ROWS_MERGED);
	rc = rc ? rc : wan_rows_init(&analysis->kinds, &analysis->view, WAN_ROWS_OPTIONS);
	rc = rc ? rc : wan_vram_init(&analysis->vram, &analysis->view);
	if (rc) {
		wan_analysis_finish(analysis);
		return rc;
	}
	wan_view_span(&analysis->view, &analysis->start_ns, &analysis->end_ns);
	analysis->run_ns = wan_view_run_ns(&analysis->view, &analysis->runs);
	count_processes(analysis);
	struct wan_finding_input input = {
		.view = &analysis->view,
		.rows = &analysis->rows,
		.kinds = &analysis->kinds,
		.config = config,
		.run_ns = analysis->run_ns,
	};
	input.run_cpu_ns = cpu_of_samples(&analysis->view, input.run_ns);
	rc = wan_findings_init(&analysis->findings, &input);
	if (rc)
		wan_analysis_finish(analysis);
	return rc;
}

void wan_analysis_finish(struct wan_analysis *analysis)
{
	wan_findings_finish(&analysis->findings);
	wan_vram_finish(&analysis->vram);
	wan_rows_finish(&analysis->rows);
	wan_rows_finish(&analysis->kinds);
	wan_view_finish(&analysis->view);
}

uint64_t wan_analysis_row_vram(const struct wan_analysis *analysis, const struct wan_rows *rows,
			       const struct wan_row *row)
{
	uint64_t peak = UINT64_MAX;
	const struct wan_view_operation *first = rows->operations + row->first_record;
	for (size_t i = 0; analysis->vram.count && i < row->records; i++) {
		uint64_t one = wan_vram_operation_peak(&analysis->vram, &first[i]);
		if (one != UINT64_MAX && (peak == UINT64_MAX || one > peak))
			peak = one;
	}
	return peak;
}
