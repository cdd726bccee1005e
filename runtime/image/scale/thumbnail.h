/* SPDX-License-Identifier: MIT */
/* Pillow's thumbnail, row by row: box means down to at least twice the size, then Lanczos. */
#ifndef WAN_IMAGE_THUMBNAIL_H
#define WAN_IMAGE_THUMBNAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "resize.h"

/* Pillow's reduce(): each x_factor by y_factor box of a source becomes its mean. */
struct wan_reducer {
	uint32_t in_width_px, in_height_px, x_factor, y_factor;
	unsigned channels;
	uint32_t next_in;
	uint32_t *sums;   /* of the columns of the box row under way */
	uint16_t *narrow; /* the same of its last lines, while they fit 16 bits */
	uint32_t narrow_lines;
	uint8_t *rows; /* WAN_LINES_AT_ONCE result rows, padded for the resampler */
	size_t row_pitch;
	uint32_t rows_ready;
};

/* 0, -ENOMEM. x_factor * y_factor is below 2^24. */
int wan_reducer_begin(struct wan_reducer *ret_reducer, struct wan_size source, unsigned channels,
		      uint32_t x_factor, uint32_t y_factor);
/* One more source row. Returns the number of result rows that are ready at reducer->rows,
 * row_pitch apart: WAN_LINES_AT_ONCE, fewer at the end, else 0; valid until the next call. */
uint32_t wan_reducer_put(struct wan_reducer *reducer, const uint8_t *row);
/* Also valid on a zeroed struct. */
void wan_reducer_finish(struct wan_reducer *reducer);
/* A whole image. 0, -ENOMEM. */
int wan_reduce(const struct wan_image *image, uint32_t x_factor, uint32_t y_factor,
	       struct wan_image **ret_image);

/* What is done to a source of one size to make a thumbnail of another. */
struct wan_shrink_plan {
	uint32_t x_factor, y_factor; /* of the reducer; 1 and 1: none */
	struct wan_size reduced;
	struct wan_resample what; /* of the reduced image */
};
/* The source stands for width x height pixels, fractions where a decoder has scaled it down. Pure.
 */
struct wan_shrink_plan wan_shrink_plan(struct wan_size source, double width_px, double height_px,
				       struct wan_size size, bool has_alpha);

struct wan_shrinker {
	bool reduces;
	struct wan_reducer reducer;
	struct wan_resampler resampler;
};
/* out (borrowed) has the size and 8-bit format of the result. 0, -ENOMEM. */
int wan_shrinker_begin(struct wan_shrinker *ret_shrinker, struct wan_size source,
		       const struct wan_shrink_plan *plan, struct wan_image *out);
/* The next count rows; padded: as for wan_resampler_put(). */
void wan_shrinker_put(struct wan_shrinker *shrinker, const uint8_t *rows, size_t stride_bytes,
		      uint32_t count, bool padded);
/* Also valid on a zeroed struct. */
void wan_shrinker_finish(struct wan_shrinker *shrinker);
/* Bytes that begin allocates; saturating. Pure. */
uint64_t wan_shrinker_bytes(struct wan_size source, unsigned channels,
			    const struct wan_shrink_plan *plan);

#endif
