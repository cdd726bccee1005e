/* SPDX-License-Identifier: MIT */
/*
 * Three threads run short random programs of calls, each seed another program under another
 * schedule. A theme says which calls, how many keys and how much room; what has to hold is in
 * cache_world.h.
 */
#ifndef WAN_TESTS_CACHE_THEME_H
#define WAN_TESTS_CACHE_THEME_H

#include "cache_world.h"
#include "lock.h"
#include "tap.h"

enum { THREADS = 3, HELD_MAX = 2, BYTES_MAX = 1000 };

enum call {
	PIN,
	PUT,
	PUT_PINNED,
	COMPUTE,
	RELEASE,
	WEAK,
	GIVE,
	REMOVE,
	CLEAR,
	LIMIT_BYTES,
	LIMIT_ENTRIES,
	TRIM,
	EXPIRE,
	BACKGROUND,
	STATS,
	CHECK_ALL,
	CALLS
};

struct theme {
	unsigned keys, steps, prepared;
	uint64_t limit_bytes, entry_limit;
	bool certain;       /* nothing leaves: what was put is found */
	bool loaders_count; /* what is loaded always fits */
	bool cold;          /* values have cold forms */
	bool exact;         /* only calls of world_pin(), world_put(), world_release() */
	enum wan_cache_policy policy;
	uint8_t often[CALLS];
};

struct program {
	unsigned number;
	struct wan_pin *held[HELD_MAX];
	uint64_t keys[HELD_MAX];
	struct wan_weak weak;
	uint64_t weak_key;
	uint64_t wanted, depth;
};

static const struct theme *theme;
static struct program programs[THREADS];
static struct {
	struct wan_pin *pin;
	uint64_t key;
} mailbox[2];
static struct wan_mutex mailbox_lock;
static uint64_t present[WORLD_KEYS];

static uint64_t bytes_of(uint64_t key)
{
	if (theme->loaders_count) /* large ones, so that much is evicted */
		return BYTES_MAX * 3 / 5 + key * 337 % (BYTES_MAX * 2 / 5);
	return key * 337 % BYTES_MAX;
}

static uint32_t flags_of(uint64_t key)
{
	return key % 4 == 3 ? WAN_CACHE_DERIVED : 0;
}

static void release(struct program *program, unsigned which)
{
	if (!program->held[which])
		return;
	world_release(program->held[which], program->keys[which]);
	program->held[which] = NULL;
}

static void hold(struct program *program, struct wan_pin *pin, uint64_t key)
{
	unsigned which = (unsigned)scheduler_below(HELD_MAX);
	release(program, which);
	program->held[which] = pin;
	program->keys[which] = key;
	if (scheduler_below(2)) {
		program->weak = wan_cache_weak_from_pin(pin);
		program->weak_key = key;
	}
	if (scheduler_below(2))
		release(program, which);
}

static void call_pin(struct program *program, uint64_t key)
{
	struct wan_pin *pin;
	bool must = theme->certain && present[key];
	if (world_pin(key, &pin) == 0)
		hold(program, pin, key);
	else
		SCHEDULER_REQUIRE(!must);
}

static void call_put_pinned(struct program *program, uint64_t key)
{
	uint64_t start = scheduler_steps();
	struct value *value = world_make(key, bytes_of(key));
	struct wan_value given = world_value(value, flags_of(key));
	struct wan_pin *pin;
	SCHEDULER_REQUIRE(wan_cache_put_pinned(world.cache, world_key(key), &given, &pin) == 0);
	world_stored(value);
	world_outdated(key, start);
	world.owned_bytes += (int64_t)WEIGHT(value->bytes);
	SCHEDULER_REQUIRE(world_look(pin, key) == value);
	world_enter(key);
	hold(program, pin, key);
}

static void compute(struct program *program, uint64_t key);

static int load(void *context, struct wan_value *ret_value)
{
	struct program *program = context;
	uint64_t key = program->wanted;
	uint64_t choice = scheduler_below(8);
	if (choice == 0)
		return -EIO;
	if (choice == 1 && theme->often[REMOVE]) { /* throws its own key away */
		uint64_t start = scheduler_steps();
		wan_cache_remove(world.cache, world_key(key));
		world_outdated(key, start);
	}
	if (choice == 2 && program->depth < 2) { /* wants something else, or the same again */
		compute(program, scheduler_below(theme->keys));
		program->wanted = key;
	}
	struct value *value = world_make(key, bytes_of(key));
	value->put_end = scheduler_steps();
	world_own(value);
	scheduler_point("loader");
	*ret_value = world_value(value, flags_of(key));
	return 0;
}

/* A value computed before the floor was raised may still be handed to those who asked before. */
static void compute(struct program *program, uint64_t key)
{
	uint64_t start = scheduler_steps(), floor = world.floor[key];
	struct wan_pin *pin;
	bool hit = false;
	program->wanted = key;
	program->depth++;
	uint64_t expected_bytes =
		theme->loaders_count || scheduler_below(2) ? bytes_of(key) : bytes_of(key) / 2;
	int rc = wan_cache_get_or_compute(world.cache, world_key(key), expected_bytes, load,
					  program, &pin, &hit);
	program->depth--;
	SCHEDULER_REQUIRE(rc == 0 || rc == -EIO || rc == -EDEADLK);
	if (rc < 0)
		return;
	struct value *value = world_look(pin, key);
	SCHEDULER_REQUIRE(!hit || world_put_end(value) >= floor);
	world_stored(value);
	world_used(value, start);
	world_enter(key);
	if (program->depth)
		world_release(pin, key);
	else
		hold(program, pin, key);
}

static void call_weak(struct program *program)
{
	uint64_t start = scheduler_steps();
	struct wan_pin *pin;
	int rc = wan_cache_weak_lock(world.cache, program->weak, &pin);
	SCHEDULER_REQUIRE(rc == 0 || rc == -ENOENT);
	if (rc < 0)
		return;
	world_used(world_look(pin, program->weak_key), start);
	world_enter(program->weak_key);
	hold(program, pin, program->weak_key);
}

/* Pins change hands. */
static void call_give(struct program *program)
{
	unsigned which = (unsigned)scheduler_below(HELD_MAX), box = (unsigned)scheduler_below(2);
	wan_mutex_lock(&mailbox_lock);
	struct wan_pin *pin = mailbox[box].pin;
	uint64_t key = mailbox[box].key;
	mailbox[box].pin = program->held[which];
	mailbox[box].key = program->keys[which];
	wan_mutex_unlock(&mailbox_lock);
	program->held[which] = pin;
	program->keys[which] = key;
}

static void call_limits(enum call call)
{
	uint64_t bytes = call == LIMIT_BYTES ? 1 + scheduler_below(theme->limit_bytes) : 0;
	uint64_t entries = call == LIMIT_ENTRIES ? 1 + scheduler_below(theme->entry_limit) : 0;
	SCHEDULER_REQUIRE(wan_cache_set_limits(world.cache, bytes, entries) == 0);
}

static void call_clear(void)
{
	uint64_t start = scheduler_steps();
	wan_cache_clear(world.cache);
	for (uint64_t key = 0; key < theme->keys; key++)
		world_outdated(key, start);
}

static void make_call(struct program *program, enum call call, uint64_t key)
{
	uint64_t start = scheduler_steps();
	switch (call) {
	case PIN:
		call_pin(program, key);
		break;
	case PUT:
		if (world_put(key, bytes_of(key), flags_of(key)) == 0)
			present[key] = 1;
		break;
	case PUT_PINNED:
		call_put_pinned(program, key);
		present[key] = 1;
		break;
	case COMPUTE:
		compute(program, key);
		break;
	case RELEASE:
		release(program, (unsigned)scheduler_below(HELD_MAX));
		break;
	case WEAK:
		call_weak(program);
		break;
	case GIVE:
		call_give(program);
		break;
	case REMOVE:
		wan_cache_remove(world.cache, world_key(key));
		world_outdated(key, start);
		break;
	case CLEAR:
		call_clear();
		break;
	case LIMIT_BYTES:
	case LIMIT_ENTRIES:
		call_limits(call);
		break;
	case TRIM:
		wan_cache_trim(world.cache, scheduler_below(theme->limit_bytes));
		break;
	case EXPIRE:
		world.now_ns += scheduler_below(700);
		wan_cache_expire(world.cache);
		break;
	case BACKGROUND:
		wan_cache_background(world.cache, 1000 * scheduler_below(100));
		break;
	case STATS:
		world_stats();
		break;
	default:
		world_sound();
	}
}

static enum call draw(void)
{
	uint64_t sum = 0, drawn;
	for (unsigned i = 0; i < CALLS; i++)
		sum += theme->often[i];
	drawn = scheduler_below(sum);
	unsigned call = 0;
	while (drawn >= theme->often[call])
		drawn -= theme->often[call++];
	return (enum call)call;
}

static void run_program(void *argument)
{
	struct program *program = argument;
	for (unsigned i = 0; i < theme->steps; i++)
		make_call(program, draw(), scheduler_below(theme->keys));
	/* One thread in four ends with its pins held; somebody else will release them. */
	for (unsigned i = 0; i < HELD_MAX && scheduler_below(4); i++)
		release(program, i);
}

static void run_theme(const struct scheduler_plan *plan)
{
	void *arguments[THREADS];
	world_begin(plan, theme->limit_bytes, theme->entry_limit, theme->often[EXPIRE] ? 1000 : 0,
		    theme->policy);
	world.cold = theme->cold ? &world_cold_ops : NULL;
	world.loaders_count = theme->loaders_count;
	world.exact = theme->exact;
	memset(present, 0, sizeof(present));
	memset(mailbox, 0, sizeof(mailbox));
	wan_mutex_init(&mailbox_lock, WAN_RANK_CACHE);
	for (uint64_t key = 0; key < theme->prepared; key++) {
		if (world_put(key, bytes_of(key), flags_of(key)) == 0)
			present[key] = 1;
	}
	for (unsigned i = 0; i < THREADS; i++) {
		programs[i] = (struct program){.number = i};
		arguments[i] = &programs[i];
	}
	scheduler_run(THREADS, run_program, arguments);
	world_sound();
	for (unsigned i = 0; i < THREADS; i++) {
		for (unsigned which = 0; which < HELD_MAX; which++)
			release(&programs[i], which);
	}
	for (unsigned box = 0; box < 2; box++) {
		if (mailbox[box].pin)
			world_release(mailbox[box].pin, mailbox[box].key);
	}
	wan_mutex_finish(&mailbox_lock);
	world_evict_in_order();
	world_end();
}

static void run_seeds(const char *name, const struct theme *which, uint64_t quick_count)
{
	theme = which;
	/* A release that nobody can see yet is as if it had not been: it would look older than it
	 * is. */
	struct scheduler_plan like = {.without_buffers = which->exact};
	struct scheduler_tally tally = scheduler_seeds(name, run_theme, quick_count, &like);
	printf("# %llu seeds, %llu steps, %llu changes of thread\n",
	       (unsigned long long)tally.seeds, (unsigned long long)tally.steps,
	       (unsigned long long)tally.switches);
	CHECK_EQ(tally.failed_seed, 0);
	CHECK(tally.steps > 10 * tally.seeds && tally.switches > tally.seeds);
}

#endif
