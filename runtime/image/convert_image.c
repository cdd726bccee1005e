/* SPDX-License-Identifier: MIT */
/* Whole images from one format to another. */
#include <errno.h>

#include "alloc.h"
#include "buffer.h"
#include "cleanup.h"
#include "codec.h"
#include "convert.h"
#include "normalise.h"

static int from_planes(const struct wan_image *image, struct wan_image **ret_image)
{
	struct wan_image *made;
	int error = wan_image_create(WAN_PIXEL_RGB8, image->view.width_px, image->view.height_px,
				     &made);
	if (error < 0)
		return error;
	size_t pixels = (size_t)image->view.width_px * image->view.height_px;
	enum wan_pixel_format format = image->view.format;
	const float *floats = image->pixels;
	const uint16_t *halves = image->pixels;
	uint8_t *out = made->pixels;
	for (size_t i = 0; i < pixels; i++) {
		for (size_t c = 0; c < 3; c++) {
			size_t at = c * pixels + i;
			float value = format == WAN_PIXEL_RGBF32_PLANAR ? floats[at]
				      : format == WAN_PIXEL_RGBF16_PLANAR
					      ? wan_float_of_f16(halves[at])
					      : wan_float_of_bf16(halves[at]);
			*out++ = wan_denormalise(value);
		}
	}
	*ret_image = made;
	return 0;
}

static int convert_rows(const struct wan_image *image, enum wan_pixel_format want,
			enum wan_alpha_policy alpha, struct wan_image **ret_image)
{
	uint32_t width = image->view.width_px;
	struct wan_image *made;

	wan_cleanup(wan_freep) void *scratch = wan_malloc(wan_convert_scratch_bytes(width));
	if (!scratch)
		return -ENOMEM;
	int error = wan_image_create(want, width, image->view.height_px, &made);
	if (error < 0)
		return error;
	for (uint32_t y = 0; y < image->view.height_px; y++)
		wan_convert_row(image->view.format, wan_image_row(image, y), want,
				wan_image_row(made, y), width, alpha, scratch);
	*ret_image = made;
	return 0;
}

int wan_image_convert(const struct wan_image *image, enum wan_pixel_format want,
		      enum wan_alpha_policy alpha, struct wan_image **ret_image)
{
	if (!image || !ret_image || wan_pixel_channels(want) == 0 || !wan_alpha_known(alpha))
		return -EINVAL;

	enum wan_pixel_format from = image->view.format;
	if (from == want) {
		*ret_image = wan_image_ref((struct wan_image *)image);
		return 0;
	}
	int error = wan_target_format(from, want, alpha, &want);
	if (error < 0)
		return error;
	if (wan_convert_known(from, want))
		return convert_rows(image, want, alpha, ret_image);

	/* To or from planes: by way of RGB8. */
	wan_cleanup(wan_image_unrefp) struct wan_image *rgb = NULL;
	if (wan_pixel_is_planar(from))
		error = from_planes(image, &rgb);
	else
		error = wan_image_convert(image, WAN_PIXEL_RGB8, alpha, &rgb);
	if (error < 0)
		return error;
	if (wan_pixel_is_planar(want))
		return wan_normalise_as(rgb, want, ret_image);
	return wan_image_convert(rgb, want, alpha, ret_image);
}
