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
	const float *planes = image->pixels;
	uint8_t *out = made->pixels;
	for (size_t i = 0; i < pixels; i++)
		for (size_t c = 0; c < 3; c++)
			*out++ = wan_denormalise(planes[c * pixels + i]);
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
	if (!image || !ret_image || wan_pixel_channels(want) == 0 ||
	    (unsigned)alpha > WAN_ALPHA_REFUSE)
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
	if (from == WAN_PIXEL_RGBF32_PLANAR)
		error = from_planes(image, &rgb);
	else
		error = wan_image_convert(image, WAN_PIXEL_RGB8, alpha, &rgb);
	if (error < 0)
		return error;
	if (want == WAN_PIXEL_RGBF32_PLANAR)
		return wan_image_normalise(rgb, ret_image);
	return wan_image_convert(rgb, want, alpha, ret_image);
}
