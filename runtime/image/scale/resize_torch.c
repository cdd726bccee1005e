/* SPDX-License-Identifier: MIT */
/*
 * What torch.nn.functional.interpolate(align_corners=False, antialias=False) computes: two or four
 * source samples in each direction however much smaller the result is, the scale rounded to float32
 * (which for large images is what decides), edges repeated, bicubic with a = -0.75 and not clamped.
 * Source rows are resampled sideways once into a ring of four.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "buffer.h"
#include "cleanup.h"
#include "macros.h"
#include "normalise.h"
#include "resize_torch.h"

enum { TAPS = 4, CHANNELS = 3 };

/* Where one output sample comes from. */
struct mix {
	uint32_t at[TAPS];
	float weight[TAPS];
};

static float near(float x, float a)
{
	return ((a + 2.0f) * x - (a + 3.0f)) * x * x + 1.0f;
}

static float far(float x, float a)
{
	return ((a * x - 5.0f * a) * x + 8.0f * a) * x - 4.0f * a;
}

static uint32_t inside(int64_t at, uint32_t in)
{
	return (uint32_t)WAN_CLAMP(at, 0, (int64_t)in - 1);
}

static struct mix bicubic(double source, uint32_t in)
{
	const float a = -0.75f;
	double whole = floor(source);
	float part = (float)(source - whole);
	struct mix mix = {.weight = {far(part + 1.0f, a), near(part, a), near(1.0f - part, a),
				     far(2.0f - part, a)}};
	for (int k = 0; k < TAPS; k++)
		mix.at[k] = inside((int64_t)whole + k - 1, in);
	return mix;
}

static struct mix bilinear(double source, uint32_t in)
{
	source = fmax(source, 0.0);
	uint32_t first = inside((int64_t)source, in);
	float part = fminf((float)(source - first), 1.0f);
	return (struct mix){.at = {first, inside((int64_t)first + 1, in), first, first},
			    .weight = {1.0f - part, part}};
}

static struct mix *mixes(uint32_t in, uint32_t out, enum wan_filter filter)
{
	struct mix *made = wan_realloc_array(NULL, out, sizeof(*made));
	float scale = (float)in / (float)out;
	for (uint32_t i = 0; made && i < out; i++) {
		double source = (double)scale * ((double)i + 0.5) - 0.5;
		made[i] = filter == WAN_FILTER_TORCH_BICUBIC ? bicubic(source, in)
							     : bilinear(source, in);
	}
	return made;
}

struct torch {
	const struct wan_image *image;
	uint32_t width_px; /* of the result */
	unsigned taps;     /* 2 or 4 */
	struct mix *x, *y;
	float *source;       /* one source row, a channel after the other */
	float *ring;         /* TAPS rows of the result's width, likewise */
	uint64_t held[TAPS]; /* number + 1 of the source row in each; 0: none */
	float *row;          /* one result row, likewise */
};

static void read_row(const struct torch *t, uint32_t y)
{
	const struct wan_image_view *view = &t->image->view;
	size_t width = view->width_px;
	if (view->format == WAN_PIXEL_RGB8) {
		wan_normalise_rows(wan_image_row(t->image, y), width, t->source, t->source + width,
				   t->source + 2 * width);
		return;
	}
	const float *planes = view->pixels;
	for (size_t c = 0; c < CHANNELS; c++)
		memcpy(t->source + c * width, planes + (c * view->height_px + y) * width,
		       width * sizeof(*planes));
}

/* Source row y at the result's width. Four rows that are used together are neighbours. */
static const float *line(struct torch *t, uint32_t y)
{
	size_t width = t->width_px, in_width = t->image->view.width_px;
	float *to = t->ring + y % TAPS * CHANNELS * width;
	if (t->held[y % TAPS] == (uint64_t)y + 1)
		return to;
	t->held[y % TAPS] = (uint64_t)y + 1;
	read_row(t, y);
	for (size_t c = 0; c < CHANNELS; c++) {
		const float *from = t->source + c * in_width;
		for (size_t x = 0; x < width; x++) {
			const struct mix *mix = &t->x[x];
			float sum = from[mix->at[0]] * mix->weight[0];
			for (unsigned k = 1; k < t->taps; k++)
				sum += from[mix->at[k]] * mix->weight[k];
			to[c * width + x] = sum;
		}
	}
	return to;
}

static void make_row(struct torch *t, uint32_t y, float *to)
{
	const struct mix *mix = &t->y[y];
	size_t samples = (size_t)t->width_px * CHANNELS;
	for (unsigned k = 0; k < t->taps; k++) {
		const float *from = line(t, mix->at[k]);
		float weight = mix->weight[k];
		for (size_t i = 0; i < samples; i++)
			to[i] = k == 0 ? from[i] * weight : to[i] + from[i] * weight;
	}
}

static void write_row(const struct torch *t, struct wan_image *out, uint32_t y)
{
	size_t width = t->width_px;
	if (out->view.format == WAN_PIXEL_RGB8) {
		uint8_t *to = wan_image_row(out, y);
		for (size_t x = 0; x < width; x++)
			for (size_t c = 0; c < CHANNELS; c++)
				*to++ = wan_denormalise(t->row[c * width + x]);
		return;
	}
	float *planes = out->pixels;
	for (size_t c = 0; c < CHANNELS; c++)
		memcpy(planes + (c * out->view.height_px + y) * width, t->row + c * width,
		       width * sizeof(*planes));
}

static int begin(struct torch *t, uint32_t height_px, enum wan_filter filter)
{
	size_t out_row = (size_t)t->width_px * CHANNELS * sizeof(float);
	t->x = mixes(t->image->view.width_px, t->width_px, filter);
	t->y = mixes(t->image->view.height_px, height_px, filter);
	t->source = wan_realloc_array(NULL, t->image->view.width_px, CHANNELS * sizeof(float));
	t->ring = wan_realloc_array(NULL, TAPS, out_row);
	t->row = wan_realloc_array(NULL, 1, out_row);
	return t->x && t->y && t->source && t->ring && t->row ? 0 : -ENOMEM;
}

int wan_resize_torch(const struct wan_image *image, uint32_t width_px, uint32_t height_px,
		     enum wan_filter filter, enum wan_pixel_format want,
		     struct wan_image **ret_image)
{
	struct torch torch = {.image = image,
			      .width_px = width_px,
			      .taps = filter == WAN_FILTER_TORCH_BICUBIC ? 4 : 2};
	struct wan_image *made = NULL;
	int error = wan_image_create(want, width_px, height_px, &made);
	if (error == 0)
		error = begin(&torch, height_px, filter);
	for (uint32_t y = 0; error == 0 && y < height_px; y++) {
		make_row(&torch, y, torch.row);
		write_row(&torch, made, y);
	}
	wan_free(torch.x);
	wan_free(torch.y);
	wan_free(torch.source);
	wan_free(torch.ring);
	wan_free(torch.row);
	if (error < 0) {
		wan_image_unref(made);
		return error;
	}
	*ret_image = made;
	return 0;
}

int wan_image_resize_float(const struct wan_image *image, uint32_t width_px, uint32_t height_px,
			   enum wan_filter filter, struct wan_image **ret_image)
{
	if (!image || !ret_image || width_px == 0 || height_px == 0 ||
	    (unsigned)filter > WAN_FILTER_TORCH_BILINEAR)
		return -EINVAL;

	wan_cleanup(wan_image_unrefp) struct wan_image *source = NULL;
	wan_cleanup(wan_image_unrefp) struct wan_image *resized = NULL;
	enum wan_pixel_format format = image->view.format;
	bool floats = wan_pixel_is_planar(format);
	if (floats && !wan_filter_is_torch(filter))
		return -EINVAL;
	int error = wan_image_convert(image,
				      format == WAN_PIXEL_RGBF32_PLANAR ? format : WAN_PIXEL_RGB8,
				      WAN_ALPHA_DROP, &source);
	if (error < 0)
		return error;
	if (wan_filter_is_torch(filter))
		return wan_resize_torch(source, width_px, height_px, filter,
					WAN_PIXEL_RGBF32_PLANAR, ret_image);
	error = wan_image_resize(source, width_px, height_px, filter, &resized);
	return error < 0 ? error : wan_image_normalise(resized, ret_image);
}
