/* SPDX-License-Identifier: MIT */
/*
 * Live allocations of the program by address: a fixed table, no lock, no allocation. What does not
 * fit is counted as untracked, and "live" is a lower bound from then on.
 */
#ifndef WAN_PRELOAD_CUDA_MEMORY_H
#define WAN_PRELOAD_CUDA_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

enum wan_cuda_kind {
	WAN_CUDA_KIND_DEVICE,
	WAN_CUDA_KIND_MANAGED,
	WAN_CUDA_KIND_PINNED, /* host memory that devices can reach */
	WAN_CUDA_KINDS
};

struct wan_cuda_block {
	uint64_t bytes;
	int32_t device; /* negative: not known (calls of the driver) */
	uint8_t kind;   /* enum wan_cuda_kind */
	bool known;     /* was in the table */
};

/* False: no room. */
bool wan_cuda_memory_insert(uintptr_t address, struct wan_cuda_block block);
/* Take an address out before it is given back: afterwards another thread may be given it. */
struct wan_cuda_block wan_cuda_memory_take(uintptr_t address);
void wan_cuda_memory_clear(void);
/* Forget what lies on a device (it was reset); calls back for each block. */
void wan_cuda_memory_drop_device(int device, void (*dropped)(struct wan_cuda_block block));

#endif
