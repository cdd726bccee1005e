/* SPDX-License-Identifier: MIT */
/*
 * The planes of a JPEG, packed: luma at full size, two colour planes at 1/h and 1/v of it. The rows
 * come in the order in which they are needed: colour row 0; then for each colour row its successor
 * and the rows of luma between.
 */
#ifndef WAN_IMAGE_COLD_PLANES_H
#define WAN_IMAGE_COLD_PLANES_H

#include "cold.h"
#include "cold_band.h"

/* 0, -ESTALE (the file is another one), -ENOTSUP (not exact, or not of this kind), -E2BIG, -ENOMEM.
 */
int wan_cold_freeze_planes(const struct wan_image *image, size_t bytes_max,
			   struct wan_cold_image **ret_cold);
int wan_cold_thaw_planes(const struct wan_cold_image *cold, struct wan_image **ret_image);

/* Rows of pixels from packed planes, in order. */
struct wan_planes_reader {
	struct wan_band_reader bands;
	uint32_t width_px, height_px; /* as decoded */
	uint32_t color_width, color_height;
	unsigned components, across, down; /* how many pixels share a colour, 1 to 4 each way */
	uint32_t y;                        /* of the next row */
	uint8_t *memory;
	uint8_t *luma;
	uint8_t *color[2][3]; /* the colour row above, here, below */
	uint8_t *full[2];     /* one row of colour at full width */
	uint16_t *sums;
};

/* 0, -ENOMEM, -EBADMSG. Finish in any case. */
int wan_planes_reader_begin(struct wan_planes_reader *reader, const struct wan_cold_image *cold);
/* The next row, of width x components bytes. 0, -ENOMEM, -EBADMSG. */
int wan_planes_reader_row(struct wan_planes_reader *reader, uint8_t *pixels);
void wan_planes_reader_finish(struct wan_planes_reader *reader);

#endif
