/* SPDX-License-Identifier: MIT */
/* Any bytes decoded under small limits; the first byte chooses the options. */
#ifndef WAN_TESTS_FUZZ_IMAGE_DECODE_H
#define WAN_TESTS_FUZZ_IMAGE_DECODE_H

#include <stdint.h>
#include <stdlib.h>

#include "wan/image.h"

static inline void fuzz_decode(const uint8_t *data, size_t bytes, enum wan_file_format only)
{
	static const enum wan_pixel_format wants[] = {
		0,
		WAN_PIXEL_RGB8,
		WAN_PIXEL_GRAY8,
		WAN_PIXEL_RGBA8,
		WAN_PIXEL_RGBA16,
		WAN_PIXEL_CMYK8,
	};
	struct wan_decode_options options;
	struct wan_image_info info;
	struct wan_image *image = NULL;
	struct wan_error error;

	if (bytes < 2)
		return;
	uint8_t choice = *data++;
	bytes--;
	if (wan_image_probe_memory(data, bytes, &info, NULL) < 0 || info.format != only)
		return;
	wan_decode_options_init(&options);
	options.max_pixels = 1 << 20;
	options.max_bytes = 32 << 20;
	options.max_scans = 20;
	options.want = wants[choice % 6];
	options.strict = choice & 8;
	options.allow_truncated = choice & 16;
	options.apply_orientation = !(choice & 32);
	options.min_width_px = choice & 64 ? 3 : 0; /* down to 1/8 of the corpus */
	options.alpha = choice & 128 ? WAN_ALPHA_WHITE : WAN_ALPHA_KEEP;
	int result = wan_image_decode_memory(data, bytes, &options, &image, &error);
	if (result < 0) {
		if (error.code != result || !error.reason[0] || image)
			abort();
		return;
	}
	/* Every pixel can be read, and by a sanitizer is known to have been written. */
	struct wan_image_view view;
	unsigned sum = 0;
	wan_image_view(image, &view);
	for (size_t i = 0; i < view.pixels_bytes; i++)
		sum += ((const uint8_t *)view.pixels)[i];
	if (sum == 1 && view.pixels_bytes == 0)
		abort();
	wan_image_unref(image);
}

#endif
