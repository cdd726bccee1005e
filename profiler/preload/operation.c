/* SPDX-License-Identifier: MIT */
#include "operation.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "fork.h"
#include "heap_mark.h"
#include "identity_mark.h"
#include "peak.h"
#include "price.h"
#include "str.h"
#include "sys.h"
#include "thread.h"
#include "touch.h"
#include "wan/profile.h"

static const uint8_t library_of[WAN_FAMILY_COUNT] = {
#define WAN_FAMILY(id, name, library, ...) [WAN_FAMILY_##id] = WAN_LIBRARY_##library,
#include "families.def"
#undef WAN_FAMILY
};

static void show(struct wan_object *object)
{
	struct wan_record_inflight *entry = object->inflight;
	if (!entry)
		return;
	entry->file_bytes = object->file_bytes;
	entry->object = (uintptr_t)object;
	entry->width_px = object->width_px;
	entry->height_px = object->height_px;
	entry->thread = object->thread;
	entry->name = object->name;
	entry->file = object->file;
	entry->library = object->library;
	entry->channels = object->channels;
	entry->bit_depth = object->bit_depth;
	wan_store_release(&entry->start_ticks, object->start_ticks); /* from now on it counts */
}

static void hide(struct wan_object *object)
{
	if (object->inflight)
		wan_lane_leave(object->lane, object->inflight);
	object->inflight = NULL;
}

__thread const struct wan_object *wan_operation_source __attribute__((tls_model("initial-exec")));

static void note_source(struct wan_object *object, enum wan_operation_name name)
{
	const struct wan_object *source = wan_operation_source;
	bool reads = name != WAN_NAME_JPEG_ENCODE && name != WAN_NAME_PNG_ENCODE;
	if (object->fd >= 0) {
		wan_operation_file(object, object->fd, reads);
	} else if (source && source->fd >= 0) {
		wan_operation_file(object, source->fd, reads);
	} else if (source && reads && object->file_bytes == UINT64_MAX) {
		object->file_bytes = source->file_bytes;
		object->identity = source->identity;
	}
}

void wan_operation_prepare(struct wan_object *object, enum wan_operation_name name)
{
	int saved = errno;
	struct wan_recorder *recorder = wan_preload_recorder();
	uint64_t entered_ticks = wan_ticks(); /* the making of the recorder is counted by itself */
	struct wan_lane *lane = recorder ? wan_lane_get(recorder) : NULL;
	if (lane) {
		object->phase = WAN_PHASE_HEADER;
		object->complete = object->failed = object->many_threads = false;
		object->asked = false;
		object->cpu_known = false;
		object->row_wait = 0;
		object->row_block = object->row_calls = object->row_gap = 0;
		object->row_begun = false;
		object->row_ticks = object->call_ticks = object->entered_ticks = 0;
		object->width_px = object->height_px = 0;
		object->channels = object->bit_depth = 0;
		object->flags = 0;
		object->output_width_px = object->output_height_px = 0;
		object->warnings = 0;
		object->peer = NULL;
		object->serial++;
		object->library = library_of[object->codec->family];
		object->lane = lane;
		object->thread = lane->thread;
		object->foreign = lane->foreign_open > 0;
		object->name = wan_preload_name_id(recorder, name);
		note_source(object, name);
		wan_peak_begin(object);
		object->inflight = wan_lane_enter(lane);
		object->start_ticks = wan_ticks();
		show(object);
		wan_price_spent(object->start_ticks - entered_ticks);
	}
	errno = saved;
}

void wan_operation_rest(struct wan_object *object)
{
	if (object->phase == WAN_PHASE_HEADER)
		hide(object);
}

void wan_operation_run(struct wan_object *object, enum wan_operation_name name)
{
	if (object->phase == WAN_PHASE_RUNNING)
		return;
	if (object->phase == WAN_PHASE_IDLE)
		wan_operation_prepare(object, name);
	if (object->phase != WAN_PHASE_HEADER)
		return;
	int saved = errno;
	object->phase = WAN_PHASE_RUNNING;
	object->name = wan_preload_name_id(wan_preload_recorder(), name);
	/* One timed row costs 20 ns; wider rows can bear more of them. */
	object->row_rate = object->width_px < 256 ? 0 : object->width_px < 1024 ? 1 : 2;
	if (!wan_object_is_ours(object)) {
		wan_touch_enter(object);
	} else {
		if (!object->inflight)
			object->inflight = wan_lane_enter(object->lane);
		if ((uint64_t)object->width_px * object->height_px >= WAN_CPU_CLOCK_PX) {
			uint64_t start_ticks = wan_ticks();
			object->cpu_ns = wan_thread_cpu_ns();
			object->cpu_known = object->cpu_ns != 0;
			wan_price_spent(wan_ticks() - start_ticks);
		}
	}
	show(object);
	errno = saved;
}

void wan_operation_size(struct wan_object *object, uint32_t width_px, uint32_t height_px,
			unsigned channels, unsigned bit_depth)
{
	object->width_px = width_px;
	object->height_px = height_px;
	object->channels = (uint8_t)channels;
	object->bit_depth = (uint8_t)bit_depth;
	show(object);
}

void wan_operation_rows(struct wan_object *object, uint32_t rows_done)
{
	if (object->inflight)
		wan_store_relaxed(&object->inflight->rows_done, rows_done);
}

void wan_operation_file(struct wan_object *object, int fd, bool size_is_final)
{
	char link[32], path[1024];
	struct stat status;
	object->file = 0;
	object->file_bytes = UINT64_MAX;
	object->identity = 0;
	if (wan_sys->fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
		return;
	if (size_is_final) {
		object->file_bytes = (uint64_t)status.st_size;
		object->identity = wan_identity_of_file(&status, lseek(fd, 0, SEEK_CUR));
	}
	wan_str_format(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t bytes = readlink(link, path, sizeof(path) - 1);
	if (bytes <= 0 || path[0] != '/')
		return;
	path[bytes] = '\0';
	object->file = wan_recorder_string(wan_preload_recorder(), path);
}

/* Time inside the library: what was timed, and the untimed rows at the price of the timed ones. */
static uint64_t inside_ticks(const struct wan_object *object, uint64_t now)
{
	uint64_t inside = object->call_ticks;
	if (object->entered_ticks) /* it never came back: up to now, the error handler included */
		inside += now - object->entered_ticks;
	if (object->row_block) {
		int32_t rest = (int32_t)object->row_gap - object->row_wait;
		double calls = (double)object->row_calls + (rest > 0 ? rest : 0);
		inside += (uint64_t)((double)object->row_ticks * calls / object->row_block);
	}
	return inside;
}

static enum wan_op_status status_of(const struct wan_object *object, enum wan_end end)
{
	if (object->failed || object->frame)
		return WAN_OP_FAILED;
	if (end == WAN_END_DONE || object->complete)
		return object->warnings ? WAN_OP_WARNED : WAN_OP_OK;
	return WAN_OP_ABORTED;
}

static uint32_t saturated(uint64_t value)
{
	return value >= UINT32_MAX - 1 ? UINT32_MAX - 1 : (uint32_t)value;
}

static void fill_cost(struct wan_object *object, uint64_t span, struct wan_record_operation *record)
{
	uint64_t inside = inside_ticks(object, object->start_ticks + span);
	record->inside = inside >= span ? UINT16_MAX
					: (uint16_t)((double)inside * UINT16_MAX / (double)span);
	record->cpu_us = WAN_CPU_UNKNOWN;
	record->memory_kib = WAN_MEMORY_UNKNOWN;
	record->peak_kib = WAN_BYTES_UNKNOWN;
	if (object->threaded)
		return;
	bool alone = !object->many_threads && wan_object_is_ours(object);
	uint64_t cpu_ns = 0;
	int64_t net, peak;
	if (alone && object->cpu_known)
		cpu_ns = wan_thread_cpu_ns() - object->cpu_ns;
	if (alone ? object->cpu_known : wan_touch_cpu(object, &cpu_ns))
		record->cpu_us = saturated(cpu_ns / 1000);
	if (alone ? wan_peak_end(object, &net, &peak) : wan_touch_memory(object, &net, &peak)) {
		record->flags |= object->many_threads ? WAN_FLAG_PEAK_UPPER_BOUND : 0;
		record->memory_kib = (int32_t)WAN_CLAMP(net / 1024, INT32_MIN + 1, INT32_MAX);
		if (peak >= 0)
			record->peak_kib = saturated((uint64_t)peak / 1024);
	}
}

static void append(struct wan_object *object, enum wan_op_status status)
{
	uint64_t span = wan_ticks() - object->start_ticks;
	struct wan_lane *lane = wan_lane_get(wan_preload_recorder());
	struct wan_record_operation record = {
		.start_ticks = object->start_ticks,
		.span_ticks = span,
		.width_px = object->width_px,
		.height_px = object->height_px,
		.thread = object->thread,
		.file_bytes = object->file_bytes == UINT64_MAX ? WAN_BYTES_UNKNOWN
							       : saturated(object->file_bytes),
		.name = object->name,
		.file = object->file,
		.channels = object->channels,
		.bit_depth = object->bit_depth,
		.library = object->library,
		.kind_status = (uint8_t)(WAN_RECORD_OPERATION << 4 | status),
		.flags = (uint16_t)(object->flags | (object->foreign ? WAN_FLAG_CHILD : 0)),
	};
	fill_cost(object, span, &record);
	if (lane && (object->identity || object->output_width_px))
		wan_lane_detail(lane, object->start_ticks, object->thread, object->identity,
				object->output_width_px, object->output_height_px);
	if (lane)
		wan_lane_append(lane, &record);
	if (lane && wan_unlikely(wan_heap_marks_on) && !object->foreign)
		wan_heap_mark(lane->recorder, WAN_HEAP_MARK_OPERATION, object->name, 0);
	wan_preload_count(object->codec->family, WAN_COVER_OPERATIONS);
	wan_price_rows(object);
	wan_price_spent(wan_ticks() - object->start_ticks - span);
}

/*
 * Only looked at: the header, or a decoder that was started (which oiiotool does for the size) and
 * never asked for a row. Starting costs as much as a decode where all the input comes first.
 */
static bool is_probe(const struct wan_object *object, enum wan_op_status status)
{
	if (object->phase == WAN_PHASE_HEADER)
		return status != WAN_OP_FAILED;
	return object->kind == WAN_OBJECT_JPEG_READER && status == WAN_OP_ABORTED &&
	       !object->asked && !(object->flags & WAN_FLAG_PROGRESSIVE);
}

void wan_operation_close(struct wan_object *object, enum wan_end end)
{
	if (object->phase == WAN_PHASE_IDLE) {
		object->frame = 0;
		return;
	}
	int saved = errno;
	enum wan_op_status status = status_of(object, end);
	bool probe = is_probe(object, status);
	if (!probe && end != WAN_END_DROPPED)
		append(object, status);
	object->identity = 0; /* of this input; the next one is looked at anew */
	hide(object);
	wan_touch_forget(object);
	wan_peak_forget(object);
	object->phase = WAN_PHASE_IDLE;
	object->lane = NULL;
	object->frame = 0;
	errno = saved;
}

void wan_operation_after_fork(void)
{
	wan_object_forget_all();
}
