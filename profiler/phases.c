/* SPDX-License-Identifier: MIT */
/*
 * Where the time of all jobs went. Stretches that ended are events of the recording, those of the
 * known phases are summed up in the words of their trackers as well (the words do not wrap); what
 * is open is in the words alone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "macros.h"
#include "trackers.h"

#define PHASES_MOST 256 /* names of the programs' own beyond these share the last row */

static struct wan_phase_row *row_of(struct wan_phases *phases, const char *name)
{
	for (size_t i = 0; i < phases->count; i++)
		if (strcmp(phases->items[i].name, name) == 0)
			return &phases->items[i];
	if (phases->count == PHASES_MOST)
		return &phases->items[PHASES_MOST - 1];
	phases->items[phases->count].name = name;
	return &phases->items[phases->count++];
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	uint64_t all;
	return __builtin_add_overflow(a, b, &all) ? UINT64_MAX : all;
}

static void count_in(struct wan_phase_row *row, uint64_t duration_ns, uint64_t steps,
		     uint64_t started_ns)
{
	row->duration_ns = sum(row->duration_ns, duration_ns);
	row->steps = sum(row->steps, steps);
	if (started_ns && (!row->started_ns || started_ns < row->started_ns))
		row->started_ns = started_ns;
}

/* Own names come from events; of known phases the events say only when they began. */
static void add_events(struct wan_phases *phases, const struct wan_process *process)
{
	for (size_t i = 0; i < process->event_count; i++) {
		const struct wan_process_event *event = &process->events[i];
		if (event->kind != WAN_RECORD_PHASE)
			continue;
		uint64_t started_ns = wan_process_time_ns(process, event->values[0]);
		if (event->code == 0 && event->text[0])
			count_in(row_of(phases, event->text), event->values[1], event->values[2],
				 started_ns);
		else if (event->code > 0 && event->code < WAN_TRACKER_PHASES)
			count_in(row_of(phases, wan_phase_text(event->code)), 0, 0, started_ns);
	}
}

static void add_known(struct wan_phases *phases, const struct wan_process_counters *block)
{
	for (unsigned phase = 1; phase < WAN_TRACKER_PHASES; phase++) {
		uint64_t duration_ns = block->words[WAN_TRACKER_PHASE_NS + phase];
		bool open = block->words[WAN_TRACKER_PHASE] == phase &&
			    block->words[WAN_TRACKER_STATE] == WAN_TRACKER_ACTIVE;
		if (duration_ns && !open)
			count_in(row_of(phases, wan_phase_text(phase)), duration_ns,
				 block->words[WAN_TRACKER_PHASE_STEPS + phase], 0);
	}
}

static void add_open(struct wan_phases *phases, const struct wan_tracker_row *tracker)
{
	const uint64_t *words = tracker->block->words;
	uint64_t phase = words[WAN_TRACKER_PHASE];
	if (!tracker->phase[0] || phase >= WAN_TRACKER_PHASES ||
	    words[WAN_TRACKER_STATE] != WAN_TRACKER_ACTIVE)
		return;
	uint64_t started_ns =
		wan_process_time_ns(tracker->process, words[WAN_TRACKER_PHASE_START + phase]);
	uint64_t open_ns = wan_elapsed(started_ns, tracker->seen_ns);
	struct wan_phase_row *row = row_of(phases, tracker->phase);
	/* Own names share one place for sums, and their ended stretches came as events. */
	uint64_t ended_ns = phase ? words[WAN_TRACKER_PHASE_NS + phase] : 0;
	count_in(row, sum(ended_ns, open_ns), tracker->phase_steps, started_ns);
	row->open = true;
}

static int compare_begin(const void *left, const void *right)
{
	const struct wan_phase_row *a = left, *b = right;
	uint64_t from = a->started_ns ? a->started_ns : UINT64_MAX;
	uint64_t to = b->started_ns ? b->started_ns : UINT64_MAX;
	return (from > to) - (from < to);
}

int wan_phases_init(struct wan_phases *phases, const struct wan_view *view,
		    const struct wan_trackers *trackers)
{
	*phases = (struct wan_phases){
		.items = wan_calloc(PHASES_MOST, sizeof(phases->items[0])),
	};
	if (!phases->items)
		return -ENOMEM;
	for (size_t i = 0; i < view->source_count; i++)
		add_events(phases, view->sources[i].process);
	for (size_t i = 0; i < trackers->count; i++) {
		add_known(phases, trackers->items[i].block);
		add_open(phases, &trackers->items[i]);
	}
	if (phases->count > 1)
		qsort(phases->items, phases->count, sizeof(phases->items[0]), compare_begin);
	for (size_t i = 0; i < phases->count; i++)
		phases->total_ns = sum(phases->total_ns, phases->items[i].duration_ns);
	return 0;
}

void wan_phases_finish(struct wan_phases *phases)
{
	wan_free(phases->items);
	*phases = (struct wan_phases){0};
}
