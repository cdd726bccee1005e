/* SPDX-License-Identifier: MIT */
/*
 * The preload library as a whole: whether it records, where to, and what it has seen. It never
 * prints and never exits; when anything is missing, hooks only pass calls on.
 */
#ifndef WAN_PRELOAD_H
#define WAN_PRELOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "resolve.h"
#include "writer.h"

enum wan_operation_name {
	WAN_NAME_JPEG_DECODE,
	WAN_NAME_JPEG_ENCODE,
	WAN_NAME_JPEG_TRANSFORM,
	WAN_NAME_PNG_DECODE,
	WAN_NAME_PNG_ENCODE,
	WAN_NAME_YUV_CONVERT,
	WAN_NAME_COUNT
};

/*
 * The recorder, made by the first operation (a shell that only starts other programs leaves no
 * file); NULL when recording is off or impossible.
 */
struct wan_recorder *wan_preload_recorder(void);
/* Will there be one? Cheap; makes none. */
bool wan_preload_records(void);
/* String id of an operation's name in that recorder. */
uint16_t wan_preload_name_id(struct wan_recorder *recorder, enum wan_operation_name name);
/* One more of what for a family. Any thread; before start too. */
void wan_preload_count(enum wan_family family, enum wan_cover what);
/* Python modules are to be seen: profile.python_hooks, and recording is on. */
bool wan_preload_sees_python(void);
/* A library that is out of reach by its nature has been loaded; said once. name: static. */
void wan_preload_note_out_of_reach(const char *name);
/* A library has been bound: its version goes into the header, now or when there is one. */
void wan_preload_note_codec(struct wan_codec *codec);

#endif
