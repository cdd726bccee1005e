/* SPDX-License-Identifier: MIT */
/* Pillow's thumbnail: box means down to at least twice the size, then Lanczos. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "cleanup.h"
#include "geometry.h"
#include "macros.h"
#include "resize.h"

/* Pillow's reducing_gap: how much larger than the result the reduced image stays. */
#define REDUCING_GAP 2.0

/* 2^24 / count in the precision Pillow computes it in. */
static uint32_t reciprocal(uint32_t count)
{
	float dividend = (float)(256u * count);
	return (uint32_t)(4294967296.0f / dividend);
}

/* The sum of up to 257 lines of bytes, sample by sample, fits 16 bits: the first step down is made
 * there, eight samples at once, and only its results are widened. */
#define NARROW_LINES 257

static void sum_lines(const struct wan_image *image, uint32_t first, uint32_t lines,
		      uint16_t *narrow, uint32_t *sums, size_t samples)
{
	memset(sums, 0, samples * sizeof(*sums));
	while (lines > 0) {
		uint32_t part = WAN_MIN(lines, (uint32_t)NARROW_LINES);
		memset(narrow, 0, samples * sizeof(*narrow));
		for (uint32_t k = 0; k < part; k++) {
			const uint8_t *line = wan_image_row(image, first + k);
			for (size_t i = 0; i < samples; i++)
				narrow[i] = (uint16_t)(narrow[i] + line[i]);
		}
		for (size_t i = 0; i < samples; i++)
			sums[i] += narrow[i];
		first += part;
		lines -= part;
	}
}

static void average_boxes(const uint32_t *sums, uint8_t *out, uint32_t boxes, uint32_t columns,
			  uint32_t lines, unsigned channels)
{
	uint32_t count = columns * lines, multiplier = reciprocal(count);
	for (uint32_t x = 0; x < boxes; x++) {
		const uint32_t *from = sums + (size_t)x * columns * channels;
		for (unsigned c = 0; c < channels; c++) {
			uint32_t sum = count / 2;
			for (uint32_t k = 0; k < columns; k++)
				sum += from[k * channels + c];
			*out++ = (uint8_t)((sum * multiplier) >> 24);
		}
	}
}

/* Whole boxes, then a narrower one for the columns that are left. */
static void average_line(const uint32_t *sums, uint8_t *out, uint32_t width, uint32_t factor,
			 uint32_t lines, unsigned channels)
{
	uint32_t whole = width / factor, done = whole * factor;
	average_boxes(sums, out, whole, factor, lines, channels);
	if (done < width)
		average_boxes(sums + (size_t)done * channels, out + (size_t)whole * channels, 1,
			      width - done, lines, channels);
}

int wan_reduce(const struct wan_image *image, uint32_t x_factor, uint32_t y_factor,
	       struct wan_image **ret_image)
{
	const struct wan_image_view *view = &image->view;
	size_t samples = (size_t)view->width_px * view->channels;
	struct wan_image *made;

	wan_cleanup(wan_freep) uint32_t *sums = wan_realloc_array(NULL, samples, sizeof(*sums));
	wan_cleanup(wan_freep) uint16_t *narrow = wan_realloc_array(NULL, samples, sizeof(*narrow));
	if (!sums || !narrow)
		return -ENOMEM;
	int error = wan_image_create(view->format, (view->width_px - 1) / x_factor + 1,
				     (view->height_px - 1) / y_factor + 1, &made);
	if (error < 0)
		return error;
	for (uint32_t y = 0; y < made->view.height_px; y++) {
		uint32_t first = y * y_factor, lines = WAN_MIN(y_factor, view->height_px - first);
		sum_lines(image, first, lines, narrow, sums, samples);
		average_line(sums, wan_image_row(made, y), view->width_px, x_factor, lines,
			     view->channels);
	}
	*ret_image = made;
	return 0;
}

/* Reduced first when that is allowed and pays; *ret_box is what the thumbnail is made from. */
static int reduce_first(struct wan_image **image, struct wan_resample *what)
{
	const struct wan_image_view *view = &(*image)->view;
	uint32_t x = (uint32_t)((double)view->width_px / what->full_width_px / REDUCING_GAP);
	uint32_t y = (uint32_t)((double)view->height_px / what->full_height_px / REDUCING_GAP);
	x = WAN_MAX(x, 1u);
	y = WAN_MAX(y, 1u);
	/* Pillow does not reduce when alpha is in play; box counts must fit the 32-bit sums. */
	if ((x == 1 && y == 1) || wan_pixel_has_alpha(view->format) || (uint64_t)x * y >= 1u << 24)
		return 0;

	struct wan_image *reduced;
	what->right = (float)((double)view->width_px / x);
	what->bottom = (float)((double)view->height_px / y);
	int error = wan_reduce(*image, x, y, &reduced);
	if (error < 0)
		return error;
	wan_image_unref(*image);
	*image = reduced;
	return 0;
}

int wan_image_thumbnail(const struct wan_image *image, uint32_t max_width_px,
			uint32_t max_height_px, struct wan_image **ret_image)
{
	if (!image || !ret_image || max_width_px == 0 || max_height_px == 0)
		return -EINVAL;

	wan_cleanup(wan_image_unrefp) struct wan_image *source = NULL;
	wan_cleanup(wan_image_unrefp) struct wan_image *made = NULL;
	int error = wan_resample_source(image, &source);
	if (error < 0)
		return error;
	struct wan_size size = wan_size_thumbnail(source->view.width_px, source->view.height_px,
						  max_width_px, max_height_px);
	if (size.width_px == source->view.width_px && size.height_px == source->view.height_px) {
		*ret_image = wan_image_ref(source);
		return 0;
	}
	struct wan_resample what =
		wan_resample_whole(source, size.width_px, size.height_px, WAN_FILTER_LANCZOS);
	error = reduce_first(&source, &what);
	if (error == 0)
		error = wan_image_create(source->view.format, size.width_px, size.height_px, &made);
	if (error == 0)
		error = wan_resample(source, &what, made, 0, 0);
	if (error < 0)
		return error;
	*ret_image = made;
	made = NULL;
	return 0;
}
