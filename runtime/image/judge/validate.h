/* SPDX-License-Identifier: MIT */
#ifndef WAN_IMAGE_VALIDATE_H
#define WAN_IMAGE_VALIDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wan/validate.h"

/* "16:9 (Widescreen)": the first known ratio within 0.05, else the shortened "w:h (Custom)". Pure.
 */
void wan_ratio_label(uint32_t width_px, uint32_t height_px, char *to, size_t to_bytes);

/* Whether w/h and p/q are at most 1/parts apart, decided in whole numbers: a boundary given in
 * decimals is hit exactly. */
static inline bool wan_ratio_near(uint32_t w, uint32_t h, uint32_t p, uint32_t q, uint32_t parts)
{
	__int128 cross = (__int128)w * q - (__int128)p * h;
	return (cross < 0 ? -cross : cross) * parts <= (__int128)h * q;
}

/* As seen, not as stored. Pure. */
struct wan_size wan_size_upright(const struct wan_image_info *info);
/* Pillow's name of what is stored: "RGB", "RGBA", "L", "LA", "P", "CMYK". Pure. */
const char *wan_color_mode(const struct wan_image_info *info);
/* wan_image_validate() of all the pixels, or of fewer of them. ret_verdict may be touched on
 * failure. */
int wan_validate_pixels(const struct wan_image *image, const struct wan_image_info *info,
			bool preview, struct wan_verdict *ret_verdict);

#endif
