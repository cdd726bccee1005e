/* SPDX-License-Identifier: MIT */
#include "cuda_vram.h"

#include "clock.h"
#include "macros.h"
#include "recorder.h"
#include "str.h"

enum {
	STEP_SHIFT = 6,         /* a change by 1/64 of the peak is worth a sample ... */
	STEP_LEAST = 1 << 20,   /* ... when it is one MiB or more */
	INTERVAL_NS = 10000000, /* 10 ms, unless it is a new peak ... */
	SAMPLES = 1024,         /* ... and twice as long after so many, and so on */
	DOUBLINGS = 10,
};

static struct line {
	uint32_t busy; /* one thread at a time; others leave their level in high */
	uint32_t count;
	uint64_t high; /* since the last sample */
	uint64_t sampled_live, sampled_peak, sampled_ticks;
} lines[WAN_CUDA_VRAM_DEVICES];

/* Is it worth a sample by its size? Others may change the line meanwhile: then it is looked at
 * again at the next change. */
static inline bool is_large(const struct line *line, uint64_t live, uint64_t peak, bool *ret_new)
{
	uint64_t step = peak >> STEP_SHIFT;
	step = step > STEP_LEAST ? step : STEP_LEAST;
	uint64_t before = wan_load_relaxed(&line->sampled_live);
	*ret_new = !wan_load_relaxed(&line->count) ||
		   peak >= wan_load_relaxed(&line->sampled_peak) + step;
	return *ret_new || live + step <= before || wan_load_relaxed(&line->high) >= before + step;
}

/* And by the time since the last one? */
static bool is_time(const struct line *line, const struct wan_recorder *recorder,
		    uint64_t now_ticks)
{
	uint64_t past_ticks = now_ticks - line->sampled_ticks;
	uint64_t past_ns = (uint64_t)((__uint128_t)past_ticks * recorder->ns_per_tick_32 >> 32);
	return past_ns >= (uint64_t)INTERVAL_NS
				  << WAN_MIN(line->count / SAMPLES, (uint32_t)DOUBLINGS);
}

static void sample(struct wan_lane *lane, struct line *line, unsigned device, uint64_t live,
		   uint64_t peak, uint64_t now_ticks)
{
	char name[32];
	if (device == WAN_CUDA_VRAM_DEVICES - 1)
		wan_str_copy(name, sizeof(name), "device unknown");
	else
		wan_str_format(name, sizeof(name), "device %u", device);
	uint64_t high = wan_swap_acq_rel(&line->high, live);
	const struct wan_record_event event = {
		.ticks = now_ticks,
		.values = {live, high > live ? high : live},
		.name = wan_recorder_string(lane->recorder, name),
		.kind_status = WAN_RECORD_VRAM << 4,
		.thread = lane->thread,
	};
	wan_store_relaxed(&line->sampled_live, live);
	wan_store_relaxed(&line->sampled_peak, peak);
	line->sampled_ticks = now_ticks;
	wan_store_relaxed(&line->count, line->count + 1);
	if (lane->next != lane->end || wan_lane_turn(lane))
		wan_lane_append(lane, &event);
}

void wan_cuda_vram_changed(struct wan_lane *lane, unsigned device, uint64_t live, uint64_t peak)
{
	struct line *line =
		&lines[device < WAN_CUDA_VRAM_DEVICES ? device : WAN_CUDA_VRAM_DEVICES - 1];
	uint32_t idle = 0;
	bool is_new;
	if (live > wan_load_relaxed(&line->high))
		wan_max_relaxed(&line->high, live);
	if (!is_large(line, live, peak, &is_new) || !lane ||
	    !wan_cas_acq_rel(&line->busy, &idle, 1))
		return;
	uint64_t now_ticks = wan_ticks();
	if (is_new || is_time(line, lane->recorder, now_ticks))
		sample(lane, line, device, live, peak, now_ticks);
	wan_store_release(&line->busy, 0);
}

void wan_cuda_vram_after_fork(void)
{
	for (unsigned i = 0; i < WAN_CUDA_VRAM_DEVICES; i++)
		lines[i] = (struct line){0};
}
