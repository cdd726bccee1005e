/* SPDX-License-Identifier: MIT */
/*
 * One operation: two clock reads, two loads of jemalloc's counters, one in-flight entry, one record
 * of 64 bytes. The thread CPU clock costs twenty times a tick read, so it is read at most once in
 * 0.4 ms of a thread's life at a begin, and at the end of operations that were at least as long:
 * the last reading of the thread (its anchor) stands for the begin when it lies at most 2 % of the
 * span before it. jemalloc's peak is read and reset only when the thread has allocated since.
 */
#include "profile.h"

#include <string.h>

#include "attach.h"
#include "clock.h"
#include "fork.h"
#include "jemalloc.h"
#include "macros.h"

#define MAGIC      0x57414e4f50454e31u /* mixed with the address: a copied op is not an op */
#define GAP_SHARE  50                  /* the anchor may lie span / 50 before the begin */
#define DEAD_BELOW (64u * 1024)        /* how far below the stack pointer a left frame may lie */

struct op {
	uint64_t magic;
	struct wan_profile *profile;
	struct wan_lane *lane;
	struct wan_record_inflight *slot;
	uint64_t start_ticks;
	uint64_t anchor_ticks, anchor_cpu_ns;
	int64_t level_bytes;      /* allocated - freed of this thread at begin */
	int64_t outer_high;       /* highest level seen for the operations around this one */
	uint64_t allocated_bytes; /* at begin */
	uint64_t file_bytes;
	int64_t added_net;
	uint64_t added_peak;
	uint32_t width_px, height_px;
	uint32_t thread, fork_generation;
	uint16_t name, file;
	uint16_t flags;
	uint8_t channels, bit_depth, library;
	bool large, counted, added;
};
_Static_assert(sizeof(struct op) <= sizeof(struct wan_op), "wan_op is large enough");

/* What a thread knows of itself between operations. */
struct thread_state {
	bool ready, counted;
	const uint64_t *allocated, *freed; /* jemalloc's counters */
	uint64_t anchor_ticks, anchor_cpu_ns;
	uint64_t peak_allocated; /* *allocated at the last reset of the peak */
	int64_t peak_base;       /* level then */
	int64_t high;            /* highest level of the innermost open operation so far */
	uintptr_t frames[WAN_RECORD_INFLIGHT]; /* where the open operations live */
};
static __thread struct thread_state self __attribute__((tls_model("initial-exec")));

static uint64_t magic_of(const struct op *op)
{
	return MAGIC ^ (uint64_t)(uintptr_t)op;
}

static struct op *valid(struct wan_op *public_op)
{
	struct op *op = (struct op *)public_op;
	return op && op->magic == magic_of(op) ? op : NULL;
}

static __attribute__((noinline, cold)) void prepare_thread(void)
{
	uint64_t *allocated, *freed;
	self.counted = wan_jemalloc_thread_pointers(&allocated, &freed);
	if (self.counted) {
		self.allocated = allocated;
		self.freed = freed;
	}
	self.ready = true;
}

static inline int64_t level(void)
{
	return self.counted ? (int64_t)(*self.allocated - *self.freed) : 0;
}

/* The highest level since the last time belongs to the operations open now. */
static void take_peak(void)
{
	uint64_t peak;
	if (!self.counted || *self.allocated == self.peak_allocated)
		return;
	if (wan_jemalloc_peak_read(&peak))
		self.high = WAN_MAX(self.high, self.peak_base + (int64_t)peak);
	wan_jemalloc_peak_reset();
	self.peak_allocated = *self.allocated;
	self.peak_base = level();
}

/* Operations whose frame was left by longjmp are under the stack pointer now. */
static __attribute__((noinline)) void drop_dead_frames(struct wan_profile *profile,
						       struct wan_lane *lane)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	while (lane->depth && lane->depth <= WAN_RECORD_INFLIGHT) {
		uintptr_t frame = self.frames[lane->depth - 1];
		if (frame >= here || here - frame > DEAD_BELOW)
			return;
		wan_lane_leave(lane, &lane->shared->inflight[lane->depth - 1]);
		if (profile->share)
			profile->share->operation_open(-1);
	}
}

static void enter(struct op *op, struct wan_profile *profile, struct wan_lane *lane)
{
	if (wan_unlikely(lane->depth))
		drop_dead_frames(profile, lane);
	op->slot = wan_lane_enter(lane);
	op->slot->name = op->name;
	op->slot->library = op->library;
	/* Entries that another thread emptied were passed over by enter: depth is true now. */
	op->flags = lane->depth > 1 ? WAN_FLAG_CHILD : 0;
	if (lane->depth <= WAN_RECORD_INFLIGHT)
		self.frames[lane->depth - 1] = (uintptr_t)op;
	if (wan_unlikely(profile->share != NULL))
		profile->share->operation_open(1);
}

static __attribute__((noinline)) void begin(struct wan_profile *profile, struct op *op,
					    const char *name, uint8_t library, bool large)
{
	struct wan_lane *lane = wan_lane_get(profile->recorder);
	op->magic = 0;
	if (!lane || !name)
		return;
	if (wan_unlikely(!self.ready))
		prepare_thread();
	op->profile = profile;
	op->lane = lane;
	op->name = wan_op_name_id(profile, name);
	op->library = library;
	op->large = large;
	op->file_bytes = UINT64_MAX;
	op->width_px = op->height_px = 0;
	op->file = 0;
	op->channels = op->bit_depth = 0;
	op->added = false;
	op->added_net = 0;
	op->added_peak = 0;
	op->counted = self.counted;
	op->thread = lane->thread;
	op->fork_generation = wan_fork_generation();
	enter(op, profile, lane);
	op->magic = magic_of(op);

	take_peak();
	uint64_t now = wan_ticks();
	if (profile->cpu && (large || now - self.anchor_ticks > profile->large_ticks)) {
		self.anchor_cpu_ns = wan_thread_cpu_ns();
		self.anchor_ticks = now = wan_ticks(); /* our own cost is not the operation's */
	}
	op->anchor_ticks = self.anchor_ticks;
	op->anchor_cpu_ns = self.anchor_cpu_ns;
	op->outer_high = self.high;
	op->allocated_bytes = self.peak_allocated;
	op->level_bytes = self.high = level();
	op->start_ticks = now;
	wan_store_release(&op->slot->start_ticks, now); /* the entry counts from here */
}

void wan_op_begin_as(struct wan_profile *profile, struct wan_op *public_op, const char *name,
		     uint8_t library, bool large)
{
	if (wan_likely(!profile || !wan_load_relaxed(&profile->active))) {
		if (public_op)
			public_op->private_words[0] = 0;
		return;
	}
	if (public_op)
		begin(profile, (struct op *)public_op, name, library, large);
}

void wan_op_begin(struct wan_profile *profile, struct wan_op *op, const char *name)
{
	wan_op_begin_as(profile, op, name, WAN_LIBRARY_PROGRAM, false);
}

void wan_op_begin_large(struct wan_profile *profile, struct wan_op *op, const char *name)
{
	wan_op_begin_as(profile, op, name, WAN_LIBRARY_PROGRAM, true);
}

void wan_op_set_image(struct wan_op *public_op, uint32_t width_px, uint32_t height_px,
		      uint32_t channels, uint32_t bit_depth, uint64_t file_bytes)
{
	struct op *op = valid(public_op);
	if (!op)
		return;
	op->width_px = width_px;
	op->height_px = height_px;
	op->channels = (uint8_t)WAN_MIN(channels, 255u);
	op->bit_depth = (uint8_t)WAN_MIN(bit_depth, 255u);
	op->file_bytes = file_bytes;
	if (op->lane != wan_lane_current)
		return;
	op->slot->width_px = width_px;
	op->slot->height_px = height_px;
	op->slot->channels = op->channels;
	op->slot->bit_depth = op->bit_depth;
	op->slot->file_bytes = file_bytes;
}

void wan_op_set_file(struct wan_op *public_op, const char *path)
{
	struct op *op = valid(public_op);
	if (!op || !path)
		return;
	op->file = wan_recorder_string(op->profile->recorder, path);
	if (op->lane == wan_lane_current)
		op->slot->file = op->file;
}

void wan_op_set_flags(struct wan_op *public_op, uint32_t flags)
{
	struct op *op = valid(public_op);
	if (op)
		op->flags |= flags & (WAN_OP_PROGRESSIVE | WAN_OP_SCALED | WAN_OP_LOSSLESS);
}

void wan_op_add_memory(struct wan_op *public_op, int64_t net_bytes, uint64_t peak_bytes)
{
	struct op *op = valid(public_op);
	if (!op)
		return;
	op->added = true;
	op->added_net += net_bytes;
	op->added_peak += peak_bytes;
}

/* Close the in-flight entry. False: begun before a fork, it is the parent's. */
static bool leave(struct op *op)
{
	struct wan_lane *own = wan_lane_current;
	op->magic = 0;
	if (op->fork_generation != wan_fork_generation())
		return false;
	if (wan_likely(own == op->lane)) {
		wan_lane_leave(own, op->slot);
		if (wan_unlikely(op->profile->share != NULL))
			op->profile->share->operation_open(-1);
	} else if (own && wan_load_relaxed(&op->slot->start_ticks) == op->start_ticks) {
		wan_lane_leave(own, op->slot); /* of another thread: only emptied */
	}
	return true;
}

void wan_op_cancel(struct wan_op *public_op)
{
	struct op *op = valid(public_op);
	if (!op)
		return;
	if (op->lane == wan_lane_current)
		self.high = WAN_MAX(self.high, op->outer_high);
	leave(op);
}

static int32_t to_kib(int64_t bytes)
{
	int64_t kib = (bytes + (bytes < 0 ? -512 : 512)) / 1024;
	return (int32_t)WAN_CLAMP(kib, (int64_t)INT32_MIN + 1, (int64_t)INT32_MAX);
}

static uint32_t peak_to_kib(int64_t bytes)
{
	int64_t kib = bytes > 0 ? (bytes + 512) / 1024 : 0;
	return (uint32_t)WAN_MIN(kib, (int64_t)WAN_BYTES_UNKNOWN - 1);
}

/* Is the anchor close enough before the begin to stand for it? */
static bool anchored(const struct op *op, uint64_t span_ticks)
{
	uint64_t gap = op->start_ticks - op->anchor_ticks;
	return op->profile->cpu && (op->large || span_ticks >= op->profile->large_ticks) &&
	       gap <= span_ticks / GAP_SHARE;
}

static int64_t peak_above_begin(const struct op *op)
{
	if (*self.allocated == op->allocated_bytes)
		return 0; /* nothing was allocated: it never rose */
	take_peak();
	return self.high - op->level_bytes;
}

static void measure(const struct op *op, uint64_t end_ticks, struct wan_record_operation *record)
{
	int64_t net = level() - op->level_bytes, peak = 0;
	if (op->counted) {
		peak = peak_above_begin(op);
		self.high = WAN_MAX(self.high, op->outer_high);
	}
	if (op->counted || op->added) {
		record->memory_kib = to_kib(net + op->added_net);
		record->peak_kib = peak_to_kib(peak + (int64_t)op->added_peak);
	}
	if (!anchored(op, end_ticks - op->start_ticks))
		return;
	uint64_t cpu_ns = wan_thread_cpu_ns();
	self.anchor_cpu_ns = cpu_ns;
	self.anchor_ticks = end_ticks;
	/* A fork in between starts the child's clock anew: then it is not known. */
	if (cpu_ns >= op->anchor_cpu_ns)
		record->cpu_us = (uint32_t)WAN_MIN((cpu_ns - op->anchor_cpu_ns + 500) / 1000,
						   (uint64_t)WAN_CPU_UNKNOWN - 1);
}

void wan_op_end(struct wan_op *public_op, enum wan_op_status status)
{
	uint64_t end_ticks = wan_ticks();
	struct op *op = valid(public_op);
	if (!op)
		return;
	struct wan_record_operation record = {
		.start_ticks = op->start_ticks,
		.span_ticks = end_ticks - op->start_ticks,
		.cpu_us = WAN_CPU_UNKNOWN,
		.width_px = op->width_px,
		.height_px = op->height_px,
		.thread = op->thread,
		.file_bytes = op->file_bytes == UINT64_MAX
				      ? WAN_BYTES_UNKNOWN
				      : (uint32_t)WAN_MIN(op->file_bytes,
							  (uint64_t)WAN_BYTES_UNKNOWN - 1),
		.memory_kib = WAN_MEMORY_UNKNOWN,
		.peak_kib = WAN_BYTES_UNKNOWN,
		.inside = UINT16_MAX,
		.name = op->name,
		.file = op->file,
		.channels = op->channels,
		.kind_status = (uint8_t)(WAN_RECORD_OPERATION << 4 | (status & 3)),
		.bit_depth = op->bit_depth,
		.library = op->library,
		.flags = op->flags,
	};
	if (!leave(op))
		return;
	struct wan_lane *lane = wan_lane_get(op->profile->recorder);
	if (!lane)
		return;
	if (wan_likely(lane == op->lane))
		measure(op, end_ticks, &record);
	wan_lane_append(lane, &record);
}
