/* SPDX-License-Identifier: MIT */
#include "trackers.h"

#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "macros.h"

const char *wan_phase_text(uint64_t phase)
{
	static const char *const names[WAN_TRACKER_PHASES] = {
		"none",       "initialization", "model_loading", "preprocessing",
		"generation", "postprocessing", "encoding",      "completion",
	};
	return phase < WAN_COUNT_OF(names) ? names[phase] : "unknown";
}

/* What a word of ticks says, 0 where it says nothing. */
static uint64_t time_of(const struct wan_process *process, uint64_t ticks)
{
	return ticks ? wan_process_time_ns(process, ticks) : 0;
}

static const char *phase_of(const struct wan_process *process, const uint64_t *words)
{
	const char *own = wan_process_text(process, words[WAN_TRACKER_PHASE_TEXT]);
	if (words[WAN_TRACKER_PHASE])
		return wan_phase_text(words[WAN_TRACKER_PHASE]);
	return own;
}

/* The latest updates are in a ring; one that was overwritten while we looked is out of order. */
static void read_recent(struct wan_tracker_row *row, const uint64_t *words)
{
	uint64_t count = WAN_MIN(row->updates, (uint64_t)WAN_TRACKER_RECENT), before = 0;
	for (uint64_t i = row->updates - count + 1; count && i <= row->updates; i++) {
		uint64_t at = words[WAN_TRACKER_LATEST + i % WAN_TRACKER_RECENT];
		if (before && at > before && row->recent_count < WAN_COUNT_OF(row->recent_ns))
			row->recent_ns[row->recent_count++] = (uint64_t)WAN_MIN(
				(double)(at - before) * row->process->ns_per_tick, 0x1p62);
		if (at > before)
			before = at;
	}
}

static void read_row(const struct wan_process *process, const struct wan_process_counters *block,
		     struct wan_tracker_row *row)
{
	const uint64_t *words = block->words;
	bool open = words[WAN_TRACKER_STATE] == WAN_TRACKER_ACTIVE;
	*row = (struct wan_tracker_row){
		.process = process,
		.block = block,
		.name = block->name,
		.unit = wan_process_text(process, words[WAN_TRACKER_UNIT]),
		.phase = phase_of(process, words),
		.active = open && process->live,
		.unended = open && !process->live,
		.outcome = (uint32_t)WAN_MIN(words[WAN_TRACKER_OUTCOME], UINT32_MAX),
		.source = (uint32_t)WAN_MIN(words[WAN_TRACKER_SOURCE], UINT32_MAX),
		.level = (uint32_t)WAN_MIN(words[WAN_TRACKER_LEVEL], UINT32_MAX),
		.thread = (uint32_t)words[WAN_TRACKER_THREAD],
		.done = words[WAN_TRACKER_DONE],
		.total = words[WAN_TRACKER_TOTAL],
		.updates = words[WAN_TRACKER_UPDATES],
		.begin_ns = time_of(process, words[WAN_TRACKER_BEGIN]),
		.updated_ns = time_of(process, words[WAN_TRACKER_UPDATED]),
		.grace_ns = time_of(process, words[WAN_TRACKER_GRACE]),
		.device_done = words[WAN_TRACKER_DEVICE_DONE] - 1,
		.expected_ns = words[WAN_TRACKER_EXPECTED],
		.callback_ns = words[WAN_TRACKER_CALLBACK_SUM],
		.callback_max_ns = words[WAN_TRACKER_CALLBACK_MAX],
		.latency_sum_ns = wan_tracker_latency_sum_ns(words, process->ns_per_tick),
		.latency_max_ns = words[WAN_TRACKER_LATENCY_MAX],
	};
	row->seen_ns = open ? WAN_MAX(process->end_ns, row->updated_ns) : row->updated_ns;
	if (words[WAN_TRACKER_PHASE] < WAN_TRACKER_PHASES)
		row->phase_steps = wan_tracker_phase_steps(words, words[WAN_TRACKER_PHASE]);
	read_recent(row, words);
}

static bool is_tracker(const struct wan_process_counters *block)
{
	return block->kind == WAN_COUNTERS_TRACKER && block->words[WAN_TRACKER_STATE];
}

int wan_trackers_init(struct wan_trackers *trackers, const struct wan_view *view)
{
	size_t count = 0;
	for (size_t i = 0; i < view->source_count; i++)
		for (size_t j = 0; j < view->sources[i].process->counters_count; j++)
			count += is_tracker(&view->sources[i].process->counters[j]);
	*trackers = (struct wan_trackers){
		.items = wan_calloc(count + 1, sizeof(trackers->items[0])),
	};
	if (!trackers->items)
		return -ENOMEM;
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_process *process = view->sources[i].process;
		for (size_t j = 0; j < process->counters_count; j++)
			if (is_tracker(&process->counters[j]))
				read_row(process, &process->counters[j],
					 &trackers->items[trackers->count++]);
	}
	return 0;
}

void wan_trackers_finish(struct wan_trackers *trackers)
{
	wan_free(trackers->items);
	*trackers = (struct wan_trackers){0};
}

/* --- latencies --- */

static bool may_convert(const struct wan_tracker_row *row)
{
	double unit_ns = row->block->latency_unit_ns;
	return row->block->latencies && unit_ns > 1e-6 && unit_ns < 1e9;
}

static void add(struct wan_latency *latency, const struct wan_tracker_row *row)
{
	if (!may_convert(row))
		return;
	if (latency->unit_ns == 0)
		wan_latency_begin(latency, row->block->latency_unit_ns);
	wan_latency_merge(latency, row->block->latencies, row->block->latency_unit_ns);
}

static void conclude(struct wan_latency *latency, uint64_t expected_ns, uint64_t max_ns,
		     struct wan_tracker_percentiles *ret_percentiles)
{
	*ret_percentiles = (struct wan_tracker_percentiles){.max_ns = max_ns};
	if (!latency->count)
		return;
	wan_latency_correct(latency, expected_ns);
	ret_percentiles->count = latency->count;
	ret_percentiles->p50_ns = wan_latency_percentile_ns(latency, 0.5, max_ns);
	ret_percentiles->p90_ns = wan_latency_percentile_ns(latency, 0.9, max_ns);
	ret_percentiles->p99_ns = wan_latency_percentile_ns(latency, 0.99, max_ns);
	ret_percentiles->p999_ns = wan_latency_percentile_ns(latency, 0.999, max_ns);
}

int wan_tracker_percentiles(const struct wan_tracker_row *row,
			    struct wan_tracker_percentiles *ret_percentiles)
{
	struct wan_latency *latency = wan_calloc(1, sizeof(*latency)); /* 17 KiB */
	if (!latency)
		return -ENOMEM;
	add(latency, row);
	conclude(latency, row->expected_ns, row->latency_max_ns, ret_percentiles);
	wan_free(latency);
	return 0;
}

/* Each is corrected by the interval it declared itself; here they share the smallest one. */
int wan_trackers_merged(const struct wan_trackers *trackers, size_t index,
			struct wan_tracker_percentiles *ret_percentiles)
{
	struct wan_latency *latency = wan_calloc(1, sizeof(*latency));
	uint64_t max_ns = 0, expected_ns = UINT64_MAX;
	if (!latency)
		return -ENOMEM;
	for (size_t i = 0; i < trackers->count; i++) {
		const struct wan_tracker_row *row = &trackers->items[i];
		if (strcmp(row->name, trackers->items[index].name) != 0)
			continue;
		add(latency, row);
		max_ns = WAN_MAX(max_ns, row->latency_max_ns);
		expected_ns = WAN_MIN(expected_ns, row->expected_ns);
	}
	conclude(latency, expected_ns == UINT64_MAX ? 0 : expected_ns, max_ns, ret_percentiles);
	wan_free(latency);
	return 0;
}

int wan_trackers_buckets(const struct wan_trackers *trackers, size_t index,
			 const uint64_t *edges_ns, uint64_t *counts, size_t edge_count,
			 uint64_t *ret_count, uint64_t *ret_sum_ns)
{
	struct wan_latency *latency = wan_calloc(1, sizeof(*latency));
	uint64_t updates = 0, sum_ns = 0;
	if (!latency)
		return -ENOMEM;
	for (size_t i = index; i < trackers->count; i++) {
		const struct wan_tracker_row *row = &trackers->items[i];
		if (strcmp(row->name, trackers->items[index].name) != 0)
			continue;
		add(latency, row);
		updates += row->updates;
		sum_ns += row->latency_sum_ns;
	}
	for (size_t i = 0; i < edge_count; i++)
		counts[i] = wan_latency_at_most(latency, edges_ns[i]);
	*ret_count = WAN_MAX(latency->count, updates);
	*ret_sum_ns = sum_ns;
	wan_free(latency);
	return 0;
}

bool wan_trackers_seen_before(const struct wan_trackers *trackers, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(trackers->items[i].name, trackers->items[index].name) == 0)
			return true;
	return false;
}
