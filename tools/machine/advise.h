/* SPDX-License-Identifier: MIT */
/* All advice for one machine and one wish. Pure: looks at nothing. */
#ifndef WAN_TOOLS_ADVISE_H
#define WAN_TOOLS_ADVISE_H

#include "advice.h"

/* What was measured of a run; fps NAN or 0: nothing. */
struct advise_measured {
	double fps, frames, seconds;
	unsigned width_px, height_px; /* of what it wrote; 0: unknown */
	bool frames_told;             /* by the user; else counted as images that were written */
	char doubt[160];              /* what may have slowed it down; "" */
};

struct advise_request {
	unsigned width_px, height_px; /* 0: the measured size, else the tier's */
	bool has_quality, has_mode;
	enum quality quality;
	enum speed_mode mode;
	double target_fps; /* 0: 5 */
	unsigned frames;   /* 0: 120 */
	/* What is allotted now, to be judged; 0: not told. */
	double threads, memory_gb, vram_gb;
	struct advise_measured measured;
};

struct advise_chunks {
	const char *layout;
	unsigned bytes_per_pixel;
	uint64_t frame_bytes;
	unsigned frames; /* in a chunk; 0: not one fits */
	uint64_t chunks; /* of the whole clip; 1: at once */
};

enum { ADVISE_LINES = 8, ADVISE_LAYOUTS = 2 };
struct advise_line {
	char text[64]; /* "cache.limit = 256M" */
	const char *why;
};

struct advise {
	enum machine_tier tier;
	double total_gb, available_gb, vram_gb; /* 0: unknown, or none */
	struct thread_advice threads;
	enum allotment threads_judged, memory_judged, vram_judged; /* of what was told */
	struct range memory, vram;
	double target_fps;
	struct speed_setup asked;
	struct speed_advice speed;
	bool measured;          /* the base is of the measured run */
	double base, model_fps; /* model_fps: of asked by the model alone */
	unsigned offered_width_px, offered_height_px;
	unsigned frames;
	uint64_t chunk_available_bytes, chunk_reserve_bytes;
	struct advise_chunks chunks[ADVISE_LAYOUTS];
	struct advise_line lines[ADVISE_LINES];
	unsigned line_count;
};
void advise_for(const struct machine *machine, const struct advise_request *request,
		struct advise *ret_advise);

#endif
