/* SPDX-License-Identifier: MIT */
#ifndef WAN_IMAGE_EXIF_H
#define WAN_IMAGE_EXIF_H

#include <stddef.h>
#include <stdint.h>

/* The orientation (1 to 8) in the first directory of a TIFF block; 1 when absent or damaged. Pure.
 */
uint8_t wan_exif_orientation(const uint8_t *tiff, size_t count);
/* Width and height of the first directory. 0, -ENOENT. Pure. */
int wan_tiff_size(const uint8_t *tiff, size_t count, uint32_t *ret_width_px,
		  uint32_t *ret_height_px);
/* Where the first directory is, also beyond these bytes. 0, -ENOENT. Pure. */
int wan_tiff_directory(const uint8_t *tiff, size_t count, uint64_t *ret_offset);

#endif
