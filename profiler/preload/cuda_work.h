/* SPDX-License-Identifier: MIT */
/*
 * Work given to the device against work known to be done. We make no CUDA objects of our own in a
 * program (an event for each launch would cost more than the launch, change its order and show in
 * its tools), so what is done is known only from what the program waits for or asks about: a stream
 * that was waited for has done all that had been given to it before.
 */
#ifndef WAN_PRELOAD_CUDA_WORK_H
#define WAN_PRELOAD_CUDA_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "atomics.h"
#include "macros.h"

enum {
	WAN_CUDA_STREAMS = 16, /* a thread; the last one stands for all that find no room */
	WAN_CUDA_MARKS = 32,
	WAN_CUDA_FLUSH = 64, /* pieces of work of a thread between two writes to the recording */
};

/* In place of a stream: one that is not known; no work at all. */
#define WAN_CUDA_ANY_STREAM ((void *)(uintptr_t)-1)
#define WAN_CUDA_NO_STREAM  ((void *)(uintptr_t)-2)

enum wan_cuda_scope { WAN_CUDA_NOTHING, WAN_CUDA_ALL, WAN_CUDA_ONE_STREAM, WAN_CUDA_ONE_EVENT };

/* A stream as one thread uses it. */
struct wan_cuda_stream {
	uintptr_t stream;
	uint64_t enqueued; /* by this thread */
	uint64_t done;     /* of these; raised by any thread */
	int32_t device;
	uint32_t step; /* 1; 0 while it is captured into a graph: nothing is done then */
};

struct wan_cuda_queue {
	struct wan_cuda_stream *latest; /* never NULL once ready */
	uint32_t count, unflushed;
	int32_t device; /* of the thread */
	struct wan_cuda_stream streams[WAN_CUDA_STREAMS];
};

/* What will be done when a wait that begins now ends. */
struct wan_cuda_wait {
	uint32_t count;
	struct {
		struct wan_cuda_stream *stream;
		uint64_t enqueued;
	} marks[WAN_CUDA_MARKS];
};

void wan_cuda_queue_init(struct wan_cuda_queue *queue);
/* Queues of all threads, for waits: called once for each. */
void wan_cuda_queue_register(struct wan_cuda_queue *queue, unsigned index);
void wan_cuda_queue_device(struct wan_cuda_queue *queue, int device);
/* Finds or makes the thread's entry. */
struct wan_cuda_stream *wan_cuda_queue_stream(struct wan_cuda_queue *queue, const void *stream);
/* Adds what is not written yet to a word of the recording. */
void wan_cuda_queue_flush(struct wan_cuda_queue *queue, uint64_t *enqueued_word);

/* One piece of work. True: it is time to flush. */
static inline bool wan_cuda_queue_add(struct wan_cuda_queue *queue, const void *stream)
{
	struct wan_cuda_stream *entry = queue->latest;
	if (wan_unlikely(entry->stream != (uintptr_t)stream))
		entry = wan_cuda_queue_stream(queue, stream);
	wan_store_relaxed(&entry->enqueued, entry->enqueued + entry->step);
	queue->unflushed += entry->step;
	return wan_unlikely(queue->unflushed >= WAN_CUDA_FLUSH);
}

void wan_cuda_wait_begin(struct wan_cuda_wait *wait, struct wan_cuda_queue *queue,
			 enum wan_cuda_scope scope, const void *handle);
void wan_cuda_wait_end(const struct wan_cuda_wait *wait);
/* Over all threads, of a device; all when negative. */
uint64_t wan_cuda_known_done(int device);
/* All work that is not known to be done, as a wait for it would mark it; returns how many streams
 * have some. wait may be NULL. */
uint32_t wan_cuda_outstanding(struct wan_cuda_wait *wait);
/* A thread has given work to a device. */
bool wan_cuda_in_use(void);
/* An event stands for what its stream had been given when it was recorded. */
void wan_cuda_event_record(struct wan_cuda_queue *queue, const void *event, const void *stream);
void wan_cuda_capture(struct wan_cuda_queue *queue, const void *stream, bool begins);
void wan_cuda_work_clear(void);

#endif
