/* SPDX-License-Identifier: MIT */
/* What the requirements say of tiers, levels and measured machines: data and the rules on it. Pure.
 */
#ifndef WAN_TOOLS_REQUIREMENTS_H
#define WAN_TOOLS_REQUIREMENTS_H

#include "machine.h"

enum quality {
	QUALITY_ULTRA,
	QUALITY_HIGH,
	QUALITY_MEDIUM,
	QUALITY_LOW,
	QUALITIES,
};
const char *quality_name(enum quality quality);
bool quality_find(const char *name, enum quality *ret_quality);

/* What a tier is set up with; always 24 frames a second. */
struct tier_setup {
	unsigned width_px, height_px;                 /* as the requirements say */
	unsigned offered_width_px, offered_height_px; /* a size that the model makes */
	enum quality quality;
	bool gpu, parallel;
	const char *condition;
};
const struct tier_setup *tier_setup(enum machine_tier tier);

struct range {
	double low, high; /* both belong to it */
};
/* What a clip of 5 s and its resources are expected to take. */
struct tier_expectation {
	const char *name; /* of the row: the tier's, or "CPU only" */
	struct range load_s, clip_720_s, clip_1080_s;
	double memory_gb, vram_gb;     /* less than; vram 0: none */
	struct range cpu_pct, gpu_pct; /* high 0: the requirements have no row */
	double io_pct;                 /* less than; 0: no row */
};
/* has_gpu: there is a card, even if it is too small for the tier. */
const struct tier_expectation *tier_expectation(enum machine_tier tier, bool has_gpu);
/* Frames of the requirements' clip (5 s at 24 per second) over its duration. */
struct range tier_frames_per_s(struct range clip_s);

/* Machines that were measured: 5 s, 120 frames, 1920x1080, high. */
enum speed_mode {
	SPEED_GPU_PARALLEL,
	SPEED_GPU,
	SPEED_CPU_PARALLEL,
	SPEED_CPU,
	SPEED_MODES,
};
const char *speed_mode_name(enum speed_mode mode); /* "gpu_parallel", ... */
struct measured_machine {
	const char *name, *hardware;
	struct {
		double seconds, fps, memory_gb; /* 0: no row */
	} mode[SPEED_MODES];
	double quality_gpu, quality_cpu;
};
/* NULL where no such machine was measured (minimal). */
const struct measured_machine *tier_measured(enum machine_tier tier);

/* Levels of the hardware requirements. */
enum level {
	LEVEL_BELOW,
	LEVEL_MINIMUM,
	LEVEL_RECOMMENDED,
	LEVEL_OPTIMAL,
	LEVELS,
};
struct level_needs {
	const char *name, *use, *processor, *graphics, *storage;
	unsigned cores;                        /* of the processors named */
	double memory_gb, vram_gb, storage_gb; /* vram 0: any */
	bool fast_disk;
	struct range fps;
};
const struct level_needs *level_needs(enum level level);
/* What a machine lacks for a level, as bits. What is unknown is not called missing, but unknown. */
enum level_lack {
	LACKS_CORES = 1,
	LACKS_MEMORY = 2,
	LACKS_GPU = 4,
	LACKS_STORAGE = 8,
	LACKS_FAST_DISK = 16,
};
struct level_judgement {
	enum level level; /* the highest whose needs are met */
	unsigned lacks;   /* for the next level; 0 at the top */
	unsigned unknown; /* of the same bits: could not be judged */
};
struct level_judgement level_judge(const struct machine *machine);

#endif
