/* SPDX-License-Identifier: MIT */
/*
 * Lines are resampled sideways a few at a time into a ring just tall enough for the vertical
 * filter, so the intermediate image never leaves the cache and is never whole.
 */
#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "convert.h"
#include "macros.h"
#include "resize.h"

enum { AT_ONCE = WAN_LINES_AT_ONCE };

struct wan_resample wan_resample_size(struct wan_size source, uint32_t width_px, uint32_t height_px,
				      enum wan_filter filter)
{
	return (struct wan_resample){
		.right = (float)source.width_px,
		.bottom = (float)source.height_px,
		.full_width_px = width_px,
		.full_height_px = height_px,
		.width_px = width_px,
		.height_px = height_px,
		.filter = filter,
	};
}

struct wan_resample wan_resample_whole(const struct wan_image *image, uint32_t width_px,
				       uint32_t height_px, enum wan_filter filter)
{
	return wan_resample_size((struct wan_size){image->view.width_px, image->view.height_px},
				 width_px, height_px, filter);
}

static bool needs_sideways(struct wan_size source, const struct wan_resample *what)
{
	return what->full_width_px != source.width_px || what->left != 0 ||
	       what->right != (float)what->full_width_px;
}

static bool needs_upright(struct wan_size source, const struct wan_resample *what)
{
	return what->full_height_px != source.height_px || what->top != 0 ||
	       what->bottom != (float)what->full_height_px;
}

static int allocate(struct wan_resampler *made)
{
	/* A batch may complete lines before the oldest of its ring is done with. */
	made->ring_lines =
		made->upright ? WAN_MIN(made->y.most, made->in_height_px) + AT_ONCE - 1 : 1;
	made->padded_pitch = made->in_bytes + WAN_LINE_PADDING;
	made->padded = wan_calloc(AT_ONCE, made->padded_pitch);
	made->ring = wan_realloc_array(NULL, made->ring_lines, made->line_bytes);
	made->lines = wan_calloc(made->ring_lines, sizeof(*made->lines));
	return made->padded && made->ring && made->lines ? 0 : -ENOMEM;
}

int wan_resampler_begin(struct wan_resampler *ret_resampler, struct wan_size source,
			const struct wan_resample *what, struct wan_image *out, uint32_t at_x_px,
			uint32_t at_y_px)
{
	unsigned channels = out->view.channels;
	struct wan_resampler made = {
		.out = out,
		.at_x_px = at_x_px,
		.at_y_px = at_y_px,
		.height_px = what->height_px,
		.in_width_px = source.width_px,
		.in_height_px = source.height_px,
		.channels = channels,
		.sideways = needs_sideways(source, what),
		.upright = needs_upright(source, what),
		.first_x_px = what->x_px,
		.first_y_px = what->y_px,
		.in_bytes = (size_t)source.width_px * channels,
		.line_bytes = (size_t)what->width_px * channels,
	};
	/* Without any change Pillow copies: no rounding by way of alpha then. */
	made.alpha = wan_pixel_has_alpha(out->view.format) && (made.sideways || made.upright);
	int error = 0;
	if (made.sideways)
		error = wan_taps_create(&made.x, source.width_px, what->left, what->right,
					what->full_width_px, what->x_px, what->width_px,
					what->filter);
	if (error == 0 && made.upright)
		error = wan_taps_create(&made.y, source.height_px, what->top, what->bottom,
					what->full_height_px, what->y_px, what->height_px,
					what->filter);
	if (error == 0)
		error = allocate(&made);
	if (error < 0) {
		wan_resampler_finish(&made);
		return error;
	}
	made.x_kernels = wan_kernels(&made.x);
	made.y_kernels = wan_kernels(&made.y);
	*ret_resampler = made;
	return 0;
}

void wan_resampler_finish(struct wan_resampler *resampler)
{
	wan_taps_destroy(&resampler->x);
	wan_taps_destroy(&resampler->y);
	wan_free(resampler->padded);
	wan_free(resampler->ring);
	wan_free(resampler->lines);
	resampler->padded = NULL;
	resampler->ring = NULL;
	resampler->lines = NULL;
}

/* The part of a source row that is kept when it is not resampled sideways. */
static void copy_line(const struct wan_resampler *r, const uint8_t *row, uint8_t *out)
{
	memcpy(out, row + (size_t)r->first_x_px * r->channels, r->line_bytes);
}

/* At most AT_ONCE source rows, sideways resampled, to as many lines. */
static void make_lines(struct wan_resampler *r, const uint8_t *rows, size_t stride, uint32_t count,
		       bool padded, uint8_t *const out[AT_ONCE])
{
	const uint8_t *in[AT_ONCE];
	uint8_t *to[AT_ONCE];

	for (uint32_t i = 0; i < AT_ONCE; i++) {
		uint32_t k = WAN_MIN(i, count - 1);
		uint8_t *copy = r->padded + k * r->padded_pitch;
		in[i] = rows + k * stride;
		to[i] = out[k];
		if (i < count && r->alpha)
			wan_premultiply_row(in[i], copy, r->in_width_px, r->channels);
		else if (i < count && r->sideways && !padded)
			memcpy(copy, in[i], r->in_bytes);
		if (r->alpha || (r->sideways && !padded))
			in[i] = copy;
	}
	if (r->sideways) {
		r->x_kernels->lines(&r->x, in, to, r->channels);
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		copy_line(r, in[i], to[i]);
}

static uint8_t *result_row(const struct wan_resampler *r, uint32_t y)
{
	return wan_image_row(r->out, r->at_y_px + y) + (size_t)r->at_x_px * r->channels;
}

static void finish_row(const struct wan_resampler *r, uint32_t y)
{
	if (r->alpha)
		wan_unpremultiply_row(result_row(r, y), (uint32_t)(r->line_bytes / r->channels),
				      r->channels);
}

static uint8_t *ring_line(const struct wan_resampler *r, uint32_t y)
{
	return r->ring + (size_t)(y % r->ring_lines) * r->line_bytes;
}

/* All result rows whose source rows are there. */
static void emit(struct wan_resampler *r)
{
	for (; r->next_out < r->height_px; r->next_out++) {
		struct wan_tap_span span = r->y.spans[r->next_out];
		if (span.first + span.count > r->next_in)
			return;
		for (uint32_t k = 0; k < span.count; k++)
			r->lines[k] = ring_line(r, span.first + k);
		r->y_kernels->column(&r->y, r->next_out, r->lines, result_row(r, r->next_out),
				     r->line_bytes);
		finish_row(r, r->next_out);
	}
}

static void put_upright(struct wan_resampler *r, const uint8_t *rows, size_t stride, uint32_t count,
			bool padded)
{
	while (count > 0 && r->next_out < r->height_px) {
		uint32_t first = r->y.spans[r->next_out].first;
		uint32_t part = WAN_MIN(count, (uint32_t)AT_ONCE);
		if (r->next_in < first) { /* rows above the window */
			part = WAN_MIN(count, first - r->next_in);
		} else {
			uint8_t *out[AT_ONCE] = {NULL};
			for (uint32_t i = 0; i < part; i++)
				out[i] = ring_line(r, r->next_in + i);
			make_lines(r, rows, stride, part, padded, out);
		}
		r->next_in += part;
		rows += part * stride;
		count -= part;
		emit(r);
	}
}

/* Source rows that are result rows but for their width. */
static void put_level(struct wan_resampler *r, const uint8_t *rows, size_t stride, uint32_t count,
		      bool padded)
{
	while (count > 0 && r->next_out < r->height_px) {
		uint32_t part = WAN_MIN(count, (uint32_t)AT_ONCE);
		if (r->next_in < r->first_y_px) {
			part = WAN_MIN(count, r->first_y_px - r->next_in);
		} else {
			uint8_t *out[AT_ONCE] = {NULL};
			part = WAN_MIN(part, r->height_px - r->next_out);
			for (uint32_t i = 0; i < part; i++)
				out[i] = result_row(r, r->next_out + i);
			make_lines(r, rows, stride, part, padded, out);
			for (uint32_t i = 0; i < part; i++)
				finish_row(r, r->next_out + i);
			r->next_out += part;
		}
		r->next_in += part;
		rows += part * stride;
		count -= part;
	}
}

void wan_resampler_put(struct wan_resampler *resampler, const uint8_t *rows, size_t stride_bytes,
		       uint32_t count, bool padded)
{
	if (resampler->upright)
		put_upright(resampler, rows, stride_bytes, count, padded);
	else
		put_level(resampler, rows, stride_bytes, count, padded);
}

int wan_resample(const struct wan_image *image, const struct wan_resample *what,
		 struct wan_image *out, uint32_t at_x_px, uint32_t at_y_px)
{
	struct wan_size size = {image->view.width_px, image->view.height_px};
	struct wan_resampler resampler;
	size_t stride = image->view.stride_bytes;
	uint32_t last = WAN_LINE_PADDING / stride >= size.height_px
				? size.height_px
				: (uint32_t)(WAN_LINE_PADDING / stride) + 1;
	/* Behind all rows but the last ones there are others. */
	uint32_t inner = size.height_px - WAN_MIN(last, size.height_px);

	int error = wan_resampler_begin(&resampler, size, what, out, at_x_px, at_y_px);
	if (error < 0)
		return error;
	wan_resampler_put(&resampler, wan_image_row(image, 0), stride, inner, true);
	wan_resampler_put(&resampler, wan_image_row(image, inner), stride, size.height_px - inner,
			  false);
	wan_resampler_finish(&resampler);
	return 0;
}

static uint64_t mul(uint64_t a, uint64_t b)
{
	uint64_t result;
	return __builtin_mul_overflow(a, b, &result) ? UINT64_MAX : result;
}

static uint64_t add(uint64_t a, uint64_t b)
{
	uint64_t result;
	return __builtin_add_overflow(a, b, &result) ? UINT64_MAX : result;
}

uint64_t wan_resampler_bytes(struct wan_size source, unsigned channels,
			     const struct wan_resample *what)
{
	uint64_t bytes =
		mul(AT_ONCE, add(mul(source.width_px, channels), (uint64_t)WAN_LINE_PADDING));
	uint64_t lines = 1;
	if (needs_sideways(source, what))
		bytes = add(bytes, wan_taps_bytes(what->right - what->left, what->full_width_px,
						  what->width_px, what->filter));
	if (needs_upright(source, what)) {
		bytes = add(bytes, wan_taps_bytes(what->bottom - what->top, what->full_height_px,
						  what->height_px, what->filter));
		lines = WAN_MIN(wan_taps_most(what->bottom - what->top, what->full_height_px,
					      what->filter),
				source.height_px) +
			AT_ONCE - 1;
	}
	return add(bytes, mul(lines, add(mul(what->width_px, channels), sizeof(void *))));
}
