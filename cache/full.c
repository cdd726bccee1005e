/* SPDX-License-Identifier: MIT */
/* Room for a value before it exists: what to do when there is none. */
#include <errno.h>

#include "clock.h"
#include "core.h"

static int reserve_locked(struct wan_cache *cache, uint64_t bytes, struct wan_victims *victims,
			  uint64_t *ret_bytes) WAN_REQUIRES(&cache->lock)
{
	struct wan_budget_ask ask = {.bytes = bytes};
	int rc = wan_cache_grant_locked(cache, &ask, NULL, victims);
	if (rc < 0)
		return rc;
	cache->budget.in_flight_bytes += bytes;
	*ret_bytes = bytes;
	return 0;
}

/* What this thread has thrown out is on its way to make room: destroyed before it waits. */
static void destroy_own_locked(struct wan_cache *cache, struct wan_victims *victims)
	WAN_REQUIRES(&cache->lock)
WAN_NO_ANALYSIS
{
	if (!victims->first && !victims->cold)
		return;
	wan_cache_leave(cache, victims);
	wan_mutex_lock(&cache->lock);
}

/* Until there is room, or wait_ns has passed. Every step under the lock wakes who waits here, and
 * releases take the lock meanwhile. */
static int wait_for_room_locked(struct wan_cache *cache, uint64_t bytes,
				struct wan_victims *victims, uint64_t *ret_bytes)
	WAN_REQUIRES(&cache->lock)
{
	uint64_t deadline_ns;
	if (__builtin_add_overflow(wan_now_ns(), cache->wait_ns, &deadline_ns))
		deadline_ns = UINT64_MAX;
	int rc = -EAGAIN, waited = 0;
	cache->room_waiters++;
	while (rc == -EAGAIN && waited != -ETIMEDOUT) {
		destroy_own_locked(cache, victims);
		/* What was released before it could see that it has to tell, is seen now. */
		if (wan_cache_owe_locked(cache) > 0)
			wan_cache_see_all_locked(cache);
		rc = reserve_locked(cache, bytes, victims, ret_bytes);
		if (rc != -EAGAIN)
			break;
		waited = wan_cond_wait(&cache->room, &cache->lock, deadline_ns);
		rc = reserve_locked(cache, bytes, victims, ret_bytes);
	}
	cache->room_waiters--;
	if (rc == -EAGAIN)
		wan_counters_add(&cache->counters, CACHE_WORD_WAIT_TIMEOUTS, 1);
	return rc;
}

int wan_cache_reserve_locked(struct wan_cache *cache, uint64_t expected_bytes,
			     struct wan_victims *victims, uint64_t *ret_bytes)
{
	uint64_t bytes = wan_cache_charge(expected_bytes);
	*ret_bytes = 0;
	int rc = reserve_locked(cache, bytes, victims, ret_bytes);
	if (rc == -EAGAIN && cache->full == WAN_CACHE_WAIT)
		rc = wait_for_room_locked(cache, bytes, victims, ret_bytes);
	if (rc == -EFBIG && cache->full == WAN_CACHE_FAIL)
		wan_counters_add(&cache->counters, CACHE_WORD_REFUSED_OVERSIZE, 1);
	return cache->full == WAN_CACHE_FAIL ? rc : 0;
}
