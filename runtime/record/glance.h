/* SPDX-License-Identifier: MIT */
/*
 * A light look at the recording of a living process, for who looks many times a second: header,
 * counters, latencies of trackers, operations in flight; no records and no sums. Costs about 30 us
 * and the process nothing. The descriptor stays open, so that what is renamed, packed or removed
 * meanwhile can still be looked at.
 */
#ifndef WAN_RECORD_GLANCE_H
#define WAN_RECORD_GLANCE_H

#include <stdbool.h>
#include <stddef.h>

#include "reader.h"

struct wan_read_process;

/* Owned by the caller; all zeros with fd -1 is one that is not open. */
struct wan_glance {
	int fd;
	char *bytes; /* as much of the file as was looked at, at its offsets */
	size_t room;
	struct wan_read_process *read;
	char path[64]; /* a name of the open file that stays valid */
};

/* Opens and looks once. 0, negative errno (as wan_recording_open); nothing is open on failure. */
int wan_glance_open(const char *path, struct wan_glance *glance);
/* Looks again. 0, negative errno: then what was seen before stays. */
int wan_glance_look(struct wan_glance *glance);
/* Has a tracker told something since the latest look? Costs about 6 us. */
bool wan_glance_moved(const struct wan_glance *glance);
/* What the latest look saw, borrowed until the next one: no operations, aggregates or events. Its
 * state is UNKNOWN when the process is gone and did not tell how. */
const struct wan_process *wan_glance_process(const struct wan_glance *glance);
void wan_glance_close(struct wan_glance *glance);

#endif
