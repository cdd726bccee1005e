/* SPDX-License-Identifier: MIT */
/* What the files that cut a recording into iterations share. */
#ifndef WAN_TOOLS_LEAK_PARTS_H
#define WAN_TOOLS_LEAK_PARTS_H

#include "leak.h"

/* Marks at the ends of iterations, borrowed from the process. */
struct leak_readings {
	const struct wan_process_event **events;
	double *at; /* iterations done */
	size_t count;
};

/* Takes the bytes of the picture held at each reading off, where readings follow its size, and
 * notes it in the report. */
void leak_take_picture_off(const struct wan_process *process, const struct leak_readings *cut,
			   struct wan_leak_reading *readings, struct leak_report *report);

#endif
