/* SPDX-License-Identifier: MIT */
#include "cuda_call.h"

#include <string.h>

#include "cuda_vram.h"

#include "bars.h"
#include "preload.h"
#include "recorder.h"
#include "str.h"
#include "wan/profile.h"

enum {
	LONG_NS = 1000000, /* a call of a millisecond is worth a record ... */
	RECORDS = 1024,    /* ... until there are so many: then twice as long, and so on */
	FAILURES = 256,    /* failed calls of a thread with a record each */
	DEVICES = 16,
};

static const struct {
	const char *name;
	bool bytes_known, blocks;
} operations[WAN_CUDA_OPS] = {
#define WAN_CUDA_OP(id, name, bytes, blocks) [WAN_CUDA_##id] = {name, bytes, blocks},
	WAN_CUDA_OPERATIONS
#undef WAN_CUDA_OP
};

struct wan_cuda_site wan_cuda_sites[2][WAN_CUDA_SITES];
static const struct wan_codec unresolved;
static struct wan_cuda_thread threads[WAN_RECORD_LANES];
static uint32_t thread_top;
static uint16_t name_ids[WAN_CUDA_OPS];
static uint64_t *device_words[DEVICES + 1]; /* the last: device not known */

/*
 * A module binds a name once, so all calls from one page mean one library; those that come through
 * a thunk say which one they mean. Pages of a module that was unloaded keep their place, and their
 * codec stays mapped: were another module mapped there that uses another copy of the runtime, it
 * would have to be told apart by its thunks.
 */
const struct wan_codec *wan_cuda_codec_far(enum wan_family family, enum wan_symbol symbol,
					   const void *return_address)
{
	uintptr_t page = ((uintptr_t)return_address >> 12) + 1, none = 0;
	size_t at = (uint64_t)page * 0x9e3779b97f4a7c15u >> WAN_CUDA_SITE_SHIFT;
	struct wan_cuda_site *site = &wan_cuda_sites[family == WAN_FAMILY_CUDA_DRIVER][at];
	bool told = wan_audited != 0;
	const struct wan_codec *codec = wan_codec_for(family, symbol, return_address);
	if (!codec)
		return &unresolved;
	if (!told && wan_cas_acq_rel(&site->page, &none, 1)) {
		site->codec = codec;
		wan_store_release(&site->page, page); /* no page is 1: nothing is mapped at 0 */
	}
	return codec;
}

static uint16_t name_of(struct wan_recorder *recorder, enum wan_cuda_op op)
{
	uint16_t id = wan_load_relaxed(&name_ids[op]);
	if (!id) {
		id = wan_recorder_string(recorder, operations[op].name);
		wan_store_relaxed(&name_ids[op], id);
	}
	return id;
}

static void make_ready(struct wan_cuda_thread *thread, struct wan_lane *lane, unsigned index)
{
	if (thread->lane != lane) {
		*thread = (struct wan_cuda_thread){.lane = lane};
		wan_cuda_queue_init(&thread->queue);
		wan_cuda_queue_register(&thread->queue, index);
		wan_max_relaxed(&thread_top, index + 1);
	}
	thread->thread = lane->thread;
	thread->ns_per_tick_32 = lane->recorder->ns_per_tick_32;
	if (!thread->long_ticks)
		thread->long_ticks =
			(uint64_t)(((__uint128_t)LONG_NS << 32) / thread->ns_per_tick_32);
	thread->frame = 0;
	thread->device = 0;
	wan_cuda_queue_device(&thread->queue, 0);
	lane->calls = thread;
}

struct wan_cuda_thread *wan_cuda_enter_far(uintptr_t frame)
{
	struct wan_recorder *recorder = wan_preload_recorder();
	struct wan_lane *lane = recorder ? wan_lane_get(recorder) : NULL;
	if (!lane)
		return NULL;
	struct wan_cuda_thread *thread = lane->calls;
	if (!thread || thread->thread != lane->thread) {
		unsigned index = lane->shared->index % WAN_RECORD_LANES;
		make_ready(&threads[index], lane, index);
		thread = lane->calls;
	}
	/* A frame deeper in the stack belongs to the library's own work for an outer call. One that
	 * is not was left behind by a thread that was cancelled or an exception. */
	if (thread->frame && frame < thread->frame)
		return NULL;
	thread->frame = frame;
	return thread;
}

uint64_t *wan_cuda_words(int device)
{
	unsigned index = device >= 0 && device < DEVICES ? (unsigned)device : DEVICES;
	uint64_t *words = wan_load_acquire(&device_words[index]);
	if (wan_likely(words))
		return words;
	struct wan_recorder *recorder = wan_preload_recorder();
	char name[32];
	if (index == DEVICES)
		wan_str_copy(name, sizeof(name), "device unknown");
	else
		wan_str_format(name, sizeof(name), "device %u", index);
	words = recorder ? wan_recorder_counters(recorder, WAN_COUNTERS_CUDA, name) : NULL;
	uint64_t *none = NULL;
	if (words && !wan_cas_acq_rel(&device_words[index], &none, words)) {
		wan_recorder_counters_release(recorder, words);
		return none;
	}
	return words;
}

static void note_error(struct wan_cuda_thread *thread, int error)
{
	uint64_t *words = wan_cuda_words(thread->device);
	if (!words)
		return;
	wan_add_relaxed(&words[WAN_CUDA_WORD_FAILED_CALLS], 1);
	wan_store_relaxed(&words[WAN_CUDA_WORD_LAST_ERROR], (uint64_t)error);
	if (error == WAN_CUDA_OUT_OF_MEMORY)
		wan_add_relaxed(&words[WAN_CUDA_WORD_OUT_OF_MEMORY], 1);
	bool lost = (error >= WAN_CUDA_STICKY_FIRST && error <= WAN_CUDA_STICKY_LAST) ||
		    error == WAN_CUDA_ECC || error == WAN_CUDA_HARDWARE_LOST;
	uint64_t none = 0;
	if (lost)
		wan_cas_acq_rel(&words[WAN_CUDA_WORD_LOST], &none, (uint64_t)error);
}

/* A record of its own, if the thread may still have one. */
static bool wants_record(struct wan_cuda_thread *thread, uint64_t ticks, uint64_t bytes,
			 bool failed)
{
	if (failed)
		return thread->failures++ < FAILURES;
	if (ticks < thread->long_ticks && bytes < WAN_CUDA_LARGE_BYTES)
		return false;
	if (ticks < thread->long_ticks && thread->records >= RECORDS)
		return false; /* large ones that were quick */
	if (++thread->records % RECORDS == 0)
		thread->long_ticks *= 2;
	return true;
}

static void append(struct wan_cuda_thread *thread, enum wan_cuda_op op, uint64_t start_ticks,
		   uint64_t ticks, uint64_t bytes, bool failed)
{
	uint64_t most = WAN_BYTES_UNKNOWN - 1;
	struct wan_record_operation record = {
		.start_ticks = start_ticks,
		.span_ticks = ticks,
		.inside = UINT16_MAX,
		.cpu_us = WAN_CPU_UNKNOWN,
		.thread = thread->thread,
		.file_bytes = operations[op].bytes_known ? (uint32_t)WAN_MIN(bytes, most)
							 : WAN_BYTES_UNKNOWN,
		.memory_kib = WAN_MEMORY_UNKNOWN,
		.peak_kib = WAN_BYTES_UNKNOWN,
		.name = name_of(thread->lane->recorder, op),
		.library = WAN_LIBRARY_CUDA,
		.kind_status =
			(uint8_t)(WAN_RECORD_OPERATION << 4 | (failed ? WAN_OP_FAILED : WAN_OP_OK)),
		.flags = WAN_FLAG_CHILD,
	};
	wan_lane_append(thread->lane, &record);
	wan_recorder_anchor(thread->lane->recorder);
}

__attribute__((noinline)) void wan_cuda_leave_far(struct wan_cuda_thread *thread,
						  enum wan_cuda_op op, uint64_t start_ticks,
						  uint64_t ticks, uint64_t bytes, int error)
{
	bool failed = error && error != WAN_CUDA_NOT_READY;
	/* After an error nothing more of the record is sure than that it was asked for. */
	if (failed)
		note_error(thread, error);
	/* A record saturates at 4 GiB: larger ones go to the sums. */
	if (bytes < WAN_BYTES_UNKNOWN && wants_record(thread, ticks, bytes, failed)) {
		append(thread, op, start_ticks, ticks, bytes, failed);
		return;
	}
	struct wan_record_aggregate *sum = failed ? NULL : thread->sums[op];
	if (!sum) {
		sum = wan_lane_sum(thread->lane, name_of(thread->lane->recorder, op),
				   WAN_LIBRARY_CUDA, failed ? WAN_OP_FAILED : WAN_OP_OK,
				   WAN_FLAG_CHILD, operations[op].bytes_known);
		if (!sum) {
			wan_lane_drop(thread->lane);
			return;
		}
		if (!failed)
			thread->sums[op] = sum;
	}
	wan_sum_add(sum, ticks, wan_histogram_bucket(ticks * thread->ns_per_tick_32 >> 32), bytes);
}

void wan_cuda_begin(struct wan_cuda_call *call, enum wan_cuda_op op, enum wan_cuda_scope scope,
		    const void *handle, uintptr_t frame)
{
	struct wan_cuda_thread *thread = wan_cuda_enter(frame);
	call->thread = thread;
	call->slot = NULL;
	call->wait.count = 0;
	if (!thread)
		return;
	if (scope != WAN_CUDA_NOTHING)
		wan_cuda_wait_begin(&call->wait, &thread->queue, scope, handle);
	if (operations[op].blocks) {
		call->slot = wan_lane_enter(thread->lane);
		call->slot->name = name_of(thread->lane->recorder, op);
		call->slot->library = WAN_LIBRARY_CUDA;
	}
	call->start_ticks = wan_ticks();
	if (call->slot)
		wan_store_release(&call->slot->start_ticks, call->start_ticks);
}

static void note_wait(struct wan_cuda_call *call, enum wan_cuda_op op)
{
	struct wan_cuda_thread *thread = call->thread;
	uint64_t now = wan_ticks();
	uint64_t *words = wan_cuda_words(thread->device);
	wan_cuda_wait_end(&call->wait);
	wan_bars_device_waited();
	if (!words)
		return;
	wan_cuda_queue_flush(&thread->queue, &words[WAN_CUDA_WORD_ENQUEUED]);
	uint64_t done = wan_cuda_known_done(thread->device);
	uint64_t enqueued = wan_load_relaxed(&words[WAN_CUDA_WORD_ENQUEUED]);
	uint64_t before = wan_load_relaxed(&words[WAN_CUDA_WORD_KNOWN_DONE]);
	if (done > before) {
		wan_max_relaxed(&words[WAN_CUDA_WORD_MOST_BEHIND],
				enqueued > before ? enqueued - before : 0);
		wan_max_relaxed(&words[WAN_CUDA_WORD_KNOWN_DONE], done);
	}
	wan_max_relaxed(&words[WAN_CUDA_WORD_KNOWN_AT], now);
	if (op == WAN_CUDA_QUERY)
		return;
	uint64_t ns = (now - call->start_ticks) * thread->ns_per_tick_32 >> 32;
	wan_add_relaxed(&words[WAN_CUDA_WORD_WAITS], 1);
	wan_add_relaxed(&words[WAN_CUDA_WORD_WAIT_TIME], ns);
	wan_max_relaxed(&words[WAN_CUDA_WORD_LONGEST_WAIT], ns);
}

static bool is_wait(enum wan_cuda_op op)
{
	return op == WAN_CUDA_SYNCHRONIZE || op == WAN_CUDA_SYNCHRONIZE_STREAM ||
	       op == WAN_CUDA_SYNCHRONIZE_EVENT || op == WAN_CUDA_QUERY ||
	       op == WAN_CUDA_MEMCPY_D2H;
}

void wan_cuda_end(struct wan_cuda_call *call, enum wan_cuda_op op, uint64_t bytes, int error)
{
	struct wan_cuda_thread *thread = call->thread;
	if (!thread)
		return;
	if (call->slot)
		wan_lane_leave(thread->lane, call->slot);
	wan_cuda_leave(thread, op, call->start_ticks, bytes, error);
	if (is_wait(op) && !error)
		note_wait(call, op);
}

void wan_cuda_device(struct wan_cuda_call *call, int device)
{
	if (!call->thread)
		return;
	wan_cuda_flush(call->thread);
	call->thread->device = device;
	wan_cuda_queue_device(&call->thread->queue, device);
}

void wan_cuda_flush(struct wan_cuda_thread *thread)
{
	uint64_t *words = wan_cuda_words(thread->device);
	if (words)
		wan_cuda_queue_flush(&thread->queue, &words[WAN_CUDA_WORD_ENQUEUED]);
	wan_recorder_anchor(thread->lane->recorder); /* readers learn that time goes on */
}

void wan_cuda_work(struct wan_cuda_call *call, enum wan_cuda_op op, const void *stream, int error)
{
	bool synchronous = op >= WAN_CUDA_MEMCPY_H2H && op <= WAN_CUDA_MEMCPY_PEER;
	if (!error && !synchronous && call->thread && stream != WAN_CUDA_NO_STREAM &&
	    wan_cuda_queue_add(&call->thread->queue, stream))
		wan_cuda_flush(call->thread);
}

static void vram_changed(struct wan_cuda_block block, uint64_t *words, uint64_t live)
{
	unsigned device = block.device >= 0 && block.device < DEVICES ? (unsigned)block.device
								      : (unsigned)DEVICES;
	if (block.kind == WAN_CUDA_KIND_DEVICE)
		wan_cuda_vram_changed(wan_lane_current, device, live,
				      wan_load_relaxed(&words[WAN_CUDA_WORD_PEAK]));
}

static void add_live(struct wan_cuda_block block, bool again)
{
	uint64_t *words = wan_cuda_words(block.device);
	if (!words)
		return;
	uint64_t *live = &words[WAN_CUDA_WORD_LIVE + 2 * block.kind];
	uint64_t now = wan_add_relaxed(live, block.bytes) + block.bytes;
	wan_max_relaxed(&words[WAN_CUDA_WORD_PEAK + 2 * block.kind], now);
	vram_changed(block, words, now);
	if (again)
		return;
	wan_add_relaxed(&words[WAN_CUDA_WORD_ALLOCATED], block.bytes);
	wan_add_relaxed(&words[WAN_CUDA_WORD_ALLOCATIONS], 1);
}

static void take_live(struct wan_cuda_block block)
{
	uint64_t *words = wan_cuda_words(block.device);
	if (!words)
		return;
	uint64_t *live = &words[WAN_CUDA_WORD_LIVE + 2 * block.kind];
	vram_changed(block, words, wan_sub_relaxed(live, block.bytes) - block.bytes);
}

static void thread_memory(struct wan_cuda_thread *thread, struct wan_cuda_block block, int64_t sign)
{
	if (block.kind == WAN_CUDA_KIND_PINNED)
		return;
	thread->memory_bytes += sign * (int64_t)block.bytes;
	thread->memory_peak = WAN_MAX(thread->memory_peak, thread->memory_bytes);
}

void wan_cuda_allocated(struct wan_cuda_call *call, enum wan_cuda_kind kind, uintptr_t address,
			uint64_t bytes)
{
	if (!call->thread || !address)
		return;
	struct wan_cuda_block block = {
		.bytes = bytes, .device = call->thread->device, .kind = (uint8_t)kind};
	if (wan_cuda_memory_insert(address, block)) {
		add_live(block, false);
		thread_memory(call->thread, block, 1);
		return;
	}
	uint64_t *words = wan_cuda_words(block.device);
	if (!words)
		return;
	wan_add_relaxed(&words[WAN_CUDA_WORD_UNTRACKED], 1);
	wan_add_relaxed(&words[WAN_CUDA_WORD_UNTRACKED_BYTES], bytes);
}

struct wan_cuda_block wan_cuda_free_begin(struct wan_cuda_call *call, uintptr_t address)
{
	if (!call->thread || !address)
		return (struct wan_cuda_block){.known = false};
	return wan_cuda_memory_take(address);
}

void wan_cuda_free_end(struct wan_cuda_call *call, uintptr_t address, struct wan_cuda_block block,
		       int error)
{
	if (!call->thread || !address)
		return;
	if (error) { /* it is still the program's; there was room for it before */
		if (block.known && !wan_cuda_memory_insert(address, block))
			take_live(block);
		return;
	}
	if (block.known) {
		take_live(block);
		thread_memory(call->thread, block, -1);
	}
	uint64_t *words = wan_cuda_words(block.known ? block.device : call->thread->device);
	if (words)
		wan_add_relaxed(
			&words[block.known ? WAN_CUDA_WORD_FREES : WAN_CUDA_WORD_UNKNOWN_FREES], 1);
}

void wan_cuda_reset(struct wan_cuda_call *call)
{
	if (call->thread)
		wan_cuda_memory_drop_device(call->thread->device, take_live);
}

void wan_cuda_after_fork(void)
{
	for (unsigned i = 0; i < thread_top; i++)
		threads[i].lane = NULL; /* its sums were the parent's */
	thread_top = 0;
	/* device_words lead to the child's own blocks of the same names. */
	wan_cuda_memory_clear();
	wan_cuda_vram_after_fork();
	wan_cuda_work_clear();
}
