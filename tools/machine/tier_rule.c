/* SPDX-License-Identifier: MIT */
/* Which tier a machine belongs to. Pure; the bounds are those of the requirements. */
#include <math.h>

#include "machine.h"
#include "macros.h"
#include "str.h"

static const char *const names[MACHINE_TIERS] = {
	[MACHINE_TIER_MINIMAL] = "minimal",
	[MACHINE_TIER_BUDGET] = "budget",
	[MACHINE_TIER_MID_RANGE] = "mid-range",
	[MACHINE_TIER_HIGH_END] = "high-end",
};

static const struct machine_tier_bounds bounds[MACHINE_TIERS] = {
	[MACHINE_TIER_HIGH_END] = {6, 16, 0},
	[MACHINE_TIER_MID_RANGE] = {4, 12, 0},
	[MACHINE_TIER_BUDGET] = {0, 8, 4},
};

const struct machine_tier_bounds *machine_tier_bounds(enum machine_tier tier)
{
	return &bounds[tier];
}

enum machine_tier machine_tier(double vram_gb, double ram_gb, unsigned cpus)
{
	enum machine_tier tier = MACHINE_TIER_HIGH_END;
	while (tier > MACHINE_TIER_MINIMAL &&
	       !(vram_gb >= bounds[tier].vram_gb && ram_gb >= bounds[tier].ram_gb &&
		 cpus >= bounds[tier].cpus))
		tier--;
	return tier;
}

double machine_nominal_gb(uint64_t bytes)
{
	static const double sold[] = {1,  2,  3,  4,  6,  8,   10,  11,  12,  16,  20,  24,  32,
				      40, 48, 64, 80, 96, 128, 192, 256, 384, 512, 768, 1024};
	double gb = (double)bytes / (double)MACHINE_GIB;
	for (size_t i = 0; i < WAN_COUNT_OF(sold); i++)
		if (gb <= sold[i])
			return gb >= sold[i] * 0.93 ? sold[i] : gb;
	return gb;
}

uint64_t machine_memory_bytes(const struct machine *machine)
{
	if (!machine->memory_bytes)
		return machine->memory_limit_bytes == MACHINE_UNLIMITED
			       ? 0
			       : machine->memory_limit_bytes;
	return WAN_MIN(machine->memory_bytes, machine->memory_limit_bytes);
}

double machine_cpus(const struct machine *machine)
{
	double cpus = machine->usable ? machine->usable : machine->logical;
	if (machine->cpu_quota > 0 && (cpus == 0 || machine->cpu_quota < cpus))
		return machine->cpu_quota;
	return cpus;
}

const struct machine_gpu *machine_largest_gpu(const struct machine *machine)
{
	const struct machine_gpu *largest = NULL;
	for (unsigned i = 0; i < machine->gpus.count; i++) {
		const struct machine_gpu *gpu = &machine->gpus.gpu[i];
		if (!largest || gpu->total_bytes > largest->total_bytes)
			largest = gpu;
	}
	return largest;
}

enum machine_tier machine_tier_of(const struct machine *machine)
{
	const struct machine_gpu *gpu = machine_largest_gpu(machine);
	return machine_tier(gpu ? machine_nominal_gb(gpu->total_bytes) : 0,
			    machine_nominal_gb(machine_memory_bytes(machine)),
			    (unsigned)floor(machine_cpus(machine)));
}

const char *machine_tier_name(enum machine_tier tier)
{
	return (unsigned)tier < MACHINE_TIERS ? names[tier] : "unknown";
}

bool machine_tier_find(const char *name, enum machine_tier *ret_tier)
{
	for (unsigned i = 0; i < MACHINE_TIERS; i++)
		if (wan_str_equal(name, names[i])) {
			*ret_tier = (enum machine_tier)i;
			return true;
		}
	return false;
}
