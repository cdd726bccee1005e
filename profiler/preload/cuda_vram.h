/* SPDX-License-Identifier: MIT */
/* What is allocated on each device over time: a few samples among the records. */
#ifndef WAN_PRELOAD_CUDA_VRAM_H
#define WAN_PRELOAD_CUDA_VRAM_H

#include <stdint.h>

#include "writer.h"

enum { WAN_CUDA_VRAM_DEVICES = 17 }; /* the last: device not known */

/* live has changed to that; peak: the highest so far. lane: the calling thread's, or NULL. */
void wan_cuda_vram_changed(struct wan_lane *lane, unsigned device, uint64_t live, uint64_t peak);
void wan_cuda_vram_after_fork(void);

#endif
