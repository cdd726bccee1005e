/* SPDX-License-Identifier: MIT */
/*
 * A native Perfetto trace: a series of TracePacket messages (field 1 of Trace) on one packet
 * sequence. Processes and threads are tracks; a track more for each lane of a thread whose
 * operations do not nest (tracks.h); counters for samples; instants for alerts and actions; slices
 * for phases. Names of operations are interned. Times are realtime ns, declared equal to the trace
 * clock by a clock snapshot. Field numbers: perfetto's protos/perfetto/trace/, stable by its rules.
 */
#include <errno.h>

#include "alloc.h"
#include "protobuf.h"
#include "str.h"
#include "tracks.h"
#include "walk.h"

enum { /* Trace, TracePacket */
       TRACE_PACKET = 1,
       PACKET_CLOCKS = 6,
       PACKET_TIME = 8,
       PACKET_SEQUENCE = 10,
       PACKET_EVENT = 11,
       PACKET_INTERNED = 12,
       PACKET_FLAGS = 13,
       PACKET_TRACK = 60,
};
enum { FLAG_CLEARED = 1, FLAG_NEEDS_STATE = 2 }; /* values of PACKET_FLAGS */
enum {
	CLOCKS_CLOCK = 1,
	CLOCK_ID = 1,
	CLOCK_TIME = 2,
	CLOCK_REALTIME_ID = 1,
	CLOCK_BOOTTIME_ID = 6
};
enum { INTERNED_CATEGORY = 1, INTERNED_NAME = 2, INTERNED_KEY = 3, INTERN_ID = 1, INTERN_TEXT = 2 };
enum { /* TrackDescriptor and what it holds */
       TRACK_UUID = 1,
       TRACK_NAME = 2,
       TRACK_PROCESS = 3,
       TRACK_THREAD = 4,
       TRACK_PARENT = 5,
       TRACK_COUNTER = 8,
       PROCESS_PID = 1,
       PROCESS_NAME = 6,
       THREAD_PID = 1,
       THREAD_TID = 2,
       THREAD_NAME = 5,
       COUNTER_UNIT = 3,
       COUNTER_UNIT_NAME = 6,
};
enum { /* TrackEvent, DebugAnnotation */
       EVENT_CATEGORY_ID = 3,
       EVENT_ANNOTATION = 4,
       EVENT_TYPE = 9,
       EVENT_NAME_ID = 10,
       EVENT_TRACK = 11,
       EVENT_CATEGORY = 22,
       EVENT_NAME = 23,
       EVENT_DOUBLE = 44,
       SLICE_BEGIN = 1,
       SLICE_END = 2,
       INSTANT = 3,
       COUNTER = 4,
       NOTE_KEY_ID = 1,
       NOTE_UINT = 3,
       NOTE_INT = 4,
       NOTE_TEXT = 6,
};

/* What an annotation is called; its place + 1 is its interned id. */
static const char *const keys[] = {
	"status",     "width", "height",    "inside_ns",  "cpu_ns",  "memory_bytes", "peak_bytes",
	"file_bytes", "file",  "in_flight", "unfinished", "message", "code",         "steps"};
enum {
	KEY_STATUS = 1,
	KEY_WIDTH,
	KEY_HEIGHT,
	KEY_INSIDE,
	KEY_CPU,
	KEY_MEMORY,
	KEY_PEAK,
	KEY_FILE_BYTES,
	KEY_FILE,
	KEY_IN_FLIGHT,
	KEY_UNFINISHED,
	KEY_MESSAGE,
	KEY_CODE,
	KEY_STEPS,
};

/* Tracks are told apart by their upper bits. */
enum uuid { UUID_PROCESS = 1, UUID_OPERATIONS, UUID_PHASES, UUID_COUNTER, UUID_MARKS };

#define NAMES     256u /* interned names at a time, by place; a power of two */
#define TEXT_ROOM (4 * 1023 + 8)
#define ROOM      (4 * TEXT_ROOM + 1024)
#define SEQUENCE  1u

struct perfetto {
	const struct wan_export *export;
	struct wan_sink *sink;
	struct wan_tracks tracks, phases;
	const char *phase_name;
	uint64_t base_ns;
	uint64_t name_ids;      /* given so far */
	unsigned counters_seen; /* bit per track */
	struct interned {
		const char *name;
		uint64_t id;
	} names[NAMES], categories[NAMES];
};

static uint64_t uuid_of(enum uuid kind, uint32_t number)
{
	return (uint64_t)kind << 40 | number;
}

/* Text as UTF-8 without controls, which is what the format and its viewers want. */
static char *put_text(char *to, unsigned field, const char *text)
{
	char clean[TEXT_ROOM];
	wan_str_printable(clean, sizeof(clean), text);
	return wan_proto_text(to, field, clean);
}

struct packet {
	char *packet, *part; /* marks */
};

static char *packet_begin(struct perfetto *perfetto, struct packet *packet)
{
	char *to =
		wan_proto_begin(wan_sink_room(perfetto->sink, ROOM), TRACE_PACKET, &packet->packet);
	return wan_proto_uint(to, PACKET_SEQUENCE, SEQUENCE);
}

static void packet_end(struct perfetto *perfetto, struct packet *packet, char *to)
{
	wan_proto_end(to, packet->packet);
	perfetto->sink->at = to;
}

static void first_packet(struct perfetto *perfetto)
{
	static const unsigned clocks[] = {CLOCK_BOOTTIME_ID, CLOCK_REALTIME_ID};
	struct packet packet;
	char *to = packet_begin(perfetto, &packet), *part, *inner;
	to = wan_proto_uint(to, PACKET_FLAGS, FLAG_CLEARED);
	to = wan_proto_begin(to, PACKET_INTERNED, &part);
	for (size_t i = 0; i < WAN_COUNT_OF(keys); i++) {
		to = wan_proto_begin(to, INTERNED_KEY, &inner);
		to = wan_proto_uint(to, INTERN_ID, i + 1);
		to = wan_proto_text(to, INTERN_TEXT, keys[i]);
		wan_proto_end(to, inner);
	}
	wan_proto_end(to, part);
	packet_end(perfetto, &packet, to);
	to = packet_begin(perfetto, &packet);
	to = wan_proto_begin(to, PACKET_CLOCKS, &part);
	for (size_t i = 0; i < WAN_COUNT_OF(clocks); i++) {
		to = wan_proto_begin(to, CLOCKS_CLOCK, &inner);
		to = wan_proto_uint(to, CLOCK_ID, clocks[i]);
		to = wan_proto_uint(to, CLOCK_TIME, perfetto->base_ns);
		wan_proto_end(to, inner);
	}
	wan_proto_end(to, part);
	packet_end(perfetto, &packet, to);
}

static char *track_begin(struct perfetto *perfetto, struct packet *packet, uint64_t uuid)
{
	char *to = packet_begin(perfetto, packet);
	to = wan_proto_begin(to, PACKET_TRACK, &packet->part);
	return wan_proto_uint(to, TRACK_UUID, uuid);
}

static void track_end(struct perfetto *perfetto, struct packet *packet, char *to)
{
	wan_proto_end(to, packet->part);
	packet_end(perfetto, packet, to);
}

static void processes(struct perfetto *perfetto)
{
	const struct wan_view *view = &perfetto->export->analysis->view;
	char text[WAN_PROCESS_NAME_BYTES];
	struct packet packet;
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_process *process = view->sources[i].process;
		uint32_t pid = process->header.pid;
		char *inner;
		if (wan_walk_pid_before(view, i))
			continue;
		char *to = track_begin(perfetto, &packet, uuid_of(UUID_PROCESS, pid));
		to = wan_proto_begin(to, TRACK_PROCESS, &inner);
		to = wan_proto_int(to, PROCESS_PID, (int32_t)pid);
		to = put_text(to, PROCESS_NAME,
			      wan_export_process_name(perfetto->export, text, process));
		wan_proto_end(to, inner);
		track_end(perfetto, &packet, to);
		to = track_begin(perfetto, &packet, uuid_of(UUID_MARKS, pid));
		to = wan_proto_uint(to, TRACK_PARENT, uuid_of(UUID_PROCESS, pid));
		to = wan_proto_text(to, TRACK_NAME, "alerts and actions");
		track_end(perfetto, &packet, to);
	}
}

static void track_begun(void *context, struct wan_track *track)
{
	struct perfetto *perfetto = context;
	struct packet packet;
	char text[64], *inner;
	char *to = track_begin(perfetto, &packet, uuid_of(UUID_OPERATIONS, track->number));
	if (track->lane) {
		to = wan_proto_uint(to, TRACK_PARENT, uuid_of(UUID_OPERATIONS, track->parent));
		wan_str_format(text, sizeof(text), "overlapping %u", track->lane);
		to = wan_proto_text(to, TRACK_NAME, text);
	} else {
		to = wan_proto_uint(to, TRACK_PARENT, uuid_of(UUID_PROCESS, track->process));
		to = wan_proto_begin(to, TRACK_THREAD, &inner);
		to = wan_proto_int(to, THREAD_PID, (int32_t)track->process);
		to = wan_proto_int(to, THREAD_TID, track->thread);
		wan_str_format(text, sizeof(text),
			       track->thread == track->process ? "main" : "thread %u",
			       track->thread);
		to = wan_proto_text(to, THREAD_NAME, text);
		wan_proto_end(to, inner);
	}
	track_end(perfetto, &packet, to);
}

static void phase_track_begun(void *context, struct wan_track *track)
{
	struct perfetto *perfetto = context;
	struct packet packet;
	char *to = track_begin(perfetto, &packet, uuid_of(UUID_PHASES, track->number));
	to = wan_proto_uint(to, TRACK_PARENT, uuid_of(UUID_PROCESS, track->process));
	to = put_text(to, TRACK_NAME, perfetto->phase_name);
	track_end(perfetto, &packet, to);
}

/* On the trace clock, which is signed: a recording that lies must not turn ends before begins. */
static uint64_t moment(const struct perfetto *perfetto, uint64_t at_ns)
{
	uint64_t room = wan_elapsed(perfetto->base_ns, INT64_MAX);
	return perfetto->base_ns + WAN_MIN(at_ns, room);
}

static char *event_begin(struct perfetto *perfetto, struct packet *packet, uint64_t at_ns,
			 unsigned type, uint64_t uuid)
{
	char *to = packet_begin(perfetto, packet);
	to = wan_proto_uint(to, PACKET_TIME, moment(perfetto, at_ns));
	to = wan_proto_uint(to, PACKET_FLAGS, FLAG_NEEDS_STATE);
	to = wan_proto_begin(to, PACKET_EVENT, &packet->part);
	to = wan_proto_uint(to, EVENT_TYPE, type);
	return wan_proto_uint(to, EVENT_TRACK, uuid);
}

static void slice_end(struct perfetto *perfetto, uint64_t at_ns, uint64_t uuid)
{
	struct packet packet;
	char *to = event_begin(perfetto, &packet, at_ns, SLICE_END, uuid);
	track_end(perfetto, &packet, to);
}

static void operation_ended(void *context, struct wan_track *track,
			    const struct wan_track_open *open)
{
	slice_end(context, open->end_ns, uuid_of(UUID_OPERATIONS, track->number));
}

static void phase_ended(void *context, struct wan_track *track, const struct wan_track_open *open)
{
	slice_end(context, open->end_ns, uuid_of(UUID_PHASES, track->number));
}

static char *note_uint(char *to, unsigned key, uint64_t value)
{
	char *mark;
	to = wan_proto_begin(to, EVENT_ANNOTATION, &mark);
	to = wan_proto_uint(wan_proto_uint(to, NOTE_KEY_ID, key), NOTE_UINT, value);
	wan_proto_end(to, mark);
	return to;
}

static char *note_int(char *to, unsigned key, int64_t value)
{
	char *mark;
	to = wan_proto_begin(to, EVENT_ANNOTATION, &mark);
	to = wan_proto_int(wan_proto_uint(to, NOTE_KEY_ID, key), NOTE_INT, value);
	wan_proto_end(to, mark);
	return to;
}

static char *note_text(char *to, unsigned key, const char *text)
{
	char *mark;
	to = wan_proto_begin(to, EVENT_ANNOTATION, &mark);
	to = put_text(wan_proto_uint(to, NOTE_KEY_ID, key), NOTE_TEXT, text);
	wan_proto_end(to, mark);
	return to;
}

/* The id of a name, by its place in a table that forgets: a name met again after another one took
 * its place gets a new id, so that a million names take no more memory than these. */
static uint64_t intern(struct perfetto *perfetto, struct interned *table, unsigned kind,
		       const char *name, const char *shown)
{
	uint64_t mixed = (uint64_t)(uintptr_t)name * UINT64_C(0x9e3779b97f4a7c15);
	struct interned *place = &table[mixed >> 56 & (NAMES - 1)];
	if (place->id && place->name == name)
		return place->id;
	struct packet packet;
	char *part, *inner, *to = packet_begin(perfetto, &packet);
	place->name = name;
	place->id = ++perfetto->name_ids;
	to = wan_proto_uint(to, PACKET_FLAGS, FLAG_NEEDS_STATE);
	to = wan_proto_begin(to, PACKET_INTERNED, &part);
	to = wan_proto_begin(to, kind, &inner);
	to = put_text(wan_proto_uint(to, INTERN_ID, place->id), INTERN_TEXT, shown);
	wan_proto_end(to, inner);
	wan_proto_end(to, part);
	packet_end(perfetto, &packet, to);
	return place->id;
}

static char *put_figures(struct perfetto *perfetto, char *to,
			 const struct wan_recording_operation *record)
{
	char hidden[WAN_REDACTED_BYTES];
	if (record->width_px | record->height_px) {
		to = note_uint(to, KEY_WIDTH, record->width_px);
		to = note_uint(to, KEY_HEIGHT, record->height_px);
	}
	if (record->inside_ns != record->span_ns)
		to = note_uint(to, KEY_INSIDE, record->inside_ns);
	if (record->cpu_ns != UINT64_MAX)
		to = note_uint(to, KEY_CPU, record->cpu_ns);
	if (record->memory_bytes != INT64_MIN)
		to = note_int(to, KEY_MEMORY, record->memory_bytes);
	if (record->peak_bytes != UINT64_MAX)
		to = note_uint(to, KEY_PEAK, record->peak_bytes);
	if (record->file_bytes != UINT64_MAX)
		to = note_uint(to, KEY_FILE_BYTES, record->file_bytes);
	if (record->file)
		to = note_text(to, KEY_FILE,
			       wan_export_file(perfetto->export, hidden, record->file));
	return to;
}

static void operation(struct perfetto *perfetto, const struct wan_view_operation *operation)
{
	const struct wan_recording_operation *record = operation->record;
	const char *name = wan_operation_name(record), *library = wan_operation_library(record);
	char hidden[WAN_REDACTED_BYTES];
	struct packet packet;
	uint64_t start_ns = wan_walk_start(perfetto->export, record);
	uint64_t category = intern(perfetto, perfetto->categories, INTERNED_CATEGORY, library,
				   library[0] ? library : "operation");
	uint64_t id = intern(perfetto, perfetto->names, INTERNED_NAME, name,
			     wan_export_name(perfetto->export, hidden, name));
	struct wan_track *track =
		wan_tracks_place(&perfetto->tracks, record->process, record->thread, start_ns,
				 wan_walk_end(start_ns, record), 0);
	if (!track) {
		wan_sink_fail(perfetto->sink, -ENOMEM);
		return;
	}
	char *to = event_begin(perfetto, &packet, start_ns, SLICE_BEGIN,
			       uuid_of(UUID_OPERATIONS, track->number));
	to = wan_proto_uint(to, EVENT_CATEGORY_ID, category);
	to = wan_proto_uint(to, EVENT_NAME_ID, id);
	to = note_text(to, KEY_STATUS, wan_op_status_name(operation->status));
	to = put_figures(perfetto, to, record);
	if (operation->unfinished)
		to = note_uint(to, wan_walk_open(operation) ? KEY_IN_FLIGHT : KEY_UNFINISHED, 1);
	track_end(perfetto, &packet, to);
}

static const struct {
	const char *name, *unit;
} counters[] = {{"resident memory", "MB"}, {"cgroup need", "MB"},  {"GPU memory", "MB"},
		{"CPU", "% of one core"},  {"system memory", "%"}, {"GPU use", "%"}};

static void counter_track(struct perfetto *perfetto, unsigned which)
{
	struct packet packet;
	char *inner, *to = track_begin(perfetto, &packet, uuid_of(UUID_COUNTER, which));
	to = wan_proto_uint(
		to, TRACK_PARENT,
		uuid_of(UUID_PROCESS, perfetto->export->analysis->view.main->header.pid));
	to = wan_proto_text(to, TRACK_NAME, counters[which].name);
	to = wan_proto_begin(to, TRACK_COUNTER, &inner);
	to = wan_proto_text(to, COUNTER_UNIT_NAME, counters[which].unit);
	wan_proto_end(to, inner);
	track_end(perfetto, &packet, to);
	perfetto->counters_seen |= 1u << which;
}

static void sample(struct perfetto *perfetto, const struct wan_process_event *event)
{
	struct wan_sample sample;
	struct packet packet;
	wan_sample_from_event(event, &sample);
	uint64_t at_ns = wan_elapsed(perfetto->base_ns, sample.realtime_ns);
	const double values[] = {sample.rss_mb,      sample.cgroup_need_mb, sample.gpu_used_mb,
				 sample.cpu_percent, sample.system_percent, sample.gpu_percent};
	for (unsigned i = 0; i < WAN_COUNT_OF(values); i++) {
		if (!(values[i] >= 0))
			continue;
		if (!(perfetto->counters_seen & 1u << i))
			counter_track(perfetto, i);
		char *to = event_begin(perfetto, &packet, at_ns, COUNTER, uuid_of(UUID_COUNTER, i));
		to = wan_proto_double(to, EVENT_DOUBLE, values[i]);
		track_end(perfetto, &packet, to);
	}
}

static void mark(struct perfetto *perfetto, const struct wan_process *process,
		 const struct wan_process_event *event)
{
	char hidden[WAN_REDACTED_BYTES];
	struct packet packet;
	char *to =
		event_begin(perfetto, &packet, wan_elapsed(perfetto->base_ns, event->realtime_ns),
			    INSTANT, uuid_of(UUID_MARKS, process->header.pid));
	to = wan_proto_text(to, EVENT_CATEGORY,
			    event->kind == WAN_RECORD_ALERT ? "alert" : "action");
	to = put_text(to, EVENT_NAME, wan_export_name(perfetto->export, hidden, event->name));
	to = note_text(to, KEY_MESSAGE, wan_export_text(perfetto->export, hidden, event->text));
	to = note_uint(to, KEY_CODE, event->code);
	track_end(perfetto, &packet, to);
}

static void phase(struct perfetto *perfetto, const struct wan_process *process,
		  const struct wan_process_event *event)
{
	char hidden[WAN_REDACTED_BYTES], own[WAN_REDACTED_BYTES];
	struct packet packet;
	uint64_t end_ns = wan_elapsed(perfetto->base_ns, event->realtime_ns);
	uint64_t start_ns = wan_elapsed(event->values[1], end_ns);
	perfetto->phase_name = wan_export_name(perfetto->export, hidden, event->name);
	struct wan_track *track =
		wan_tracks_place(&perfetto->phases, process->header.pid,
				 (uint32_t)(uintptr_t)event->name, start_ns, end_ns, 0);
	if (!track) {
		wan_sink_fail(perfetto->sink, -ENOMEM);
		return;
	}
	char *to = event_begin(perfetto, &packet, start_ns, SLICE_BEGIN,
			       uuid_of(UUID_PHASES, track->number));
	to = wan_proto_text(to, EVENT_CATEGORY, "phase");
	to = wan_proto_text(to, EVENT_NAME, wan_export_phase(perfetto->export, own, event));
	to = note_uint(to, KEY_STEPS, event->values[2]);
	track_end(perfetto, &packet, to);
}

static void take_event(void *context, const struct wan_process *process,
		       const struct wan_process_event *event)
{
	if (event->kind == WAN_RECORD_SAMPLE)
		sample(context, event);
	else if (event->kind == WAN_RECORD_PHASE)
		phase(context, process, event);
	else
		mark(context, process, event);
}

void wan_export_perfetto(const struct wan_export *export)
{
	struct perfetto *perfetto = wan_calloc(1, sizeof(*perfetto));
	if (!perfetto) {
		wan_sink_fail(export->sink, -ENOMEM);
		return;
	}
	perfetto->export = export;
	perfetto->sink = export->sink;
	perfetto->base_ns = WAN_MIN(export->analysis->start_ns, (uint64_t)INT64_MAX);
	perfetto->tracks.begun = track_begun;
	perfetto->tracks.ended = operation_ended;
	perfetto->phases.begun = phase_track_begun;
	perfetto->phases.ended = phase_ended;
	perfetto->tracks.context = perfetto->phases.context = perfetto;
	first_packet(perfetto);
	processes(perfetto);
	struct wan_walk walk = {0};
	for (const struct wan_view_operation *next;
	     !perfetto->sink->error && (next = wan_walk_next(export, &walk));)
		operation(perfetto, next);
	wan_tracks_finish(&perfetto->tracks);
	wan_walk_events(export, take_event, perfetto);
	wan_tracks_finish(&perfetto->phases);
	wan_free(perfetto);
}
