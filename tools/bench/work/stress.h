/* SPDX-License-Identifier: MIT */
/* What the files of the stress scenarios share. */
#ifndef WAN_TOOLS_BENCH_STRESS_H
#define WAN_TOOLS_BENCH_STRESS_H

#include "work.h"

enum { STRESS_SOURCES_MAX = 256 };

struct stress_state {
	const char *folder;
	unsigned sources;
	uint32_t width_px, height_px; /* of each */
	struct wan_runtime *runtime;
	uint64_t sums[STRESS_SOURCES_MAX][2]; /* decoded, fitted */
	uint64_t end_ns, ns;
	uint64_t asked, refused, wrong, failed; /* atomic */
	enum wan_memory_level level;
	double percent;
	char deciding[64];
	uint64_t first_limit, least_limit; /* of the cache */
	uint64_t taken;
	char reason[256]; /* why the result is not what it should be */
};
extern struct stress_state stress;

/* Note level and limits. */
void stress_look(void);

/* Write images to FOLDER/small until none fits. false: it never got full; reason says so. */
bool stress_fill_disk(void);
/* The disk is full still: nothing half-written may be there, and when there is room again images
 * must be written again. Else the reason says what is wrong, and something counts as wrong. */
void stress_judge_disk(void);

#endif
