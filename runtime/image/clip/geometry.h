/* SPDX-License-Identifier: MIT */
/* Sizes and framings. Pure. */
#ifndef WAN_IMAGE_GEOMETRY_H
#define WAN_IMAGE_GEOMETRY_H

#include "wan/frame.h"

/* Pillow's thumbnail size: within max, ratio kept, never larger than the source. */
struct wan_size wan_size_thumbnail(uint32_t width_px, uint32_t height_px, uint32_t max_width_px,
				   uint32_t max_height_px);
/* Smallest size of the same ratio that covers, sides rounded half to even (at least the target). */
struct wan_size wan_size_cover(uint32_t width_px, uint32_t height_px, uint32_t to_width_px,
			       uint32_t to_height_px);
/* Largest size of the same ratio that fits inside, rounded down, at least 1. */
struct wan_size wan_size_contain(uint32_t width_px, uint32_t height_px, uint32_t to_width_px,
				 uint32_t to_height_px);

/* The framing is what wan_image_fit() does: same bytes. frame_image.c */
bool wan_framing_is_fit(const struct wan_framing *framing, enum wan_fit *ret_fit);

#endif
