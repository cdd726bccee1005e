/* SPDX-License-Identifier: MIT */
/* The public calls, but for get-or-compute (compute.c) and weak handles (weak.c). */
#include "wan/cache.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>

#include "alloc.h"
#include "barrier.h"
#include "clock.h"
#include "hash.h"
#include "hit.h"
#include "macros.h"

#define SECOND_NS ((uint64_t)1000000000)
#define FLAGS     ((uint32_t)(WAN_CACHE_DERIVED | WAN_CACHE_SCAN | WAN_CACHE_PIN))

void wan_cache_options_init(struct wan_cache_options *options)
{
	*options = (struct wan_cache_options){
		.struct_size = sizeof(*options),
		.limit_bytes = 256 * WAN_MIB,
		.entry_limit = 50,
		.idle_ns = 3600 * SECOND_NS,
		.wait_ns = SECOND_NS,
	};
}

/* Fields an older program does not know keep their defaults; fields we do not know must be zero. */
static int read_options(const struct wan_cache_options *given, struct wan_cache_options *options)
{
	wan_cache_options_init(options);
	if (!given)
		return 0;
	if (given->struct_size < sizeof(given->struct_size))
		return -EINVAL;
	for (size_t i = sizeof(*options); i < given->struct_size; i++) {
		if (((const char *)given)[i])
			return -EINVAL;
	}
	memcpy(options, given, WAN_MIN(given->struct_size, sizeof(*options)));
	return 0;
}

static bool valid_limit(uint64_t limit)
{
	return limit > 0 && limit <= WAN_BUDGET_LIMIT_MAX;
}

/* Its lines are those of the processor's cache: hits share none with steps under the lock. */
static struct wan_cache *allocate(void)
{
	char *block = wan_calloc(1, sizeof(struct wan_cache) + WAN_ENTRY_ALIGN);
	if (!block)
		return NULL;
	struct wan_cache *cache =
		(void *)(block + WAN_ENTRY_ALIGN - (uintptr_t)block % WAN_ENTRY_ALIGN);
	cache->block = block;
	return cache;
}

/* From what the kernel gave this process at random, and different for each cache. A schedule that
 * is run again gets the same ones. */
static void make_seeds(uint64_t seeds[2])
{
	uint64_t source[3] = {wan_ticks()};
#ifndef WAN_SCHEDULE
	const void *random = (const void *)getauxval(AT_RANDOM); /* 16 bytes */
	if (random)
		memcpy(&source[1], random, 2 * sizeof(source[0]));
#endif
	struct wan_hash128 hash = wan_hash128(source, sizeof(source), 0);
	seeds[0] = hash.low;
	seeds[1] = hash.high;
}

/* A hit that looks at the second only may tell an entry's last use that much too early. */
static bool looks_at_seconds(const struct wan_cache_options *options)
{
	return !options->now_ns && (!options->idle_ns || options->idle_ns >= 60 * SECOND_NS);
}

static int choose_order(struct wan_cache *cache, const struct wan_cache_options *options)
{
	wan_order_init(&cache->order);
	if (options->policy == WAN_CACHE_LRU)
		return 0;
	cache->noting = true;
	return wan_policy_create(options->policy, options->limit_bytes, options->entry_limit,
				 &cache->order.policy);
}

int wan_cache_create(const struct wan_cache_options *given, struct wan_cache **ret_cache)
{
	struct wan_cache_options options;
	if (!ret_cache || read_options(given, &options) < 0)
		return -EINVAL;
	if (!valid_limit(options.limit_bytes) || !valid_limit(options.entry_limit) ||
	    (unsigned)options.full > WAN_CACHE_FAIL)
		return -EINVAL;

	struct wan_cache *cache = allocate();
	if (!cache)
		return -ENOMEM;
	uint64_t seeds[2];
	make_seeds(seeds);
	if (wan_table_init(&cache->table, seeds) < 0) {
		wan_free(cache->block);
		return -ENOMEM;
	}
	int rc = choose_order(cache, &options);
	if (rc < 0) {
		wan_table_finish(&cache->table);
		wan_free(cache->block);
		return rc;
	}
	wan_ticker_init(&cache->ticker, options.now_ns, options.idle_ns);
	wan_mutex_init(&cache->lock, WAN_RANK_CACHE);
	wan_cond_init(&cache->room);
	wan_slots_init(&cache->slots);
	wan_tier_init(&cache->tier, seeds[0] ^ seeds[1], cache->order.policy != NULL);
	/* Measured: up to 0.1 points won and 0.6 lost with auto, up to 4 % lost with s3fifo. */
	cache->tier.useless =
		options.policy == WAN_CACHE_AUTO || options.policy == WAN_CACHE_S3FIFO;
	cache->seconds = looks_at_seconds(&options);
	wan_counters_init(&cache->counters, options.counters);
	cache->light = wan_barrier_available();
	cache->epoch = 1;
	cache->budget.limit_bytes = options.limit_bytes;
	cache->budget.entry_limit = options.entry_limit;
	wan_counters_follow(&cache->counters, &cache->budget);
	cache->wait_ns = options.wait_ns;
	cache->count_derived = options.count_derived;
	cache->full = options.full;
	cache->next_expiry = UINT64_MAX;
	*ret_cache = cache;
	return 0;
}

void wan_cache_destroy(struct wan_cache *cache)
{
	if (!cache)
		return;
	struct wan_victims victims = {0};
	wan_mutex_lock(&cache->lock);
	/* The recording keeps the state from before, and may be unmapped when the last pin goes. */
	cache->counters.mirror = NULL;
	cache->closing = true;
	wan_cache_fence_locked(cache);
	cache->budget.limit_bytes = 0; /* a destructor may still ask; nothing is stored any more */
	wan_flight_spoil(&cache->flights, NULL);
	wan_cache_drop_all_locked(cache, &victims);
	wan_cache_leave(cache, &victims);
}

void *wan_pin_data(const struct wan_pin *pin)
{
	return pin ? wan_entry_from_pin(pin)->data : NULL;
}

uint64_t wan_pin_bytes(const struct wan_pin *pin)
{
	return pin ? wan_entry_from_pin(pin)->bytes : 0;
}

/* A value that is handed out although the cache has no room for it; the key must not go on giving
 * the older one. */
static void pass_through_locked(struct wan_cache *cache, struct wan_cache_entry *entry,
				struct wan_victims *victims) WAN_REQUIRES(&cache->lock)
{
	struct wan_cache_entry *old = wan_table_find(&cache->table, entry->key);
	if (old)
		wan_cache_drop_locked(cache, old, victims);
	wan_tier_forget(cache, entry->key, victims);
	wan_cache_hold_locked(cache, entry, victims);
}

static int put(struct wan_cache *cache, struct wan_key key, const struct wan_value *value,
	       struct wan_pin **ret_pin)
{
	if (!cache || !value || value->flags & ~FLAGS)
		return -EINVAL;
	struct wan_victims victims = {0};
	struct wan_pin *pin = NULL;
	wan_mutex_lock(&cache->lock);
	wan_cache_expire_locked(cache, &victims);
	struct wan_cache_entry *entry = wan_cache_take_locked(cache);
	int rc = -ENOMEM;
	if (entry) {
		wan_cache_fill_locked(cache, entry, key, value);
		rc = wan_cache_store_locked(cache, entry, &victims);
		if (rc == -EFBIG)
			wan_counters_add(&cache->counters, CACHE_WORD_REFUSED_OVERSIZE, 1);
		if (rc < 0 && ret_pin) {
			pass_through_locked(cache, entry, &victims);
			rc = 0;
		}
		if (rc < 0) {
			wan_slots_give(&cache->slots, entry);
		} else {
			wan_flight_spoil(&cache->flights, &key);
			if (ret_pin)
				pin = wan_cache_pin_locked(cache, entry);
		}
	}
	wan_cache_leave(cache, &victims);
	if (pin)
		*ret_pin = pin;
	return rc;
}

int wan_cache_put(struct wan_cache *cache, struct wan_key key, const struct wan_value *value)
{
	return put(cache, key, value, NULL);
}

int wan_cache_put_pinned(struct wan_cache *cache, struct wan_key key, const struct wan_value *value,
			 struct wan_pin **ret_pin)
{
	return ret_pin ? put(cache, key, value, ret_pin) : -EINVAL;
}

bool wan_cache_contains(struct wan_cache *cache, struct wan_key key)
{
	if (!cache)
		return false;
	wan_mutex_lock(&cache->lock);
	bool found = wan_cache_has_locked(cache, key);
	wan_mutex_unlock(&cache->lock);
	return found;
}

int wan_cache_remove(struct wan_cache *cache, struct wan_key key)
{
	if (!cache)
		return -EINVAL;
	struct wan_victims victims = {0};
	wan_mutex_lock(&cache->lock);
	struct wan_cache_entry *entry = wan_table_find(&cache->table, key);
	bool found = entry || wan_tier_has(&cache->tier, key);
	if (entry)
		wan_cache_drop_locked(cache, entry, &victims);
	wan_tier_forget(cache, key, &victims);
	wan_flight_spoil(&cache->flights, &key);
	wan_cache_leave(cache, &victims);
	return found ? 0 : -ENOENT;
}

void wan_cache_clear(struct wan_cache *cache)
{
	if (!cache)
		return;
	struct wan_victims victims = {0};
	wan_mutex_lock(&cache->lock);
	wan_cache_drop_all_locked(cache, &victims);
	wan_flight_spoil(&cache->flights, NULL);
	wan_cache_leave(cache, &victims);
}

int wan_cache_set_limits(struct wan_cache *cache, uint64_t limit_bytes, uint64_t entry_limit)
{
	if (!cache || limit_bytes > WAN_BUDGET_LIMIT_MAX || entry_limit > WAN_BUDGET_LIMIT_MAX)
		return -EINVAL;
	struct wan_victims victims = {0};
	wan_mutex_lock(&cache->lock);
	if (limit_bytes)
		cache->budget.limit_bytes = limit_bytes;
	if (entry_limit)
		cache->budget.entry_limit = entry_limit;
	if (cache->order.policy)
		wan_policy_set_limits(cache->order.policy, cache->budget.limit_bytes,
				      cache->budget.entry_limit);
	wan_tier_keep_share(cache, &victims);
	wan_cache_shrink_locked(cache, cache->budget.limit_bytes, &victims);
	wan_cache_leave(cache, &victims);
	return 0;
}

uint64_t wan_cache_trim(struct wan_cache *cache, uint64_t target_bytes)
{
	if (!cache)
		return 0;
	struct wan_victims victims = {0};
	wan_mutex_lock(&cache->lock);
	uint64_t freed_bytes = wan_cache_shrink_locked(cache, target_bytes, &victims);
	wan_cache_leave(cache, &victims);
	return freed_bytes;
}

uint64_t wan_cache_expire(struct wan_cache *cache)
{
	if (!cache)
		return 0;
	struct wan_victims victims = {0};
	wan_mutex_lock(&cache->lock);
	uint64_t count = wan_cache_expire_locked(cache, &victims);
	wan_cache_leave(cache, &victims);
	return count;
}

void wan_cache_tell(struct wan_cache *cache)
{
	if (!cache || !wan_mutex_try(&cache->lock))
		return;
	wan_counters_tell_all(&cache->counters, cache->records);
	wan_counters_follow(&cache->counters, &cache->budget);
	wan_mutex_unlock(&cache->lock);
}

void wan_cache_stats(struct wan_cache *cache, struct wan_cache_stats *stats)
{
	if (!cache || !stats)
		return;
	wan_mutex_lock(&cache->lock);
	wan_cache_look_locked(cache);
	wan_counters_tell_all(&cache->counters, cache->records);
	wan_counters_follow(&cache->counters, &cache->budget);
	wan_counters_report(&cache->counters, stats);
	wan_mutex_unlock(&cache->lock);
}
