/* SPDX-License-Identifier: MIT */
#include "auto_limit.h"

#include "atomics.h"
#include "macros.h"

#define EVERY_NS ((uint64_t)5 * 1000000000) /* requirements: looked at every 5 s */
#define BAND     10                         /* a tenth of the limit */

uint64_t wan_auto_limit_for(const struct wan_auto_limit *follow, const struct wan_auto_look *look)
{
	if (look->available_bytes == 0)
		return 0;
	uint64_t spare_bytes = WAN_MIN(look->available_bytes, look->headroom_bytes);
	uint64_t target_bytes =
		wan_memory_optimal_cache_bytes(spare_bytes + look->used_bytes, follow->percent);
	uint64_t limit_bytes = look->limit_bytes;
	if (follow->ours_bytes == 0) /* never set: cache.limit does not count */
		return target_bytes;
	if (target_bytes < limit_bytes)
		return limit_bytes - target_bytes > limit_bytes / BAND ? target_bytes : 0;
	bool may_raise = limit_bytes == follow->ours_bytes && look->level == WAN_MEMORY_NORMAL;
	return may_raise && target_bytes - limit_bytes > limit_bytes / BAND ? target_bytes : 0;
}

bool wan_auto_limit_due(struct wan_auto_limit *follow, uint64_t now_ns)
{
	if (!follow->on)
		return false;
	uint64_t looked_ns = wan_load_relaxed(&follow->looked_ns);
	if (looked_ns != 0 && now_ns - looked_ns < EVERY_NS)
		return false;
	return wan_cas_acq_rel(&follow->looked_ns, &looked_ns, WAN_MAX(now_ns, (uint64_t)1));
}

bool wan_auto_limit_follow(struct wan_auto_limit *follow, struct wan_cache *cache,
			   struct wan_memory *memory, uint64_t *ret_before, uint64_t *ret_after)
{
	struct wan_cache_stats stats = {.struct_size = sizeof(stats)};
	struct wan_memory_state state = {.struct_size = sizeof(state)};
	wan_cache_stats(cache, &stats);
	wan_memory_state(memory, &state);
	const struct wan_auto_look look = {
		.available_bytes = state.available_bytes,
		.headroom_bytes = state.headroom_bytes,
		.level = state.level,
		.used_bytes = stats.used_bytes,
		.limit_bytes = stats.limit_bytes,
	};
	uint64_t limit_bytes = wan_auto_limit_for(follow, &look);
	if (limit_bytes == 0 || wan_cache_set_limits(cache, limit_bytes, 0) < 0)
		return false;
	follow->ours_bytes = limit_bytes;
	*ret_before = stats.limit_bytes;
	*ret_after = limit_bytes;
	return limit_bytes != stats.limit_bytes;
}
