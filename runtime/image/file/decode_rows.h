/* SPDX-License-Identifier: MIT */
/* A file that is decoded row by row into something smaller than itself. */
#ifndef WAN_IMAGE_DECODE_ROWS_H
#define WAN_IMAGE_DECODE_ROWS_H

#include <stdbool.h>

#include "codec.h"
#include "rows.h"

struct wan_row_reader {
	struct wan_source source;
	struct wan_header header;
	struct wan_decode_options options; /* complete; may be changed before the rows are read */
};

/* Open and probe a file. Returns as wan_image_probe(), and -EINVAL for the options. */
int wan_row_reader_open(struct wan_row_reader *ret_reader, const char *path,
			const struct wan_decode_options *options, struct wan_error *reterr_error);
void wan_row_reader_close(struct wan_row_reader *reader);
/* Check the limits, with peak_bytes as the price, then give all rows to the sink. Returns as
 * wan_image_decode(). */
int wan_row_reader_run(struct wan_row_reader *reader, uint64_t peak_bytes,
		       struct wan_row_sink *sink, uint32_t *ret_warnings,
		       struct wan_error *reterr_error);
/* Bytes of the decoder and of the rows between it and the sink, rows being of decoded_width; the
 * whole file where its rows do not come in order. Saturating. Pure. */
uint64_t wan_rows_price(const struct wan_image_info *info, uint32_t decoded_width_px,
			bool converts);
/* a + b; saturating. Pure. */
static inline uint64_t wan_add_price(uint64_t a, uint64_t b)
{
	uint64_t sum;
	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* The 8-bit format that rows are worked on in: what the options want of the natural one.
 * 0, -EPROTONOSUPPORT (alpha refused), -EINVAL (planar). Pure. */
int wan_work_format(enum wan_pixel_format natural, const struct wan_decode_options *options,
		    enum wan_pixel_format *ret_format);
/* 1 when orientation is to be ignored. Pure. */
uint8_t wan_turn_of(const struct wan_image_info *info, const struct wan_decode_options *options);

/* Rows to the work format, a few at a time. */
struct wan_row_converter {
	enum wan_pixel_format from, to;
	enum wan_alpha_policy alpha;
	uint32_t width_px;
	size_t stride_bytes; /* of a converted row, padding included */
	uint8_t *rows;       /* WAN_LINES_AT_ONCE of them; NULL: nothing to convert */
	void *scratch;
};
/* 0, -ENOMEM. */
int wan_row_converter_begin(struct wan_row_converter *ret_converter, enum wan_pixel_format from,
			    enum wan_pixel_format to, enum wan_alpha_policy alpha,
			    uint32_t width_px);
/* Converts up to *count rows, WAN_LINES_AT_ONCE at most, and says how many; returns where they lie,
 * *stride apart. */
const uint8_t *wan_row_converter_next(struct wan_row_converter *converter, const uint8_t *rows,
				      size_t *stride, uint32_t *count);
/* Also valid on a zeroed struct. */
void wan_row_converter_finish(struct wan_row_converter *converter);

/* An image turned upright, for which its reference is exchanged. 0, -ENOMEM. */
int wan_turn_upright(struct wan_image **image, uint8_t orientation);

#endif
