/* SPDX-License-Identifier: MIT */
/* A machine as a test wants it. */
#ifndef WAN_TESTS_MADE_MACHINE_H
#define WAN_TESTS_MADE_MACHINE_H

#include "machine.h"

#define GIB MACHINE_GIB

static inline struct machine make(unsigned cores, unsigned logical, double ram_gb, double vram_gb)
{
	struct machine machine = {
		.logical = logical,
		.physical_cores = cores,
		.usable = logical,
		.memory_bytes = (uint64_t)(ram_gb * (double)GIB),
		.memory_available_bytes = (uint64_t)(ram_gb * (double)GIB),
		.memory_headroom_bytes = (uint64_t)(ram_gb * (double)GIB),
		.memory_limit_bytes = MACHINE_UNLIMITED,
		.gpus.state = vram_gb > 0 ? MACHINE_GPU_FOUND : MACHINE_GPU_NONE,
		.gpus.count = vram_gb > 0,
		.gpus.gpu[0].total_bytes = (uint64_t)(vram_gb * (double)GIB),
		.disk = {.known = true, .total_bytes = 500 * GIB, .free_bytes = 400 * GIB},
	};
	return machine;
}

#endif
