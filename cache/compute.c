/* SPDX-License-Identifier: MIT */
/* Get or compute: pin what is there, wait for who computes it already, else compute. */
#include <errno.h>

#include "clock.h"
#include "hit.h"
#include "macros.h"
#include "thread.h"

struct request {
	struct wan_key key;
	uint64_t expected_bytes;
	wan_cache_compute compute; /* NULL: only what is there, in either form */
	void *context;
	bool thawed; /* the answer: it was there in its cold form */
};

/* What a flight without a computation comes to when there is no thaw either: those who wait and can
 * compute do so. */
#define NOTHING_THERE (-ENOTRECOVERABLE)

/* The value computed goes into the index, or is passed through to those who asked for it. */
static void settle_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
			  const struct wan_flight *flight, struct wan_victims *victims)
	WAN_REQUIRES(&cache->lock)
{
	int rc = -ECANCELED;
	if (flight->shared && !flight->stale)
		rc = wan_cache_store_locked(cache, entry, victims);
	if (rc == -EFBIG)
		wan_counters_add(&cache->counters, CACHE_WORD_REFUSED_OVERSIZE, 1);
	if (rc < 0)
		wan_cache_hold_locked(cache, entry, victims);
}

/* The value from its cold form. Returns the time that took, 0 when it failed. */
static uint64_t thaw(const struct wan_cold *cold, struct wan_value *value)
{
	uint64_t start_ns = wan_now_ns();
	if (cold->ops->thaw(cold->data, value) != 0) {
		*value = (struct wan_value){0};
		return 0;
	}
	wan_tier_describe(cold, value);
	return WAN_MAX(wan_now_ns() - start_ns, (uint64_t)1);
}

/* Runs the callbacks without the lock, then takes it again. */
static int call_unlocked(struct wan_cache *cache, struct request *request, struct wan_cold *cold,
			 struct wan_victims *victims, struct wan_value *value,
			 uint64_t *ret_cost_ns) WAN_REQUIRES(&cache->lock)
WAN_NO_ANALYSIS
{
	wan_cache_leave(cache, victims); /* frees what was evicted before more is allocated */
	uint64_t thaw_ns = cold ? thaw(cold, value) : 0;
	int rc = 0;
	if (!thaw_ns) {
		uint64_t start_ns = wan_now_ns();
		rc = request->compute ? request->compute(request->context, value) : NOTHING_THERE;
		*ret_cost_ns = wan_now_ns() - start_ns;
	}
	wan_mutex_lock(&cache->lock);
	request->thawed = thaw_ns > 0;
	if (cold) {
		wan_tier_thawed(cache, cold, thaw_ns);
		wan_tier_discard(cache, cold, victims);
	}
	return rc > 0 ? -EINVAL : rc;
}

/* The failure goes to those who wait, and into the index when the computation asks for that. */
static void fail_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
			struct wan_flight *flight, int error, const struct wan_value *value,
			struct wan_victims *victims) WAN_REQUIRES(&cache->lock)
{
	struct wan_value failure = {
		.data = (void *)(intptr_t)-error,
		.flags = WAN_CACHE_FAILURE | WAN_CACHE_DERIVED,
		.cost_ns = value->cost_ns,
	};
	bool keep = value->flags & WAN_CACHE_FAILURE && flight->shared && !flight->stale;
	wan_cache_fill_locked(cache, entry, flight->key, &failure);
	if (!keep || wan_cache_store_locked(cache, entry, victims) < 0)
		wan_slots_give(&cache->slots, entry);
	wan_flight_land(flight, error, NULL);
}

/* Computes in this thread; everybody who waits for it gets the outcome. */
static int compute_locked(struct wan_cache *cache, struct request *request, bool shared,
			  struct wan_victims *victims, struct wan_pin **ret_pin)
	WAN_REQUIRES(&cache->lock)
{
	struct wan_cache_entry *entry = wan_cache_take_locked(cache);
	if (!entry)
		return -ENOMEM;
	wan_cache_expire_locked(cache, victims);

	struct wan_cold *cold = shared ? wan_tier_take(&cache->tier, request->key) : NULL;
	if (!cold)
		wan_tier_missed(cache, request->key);
	uint64_t expected_bytes = cold ? cold->bytes : request->expected_bytes;
	struct wan_flight flight = {
		.key = request->key,
		.thread = wan_thread_id(),
		.shared = shared,
		.thaws = cold != NULL,
	};
	wan_flight_begin(&cache->flights,
			 &flight); /* first: it may wait for room, and others join */
	struct wan_value value = {0};
	uint64_t cost_ns = 0;
	int rc = wan_cache_reserve_locked(cache, expected_bytes, victims, &flight.reserved_bytes);
	if (rc == 0)
		rc = call_unlocked(cache, request, cold, victims, &value, &cost_ns);
	else if (cold)
		wan_tier_discard(cache, cold, victims);

	wan_flight_end(&cache->flights, &flight);
	cache->budget.in_flight_bytes -= flight.reserved_bytes;
	if (!value.cost_ns)
		value.cost_ns = cost_ns;
	if (rc < 0) {
		fail_locked(cache, entry, &flight, rc, &value, victims);
		return rc;
	}
	wan_cache_fill_locked(cache, entry, request->key, &value);
	settle_locked(cache, entry, &flight, victims);
	*ret_pin = wan_cache_pin_locked(cache, entry);
	wan_cache_count_pins_locked(cache, entry, wan_flight_land(&flight, 0, entry));
	return 0;
}

/* Waits for another thread's computation. 0 (the outcome is in waiter), -EDEADLK (it would wait for
 * us), -ETIMEDOUT. */
static int join_locked(struct wan_cache *cache, struct wan_flight *flight,
		       struct wan_waiter *waiter) WAN_REQUIRES(&cache->lock)
{
	waiter->thread = wan_thread_id();
	if (wan_flight_deadlocks(&cache->flights, flight, waiter->thread)) {
		wan_counters_add(&cache->counters, CACHE_WORD_DEADLOCKS, 1);
		return -EDEADLK;
	}
	uint64_t deadline_ns;
	if (__builtin_add_overflow(wan_now_ns(), cache->wait_ns, &deadline_ns))
		deadline_ns = UINT64_MAX;
	int rc = wan_flight_wait(flight, waiter, &cache->lock, deadline_ns);
	wan_counters_add(&cache->counters,
			 rc < 0 ? CACHE_WORD_WAIT_TIMEOUTS : CACHE_WORD_SHARED_WAITS, 1);
	return rc;
}

static int miss_locked(struct wan_cache *cache, struct request *request,
		       struct wan_victims *victims, struct wan_pin **ret_pin)
	WAN_REQUIRES(&cache->lock)
{
	/* Inside its own computation of the key a thread may compute once more, for itself; a third
	 * level would be endless recursion. */
	unsigned depth = wan_flight_depth(&cache->flights, request->key, wan_thread_id());
	if (depth) {
		wan_counters_add(&cache->counters, CACHE_WORD_DEADLOCKS, 1);
		return depth > 1 ? -EDEADLK
				 : compute_locked(cache, request, false, victims, ret_pin);
	}
	struct wan_flight *flight = wan_flight_find(&cache->flights, request->key);
	if (!flight)
		return compute_locked(cache, request, true, victims, ret_pin);

	struct wan_waiter waiter;
	if (join_locked(cache, flight, &waiter) < 0)
		return compute_locked(cache, request, false, victims, ret_pin);
	if (waiter.error == 0) { /* the one who computed has counted a pin for us */
		*ret_pin = wan_cache_pin_locked(cache, waiter.entry);
		wan_cache_uncount_pin_locked(cache, waiter.entry);
	}
	if (waiter.error != NOTHING_THERE || !request->compute)
		return waiter.error;
	/* Of those who waited for a thaw that failed, the first one computes. */
	struct wan_cache_entry *entry = wan_cache_find_locked(cache, request->key, victims);
	if (!entry)
		return miss_locked(cache, request, victims, ret_pin);
	*ret_pin = wan_cache_pin_locked(cache, entry);
	return 0;
}

struct wan_pin *wan_cache_thaw_locked(struct wan_cache *cache, struct wan_key key,
				      struct wan_victims *victims)
{
	struct request request = {.key = key};
	struct wan_pin *pin = NULL;
	const struct wan_flight *flight = wan_flight_find(&cache->flights, key);
	if (!wan_tier_has(&cache->tier, key) && !(flight && flight->thaws))
		return NULL;
	return miss_locked(cache, &request, victims, &pin) == 0 ? pin : NULL;
}

static int get_slowly(struct wan_cache *cache, struct request *request, struct wan_pin **ret_pin,
		      bool *ret_hit)
{
	struct wan_victims victims = {0};
	wan_mutex_lock(&cache->lock);
	int rc = 0;
	*ret_pin = wan_cache_request_locked(cache, request->key, &victims, &rc);
	*ret_hit = *ret_pin != NULL;
	if (*ret_hit)
		rc = 0;
	else if (rc == -ENOENT)
		rc = miss_locked(cache, request, &victims, ret_pin);
	*ret_hit |= request->thawed;
	wan_cache_leave(cache, &victims);
	return rc;
}

int wan_cache_get_or_compute(struct wan_cache *cache, struct wan_key key, uint64_t expected_bytes,
			     wan_cache_compute compute, void *context, struct wan_pin **ret_pin,
			     bool *ret_hit)
{
	if (!cache || !compute || !ret_pin)
		return -EINVAL;
	struct wan_pin *pin = wan_cache_hit(cache, key);
	bool hit = pin != NULL;
	int rc = hit ? 0
		     : get_slowly(cache,
				  &(struct request){key, expected_bytes, compute, context, false},
				  &pin, &hit);
	if (rc < 0)
		return rc;
	*ret_pin = pin;
	if (ret_hit)
		*ret_hit = hit;
	return 0;
}
