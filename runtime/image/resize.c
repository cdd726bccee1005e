/* SPDX-License-Identifier: MIT */
/*
 * Lines are resampled sideways one at a time into a ring just tall enough for the vertical filter,
 * so the intermediate image never leaves the cache and is never whole.
 */
#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "cleanup.h"
#include "convert.h"
#include "kernels.h"
#include "macros.h"
#include "resize.h"
#include "taps.h"

struct pass {
	const struct wan_image *image;
	unsigned channels;
	bool alpha; /* colours are weighted by alpha while they are mixed */
	bool sideways, upright;
	struct wan_taps x, y;
	size_t line_bytes; /* of a line of the result window */
	uint8_t *padded;   /* one source line with what may be read behind it */
	uint8_t *ring;
	uint32_t ring_lines, next_line; /* lines below next_line have been through the ring */
	const uint8_t **lines;
	uint32_t x_px; /* first column when not sideways */
};

static void premultiply(const uint8_t *in, uint8_t *out, uint32_t count, unsigned channels)
{
	for (uint32_t x = 0; x < count; x++, in += channels, out += channels) {
		uint8_t alpha = in[channels - 1];
		for (unsigned c = 0; c + 1 < channels; c++)
			out[c] = wan_mul_div_255(in[c], alpha);
		out[channels - 1] = alpha;
	}
}

static void unpremultiply(uint8_t *line, uint32_t count, unsigned channels)
{
	for (uint32_t x = 0; x < count; x++, line += channels) {
		unsigned alpha = line[channels - 1];
		if (alpha == 0 || alpha == 255)
			continue;
		for (unsigned c = 0; c + 1 < channels; c++) {
			unsigned value = 255u * line[c] / alpha;
			line[c] = (uint8_t)WAN_MIN(value, 255u);
		}
	}
}

struct wan_resample wan_resample_whole(const struct wan_image *image, uint32_t width_px,
				       uint32_t height_px, enum wan_filter filter)
{
	return (struct wan_resample){
		.right = (float)image->view.width_px,
		.bottom = (float)image->view.height_px,
		.full_width_px = width_px,
		.full_height_px = height_px,
		.width_px = width_px,
		.height_px = height_px,
		.filter = filter,
	};
}

static int prepare(struct pass *pass, const struct wan_resample *what)
{
	const struct wan_image_view *view = &pass->image->view;
	size_t in_bytes = (size_t)view->width_px * pass->channels;

	pass->sideways = what->full_width_px != view->width_px || what->left != 0 ||
			 what->right != (float)what->full_width_px;
	pass->upright = what->full_height_px != view->height_px || what->top != 0 ||
			what->bottom != (float)what->full_height_px;
	pass->line_bytes = (size_t)what->width_px * pass->channels;
	pass->x_px = pass->sideways ? 0 : what->x_px;

	if (pass->sideways &&
	    wan_taps_create(&pass->x, view->width_px, what->left, what->right, what->full_width_px,
			    what->x_px, what->width_px, what->filter) < 0)
		return -ENOMEM;
	if (pass->upright &&
	    wan_taps_create(&pass->y, view->height_px, what->top, what->bottom,
			    what->full_height_px, what->y_px, what->height_px, what->filter) < 0)
		return -ENOMEM;
	pass->ring_lines = pass->upright ? WAN_MIN(pass->y.most, view->height_px) : 1;
	pass->padded = wan_calloc(1, in_bytes + WAN_LINE_PADDING);
	pass->ring = wan_realloc_array(NULL, pass->ring_lines, pass->line_bytes);
	pass->lines = wan_calloc(pass->ring_lines, sizeof(*pass->lines));
	return pass->padded && pass->ring && pass->lines ? 0 : -ENOMEM;
}

/* Source line y, sideways resampled, to out. */
static void make_line(struct pass *pass, uint32_t y, uint8_t *out)
{
	const uint8_t *in = wan_image_row(pass->image, y);
	uint32_t width = pass->image->view.width_px;
	size_t in_bytes = (size_t)width * pass->channels;

	if (pass->alpha)
		premultiply(in, pass->padded, width, pass->channels);
	else if (pass->sideways)
		memcpy(pass->padded, in, in_bytes);
	if (pass->sideways)
		wan_resample_line(&pass->x, pass->padded, out, pass->channels);
	else
		memcpy(out, (pass->alpha ? pass->padded : in) + (size_t)pass->x_px * pass->channels,
		       pass->line_bytes);
}

static uint8_t *ring_line(const struct pass *pass, uint32_t y)
{
	return pass->ring + (size_t)(y % pass->ring_lines) * pass->line_bytes;
}

static void make_upright(struct pass *pass, uint32_t index, uint8_t *out)
{
	struct wan_tap_span span = pass->y.spans[index];
	if (pass->next_line < span.first)
		pass->next_line = span.first;
	for (; pass->next_line < span.first + span.count; pass->next_line++)
		make_line(pass, pass->next_line, ring_line(pass, pass->next_line));
	for (uint32_t k = 0; k < span.count; k++)
		pass->lines[k] = ring_line(pass, span.first + k);
	wan_resample_column(&pass->y, index, pass->lines, out, pass->line_bytes);
}

int wan_resample(const struct wan_image *image, const struct wan_resample *what,
		 struct wan_image *out, uint32_t at_x_px, uint32_t at_y_px)
{
	unsigned channels = image->view.channels;
	struct pass pass = {.image = image, .channels = channels};
	int error = prepare(&pass, what);

	/* Without any change Pillow copies: no rounding by way of alpha then. */
	pass.alpha = wan_pixel_has_alpha(image->view.format) && (pass.sideways || pass.upright);
	for (uint32_t y = 0; error == 0 && y < what->height_px; y++) {
		uint8_t *to = wan_image_row(out, at_y_px + y) + (size_t)at_x_px * channels;
		if (pass.upright)
			make_upright(&pass, y, to);
		else
			make_line(&pass, what->y_px + y, to);
		if (pass.alpha)
			unpremultiply(to, what->width_px, channels);
	}
	wan_taps_destroy(&pass.x);
	wan_taps_destroy(&pass.y);
	wan_free(pass.padded);
	wan_free(pass.ring);
	wan_free(pass.lines);
	return error;
}

int wan_resample_source(const struct wan_image *image, struct wan_image **ret_image)
{
	static const enum wan_pixel_format narrowed[] = {
		[WAN_PIXEL_GRAY16] = WAN_PIXEL_GRAY8,
		[WAN_PIXEL_GRAYA16] = WAN_PIXEL_GRAYA8,
		[WAN_PIXEL_RGB16] = WAN_PIXEL_RGB8,
		[WAN_PIXEL_RGBA16] = WAN_PIXEL_RGBA8,
	};
	enum wan_pixel_format format = image->view.format;
	if (wan_pixel_sample_bytes(format) == 1) {
		*ret_image = wan_image_ref((struct wan_image *)image);
		return 0;
	}
	if (wan_pixel_sample_bytes(format) != 2)
		return -EINVAL;
	return wan_image_convert(image, narrowed[format], WAN_ALPHA_KEEP, ret_image);
}

int wan_image_resize(const struct wan_image *image, uint32_t width_px, uint32_t height_px,
		     enum wan_filter filter, struct wan_image **ret_image)
{
	if (!image || !ret_image || width_px == 0 || height_px == 0 ||
	    (unsigned)filter > WAN_FILTER_BOX)
		return -EINVAL;

	wan_cleanup(wan_image_unrefp) struct wan_image *source = NULL;
	wan_cleanup(wan_image_unrefp) struct wan_image *made = NULL;
	int error = wan_resample_source(image, &source);
	if (error < 0)
		return error;
	if (source->view.width_px == width_px && source->view.height_px == height_px) {
		*ret_image = wan_image_ref(source);
		return 0;
	}
	error = wan_image_create(source->view.format, width_px, height_px, &made);
	if (error < 0)
		return error;
	struct wan_resample what = wan_resample_whole(source, width_px, height_px, filter);
	error = wan_resample(source, &what, made, 0, 0);
	if (error < 0)
		return error;
	*ret_image = made;
	made = NULL;
	return 0;
}

int wan_image_crop(const struct wan_image *image, uint32_t x_px, uint32_t y_px, uint32_t width_px,
		   uint32_t height_px, struct wan_image **ret_image)
{
	if (!image || !ret_image || width_px == 0 || height_px == 0 ||
	    image->view.format == WAN_PIXEL_RGBF32_PLANAR || x_px > image->view.width_px ||
	    y_px > image->view.height_px || width_px > image->view.width_px - x_px ||
	    height_px > image->view.height_px - y_px)
		return -EINVAL;

	struct wan_image *made;
	int error = wan_image_create(image->view.format, width_px, height_px, &made);
	if (error < 0)
		return error;
	size_t pixel = made->view.stride_bytes / width_px;
	for (uint32_t y = 0; y < height_px; y++)
		memcpy(wan_image_row(made, y), wan_image_row(image, y_px + y) + x_px * pixel,
		       made->view.stride_bytes);
	*ret_image = made;
	return 0;
}
