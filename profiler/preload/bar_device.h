/* SPDX-License-Identifier: MIT */
/*
 * A bar counts what was given to the device, often long before it is done. Each drawing is marked
 * with what the device still had to do then; once the program's own waiting shows that to be done,
 * so is the step. Thus the told step is never ahead of the device, as far behind as the program's
 * last wait. A drawing with nothing outstanding is done.
 */
#ifndef WAN_PRELOAD_BAR_DEVICE_H
#define WAN_PRELOAD_BAR_DEVICE_H

#include <stdint.h>

struct wan_bar_device;

enum { WAN_BAR_DEVICE_MARKS = 32, WAN_BAR_DEVICE_STREAMS = 4 };

struct wan_cuda_stream;

struct wan_bar_mark {
	uint64_t done;
	uint32_t count; /* of streams; more than fit: all work there is */
	struct {
		const struct wan_cuda_stream *stream;
		uint64_t enqueued;
	} streams[WAN_BAR_DEVICE_STREAMS];
};

struct wan_bar_device {
	uint32_t busy; /* 1: somebody is at work, 2: and shall look again */
	uint32_t first, count;
	uint64_t *word; /* "device_done" of the tracker; NULL: no run */
	struct wan_bar_mark marks[WAN_BAR_DEVICE_MARKS]; /* oldest first, from first on */
};

/* A run begins: nothing is known. word NULL: it is over. */
void wan_bar_device_begin(struct wan_bar_device *device, uint64_t *word);
/* A drawing. */
void wan_bar_device_step(struct wan_bar_device *device, uint64_t done);
/* From any thread. */
void wan_bar_device_waited(struct wan_bar_device *device);

#endif
