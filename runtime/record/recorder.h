/* SPDX-License-Identifier: MIT */
/*
 * Inside of the writer. Everything here is private memory of the process, mapped as one zeroed
 * block; what readers see is only what lies behind `map`.
 */
#ifndef WAN_RECORD_RECORDER_H
#define WAN_RECORD_RECORDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "config.h"
#include "place.h"
#include "writer.h"

enum recorder_state {
	WAN_RECORDER_DEAD,     /* nothing may be written: not made, or not ours after a fork */
	WAN_RECORDER_READY,    /* release; acquire in wan_recorder_usable() */
	WAN_RECORDER_FORKED,   /* child of a fork: private pages, own file at the next use */
	WAN_RECORDER_BUILDING, /* one thread makes that file; others wait a while */
};

#define WAN_RECORD_MAX_UNITS   (WAN_RECORD_MAXIMUM / WAN_RECORD_UNIT)
#define WAN_RECORD_STRING_HASH 32768u /* more than the 22 528 ids there can be */

struct wan_recorder {
	/* Same addresses for the whole life, across forks too. */
	char *map;
	size_t map_bytes;
	struct wan_record_header *header; /* = map */
	uint32_t state;                   /* enum recorder_state */
	uint32_t role;
	bool is_process; /* the one of wan_recorder_process() */
	bool must_be_file;

	/* The file; fd -1: memory only. */
	int fd;
	dev_t device;
	ino_t inode;
	bool no_fallocate;   /* the file system cannot: zeros are written instead */
	bool write_first;    /* see wan_space_prepare_unit() */
	uint32_t no_growth;  /* descriptor lost, disk full: wrap from now on */
	uint32_t growing;    /* try-lock of the zero-writing growth */
	uint64_t file_bytes; /* exist behind map; grows, atomic */

	uint32_t chunk_limit;
	uint32_t chunks, lane_count; /* claimed so far, atomic */
	uint64_t free_lanes;         /* tag << 32 | index + 1: stack of lanes given back */
	uint32_t latency_units[WAN_RECORD_COUNTERS]; /* of each block: unit + 1; 0: none */
	uint64_t counters_used;                      /* bit per block, atomic */
	uint32_t anchor_busy;                        /* try-lock */
	uint32_t anchor_sequence;
	uint64_t anchor_ns;
	uint64_t ns_per_tick_32; /* 32.32 fixed point, for histograms */

	/* What is needed to make a child's file. */
	uint64_t keep_files, keep_bytes, capacity, estimate_ns;
	uint8_t run_id[16];
	char job[128];
	char record_path[WAN_PLACE_BYTES]; /* as configured */
	char path[WAN_PLACE_BYTES];        /* "": memory only */

	/* heap_mark.c: the pool of a linked runtime, told by it; when operations and steps were
	 * marked, and what the latest mark took. */
	void (*pool)(uint64_t *ret_in_use, uint64_t *ret_idle);
	uint64_t marked_ticks[2], marks[2], mark_cost_ticks;

	_Alignas(4096) struct wan_lane lanes[WAN_RECORD_LANES];
	uint32_t chain[WAN_RECORD_MAX_UNITS]; /* ring of a lane's chunks: next unit of each */
	_Alignas(4096) uint16_t string_ids[WAN_RECORD_STRING_HASH];
};

/* True when records may be written; makes the file of a forked child. */
bool wan_recorder_usable(struct wan_recorder *recorder);

/* space.c: units of the file. claim returns the first unit or UINT32_MAX; keeps errno. */
uint32_t wan_space_claim(struct wan_recorder *recorder, uint32_t count);
/* Make the first bytes of fd real, so that no store into the mapping can fail. 0, negative errno.
 */
int wan_space_reserve(struct wan_recorder *recorder, uint64_t from, uint64_t bytes);
/* On a disk, pages of an allocated range fault in ten times faster once they have been written
 * (64 KiB: 26 us instead of 265). Should the write fail, they are there all the same, only dearer.
 */
void wan_space_write_first(struct wan_recorder *recorder, uint64_t offset, uint64_t bytes);
/* A unit just claimed, made ready in as few faults as can be: 29 ns a record, not 59. */
void wan_space_prepare_unit(struct wan_recorder *recorder, uint32_t unit);
bool wan_space_is_disk(int fd);
/* Fault pages in now, in one call. */
void wan_space_prefault(struct wan_recorder *recorder, uint64_t offset, uint64_t bytes);
static inline char *wan_space_unit(struct wan_recorder *recorder, uint32_t unit)
{
	return recorder->map + WAN_RECORD_UNITS_AT + (size_t)unit * WAN_RECORD_UNIT;
}

/* header.c: identity, anchors, outcome. */
/* An anchor unless the last one is younger. */
void wan_header_anchor(struct wan_recorder *recorder, uint64_t interval_ns);
void wan_header_fill(struct wan_recorder *recorder, const struct wan_place *place);

/* lane.c: after a fork no lane is held. */
void wan_lanes_reset(struct wan_recorder *recorder);
/* fork and thread-exit handlers, once a process. */
void wan_lanes_prepare(void);

/* fork.c: recorders whose pages must not be shared with a child. */
void wan_recorder_register(struct wan_recorder *recorder);
void wan_recorder_unregister(struct wan_recorder *recorder);
/* writer.c: a fork in the middle of its making must not stop the child. */
void wan_recorder_forget_busy(void);
/* The mapping and the header of a recorder whose limits are set; place may be NULL. */
int wan_recorder_build(struct wan_recorder *recorder, const struct wan_place *place, int fd);

/* fold.c */
struct wan_fold_work {
	struct wan_record_fold *fold;
	uint64_t ns_per_tick_32;
	struct wan_record_aggregate *latest; /* found last; NULL: none yet */
	uint64_t least_ticks;                /* of slowest[], 0: not looked for yet */
	uint32_t least;
};
void wan_fold_operation(struct wan_fold_work *work, const struct wan_record_operation *operation);
/* Next half of the lane's folds with the 255 records at `oldest` added, sealed and in force. */
void wan_fold_chunk(struct wan_lane *lane, const struct wan_record_operation *oldest);

#endif
