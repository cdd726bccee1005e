/* SPDX-License-Identifier: MIT */
#include "bar_device.h"

#include <stdbool.h>
#include <stddef.h>

#include "cuda_work.h"

enum { WAITS = 4096 };

/* The other one is through in a microsecond. False: it was asked to look again in our place. */
static bool take(struct wan_bar_device *device)
{
	uint32_t idle = 0, busy = 1;
	if (wan_cas_acq_rel(&device->busy, &idle, 1))
		return true;
	wan_cas_acq_rel(&device->busy, &busy, 2);
	return false;
}

static bool take_patiently(struct wan_bar_device *device)
{
	for (unsigned i = 0; i < WAITS; i++) {
		uint32_t idle = 0;
		if (wan_cas_acq_rel(&device->busy, &idle, 1))
			return true;
		wan_pause();
	}
	return false;
}

static bool is_done(const struct wan_bar_mark *mark)
{
	if (mark->count > WAN_BAR_DEVICE_STREAMS)
		return wan_cuda_outstanding(NULL) == 0;
	for (uint32_t i = 0; i < mark->count; i++)
		if (wan_load_relaxed(&mark->streams[i].stream->done) < mark->streams[i].enqueued)
			return false;
	return true;
}

static void settle(struct wan_bar_device *device)
{
	while (device->count && is_done(&device->marks[device->first])) {
		wan_store_relaxed(device->word, device->marks[device->first].done + 1);
		device->first = (device->first + 1) % WAN_BAR_DEVICE_MARKS;
		wan_store_relaxed(&device->count, device->count - 1);
	}
}

static void leave(struct wan_bar_device *device)
{
	uint32_t busy = 1;
	while (!wan_cas_acq_rel(&device->busy, &busy, 0)) {
		wan_store_relaxed(&device->busy, 1);
		settle(device);
		busy = 1;
	}
}

void wan_bar_device_begin(struct wan_bar_device *device, uint64_t *word)
{
	if (!take_patiently(device))
		return;
	device->word = word;
	device->first = 0;
	wan_store_relaxed(&device->count, 0);
	leave(device);
}

static struct wan_bar_mark *mark_at(struct wan_bar_device *device, uint32_t index)
{
	return &device->marks[(device->first + index) % WAN_BAR_DEVICE_MARKS];
}

/* The one goes that leaves the smallest gap; the latest stays. */
static void thin_out(struct wan_bar_device *device)
{
	uint64_t before = wan_load_relaxed(device->word) - 1, best_gap = UINT64_MAX;
	uint32_t best = 0;
	for (uint32_t i = 0; i + 1 < device->count; i++) {
		uint64_t gap = mark_at(device, i + 1)->done - before;
		before = mark_at(device, i)->done;
		if (gap < best_gap) {
			best_gap = gap;
			best = i;
		}
	}
	for (uint32_t i = best; i + 1 < device->count; i++)
		*mark_at(device, i) = *mark_at(device, i + 1);
	wan_store_relaxed(&device->count, device->count - 1);
}

static void add_mark(struct wan_bar_device *device, uint64_t done, const struct wan_cuda_wait *wait)
{
	if (device->count == WAN_BAR_DEVICE_MARKS)
		thin_out(device);
	struct wan_bar_mark *mark = mark_at(device, device->count);
	mark->done = done;
	mark->count = wait->count;
	for (uint32_t i = 0; i < wait->count && wait->count <= WAN_BAR_DEVICE_STREAMS; i++) {
		mark->streams[i].stream = wait->marks[i].stream;
		mark->streams[i].enqueued = wait->marks[i].enqueued;
	}
	wan_store_relaxed(&device->count, device->count + 1);
}

void wan_bar_device_step(struct wan_bar_device *device, uint64_t done)
{
	struct wan_cuda_wait wait;
	if (!wan_cuda_in_use() || !take_patiently(device))
		return;
	if (device->word) {
		wan_cuda_outstanding(&wait);
		if (wan_load_relaxed(device->word) == 0) /* the device is known from now on */
			wan_store_relaxed(device->word, 1);
		add_mark(device, done, &wait);
		settle(device);
	}
	leave(device);
}

void wan_bar_device_waited(struct wan_bar_device *device)
{
	if (!wan_load_relaxed(&device->count) || !take(device))
		return;
	settle(device);
	leave(device);
}
