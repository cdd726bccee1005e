/* SPDX-License-Identifier: MIT */
/* Loads pictures through the cache, and then takes memory that is none of the cache's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <wan/wan.h>

int main(void)
{
	struct wan_error error;
	for (int i = 0; i < 8; i++) {
		char name[32];
		struct wan_pin *pin;
		bool hit;
		snprintf(name, sizeof(name), "picture-%d.jpg", i);
		if (wan_load(wan_runtime_default(), name, NULL, &pin, &hit, &error) == 0)
			wan_pin_release(pin);
	}
	/* Until the cache has been told to give back. */
	struct wan_cache *cache = wan_runtime_cache(wan_runtime_default());
	struct wan_cache_stats before = {.struct_size = sizeof(before)}, now = before;
	wan_cache_stats(cache, &before);
	wan_cache_stats(cache, &now);
	for (int i = 0; i < 1000 && now.limit_bytes == before.limit_bytes; i++) {
		char *taken = i < 17 ? malloc(1 << 20) : NULL;
		if (taken)
			memset(taken, i, 1 << 20);
		usleep(20000);
		wan_cache_stats(cache, &now);
	}
	return 0;
}
