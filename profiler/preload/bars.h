/* SPDX-License-Identifier: MIT */
/*
 * The progress bars of this process, found in what it writes: lines by descriptor, bars by line,
 * trackers in the recording by bar. No lock, no allocation; may be called from any thread and from
 * signal handlers. Who comes while another one is at work on the same line for longer than a
 * microsecond goes on unseen: the next drawing says what this one would have said.
 */
#ifndef WAN_PRELOAD_BARS_H
#define WAN_PRELOAD_BARS_H

#include <stddef.h>
#include <stdint.h>

#include "atomics.h"
#include "bar_line.h"
#include "macros.h"

/* A bit for each descriptor modulo 64 that has a line. */
extern uint64_t wan_bars_followed;

/* What has been written to fd, after it was. */
void wan_bars_written_far(int fd, const char *bytes, size_t count);

static inline bool wan_bars_has_line(int fd)
{
	return wan_load_relaxed(&wan_bars_followed) >> (fd & 63) & 1;
}

static inline void wan_bars_written(int fd, const char *bytes, size_t count)
{
	if (wan_likely(!wan_bars_has_line(fd)) &&
	    (count > WAN_BAR_WRITE_BYTES || wan_likely(!wan_bar_may_begin(bytes, count))))
		return;
	wan_bars_written_far(fd, bytes, count);
}

/* The program waited for its device: more of what was enqueued is known to be done. */
void wan_bars_device_waited(void);

#endif
