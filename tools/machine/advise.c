/* SPDX-License-Identifier: MIT */
#include "advise.h"

#include <stdarg.h>
#include <stdio.h>

#include "macros.h"
#include "str.h"
#include "wan/memory.h"

/* A card serves if the tier uses it, or if it is large enough for one that does. */
static enum speed_mode usual_mode(enum machine_tier tier)
{
	const struct tier_setup *setup = tier_setup(tier);
	if (setup->gpu)
		return setup->parallel ? SPEED_GPU_PARALLEL : SPEED_GPU;
	return setup->parallel ? SPEED_CPU_PARALLEL : SPEED_CPU;
}

static void choose_setup(const struct advise_request *request, struct advise *advise)
{
	const struct tier_setup *setup = tier_setup(advise->tier);
	const struct advise_measured *measured = &request->measured;
	struct speed_setup *asked = &advise->asked;
	asked->width_px = setup->offered_width_px;
	asked->height_px = setup->offered_height_px;
	if (measured->width_px && measured->height_px) {
		asked->width_px = measured->width_px;
		asked->height_px = measured->height_px;
	}
	if (request->width_px && request->height_px) {
		asked->width_px = request->width_px;
		asked->height_px = request->height_px;
	}
	asked->quality = request->has_quality ? request->quality : setup->quality;
	asked->mode = request->has_mode ? request->mode : usual_mode(advise->tier);
}

/* 854 is no multiple of 16; the model's own size beside it is 832x480. */
static void offer(const struct speed_setup *setup, struct advise *advise)
{
	advise->offered_width_px = setup->width_px == 854 ? 832 : setup->width_px;
	advise->offered_height_px = setup->height_px == 854 ? 832 : setup->height_px;
}

static void advise_speed(const struct advise_request *request, struct advise *advise)
{
	advise->target_fps = request->target_fps > 0 ? request->target_fps : 5;
	advise->model_fps = speed_model(&advise->asked, 0);
	advise->measured = request->measured.fps > 0; /* false for NAN too */
	if (advise->measured)
		advise->base = speed_base(&advise->asked, request->measured.fps);
	advise->speed = speed_advise(&advise->asked, advise->target_fps, advise->base);
	offer(&advise->speed.setup, advise);
}

static void advise_chunks(const struct machine *machine, const struct advise_request *request,
			  struct advise *advise)
{
	static const struct {
		const char *name;
		unsigned bytes_per_pixel;
	} layouts[ADVISE_LAYOUTS] = {{"8-bit RGB", 3}, {"float RGB", 12}};
	uint64_t limit = machine_memory_bytes(machine), available = machine->memory_headroom_bytes;
	if (request->memory_gb > 0) {
		uint64_t told = (uint64_t)(request->memory_gb * (double)MACHINE_GIB);
		available = available ? WAN_MIN(available, told) : told;
		limit = limit ? WAN_MIN(limit, told) : told;
	}
	advise->frames = request->frames ? request->frames : 120;
	advise->chunk_available_bytes = available;
	advise->chunk_reserve_bytes = wan_memory_chunk_reserve(limit);
	for (unsigned i = 0; i < ADVISE_LAYOUTS; i++) {
		struct advise_chunks *chunks = &advise->chunks[i];
		*chunks = (struct advise_chunks){
			.layout = layouts[i].name,
			.bytes_per_pixel = layouts[i].bytes_per_pixel,
			.frame_bytes = (uint64_t)advise->asked.width_px * advise->asked.height_px *
				       layouts[i].bytes_per_pixel,
		};
		chunks->frames = wan_memory_chunk_frames(available, advise->chunk_reserve_bytes,
							 chunks->frame_bytes);
		if (chunks->frames)
			chunks->chunks = (advise->frames + chunks->frames - 1) / chunks->frames;
	}
}

__attribute__((format(printf, 3, 4))) static void add_line(struct advise *advise, const char *why,
							   const char *format, ...)
{
	struct advise_line *line = &advise->lines[advise->line_count++];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(line->text, sizeof(line->text), format, arguments);
	va_end(arguments);
	line->why = why;
}

static unsigned long long mib(uint64_t bytes)
{
	return WAN_MAX(bytes / WAN_MIB, 1u);
}

/* Keys of our configuration, each within what the key allows. */
static void advise_lines(const struct machine *machine, const struct advise_request *request,
			 struct advise *advise)
{
	uint64_t available = advise->chunk_available_bytes;
	const struct machine_disk *disk = &machine->disk;
	if (available) {
		add_line(advise, "20 % of what is left, 32 to 512 MB", "cache.limit = %lluM",
			 mib(wan_memory_optimal_cache_bytes(available, 20)));
		add_line(advise, "pixel buffers kept for reuse: a 16th of what is left",
			 "pool.idle = %lluM", mib(WAN_MIN(64 * WAN_MIB, available / 16)));
	}
	double cap_gb = request->memory_gb;
	if (advise->available_gb > 0)
		cap_gb = WAN_MIN(cap_gb, 0.9 * advise->available_gb);
	if (cap_gb > 0)
		add_line(advise, "the memory you named, at most 90 % of what is available",
			 "memory.process_cap = %lluM", mib((uint64_t)(cap_gb * 1024) * WAN_MIB));
	if (request->vram_gb > 0 && advise->vram_gb > 0)
		add_line(advise, "the graphics memory you named, at most 95 % of the card",
			 "memory.gpu_cap = %lluM",
			 mib((uint64_t)(WAN_MIN(request->vram_gb, 0.95 * advise->vram_gb) * 1024) *
			     WAN_MIB));
	if (disk->known && disk->free_bytes / 20 < 256 * WAN_MIB)
		add_line(advise, "a 20th of the free disk for recordings",
			 "record.keep_bytes = %lluM", mib(disk->free_bytes / 20));
}

static double to_gb(uint64_t bytes)
{
	return (double)bytes / (double)MACHINE_GIB;
}

void advise_for(const struct machine *machine, const struct advise_request *request,
		struct advise *ret_advise)
{
	const struct machine_gpu *gpu = machine_largest_gpu(machine);
	struct advise *advise = ret_advise;
	*advise = (struct advise){
		.tier = machine_tier_of(machine),
		.total_gb = to_gb(machine_memory_bytes(machine)),
		.available_gb = to_gb(machine->memory_headroom_bytes),
		.vram_gb = gpu ? to_gb(gpu->total_bytes) : 0,
		.threads = threads_advise(machine),
	};
	if (request->threads > 0)
		advise->threads_judged = threads_judge(request->threads, advise->threads.cores,
						       advise->threads.logical);
	if (request->memory_gb > 0)
		advise->memory_judged = memory_judge(request->memory_gb, advise->available_gb);
	if (request->vram_gb > 0)
		advise->vram_judged = vram_judge(request->vram_gb, advise->vram_gb);
	advise->memory = memory_advise(advise->total_gb, advise->available_gb);
	advise->vram = vram_advise(advise->vram_gb);
	choose_setup(request, advise);
	advise_speed(request, advise);
	advise_chunks(machine, request, advise);
	advise_lines(machine, request, advise);
}
