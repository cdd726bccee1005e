/* SPDX-License-Identifier: MIT */
/* Resampling of 8-bit images, Pillow's result bit for bit. */
#ifndef WAN_IMAGE_RESIZE_H
#define WAN_IMAGE_RESIZE_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "kernels.h"

/* What is asked of the resampler: the source box [left, right) x [top, bottom) becomes
 * full_width x full_height, of which a window is computed. */
struct wan_resample {
	float left, top, right, bottom;
	uint32_t full_width_px, full_height_px;
	uint32_t x_px, y_px, width_px, height_px; /* window */
	enum wan_filter filter;
};

/* The whole of an image, or of one of that size, to width x height. Pure. */
struct wan_resample wan_resample_whole(const struct wan_image *image, uint32_t width_px,
				       uint32_t height_px, enum wan_filter filter);
struct wan_resample wan_resample_size(struct wan_size source, uint32_t width_px, uint32_t height_px,
				      enum wan_filter filter);
/* Computes the window into rows of out starting at (at_x, at_y); both images are of the same 8-bit
 * format. 0, -ENOMEM. */
int wan_resample(const struct wan_image *image, const struct wan_resample *what,
		 struct wan_image *out, uint32_t at_x_px, uint32_t at_y_px);
/* An 8-bit image for the resampler: itself with one more reference, or converted from 16 bits.
 * 0, -EINVAL (planar), -ENOMEM. */
int wan_resample_source(const struct wan_image *image, struct wan_image **ret_image);

/* The same row by row: source rows come in order, result rows are written as soon as they are
 * complete. */
struct wan_resampler {
	struct wan_image *out; /* borrowed */
	uint32_t at_x_px, at_y_px, height_px;
	uint32_t in_width_px, in_height_px;
	unsigned channels;
	bool alpha; /* colours are weighted by alpha while they are mixed */
	bool sideways, upright;
	struct wan_taps x, y;
	const struct wan_kernels *x_kernels, *y_kernels;
	uint32_t first_x_px, first_y_px; /* of the window, where a pass is left out */
	size_t in_bytes, line_bytes;     /* of a source row; of a row of the window */
	uint8_t *padded; /* WAN_LINES_AT_ONCE source rows with what may be read behind them */
	size_t padded_pitch;
	uint8_t *ring; /* lines that are sideways resampled, as many as the vertical filter needs */
	uint32_t ring_lines;
	const uint8_t **lines;
	uint32_t next_in, next_out; /* rows below these are done; next_out counts in the window */
};

/* Begin a window of a source of that size and 8-bit format, written to out (borrowed) at (at_x,
 * at_y). 0, -ENOMEM. */
int wan_resampler_begin(struct wan_resampler *ret_resampler, struct wan_size source,
			const struct wan_resample *what, struct wan_image *out, uint32_t at_x_px,
			uint32_t at_y_px);
/* Rows next_in to next_in + count - 1 of the source, stride apart. padded: WAN_LINE_PADDING bytes
 * behind each may be read. */
void wan_resampler_put(struct wan_resampler *resampler, const uint8_t *rows, size_t stride_bytes,
		       uint32_t count, bool padded);
/* Also valid on a zeroed struct. */
void wan_resampler_finish(struct wan_resampler *resampler);
/* Bytes that begin allocates; saturating. Pure. */
uint64_t wan_resampler_bytes(struct wan_size source, unsigned channels,
			     const struct wan_resample *what);

#endif
