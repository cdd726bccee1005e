/* SPDX-License-Identifier: MIT */
#include "advice.h"

#include <math.h>

#include "macros.h"

const char *allotment_name(enum allotment allotment)
{
	static const char *const names[] = {
		[ALLOTMENT_UNKNOWN] = "unknown", [ALLOTMENT_UNDER] = "under_allocated",
		[ALLOTMENT_OPTIMAL] = "optimal", [ALLOTMENT_OVER] = "over_allocated",
		[ALLOTMENT_NO_GPU] = "no_gpu",
	};
	return names[allotment];
}

static enum allotment between(double value, double low, double high)
{
	if (value < low)
		return ALLOTMENT_UNDER;
	return value > high ? ALLOTMENT_OVER : ALLOTMENT_OPTIMAL;
}

enum allotment threads_judge(double threads, double cores, double logical)
{
	if (!(cores > 0) || !(logical > 0))
		return ALLOTMENT_UNKNOWN;
	return between(threads, 0.5 * cores, 1.2 * logical);
}

enum allotment memory_judge(double gb, double available_gb)
{
	if (!(available_gb > 0))
		return ALLOTMENT_UNKNOWN;
	return between(gb, 0.1 * available_gb, 0.9 * available_gb);
}

enum allotment vram_judge(double gb, double total_gb)
{
	if (!(total_gb > 0))
		return ALLOTMENT_NO_GPU;
	return between(gb, 0.5 * total_gb, 0.95 * total_gb);
}

static bool is_power_of_two(double value)
{
	unsigned whole = (unsigned)value;
	return whole && !(whole & (whole - 1));
}

struct thread_advice threads_advise(const struct machine *machine)
{
	double cpus = machine_cpus(machine), logical = machine->logical ? machine->logical : cpus;
	double cores = machine->physical_cores ? machine->physical_cores : logical;
	struct thread_advice advice = {
		.cores = cpus > 0 ? WAN_MIN(cores, cpus) : cores,
		.logical = cpus > 0 ? WAN_MIN(logical, cpus) : logical,
	};
	if (!(advice.logical > 0))
		return advice;
	advice.capped = advice.logical < logical;
	bool two_threads = logical > cores;
	double least = two_threads ? cores : floor(cores * 2 / 3);
	double most = two_threads ? floor(cores * (is_power_of_two(cores) ? 1.5 : 4.0 / 3)) : cores;
	double ceiling = WAN_MAX(floor(advice.logical), 1);
	advice.least = (unsigned)WAN_CLAMP(least, 1, ceiling);
	advice.recommended = (unsigned)WAN_CLAMP(floor(advice.cores), 1, ceiling);
	advice.most = (unsigned)WAN_CLAMP(most, 1, ceiling);
	return advice;
}

struct range memory_advise(double total_gb, double available_gb)
{
	return (struct range){0.25 * total_gb, WAN_MIN(0.5 * total_gb, 0.9 * available_gb)};
}

struct range vram_advise(double total_gb)
{
	struct range range = {WAN_MIN(total_gb - 2, 0.875 * total_gb),
			      WAN_MIN(total_gb - 1, 0.95 * total_gb)};
	range.low = WAN_MAX(range.low, 0.5 * total_gb);
	range.high = WAN_MAX(range.high, range.low);
	return total_gb > 0 ? range : (struct range){0, 0};
}

static const unsigned ladder[][2] = {
	{3840, 2160}, {1920, 1080}, {1280, 720}, {854, 480}, {640, 360}};

static double area(unsigned width_px, unsigned height_px)
{
	return (double)width_px * height_px;
}

/* What the settings make of a base of 1. */
static double factor_of(const struct speed_setup *setup)
{
	static const double qualities[QUALITIES] = {[QUALITY_ULTRA] = 0.3,
						    [QUALITY_HIGH] = 0.6,
						    [QUALITY_MEDIUM] = 1,
						    [QUALITY_LOW] = 2};
	bool parallel = setup->mode == SPEED_GPU_PARALLEL || setup->mode == SPEED_CPU_PARALLEL;
	return area(1920, 1080) / area(setup->width_px, setup->height_px) *
	       qualities[setup->quality] * (parallel ? 1.5 : 1);
}

double speed_model(const struct speed_setup *setup, double base)
{
	bool gpu = setup->mode == SPEED_GPU_PARALLEL || setup->mode == SPEED_GPU;
	double own = gpu ? 10 : 3;
	return (base > 0 ? base : own) * factor_of(setup);
}

double speed_base(const struct speed_setup *setup, double measured_fps)
{
	return measured_fps / factor_of(setup);
}

/* The next smaller size of the ladder, upright where the asked one is. False: there is none. */
static bool step_down(struct speed_setup *setup)
{
	double now = area(setup->width_px, setup->height_px);
	bool upright = setup->height_px > setup->width_px;
	for (size_t i = 0; i < WAN_COUNT_OF(ladder); i++) {
		if (area(ladder[i][0], ladder[i][1]) >= now)
			continue;
		setup->width_px = ladder[i][upright];
		setup->height_px = ladder[i][!upright];
		return true;
	}
	return false;
}

struct speed_advice speed_advise(const struct speed_setup *asked, double target_fps, double base)
{
	struct speed_advice advice = {.setup = *asked, .before_fps = speed_model(asked, base)};
	struct speed_setup *setup = &advice.setup;
	while (speed_model(setup, base) < target_fps && setup->quality < QUALITY_LOW)
		setup->quality++;
	while (speed_model(setup, base) < target_fps && step_down(setup))
		;
	advice.after_fps = speed_model(setup, base);
	advice.reached = advice.after_fps >= target_fps;
	advice.changed = setup->quality != asked->quality || setup->width_px != asked->width_px ||
			 setup->height_px != asked->height_px;
	return advice;
}
