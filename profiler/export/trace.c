/* SPDX-License-Identifier: MIT */
/*
 * Chrome trace events (the JSON object format): what Perfetto, chrome://tracing and speedscope
 * read. Operations are complete events ("X") on tracks that nest, see tracks.h; times are
 * microseconds since the beginning of the run with three decimals. An operation costs one look for
 * room, and then stores: texts come ready-made from labels, numbers eight digits at a time.
 */
#include <errno.h>

#include "alloc.h"
#include "labels.h"
#include "str.h"
#include "tracks.h"
#include "walk.h"

/* Thread ids of the kernel are below 2^22; what is drawn on tracks of our own lies above. */
#define KERNEL_TID_MAX 4194304u
#define LANE_TID       10000000u
#define PHASE_TID      20000000u

/* Room for one operation: its numbers and keys, and two texts of at most 1023 bytes, each of which
 * may take six when escaped. So nothing is flushed inside an operation. */
#define OPERATION_ROOM (16 * WAN_NUMBER_ROOM + 512 + 2 * 8192)

struct trace {
	const struct wan_export *export;
	struct wan_sink *sink;
	struct wan_tracks tracks, phases;
	const char *phase_name; /* tracker of the phase being placed */
	bool any;               /* an event was written */
	struct wan_labels labels, images;
};

static void separate(struct trace *trace)
{
	wan_sink_text(trace->sink, trace->any ? ",\n" : "\n");
	trace->any = true;
}

static uint32_t shown_tid(const struct wan_track *track)
{
	return track->lane || track->thread > KERNEL_TID_MAX ? LANE_TID + track->number
							     : track->thread;
}

/* A name of a process or thread; key is "process_name" or "thread_name". */
static void name(struct trace *trace, const char *key, uint32_t pid, uint32_t tid, const char *text)
{
	separate(trace);
	wan_sink_format(trace->sink,
			"{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%u,\"tid\":%u,\"args\":{\"name\":",
			key, pid, tid);
	wan_sink_json_string(trace->sink, text);
	wan_sink_text(trace->sink, "}}");
}

/* Tracks of a thread stand under each other, in the order of the threads' ids. */
static void sort_index(struct trace *trace, uint32_t pid, uint32_t tid, uint32_t index)
{
	separate(trace);
	wan_sink_format(trace->sink,
			"{\"ph\":\"M\",\"name\":\"thread_sort_index\",\"pid\":%u,\"tid\":%u,"
			"\"args\":{\"sort_index\":%u}}",
			pid, tid, index);
}

static void remember_place(struct wan_track *track, uint32_t tid)
{
	track->text_bytes =
		(uint32_t)wan_str_format(track->text, sizeof(track->text),
					 ",\"pid\":%u,\"tid\":%u,\"ts\":", track->process, tid);
}

static void track_begun(void *context, struct wan_track *track)
{
	struct trace *trace = context;
	uint32_t tid = shown_tid(track);
	char text[64];
	wan_str_format(text, sizeof(text), track->thread == track->process ? "main" : "thread %u",
		       track->thread);
	if (track->lane)
		wan_str_format(text + strlen(text), sizeof(text) - strlen(text), " overlapping %u",
			       track->lane);
	name(trace, "thread_name", track->process, tid, text);
	if (track->lane)
		sort_index(trace, track->process, tid, track->thread);
	remember_place(track, tid);
}

static void phase_track_begun(void *context, struct wan_track *track)
{
	struct trace *trace = context;
	char text[256];
	wan_str_format(text, sizeof(text), "progress %s", trace->phase_name);
	name(trace, "thread_name", track->process, PHASE_TID + track->number, text);
	remember_place(track, PHASE_TID + track->number);
}

/* ,\n{"ph":"X","name":...,"cat":... */
static void put_name(struct trace *trace, const struct wan_recording_operation *record)
{
	struct wan_sink *sink = trace->sink;
	const char *shown = wan_operation_name(record);
	char hidden[WAN_REDACTED_BYTES];
	wan_sink_text(sink, ",\n{\"ph\":\"X\",\"name\":");
	wan_sink_json_string(sink, wan_export_name(trace->export, hidden, shown));
	wan_sink_text(sink, ",\"cat\":");
	wan_sink_json_string(sink, wan_operation_library(record));
}

static void put_file(struct trace *trace, const struct wan_recording_operation *record)
{
	char hidden[WAN_REDACTED_BYTES];
	wan_sink_text(trace->sink, ",\"file\":");
	wan_sink_json_string(trace->sink, wan_export_file(trace->export, hidden, record->file));
}

/* A piece of text from its label, or made by put() and kept. */
static inline char *piece(struct trace *trace, char *to, const void *first, const void *second,
			  const struct wan_recording_operation *record,
			  void (*put)(struct trace *, const struct wan_recording_operation *))
{
	struct wan_label *label = wan_label_at(&trace->labels, first, second);
	if (wan_likely(wan_label_ready(label, first, second)))
		return wan_put_label(to, label);
	trace->sink->at = to;
	put(trace, record);
	wan_label_keep(label, first, second, to, (size_t)(trace->sink->at - to));
	return trace->sink->at;
}

/* ,"args":{"status":"ok","width":4000,"height":3000 */
static char *make_image(char *to, const struct wan_recording_operation *record, unsigned status)
{
	to += wan_str_format(to, 64, ",\"args\":{\"status\":\"%s\"", wan_op_status_name(status));
	if (record->width_px | record->height_px) {
		to = wan_put_u64(WAN_PUT(to, ",\"width\":"), record->width_px);
		to = wan_put_u64(WAN_PUT(to, ",\"height\":"), record->height_px);
	}
	return to;
}

static inline char *put_image(struct trace *trace, char *to,
			      const struct wan_recording_operation *record, unsigned status)
{
	/* not addresses, but as good as such: sizes and outcomes repeat */
	const void *size =
		(const void *)(uintptr_t)((uint64_t)record->width_px << 32 | record->height_px);
	const void *outcome = (const void *)(uintptr_t)(status + 1);
	struct wan_label *label = wan_label_at(&trace->images, size, outcome);
	if (wan_likely(wan_label_ready(label, size, outcome)))
		return wan_put_label(to, label);
	char *end = make_image(to, record, status);
	wan_label_keep(label, size, outcome, to, (size_t)(end - to));
	return end;
}

static inline char *put_figures(char *to, const struct wan_recording_operation *record)
{
	if (record->inside_ns != record->span_ns)
		to = wan_put_milli(WAN_PUT(to, ",\"inside_us\":"), record->inside_ns);
	if (record->cpu_ns != UINT64_MAX)
		to = wan_put_u64(WAN_PUT(to, ",\"cpu_us\":"), record->cpu_ns / 1000);
	if (record->memory_bytes != INT64_MIN)
		to = wan_put_i64(WAN_PUT(to, ",\"memory_bytes\":"), record->memory_bytes);
	if (record->peak_bytes != UINT64_MAX)
		to = wan_put_u64(WAN_PUT(to, ",\"peak_bytes\":"), record->peak_bytes);
	if (record->file_bytes != UINT64_MAX)
		to = wan_put_u64(WAN_PUT(to, ",\"file_bytes\":"), record->file_bytes);
	return to;
}

static void operation(struct trace *trace, const struct wan_view_operation *operation)
{
	const struct wan_recording_operation *record = operation->record;
	uint64_t start_ns = wan_walk_start(trace->export, record);
	struct wan_track *track = wan_tracks_place(&trace->tracks, record->process, record->thread,
						   start_ns, wan_walk_end(start_ns, record), 0);
	if (wan_unlikely(!track)) {
		wan_sink_fail(trace->sink, -ENOMEM);
		return;
	}
	char *to = wan_sink_room(trace->sink, OPERATION_ROOM);
	to = piece(trace, to, record->name, record->library, record, put_name);
	memcpy(to, track->text, sizeof(track->text));
	to = wan_put_milli(to + track->text_bytes, start_ns);
	to = wan_put_milli(WAN_PUT(to, ",\"dur\":"), record->span_ns);
	to = put_image(trace, to, record, operation->status);
	to = put_figures(to, record);
	if (wan_unlikely(operation->unfinished))
		to = wan_walk_open(operation) ? WAN_PUT(to, ",\"in_flight\":true")
					      : WAN_PUT(to, ",\"unfinished\":true");
	if (record->file)
		to = piece(trace, to, record->file, NULL, record, put_file);
	trace->sink->at = WAN_PUT(to, "}}");
}

/* Counters have one series a track: those of memory and of percentages would share a scale. */
static void counter(struct trace *trace, uint32_t pid, uint64_t at_ns, const char *what,
		    double value)
{
	if (value < 0)
		return;
	separate(trace);
	wan_sink_format(trace->sink, "{\"ph\":\"C\",\"name\":\"%s\",\"pid\":%u,\"ts\":", what, pid);
	char *to = wan_put_milli(wan_sink_room(trace->sink, 4 * WAN_NUMBER_ROOM), at_ns);
	to = wan_put_milli(WAN_PUT(to, ",\"args\":{\"value\":"),
			   (uint64_t)(WAN_MIN(value, 1e15) * 1000 + 0.5));
	trace->sink->at = WAN_PUT(to, "}}");
}

static void sample(struct trace *trace, const struct wan_process_event *event)
{
	const struct wan_process *main = trace->export->analysis->view.main;
	struct wan_sample sample;
	wan_sample_from_event(event, &sample);
	uint64_t at_ns = wan_elapsed(trace->export->analysis->start_ns, sample.realtime_ns);
	uint32_t pid = main->header.pid;
	counter(trace, pid, at_ns, "resident memory (MB)", sample.rss_mb);
	counter(trace, pid, at_ns, "cgroup need (MB)", sample.cgroup_need_mb);
	counter(trace, pid, at_ns, "GPU memory (MB)", sample.gpu_used_mb);
	counter(trace, pid, at_ns, "CPU (% of one core)", sample.cpu_percent);
	counter(trace, pid, at_ns, "system memory used (%)", sample.system_percent);
	counter(trace, pid, at_ns, "GPU use (%)", sample.gpu_percent);
}

static void text_argument(struct trace *trace, const char *key, const char *text)
{
	wan_sink_format(trace->sink, "\"%s\":", key);
	wan_sink_json_string(trace->sink, text);
}

/* Alerts and what the memory manager did, as moments of their process. */
static void mark(struct trace *trace, const struct wan_process *process,
		 const struct wan_process_event *event)
{
	char hidden[WAN_REDACTED_BYTES], message[WAN_REDACTED_BYTES];
	separate(trace);
	wan_sink_text(trace->sink, "{\"ph\":\"i\",\"s\":\"p\",");
	text_argument(trace, "name", wan_export_name(trace->export, hidden, event->name));
	wan_sink_format(trace->sink, ",\"cat\":\"%s\",\"pid\":%u,\"tid\":%u,\"ts\":",
			event->kind == WAN_RECORD_ALERT ? "alert" : "action", process->header.pid,
			event->thread <= KERNEL_TID_MAX ? event->thread : 0);
	char *to =
		wan_put_milli(wan_sink_room(trace->sink, 8 * WAN_NUMBER_ROOM),
			      wan_elapsed(trace->export->analysis->start_ns, event->realtime_ns));
	trace->sink->at = WAN_PUT(to, ",\"args\":{");
	text_argument(trace, "message", wan_export_text(trace->export, message, event->text));
	to = wan_put_u64(WAN_PUT(wan_sink_room(trace->sink, 8 * WAN_NUMBER_ROOM), ",\"code\":"),
			 event->code);
	trace->sink->at = WAN_PUT(to, "}}");
}

static void phase(struct trace *trace, const struct wan_process *process,
		  const struct wan_process_event *event)
{
	char hidden[WAN_REDACTED_BYTES], own[WAN_REDACTED_BYTES];
	uint64_t end_ns = wan_elapsed(trace->export->analysis->start_ns, event->realtime_ns);
	uint64_t start_ns = wan_elapsed(event->values[1], end_ns);
	trace->phase_name = wan_export_name(trace->export, hidden, event->name);
	struct wan_track *track =
		wan_tracks_place(&trace->phases, process->header.pid,
				 (uint32_t)(uintptr_t)event->name, start_ns, end_ns, 0);
	if (!track) {
		wan_sink_fail(trace->sink, -ENOMEM);
		return;
	}
	separate(trace);
	wan_sink_text(trace->sink, "{\"ph\":\"X\",");
	text_argument(trace, "name", wan_export_phase(trace->export, own, event));
	wan_sink_text(trace->sink, ",\"cat\":\"phase\"");
	char *to = wan_sink_room(trace->sink, sizeof(track->text) + 8 * WAN_NUMBER_ROOM);
	memcpy(to, track->text, sizeof(track->text));
	to = wan_put_milli(to + track->text_bytes, start_ns);
	to = wan_put_milli(WAN_PUT(to, ",\"dur\":"), end_ns - start_ns);
	to = wan_put_u64(WAN_PUT(to, ",\"args\":{\"steps\":"), event->values[2]);
	trace->sink->at = WAN_PUT(to, "}}");
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

static void processes(struct trace *trace)
{
	const struct wan_view *view = &trace->export->analysis->view;
	char text[WAN_PROCESS_NAME_BYTES];
	for (size_t i = 0; i < view->source_count; i++)
		if (!wan_walk_pid_before(view, i))
			name(trace, "process_name", view->sources[i].process->header.pid, 0,
			     wan_export_process_name(trace->export, text,
						     view->sources[i].process));
}

void wan_export_trace(const struct wan_export *export)
{
	struct wan_sink *sink = export->sink;
	char stamp[WAN_TIMESTAMP_BYTES];
	struct trace *trace = wan_calloc(1, sizeof(*trace));
	if (!trace) {
		wan_sink_fail(sink, -ENOMEM);
		return;
	}
	trace->export = export;
	trace->sink = sink;
	trace->tracks.begun = track_begun;
	trace->phases.begun = phase_track_begun;
	trace->tracks.context = trace->phases.context = trace;
	wan_sink_text(sink, "{\"displayTimeUnit\":\"ms\",\"otherData\":{\"producer\":\"wanprof\","
			    "\"started\":");
	wan_sink_json_string(sink, wan_export_timestamp_text(stamp, export->analysis->start_ns));
	wan_sink_text(sink, "},\"traceEvents\":[");
	processes(trace);
	struct wan_walk walk = {0};
	for (const struct wan_view_operation *next;
	     !sink->error && (next = wan_walk_next(export, &walk));)
		operation(trace, next);
	wan_walk_events(export, take_event, trace);
	wan_sink_text(sink, "\n]}\n");
	wan_tracks_finish(&trace->tracks);
	wan_tracks_finish(&trace->phases);
	wan_free(trace);
}
