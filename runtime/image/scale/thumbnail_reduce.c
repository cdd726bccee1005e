/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "macros.h"
#include "thumbnail.h"

/* The sum of up to 257 lines of bytes, sample by sample, fits 16 bits: the first step down is made
 * there, eight samples at once, and only its results are widened. */
#define NARROW_LINES 257

/* 2^24 / count in the precision Pillow computes it in. */
static uint32_t reciprocal(uint32_t count)
{
	float dividend = (float)(256u * count);
	return (uint32_t)(4294967296.0f / dividend);
}

static inline void average_boxes(const uint32_t *sums, uint8_t *out, uint32_t boxes,
				 uint32_t columns, uint32_t lines, unsigned channels)
{
	uint32_t count = columns * lines, multiplier = reciprocal(count);
	for (uint32_t x = 0; x < boxes; x++, sums += (size_t)columns * channels) {
		for (unsigned c = 0; c < channels; c++) {
			uint32_t sum = count / 2;
			for (uint32_t k = 0; k < columns; k++)
				sum += sums[k * channels + c];
			*out++ = (uint8_t)((sum * multiplier) >> 24);
		}
	}
}

/* Whole boxes, then a narrower one for the columns that are left. */
static void average_line(const struct wan_reducer *r, uint32_t lines, uint8_t *out)
{
	uint32_t whole = r->in_width_px / r->x_factor, done = whole * r->x_factor;
	if (r->channels == 3) /* a constant, for the compiler */
		average_boxes(r->sums, out, whole, r->x_factor, lines, 3);
	else
		average_boxes(r->sums, out, whole, r->x_factor, lines, r->channels);
	if (done < r->in_width_px)
		average_boxes(r->sums + (size_t)done * r->channels,
			      out + (size_t)whole * r->channels, 1, r->in_width_px - done, lines,
			      r->channels);
}

int wan_reducer_begin(struct wan_reducer *ret_reducer, struct wan_size source, unsigned channels,
		      uint32_t x_factor, uint32_t y_factor)
{
	size_t samples = (size_t)source.width_px * channels;
	struct wan_reducer made = {
		.in_width_px = source.width_px,
		.in_height_px = source.height_px,
		.x_factor = x_factor,
		.y_factor = y_factor,
		.channels = channels,
		.sums = wan_calloc(samples, sizeof(*made.sums)),
		.narrow = wan_calloc(samples, sizeof(*made.narrow)),
		.row_pitch = (size_t)((source.width_px - 1) / x_factor + 1) * channels +
			     WAN_LINE_PADDING,
	};
	made.rows = wan_calloc(WAN_LINES_AT_ONCE, made.row_pitch);
	if (!made.sums || !made.narrow || !made.rows) {
		wan_reducer_finish(&made);
		return -ENOMEM;
	}
	*ret_reducer = made;
	return 0;
}

static void widen_sums(struct wan_reducer *r, size_t samples)
{
	for (size_t i = 0; i < samples; i++)
		r->sums[i] += r->narrow[i];
	memset(r->narrow, 0, samples * sizeof(*r->narrow));
	r->narrow_lines = 0;
}

uint32_t wan_reducer_put(struct wan_reducer *reducer, const uint8_t *row)
{
	struct wan_reducer *r = reducer;
	size_t samples = (size_t)r->in_width_px * r->channels;

	if (r->rows_ready == WAN_LINES_AT_ONCE)
		r->rows_ready = 0;
	for (size_t i = 0; i < samples; i++)
		r->narrow[i] = (uint16_t)(r->narrow[i] + row[i]);
	r->next_in++;
	bool last = r->next_in == r->in_height_px;
	bool whole = last || r->next_in % r->y_factor == 0;
	if (++r->narrow_lines == NARROW_LINES || whole)
		widen_sums(r, samples);
	if (!whole)
		return 0;
	average_line(r, (r->next_in - 1) % r->y_factor + 1, r->rows + r->rows_ready * r->row_pitch);
	memset(r->sums, 0, samples * sizeof(*r->sums));
	r->rows_ready++;
	return last || r->rows_ready == WAN_LINES_AT_ONCE ? r->rows_ready : 0;
}

void wan_reducer_finish(struct wan_reducer *reducer)
{
	wan_free(reducer->sums);
	wan_free(reducer->narrow);
	wan_free(reducer->rows);
	*reducer = (struct wan_reducer){.sums = NULL};
}

int wan_reduce(const struct wan_image *image, uint32_t x_factor, uint32_t y_factor,
	       struct wan_image **ret_image)
{
	const struct wan_image_view *view = &image->view;
	struct wan_size size = {view->width_px, view->height_px};
	struct wan_reducer reducer;
	struct wan_image *made;
	uint32_t done = 0;

	int error = wan_reducer_begin(&reducer, size, view->channels, x_factor, y_factor);
	if (error < 0)
		return error;
	error = wan_image_create(view->format, (view->width_px - 1) / x_factor + 1,
				 (view->height_px - 1) / y_factor + 1, &made);
	for (uint32_t y = 0; error == 0 && y < view->height_px; y++) {
		uint32_t ready = wan_reducer_put(&reducer, wan_image_row(image, y));
		for (uint32_t i = 0; i < ready; i++)
			memcpy(wan_image_row(made, done++), reducer.rows + i * reducer.row_pitch,
			       made->view.stride_bytes);
	}
	wan_reducer_finish(&reducer);
	if (error < 0)
		return error;
	*ret_image = made;
	return 0;
}
