/* SPDX-License-Identifier: MIT */
/* Resampling of 8-bit images, Pillow's result bit for bit. */
#ifndef WAN_IMAGE_RESIZE_H
#define WAN_IMAGE_RESIZE_H

#include <stdint.h>

#include "buffer.h"

/* What is asked of the resampler: the source box [left, right) x [top, bottom) becomes
 * full_width x full_height, of which a window is computed. */
struct wan_resample {
	float left, top, right, bottom;
	uint32_t full_width_px, full_height_px;
	uint32_t x_px, y_px, width_px, height_px; /* window */
	enum wan_filter filter;
};

/* The whole of image to width x height. Pure. */
struct wan_resample wan_resample_whole(const struct wan_image *image, uint32_t width_px,
				       uint32_t height_px, enum wan_filter filter);
/* Computes the window into rows of out starting at (at_x, at_y); both images are of the same 8-bit
 * format. 0, -ENOMEM. */
int wan_resample(const struct wan_image *image, const struct wan_resample *what,
		 struct wan_image *out, uint32_t at_x_px, uint32_t at_y_px);
/* Pillow's reduce(): each x_factor by y_factor box becomes its mean. 0, -ENOMEM. */
int wan_reduce(const struct wan_image *image, uint32_t x_factor, uint32_t y_factor,
	       struct wan_image **ret_image);
/* An 8-bit image for the resampler: itself with one more reference, or converted from 16 bits.
 * 0, -EINVAL (planar), -ENOMEM. */
int wan_resample_source(const struct wan_image *image, struct wan_image **ret_image);

#endif
