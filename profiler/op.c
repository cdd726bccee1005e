/* SPDX-License-Identifier: MIT */
/*
 * One operation: two clock reads, two loads of the thread's byte counters, one in-flight entry, one
 * record of 64 bytes. The thread CPU clock costs twenty times a tick read, so it is read at most
 * once in 0.8 ms of a thread's life at a begin, and at the end of operations that were at least as
 * long: the last reading of the thread (its anchor) stands for the begin when it lies at most 2 %
 * of the span before it. The peak is read and reset only when the thread has allocated since.
 *
 * The common case (this thread has nothing else open, allocates nothing, and the operation is
 * short) runs through begin_quick() and end_quick(), which call nothing and so save no registers.
 * What they do not expect goes to begin() and end(), before anything has been changed.
 */
#define WAN_PROFILE_CALLS /* here the functions are made, not called in their checked form */
#include "profile.h"

#include <errno.h>
#include <string.h>

#include "attach.h"
#include "clock.h"
#include "heap.h"
#include "heap_mark.h"
#include "macros.h"
#include "op_words.h"

#define GAP_SHARE  50           /* the anchor may lie span / 50 before the begin */
#define DEAD_BELOW (64u * 1024) /* how far below the stack pointer a left frame may lie */

/* Stack pointer of the caller of a public function: everything below it is dead or ours. */
#define CALLER_STACK() ((uintptr_t)__builtin_dwarf_cfa())

/* What a thread knows of itself between operations. */
struct thread_state {
	bool ready, counted;
	const uint64_t *allocated, *freed; /* heap.h; unknown: words that stay 0 */
	uint64_t anchor_ticks, anchor_cpu_ns;
	uint64_t peak_allocated; /* *allocated at the last reset of the peak */
	int64_t peak_base;       /* level then */
	int64_t high;            /* highest level of the innermost open operation so far */
	uintptr_t frames[WAN_RECORD_INFLIGHT]; /* where the open operations live */
};
static const uint64_t never_moves;
static __thread struct thread_state self __attribute__((tls_model("initial-exec"))) = {
	.allocated = &never_moves, .freed = &never_moves};

static __attribute__((noinline, cold)) void prepare_thread(void)
{
	uint64_t *allocated, *freed;
	self.counted = wan_heap_thread_pointers(&allocated, &freed);
	if (self.counted) {
		self.allocated = allocated;
		self.freed = freed;
	}
	self.ready = true;
}

static inline int64_t level(void)
{
	return (int64_t)(*self.allocated - *self.freed);
}

static __attribute__((noinline)) void take_peak_anew(void)
{
	uint64_t peak;
	if (wan_heap_peak_read(&peak))
		self.high = WAN_MAX(self.high, self.peak_base + (int64_t)peak);
	wan_heap_peak_reset();
	self.peak_allocated = *self.allocated;
	self.peak_base = level();
}

/* The highest level since the last time belongs to the operations open now. */
static inline void take_peak(void)
{
	if (wan_unlikely(*self.allocated != self.peak_allocated))
		take_peak_anew();
}

/* Operations whose frame was left by longjmp lie below the stack pointer of our caller's caller. */
static __attribute__((noinline)) void drop_dead_frames(struct wan_profile *profile,
						       struct wan_lane *lane, uintptr_t here)
{
	while (lane->depth && lane->depth <= WAN_RECORD_INFLIGHT) {
		uintptr_t frame = self.frames[lane->depth - 1];
		if (frame >= here || here - frame > DEAD_BELOW)
			return;
		wan_lane_leave(lane, &lane->shared->inflight[lane->depth - 1]);
		if (profile->share)
			profile->share->operation_open(-1);
	}
}

static void enter(struct op *op, struct wan_profile *profile, struct wan_lane *lane,
		  uint8_t library, uintptr_t here)
{
	if (wan_unlikely(lane->depth))
		drop_dead_frames(profile, lane, here);
	op->slot = wan_lane_enter(lane);
	op->slot->name = op->name;
	op->slot->library = library;
	op->tail = (uint64_t)library << TAIL_LIBRARY;
	/* Entries that another thread emptied were passed over by enter: depth is true now. */
	if (wan_unlikely(lane->depth > 1))
		op->tail |= (uint64_t)WAN_FLAG_CHILD << TAIL_FLAGS;
	if (wan_likely(lane->depth <= WAN_RECORD_INFLIGHT))
		self.frames[lane->depth - 1] = (uintptr_t)op;
	if (wan_unlikely(profile->share != NULL))
		profile->share->operation_open(1);
}

/* Begin with the CPU clock. Our own cost is not the operation's: the time is read after it. */
static __attribute__((noinline)) void start_anchored(struct op *op)
{
	op->anchor_cpu_ns = self.anchor_cpu_ns = wan_thread_cpu_ns();
	op->anchor_ticks = op->start_ticks = self.anchor_ticks = wan_ticks();
	wan_store_release(&op->slot->start_ticks, op->start_ticks);
}

static inline __attribute__((always_inline)) void start(struct op *op, bool large)
{
	uint64_t now = wan_ticks();
	if (wan_unlikely(large || now - self.anchor_ticks > op->profile->large_ticks)) {
		start_anchored(op);
		return;
	}
	op->anchor_ticks = self.anchor_ticks;
	op->anchor_cpu_ns = self.anchor_cpu_ns;
	op->start_ticks = now;
	wan_store_release(&op->slot->start_ticks, now); /* the entry counts from here */
}

static __attribute__((noinline)) void begin(struct wan_profile *profile, struct op *op,
					    const char *name, uint8_t library, bool large,
					    uintptr_t here)
{
	op->magic = 0;
	uint16_t id = name ? wan_op_name_id(profile, name) : WAN_OP_NAME_OFF;
	if (wan_unlikely(id == WAN_OP_NAME_OFF))
		return;
	struct wan_lane *lane = wan_lane_get(profile->recorder);
	if (wan_unlikely(!lane))
		return;
	if (wan_unlikely(!self.ready))
		prepare_thread();
	op->profile = profile;
	op->lane = lane;
	op->name = id;
	op->unusual = (uint8_t)(OUTER | (large ? LARGE : 0));
	op->file_bytes = WAN_BYTES_UNKNOWN;
	op->size = 0;
	op->counted = self.counted;
	enter(op, profile, lane, library, here);
	op->magic = magic_of(op);
	if (self.counted) {
		take_peak();
		op->allocated_bytes = self.peak_allocated;
		op->outer_high = self.high;
		op->level_bytes = self.high = level();
	}
	start(op, large && profile->cpu);
}

/* True: done. False: nothing has been changed. */
static inline __attribute__((always_inline)) bool begin_quick(struct wan_profile *profile,
							      struct op *op, const char *name,
							      uint8_t library)
{
	struct wan_lane *lane = wan_lane_current;
	if (wan_unlikely(!lane || lane->recorder != profile->recorder || lane->depth || !name ||
			 profile->share || !self.ready || !wan_clock_uses_counter))
		return false;
	uint16_t id = wan_op_name_quick(profile, name);
	uint64_t allocated = *self.allocated;
	if (wan_unlikely(!id || allocated != self.peak_allocated))
		return false;
	op->slot = wan_lane_enter_plain(lane, id, library);
	self.frames[0] = (uintptr_t)op;
	op->profile = profile;
	op->lane = lane;
	op->name = id;
	op->file_bytes = WAN_BYTES_UNKNOWN;
	op->size = 0;
	op->tail = (uint64_t)library << TAIL_LIBRARY;
	op->unusual = 0;
	op->counted = self.counted;
	op->allocated_bytes = allocated;
	op->level_bytes = self.high = (int64_t)(allocated - *self.freed);
	op->magic = magic_of(op);
	if (!wan_clock_uses_counter)
		__builtin_unreachable();
	start(op, false);
	return true;
}

static inline bool off(struct wan_profile *profile, struct wan_op *op)
{
	if (wan_likely(profile && op && wan_load_relaxed(&profile->active)))
		return false;
	if (op)
		op->private_words[0] = 0;
	return true;
}

__attribute__((noinline)) void wan_op_begin_as(struct wan_profile *profile, struct wan_op *op,
					       const char *name, uint8_t library, bool large)
{
	if (!off(profile, op))
		begin(profile, (struct op *)op, name, library, large, CALLER_STACK());
}

__attribute__((noinline)) void wan_op_begin(struct wan_profile *profile, struct wan_op *op,
					    const char *name)
{
	if (off(profile, op))
		return;
	if (!begin_quick(profile, (struct op *)op, name, WAN_LIBRARY_PROGRAM))
		begin(profile, (struct op *)op, name, WAN_LIBRARY_PROGRAM, false, CALLER_STACK());
}

__attribute__((noinline)) void wan_op_begin_large(struct wan_profile *profile, struct wan_op *op,
						  const char *name)
{
	if (!off(profile, op))
		begin(profile, (struct op *)op, name, WAN_LIBRARY_PROGRAM, true, CALLER_STACK());
}

/*
 * Close the in-flight entry. False: it is not there any more, because we are in the child of a fork
 * and the operation is the parent's.
 */
static inline bool leave(struct op *op, struct wan_lane *own)
{
	op->magic = 0;
	if (wan_unlikely(!own || (op->slot->start_ticks != op->start_ticks &&
				  op->slot != &op->lane->spill)))
		return false;
	wan_lane_leave(own, op->slot); /* of another thread's lane: only emptied */
	if (wan_unlikely(op->profile->share != NULL) && own == op->lane)
		op->profile->share->operation_open(-1);
	return true;
}

void wan_op_cancel(struct wan_op *public_op)
{
	struct op *op = valid(public_op);
	if (!op)
		return;
	if ((op->unusual & OUTER) && op->lane == wan_lane_current)
		self.high = WAN_MAX(self.high, op->outer_high);
	leave(op, wan_lane_get(op->profile->recorder));
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
	return op->profile->cpu &&
	       ((op->unusual & LARGE) || span_ticks >= op->profile->large_ticks) &&
	       gap <= span_ticks / GAP_SHARE;
}

struct measured {
	uint32_t cpu_us, peak_kib;
	int32_t memory_kib;
};

static __attribute__((noinline)) void measure_moved(const struct op *op, struct measured *measured)
{
	int64_t net = 0, peak = 0;
	if (op->counted) {
		net = level() - op->level_bytes;
		if (*self.allocated != op->allocated_bytes) {
			take_peak();
			peak = self.high - op->level_bytes;
		} /* else nothing was allocated: it never rose */
	}
	if (op->unusual & ADDED) {
		net += op->added_net;
		peak += (int64_t)op->added_peak;
	}
	measured->memory_kib = to_kib(net);
	measured->peak_kib = peak_to_kib(peak);
}

static inline void measure_memory(const struct op *op, struct measured *measured)
{
	if ((op->unusual & ADDED) || op->counted)
		measure_moved(op, measured);
	if (op->unusual & OUTER)
		self.high = WAN_MAX(self.high, op->outer_high);
}

static __attribute__((noinline)) void measure_cpu(const struct op *op, uint64_t end_ticks,
						  struct measured *measured)
{
	uint64_t cpu_ns = wan_thread_cpu_ns();
	self.anchor_cpu_ns = cpu_ns;
	self.anchor_ticks = end_ticks;
	/* A fork in between starts the child's clock anew: then it is not known. */
	if (cpu_ns >= op->anchor_cpu_ns)
		measured->cpu_us = (uint32_t)WAN_MIN((cpu_ns - op->anchor_cpu_ns + 500) / 1000,
						     (uint64_t)WAN_CPU_UNKNOWN - 1);
}

static void append(const struct op *op, struct wan_lane *lane, uint64_t end_ticks,
		   const struct measured *measured, enum wan_op_status status)
{
	uint64_t kind = WAN_RECORD_OPERATION << 4 | (status & 3);
	const uint64_t words[8] = {
		0, /* seal and check */
		op->start_ticks,
		end_ticks - op->start_ticks,
		measured->cpu_us | op->size << 32,
		op->size >> 32 | (uint64_t)op->lane->thread << 32,
		op->file_bytes | (uint64_t)(uint32_t)measured->memory_kib << 32,
		measured->peak_kib | (uint64_t)UINT16_MAX << 32 | (uint64_t)op->name << 48,
		op->tail | kind << TAIL_STATUS,
	};
	wan_lane_append(lane, words);
	if (wan_unlikely(wan_heap_marks_on) &&
	    !(op->tail >> TAIL_FLAGS & WAN_FLAG_CHILD)) /* then none is begun in the quick way */
		wan_heap_mark(op->profile->recorder, WAN_HEAP_MARK_OPERATION, op->name, 0);
}

/* end_ticks 0: not read yet. */
static __attribute__((noinline)) void end(struct op *op, uint64_t end_ticks,
					  enum wan_op_status status)
{
	struct measured measured = {WAN_CPU_UNKNOWN, WAN_BYTES_UNKNOWN, WAN_MEMORY_UNKNOWN};
	if (!end_ticks)
		end_ticks = wan_ticks();
	struct wan_lane *lane = wan_lane_get(op->profile->recorder);
	if (!leave(op, lane))
		return;
	/* Not ready: this thread took over the lane of one that exited with the operation open. */
	if (wan_likely(lane == op->lane && self.ready)) {
		measure_memory(op, &measured);
		if (anchored(op, end_ticks - op->start_ticks))
			measure_cpu(op, end_ticks, &measured);
	}
	append(op, lane, end_ticks, &measured, status);
}

static inline __attribute__((always_inline)) void end_quick(struct op *op, struct wan_lane *lane,
							    uint64_t end_ticks,
							    enum wan_op_status status)
{
	uint64_t kind = WAN_RECORD_OPERATION << 4 | (status & 3);
	uint64_t memory_kib = self.counted ? 0 : (uint32_t)WAN_MEMORY_UNKNOWN;
	uint64_t peak_kib = self.counted ? 0 : WAN_BYTES_UNKNOWN;
	op->magic = 0;
	wan_store_release(&op->slot->sequence, 0);
	lane->depth = 0;
	wan_lane_put(lane, (uint32_t)++lane->sequence, op->start_ticks, end_ticks - op->start_ticks,
		     WAN_CPU_UNKNOWN | op->size << 32,
		     op->size >> 32 | (uint64_t)lane->thread << 32,
		     op->file_bytes | memory_kib << 32,
		     peak_kib | (uint64_t)UINT16_MAX << 32 | (uint64_t)op->name << 48,
		     op->tail | kind << TAIL_STATUS);
}

void wan_op_end(struct wan_op *public_op, enum wan_op_status status)
{
	struct op *op = valid(public_op);
	if (wan_unlikely(!op))
		return;
	if (wan_unlikely(!wan_clock_uses_counter)) {
		end(op, 0, status);
		return;
	}
	uint64_t end_ticks = wan_ticks();
	struct wan_lane *lane = wan_lane_current;
	if (wan_likely(lane == op->lane && lane->recorder == op->profile->recorder &&
		       lane->depth == 1 && op->slot == lane->shared->inflight &&
		       op->slot->start_ticks == op->start_ticks && lane->next != lane->end &&
		       (uint32_t)lane->sequence != UINT32_MAX && !op->unusual &&
		       op->counted == self.counted &&
		       end_ticks - op->start_ticks < op->profile->large_ticks &&
		       *self.allocated == op->allocated_bytes && level() == op->level_bytes))
		end_quick(op, lane, end_ticks, status);
	else
		end(op, end_ticks, status);
}
