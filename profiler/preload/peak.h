/* SPDX-License-Identifier: MIT */
/*
 * Memory of an operation by the counters of the calling thread (heap.h). There is one peak per
 * thread, so whenever an operation begins or ends, the peak so far is handed to all that are open
 * on the thread, and starts anew.
 */
#ifndef WAN_PRELOAD_PEAK_H
#define WAN_PRELOAD_PEAK_H

#include "object_state.h"

void wan_peak_begin(struct wan_object *object);
/* Net bytes and peak above the start (negative: unknown). False: the allocator does not tell. On
 * the thread that began only. */
bool wan_peak_end(struct wan_object *object, int64_t *ret_net, int64_t *ret_peak);
/* Any thread. */
void wan_peak_forget(struct wan_object *object);

#endif
