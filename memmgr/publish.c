/* SPDX-License-Identifier: MIT */
/* What others read in the recording while we run. */
#include "atomics.h"
#include "state.h"

/* Words of the recording; the meaning of each is in the schema (MEMORY). */
enum {
	WORD_LEVEL,
	WORD_DECIDING,
	WORD_PERCENT,
	WORD_TOTAL,
	WORD_AVAILABLE,
	WORD_CGROUP_LIMIT,
	WORD_CGROUP_NEED,
	WORD_HEADROOM,
	WORD_RSS,
	WORD_RESERVED,
	WORD_TICKS,
	WORD_ACTIONS,
	WORD_TREND,
	WORD_GPU_TOTAL,
	WORD_GPU_USED,
	WORD_BATCH,
	WORD_STALLED,
};

void wan_memory_publish(struct wan_memory *memory)
{
	uint64_t *words = memory->counters;
	if (!words)
		return;
	uint32_t smallest_batch, same;
	wan_memory_scale_batches(memory, 1, &smallest_batch, &same);
	wan_mutex_lock(&memory->lock);
	struct wan_memory_state state = memory->state;
	uint64_t ticks = memory->ticks;
	enum wan_memory_level level = memory->level.level;
	double trend = wan_trend_slope(&memory->trend);
	wan_mutex_unlock(&memory->lock);
	wan_store_relaxed(&words[WORD_LEVEL], (uint64_t)level);
	if (memory->string_id)
		wan_store_relaxed(&words[WORD_DECIDING],
				  memory->string_id(memory->context, state.deciding));
	wan_store_relaxed(&words[WORD_PERCENT], (uint64_t)(state.deciding_percent * 1000));
	wan_store_relaxed(&words[WORD_TOTAL], state.total_bytes);
	wan_store_relaxed(&words[WORD_AVAILABLE], state.available_bytes);
	wan_store_relaxed(&words[WORD_CGROUP_LIMIT], state.cgroup_limit_bytes);
	wan_store_relaxed(&words[WORD_CGROUP_NEED], state.cgroup_need_bytes);
	wan_store_relaxed(&words[WORD_HEADROOM], state.headroom_bytes);
	wan_store_relaxed(&words[WORD_RSS], state.process_rss_bytes);
	wan_store_relaxed(&words[WORD_RESERVED], wan_admission_reserved(memory->admission));
	wan_store_relaxed(&words[WORD_TICKS], ticks);
	wan_store_relaxed(&words[WORD_ACTIONS], state.actions);
	wan_store_relaxed(&words[WORD_TREND], (uint64_t)(int64_t)trend);
	wan_store_relaxed(&words[WORD_GPU_TOTAL], state.gpu_total_bytes);
	wan_store_relaxed(&words[WORD_GPU_USED], state.gpu_used_bytes);
	wan_store_relaxed(&words[WORD_BATCH], smallest_batch);
	wan_store_relaxed(&words[WORD_STALLED], state.stalled_percent < 0
							? UINT64_MAX
							: (uint64_t)(state.stalled_percent * 1000));
}
