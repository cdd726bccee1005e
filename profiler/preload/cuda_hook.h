/* SPDX-License-Identifier: MIT */
/*
 * What the lines of cuda.def and cuda_driver.def become: HOOK(name, params, args, enter, leave)
 * with what comes before and after the real function. The includer defines HOOK.
 */
#ifndef WAN_PRELOAD_CUDA_HOOK_H
#define WAN_PRELOAD_CUDA_HOOK_H

#include "cuda_call.h"

/* One hook: find the real function, enter, call, leave. */
#define WAN_CUDA_BODY(name, args, find, enter, leave)                                              \
	{                                                                                          \
		__typeof__(&name) real = (find);                                                   \
		struct wan_cuda_call call __attribute__((unused));                                 \
		int error = WAN_CUDA_UNRESOLVED;                                                   \
		if (wan_unlikely(!real))                                                           \
			return error;                                                              \
		enter;                                                                             \
		error = real args;                                                                 \
		leave;                                                                             \
		return error;                                                                      \
	}

#define COPY(kind)       wan_cuda_copy(kind)
#define COPY_ASYNC(kind) wan_cuda_copy_async(kind)

static inline const void *own_stream(const void *stream)
{
	return stream ? stream : (const void *)(uintptr_t)WAN_CUDA_STREAM_PER_THREAD;
}
/* A copy to the host that returns has done what its stream was given before. */
#define CALL(name, params, args, op, bytes, stream)                                                \
	HOOK(name, params, args, const enum wan_cuda_op is = (op);                                 \
	     wan_cuda_begin(&call, is,                                                             \
			    is == WAN_CUDA_MEMCPY_D2H ? WAN_CUDA_ONE_STREAM : WAN_CUDA_NOTHING,    \
			    (stream), WAN_FRAME),                                                  \
	     wan_cuda_work(&call, is, (stream), error);                                            \
	     wan_cuda_end(&call, is, (bytes), error))

#define CUDA_CALL(name, params, args, op, bytes, stream) CALL(name, params, args, op, bytes, stream)
#define CUDA_CALL_PTSZ(name, params, args, op, bytes, stream)                                      \
	CALL(name, params, args, op, bytes, stream)                                                \
	CALL(name##_ptsz, params, args, op, bytes, own_stream(stream))
#define CUDA_CALL_PTDS(name, params, args, op, bytes, stream)                                      \
	CALL(name, params, args, op, bytes, stream)                                                \
	CALL(name##_ptds, params, args, op, bytes, own_stream(stream))

#define CUDA_ALLOC(name, params, args, op, bytes, kind, address)                                   \
	HOOK(name, params, args,                                                                   \
	     wan_cuda_begin(&call, WAN_CUDA_##op, WAN_CUDA_NOTHING, NULL, WAN_FRAME),              \
	     uint64_t count = error ? 0 : (uint64_t)(bytes);                                       \
	     if (!error)                                                                           \
		     wan_cuda_allocated(&call, WAN_CUDA_KIND_##kind, (uintptr_t)(address), count); \
	     wan_cuda_end(&call, WAN_CUDA_##op, count, error))
#define CUDA_ALLOC_PTSZ(name, params, args, op, bytes, kind, address)                              \
	CUDA_ALLOC(name, params, args, op, bytes, kind, address)                                   \
	CUDA_ALLOC(name##_ptsz, params, args, op, bytes, kind, address)

#define CUDA_FREE(name, params, args, op, address)                                                 \
	HOOK(name, params, args,                                                                   \
	     wan_cuda_begin(&call, WAN_CUDA_##op, WAN_CUDA_NOTHING, NULL, WAN_FRAME);              \
	     struct wan_cuda_block block = wan_cuda_free_begin(&call, (uintptr_t)(address)),       \
	     wan_cuda_free_end(&call, (uintptr_t)(address), block, error);                         \
	     wan_cuda_end(&call, WAN_CUDA_##op, block.known ? block.bytes : 0, error))
#define CUDA_FREE_PTSZ(name, params, args, op, address)                                            \
	CUDA_FREE(name, params, args, op, address)                                                 \
	CUDA_FREE(name##_ptsz, params, args, op, address)

/* The one that comes by the million. */
#define LAUNCH(name, params, args, op, stream)                                                     \
	HOOK(name, params, args, call.thread = wan_cuda_enter(WAN_FRAME);                          \
	     call.start_ticks = call.thread ? wan_ticks() : 0,                                     \
	     if (wan_unlikely(!call.thread)) return error;                                         \
	     wan_cuda_leave(call.thread, (op), call.start_ticks, 0, error);                        \
	     if (wan_likely(!error) && wan_cuda_queue_add(&call.thread->queue, (stream)))          \
		     wan_cuda_flush(call.thread))
#define CUDA_LAUNCH_PTSZ(name, params, args, op, stream)                                           \
	LAUNCH(name, params, args, op, stream)                                                     \
	LAUNCH(name##_ptsz, params, args, op, own_stream(stream))

#define WAIT(name, params, args, op, scope, handle)                                                \
	HOOK(name, params, args,                                                                   \
	     wan_cuda_begin(&call, WAN_CUDA_##op, WAN_CUDA_##scope, (handle), WAN_FRAME),          \
	     wan_cuda_end(&call, WAN_CUDA_##op, 0, error))
#define CUDA_WAIT(name, params, args, op, scope, handle) WAIT(name, params, args, op, scope, handle)
#define CUDA_WAIT_PTSZ(name, params, args, op, scope, handle)                                      \
	WAIT(name, params, args, op, scope, handle)                                                \
	WAIT(name##_ptsz, params, args, op, scope, own_stream(handle))

#define MARK(name, params, args, event, stream)                                                    \
	HOOK(name, params, args,                                                                   \
	     wan_cuda_begin(&call, WAN_CUDA_RECORD_EVENT, WAN_CUDA_NOTHING, NULL, WAN_FRAME),      \
	     if (call.thread && !error)                                                            \
		     wan_cuda_event_record(&call.thread->queue, (event), (stream));                \
	     wan_cuda_end(&call, WAN_CUDA_RECORD_EVENT, 0, error))
#define CUDA_MARK_PTSZ(name, params, args, event, stream)                                          \
	MARK(name, params, args, event, stream)                                                    \
	MARK(name##_ptsz, params, args, event, own_stream(stream))

#define CAPTURE(name, params, args, stream, begins)                                                \
	HOOK(name, params, args,                                                                   \
	     wan_cuda_begin(&call, WAN_CUDA_CAPTURE, WAN_CUDA_NOTHING, NULL, WAN_FRAME),           \
	     if (call.thread && !error) wan_cuda_capture(&call.thread->queue, (stream), (begins)); \
	     wan_cuda_end(&call, WAN_CUDA_CAPTURE, 0, error))
#define CUDA_CAPTURE_PTSZ(name, params, args, stream, begins)                                      \
	CAPTURE(name, params, args, stream, begins)                                                \
	CAPTURE(name##_ptsz, params, args, own_stream(stream), begins)

/* Which device a thread means; not worth a row. */
#define CUDA_DEVICE(name, params, args, device)                                                    \
	HOOK(name, params, args, call.thread = wan_cuda_enter(WAN_FRAME),                          \
	     if (call.thread) call.thread->frame = 0;                                              \
	     if (!error) wan_cuda_device(&call, (device)))
#define CUDA_RESET(name, params, args)                                                             \
	HOOK(name, params, args,                                                                   \
	     wan_cuda_begin(&call, WAN_CUDA_RESET, WAN_CUDA_ALL, NULL, WAN_FRAME),                 \
	     if (!error) wan_cuda_reset(&call);                                                    \
	     wan_cuda_end(&call, WAN_CUDA_RESET, 0, error))

#endif
