/* SPDX-License-Identifier: MIT */
/* Memory of GPUs over time, from the samples of the CUDA hooks: what its peak was while something
 * went on. */
#ifndef WAN_PROFILER_VRAM_H
#define WAN_PROFILER_VRAM_H

#include "trackers.h"
#include "view.h"

struct wan_vram_sample {
	uint64_t time_ns; /* monotonic, of its process */
	uint64_t live, high;
};

/* One device as one process used it. */
struct wan_vram_line {
	const struct wan_process *process;
	const char *device;
	struct wan_vram_sample *samples; /* by time */
	uint64_t *block_highs;           /* of 64 samples each */
	size_t count;
};

struct wan_vram {
	struct wan_vram_line *lines;
	size_t count;
};

/* 0, -ENOMEM. */
int wan_vram_init(struct wan_vram *vram, const struct wan_view *view);
void wan_vram_finish(struct wan_vram *vram);
/*
 * The most that a process had allocated on one device in that time, of the device where it was the
 * most; within 1/64 of the device's peak or 1 MiB. UINT64_MAX: not known: no device was used.
 */
uint64_t wan_vram_peak(const struct wan_vram *vram, const struct wan_process *process,
		       uint64_t start_ns, uint64_t end_ns);
/* While that operation went on. */
uint64_t wan_vram_operation_peak(const struct wan_vram *vram,
				 const struct wan_view_operation *operation);
/* Over all stretches of that phase in all jobs. */
uint64_t wan_vram_phase_peak(const struct wan_vram *vram, const struct wan_view *view,
			     const struct wan_trackers *trackers, const char *phase);

#endif
