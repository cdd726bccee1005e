/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>

#include "buffer.h"
#include "cleanup.h"
#include "normalise.h"

#define N1(p)  ((float)(p) / 255.0f - 0.5f) / 0.5f
#define N4(p)  N1(p), N1((p) + 1), N1((p) + 2), N1((p) + 3)
#define N16(p) N4(p), N4((p) + 4), N4((p) + 8), N4((p) + 12)
#define N64(p) N16(p), N16((p) + 16), N16((p) + 32), N16((p) + 48)

const float wan_normalised[256] = {N64(0), N64(64), N64(128), N64(192)};

void wan_normalise_rows(const uint8_t *rgb, size_t pixels, float *r, float *g, float *b)
{
	for (size_t i = 0; i < pixels; i++) {
		r[i] = wan_normalised[rgb[3 * i]];
		g[i] = wan_normalised[rgb[3 * i + 1]];
		b[i] = wan_normalised[rgb[3 * i + 2]];
	}
}

uint8_t wan_denormalise(float value)
{
	float byte = rintf((value + 1.0f) * 127.5f);
	return byte >= 255.0f ? 255 : byte >= 0.0f ? (uint8_t)byte : 0;
}

int wan_image_normalise(const struct wan_image *image, struct wan_image **ret_image)
{
	if (!image || !ret_image)
		return -EINVAL;

	wan_cleanup(wan_image_unrefp) struct wan_image *rgb = NULL;
	struct wan_image *made;
	int error = wan_image_convert(image, WAN_PIXEL_RGB8, WAN_ALPHA_DROP, &rgb);
	if (error < 0)
		return error;
	error = wan_image_create(WAN_PIXEL_RGBF32_PLANAR, rgb->view.width_px, rgb->view.height_px,
				 &made);
	if (error < 0)
		return error;
	size_t pixels = (size_t)rgb->view.width_px * rgb->view.height_px;
	float *planes = made->pixels;
	wan_normalise_rows(rgb->pixels, pixels, planes, planes + pixels, planes + 2 * pixels);
	*ret_image = made;
	return 0;
}
