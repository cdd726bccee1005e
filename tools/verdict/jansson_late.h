/* SPDX-License-Identifier: MIT */
/* jansson, loaded when the first document is read: no start of wanprof waits for it, and where it
 * is not installed recordings are read all the same. */
#ifndef WAN_TOOLS_JANSSON_LATE_H
#define WAN_TOOLS_JANSSON_LATE_H

#include <jansson.h>

struct jansson_late {
#define CALL(name) __typeof__(&json_##name) name;
#include "jansson_late.def"
#undef CALL
};

/* NULL: it is not installed, or lacks a function. WAN_JANSSON names a stand-in. It stays loaded.
 * Threads: one at a time, as all that reads JSON. */
const struct jansson_late *jansson_late(void);

#endif
