/* SPDX-License-Identifier: MIT */
/*
 * Memory at the ends of iterations, for the leak test: what the process holds is written down when
 * an outermost operation ends, when a job's step is told, and where the program says so. Off unless
 * record.heap is on: then nothing is asked of anybody.
 */
#ifndef WAN_RECORD_HEAP_MARK_H
#define WAN_RECORD_HEAP_MARK_H

#include <stdbool.h>
#include <stdint.h>

struct wan_recorder;

enum wan_heap_mark_kind {
	WAN_HEAP_MARK_OPERATION = 1,
	WAN_HEAP_MARK_STEP,
	WAN_HEAP_MARK_ITERATION, /* wan_leak_iteration() */
};

/* record.heap; written before the process has a recorder. */
extern bool wan_heap_marks_on;

/* Write one down; name is a string id, done what the job has done (0: does not count). Of
 * operations and of steps the first 512, then as many as take 5 % of the time: books cost up to a
 * millisecond to read. Keeps errno. */
void wan_heap_mark(struct wan_recorder *recorder, enum wan_heap_mark_kind kind, uint16_t name,
		   uint64_t done);
/* A linked runtime says how to ask for its pool of image buffers, which is no part of a heap. */
void wan_heap_mark_pool(struct wan_recorder *recorder,
			void (*pool)(uint64_t *ret_in_use, uint64_t *ret_idle));

/* Resident bytes of this process that belong to no file and are not shared. 0, negative errno. */
int wan_heap_resident_bytes(uint64_t *ret_bytes);

#endif
