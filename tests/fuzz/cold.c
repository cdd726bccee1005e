/* SPDX-License-Identifier: MIT */
/*
 * Cold forms with any bytes behind their head, thawed: no byte is read or written outside, whatever
 * widths, bands and lengths say. The first bytes choose kind, format and size.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "cold.h"
#include "cold_planes.h"
#include "cold_rewrite.h"
#include "cpu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static int thaw(const struct wan_cold_image *cold, struct wan_image **ret_image)
{
	switch (cold->kind) {
	case WAN_COLD_PLANES:
		return wan_cold_thaw_planes(cold, ret_image);
	case WAN_COLD_REWRITTEN:
		return wan_cold_thaw_rewritten(cold, ret_image);
	default:
		return wan_cold_thaw_pixels(cold, ret_image);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	enum { CHOICES = 6 };
	if (bytes < CHOICES)
		return 0;
	size_t count = bytes - CHOICES;
	struct wan_cold_image *cold = malloc(sizeof(*cold) + count);
	if (!cold)
		return 0;
	*cold = (struct wan_cold_image){
		.block_bytes = sizeof(*cold) + count,
		.kind = (enum wan_cold_kind)(data[0] % 4),
		.orientation = (uint8_t)(1 + data[1] % 8),
		.components = data[1] & 64 ? 1 : 3,
		.across = data[4] % 6,
		.down = data[5] % 6,
		.width_px = data[2] + 1u,
		.height_px = data[3] + 1u,
		.view = {.format = (enum wan_pixel_format)(1 + data[4] % WAN_PIXEL_RGBF32_PLANAR),
			 .width_px = data[2] + 1u,
			 .height_px = data[3] + 1u},
	};
	memcpy(cold + 1, data + CHOICES, count);
	wan_cpu_limit(data[0] & 8 ? WAN_CPU_BASE : WAN_CPU_AVX512);
	struct wan_image *image = NULL;
	if (thaw(cold, &image) == 0) {
		struct wan_image_view view;
		unsigned sum = 0;
		wan_image_view(image, &view);
		for (size_t i = 0; i < view.pixels_bytes; i++)
			sum += ((const uint8_t *)view.pixels)[i];
		if (sum == 1 && view.pixels_bytes == 0)
			abort();
	}
	wan_image_unref(image);
	free(cold);
	return 0;
}
