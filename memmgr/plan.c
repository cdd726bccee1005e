/* SPDX-License-Identifier: MIT */
#include "plan.h"

/* The lowered limit, which never raises one that is already below the floor. */
static uint64_t lowered(uint64_t limit, uint64_t percent, uint64_t floor_bytes)
{
	uint64_t target = limit / 100 * percent + limit % 100 * percent / 100;
	return WAN_MIN(limit, WAN_MAX(target, floor_bytes));
}

struct wan_plan_action wan_plan_for(enum wan_memory_level level, uint64_t limit_before,
				    bool repeated, bool classic)
{
	struct wan_plan_action action = {.limit_after = limit_before, .batch_factor = 1};
	switch (level) {
	case WAN_MEMORY_NORMAL:
		break;
	case WAN_MEMORY_WARNING:
		action.limit_after = lowered(limit_before, 80, WAN_PLAN_WARNING_FLOOR);
		action.batch_factor = 0.8;
		break;
	case WAN_MEMORY_CRITICAL:
		action.limit_after = lowered(limit_before, 50, WAN_PLAN_CRITICAL_FLOOR);
		action.batch_factor = 0.5;
		action.reclaim_rebuild = action.purge = true;
		break;
	case WAN_MEMORY_EMERGENCY:
		action.clear = classic || !repeated;
		if (!action.clear)
			action.limit_after = WAN_MIN(limit_before, WAN_PLAN_CRITICAL_FLOOR);
		action.batch_factor = 0;
		action.reclaim_rebuild = action.purge = true;
		action.callbacks = true;
		break;
	}
	return action;
}

uint64_t wan_plan_excess_bytes(uint64_t need_bytes, uint64_t limit_bytes, double target_pct)
{
	double target = (double)limit_bytes * target_pct / 100;
	return (double)need_bytes > target ? (uint64_t)((double)need_bytes - target) : 0;
}

uint64_t wan_plan_regrow(uint64_t limit, uint64_t full_limit, uint64_t elapsed_ns)
{
	if (limit >= full_limit)
		return limit;
	double step = (double)full_limit * 0.05 * ((double)WAN_MIN(elapsed_ns, 1000000000u) * 1e-9);
	uint64_t room = full_limit - limit;
	return limit + WAN_MIN(room, (uint64_t)step);
}

bool wan_plan_due_again(uint64_t need_then, uint64_t need_now, uint64_t limit_bytes,
			uint64_t elapsed_ns, bool classic)
{
	if (classic)
		return true;
	return elapsed_ns >= 250000000 && need_now > need_then &&
	       need_now - need_then >= limit_bytes / 100;
}

static uint64_t saturating_product(uint64_t a, uint64_t b)
{
	uint64_t product;
	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

void wan_memory_plan(uint64_t available_bytes, uint32_t images, uint32_t width_px,
		     uint32_t height_px, uint32_t bytes_per_pixel, struct wan_memory_plan *ret_plan)
{
	if (!ret_plan)
		return;
	uint64_t each = saturating_product((uint64_t)width_px * height_px, bytes_per_pixel);
	uint64_t need = saturating_product(each, images);
	*ret_plan = (struct wan_memory_plan){
		.can_process = true,
		.need_bytes = need,
		.batch = WAN_MAX(images, 1),
		.max_width_px = width_px,
		.max_height_px = height_px,
	};
	if ((double)need <= (double)available_bytes * 0.8)
		return;
	uint64_t fit = each ? (uint64_t)((double)available_bytes * 0.6 / (double)each) : images;
	ret_plan->can_process = false;
	ret_plan->batch = (uint32_t)WAN_CLAMP(fit, 1, WAN_MAX(images, 1));
	ret_plan->max_width_px = 1280;
	ret_plan->max_height_px = 720;
	ret_plan->use_streaming = ret_plan->reduce_cache = true;
}

uint64_t wan_memory_optimal_cache_bytes(uint64_t available_bytes, double percent)
{
	double share = (double)available_bytes * percent / 100;
	if (!(share > (double)(32 * WAN_MIB)))
		return 32 * WAN_MIB;
	return share >= (double)(512 * WAN_MIB) ? 512 * WAN_MIB : (uint64_t)share;
}

uint64_t wan_memory_chunk_reserve(uint64_t limit_bytes)
{
	return WAN_MIN(2048 * WAN_MIB, limit_bytes / 4);
}

uint32_t wan_memory_chunk_frames(uint64_t available_bytes, uint64_t reserve_bytes,
				 uint64_t frame_bytes)
{
	enum { PREFERRED_LEAST = 10, MOST = 100 };
	if (!frame_bytes)
		return 0;
	double frame = (double)frame_bytes;
	double spare = available_bytes > reserve_bytes
			       ? (double)(available_bytes - reserve_bytes) * 0.70
			       : (double)available_bytes - (double)reserve_bytes;
	double frames = spare > 0 ? spare / frame : 0;
	double borrowed = PREFERRED_LEAST * frame - spare;
	if (frames < PREFERRED_LEAST && borrowed <= (double)reserve_bytes * 0.10)
		frames = PREFERRED_LEAST;
	double fit = (double)available_bytes * 0.90 / frame;
	frames = WAN_MIN(frames, fit);
	return frames >= MOST ? MOST : (uint32_t)frames;
}
