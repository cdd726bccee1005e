/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <wan/wan.h>

int main(void)
{
	struct wan_error error;
	for (int i = 0; i < 3; i++) {
		struct wan_pin *pin;
		bool hit;
		if (wan_load(wan_runtime_default(), "start.jpg", NULL, &pin, &hit, &error) < 0) {
			fprintf(stderr, "%s: %s; %s\n", error.object, error.reason, error.hint);
			return 1;
		}
		puts(hit ? "cached" : "decoded");
		wan_pin_release(pin);
	}
	return 0;
}
