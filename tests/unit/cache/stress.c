/* SPDX-License-Identifier: MIT */
/*
 * Eight threads that pin, load, fail, lie, overwrite and clear at random, with destructors that
 * allocate, under limits that move. Real bytes are counted where they are made and destroyed: the
 * ceiling has to hold for memory, not for bookkeeping alone.
 * WAN_TEST_SECONDS sets the time of each test (default 1).
 */
#include "support.h"

#include <stdlib.h>

#include "atomics.h"
#include "clock.h"
#include "stats.h"

enum { THREADS = 8, PINS = 3, KEYS = 200, PAYLOAD_MAX = 20000 };

/* Pins, loads under way, values being destroyed, each at its largest, and what a lower limit throws
 * out: all of it fits, so whatever is loaded finds room and is charged. */
static const uint64_t ceiling = WAN_MIB, lower_ceiling = WAN_MIB * 15 / 16;
enum { LARGEST = THREADS * (PAYLOAD_MAX + WAN_CACHE_ENTRY_BYTES) };
_Static_assert((PINS + 4) * LARGEST > 1024 * 1024 &&
		       (PINS + 2) * LARGEST + 1024 * 1024 / 16 < 1024 * 1024 * 15 / 16,
	       "both ceilings are tight but sufficient");

static uint64_t words[WAN_CACHE_MIRROR_WORDS];
static uint64_t live_bytes, live_peak, over_live, over_used, wrong_values, wrong_results;
static uint64_t operations, failures, lies;
static uint64_t limit_now, moves; /* odd while the limit is being moved */
static bool stop;

struct payload {
	uint64_t key;
	uint64_t bytes;
	uint64_t counted_bytes;
};

static void payload_free(void *data)
{
	struct payload *payload = data;
	uint64_t bytes = payload->counted_bytes;
	void *other = malloc(100);
	payload->key = 0; /* a pin that still looked at it would notice */
	free(payload);
	free(other);
	if (bytes % 16 == 0)
		sched_yield(); /* and takes its time */
	wan_sub_relaxed(&live_bytes, bytes);
}

static uint64_t bytes_of(uint64_t key)
{
	return sizeof(struct payload) + key * 7919 % (PAYLOAD_MAX - sizeof(struct payload));
}

struct worker {
	pthread_t thread;
	struct wan_cache *cache;
	uint64_t random;
	uint64_t wanted, expected_bytes;
	uint64_t moves_at_ask;
	bool mixed; /* puts, clears and moving limits too */
};

static uint64_t random_below(struct worker *worker, uint64_t bound)
{
	worker->random ^= worker->random << 13;
	worker->random ^= worker->random >> 7;
	worker->random ^= worker->random << 17;
	return (worker->random >> 11) % bound;
}

/* counted_bytes: those the cache was told of beforehand. */
static struct wan_value make(const struct worker *worker, uint64_t key, uint64_t counted_bytes)
{
	struct payload *payload = malloc(bytes_of(key));
	*payload = (struct payload){key, bytes_of(key), counted_bytes};
	uint64_t live = wan_add_acq_rel(&live_bytes, counted_bytes) + counted_bytes;
	uint64_t limit = wan_load_acquire(&limit_now), then = worker->moves_at_ask;
	wan_max_relaxed(&live_peak, live);
	/* A lower limit binds those who asked after it was set, until it is moved again. */
	bool lower = then % 2 == 0 && then == wan_load_acquire(&moves);
	if (live > ceiling || (live > limit && lower))
		wan_add_relaxed(&over_live, 1);
	return (struct wan_value){.data = payload,
				  .bytes = payload->bytes,
				  .destroy = payload_free,
				  .flags = key % 3 ? 0 : WAN_CACHE_DERIVED};
}

static int load(void *context, struct wan_value *ret_value)
{
	struct worker *worker = context;
	if (random_below(worker, 10) == 0) {
		wan_add_relaxed(&failures, 1);
		return -EIO;
	}
	*ret_value = make(worker, worker->wanted, worker->expected_bytes);
	return 0;
}

static void look(struct wan_pin *pin, uint64_t key)
{
	const struct payload *payload = wan_pin_data(pin);
	if (payload->key != key || payload->bytes != wan_pin_bytes(pin))
		wan_add_relaxed(&wrong_values, 1);
}

/* Puts, clears, limits. */
static void meddle(struct worker *worker, uint64_t key)
{
	struct wan_value value;
	switch (random_below(worker, 40)) {
	case 0:
		wan_cache_clear(worker->cache);
		break;
	case 1:
		if (wan_cache_set_limits(worker->cache, ceiling / (1 + random_below(worker, 4)),
					 1 + random_below(worker, 100)) < 0)
			wan_add_relaxed(&wrong_results, 1);
		break;
	case 2:
		wan_cache_trim(worker->cache, random_below(worker, ceiling));
		break;
	case 3:
		wan_cache_expire(worker->cache);
		break;
	case 4:
		if (wan_cache_check(worker->cache))
			wan_add_relaxed(&wrong_results, 1);
		break;
	default:
		value = make(worker, key, bytes_of(key));
		if (wan_cache_put(worker->cache, key_of(key), &value) < 0)
			payload_free(value.data);
	}
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	struct wan_pin *pins[PINS] = {0};
	uint64_t keys[PINS] = {0};
	struct wan_weak weak = {{0, 0}};
	while (!wan_load_relaxed(&stop)) {
		unsigned slot = (unsigned)random_below(worker, PINS);
		if (pins[slot])
			look(pins[slot], keys[slot]);
		wan_pin_release(pins[slot]);
		pins[slot] = NULL;
		uint64_t key = worker->wanted = 1 + random_below(worker, KEYS);
		if (worker->mixed && random_below(worker, 4) == 0)
			meddle(worker, key);
		bool lies_now = random_below(worker, 16) == 0; /* makes more than it said */
		worker->expected_bytes = bytes_of(key) / (lies_now ? 2 : 1);
		worker->moves_at_ask = wan_load_acquire(&moves);
		wan_add_relaxed(&lies, lies_now);
		int rc = random_below(worker, 3)
				 ? wan_cache_get_or_compute(worker->cache, key_of(key),
							    worker->expected_bytes, load, worker,
							    &pins[slot], NULL)
				 : wan_cache_pin(worker->cache, key_of(key), &pins[slot]);
		keys[slot] = key;
		if (rc != 0 && rc != -EIO && rc != -ENOENT)
			wan_add_relaxed(&wrong_results, 1);
		if (rc == 0 && random_below(worker, 2))
			weak = wan_cache_weak_from_pin(pins[slot]);
		struct wan_pin *again;
		if (wan_cache_weak_lock(worker->cache, weak, &again) == 0)
			wan_pin_release(again);
		if (wan_load_relaxed(&words[CACHE_WORD_USED_BYTES]) > ceiling)
			wan_add_relaxed(&over_used, 1);
		wan_add_relaxed(&operations, 1);
	}
	for (unsigned i = 0; i < PINS; i++)
		wan_pin_release(pins[i]);
	return NULL;
}

static void move_limit(struct wan_cache *cache, uint64_t bytes)
{
	wan_add_acq_rel(&moves, 1);
	if (bytes > wan_load_relaxed(&limit_now))
		wan_store_release(&limit_now, bytes);
	CHECK_EQ(wan_cache_set_limits(cache, bytes, 0), 0);
	wan_store_release(&limit_now, bytes);
	wan_add_acq_rel(&moves, 1);
}

static void watch(struct wan_cache *cache, bool mixed)
{
	const char *seconds = getenv("WAN_TEST_SECONDS");
	uint64_t until_ns = wan_now_ns() + (uint64_t)(atof(seconds ? seconds : "1") * 1e9);
	for (uint64_t turn = 1; wan_now_ns() < until_ns; turn++) {
		struct wan_cache_stats stats = stats_of(cache);
		if (stats.used_bytes > stats.limit_bytes + stats.debt_bytes)
			wan_add_relaxed(&over_used, 1);
		CHECK_EQ(stats.requests, stats.hits + stats.misses);
		if (turn % 64 == 0)
			SOUND(cache);
		if (!mixed && turn % 50 == 0)
			move_limit(cache, turn % 100 ? lower_ceiling : ceiling);
		usleep(100);
	}
}

static void run(bool mixed)
{
	struct wan_cache_options options;
	struct wan_cache *cache;
	struct worker workers[THREADS];
	wan_cache_options_init(&options);
	options.limit_bytes = limit_now = ceiling;
	options.entry_limit = 1000;
	options.counters = words;
	moves = lies = 0;
	live_bytes = live_peak = over_live = over_used = wrong_values = wrong_results = 0;
	operations = failures = 0;
	stop = false;
	REQUIRE_EQ(wan_cache_create(&options, &cache), 0);
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){
			.cache = cache, .random = (i + 1) * 0x9e3779b97f4a7c15u, .mixed = mixed};
		pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	}
	watch(cache, mixed);
	wan_store_relaxed(&stop, true);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);

	struct wan_cache_stats stats = stats_of(cache);
	printf("# %llu operations, %llu failed loads, %llu lies, %llu evictions, %llu passed "
	       "through, %llu moves, peak %llu of %llu bytes\n",
	       (unsigned long long)operations, (unsigned long long)failures,
	       (unsigned long long)lies, (unsigned long long)stats.evictions,
	       (unsigned long long)stats.passed_through, (unsigned long long)moves / 2,
	       (unsigned long long)live_peak, (unsigned long long)ceiling);
	CHECK_EQ(over_used, 0);
	CHECK_EQ(wrong_values, 0);
	CHECK_EQ(wrong_results, 0);
	CHECK(failures > 0 && lies > 0 && stats.evictions > 0);
	CHECK_EQ(stats.pinned_bytes, 0);
	CHECK_EQ(stats.in_flight_bytes, 0);
	CHECK_EQ(stats.deadlocks, 0);
	SOUND(cache);
	wan_cache_clear(cache);
	CHECK_EQ(stats_of(cache).used_bytes, 0);
	wan_cache_destroy(cache);
	CHECK_EQ(live_bytes, 0);
}

TEST(eight_threads_with_failing_loads_stay_zero_bytes_over_the_ceiling)
{
	run(false);
	CHECK_EQ(over_live, 0);
	CHECK(live_peak > ceiling * 9 / 10);
}

TEST(eight_threads_that_put_clear_and_move_limits_leave_nothing_behind)
{
	run(true);
}

TAP_MAIN
