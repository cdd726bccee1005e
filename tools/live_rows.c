/* SPDX-License-Identifier: MIT */
/* Operations, actions and alerts of a watched run: the whole recordings, read now and then. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "live.h"
#include "macros.h"
#include "profile.h"
#include "str.h"
#include "units.h"

static struct live_row *row_of(struct live_row *rows, size_t count, const char *name,
			       const char *library)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(rows[i].name, name) == 0 && strcmp(rows[i].library, library) == 0)
			return &rows[i];
	return NULL;
}

/* Outcomes of a kind share a row. */
static void add_row(struct live *live, const struct wan_row *from)
{
	char name[64], library[24];
	wan_str_copy(name, sizeof(name), from->unknown_name ? "(other)" : from->name);
	wan_str_copy(library, sizeof(library), from->library);
	struct live_row *row = row_of(live->rows, live->row_count, name, library);
	if (!row) {
		if (live->row_count == LIVE_ROWS)
			return;
		row = &live->rows[live->row_count++];
		*row = (struct live_row){.per_second = -1};
		memcpy(row->name, name, sizeof(name));
		memcpy(row->library, library, sizeof(library));
		row->p50_ns = from->p50_ns; /* of the outcome with most time in it */
	}
	row->count += from->count;
	row->inside_ns += from->inside_ns;
	row->p99_ns = WAN_MAX(row->p99_ns, from->p99_ns);
	row->max_ns = WAN_MAX(row->max_ns, from->max_ns);
	row->peak_bytes = WAN_MAX(row->peak_bytes, from->peak_bytes);
}

static void take_rows(struct live *live, const struct wan_rows *rows, uint64_t now_ns)
{
	static struct live_row before[LIVE_ROWS];
	size_t before_count = live->row_count;
	memcpy(before, live->rows, sizeof(before));
	live->row_count = 0;
	for (size_t i = 0; i < rows->count; i++)
		add_row(live, &rows->items[i]);
	double seconds = (double)wan_elapsed(live->rows_ns, now_ns) / 1e9;
	for (size_t i = 0; i < live->row_count && live->rows_ns && seconds > 0.2; i++) {
		struct live_row *row = &live->rows[i];
		const struct live_row *old = row_of(before, before_count, row->name, row->library);
		uint64_t count = wan_elapsed(old ? old->count : 0, row->count);
		row->per_second = (double)count / seconds;
	}
	live->rows_ns = now_ns;
}

static void action_text(const struct wan_process_event *event, char *to, size_t bytes)
{
	char before[24], after[24];
	bool counts = strcmp(event->name, "entry_limit") == 0 || strcmp(event->name, "batch") == 0;
	size_t used = wan_str_format(to, bytes, "%s", event->name);
	if (event->values[2] != event->values[3] && counts)
		used += wan_str_format(to + used, bytes - used, " %" PRIu64 " to %" PRIu64,
				       event->values[2], event->values[3]);
	else if (event->values[2] != event->values[3])
		used += wan_str_format(to + used, bytes - used, " %s to %s",
				       wan_format_bytes(before, sizeof(before), event->values[2]),
				       wan_format_bytes(after, sizeof(after), event->values[3]));
	if (event->text[0])
		wan_str_format(to + used, bytes - used, " (%s)", event->text);
}

static void add_event(struct live *live, const struct wan_process_event *event)
{
	bool action = event->kind == WAN_RECORD_ACTION;
	if ((!action && event->kind != WAN_RECORD_ALERT) ||
	    (action && strcmp(event->name, WAN_PROFILE_MARKER) == 0))
		return;
	*(action ? &live->actions : &live->alerts) += 1;
	size_t at = live->event_count;
	while (at && live->events[at - 1].time_ns > event->time_ns)
		at--;
	if (live->event_count == LIVE_EVENTS) {
		if (!at)
			return;
		at--;
		memmove(&live->events[0], &live->events[1], at * sizeof(live->events[0]));
	} else {
		memmove(&live->events[at + 1], &live->events[at],
			(live->event_count++ - at) * sizeof(live->events[0]));
	}
	struct live_event *to = &live->events[at];
	*to = (struct live_event){
		.time_ns = event->time_ns, .kind = event->kind, .code = event->code};
	if (action)
		action_text(event, to->text, sizeof(to->text));
	else
		wan_str_format(to->text, sizeof(to->text), "%s: %s", event->name, event->text);
}

static void take_events(struct live *live, const struct wan_view *view)
{
	live->actions = live->alerts = 0;
	live->event_count = 0;
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_process *process = view->sources[i].process;
		for (size_t j = 0; j < process->event_count; j++)
			add_event(live, &process->events[j]);
	}
}

/* By the open descriptors: the files may have been packed and removed meanwhile. */
static size_t open_all(const struct live *live, struct wan_recording **recordings)
{
	size_t count = 0;
	for (size_t i = 0; i < live->count; i++)
		if (wan_recording_open(live->files[i]->glance.path, &recordings[count], NULL) == 0)
			count++;
	return count;
}

int live_read_whole(struct live *live, uint64_t now_ns)
{
	struct wan_recording **recordings = wan_calloc(live->count + 1, sizeof(*recordings));
	struct wan_view view;
	struct wan_rows rows;
	if (!recordings)
		return -ENOMEM;
	size_t count = open_all(live, recordings);
	int error = wan_view_init_recordings(&view, recordings, count, NULL);
	if (!error) {
		error = wan_rows_init(&rows, &view, WAN_ROWS_MERGED);
		if (!error) {
			take_rows(live, &rows, now_ns);
			take_events(live, &view);
			wan_rows_finish(&rows);
		}
		wan_view_finish(&view);
	}
	for (size_t i = 0; i < count; i++)
		wan_recording_close(recordings[i]);
	wan_free(recordings);
	return error;
}

int live_open_ended(struct live *live, struct wan_recording *const *recordings, size_t count)
{
	struct wan_rows rows;
	*live = (struct live){0};
	int error = wan_view_init_recordings(&live->view, recordings, count, NULL);
	if (error)
		return error;
	error = wan_trackers_init(&live->trackers, &live->view);
	if (!error) {
		error = wan_rows_init(&rows, &live->view, WAN_ROWS_MERGED);
		if (!error) {
			take_rows(live, &rows, 0);
			take_events(live, &live->view);
			wan_rows_finish(&rows);
			live->seen = true;
			return 0;
		}
		wan_trackers_finish(&live->trackers);
	}
	wan_view_finish(&live->view);
	return error;
}

static void count_one(struct live *live, const struct wan_recording_operation *operation)
{
	char name[64], library[24];
	wan_str_copy(name, sizeof(name), wan_operation_name(operation));
	wan_str_copy(library, sizeof(library), wan_operation_library(operation));
	struct live_row *row = row_of(live->rows, live->row_count, name, library);
	if (!row && live->row_count < LIVE_ROWS) {
		row = &live->rows[live->row_count++];
		*row = (struct live_row){.per_second = -1};
		memcpy(row->name, name, sizeof(name));
		memcpy(row->library, library, sizeof(library));
	}
	if (!row)
		return;
	row->in_flight++;
	row->oldest_ns = WAN_MAX(row->oldest_ns, operation->span_ns);
}

void live_count_in_flight(struct live *live)
{
	for (size_t i = 0; i < live->row_count; i++)
		live->rows[i].in_flight = 0, live->rows[i].oldest_ns = 0;
	for (size_t i = 0; i < live->view.source_count; i++) {
		const struct wan_process *process = live->view.sources[i].process;
		for (size_t j = 0; process->live && j < process->inflight_count; j++)
			count_one(live, &process->inflight[j].operation);
	}
}
