/* SPDX-License-Identifier: MIT */
/*
 * Random operations, each compared with the model: results, sums, and the exact order in which
 * values are thrown out. 300 000 of them, 10^7 with WAN_TEST_TIER=full, 10^8 with soak.
 */
#include "model.h"

#include <stdlib.h>

static uint64_t random_state;
static uint64_t random_below(uint64_t bound)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state >> 11) % bound;
}

enum { HELD_MAX = 12, KEYS = 90 };
static struct held {
	struct wan_pin *pin;
	struct model_entry *entry;
} held[HELD_MAX];
static unsigned held_count;
static struct wan_cache *cache;
static uintptr_t next_value;
static bool expiring; /* by a clock of the test's, else stamps are ticks and nothing expires */
static uint64_t operations, evictions;

static void hold(struct wan_pin *pin, struct model_entry *entry)
{
	CHECK_EQ((uintptr_t)wan_pin_data(pin), entry->value);
	held[held_count++] = (struct held){pin, entry};
}

static void release(unsigned which)
{
	wan_pin_release(held[which].pin);
	model_release(held[which].entry);
	held[which] = held[--held_count];
}

static struct wan_value random_value(void)
{
	static const uint32_t hints[] = {0, 0, 0, 0, WAN_CACHE_SCAN, WAN_CACHE_PIN};
	uint64_t bytes = random_below(20) ? random_below(3000) : random_below(40000);
	struct wan_value value = value_of(++next_value, bytes);
	value.flags = random_below(3) ? 0 : WAN_CACHE_DERIVED;
	value.flags |= hints[random_below(6)];
	return value;
}

/* Keys of any words: alike in one of them, or far apart. */
static struct wan_key random_key(uint64_t number)
{
	switch (number % 4) {
	case 0:
		return (struct wan_key){{number, 0}};
	case 1:
		return (struct wan_key){{0, number}};
	case 2:
		return (struct wan_key){{number << 50, UINT64_MAX}};
	default:
		return (struct wan_key){{number * 0x9e3779b97f4a7c15u, ~number}};
	}
}

static void do_put(uint64_t key)
{
	struct wan_value value = random_value();
	struct model_entry *entry;
	int rc = wan_cache_put(cache, random_key(key), &value);
	model_expire();
	int expected = model_store(key, next_value, WEIGHT(value.bytes), value.flags, &entry);
	model.refused += expected == -EFBIG;
	CHECK_EQ(rc, expected);
}

static void do_put_pinned(uint64_t key)
{
	struct wan_value value = random_value();
	struct model_entry *entry;
	struct wan_pin *pin;
	int rc = wan_cache_put_pinned(cache, random_key(key), &value, &pin);
	model_expire();
	int expected = model_store(key, next_value, WEIGHT(value.bytes), value.flags, &entry);
	model.refused += expected == -EFBIG;
	if (expected < 0) {
		if (model_find(key))
			model_drop(model_find(key));
		entry = model_hold(key, next_value, WEIGHT(value.bytes), value.flags);
	}
	entry->pins++;
	CHECK_EQ(rc, 0);
	hold(pin, entry);
}

static void do_pin(uint64_t key)
{
	struct wan_pin *pin;
	int rc = wan_cache_pin(cache, random_key(key), &pin);
	struct model_entry *entry = model_request(key);
	if (!entry)
		model_expire();
	CHECK_EQ(rc, entry ? 0 : -ENOENT);
	if (rc == 0 && entry)
		hold(pin, entry);
	if (held_count && random_below(4)) /* most pins are short */
		release(held_count - 1);
}

struct loader {
	struct wan_value value;
	int rc;
	uint64_t in_flight_bytes;
};

static int load(void *context, struct wan_value *ret_value)
{
	struct loader *loader = context;
	loader->in_flight_bytes = stats_of(cache).in_flight_bytes;
	if (loader->rc == 0)
		*ret_value = loader->value;
	return loader->rc;
}

/* What the model expects of a computation; NULL: it failed. */
static struct model_entry *model_compute(uint64_t key, uint64_t expected_bytes,
					 const struct loader *loader)
{
	model_expire();
	uint64_t ask = WEIGHT(expected_bytes);
	if (model_room(ask, false, NULL) == 0) {
		while (model_used() + ask > model.limit_bytes)
			model_evict(model_oldest(false));
		CHECK_EQ(loader->in_flight_bytes, ask);
	}
	if (loader->rc < 0)
		return NULL;
	struct model_entry *entry;
	uintptr_t number = (uintptr_t)loader->value.data;
	uint64_t weight = WEIGHT(loader->value.bytes);
	int rc = model_store(key, number, weight, loader->value.flags, &entry);
	model.refused += rc == -EFBIG;
	if (rc < 0)
		entry = model_hold(key, number, weight, loader->value.flags);
	entry->pins++;
	return entry;
}

static void do_compute(uint64_t key)
{
	bool hit;
	struct loader loader = {.value = random_value()};
	loader.rc = random_below(6) ? 0 : -EBADMSG;
	uint64_t expected_bytes = random_below(3) ? loader.value.bytes : random_below(4000);
	struct wan_pin *pin;
	int rc = wan_cache_get_or_compute(cache, random_key(key), expected_bytes, load, &loader,
					  &pin, &hit);
	struct model_entry *entry = model_request(key);
	bool expect_hit = entry != NULL;
	if (!entry)
		entry = model_compute(key, expected_bytes, &loader);
	CHECK_EQ(rc, entry ? 0 : -EBADMSG);
	if (rc < 0 || !entry)
		return;
	CHECK_EQ(hit, expect_hit);
	hold(pin, entry);
	if (random_below(4))
		release(held_count - 1);
}

static void do_rare(uint64_t key)
{
	switch (random_below(6)) {
	case 0:
		wan_cache_clear(cache);
		model_clear();
		break;
	case 1:
		model.limit_bytes = 2000 + random_below(60000);
		CHECK_EQ(wan_cache_set_limits(cache, model.limit_bytes, 0), 0);
		model_shrink(model.limit_bytes);
		break;
	case 2:
		model.entry_limit = 1 + random_below(40);
		CHECK_EQ(wan_cache_set_limits(cache, 0, model.entry_limit), 0);
		model_shrink(model.limit_bytes);
		break;
	case 3: {
		uint64_t target = random_below(60000), before = model_used();
		uint64_t freed = wan_cache_trim(cache, target);
		model_shrink(target);
		CHECK_EQ(freed, before - model_used());
		break;
	}
	case 4: {
		uint64_t before = model.expirations;
		test_now_ns += random_below(3000);
		uint64_t count = wan_cache_expire(cache);
		model_expire();
		CHECK_EQ(count, model.expirations - before);
		break;
	}
	default:
		CHECK_EQ(wan_cache_remove(cache, random_key(key)), model_find(key) ? 0 : -ENOENT);
		if (model_find(key))
			model_drop(model_find(key));
	}
}

static void step(void)
{
	uint64_t key = random_below(random_below(2) ? KEYS : KEYS / 4), choice = random_below(100);
	test_now_ns += random_below(40);
	if (held_count == HELD_MAX)
		release((unsigned)random_below(held_count));
	else if (choice < 35)
		do_pin(key);
	else if (choice < 60)
		do_put(key);
	else if (choice < 65)
		do_put_pinned(key);
	else if (choice < 90)
		do_compute(key);
	else if (choice < 97 && held_count)
		release((unsigned)random_below(held_count));
	else
		do_rare(key);
}

static int by_number(const void *a, const void *b)
{
	uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;
	return (x > y) - (x < y);
}

/* Brings what expired or was cleared together into an order that can be compared. */
static void settle_loose_ends(uintptr_t *numbers)
{
	for (unsigned i = 0, from; i < model.out_count; i++) {
		for (from = i; i < model.out_count && model.loose[i]; i++)
			;
		qsort(numbers + from, i - from, sizeof(*numbers), by_number);
	}
}

/* Returns false when something differs, so that one difference is not told 200 000 times. */
static bool compare(void)
{
	struct wan_cache_stats stats = stats_of(cache);
	uint64_t used = model_used();
	if (!CHECK_EQ(gone_count, model.out_count))
		return false;
	settle_loose_ends(gone);
	settle_loose_ends(model.out);
	bool same = CHECK_MEM(gone, model.out, model.out_count * sizeof(gone[0]));
	gone_count = model.out_count = 0;
	return same && SOUND(cache) && CHECK_EQ(stats.used_bytes, used) &&
	       CHECK_EQ(stats.debt_bytes,
			used > model.limit_bytes ? used - model.limit_bytes : 0) &&
	       CHECK_EQ(stats.entries, model_entries(false)) &&
	       CHECK_EQ(stats.derived_entries, model_entries(false) - model_entries(true)) &&
	       CHECK_EQ(stats.pinned_bytes, model_pinned()) && CHECK_EQ(stats.in_flight_bytes, 0) &&
	       CHECK_EQ(stats.hits, model.hits) && CHECK_EQ(stats.misses, model.misses) &&
	       CHECK_EQ(stats.requests, model.hits + model.misses) &&
	       CHECK_EQ(stats.evictions, model.evictions) &&
	       CHECK_EQ(stats.expirations, model.expirations) && CHECK_EQ(stats.puts, model.puts) &&
	       CHECK_EQ(stats.refused_oversize, model.refused) &&
	       CHECK_EQ(stats.passed_through, model.passed);
}

static void run(uint64_t seed, unsigned steps)
{
	struct wan_cache_options options;
	wan_cache_options_init(&options);
	memset(&model, 0, sizeof(model));
	random_state = seed * 0x9e3779b97f4a7c15u | 1;
	options.limit_bytes = model.limit_bytes = 30000;
	options.entry_limit = model.entry_limit = 20;
	options.idle_ns = expiring ? 2500 : 0;
	options.now_ns = expiring ? test_clock : NULL;
	model.idle_ns = expiring ? 2500 : UINT64_MAX;
	test_now_ns = 1;
	gone_count = held_count = 0;
	next_value = 0;
	REQUIRE_EQ(wan_cache_create(&options, &cache), 0);
	unsigned i = 0;
	bool same = true;
	while (same && i < steps) {
		step();
		same = compare();
		i++;
	}
	if (!same)
		printf("# first difference: seed %llu, step %u\n", (unsigned long long)seed, i);
	operations += i;
	evictions += model.evictions;
	CHECK(!same || model.evictions > steps / 50);
	CHECK(!same || !expiring || model.expirations > steps / 500);
	while (held_count)
		release(held_count - 1);
	wan_cache_destroy(cache);
}

/* Several short lives rather than one long one: a new cache begins with another hash. */
static void run_all(uint64_t first, bool with_expiry)
{
	const char *seed = getenv("WAN_TEST_SEED"), *tier = getenv("WAN_TEST_TIER");
	unsigned runs = 3;
	if (tier && strcmp(tier, "full") == 0)
		runs = 100;
	if (tier && strcmp(tier, "soak") == 0)
		runs = 1000;
	expiring = with_expiry;
	if (seed) {
		run(strtoull(seed, NULL, 10), 50000);
		return;
	}
	operations = evictions = 0;
	for (uint64_t i = 0; i < runs; i++)
		run(first + i, 50000);
	printf("# %llu operations, %llu evictions\n", (unsigned long long)operations,
	       (unsigned long long)evictions);
}

TEST(random_operations_equal_the_model)
{
	run_all(1, true);
}

TEST(random_operations_stamped_with_ticks_equal_the_model)
{
	run_all(5001, false);
}

TAP_MAIN
