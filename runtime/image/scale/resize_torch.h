/* SPDX-License-Identifier: MIT */
/* torch's interpolate() without antialiasing, on floats. */
#ifndef WAN_IMAGE_RESIZE_TORCH_H
#define WAN_IMAGE_RESIZE_TORCH_H

#include <stdbool.h>

#include "wan/image.h"

static inline bool wan_filter_is_torch(enum wan_filter filter)
{
	return filter == WAN_FILTER_TORCH_BICUBIC || filter == WAN_FILTER_TORCH_BILINEAR;
}

/* RGB8 or RGBF32_PLANAR to either of them by a torch filter; bytes are normalised before, and made
 * of the nearest values after. 0, -ENOMEM, -EOVERFLOW. */
int wan_resize_torch(const struct wan_image *image, uint32_t width_px, uint32_t height_px,
		     enum wan_filter filter, enum wan_pixel_format want,
		     struct wan_image **ret_image);

#endif
