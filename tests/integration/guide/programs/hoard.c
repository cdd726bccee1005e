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
	struct wan_memory_state state = {.struct_size = sizeof(state)};
	struct wan_memory *memory = wan_runtime_memory(wan_runtime_default());
	for (int i = 0; i < 500 && state.level == WAN_MEMORY_NORMAL; i++) {
		char *taken = i < 17 ? malloc(1 << 20) : NULL;
		if (taken)
			memset(taken, i, 1 << 20);
		usleep(20000);
		wan_memory_state(memory, &state);
	}
	return 0;
}
