/* SPDX-License-Identifier: MIT */
/* Rows of pixels from one interleaved format to another. Pure. */
#ifndef WAN_IMAGE_CONVERT_H
#define WAN_IMAGE_CONVERT_H

#include <stdbool.h>
#include <stdint.h>

#include "wan/image.h"

/* x * y / 255 rounded to nearest, for bytes: Pillow's way to blend. */
static inline uint8_t wan_mul_div_255(unsigned x, unsigned y)
{
	unsigned product = x * y + 128;
	return (uint8_t)((product + (product >> 8)) >> 8);
}

/* Rec. 601 luma of 8-bit colour, as Pillow's "L". */
static inline uint8_t wan_luma(unsigned r, unsigned g, unsigned b)
{
	return (uint8_t)((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16);
}

/* Whether it is one of the policies. Pure. */
static inline bool wan_alpha_known(enum wan_alpha_policy alpha)
{
	return (unsigned)alpha <= WAN_ALPHA_REFUSE ||
	       ((unsigned)alpha >= WAN_ALPHA_COLOR && (unsigned)alpha <= WAN_ALPHA_COLOR_LAST);
}

/* Whether wan_convert_row() knows the pair; planar formats it never does. */
bool wan_convert_known(enum wan_pixel_format from, enum wan_pixel_format to);
/* Bytes of scratch wan_convert_row() needs for a row of width pixels. */
size_t wan_convert_scratch_bytes(uint32_t width_px);
/* One row. alpha matters only when from has alpha and to has none (KEEP and REFUSE drop it: the
 * caller has refused before). in and out must not overlap. */
void wan_convert_row(enum wan_pixel_format from, const void *in, enum wan_pixel_format to,
		     void *out, uint32_t width_px, enum wan_alpha_policy alpha, void *scratch);

/* Colours times alpha, as Pillow rounds; channels 2 or 4, alpha last. */
void wan_premultiply_row(const uint8_t *in, uint8_t *out, uint32_t width_px, unsigned channels);
/* And back, in place. */
void wan_unpremultiply_row(uint8_t *row, uint32_t width_px, unsigned channels);

#endif
