/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "geometry.h"
#include "resize.h"

/* Only the window that stays is computed, so an extreme ratio costs no more than any other. */
static int cover(const struct wan_image *source, struct wan_image *out, enum wan_filter filter)
{
	uint32_t width = out->view.width_px, height = out->view.height_px;
	struct wan_size full =
		wan_size_cover(source->view.width_px, source->view.height_px, width, height);
	struct wan_resample what =
		wan_resample_whole(source, full.width_px, full.height_px, filter);
	what.x_px = (full.width_px - width) / 2;
	what.y_px = (full.height_px - height) / 2;
	what.width_px = width;
	what.height_px = height;
	return wan_resample(source, &what, out, 0, 0);
}

static int contain(const struct wan_image *source, struct wan_image *out, enum wan_filter filter)
{
	uint32_t width = out->view.width_px, height = out->view.height_px;
	struct wan_size size =
		wan_size_contain(source->view.width_px, source->view.height_px, width, height);
	struct wan_resample what =
		wan_resample_whole(source, size.width_px, size.height_px, filter);
	if (size.width_px != width || size.height_px != height)
		memset(out->pixels, 0, out->view.pixels_bytes);
	return wan_resample(source, &what, out, (width - size.width_px) / 2,
			    (height - size.height_px) / 2);
}

int wan_image_fit(const struct wan_image *image, uint32_t width_px, uint32_t height_px,
		  enum wan_fit fit, enum wan_filter filter, struct wan_image **ret_image)
{
	if (!image || !ret_image || width_px == 0 || height_px == 0 ||
	    (unsigned)fit > WAN_FIT_CONTAIN || (unsigned)filter > WAN_FILTER_BOX)
		return -EINVAL;

	wan_cleanup(wan_image_unrefp) struct wan_image *source = NULL;
	wan_cleanup(wan_image_unrefp) struct wan_image *made = NULL;
	int error = wan_image_convert(image, WAN_PIXEL_RGB8, WAN_ALPHA_DROP, &source);
	if (error < 0)
		return error;
	if (source->view.width_px == width_px && source->view.height_px == height_px) {
		*ret_image = wan_image_ref(source);
		return 0;
	}
	error = wan_image_create(WAN_PIXEL_RGB8, width_px, height_px, &made);
	if (error < 0)
		return error;

	struct wan_resample whole = wan_resample_whole(source, width_px, height_px, filter);
	if (fit == WAN_FIT_COVER)
		error = cover(source, made, filter);
	else if (fit == WAN_FIT_CONTAIN)
		error = contain(source, made, filter);
	else
		error = wan_resample(source, &whole, made, 0, 0);
	if (error < 0)
		return error;
	*ret_image = made;
	made = NULL;
	return 0;
}
