/* SPDX-License-Identifier: MIT */
/* KIND COUNT: that many hits of the cache, for the test beside it to count instructions of. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wan/cache.h"

enum { KEYS = 32, NAME_BYTES = 64 };

static char names[KEYS][NAME_BYTES];
static struct wan_key keys[KEYS];

static void hit(struct wan_cache *cache, struct wan_key key)
{
	struct wan_pin *pin;
	if (wan_cache_pin(cache, key, &pin) < 0)
		exit(1);
	wan_pin_release(pin);
}

static void put(struct wan_cache *cache, struct wan_key key)
{
	struct wan_value value = {.data = cache, .bytes = 100};
	if (wan_cache_put(cache, key, &value) < 0)
		exit(1);
}

static void hit_keys(struct wan_cache *cache, unsigned long i)
{
	hit(cache, keys[i % KEYS]);
}

static void hit_text(struct wan_cache *cache, unsigned long i)
{
	hit(cache, wan_key_of(names[i % KEYS], NAME_BYTES));
}

static void hit_newest(struct wan_cache *cache, unsigned long i)
{
	hit(cache, keys[0]);
}

static void put_new(struct wan_cache *cache, unsigned long i)
{
	put(cache, (struct wan_key){{i, i * 0x9e3779b97f4a7c15u}});
}

static void nothing(struct wan_cache *cache, unsigned long i)
{
}

static const struct kind {
	const char *name;
	void (*step)(struct wan_cache *cache, unsigned long i);
	enum wan_cache_policy policy;
} kinds[] = {
	{"keys", hit_keys, WAN_CACHE_LRU},     {"text", hit_text, WAN_CACHE_LRU},
	{"newest", hit_newest, WAN_CACHE_LRU}, {"auto", hit_keys, WAN_CACHE_AUTO},
	{"put", put_new, WAN_CACHE_LRU},       {"nothing", nothing, WAN_CACHE_LRU},
};

static int run(const struct kind *kind, unsigned long count)
{
	struct wan_cache_options options;
	struct wan_cache *cache;
	wan_cache_options_init(&options);
	options.policy = kind->policy;
	if (wan_cache_create(&options, &cache) < 0)
		return 1;
	for (unsigned i = 0; i < KEYS; i++) {
		snprintf(names[i], NAME_BYTES, "/home/somebody/pictures/%u.jpg", i);
		keys[i] = wan_key_of(names[i], NAME_BYTES);
		put(cache, keys[i]);
	}
	for (unsigned long i = 0; i < count; i++)
		kind->step(cache, i);
	wan_cache_destroy(cache);
	return 0;
}

int main(int argc, char **argv)
{
	for (unsigned i = 0; argc == 3 && i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(argv[1], kinds[i].name) == 0)
			return run(&kinds[i], strtoul(argv[2], NULL, 10));
	}
	return 64;
}
