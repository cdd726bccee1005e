/* SPDX-License-Identifier: MIT */
/* SQLite, loaded when the index is opened: no start of wanprof waits for it, and where it is not
 * installed recordings are read each time. */
#ifndef WAN_TOOLS_SQLITE_LATE_H
#define WAN_TOOLS_SQLITE_LATE_H

#include <sqlite3.h>

struct sqlite_late {
#define CALL(name) __typeof__(&sqlite3_##name) name;
#include "sqlite_late.def"
#undef CALL
};

/* NULL: it is not installed, or lacks a function. WAN_SQLITE names a stand-in. It stays loaded.
 * Threads: one at a time, as all that uses the index. */
const struct sqlite_late *sqlite_late(void);

#endif
