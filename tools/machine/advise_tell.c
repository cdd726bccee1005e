/* SPDX-License-Identifier: MIT */
#include "advise_tell.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "macros.h"
#include "str.h"
#include "tell.h"
#include "units.h"
#include "wanprof.h"

/* What stands beside a figure that was told. */
static const char *verdict(enum allotment judged, const char *under, const char *over)
{
	switch (judged) {
	case ALLOTMENT_UNDER:
		return under;
	case ALLOTMENT_OVER:
		return over;
	case ALLOTMENT_OPTIMAL:
		return "fits";
	case ALLOTMENT_NO_GPU:
		return "there is no graphics card to take it from";
	default:
		return "cannot be judged: what there is is not known";
	}
}

static void tell_threads(const struct wan_screen *screen, const struct machine *machine,
			 const struct advise_request *request, const struct advise *advise)
{
	const struct thread_advice *threads = &advise->threads;
	tell_heading(screen, "Threads");
	if (!threads->recommended) {
		tell_row(screen, "unknown", "the number of processors cannot be read");
		return;
	}
	if (threads->least == threads->most)
		tell_row(screen, "take", "%u", threads->recommended);
	else
		tell_row(screen, "take", "%u (%u to %u are reasonable)", threads->recommended,
			 threads->least, threads->most);
	if (threads->capped && machine->cpu_quota > 0)
		tell_row(screen, "because",
			 "%s grants the time of %.4g processors, though %u are there",
			 machine->cpu_quota_by, machine->cpu_quota, machine->logical);
	else if (threads->capped)
		tell_row(screen, "because", "only %u of %u processors may be used from here",
			 machine->usable, machine->logical);
	if (request->threads > 0)
		tell_row(screen, "yours", "%g: %s", request->threads,
			 verdict(advise->threads_judged,
				 "too few, less than half of the cores would be busy",
				 "too many, they take turns and gain nothing"));
}

static void tell_range(const struct wan_screen *screen, struct range range, const char *low_words)
{
	if (range.low > range.high)
		tell_row(screen, "take", "%s", low_words);
	else if (range.high - range.low < 0.05)
		tell_row(screen, "take", "%.1f GB", range.high);
	else
		tell_row(screen, "take", "%.1f to %.1f GB", range.low, range.high);
}

static void tell_memory_advice(const struct wan_screen *screen, const struct machine *machine,
			       const struct advise_request *request, const struct advise *advise)
{
	char text[512];
	tell_heading(screen, "Memory");
	tell_row(screen, "there is", "%s", tell_memory(machine, text, sizeof(text)));
	if (advise->total_gb > 0 && advise->available_gb > 0) {
		wan_str_format(text, sizeof(text),
			       "less than a quarter of it is left: at most %.1f GB now",
			       advise->memory.high);
		tell_range(screen, advise->memory, text);
	}
	if (request->memory_gb > 0)
		tell_row(screen, "yours", "%.1f GB: %s", request->memory_gb,
			 verdict(advise->memory_judged,
				 "little, less than a tenth of what is available",
				 "too much, more than 90 % of what is available: the system would "
				 "swap or kill"));
}

static void tell_vram_advice(const struct wan_screen *screen, const struct machine *machine,
			     const struct advise_request *request, const struct advise *advise)
{
	char text[512];
	tell_heading(screen, "Graphics memory");
	for (unsigned i = 0; i < machine->gpus.count; i++)
		tell_row(screen, i ? "" : "there is", "%s",
			 tell_gpu(machine, i, text, sizeof(text)));
	if (!machine->gpus.count)
		tell_row(screen, "there is", "%s", tell_no_gpu(machine, text, sizeof(text)));
	if (advise->vram_gb > 0)
		tell_range(screen, advise->vram, "");
	const struct machine_gpu *gpu = machine_largest_gpu(machine);
	if (gpu && gpu->used_bytes != UINT64_MAX) {
		double left = (double)(gpu->total_bytes - gpu->used_bytes) / (double)MACHINE_GIB;
		if (left < advise->vram.high)
			tell_row(screen, "but", "others hold a part of it: %.1f GB are left now",
				 left);
	}
	if (request->vram_gb > 0)
		tell_row(screen, "yours", "%.1f GB: %s", request->vram_gb,
			 verdict(advise->vram_judged, "less than half of the card: it would idle",
				 "more than 95 % of the card: it would run out"));
}

static const char *mode_words(enum speed_mode mode)
{
	static const char *const words[SPEED_MODES] = {
		[SPEED_GPU_PARALLEL] = "with the graphics card, in parallel",
		[SPEED_GPU] = "with the graphics card",
		[SPEED_CPU_PARALLEL] = "without a graphics card, in parallel",
		[SPEED_CPU] = "without a graphics card, not in parallel",
	};
	return words[mode];
}

static void tell_speed(const struct wan_screen *screen, const struct advise_request *request,
		       const struct advise *advise)
{
	const struct speed_advice *speed = &advise->speed;
	const struct advise_measured *measured = &request->measured;
	tell_heading(screen, "Speed of processing frames (read, resized, written)");
	tell_row(screen, "asked for", "%ux%u, %s quality, %s: at least %g frames a second",
		 advise->asked.width_px, advise->asked.height_px,
		 quality_name(advise->asked.quality), mode_words(advise->asked.mode),
		 advise->target_fps);
	if (advise->measured)
		tell_row(screen, "measured", "%.3g frames a second (%.0f frame%s%s in %.2g s)",
			 measured->fps, measured->frames, measured->frames == 1 ? "" : "s",
			 measured->frames_told ? "" : ", as many as images were written,",
			 measured->seconds);
	else
		tell_row(screen, "expected",
			 "%.3g frames a second by a rough model, which may be off "
			 "three times and knows nothing of generating them (wanprof tier does); "
			 "name a recording to go by what was measured",
			 speed->before_fps);
	if (advise->measured && measured->doubt[0])
		tell_row(screen, "but", "%s", measured->doubt);
	if (!speed->changed) {
		tell_row(screen, "take", "%s",
			 speed->reached ? "it as it is: the target is reached"
					: "it as it is; the target is out of reach: nothing "
					  "smaller or simpler is left");
		return;
	}
	tell_row(screen, "take", "%ux%u, %s quality: %.3g frames a second%s",
		 advise->offered_width_px, advise->offered_height_px,
		 quality_name(speed->setup.quality), speed->after_fps,
		 speed->reached ? "" : ", still below the target; nothing smaller is left");
	if (advise->offered_width_px != speed->setup.width_px ||
	    advise->offered_height_px != speed->setup.height_px)
		tell_row(screen, "", "(in place of %ux%u, which is no multiple of 16)",
			 speed->setup.width_px, speed->setup.height_px);
}

static void tell_chunks(const struct wan_screen *screen, const struct advise *advise)
{
	char frame[32], available[32], reserve[32];
	tell_heading(screen, "Chunks of %u frames of %ux%u", advise->frames, advise->asked.width_px,
		     advise->asked.height_px);
	if (!advise->chunk_available_bytes) {
		tell_row(screen, "unknown", "how much memory is available cannot be read");
		return;
	}
	for (unsigned i = 0; i < ADVISE_LAYOUTS; i++) {
		const struct advise_chunks *chunks = &advise->chunks[i];
		wan_format_bytes(frame, sizeof(frame), chunks->frame_bytes);
		if (!chunks->frames)
			tell_row(screen, chunks->layout, "%s a frame: not even one fits", frame);
		else if (chunks->chunks == 1)
			tell_row(screen, chunks->layout, "%s a frame: all at once", frame);
		else
			tell_row(screen, chunks->layout,
				 "%s a frame: %u frames at a time, %llu chunks", frame,
				 chunks->frames, (unsigned long long)chunks->chunks);
	}
	tell_row(screen, "rule",
		 "70 %% of what %s leave beside a reserve of %s, at most 100 frames",
		 wan_format_bytes(available, sizeof(available), advise->chunk_available_bytes),
		 wan_format_bytes(reserve, sizeof(reserve), advise->chunk_reserve_bytes));
}

/* Nothing else on these lines: they are meant to be copied. */
static void tell_lines(const struct wan_screen *screen, const struct advise *advise)
{
	tell_heading(screen, "Configuration, for ~/.config/wanrt/wanrt.conf or ./wanrt.conf");
	for (unsigned i = 0; i < advise->line_count; i++)
		fprintf(screen->to, "# %s\n%s\n", advise->lines[i].why, advise->lines[i].text);
	if (!advise->line_count)
		tell_row(screen, "", "the defaults are fine");
	if (advise->threads.recommended)
		fprintf(screen->to,
			"# threads are the program's own, in its environment:\n"
			"# export OMP_NUM_THREADS=%u\n",
			advise->threads.recommended);
}

int advise_print_text(const struct machine *machine, const struct advise_request *request,
		      const struct advise *advise, unsigned topics)
{
	const struct wan_screen screen = {stdout, wanprof_columns(stdout), wanprof_colour(stdout)};
	fprintf(screen.to, "Advice for this machine (tier %s)\n",
		advise->total_gb > 0 ? machine_tier_name(advise->tier) : "unknown");
	if (topics & ADVISE_THREADS)
		tell_threads(&screen, machine, request, advise);
	if (topics & ADVISE_MEMORY)
		tell_memory_advice(&screen, machine, request, advise);
	if (topics & ADVISE_VRAM)
		tell_vram_advice(&screen, machine, request, advise);
	if (topics & ADVISE_SPEED)
		tell_speed(&screen, request, advise);
	if (topics & ADVISE_CHUNKS)
		tell_chunks(&screen, advise);
	if (topics & ADVISE_CONFIG)
		tell_lines(&screen, advise);
	return tell_end(&screen);
}

static void json_allotment(struct wan_json *json, double told, enum allotment judged)
{
	wan_json_key_double(json, "asked", told > 0 ? told : NAN, 3);
	wan_json_key_string(json, "status", told > 0 ? allotment_name(judged) : NULL);
}

static void json_resources(struct wan_json *json, const struct advise_request *request,
			   const struct advise *advise)
{
	wan_json_key(json, "threads");
	wan_json_object_begin(json);
	wan_json_key_u64(json, "recommended", advise->threads.recommended);
	wan_json_key_u64(json, "least", advise->threads.least);
	wan_json_key_u64(json, "most", advise->threads.most);
	wan_json_key_bool(json, "capped", advise->threads.capped);
	json_allotment(json, request->threads, advise->threads_judged);
	wan_json_object_end(json);
	wan_json_key(json, "memory");
	wan_json_object_begin(json);
	tell_json_range(json, "recommended_gb", advise->memory);
	json_allotment(json, request->memory_gb, advise->memory_judged);
	wan_json_object_end(json);
	wan_json_key(json, "vram");
	wan_json_object_begin(json);
	if (advise->vram_gb > 0)
		tell_json_range(json, "recommended_gb", advise->vram);
	else
		wan_json_key_null(json, "recommended_gb");
	json_allotment(json, request->vram_gb, advise->vram_judged);
	wan_json_object_end(json);
}

static void json_setup(struct wan_json *json, const char *key, const struct speed_setup *setup)
{
	wan_json_key(json, key);
	wan_json_object_begin(json);
	wan_json_key_u64(json, "width", setup->width_px);
	wan_json_key_u64(json, "height", setup->height_px);
	wan_json_key_string(json, "quality", quality_name(setup->quality));
	wan_json_key_string(json, "mode", speed_mode_name(setup->mode));
	wan_json_object_end(json);
}

static void json_speed(struct wan_json *json, const struct advise_request *request,
		       const struct advise *advise)
{
	struct speed_setup offered = advise->speed.setup;
	offered.width_px = advise->offered_width_px;
	offered.height_px = advise->offered_height_px;
	wan_json_key(json, "speed");
	wan_json_object_begin(json);
	wan_json_key_double(json, "target_fps", advise->target_fps, 3);
	wan_json_key_string(json, "basis", advise->measured ? "measured" : "rough model");
	wan_json_key_double(json, "measured_fps", advise->measured ? request->measured.fps : NAN,
			    3);
	wan_json_key_double(json, "model_fps", advise->model_fps, 3);
	json_setup(json, "asked", &advise->asked);
	json_setup(json, "recommended", &offered);
	wan_json_key_double(json, "before_fps", advise->speed.before_fps, 3);
	wan_json_key_double(json, "after_fps", advise->speed.after_fps, 3);
	wan_json_key_bool(json, "reached", advise->speed.reached);
	wan_json_key_bool(json, "changed", advise->speed.changed);
	wan_json_object_end(json);
}

static void json_chunks(struct wan_json *json, const struct advise *advise)
{
	wan_json_key(json, "chunks");
	wan_json_array_begin(json);
	for (unsigned i = 0; i < ADVISE_LAYOUTS; i++) {
		const struct advise_chunks *chunks = &advise->chunks[i];
		wan_json_object_begin(json);
		wan_json_key_string(json, "layout", chunks->layout);
		wan_json_key_u64(json, "frame_bytes", chunks->frame_bytes);
		wan_json_key_u64(json, "frames_per_chunk", chunks->frames);
		wan_json_key_u64(json, "chunks", chunks->chunks);
		wan_json_object_end(json);
	}
	wan_json_array_end(json);
}

static void json_lines(struct wan_json *json, const struct advise *advise)
{
	wan_json_key(json, "configuration");
	wan_json_array_begin(json);
	for (unsigned i = 0; i < advise->line_count; i++) {
		wan_json_object_begin(json);
		wan_json_key_string(json, "line", advise->lines[i].text);
		wan_json_key_string(json, "reason", advise->lines[i].why);
		wan_json_object_end(json);
	}
	wan_json_array_end(json);
}

int advise_print_json(const struct machine *machine, const struct advise_request *request,
		      const struct advise *advise)
{
	struct wan_json json;
	tell_json_begin(&json, "wanprof-advise");
	wan_json_key_string(&json, "tier",
			    advise->total_gb > 0 ? machine_tier_name(advise->tier) : NULL);
	json_resources(&json, request, advise);
	json_speed(&json, request, advise);
	wan_json_key_u64(&json, "frames", advise->frames);
	json_chunks(&json, advise);
	json_lines(&json, advise);
	tell_json_machine(&json, machine);
	return tell_json_end(&json);
}
