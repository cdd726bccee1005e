/* SPDX-License-Identifier: MIT */
/* Values with cold forms for tests: they count their lives, and freezing and thawing can fail. */
#ifndef WAN_TESTS_CACHE_THINGS_H
#define WAN_TESTS_CACHE_THINGS_H

#include <unistd.h>

#include "alloc.h"
#include "atomics.h"
#include "core.h"
#include "fault.h"
#include "support.h"

/* A value of which each byte tells its number; its cold form is the number in a sixth of the bytes.
 */
struct thing {
	uint64_t number, bytes;
	bool cold;
};

static uint32_t alive, frozen, thawed, computed; /* atomic */
static int freeze_error, thaw_error;
static void (*during_freeze)(void), (*during_thaw)(void);

static void destroy_thing(void *data)
{
	wan_sub_relaxed(&alive, 1);
	wan_free(data);
}

static struct wan_value thing_of(uint64_t number, uint64_t bytes, bool cold)
{
	struct thing *thing = wan_malloc(sizeof(*thing));
	if (!thing)
		return (struct wan_value){.data = NULL};
	*thing = (struct thing){number, bytes, cold};
	wan_add_relaxed(&alive, 1);
	return (struct wan_value){.data = thing, .bytes = bytes, .destroy = destroy_thing};
}

static int freeze(void *data, uint64_t bytes_max, struct wan_value *ret_cold)
{
	const struct thing *thing = data;
	if (during_freeze)
		during_freeze();
	if (freeze_error)
		return freeze_error;
	if (thing->bytes / 6 > bytes_max)
		return -E2BIG;
	struct wan_value cold = thing_of(thing->number, thing->bytes / 6, true);
	if (!cold.data)
		return -ENOMEM;
	*ret_cold = cold;
	wan_add_relaxed(&frozen, 1);
	return 0;
}

static const struct wan_cold_ops ops;

static int thaw(void *data, struct wan_value *ret_value)
{
	const struct thing *cold = data;
	if (during_thaw)
		during_thaw();
	if (thaw_error)
		return thaw_error;
	struct wan_value value = thing_of(cold->number, 6 * cold->bytes, false);
	if (!value.data)
		return -ENOMEM;
	value.cold = &ops;
	*ret_value = value;
	wan_add_relaxed(&thawed, 1);
	return 0;
}

static const struct wan_cold_ops ops = {.freeze = freeze, .thaw = thaw};

enum { SIZE = 60000, COST_NS = 50000000 };

static int compute(void *context, struct wan_value *ret_value)
{
	*ret_value = thing_of(*(const uint64_t *)context, SIZE, false);
	if (!ret_value->data)
		return -ENOMEM;
	ret_value->cost_ns = COST_NS;
	ret_value->cold = &ops;
	wan_add_relaxed(&computed, 1);
	return 0;
}

/* Room for 16 of them. */
__attribute__((unused)) static struct wan_cache *begin(void)
{
	alive = frozen = thawed = computed = 0;
	freeze_error = thaw_error = 0;
	during_freeze = during_thaw = NULL;
	struct wan_cache *cache = cache_of(16 * WEIGHT(SIZE), 0);
	cache->tier.judge.share = 0.25; /* as after some gains */
	return cache;
}

__attribute__((unused)) static void end(struct wan_cache *cache)
{
	SOUND(cache);
	wan_cache_destroy(cache);
	CHECK_EQ(alive, 0);
}

/* Is it what was computed? Tells whether it was a hit. */
__attribute__((unused)) static bool get(struct wan_cache *cache, uint64_t number)
{
	struct wan_pin *pin = NULL;
	bool hit = false;
	if (wan_cache_get_or_compute(cache, key_of(number), SIZE, compute, &number, &pin, &hit) < 0)
		return false;
	const struct thing *thing = wan_pin_data(pin);
	CHECK_EQ(thing->number, number);
	CHECK_EQ(wan_pin_bytes(pin), SIZE);
	CHECK(!thing->cold);
	wan_pin_release(pin);
	return hit;
}

/* first to last used in this order, with time to work behind each. */
__attribute__((unused)) static void fill(struct wan_cache *cache, uint64_t first, uint64_t last)
{
	for (uint64_t number = first; number <= last; number++) {
		get(cache, number);
		wan_cache_background(cache, 1000000000);
		CHECK(stats_of(cache).used_bytes <= stats_of(cache).limit_bytes);
	}
}

#endif
