/* SPDX-License-Identifier: MIT */
/*
 * A row of interleaved bytes as one line for each channel and back. Of three and four channels the
 * first and third are kept as their difference to the second (R-G, G, B-G): colours differ less
 * than they vary. Exact for any bytes, whatever they mean.
 */
#ifndef WAN_IMAGE_COLD_SPLIT_H
#define WAN_IMAGE_COLD_SPLIT_H

#include <stddef.h>
#include <stdint.h>

enum { WAN_SPLIT_LINES = 4 };

/* channels 1 to 4; lines are readable and writable up to wan_pack_line_bytes(width). */
void wan_split_row(const uint8_t *pixels, size_t width, unsigned channels,
		   uint8_t *const lines[WAN_SPLIT_LINES]);
void wan_join_row(uint8_t *const lines[WAN_SPLIT_LINES], size_t width, unsigned channels,
		  uint8_t *pixels);
/* Three lines of bytes to interleaved pixels, without differences. */
void wan_interleave_row(const uint8_t *r, const uint8_t *g, const uint8_t *b, size_t width,
			uint8_t *pixels);

#endif
