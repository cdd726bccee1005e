/* SPDX-License-Identifier: MIT */
#include "vram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "macros.h"

enum {
	BLOCK = 64,
	LINES = 256, /* devices of processes; further ones are not known */
};

static struct wan_vram_line *line_of(struct wan_vram *vram, const struct wan_process *process,
				     const char *device)
{
	for (size_t i = vram->count; i-- > 0 && vram->lines[i].process == process;)
		if (strcmp(vram->lines[i].device, device) == 0)
			return &vram->lines[i];
	if (vram->count == LINES)
		return NULL;
	struct wan_vram_line *line = &vram->lines[vram->count++];
	*line = (struct wan_vram_line){.process = process, .device = device};
	return line;
}

/* First how many samples there are for each line, then the samples. */
static void take_events(struct wan_vram *vram, const struct wan_process *process)
{
	for (size_t i = 0; i < process->event_count; i++) {
		const struct wan_process_event *event = &process->events[i];
		if (event->kind != WAN_RECORD_VRAM)
			continue;
		struct wan_vram_line *line = line_of(vram, process, event->name);
		if (!line)
			continue;
		if (line->samples) {
			uint64_t *high = &line->block_highs[line->count / BLOCK];
			*high = WAN_MAX(*high, event->values[1]);
			line->samples[line->count] = (struct wan_vram_sample){
				event->time_ns, event->values[0], event->values[1]};
		}
		line->count++;
	}
}

int wan_vram_init(struct wan_vram *vram, const struct wan_view *view)
{
	*vram = (struct wan_vram){.lines = wan_calloc(LINES, sizeof(vram->lines[0]))};
	if (!vram->lines)
		return -ENOMEM;
	for (size_t i = 0; i < view->source_count; i++)
		take_events(vram, view->sources[i].process);
	for (size_t i = 0; i < vram->count; i++) {
		struct wan_vram_line *line = &vram->lines[i];
		line->samples = wan_calloc(line->count, sizeof(line->samples[0]));
		line->block_highs =
			wan_calloc(line->count / BLOCK + 1, sizeof(line->block_highs[0]));
		line->count = 0;
		if (!line->samples || !line->block_highs) {
			wan_vram_finish(vram);
			return -ENOMEM;
		}
	}
	for (size_t i = 0; vram->count && i < view->source_count; i++)
		take_events(vram, view->sources[i].process);
	return 0;
}

void wan_vram_finish(struct wan_vram *vram)
{
	for (size_t i = 0; i < vram->count; i++) {
		wan_free(vram->lines[i].samples);
		wan_free(vram->lines[i].block_highs);
	}
	wan_free(vram->lines);
	*vram = (struct wan_vram){0};
}

/* Index of the first sample later than that. */
static size_t first_after(const struct wan_vram_line *line, uint64_t time_ns)
{
	size_t low = 0, high = line->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (line->samples[middle].time_ns > time_ns)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static uint64_t line_peak(const struct wan_vram_line *line, uint64_t start_ns, uint64_t end_ns)
{
	size_t at = first_after(line, start_ns), end = first_after(line, end_ns);
	uint64_t peak = at ? line->samples[at - 1].live : 0;
	while (at < end) {
		bool whole = at % BLOCK == 0 && end - at >= BLOCK;
		uint64_t high = whole ? line->block_highs[at / BLOCK] : line->samples[at].high;
		peak = WAN_MAX(peak, high);
		at += whole ? BLOCK : 1;
	}
	return peak;
}

uint64_t wan_vram_peak(const struct wan_vram *vram, const struct wan_process *process,
		       uint64_t start_ns, uint64_t end_ns)
{
	uint64_t peak = UINT64_MAX;
	for (size_t i = 0; i < vram->count; i++) {
		if (vram->lines[i].process != process)
			continue;
		uint64_t one = line_peak(&vram->lines[i], start_ns, end_ns);
		peak = peak == UINT64_MAX ? one : WAN_MAX(peak, one);
	}
	return peak;
}

static uint64_t end_of(uint64_t start_ns, uint64_t duration_ns)
{
	uint64_t end_ns;
	return __builtin_add_overflow(start_ns, duration_ns, &end_ns) ? UINT64_MAX : end_ns;
}

static uint64_t more(uint64_t peak, uint64_t other)
{
	if (peak == UINT64_MAX || other == UINT64_MAX)
		return WAN_MIN(peak, other);
	return WAN_MAX(peak, other);
}

uint64_t wan_vram_operation_peak(const struct wan_vram *vram,
				 const struct wan_view_operation *operation)
{
	const struct wan_recording_operation *record = operation->record;
	return wan_vram_peak(vram, operation->process, record->start_ns,
			     end_of(record->start_ns, record->span_ns));
}

static uint64_t ended_peak(const struct wan_vram *vram, const struct wan_process *process,
			   const char *phase)
{
	uint64_t peak = UINT64_MAX;
	for (size_t i = 0; i < process->event_count; i++) {
		const struct wan_process_event *event = &process->events[i];
		if (event->kind != WAN_RECORD_PHASE)
			continue;
		const char *name = event->code ? wan_phase_text(event->code) : event->text;
		if (strcmp(name, phase) != 0)
			continue;
		uint64_t start_ns = wan_process_time_ns(process, event->values[0]);
		peak = more(peak, wan_vram_peak(vram, process, start_ns,
						end_of(start_ns, event->values[1])));
	}
	return peak;
}

uint64_t wan_vram_phase_peak(const struct wan_vram *vram, const struct wan_view *view,
			     const struct wan_trackers *trackers, const char *phase)
{
	uint64_t peak = UINT64_MAX;
	if (!vram->count)
		return peak;
	for (size_t i = 0; i < view->source_count; i++)
		peak = more(peak, ended_peak(vram, view->sources[i].process, phase));
	for (size_t i = 0; i < trackers->count; i++) {
		const struct wan_tracker_row *row = &trackers->items[i];
		const uint64_t *words = row->block->words;
		uint64_t number = words[WAN_TRACKER_PHASE];
		if (words[WAN_TRACKER_STATE] != WAN_TRACKER_ACTIVE || strcmp(row->phase, phase) ||
		    number >= WAN_TRACKER_PHASES)
			continue;
		uint64_t start_ns =
			wan_process_time_ns(row->process, words[WAN_TRACKER_PHASE_START + number]);
		peak = more(peak, wan_vram_peak(vram, row->process, start_ns, UINT64_MAX));
	}
	return peak;
}
