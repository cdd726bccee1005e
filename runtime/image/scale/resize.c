/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "resize.h"
#include "resize_torch.h"

int wan_resample_source(const struct wan_image *image, struct wan_image **ret_image)
{
	static const enum wan_pixel_format narrowed[] = {
		[WAN_PIXEL_GRAY16] = WAN_PIXEL_GRAY8,
		[WAN_PIXEL_GRAYA16] = WAN_PIXEL_GRAYA8,
		[WAN_PIXEL_RGB16] = WAN_PIXEL_RGB8,
		[WAN_PIXEL_RGBA16] = WAN_PIXEL_RGBA8,
	};
	enum wan_pixel_format format = image->view.format;
	if (wan_pixel_sample_bytes(format) == 1) {
		*ret_image = wan_image_ref((struct wan_image *)image);
		return 0;
	}
	if (wan_pixel_is_planar(format))
		return -EINVAL;
	return wan_image_convert(image, narrowed[format], WAN_ALPHA_KEEP, ret_image);
}

static int resize_torch(const struct wan_image *image, uint32_t width_px, uint32_t height_px,
			enum wan_filter filter, struct wan_image **ret_image)
{
	wan_cleanup(wan_image_unrefp) struct wan_image *rgb = NULL;
	if (wan_pixel_is_planar(image->view.format))
		return -EINVAL;
	int error = wan_image_convert(image, WAN_PIXEL_RGB8, WAN_ALPHA_DROP, &rgb);
	if (error < 0)
		return error;
	return wan_resize_torch(rgb, width_px, height_px, filter, WAN_PIXEL_RGB8, ret_image);
}

int wan_image_resize(const struct wan_image *image, uint32_t width_px, uint32_t height_px,
		     enum wan_filter filter, struct wan_image **ret_image)
{
	if (!image || !ret_image || width_px == 0 || height_px == 0 ||
	    (unsigned)filter > WAN_FILTER_TORCH_BILINEAR)
		return -EINVAL;

	wan_cleanup(wan_image_unrefp) struct wan_image *source = NULL;
	wan_cleanup(wan_image_unrefp) struct wan_image *made = NULL;
	if (wan_filter_is_torch(filter))
		return resize_torch(image, width_px, height_px, filter, ret_image);
	int error = wan_resample_source(image, &source);
	if (error < 0)
		return error;
	if (source->view.width_px == width_px && source->view.height_px == height_px) {
		*ret_image = wan_image_ref(source);
		return 0;
	}
	error = wan_image_create(source->view.format, width_px, height_px, &made);
	if (error < 0)
		return error;
	struct wan_resample what = wan_resample_whole(source, width_px, height_px, filter);
	error = wan_resample(source, &what, made, 0, 0);
	if (error < 0)
		return error;
	*ret_image = made;
	made = NULL;
	return 0;
}

int wan_image_crop(const struct wan_image *image, uint32_t x_px, uint32_t y_px, uint32_t width_px,
		   uint32_t height_px, struct wan_image **ret_image)
{
	if (!image || !ret_image || width_px == 0 || height_px == 0 ||
	    wan_pixel_is_planar(image->view.format) || x_px > image->view.width_px ||
	    y_px > image->view.height_px || width_px > image->view.width_px - x_px ||
	    height_px > image->view.height_px - y_px)
		return -EINVAL;

	struct wan_image *made;
	int error = wan_image_create(image->view.format, width_px, height_px, &made);
	if (error < 0)
		return error;
	size_t pixel = made->view.stride_bytes / width_px;
	for (uint32_t y = 0; y < height_px; y++)
		memcpy(wan_image_row(made, y), wan_image_row(image, y_px + y) + x_px * pixel,
		       made->view.stride_bytes);
	*ret_image = made;
	return 0;
}
