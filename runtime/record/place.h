/* SPDX-License-Identifier: MIT */
/* Where recordings live: the folder, the name, and how many old ones stay. No heap, no lock. */
#ifndef WAN_RECORD_PLACE_H
#define WAN_RECORD_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WAN_PLACE_BYTES 4096

/* Names a process: NAME-PID-START. */
struct wan_place {
	uint32_t pid;
	uint64_t start_ticks;
	char executable[256];
};

void wan_place_self(struct wan_place *ret_place);

/*
 * Create the file for this process, empty, owner only. configured: value of record.path. ret_path
 * gets WAN_PLACE_BYTES. Returns a descriptor, or -ENOENT ("off", or no folder is known), -EPERM
 * (the folder belongs to or is writable by others), another negative errno.
 */
int wan_place_create(const struct wan_place *place, const char *configured, char *ret_path);
/* A file of exactly this name, which must not exist. */
int wan_place_create_exact(const char *path);
/* True when the configured place is the default folder, the only one that is tidied. */
bool wan_place_is_default(const char *configured);
/* Remove the oldest recordings of the default folder beyond the limits, never a living one. */
void wan_place_tidy(uint64_t keep_files, uint64_t keep_bytes);

/* $XDG_STATE_HOME/wanrt or ~/.local/state/wanrt. 0, -ENOENT, -ENAMETOOLONG. */
int wan_place_default_folder(char *to, size_t bytes);
/* Pid and start out of NAME-PID-START[-N].wprof. */
bool wan_place_parse(const char *name, uint32_t *ret_pid, uint64_t *ret_start_ticks);
/* Does this process still live? pid alone is not enough: it may have been used again. */
bool wan_place_lives(uint32_t pid, uint64_t start_ticks);

#endif
