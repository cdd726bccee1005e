/* SPDX-License-Identifier: MIT */
/* Any data can be cached: computed once, whoever asks first. */
#include <stdio.h>
#include <stdlib.h>
#include <wan/wan.h>

static int square(void *context, struct wan_value *ret_value)
{
	int *result = (int *)malloc(sizeof(int));
	*result = *(int *)context * *(int *)context;
	ret_value->data = result;
	ret_value->bytes = sizeof(int);
	ret_value->destroy = free;
	return 0;
}

int main(void)
{
	struct wan_cache *cache = wan_runtime_cache(wan_runtime_default());
	int number = 12;
	bool hit = false;
	for (int i = 0; i < 2; i++) {
		struct wan_key_builder builder;
		wan_key_begin(&builder, "square");
		wan_key_add_u64(&builder, "number", (uint64_t)number);
		struct wan_pin *pin;
		if (wan_cache_get_or_compute(cache, wan_key_end(&builder), 0, square, &number, &pin,
					     &hit) < 0)
			return 1;
		printf("%d (%s)\n", *(int *)wan_pin_data(pin), hit ? "cached" : "computed");
		wan_pin_release(pin);
	}
	return hit ? 0 : 1;
}
