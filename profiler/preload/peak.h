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
/*
 * For another thread that works on the same: its level goes to *ret_net, and from now on *cell (an
 * absolute level, INT64_MIN: too many at once) rises to the highest one seen. False: nobody counts.
 * look brings all cells of the calling thread up to date; part ends it, from any thread.
 */
bool wan_peak_join(const struct wan_lane *lane, int64_t *cell, int64_t *ret_net);
void wan_peak_look(const struct wan_lane *lane, int64_t *ret_net);
void wan_peak_part(uint32_t lane, const int64_t *cell);
/* Any thread. */
void wan_peak_forget(struct wan_object *object);

#endif
