/* SPDX-License-Identifier: MIT */
/* How large a chunk may be, and what one frame of it has been found to take. Pure. */
#ifndef WAN_MEMMGR_CHUNK_RULE_H
#define WAN_MEMMGR_CHUNK_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "wan/memory.h"

/* The last chunks are what counts: a job may change its mind about what it does with a frame. */
enum { WAN_CHUNK_SAMPLES = 32, WAN_CHUNK_SAMPLES_NEEDED = 3 };

struct wan_chunk_samples {
	uint64_t frame_bytes[WAN_CHUNK_SAMPLES];
	uint32_t count; /* ever */
	bool exact;     /* all of them told by the caller */
};
void wan_chunk_samples_add(struct wan_chunk_samples *samples, uint64_t frame_bytes, bool exact);
/* 95th percentile, nearest rank; 0 while there are fewer than three. */
uint64_t wan_chunk_samples_p95(const struct wan_chunk_samples *samples);
/* What a frame is planned with. *ret_measured: by samples. */
uint64_t wan_chunk_frame_bytes(const struct wan_chunk_samples *samples, uint64_t estimate_bytes,
			       bool *ret_measured);

/* One memory that a chunk must fit into. */
struct wan_chunk_place {
	const char *name;
	uint64_t headroom_bytes, limit_bytes,
		frame_bytes; /* frame_bytes 0: it takes nothing there */
	bool measured, gpu;
};
struct wan_chunk_wish {
	uint64_t left;        /* frames */
	uint32_t least, most; /* preferred */
	uint32_t fits;        /* known not to fail; UINT32_MAX: nothing is known */
};
/* The smallest of what the places allow, with its reason and figures. */
void wan_chunk_advise(const struct wan_chunk_place *places, uint32_t place_count,
		      const struct wan_chunk_wish *wish, struct wan_chunk_advice *ret_advice);

#endif
