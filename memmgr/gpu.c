/* SPDX-License-Identifier: MIT */
#include "gpu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "atomics.h"
#include "log.h"
#include "macros.h"
#include "state.h"
#include "str.h"
#include "units.h"

enum {
	CALM_PCT = 65,       /* requirements: below this batches may grow back */
	ERRORS_TO_PAUSE = 3, /* in a row, then it is asked only once a second */
	PAUSE_NS = 1000000000,
};

/* Numbers of enum cudaError. */
enum {
	CUDA_SUCCESS = 0,
	CUDA_MEMORY_ALLOCATION = 2,
	CUDA_DEVICES_UNAVAILABLE = 46,
	CUDA_ECC_UNCORRECTABLE = 214,
	CUDA_NVLINK_UNCORRECTABLE = 220,
	CUDA_ILLEGAL_ADDRESS = 700,
	CUDA_LAUNCH_FAILURE = 719,
	CUDA_HARDWARE_STACK_ERROR = 714,
	CUDA_CONTAINED = 721,
	CUDA_MPS_SERVER_NOT_READY = 806,
	CUDA_MPS_MAX_CLIENTS = 807,
	CUDA_MPS_MAX_CONNECTIONS = 808,
	CUDA_MPS_CLIENT_TERMINATED = 809,
};

enum wan_gpu_error wan_gpu_error_of(int cuda_error)
{
	switch (cuda_error) {
	case CUDA_SUCCESS:
		return WAN_GPU_OK;
	case CUDA_MEMORY_ALLOCATION:
		return WAN_GPU_NO_MEMORY;
	case CUDA_DEVICES_UNAVAILABLE:
	case CUDA_ECC_UNCORRECTABLE:
	case CUDA_NVLINK_UNCORRECTABLE:
	case CUDA_ILLEGAL_ADDRESS: /* the context is unusable from then on, as after the others */
	case CUDA_LAUNCH_FAILURE:
	case CUDA_HARDWARE_STACK_ERROR:
	case CUDA_CONTAINED:
	case CUDA_MPS_CLIENT_TERMINATED:
		return WAN_GPU_LOST;
	default:
		return WAN_GPU_ERROR;
	}
}

uint64_t wan_gpu_mps_limit(const char *text, int device)
{
	while (text && *text) {
		char entry[64], size[48];
		const char *end = strchrnul(text, ',');
		size_t length = WAN_MIN((size_t)(end - text), sizeof(entry) - 1);
		memcpy(entry, text, length);
		entry[length] = '\0';
		char *equals = strchr(entry, '='), *rest;
		uint64_t bytes;
		if (equals) {
			unsigned long number = strtoul(entry, &rest, 10);
			bool ours = rest == equals && rest != entry && number == (unsigned)device;
			wan_str_copy(size, sizeof(size), equals + 1);
			if (ours && wan_parse_bytes(size, &bytes) == 0 && bytes)
				return bytes;
		}
		text = *end ? end + 1 : end;
	}
	return UINT64_MAX;
}

void wan_gpu_judge(struct wan_gpu_state *state, uint64_t own_bytes, uint64_t cap_bytes,
		   uint64_t mps_limit_bytes)
{
	uint64_t total = state->total_bytes, used = WAN_MIN(state->used_bytes, total);
	uint64_t reusable = WAN_MIN(state->reusable_bytes, used);
	used -= reusable;
	uint64_t own = own_bytes == UINT64_MAX ? used : own_bytes - WAN_MIN(own_bytes, reusable);
	uint64_t ours = WAN_MIN(cap_bytes ? cap_bytes : UINT64_MAX, mps_limit_bytes);
	state->used_bytes = used;
	state->limit_bytes = WAN_MIN(total, ours);
	state->headroom_bytes = total - used;
	state->percent = wan_level_percent(used, total);
	if (ours >= total)
		return;
	state->headroom_bytes = WAN_MIN(state->headroom_bytes, ours - WAN_MIN(own, ours));
	state->percent = WAN_MAX(state->percent, wan_level_percent(own, ours));
}

static bool in_use(struct wan_memory *memory, int device)
{
	return device >= 0 && device < WAN_GPU_DEVICES_MAX &&
	       wan_load_relaxed(&memory->gpu_mask) >> device & 1;
}

int wan_gpu_use(struct wan_memory *memory, int device)
{
	const struct wan_memory_sources *sources = &memory->sources;
	if (device < 0)
		device = sources->gpu_current ? sources->gpu_current(sources->context) : -ENODEV;
	if (device < 0)
		return device;
	if (device >= WAN_GPU_DEVICES_MAX)
		return -EINVAL;
	const char *mps = secure_getenv("CUDA_MPS_PINNED_DEVICE_MEM_LIMIT");
	wan_mutex_lock(&memory->lock);
	memory->gpus[device].mps_limit_bytes = wan_gpu_mps_limit(mps, device);
	wan_mutex_unlock(&memory->lock);
	wan_or_relaxed(&memory->gpu_mask, (uint64_t)1 << device);
	return device;
}

static void name_of(int device, char to[16])
{
	wan_str_format(to, 16, "gpu %d", device);
}

/* That a device no longer answers is recorded once, until it does again. */
static void note_error(struct wan_memory *memory, int device, uint64_t now_ns)
{
	struct wan_memory_action action = {.what = "degraded", .time_ns = now_ns};
	wan_mutex_lock(&memory->lock);
	struct wan_gpu *gpu = &memory->gpus[device];
	gpu->state.known = false;
	if (++gpu->errors >= ERRORS_TO_PAUSE)
		gpu->again_ns = now_ns + PAUSE_NS;
	bool tell = gpu->errors == ERRORS_TO_PAUSE && !gpu->lost;
	gpu->lost = gpu->lost || tell;
	wan_mutex_unlock(&memory->lock);
	if (!tell)
		return;
	wan_str_format(action.reason, sizeof(action.reason),
		       "gpu %d: its memory cannot be read; batches on it follow failures only",
		       device);
	wan_log(WAN_LOG_WARNING, "memory: %s", action.reason);
	wan_memory_record(memory, &action);
}

int wan_gpu_look(struct wan_memory *memory, int device, struct wan_gpu_state *state)
{
	const struct wan_memory_sources *sources = &memory->sources;
	struct wan_gpu_state now = {.struct_size = sizeof(now), .utilization_percent = -1};
	uint64_t own_bytes = UINT64_MAX;
	if (!in_use(memory, device) || !sources->gpu)
		return -ENODEV;
	int r = sources->gpu(sources->context, (uint64_t)1 << device, &now.used_bytes,
			     &now.total_bytes);
	if (r < 0) {
		note_error(memory, device, memory->now_ns());
		return r;
	}
	if (sources->gpu_more)
		sources->gpu_more(sources->context, device, &own_bytes, &now.utilization_percent);
	name_of(device, now.name);
	now.known = true;
	wan_mutex_lock(&memory->lock);
	struct wan_gpu *gpu = &memory->gpus[device];
	now.reusable_bytes = gpu->reusable_bytes;
	wan_gpu_judge(&now, own_bytes, memory->gpu_cap_bytes, gpu->mps_limit_bytes);
	gpu->state = now;
	gpu->errors = 0;
	gpu->again_ns = 0;
	gpu->lost = false;
	wan_mutex_unlock(&memory->lock);
	if (state)
		*state = now;
	return 0;
}

/* Batches on a GPU follow its own threshold; no other level is touched by it. */
static void serve(struct wan_memory *memory, int device, const struct wan_gpu_state *state,
		  uint64_t now_ns)
{
	if (state->percent <= memory->gpu_pct)
		return;
	struct wan_memory_action action = {.what = "batch", .time_ns = now_ns};
	wan_memory_gpu_batches(memory, device, state->percent, &action.batch_before,
			       &action.batch_after);
	if (action.batch_before == action.batch_after)
		return;
	/* The first device has had no number in this text since 0.1. */
	wan_str_format(action.reason, sizeof(action.reason), "%s at %.1f %% (limit %g %%)",
		       device ? state->name : "gpu", state->percent, memory->gpu_pct);
	wan_mutex_lock(&memory->lock);
	action.level = memory->level.level;
	wan_mutex_unlock(&memory->lock);
	wan_memory_record(memory, &action);
}

/* A framework keeps freed memory for itself: what the device says is used may be free to it. */
static bool hides_free_memory(struct wan_memory *memory, int device)
{
	const struct wan_memory_sources *sources = &memory->sources;
	wan_mutex_lock(&memory->lock);
	bool told = memory->gpus[device].told;
	wan_mutex_unlock(&memory->lock);
	return !told && sources->gpu_cached && sources->gpu_cached(sources->context);
}

static void publish(struct wan_memory *memory, const struct wan_gpu_state *fullest)
{
	wan_mutex_lock(&memory->lock);
	memory->state.gpu_known = fullest->known;
	memory->state.gpu_total_bytes = fullest->known ? fullest->limit_bytes : 0;
	memory->state.gpu_used_bytes =
		fullest->known ? fullest->limit_bytes -
					 WAN_MIN(fullest->headroom_bytes, fullest->limit_bytes)
			       : 0;
	wan_mutex_unlock(&memory->lock);
}

void wan_gpu_tick(struct wan_memory *memory, uint64_t now_ns)
{
	struct wan_gpu_state fullest = {.known = false};
	if (!wan_load_relaxed(&memory->gpu_mask))
		return;
	for (int device = 0; device < WAN_GPU_DEVICES_MAX; device++) {
		struct wan_gpu_state state;
		if (!in_use(memory, device))
			continue;
		wan_mutex_lock(&memory->lock);
		bool paused = now_ns < memory->gpus[device].again_ns;
		wan_mutex_unlock(&memory->lock);
		if (paused || wan_gpu_look(memory, device, &state) < 0)
			continue;
		if (!fullest.known || state.percent > fullest.percent)
			fullest = state;
		if (!hides_free_memory(memory, device))
			serve(memory, device, &state, now_ns);
	}
	publish(memory, &fullest);
}

bool wan_gpu_is_calm(struct wan_memory *memory, int device)
{
	if (!in_use(memory, device))
		return true;
	wan_mutex_lock(&memory->lock);
	const struct wan_gpu_state *state = &memory->gpus[device].state;
	bool calm = !state->known || state->percent < CALM_PCT;
	wan_mutex_unlock(&memory->lock);
	return calm;
}

int wan_memory_gpu_reusable(struct wan_memory *memory, int device, uint64_t bytes)
{
	if (!memory || device < 0 || device >= WAN_GPU_DEVICES_MAX)
		return -EINVAL;
	int r = bytes ? wan_gpu_use(memory, device) : device;
	wan_mutex_lock(&memory->lock);
	memory->gpus[device].reusable_bytes = bytes;
	memory->gpus[device].told = true;
	wan_mutex_unlock(&memory->lock);
	return r < 0 ? r : 0;
}

int wan_memory_gpu_state(struct wan_memory *memory, int device, struct wan_gpu_state *state)
{
	size_t bytes = state ? state->struct_size : 0;
	if (!memory || bytes < sizeof(bytes) || device < 0 || device >= WAN_GPU_DEVICES_MAX)
		return -EINVAL;
	struct wan_gpu_state now = {.utilization_percent = -1};
	bool named = in_use(memory, device);
	if (named) {
		wan_mutex_lock(&memory->lock);
		now = memory->gpus[device].state;
		wan_mutex_unlock(&memory->lock);
	}
	name_of(device, now.name);
	now.struct_size = bytes;
	memcpy(state, &now, WAN_MIN(bytes, sizeof(now)));
	return named ? 0 : -ENODEV;
}
