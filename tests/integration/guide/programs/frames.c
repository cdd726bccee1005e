/* SPDX-License-Identifier: MIT */
/* The start image of eight clips, through the cache; with an argument under a key that is never the
 * same. */
#include <stdio.h>
#include <time.h>

#include <wan/wan.h>

static int decode(void *context, struct wan_value *ret_value)
{
	static char pixels[1 << 16];
	(void)context;
	*ret_value = (struct wan_value){.data = pixels, .bytes = sizeof(pixels)};
	return 0;
}

int main(int argc, char **argv)
{
	struct wan_cache *cache = wan_runtime_cache(wan_runtime_default());
	(void)argv;
	for (int clip = 0; clip < 8; clip++) {
		struct wan_key_builder builder;
		struct wan_pin *pin;
		struct timespec now;
		bool hit;
		clock_gettime(CLOCK_MONOTONIC, &now);
		wan_key_begin(&builder, "frame");
		wan_key_add_text(&builder, "file", "start.jpg");
		if (argc > 1) /* which has nothing to do with the picture */
			wan_key_add_u64(&builder, "when",
					(uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
		if (wan_cache_get_or_compute(cache, wan_key_end(&builder), 0, decode, NULL, &pin,
					     &hit) < 0)
			return 1;
		wan_pin_release(pin);
	}
	return 0;
}
