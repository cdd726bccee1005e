/* SPDX-License-Identifier: MIT */
/* Forty pictures, each different, all of them kept as long as there is room. */
#include <stdio.h>

#include <wan/wan.h>

int main(void)
{
	struct wan_error error;
	int loaded = 0;
	for (int i = 0; i < 40; i++) {
		char name[32];
		struct wan_pin *pin;
		bool hit;
		snprintf(name, sizeof(name), "picture-%d.jpg", i);
		if (wan_load(wan_runtime_default(), name, NULL, &pin, &hit, &error) < 0) {
			fprintf(stderr, "%s: %s; %s\n", error.object, error.reason, error.hint);
			continue;
		}
		loaded++;
		wan_pin_release(pin);
	}
	printf("%d images, alive\n", loaded);
	return 0;
}
