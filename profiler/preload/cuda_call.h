/* SPDX-License-Identifier: MIT */
/*
 * Calls of the CUDA runtime and driver. There are millions of them, so each adds to a sum of its
 * kind that the thread keeps in the recording (record/sums.h); one that took long, moved much or
 * failed gets a record of its own instead. No CUDA function is ever called from here, and none is
 * resolved before the program calls it.
 *
 *   cuda.def, cuda_driver.def   the hooked functions: prototypes, hooks and names come from here
 *   cuda_hook.h                 what a line of them becomes
 *   hook_cuda.c                 the runtime, 11 to 13, dynamic
 *   hook_cuda_driver.c          the driver, by name or by cuGetProcAddress()
 *   cuda_memory                 live allocations; cuda_work: given to the device, known to be done
 *   hook_nvtx.c, nvtx_name      ranges that the program names
 *
 * Decisions, 2026-11-21:
 * - Neither CUPTI nor events of ours: CUPTI has one subscriber, events are the program's resource,
 *   and either would be a call that it did not make. What is done is told by its own waiting.
 * - Calls are in no total (WAN_FLAG_CHILD): a million launches beside ten images would hide them.
 * - What a dynamic runtime asks of the driver is not hooked; a call inside a call is not counted.
 * - Live memory is what was asked for, by address: pools, contexts and rounding are not in it. The
 *   samples of wanprof run say what the device itself holds.
 * - A program that forks has no device in the child: the table starts empty there.
 */
#ifndef WAN_PRELOAD_CUDA_CALL_H
#define WAN_PRELOAD_CUDA_CALL_H

#include "audit_link.h"
#include "clock.h"
#include "cuda_abi.h"
#include "cuda_memory.h"
#include "cuda_work.h"
#include "histogram.h"
#include "hook.h"
#include "sums.h"

#define WAN_CUDA_LARGE_BYTES ((uint64_t)64 << 20) /* worth a record */

/* WAN_CUDA_OP(ID, "name", bytes are known, may block) */
#define WAN_CUDA_OPERATIONS                                                                        \
	WAN_CUDA_OP(MALLOC, "cuda.malloc", true, true)                                             \
	WAN_CUDA_OP(MALLOC_ASYNC, "cuda.malloc_async", true, false)                                \
	WAN_CUDA_OP(MALLOC_MANAGED, "cuda.malloc_managed", true, true)                             \
	WAN_CUDA_OP(MALLOC_HOST, "cuda.malloc_host", true, true)                                   \
	WAN_CUDA_OP(HOST_REGISTER, "cuda.host_register", true, true)                               \
	WAN_CUDA_OP(FREE, "cuda.free", true, true)                                                 \
	WAN_CUDA_OP(FREE_ASYNC, "cuda.free_async", true, false)                                    \
	WAN_CUDA_OP(FREE_HOST, "cuda.free_host", true, true)                                       \
	WAN_CUDA_OP(HOST_UNREGISTER, "cuda.host_unregister", true, true)                           \
	/* In the order of cudaMemcpyKind, and the same again for the asynchronous ones. */        \
	WAN_CUDA_OP(MEMCPY_H2H, "cuda.memcpy_h2h", true, true)                                     \
	WAN_CUDA_OP(MEMCPY_H2D, "cuda.memcpy_h2d", true, true)                                     \
	WAN_CUDA_OP(MEMCPY_D2H, "cuda.memcpy_d2h", true, true)                                     \
	WAN_CUDA_OP(MEMCPY_D2D, "cuda.memcpy_d2d", true, true)                                     \
	WAN_CUDA_OP(MEMCPY, "cuda.memcpy", true,                                                   \
		    true) /* the direction is told by the addresses */                             \
	WAN_CUDA_OP(MEMCPY_PEER, "cuda.memcpy_peer", true, true)                                   \
	WAN_CUDA_OP(MEMCPY_H2H_ASYNC, "cuda.memcpy_h2h_async", true, false)                        \
	WAN_CUDA_OP(MEMCPY_H2D_ASYNC, "cuda.memcpy_h2d_async", true, false)                        \
	WAN_CUDA_OP(MEMCPY_D2H_ASYNC, "cuda.memcpy_d2h_async", true, false)                        \
	WAN_CUDA_OP(MEMCPY_D2D_ASYNC, "cuda.memcpy_d2d_async", true, false)                        \
	WAN_CUDA_OP(MEMCPY_ASYNC, "cuda.memcpy_async", true, false)                                \
	WAN_CUDA_OP(MEMCPY_PEER_ASYNC, "cuda.memcpy_peer_async", true, false)                      \
	WAN_CUDA_OP(MEMSET, "cuda.memset", true, false)                                            \
	WAN_CUDA_OP(PREFETCH, "cuda.prefetch", true, false)                                        \
	WAN_CUDA_OP(LAUNCH, "cuda.launch", false, false)                                           \
	WAN_CUDA_OP(GRAPH_LAUNCH, "cuda.graph_launch", false, false)                               \
	WAN_CUDA_OP(HOST_FUNCTION, "cuda.host_function", false, false)                             \
	WAN_CUDA_OP(SYNCHRONIZE, "cuda.synchronize", false, true)                                  \
	WAN_CUDA_OP(SYNCHRONIZE_STREAM, "cuda.synchronize_stream", false, true)                    \
	WAN_CUDA_OP(SYNCHRONIZE_EVENT, "cuda.synchronize_event", false, true)                      \
	WAN_CUDA_OP(QUERY, "cuda.query", false, false)                                             \
	WAN_CUDA_OP(WAIT_EVENT, "cuda.wait_event", false, false)                                   \
	WAN_CUDA_OP(RECORD_EVENT, "cuda.record_event", false, false)                               \
	WAN_CUDA_OP(STREAM, "cuda.stream", false, true)                                            \
	WAN_CUDA_OP(CAPTURE, "cuda.capture", false, false)                                         \
	WAN_CUDA_OP(MODULE_LOAD, "cuda.module_load", false, true)                                  \
	WAN_CUDA_OP(RESET, "cuda.reset", false, true)

enum wan_cuda_op {
#define WAN_CUDA_OP(id, name, bytes, blocks) WAN_CUDA_##id,
	WAN_CUDA_OPERATIONS
#undef WAN_CUDA_OP
		WAN_CUDA_OPS
};

/* cudaMemcpyKind: 0 to 4, told by a number of the program. */
static inline enum wan_cuda_op wan_cuda_copy(int kind)
{
	return kind >= 0 && kind <= 4 ? (enum wan_cuda_op)(WAN_CUDA_MEMCPY_H2H + kind)
				      : WAN_CUDA_MEMCPY;
}

static inline enum wan_cuda_op wan_cuda_copy_async(int kind)
{
	return (enum wan_cuda_op)(wan_cuda_copy(kind) - WAN_CUDA_MEMCPY_H2H +
				  WAN_CUDA_MEMCPY_H2H_ASYNC);
}

/* What is kept of a thread that makes CUDA calls; lane->calls. Written by that thread only. */
struct wan_cuda_thread {
	uintptr_t frame; /* of the call under way; 0: none. What it calls in turn is no call */
	uint64_t long_ticks, ns_per_tick_32;
	struct wan_lane *lane;
	struct wan_record_aggregate *sums[WAN_CUDA_OPS];
	struct wan_cuda_queue queue;
	uint32_t thread;            /* of the lane when this was made ready */
	uint32_t records, failures; /* calls that got a record of their own */
	int32_t device;
	int64_t memory_bytes, memory_peak; /* device memory: net so far, most since a reset */
};

/* One call that may take long or moves memory. */
struct wan_cuda_call {
	struct wan_cuda_thread *thread; /* NULL: pass on only */
	struct wan_record_inflight *slot;
	uint64_t start_ticks;
	struct wan_cuda_wait wait;
};

/* The codec of the calling module, by the page the call comes from; never NULL. */
struct wan_cuda_site {
	uintptr_t page; /* + 1; 0: free. Stored last */
	const struct wan_codec *codec;
};
enum { WAN_CUDA_SITES = 4096, WAN_CUDA_SITE_SHIFT = 64 - 12 };
extern struct wan_cuda_site wan_cuda_sites[2][WAN_CUDA_SITES]; /* runtime, driver */
const struct wan_codec *wan_cuda_codec_far(enum wan_family family, enum wan_symbol symbol,
					   const void *return_address);

static inline const struct wan_codec *wan_cuda_codec(enum wan_family family, enum wan_symbol symbol,
						     const void *return_address)
{
	uintptr_t page = ((uintptr_t)return_address >> 12) + 1;
	size_t at = (uint64_t)page * 0x9e3779b97f4a7c15u >> WAN_CUDA_SITE_SHIFT;
	const struct wan_cuda_site *site = &wan_cuda_sites[family == WAN_FAMILY_CUDA_DRIVER][at];
	/* pairs with the release in wan_cuda_codec_far() */
	if (wan_likely(wan_load_acquire(&site->page) == page) && wan_likely(!wan_audited))
		return site->codec;
	return wan_cuda_codec_far(family, symbol, return_address);
}

/* The thread's state when there is none yet, or when a call is (or seems) under way. NULL: nothing
 * is to be recorded. */
struct wan_cuda_thread *wan_cuda_enter_far(uintptr_t frame);

static inline struct wan_cuda_thread *wan_cuda_enter(uintptr_t frame)
{
	struct wan_lane *lane = wan_lane_current;
	struct wan_cuda_thread *thread = wan_likely(lane) ? lane->calls : NULL;
	if (wan_unlikely(!thread) || wan_unlikely(thread->frame))
		return wan_cuda_enter_far(frame);
	thread->frame = frame;
	return thread;
}

/* The first of its kind, a long one, one that failed. */
void wan_cuda_leave_far(struct wan_cuda_thread *thread, enum wan_cuda_op op, uint64_t start_ticks,
			uint64_t ticks, uint64_t bytes, int error);

/* Octaves only: launches are far below the half octaves. */
static inline unsigned wan_cuda_bucket(const struct wan_cuda_thread *thread, uint64_t ticks)
{
	uint64_t ns = ticks * thread->ns_per_tick_32 >> 32;
	if (wan_unlikely(ns > 512000))
		return wan_histogram_bucket(ns);
	/* edges are 1000 << bucket */
	uint64_t thousands = ns * 33555 >> 25; /* ns / 1000, one too small at times: harmless */
	return thousands ? 64 - (unsigned)__builtin_clzll(thousands) : 0;
}

static inline void wan_cuda_leave(struct wan_cuda_thread *thread, enum wan_cuda_op op,
				  uint64_t start_ticks, uint64_t bytes, int error)
{
	uint64_t ticks = wan_ticks() - start_ticks;
	struct wan_record_aggregate *sum = thread->sums[op];
	thread->frame = 0;
	if (wan_unlikely(error) || wan_unlikely(!sum) ||
	    wan_unlikely(ticks >= thread->long_ticks) ||
	    wan_unlikely(bytes >= WAN_CUDA_LARGE_BYTES)) {
		wan_cuda_leave_far(thread, op, start_ticks, ticks, bytes, error);
		return;
	}
	wan_sum_add(sum, ticks, wan_cuda_bucket(thread, ticks), bytes);
}

/* Anything but a launch. op: for the entry in flight; scope and handle: what is waited for. */
void wan_cuda_begin(struct wan_cuda_call *call, enum wan_cuda_op op, enum wan_cuda_scope scope,
		    const void *handle, uintptr_t frame);
void wan_cuda_end(struct wan_cuda_call *call, enum wan_cuda_op op, uint64_t bytes, int error);

/* The program has changed its current device, or given back everything on it. */
void wan_cuda_device(struct wan_cuda_call *call, int device);
void wan_cuda_reset(struct wan_cuda_call *call);
/* Memory of the program, after the call that made it; what a call is about to give back. */
void wan_cuda_allocated(struct wan_cuda_call *call, enum wan_cuda_kind kind, uintptr_t address,
			uint64_t bytes);
struct wan_cuda_block wan_cuda_free_begin(struct wan_cuda_call *call, uintptr_t address);
void wan_cuda_free_end(struct wan_cuda_call *call, uintptr_t address, struct wan_cuda_block block,
		       int error);
/* A piece of work has been given to a stream; a synchronous copy leaves none behind. */
void wan_cuda_work(struct wan_cuda_call *call, enum wan_cuda_op op, const void *stream, int error);
void wan_cuda_flush(struct wan_cuda_thread *thread);
void wan_cuda_after_fork(void);
void wan_nvtx_after_fork(void); /* hook_nvtx.c */

/* Words of a device's counter block (CUDA in record/schema.def). */
enum wan_cuda_word {
	WAN_CUDA_WORD_LIVE, /* three pairs of live and peak, by enum wan_cuda_kind */
	WAN_CUDA_WORD_PEAK,
	WAN_CUDA_WORD_ALLOCATED = 6,
	WAN_CUDA_WORD_ALLOCATIONS,
	WAN_CUDA_WORD_FREES,
	WAN_CUDA_WORD_UNTRACKED,
	WAN_CUDA_WORD_UNTRACKED_BYTES,
	WAN_CUDA_WORD_UNKNOWN_FREES,
	WAN_CUDA_WORD_OUT_OF_MEMORY,
	WAN_CUDA_WORD_FAILED_CALLS,
	WAN_CUDA_WORD_LAST_ERROR,
	WAN_CUDA_WORD_LOST,
	WAN_CUDA_WORD_ENQUEUED,
	WAN_CUDA_WORD_KNOWN_DONE,
	WAN_CUDA_WORD_KNOWN_AT,
	WAN_CUDA_WORD_MOST_BEHIND,
	WAN_CUDA_WORD_WAITS,
	WAN_CUDA_WORD_WAIT_TIME,
	WAN_CUDA_WORD_LONGEST_WAIT,
};

/* Words of a device's block, NULL without one. device: negative when it is not known. */
uint64_t *wan_cuda_words(int device);

static inline size_t wan_cuda_sum_sizes(const size_t *sizes, size_t count)
{
	size_t sum = 0;
	for (size_t i = 0; sizes && i < count; i++)
		sum += sizes[i];
	return sum;
}

#endif
