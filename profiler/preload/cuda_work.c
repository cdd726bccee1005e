/* SPDX-License-Identifier: MIT */
#include "cuda_work.h"

#include <string.h>

#include "cuda_abi.h"
#include "layout.h"

enum { EVENTS = 1024, EVENT_SHIFT = 64 - 10 };

static struct wan_cuda_queue *queues[WAN_RECORD_LANES];
static uint32_t queue_top;

/* event: 0 while the rest is being written. One that has to give way is forgotten, which only
 * means that less is known. */
static struct {
	uintptr_t event;
	struct wan_cuda_stream *stream;
	uint64_t enqueued;
} events[EVENTS];

void wan_cuda_queue_init(struct wan_cuda_queue *queue)
{
	*queue = (struct wan_cuda_queue){.latest = &queue->streams[WAN_CUDA_STREAMS - 1]};
	queue->streams[WAN_CUDA_STREAMS - 1] = (struct wan_cuda_stream){
		.stream = (uintptr_t)WAN_CUDA_ANY_STREAM, .device = -1, .step = 1};
}

void wan_cuda_queue_register(struct wan_cuda_queue *queue, unsigned index)
{
	wan_store_release(&queues[index], queue);
	wan_max_relaxed(&queue_top, index + 1);
}

void wan_cuda_queue_device(struct wan_cuda_queue *queue, int device)
{
	queue->device = device;
	queue->latest =
		&queue->streams[WAN_CUDA_STREAMS - 1]; /* look again: 0 is another one now */
}

struct wan_cuda_stream *wan_cuda_queue_stream(struct wan_cuda_queue *queue, const void *stream)
{
	uintptr_t key = (uintptr_t)stream == WAN_CUDA_STREAM_LEGACY ? 0 : (uintptr_t)stream;
	struct wan_cuda_stream *any = &queue->streams[WAN_CUDA_STREAMS - 1];
	if (stream == WAN_CUDA_ANY_STREAM)
		return any;
	uint32_t count = queue->count;
	for (uint32_t i = 0; i < count; i++)
		if (queue->streams[i].stream == key && queue->streams[i].device == queue->device)
			return queue->latest = &queue->streams[i];
	if (count == WAN_CUDA_STREAMS - 1)
		return any;
	struct wan_cuda_stream *fresh = &queue->streams[count];
	*fresh = (struct wan_cuda_stream){.stream = key, .device = queue->device, .step = 1};
	wan_store_release(&queue->count, count + 1);
	return queue->latest = fresh;
}

void wan_cuda_queue_flush(struct wan_cuda_queue *queue, uint64_t *enqueued_word)
{
	if (queue->unflushed)
		wan_add_relaxed(enqueued_word, queue->unflushed);
	queue->unflushed = 0;
}

static void mark(struct wan_cuda_wait *wait, struct wan_cuda_stream *stream, uint64_t enqueued)
{
	if (wait->count == WAN_CUDA_MARKS || wan_load_relaxed(&stream->done) >= enqueued)
		return;
	wait->marks[wait->count].stream = stream;
	wait->marks[wait->count++].enqueued = enqueued;
}

/* Everything of one queue that a wait of its device or of a stream of it covers. */
static void mark_queue(struct wan_cuda_wait *wait, struct wan_cuda_queue *queue, int device,
		       enum wan_cuda_scope scope, uintptr_t key)
{
	uint32_t count = wan_load_acquire(&queue->count); /* pairs with the release above */
	for (uint32_t i = 0; i < count; i++) {
		struct wan_cuda_stream *stream = &queue->streams[i];
		if (stream->device == device && (scope == WAN_CUDA_ALL || stream->stream == key))
			mark(wait, stream, wan_load_relaxed(&stream->enqueued));
	}
	struct wan_cuda_stream *any = &queue->streams[WAN_CUDA_STREAMS - 1];
	if (scope == WAN_CUDA_ALL)
		mark(wait, any, wan_load_relaxed(&any->enqueued));
}

static void mark_event(struct wan_cuda_wait *wait, uintptr_t event)
{
	unsigned at = (unsigned)((uint64_t)event * 0x9e3779b97f4a7c15u >> EVENT_SHIFT);
	if (!event || wan_load_acquire(&events[at].event) != event)
		return;
	struct wan_cuda_stream *stream = wan_load_relaxed(&events[at].stream);
	uint64_t enqueued = wan_load_relaxed(&events[at].enqueued);
	wan_fence_acquire();
	if (stream && wan_load_relaxed(&events[at].event) == event)
		mark(wait, stream, enqueued);
}

void wan_cuda_wait_begin(struct wan_cuda_wait *wait, struct wan_cuda_queue *queue,
			 enum wan_cuda_scope scope, const void *handle)
{
	uintptr_t key = (uintptr_t)handle;
	wait->count = 0;
	if (scope == WAN_CUDA_ONE_EVENT)
		mark_event(wait, key);
	if (scope != WAN_CUDA_ALL && scope != WAN_CUDA_ONE_STREAM)
		return;
	if (key == WAN_CUDA_STREAM_LEGACY)
		key = 0;
	mark_queue(wait, queue, queue->device, scope, key);
	if (scope == WAN_CUDA_ONE_STREAM && key == WAN_CUDA_STREAM_PER_THREAD)
		return; /* of this thread only */
	uint32_t top = wan_load_relaxed(&queue_top);
	for (uint32_t i = 0; i < top && wait->count < WAN_CUDA_MARKS; i++) {
		struct wan_cuda_queue *other = wan_load_acquire(&queues[i]);
		if (other && other != queue)
			mark_queue(wait, other, queue->device, scope, key);
	}
}

void wan_cuda_wait_end(const struct wan_cuda_wait *wait)
{
	for (uint32_t i = 0; i < wait->count; i++)
		wan_max_relaxed(&wait->marks[i].stream->done, wait->marks[i].enqueued);
}

uint64_t wan_cuda_known_done(int device)
{
	uint64_t done = 0;
	uint32_t top = wan_load_relaxed(&queue_top);
	for (uint32_t i = 0; i < top; i++) {
		struct wan_cuda_queue *queue = wan_load_acquire(&queues[i]);
		for (uint32_t k = 0; queue && k < WAN_CUDA_STREAMS; k++)
			if (device < 0 || queue->streams[k].device == device)
				done += wan_load_relaxed(&queue->streams[k].done);
	}
	return done;
}

uint32_t wan_cuda_outstanding(struct wan_cuda_wait *wait)
{
	struct wan_cuda_wait unused;
	wait = wait ? wait : &unused;
	wait->count = 0;
	uint32_t top = wan_load_relaxed(&queue_top);
	for (uint32_t i = 0; i < top; i++) {
		struct wan_cuda_queue *queue = wan_load_acquire(&queues[i]);
		for (uint32_t k = 0; queue && k < WAN_CUDA_STREAMS; k++)
			mark(wait, &queue->streams[k],
			     wan_load_relaxed(&queue->streams[k].enqueued));
	}
	return wait->count;
}

bool wan_cuda_in_use(void)
{
	return wan_load_relaxed(&queue_top) != 0;
}

void wan_cuda_event_record(struct wan_cuda_queue *queue, const void *event, const void *stream)
{
	struct wan_cuda_stream *entry = wan_cuda_queue_stream(queue, stream);
	uintptr_t key = (uintptr_t)event;
	unsigned at = (unsigned)((uint64_t)key * 0x9e3779b97f4a7c15u >> EVENT_SHIFT);
	if (!entry->step)
		return; /* part of a graph */
	wan_store_relaxed(&events[at].event, 0);
	wan_fence_release();
	wan_store_relaxed(&events[at].stream, entry);
	wan_store_relaxed(&events[at].enqueued, entry->enqueued);
	wan_store_release(&events[at].event, key);
}

void wan_cuda_capture(struct wan_cuda_queue *queue, const void *stream, bool begins)
{
	struct wan_cuda_stream *entry = wan_cuda_queue_stream(queue, stream);
	entry->step = begins ? 0 : 1;
}

void wan_cuda_work_clear(void)
{
	memset(queues, 0, sizeof(queues));
	memset(events, 0, sizeof(events));
	queue_top = 0;
}
