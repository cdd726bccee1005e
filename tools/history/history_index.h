/* SPDX-License-Identifier: MIT */
/*
 * What was read of recordings before, so that a thousand of them are not read again: a table of
 * path, size, time of change and the line of the run (history_runs.h) in SQLite. The files are the
 * truth: an index that is damaged, of another program or of a newer version is put aside and made
 * anew; where none can be had, everything works without. Nobody who records ever waits for it.
 */
#ifndef WAN_TOOLS_HISTORY_INDEX_H
#define WAN_TOOLS_HISTORY_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct history_entry {
	char *path;
	uint64_t bytes;
	uint64_t changed_ns;
	char *line; /* NULL: there is no run in it, or it is no recording */
	bool seen;  /* by the caller */
	bool changed;
};

struct history_index {
	void *database;                /* NULL: works without */
	struct history_entry *entries; /* by path */
	size_t count, capacity, loaded;
	size_t salvaged;  /* lines out of an index that was put aside */
	char remark[400]; /* what was wrong with it and what was done; "" */
};

/* How long a lock of another wanprof is waited for. */
#define HISTORY_INDEX_WAIT_MS 1000

/*
 * Opens FOLDER/history.sqlite (made if it is not there) and reads it. rebuild: what it says of
 * files that are there counts for nothing. Never fails but for memory: 0, -ENOMEM.
 */
int history_index_open(struct history_index *index, const char *folder);
/* The entry of a path; NULL: none. Valid until the next put. */
struct history_entry *history_index_find(struct history_index *index, const char *path);
/* As find, or a new one. NULL: no memory. */
struct history_entry *history_index_put(struct history_index *index, const char *path);
/* Writes what changed, all or nothing. True: it is written. */
bool history_index_save(struct history_index *index);
void history_index_close(struct history_index *index);
/* Was this program built to use SQLite? */
bool history_index_in_build(void);
/* ... and is SQLite there? Loads it. */
bool history_index_possible(void);

#endif
