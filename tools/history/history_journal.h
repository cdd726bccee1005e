/* SPDX-License-Identifier: MIT */
/*
 * Runs that ended since the index was written last: a line each, appended by `wanprof run` without
 * a database, taken over into the index by who reads it next. In builds without SQLite it stays.
 */
#ifndef WAN_TOOLS_HISTORY_JOURNAL_H
#define WAN_TOOLS_HISTORY_JOURNAL_H

#include "history_index.h"

/* One line: what the file was, and its run. 0, -EBUSY, -EFBIG (full), negative errno. */
int history_journal_append(const char *state, uint64_t bytes, uint64_t changed_ns,
			   const char *line);
/* Puts its runs into the index and holds it until finish. Returns a descriptor, -1: there is none.
 * Lines that are not sound are passed over. */
int history_journal_take(const char *state, struct history_index *index);
/* taken: everything is in the index now, so the journal is emptied. */
void history_journal_finish(int fd, bool taken);

#endif
