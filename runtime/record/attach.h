/* SPDX-License-Identifier: MIT */
/*
 * A linked runtime inside a recorded program joins the preload library's recording through this one
 * symbol, which only the preload library exports and libwanrt.so looks up by dlsym(RTLD_DEFAULT).
 */
#ifndef WAN_RECORD_ATTACH_H
#define WAN_RECORD_ATTACH_H

#include <stdint.h>

#define WAN_RECORD_SHARE_SYMBOL  "wan_record_share"
#define WAN_RECORD_SHARE_VERSION 3u

struct wan_recorder;

struct wan_record_share {
	uint32_t version;        /* WAN_RECORD_SHARE_VERSION */
	uint32_t recorder_bytes; /* sizeof of the private struct: both sides must be of one build */
	struct wan_recorder *(*recorder)(void);
	/* +1 when the runtime begins an operation on this thread, -1 when it ends: hooks below it
	 * are recorded as children. */
	void (*operation_open)(int delta);
	/* +1 before this thread prints a progress bar whose job is told as a tracker anyway, -1
	 * after: it is not read off the output once more (wan_lane.own_output). */
	void (*own_output)(int delta);
	/* A tracker for who has no libwanrt.so in reach, see profiler/preload/told.h; not one of
	 * these needs the struct version of its caller's build. */
	uint64_t *(*tracker_begin)(const char *name, uint64_t total, const char *unit,
				   uint32_t **ret_counts);
	void (*tracker_steps)(uint64_t *words, uint32_t *counts, uint64_t done, uint64_t count);
	void (*tracker_phase)(uint64_t *words, unsigned number, const char *name);
	void (*tracker_grace)(uint64_t *words, uint64_t at_most_ns);
	void (*tracker_end)(uint64_t *words, uint64_t outcome);
};

/* The share of a preloaded library of the same build, or NULL. */
const struct wan_record_share *wan_record_share_find(void);

#endif
