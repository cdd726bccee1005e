/* SPDX-License-Identifier: MIT */
/* Advice in words: what, the number, the limit, what to do. */
#include "macros.h"
#include "state.h"
#include "str.h"

struct collector {
	struct wan_memory_advice *advice;
	uint32_t count, capacity;
};

static struct wan_memory_advice *add(struct collector *to, const char *id, double value,
				     double limit)
{
	if (to->count == to->capacity)
		return NULL;
	struct wan_memory_advice *advice = &to->advice[to->count++];
	*advice = (struct wan_memory_advice){.id = id, .value = value, .limit = limit};
	return advice;
}

static void advise_host(struct collector *to, const struct wan_memory_state *state)
{
	if (state->host_percent <= 80)
		return;
	struct wan_memory_advice *advice = add(to, "system_high", state->host_percent, 80);
	if (advice)
		wan_str_format(advice->text, sizeof(advice->text),
			       "System memory is at %.1f %% (limit 80 %%): close other programs or "
			       "use smaller images",
			       state->host_percent);
}

/* A group is what kills in containers, whatever the host has left. */
static void advise_group(struct collector *to, const struct wan_memory_state *state)
{
	double percent = wan_level_percent(state->cgroup_need_bytes, state->cgroup_limit_bytes);
	if (!state->cgroup_limit_bytes || percent <= 80)
		return;
	struct wan_memory_advice *advice = add(to, "group_high", percent, 80);
	if (advice)
		wan_str_format(advice->text, sizeof(advice->text),
			       "The memory group is at %.1f %% of %.0f MB (limit 80 %%): raise its "
			       "limit, or lower cache.limit and batch sizes",
			       percent, (double)state->cgroup_limit_bytes / (double)WAN_MIB);
}

/* Less than a minute from the limit at the growth of now. */
static void advise_growth(struct collector *to, const struct wan_memory_forecast *forecast)
{
	if (forecast->seconds_to_limit < 0 || forecast->seconds_to_limit >= 60)
		return;
	struct wan_memory_advice *advice = add(to, "growing", forecast->seconds_to_limit, 60);
	if (advice)
		wan_str_format(advice->text, sizeof(advice->text),
			       "Memory of %s grows by %.0f MB/s and reaches its limit in %.0f s "
			       "(limit 60 s): process fewer images at once",
			       forecast->deciding, forecast->bytes_per_s / (double)WAN_MIB,
			       forecast->seconds_to_limit);
}

static void advise_cache(struct collector *to, const struct wan_memory_state *state, uint64_t used)
{
	double share = wan_level_percent(used, state->available_bytes);
	if (!state->available_bytes || share <= 30)
		return;
	struct wan_memory_advice *advice = add(to, "cache_large", share, 30);
	if (advice)
		wan_str_format(advice->text, sizeof(advice->text),
			       "The cache holds %.1f %% of available memory (limit 30 %%): lower "
			       "cache.limit",
			       share);
}

static void advise_process(struct collector *to, const struct wan_memory_state *state)
{
	double mb = (double)state->process_rss_bytes / (double)WAN_MIB;
	if (mb <= 1000)
		return;
	struct wan_memory_advice *advice = add(to, "process_large", mb, 1000);
	if (advice)
		wan_str_format(advice->text, sizeof(advice->text),
			       "This process holds %.0f MB (limit 1000 MB): use smaller batches or "
			       "look for a leak with wanprof leak",
			       mb);
}

static void advise_gpu(struct collector *to, const struct wan_memory_state *state, double limit)
{
	double percent = wan_level_percent(state->gpu_used_bytes, state->gpu_total_bytes);
	if (!state->gpu_known || percent <= limit)
		return;
	struct wan_memory_advice *advice = add(to, "gpu_high", percent, limit);
	if (advice)
		wan_str_format(advice->text, sizeof(advice->text),
			       "GPU memory is at %.1f %% (limit %.0f %%): halve the batch or free "
			       "cached device memory",
			       percent, limit);
}

uint32_t wan_memory_recommend(struct wan_memory *memory, struct wan_memory_advice *ret_advice,
			      uint32_t capacity)
{
	if (!memory || !ret_advice)
		return 0;
	struct collector to = {.advice = ret_advice, .capacity = capacity};
	struct wan_memory_limits *limits = &memory->limits;
	uint64_t used = limits->cache_used ? limits->cache_used(limits->context) : 0;
	wan_mutex_lock(&memory->lock);
	struct wan_memory_state state = memory->state;
	wan_mutex_unlock(&memory->lock);
	struct wan_memory_forecast forecast = {.struct_size = sizeof(forecast)};
	wan_memory_forecast(memory, &forecast);

	advise_host(&to, &state);
	advise_group(&to, &state);
	advise_growth(&to, &forecast);
	advise_cache(&to, &state, used);
	advise_process(&to, &state);
	advise_gpu(&to, &state, memory->gpu_pct);
	if (!to.count) {
		struct wan_memory_advice *advice = add(&to, "normal", state.host_percent, 80);
		if (advice)
			wan_str_copy(advice->text, sizeof(advice->text),
				     "Memory usage is normal: nothing to do");
	}
	return to.count;
}
