/* SPDX-License-Identifier: MIT */
/*
 * Trackers that a program tells itself, through wan_record_share, without libwanrt.so: pure Python
 * under `wanprof run`. done may be stored to words[0] at any time; the rest comes by these calls,
 * now and then. One thread a tracker, as everywhere.
 */
#ifndef WAN_PRELOAD_TOLD_H
#define WAN_PRELOAD_TOLD_H

#include <stdint.h>

/* 63 words (schema.def: TRACKER), or NULL: nothing is recorded, or all places are taken. They stay
 * the caller's until wan_told_end(), in this process; *ret_counts (NULL: no room) is for the steps.
 * total 0: unknown; unit may be NULL. */
uint64_t *wan_told_begin(const char *name, uint64_t total, const char *unit, uint32_t **ret_counts);
/* count steps since the last call. */
void wan_told_steps(uint64_t *words, uint32_t *counts, uint64_t done, uint64_t count);
/* One of enum wan_phase by its number, or, with a name, one of the program's own. */
void wan_told_phase(uint64_t *words, unsigned number, const char *name);
/* A declared one-off may last so long from now on. */
void wan_told_grace(uint64_t *words, uint64_t at_most_ns);
/* outcome: enum wan_tracker_outcome. */
void wan_told_end(uint64_t *words, uint64_t outcome);
/* In the child: the parent's trackers are not this process's. */
void wan_told_after_fork(void);

#endif
