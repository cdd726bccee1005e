/* SPDX-License-Identifier: MIT */
/* Whole images from one format to another. */
#include <errno.h>

#include "alloc.h"
#include "buffer.h"
#include "cleanup.h"
#include "codec.h"
#include "convert.h"
#include "normalise.h"

static float float_of(enum wan_pixel_format format, const void *planes, size_t at)
{
	const float *floats = planes;
	const uint16_t *halves = planes;
	return format == WAN_PIXEL_RGBF32_PLANAR   ? floats[at]
	       : format == WAN_PIXEL_RGBF16_PLANAR ? wan_float_of_f16(halves[at])
						   : wan_float_of_bf16(halves[at]);
}

/* Floats keep what bytes cannot hold: values beyond [-1, 1] and between the steps. */
static int between_planes(const struct wan_image *image, enum wan_pixel_format want,
			  struct wan_image **ret_image)
{
	struct wan_image *made;
	int error = wan_image_create(want, image->view.width_px, image->view.height_px, &made);
	if (error < 0)
		return error;
	enum wan_pixel_format from = image->view.format;
	size_t samples = (size_t)image->view.width_px * image->view.height_px * 3;
	float *floats = made->pixels;
	uint16_t *halves = made->pixels;
	for (size_t i = 0; want == WAN_PIXEL_RGBF32_PLANAR && i < samples; i++)
		floats[i] = float_of(from, image->pixels, i);
	if (from == WAN_PIXEL_RGBF32_PLANAR) {
		wan_floats_to_16(image->pixels, samples, want, halves);
	} else {
		for (size_t i = 0; want != WAN_PIXEL_RGBF32_PLANAR && i < samples; i++) {
			float value = float_of(from, image->pixels, i);
			wan_floats_to_16(&value, 1, want, halves + i);
		}
	}
	*ret_image = made;
	return 0;
}

static int from_planes(const struct wan_image *image, struct wan_image **ret_image)
{
	struct wan_image *made;
	int error = wan_image_create(WAN_PIXEL_RGB8, image->view.width_px, image->view.height_px,
				     &made);
	if (error < 0)
		return error;
	size_t pixels = (size_t)image->view.width_px * image->view.height_px;
	uint8_t *out = made->pixels;
	for (size_t i = 0; i < pixels; i++)
		for (size_t c = 0; c < 3; c++)
			*out++ = wan_denormalise(
				float_of(image->view.format, image->pixels, c * pixels + i));
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

	if (wan_pixel_is_planar(from) && wan_pixel_is_planar(want))
		return between_planes(image, want, ret_image);

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
