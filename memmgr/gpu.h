/* SPDX-License-Identifier: MIT */
/* The GPUs that this program uses: each for itself, against its own limits. */
#ifndef WAN_MEMMGR_GPU_H
#define WAN_MEMMGR_GPU_H

#include <stdbool.h>
#include <stdint.h>

#include "wan/memory.h"

/* This program uses a device (-1: the one current in this thread). Its number, negative errno. */
int wan_gpu_use(struct wan_memory *memory, int device);
/* Ask one device that is in use now. 0, -ENODEV, -EIO; state may be NULL. */
int wan_gpu_look(struct wan_memory *memory, int device, struct wan_gpu_state *state);
/* Look at all that are in use, publish the fullest, halve batches where memory.gpu is passed. */
void wan_gpu_tick(struct wan_memory *memory, uint64_t now_ns);
/* Whether batches there may grow: unknown ones may, since they shrink after failures. */
bool wan_gpu_is_calm(struct wan_memory *memory, int device);

/* Bytes that CUDA_MPS_PINNED_DEVICE_MEM_LIMIT ("0=1G,1=512M") allows on a device; UINT64_MAX: it
 * says nothing about it. Pure; text may be NULL. Source: NVIDIA's documentation of MPS. */
uint64_t wan_gpu_mps_limit(const char *text, int device);
/* What may be taken and how full that is. own_bytes: of this process, UINT64_MAX when unknown (then
 * all that is used counts as ours against our own limits). Fills limit, headroom and percent from
 * total, used and reusable. Pure. */
void wan_gpu_judge(struct wan_gpu_state *state, uint64_t own_bytes, uint64_t cap_bytes,
		   uint64_t mps_limit_bytes);

#endif
