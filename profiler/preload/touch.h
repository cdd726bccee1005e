/* SPDX-License-Identifier: MIT */
/*
 * Threads that worked on one object. The thread that began an operation is followed by the object
 * itself; what the others used is kept here: each one's CPU since it came, and its memory as of the
 * last time it was seen to leave. An operation of several threads has the sum, and its peak is an
 * upper bound, because the threads need not have had theirs at the same time.
 */
#ifndef WAN_PRELOAD_TOUCH_H
#define WAN_PRELOAD_TOUCH_H

#include "object_state.h"

/* A thread that did not begin the operation calls. */
void wan_touch_enter(struct wan_object *object);
/* A call that was looked at comes back, on whatever thread. */
void wan_touch_leave(struct wan_object *object);
/* CPU of all of them; false when one of them has ended, or they were too many. */
bool wan_touch_cpu(const struct wan_object *object, uint64_t *ret_ns);
/* Net bytes and peak of all of them; peak negative: unknown. False: nobody counts. */
bool wan_touch_memory(struct wan_object *object, int64_t *ret_net, int64_t *ret_peak);
/* The operation is over. Any thread. */
void wan_touch_forget(struct wan_object *object);

#endif
