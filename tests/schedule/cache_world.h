/* SPDX-License-Identifier: MIT */
/*
 * What schedule tests of the cache share: values that know whether they live, and what has to be
 * true whatever the schedule was. Time is the number of steps of the schedule.
 *
 *	no value is read after its destructor; each value is destroyed once; nothing is left over
 *	who asks after an overwrite, removal or clearing was done does not get an older value
 *	what was used before something else was asked for is evicted before it
 */
#ifndef WAN_TESTS_CACHE_WORLD_H
#define WAN_TESTS_CACHE_WORLD_H

#include <errno.h>
#include <string.h>

#include "atomics.h"
#include "cache_check.h"
#include "scheduler.h"
#include "wan/cache.h"

enum { WORLD_KEYS = 128, WORLD_VALUES = 1024 };

struct value {
	uint64_t key, bytes;
	struct value
		*origin; /* of a cold form, or of what was thawed from one: what it was made of */
	bool cold;
	uint64_t put_end; /* UINT64_MAX while it is being put; of what is computed, when it was */
	uint64_t use_start, use_end; /* of the last use */
	uint64_t suspect_since; /* something newer was evicted: wrong if this one was still there */
	bool dead, failed;      /* failed: it stayed ours */
	uint32_t flags;
};

static struct {
	struct wan_cache *cache;
	uint64_t now_ns;
	struct value values[WORLD_VALUES];
	unsigned value_count, dead_count, failed_count;
	uint64_t floor[WORLD_KEYS];  /* values put before this step must not be found any more */
	unsigned active[WORLD_KEYS]; /* calls under way and pins held */
	uint64_t idle_since[WORLD_KEYS]; /* when none is */
	/* Calls that look for a key, and when a value of it last was destroyed. */
	unsigned asking[WORLD_KEYS];
	uint64_t asked_from[WORLD_KEYS], asked_to[WORLD_KEYS], gone_at[WORLD_KEYS];
	bool exact; /* whoever evicts is compared with what lay there unused all the time */
	uint64_t ceiling;
	int64_t owned_bytes;              /* what the cache has of ours */
	struct value *gone[WORLD_VALUES]; /* in order of destruction */
	const struct wan_cold_ops *cold;  /* of all values made */
	bool ordered;                     /* strict LRU */
	bool loaders_count;               /* loaded values always fit: count them at once */
} world;

#define WEIGHT(bytes) ((uint64_t)(bytes) + WAN_CACHE_ENTRY_BYTES)

static inline struct wan_key world_key(uint64_t number)
{
	return (struct wan_key){{number, number * 0x9e3779b97f4a7c15u}};
}

static inline uint64_t world_clock(void)
{
	return world.now_ns;
}

/* A call that concerns a key begins and ends; so does a pin. */
static inline void world_enter(uint64_t key)
{
	world.active[key]++;
}

static inline void world_leave(uint64_t key)
{
	if (--world.active[key] == 0)
		world.idle_since[key] = scheduler_steps();
}

/* The call that may evict just now in this thread: its key and beginning. */
static __thread uint64_t world_evicting_key = UINT64_MAX, world_evicting_since;

static inline void world_ask(uint64_t key)
{
	if (world.asking[key]++ == 0)
		world.asked_from[key] = scheduler_steps();
}

static inline void world_answered(uint64_t key)
{
	if (--world.asking[key] == 0)
		world.asked_to[key] = scheduler_steps();
}

/* A hit that finds an entry just before it goes, announces its pin when another value has taken the
 * place: that one seems pinned for a moment. */
static inline bool world_ghost_pins(void)
{
	for (unsigned key = 0; key < WORLD_KEYS; key++) {
		if ((world.asking[key] || world.asked_to[key] >= world_evicting_since) &&
		    world.gone_at[key] && world.gone_at[key] >= world.asked_from[key])
			return true;
	}
	return false;
}

/* Evicted, while something older of its kind lay there unused since before that call began? */
static inline void world_compare(const struct value *gone)
{
	if (!world.exact || world_evicting_key == UINT64_MAX || gone->key == world_evicting_key)
		return;
	if (world.floor[gone->key] > gone->put_end || world.active[gone->key])
		return; /* overwritten, or being so */
	if (world_ghost_pins())
		return;
	for (unsigned i = 0; i < world.value_count; i++) {
		const struct value *other = &world.values[i];
		if (other == gone || other->dead || other->failed || other->flags != gone->flags ||
		    other->put_end == UINT64_MAX || world.active[other->key] ||
		    world.idle_since[other->key] >= world_evicting_since)
			continue;
		/* Unless another thread has taken it out already and is about to destroy it. */
		if (other->use_end < gone->use_start)
			world.values[i].suspect_since = scheduler_steps() + 1;
	}
}

/* The cache has it still, or had it when the call that destroys it began at start. */
static inline void world_was_there(const struct value *value, uint64_t start)
{
	SCHEDULER_REQUIRE(!value->suspect_since || start <= value->suspect_since);
}

static inline void world_destroy(void *data)
{
	struct value *value = data;
	SCHEDULER_REQUIRE(!wan_load_relaxed(&value->dead));
	world_was_there(value, world_evicting_key == UINT64_MAX ? 0 : world_evicting_since);
	world_compare(value);
	world.gone_at[value->key] = scheduler_steps();
	value->dead = true;
	world.gone[world.dead_count++] = value;
	scheduler_point("destructor");
	world.owned_bytes -= (int64_t)WEIGHT(value->bytes);
}

static inline void world_own(struct value *value)
{
	world.owned_bytes += (int64_t)WEIGHT(value->bytes);
	if (world.loaders_count)
		SCHEDULER_REQUIRE(world.owned_bytes <= (int64_t)world.ceiling);
}

/* A value that is about to be put; it counts as in use from now on. */
static inline struct value *world_make(uint64_t key, uint64_t bytes)
{
	SCHEDULER_REQUIRE(world.value_count < WORLD_VALUES);
	struct value *value = &world.values[world.value_count++];
	*value = (struct value){.key = key,
				.bytes = bytes,
				.put_end = UINT64_MAX,
				.use_start = scheduler_steps(),
				.use_end = UINT64_MAX};
	return value;
}

static inline struct wan_value world_value(struct value *value, uint32_t flags)
{
	value->flags = flags;
	return (struct wan_value){.data = value,
				  .bytes = value->bytes,
				  .destroy = world_destroy,
				  .flags = flags,
				  .cost_ns = world.cold ? 1000000000 : 0,
				  .cold = world.cold};
}

/* A cold form is a value too, of half the size. Making it is no use. */
static inline int world_freeze(void *data, uint64_t bytes_max, struct wan_value *ret_cold)
{
	struct value *value = data;
	SCHEDULER_REQUIRE(!value->dead);
	scheduler_point("freeze");
	SCHEDULER_REQUIRE(!value->dead);
	if (value->bytes / 2 > bytes_max)
		return -E2BIG;
	if (scheduler_below(8) == 0)
		return -ENOMEM;
	struct value *form = world_make(value->key, value->bytes / 2);
	form->origin = value->origin ? value->origin : value;
	form->cold = true;
	world_own(form);
	*ret_cold =
		(struct wan_value){.data = form, .bytes = form->bytes, .destroy = world_destroy};
	return 0;
}

static inline int world_thaw(void *data, struct wan_value *ret_value)
{
	struct value *form = data;
	SCHEDULER_REQUIRE(!form->dead && form->cold);
	scheduler_point("thaw");
	SCHEDULER_REQUIRE(!form->dead);
	if (scheduler_below(8) == 0)
		return -ENOMEM;
	struct value *value = world_make(form->key, form->origin->bytes);
	value->origin = form->origin;
	world_own(value);
	*ret_value = world_value(value, 0);
	return 0;
}

static const struct wan_cold_ops world_cold_ops = {world_freeze, world_thaw};

/* When what a value is, or was made of, was put. */
static inline uint64_t world_put_end(const struct value *value)
{
	return value->origin ? value->origin->put_end : value->put_end;
}

/* The call that stored it came back. */
static inline void world_stored(struct value *value)
{
	uint64_t now = scheduler_steps();
	if (value->put_end == UINT64_MAX)
		value->put_end = now;
	if (value->use_end == UINT64_MAX)
		value->use_end = now;
}

static inline void world_refused(struct value *value)
{
	value->failed = true;
	world.failed_count++;
}

/* An overwrite, a removal or a clearing that began at start is done. */
static inline void world_outdated(uint64_t key, uint64_t start)
{
	if (world.floor[key] < start)
		world.floor[key] = start;
}

/* The value a pin holds, which was asked for at start. */
static inline struct value *world_look(const struct wan_pin *pin, uint64_t key)
{
	struct value *value = wan_pin_data(pin);
	SCHEDULER_REQUIRE(value >= world.values && value < world.values + world.value_count);
	SCHEDULER_REQUIRE(!wan_load_relaxed(&value->dead));
	SCHEDULER_REQUIRE(value->key == key);
	SCHEDULER_REQUIRE(wan_pin_bytes(pin) == value->bytes);
	return value;
}

static inline void world_used(struct value *value, uint64_t start)
{
	uint64_t now = scheduler_steps();
	if (value->use_start < start)
		value->use_start = start;
	if (value->use_end == UINT64_MAX || value->use_end < now)
		value->use_end = now;
}

/* Pins and looks. Returns 0 and the pin, or -ENOENT. */
static inline int world_pin(uint64_t key, struct wan_pin **ret_pin)
{
	world_enter(key);
	uint64_t start = scheduler_steps(), floor = world.floor[key];
	world_ask(key);
	int rc = wan_cache_pin(world.cache, world_key(key), ret_pin);
	world_answered(key);
	SCHEDULER_REQUIRE(rc == 0 || rc == -ENOENT);
	if (rc < 0)
		world_leave(key);
	if (rc == 0) {
		struct value *value = world_look(*ret_pin, key);
		SCHEDULER_REQUIRE(world_put_end(value) >= floor);
		world_was_there(value, start);
		world_used(value, start);
	}
	return rc;
}

/* Gives back what world_pin() gave. */
static inline void world_release(struct wan_pin *pin, uint64_t key)
{
	world_look(pin, key);
	wan_pin_release(pin);
	world_leave(key);
}

static inline int world_put(uint64_t key, uint64_t bytes, uint32_t flags)
{
	uint64_t start = scheduler_steps();
	struct value *value = world_make(key, bytes);
	struct wan_value given = world_value(value, flags);
	world_enter(key);
	world_evicting_key = key;
	world_evicting_since = start;
	int rc = wan_cache_put(world.cache, world_key(key), &given);
	world_evicting_key = UINT64_MAX;
	world_leave(key);
	SCHEDULER_REQUIRE(rc == 0 || rc == -EAGAIN || rc == -EFBIG);
	if (rc < 0) {
		world_refused(value);
		return rc;
	}
	world_stored(value);
	world_outdated(key, start);
	world.owned_bytes += (int64_t)WEIGHT(bytes);
	return 0;
}

static inline void world_sound(void)
{
	const char *wrong = wan_cache_check(world.cache);
	if (wrong)
		scheduler_fail(wrong);
}

static inline struct wan_cache_stats world_stats(void)
{
	struct wan_cache_stats stats = {.struct_size = sizeof(stats)};
	wan_cache_stats(world.cache, &stats);
	SCHEDULER_REQUIRE(stats.used_bytes <= stats.limit_bytes + stats.debt_bytes);
	SCHEDULER_REQUIRE(stats.requests == stats.hits + stats.misses);
	return stats;
}

/* idle_ns 0: stamps are ticks and nothing expires; else world.now_ns is the clock. */
static inline void world_begin(const struct scheduler_plan *plan, uint64_t limit_bytes,
			       uint64_t entry_limit, uint64_t idle_ns, enum wan_cache_policy policy)
{
	struct wan_cache_options options;
	scheduler_begin(plan);
	memset(&world, 0, sizeof(world));
	wan_cache_options_init(&options);
	options.limit_bytes = world.ceiling = limit_bytes;
	options.entry_limit = entry_limit;
	options.now_ns = idle_ns ? world_clock : NULL;
	options.idle_ns = idle_ns;
	options.policy = policy;
	world.ordered = policy == WAN_CACHE_LRU;
	SCHEDULER_REQUIRE(wan_cache_create(&options, &world.cache) == 0);
}

/* All threads have ended and no pin is left: evicts what is there, oldest first. */
static inline void world_evict_in_order(void)
{
	world_sound();
	struct wan_cache_stats stats = world_stats();
	SCHEDULER_REQUIRE(stats.pinned_bytes == 0 && stats.in_flight_bytes == 0);
	uint64_t held = 0;
	for (unsigned i = 0; i < world.value_count; i++) {
		const struct value *value = &world.values[i];
		if (!value->dead && !value->failed && !value->cold)
			held += WEIGHT(value->bytes);
	}
	SCHEDULER_REQUIRE(stats.used_bytes - stats.cold_bytes == held);
	unsigned first = world.dead_count;
	for (unsigned i = 0; i < world.value_count; i++) {
		if (!world.values[i].dead && !world.values[i].failed)
			world_was_there(&world.values[i], UINT64_MAX);
	}
	wan_cache_trim(world.cache, 0);
	for (unsigned i = first; i < world.dead_count; i++) {
		for (unsigned j = i + 1; j < world.dead_count && world.ordered; j++)
			SCHEDULER_REQUIRE(world.gone[i]->cold || world.gone[j]->cold ||
					  world.gone[i]->use_start <= world.gone[j]->use_end);
	}
	world_sound();
}

static inline void world_end(void)
{
	wan_cache_destroy(world.cache);
	SCHEDULER_REQUIRE(world.dead_count + world.failed_count == world.value_count);
}

#endif
