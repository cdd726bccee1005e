/* SPDX-License-Identifier: MIT */
/*
 * An eventfd that somebody else may close: programs close all descriptors they do not know, and
 * open something of their own under the same number. A foreign descriptor is never read, written or
 * closed: the kernel's number of the eventfd is compared before each.
 */
#ifndef WAN_BASE_EVENT_H
#define WAN_BASE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

struct wan_event {
	uint64_t word; /* identity << 32 | descriptor + 1; 0: none; atomic */
};

/* 0, negative errno: there is none then. */
int wan_event_open(struct wan_event *event);
/* To be polled, and no more: it may not be ours any longer. -1: none. */
int wan_event_fd(const struct wan_event *event);
/* False: there is none, or it is not ours, or that cannot be known now. Threads: any. */
bool wan_event_is_ours(const struct wan_event *event);
/* Make it readable. False as above. Threads: any. Cost: 10 us. */
bool wan_event_signal(struct wan_event *event);
/* Make it unreadable. False: it was not ours and is forgotten. Cost: 10 us. */
bool wan_event_drain(struct wan_event *event);
/* Closes what is ours and forgets it. */
void wan_event_close(struct wan_event *event);

#endif
