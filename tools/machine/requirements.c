/* SPDX-License-Identifier: MIT */
/* Figures as the requirements state them; what contradicts itself there is noted beside it. */
#include "requirements.h"

#include <math.h>

#include "macros.h"
#include "str.h"

const char *quality_name(enum quality quality)
{
	static const char *const names[] = {"ultra", "high", "medium", "low"};
	return (unsigned)quality < QUALITIES ? names[quality] : "unknown";
}

bool quality_find(const char *name, enum quality *ret_quality)
{
	for (unsigned i = 0; i < QUALITIES; i++)
		if (wan_str_equal(name, quality_name((enum quality)i))) {
			*ret_quality = (enum quality)i;
			return true;
		}
	return false;
}

const char *speed_mode_name(enum speed_mode mode)
{
	static const char *const names[] = {"gpu_parallel", "gpu", "cpu_parallel", "cpu"};
	return (unsigned)mode < SPEED_MODES ? names[mode] : "unknown";
}

/* 854 is no multiple of 16, so the model cannot make it: 832x480 is what it was trained with. */
static const struct tier_setup setups[MACHINE_TIERS] = {
	[MACHINE_TIER_HIGH_END] =
		{1920, 1080, 1920, 1080, QUALITY_HIGH, true, true,
		 "a graphics card of at least 6 GB, and at least 16 GB of memory"},
	[MACHINE_TIER_MID_RANGE] =
		{1280, 720, 1280, 720, QUALITY_MEDIUM, true, true,
		 "a graphics card of at least 4 GB, and at least 12 GB of memory"},
	[MACHINE_TIER_BUDGET] = {1280, 720, 1280, 720, QUALITY_MEDIUM, false, true,
				 "at least 8 GB of memory and 4 processors"},
	[MACHINE_TIER_MINIMAL] = {854, 480, 832, 480, QUALITY_LOW, false, false,
				  "less than the other tiers ask for"},
};

const struct tier_setup *tier_setup(enum machine_tier tier)
{
	return &setups[tier];
}

enum { ROW_HIGH_END, ROW_MID_RANGE, ROW_BUDGET, ROW_MINIMUM, ROW_CPU_ONLY };

static const struct tier_expectation expectations[] = {
	[ROW_HIGH_END] =
		{"High-End", {15, 30}, {30, 60}, {60, 120}, 16, 12, {70, 85}, {85, 95}, 80},
	[ROW_MID_RANGE] =
		{"Mid-Range", {30, 60}, {60, 120}, {120, 240}, 12, 8, {75, 90}, {80, 90}, 85},
	[ROW_BUDGET] = {"Budget", {60, 120}, {120, 300}, {240, 600}, 8, 6, {80, 95}, {75, 85}, 90},
	[ROW_MINIMUM] =
		{"Minimum", {120, 180}, {300, 600}, {600, 1200}, 6, 4, {85, 100}, {70, 80}, 95},
	[ROW_CPU_ONLY] =
		{"CPU-Only", {180, 300}, {600, 1800}, {1200, 3600}, 8, 0, {0, 0}, {0, 0}, 0},
};

const struct tier_expectation *tier_expectation(enum machine_tier tier, bool has_gpu)
{
	if (tier == MACHINE_TIER_HIGH_END)
		return &expectations[ROW_HIGH_END];
	if (tier == MACHINE_TIER_MID_RANGE)
		return &expectations[ROW_MID_RANGE];
	if (!has_gpu)
		return &expectations[ROW_CPU_ONLY];
	return &expectations[tier == MACHINE_TIER_BUDGET ? ROW_BUDGET : ROW_MINIMUM];
}

struct range tier_frames_per_s(struct range clip_s)
{
	enum { FRAMES = 120 };
	return (struct range){FRAMES / clip_s.high, FRAMES / clip_s.low};
}

static const struct measured_machine machines[MACHINE_TIERS] = {
	[MACHINE_TIER_HIGH_END] =
		{"High-End",
		 "i9-12900K or Ryzen 9 5950X, RTX 4080 or 3080, 32 GB, NVMe",
		 {{8.2, 14.6, 4.2}, {12.1, 9.9, 3.8}, {28.5, 4.2, 2.1}, {45.3, 2.6, 1.8}},
		 0.94,
		 0.92},
	[MACHINE_TIER_MID_RANGE] =
		{"Mid-Range",
		 "i5-11600K or Ryzen 5 5600X, RTX 3060 or GTX 1660 Ti, 16 GB, SSD",
		 {{15.8, 7.6, 3.1}, {22.4, 5.4, 2.8}, {52.1, 2.3, 1.9}, {78.6, 1.5, 1.6}},
		 0.91,
		 0.89},
	[MACHINE_TIER_BUDGET] = {"Budget",
				 "i3-10100 or Ryzen 3 3300X, GTX 1050 Ti or none, 8 GB, disk",
				 {{38.2, 3.1, 2.4}, {0, 0, 0}, {95.4, 1.3, 1.4}, {142.7, 0.8, 1.2}},
				 0.87,
				 0.85},
};

const struct measured_machine *tier_measured(enum machine_tier tier)
{
	return machines[tier].name ? &machines[tier] : NULL;
}

/* Cores: the fewest of the processors that a level names. */
static const struct level_needs needs[LEVELS] = {
	[LEVEL_BELOW] = {"below minimum", "", "", "", "", 0, 0, 0, 0, false, {0, 0}},
	[LEVEL_MINIMUM] = {"minimum",
			   "1280x720 at medium quality",
			   "i3-8100, Ryzen 3 2200G",
			   "integrated or 2 GB",
			   "10 GB",
			   4,
			   8,
			   0,
			   10,
			   false,
			   {0.8, 1.5}},
	[LEVEL_RECOMMENDED] = {"recommended",
			       "1920x1080 at high quality",
			       "i5-10400, Ryzen 5 3600",
			       "GTX 1660, RTX 3060, RX 6600 XT; 4 GB",
			       "50 GB, NVMe",
			       6,
			       16,
			       4,
			       50,
			       true,
			       {3, 8}},
	[LEVEL_OPTIMAL] = {"optimal",
			   "3840x2160 at ultra quality",
			   "i7-12700K, Ryzen 7 5800X",
			   "RTX 4070, RTX 3080; 8 GB",
			   "100 GB, NVMe",
			   8,
			   32,
			   8,
			   100,
			   true,
			   {8, 15}},
};

const struct level_needs *level_needs(enum level level)
{
	return &needs[level];
}

/* Cores of the machine that we may keep busy. */
static double usable_cores(const struct machine *machine)
{
	double cpus = machine_cpus(machine);
	double cores = machine->physical_cores ? machine->physical_cores : machine->logical;
	if (cores == 0 || (cpus > 0 && cpus < cores))
		return cpus;
	return cores;
}

static void compare(struct level_judgement *judgement, unsigned bit, double have, double need)
{
	if (have <= 0 && need > 0)
		judgement->unknown |= bit;
	else if (have < need)
		judgement->lacks |= bit;
}

static struct level_judgement lacks_for(const struct machine *machine, enum level level)
{
	const struct level_needs *need = &needs[level];
	const struct machine_gpu *gpu = machine_largest_gpu(machine);
	const struct machine_disk *disk = &machine->disk;
	struct level_judgement judgement = {.level = level};
	compare(&judgement, LACKS_CORES, usable_cores(machine), need->cores);
	compare(&judgement, LACKS_MEMORY, machine_nominal_gb(machine_memory_bytes(machine)),
		need->memory_gb);
	if (need->vram_gb > 0 && !gpu)
		*(machine->gpus.state == MACHINE_GPU_NONE ? &judgement.lacks
							  : &judgement.unknown) |= LACKS_GPU;
	else if (need->vram_gb > 0)
		compare(&judgement, LACKS_GPU, machine_nominal_gb(gpu->total_bytes), need->vram_gb);
	if (!disk->known)
		judgement.unknown |= LACKS_STORAGE;
	else if ((double)disk->free_bytes < need->storage_gb * 1e9)
		judgement.lacks |= LACKS_STORAGE;
	if (need->fast_disk && disk->rotational != 0)
		*(disk->rotational == 1 ? &judgement.lacks : &judgement.unknown) |= LACKS_FAST_DISK;
	return judgement;
}

struct level_judgement level_judge(const struct machine *machine)
{
	/* A level of which only unknown things are open is not claimed, unless it is the disk's
	 * kind, which virtual machines hide. */
	struct level_judgement judgement = {.level = LEVEL_BELOW};
	for (enum level level = LEVEL_MINIMUM; level < LEVELS; level++) {
		struct level_judgement next = lacks_for(machine, level);
		judgement.lacks = next.lacks;
		judgement.unknown = next.unknown;
		if (next.lacks || (next.unknown & ~(unsigned)LACKS_FAST_DISK))
			return judgement;
		judgement.level = level;
	}
	judgement.lacks = 0;
	return judgement;
}
