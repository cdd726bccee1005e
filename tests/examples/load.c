/* SPDX-License-Identifier: MIT */
/* Decode a file twice: the second time it comes from the cache, without a copy. */
#include <stdio.h>
#include <wan/wan.h>

int main(int argc, char **argv)
{
	struct wan_error error;
	struct wan_pin *pin = NULL;
	bool hit = false;
	for (int i = 0; i < 2; i++) {
		if (wan_load(NULL, argc > 1 ? argv[1] : "start.png", NULL, &pin, &hit, &error) <
		    0) {
			fprintf(stderr, "%s: %s; %s\n", error.object, error.reason, error.hint);
			return 1;
		}
		struct wan_image_view view;
		wan_image_view(wan_pin_image(pin), &view);
		printf("%ux%u, %s\n", view.width_px, view.height_px, hit ? "cached" : "decoded");
		wan_pin_release(pin);
	}
	return hit ? 0 : 1;
}
