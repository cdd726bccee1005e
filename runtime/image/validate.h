/* SPDX-License-Identifier: MIT */
#ifndef WAN_IMAGE_VALIDATE_H
#define WAN_IMAGE_VALIDATE_H

#include <stddef.h>
#include <stdint.h>

/* "16:9 (Widescreen)": the first known ratio within 0.05, else the shortened "w:h (Custom)". Pure.
 */
void wan_ratio_label(uint32_t width_px, uint32_t height_px, char *to, size_t to_bytes);

#endif
