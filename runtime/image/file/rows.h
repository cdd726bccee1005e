/* SPDX-License-Identifier: MIT */
/* Where decoded rows go: converted and turned upright on the way, without a second image. */
#ifndef WAN_IMAGE_ROWS_H
#define WAN_IMAGE_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "wan/image.h"

/* Takes rows as they are decoded, instead of an image. */
struct wan_row_sink {
	/* What follows: rows of that size and format, to be turned as EXIF says, if at all.
	 * 0, or what ends the decoding. */
	int (*begin)(struct wan_row_sink *sink, enum wan_pixel_format from, struct wan_size size);
	/* The next rows, stride apart; WAN_LINE_PADDING bytes behind each may be read. */
	void (*put)(struct wan_row_sink *sink, const uint8_t *rows, size_t stride_bytes,
		    uint32_t count);
};

struct wan_decoded_rows {
	struct wan_row_sink *sink; /* borrowed; the rest is unused then */
	struct wan_image *image;   /* ours until taken */
	enum wan_pixel_format from, to;
	enum wan_alpha_policy alpha;
	uint32_t width_px, height_px; /* as decoded, before turning */
	uint8_t orientation;          /* 1 to 8, EXIF */
	uint8_t *scratch, *converted; /* NULL when rows are decoded straight into the image */
};

/* Creates the image. 0, -ENOMEM, -EOVERFLOW, -EPROTONOSUPPORT (alpha refused). */
int wan_decoded_rows_begin(struct wan_decoded_rows *rows, enum wan_pixel_format from,
			   uint32_t width_px, uint32_t height_px, uint8_t orientation,
			   const struct wan_decode_options *options);
/* Begins a sink instead. Returns what it does. */
int wan_decoded_rows_begin_sink(struct wan_decoded_rows *rows, enum wan_pixel_format from,
				uint32_t width_px, uint32_t height_px, struct wan_row_sink *sink);
/* The row of the image itself when nothing has to be done to it, else NULL. */
uint8_t *wan_decoded_rows_direct(const struct wan_decoded_rows *rows, uint32_t y);
/* Row y as decoded, with WAN_LINE_PADDING bytes behind it when there is a sink. */
void wan_decoded_rows_put(struct wan_decoded_rows *rows, uint32_t y, const void *row);
/* Rows y to y + count - 1. */
void wan_decoded_rows_put_many(struct wan_decoded_rows *rows, uint32_t y, const uint8_t *first,
			       size_t stride_bytes, uint32_t count);
/* The image, now the caller's. */
struct wan_image *wan_decoded_rows_take(struct wan_decoded_rows *rows);
/* Frees what was not taken. Also valid on a zeroed struct. */
void wan_decoded_rows_finish(struct wan_decoded_rows *rows);

#endif
