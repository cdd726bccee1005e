/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "cleanup.h"
#include "codec.h"
#include "convert.h"
#include "rows.h"

int wan_decoded_rows_begin(struct wan_decoded_rows *rows, enum wan_pixel_format from,
			   uint32_t width_px, uint32_t height_px, uint8_t orientation,
			   const struct wan_decode_options *options)
{
	struct wan_decoded_rows made = {.from = from,
					.alpha = options->alpha,
					.width_px = width_px,
					.height_px = height_px,
					.orientation =
						options->apply_orientation ? orientation : 1};
	int error = wan_target_format(from, options->want, options->alpha, &made.to);
	if (error < 0)
		return error;
	if (!wan_convert_known(from, made.to))
		return -EINVAL;

	bool turned = made.orientation >= 5;
	error = wan_image_create(made.to, turned ? height_px : width_px,
				 turned ? width_px : height_px, &made.image);
	if (error < 0)
		return error;
	if (made.to != from || made.orientation != 1) {
		/* 8 bytes a pixel hold a converted row of any format. */
		made.scratch =
			wan_malloc(wan_convert_scratch_bytes(width_px) + (size_t)width_px * 8);
		if (!made.scratch) {
			wan_image_unref(made.image);
			return -ENOMEM;
		}
		made.converted = made.scratch + wan_convert_scratch_bytes(width_px);
	}
	*rows = made;
	return 0;
}

int wan_decoded_rows_begin_sink(struct wan_decoded_rows *rows, enum wan_pixel_format from,
				uint32_t width_px, uint32_t height_px, struct wan_row_sink *sink)
{
	*rows = (struct wan_decoded_rows){.sink = sink};
	return sink->begin(sink, from, (struct wan_size){width_px, height_px});
}

uint8_t *wan_decoded_rows_direct(const struct wan_decoded_rows *rows, uint32_t y)
{
	return rows->scratch || rows->sink ? NULL : wan_image_row(rows->image, y);
}

/* Copies count pixels of bytes each from in to out, which moves by step (may be negative). */
static void scatter(const uint8_t *in, uint8_t *out, ptrdiff_t step, uint32_t count, unsigned bytes)
{
	switch (bytes) {
	case 1:
		for (uint32_t x = 0; x < count; x++, out += step)
			*out = in[x];
		break;
	case 3:
		for (uint32_t x = 0; x < count; x++, in += 3, out += step) {
			out[0] = in[0];
			out[1] = in[1];
			out[2] = in[2];
		}
		break;
	case 4:
		for (uint32_t x = 0; x < count; x++, in += 4, out += step)
			memcpy(out, in, 4);
		break;
	default:
		for (uint32_t x = 0; x < count; x++, in += bytes, out += step)
			memcpy(out, in, bytes);
	}
}

/* EXIF: 2 mirrored, 3 upside down, 4 both, 5 transposed, 6 to be turned right, 7 transverse, 8
 * left. */
static void put_turned(struct wan_decoded_rows *rows, uint32_t y, const uint8_t *row,
		       unsigned bytes)
{
	ptrdiff_t stride = (ptrdiff_t)rows->image->view.stride_bytes;
	uint32_t last_x = rows->width_px - 1, last_y = rows->height_px - 1;
	unsigned turn = rows->orientation;
	bool from_right = turn == 2 || turn == 3, from_bottom = turn == 3 || turn == 4;

	if (turn < 5) {
		uint8_t *out = wan_image_row(rows->image, from_bottom ? last_y - y : y);
		if (from_right)
			scatter(row, out + (size_t)last_x * bytes, -(ptrdiff_t)bytes,
				rows->width_px, bytes);
		else
			memcpy(out, row, (size_t)rows->width_px * bytes);
		return;
	}
	/* Row y becomes a column: of 5 and 8 the y-th from the left, of 6 and 7 from the right. */
	uint32_t column = turn == 5 || turn == 8 ? y : last_y - y;
	bool upward = turn == 7 || turn == 8;
	uint8_t *out = wan_image_row(rows->image, upward ? last_x : 0) + (size_t)column * bytes;
	scatter(row, out, upward ? -stride : stride, rows->width_px, bytes);
}

void wan_decoded_rows_put(struct wan_decoded_rows *rows, uint32_t y, const void *row)
{
	if (rows->sink) {
		rows->sink->put(rows->sink, row, 0, 1);
		return;
	}
	unsigned bytes = wan_pixel_channels(rows->to) * wan_pixel_sample_bytes(rows->to);
	bool upright = rows->orientation == 1;

	if (rows->to != rows->from) {
		void *out = upright ? wan_image_row(rows->image, y) : rows->converted;
		wan_convert_row(rows->from, row, rows->to, out, rows->width_px, rows->alpha,
				rows->scratch);
		row = out;
	} else if (upright) {
		memcpy(wan_image_row(rows->image, y), row, (size_t)rows->width_px * bytes);
	}
	if (!upright)
		put_turned(rows, y, row, bytes);
}

void wan_decoded_rows_put_many(struct wan_decoded_rows *rows, uint32_t y, const uint8_t *first,
			       size_t stride_bytes, uint32_t count)
{
	if (rows->sink) {
		rows->sink->put(rows->sink, first, stride_bytes, count);
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		wan_decoded_rows_put(rows, y + i, first + i * stride_bytes);
}

struct wan_image *wan_decoded_rows_take(struct wan_decoded_rows *rows)
{
	struct wan_image *image = rows->image;
	rows->image = NULL;
	return image;
}

void wan_decoded_rows_finish(struct wan_decoded_rows *rows)
{
	wan_image_unref(rows->image);
	wan_freep(&rows->scratch);
	rows->image = NULL;
	rows->scratch = NULL;
}
