/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>

#include "geometry.h"
#include "macros.h"

/* Multiple of step below value, in doubles as the pipelines compute it: where they say ** 0.5 it is
 * pow(), where they say sqrt() it is sqrt(), which may differ in the last bit. */
static double floor_to(double value, double step)
{
	return floor(value / step) * step;
}

static uint32_t side(double value)
{
	return value >= 1 && value <= 4294967295.0 ? (uint32_t)value : 0;
}

/* The one of floor(number) and ceil(number) whose ratio is nearer; the floor when equal. */
static uint32_t thumbnail_side(double number, double aspect, double other, bool is_width)
{
	double low = floor(number), high = ceil(number);
	double low_error = is_width   ? fabs(aspect - low / other)
			   : low == 0 ? 0
				      : fabs(aspect - other / low);
	double high_error = is_width    ? fabs(aspect - high / other)
			    : high == 0 ? 0
					: fabs(aspect - other / high);
	double best = high_error < low_error ? high : low;
	return best < 1 ? 1 : (uint32_t)best;
}

struct wan_size wan_size_thumbnail(uint32_t width_px, uint32_t height_px, uint32_t max_width_px,
				   uint32_t max_height_px)
{
	struct wan_size size = {width_px, height_px};
	double x = max_width_px, y = max_height_px;
	double aspect = (double)width_px / height_px;

	if (max_width_px >= width_px && max_height_px >= height_px)
		return size;
	size = (struct wan_size){max_width_px, max_height_px};
	if (x / y >= aspect)
		size.width_px = thumbnail_side(y * aspect, aspect, y, true);
	else
		size.height_px = thumbnail_side(x / aspect, aspect, x, false);
	return size;
}

struct wan_size wan_size_cover(uint32_t width_px, uint32_t height_px, uint32_t to_width_px,
			       uint32_t to_height_px)
{
	double scale = fmax((double)to_width_px / width_px, (double)to_height_px / height_px);
	double width = nearbyint(width_px * scale), height = nearbyint(height_px * scale);
	return (struct wan_size){
		WAN_MAX(side(fmin(width, 4294967295.0)), to_width_px),
		WAN_MAX(side(fmin(height, 4294967295.0)), to_height_px),
	};
}

struct wan_size wan_size_contain(uint32_t width_px, uint32_t height_px, uint32_t to_width_px,
				 uint32_t to_height_px)
{
	uint64_t by_width = (uint64_t)to_width_px * height_px;
	uint64_t by_height = (uint64_t)to_height_px * width_px;
	struct wan_size size = {to_width_px, to_height_px};
	if (by_width <= by_height)
		size.height_px = (uint32_t)WAN_MAX(by_width / width_px, (uint64_t)1);
	else
		size.width_px = (uint32_t)WAN_MAX(by_height / height_px, (uint64_t)1);
	return size;
}

/* The official image-to-video code: latent cells of 8 pixels, in patches of 2. */
static struct wan_size a14b(double w, double h, double area)
{
	double aspect = h / w;
	double height = floor_to(floor(sqrt(area * aspect) / 8), 2) * 8;
	double width = floor_to(floor(sqrt(area / aspect) / 8), 2) * 8;
	return (struct wan_size){side(width), side(height)};
}

/* The official text-image-to-video code: the nearer of width first and height first. */
static struct wan_size ti2v(double w, double h, double area)
{
	const double step = 32;
	double ratio = w / h, ow = pow(area * ratio, 0.5), oh = area / ow;
	double ow1 = floor_to(ow, step), oh1 = floor_to(area / ow1, step);
	double oh2 = floor_to(oh, step), ow2 = floor_to(area / oh2, step);
	if (ow1 == 0 || oh1 == 0 || ow2 == 0 || oh2 == 0)
		return (struct wan_size){0, 0}; /* the original divides by zero */
	double ratio1 = ow1 / oh1, ratio2 = ow2 / oh2;
	bool width_first =
		fmax(ratio / ratio1, ratio1 / ratio) < fmax(ratio / ratio2, ratio2 / ratio);
	return width_first ? (struct wan_size){side(ow1), side(oh1)}
			   : (struct wan_size){side(ow2), side(oh2)};
}

static struct wan_size diffusers(double w, double h, double area, double step)
{
	double aspect = h / w;
	return (struct wan_size){side(floor_to(nearbyint(sqrt(area / aspect)), step)),
				 side(floor_to(nearbyint(sqrt(area * aspect)), step))};
}

/* What was asked for comes down to the steps before anything is computed of it. */
static struct wan_size wan2gp(double w, double h, struct wan_size target, bool fit_inside)
{
	double to_w = floor_to(target.width_px, 16), to_h = floor_to(target.height_px, 16);
	double scale = fit_inside ? fmax(fmin(to_h / h, to_w / w), fmin(to_w / h, to_h / w))
				  : pow(to_w * to_h / (w * h), 0.5);
	return (struct wan_size){side(nearbyint(w * scale / 16) * 16),
				 side(nearbyint(h * scale / 16) * 16)};
}

/* A side scaled down and rounded up to steps of 64. */
static uint32_t padded_side(uint32_t px, double scale)
{
	double scaled = floor(px * scale);
	return scaled <= UINT32_MAX - 64 ? ((uint32_t)scaled + 63) / 64 * 64 : 0;
}

/*
 * The official speech-to-video code: the largest of a hundred scales at which the sides, rounded up
 * to 64, stay within the area. An image within the area is not enlarged.
 */
static struct wan_size s2v(uint32_t w, uint32_t h, double area)
{
	const double step = 64, d = step - 1;
	double pixels = (double)w * h, most = 1, least = 0.1;
	if (pixels > area) {
		double b = d * ((double)w + h), c = d * d - area;
		most = sqrt(area / pixels);
		least = (-b + sqrt(b * b - 2 * pixels * c)) / (2 * pixels);
	}
	for (int i = 0; i < 100; i++) {
		double scale = most - (most - least) * i / 100;
		struct wan_size size = {padded_side(w, scale), padded_side(h, scale)};
		if ((double)size.width_px * size.height_px <= area)
			return size;
	}
	double ratio = (double)w / h;
	struct wan_size size = {side(floor_to(pow(area * ratio, 0.5), step)),
				side(floor_to(pow(area / ratio, 0.5), step))};
	if (size.width_px >= w || size.height_px >= h)
		size = (struct wan_size){w / 64 * 64, h / 64 * 64};
	return size;
}

/* Exactly what was asked for, as far as the pipeline's steps allow. */
static struct wan_size exact(struct wan_size target, uint32_t step)
{
	return (struct wan_size){target.width_px / step * step, target.height_px / step * step};
}

int wan_output_size(enum wan_pipeline pipeline, struct wan_size source, struct wan_size target,
		    struct wan_size *ret_size)
{
	double w = source.width_px, h = source.height_px;
	double area = (double)target.width_px * target.height_px;
	struct wan_size size;

	if (!ret_size || w == 0 || h == 0 || area == 0)
		return -EINVAL;
	switch (pipeline) {
	case WAN_PIPELINE_A14B:
		size = a14b(w, h, area);
		break;
	case WAN_PIPELINE_TI2V:
		size = ti2v(w, h, area);
		break;
	case WAN_PIPELINE_DIFFUSERS:
		size = diffusers(w, h, area, 16);
		break;
	case WAN_PIPELINE_DIFFUSERS_TI2V:
		size = diffusers(w, h, area, 32);
		break;
	case WAN_PIPELINE_WAN2GP_AREA:
		size = wan2gp(w, h, target, false);
		break;
	case WAN_PIPELINE_WAN2GP_INSIDE:
		size = wan2gp(w, h, target, true);
		break;
	case WAN_PIPELINE_S2V:
		size = s2v(source.width_px, source.height_px, area);
		break;
	default:
		if (!wan_pipeline_info(pipeline))
			return -EINVAL;
		size = exact(target, wan_pipeline_info(pipeline)->step_px);
	}
	if (size.width_px == 0 || size.height_px == 0)
		return -ERANGE;
	*ret_size = size;
	return 0;
}

int wan_comfyui_crop(struct wan_size source, struct wan_size target, struct wan_rect *ret_rect)
{
	double w = source.width_px, h = source.height_px;
	if (!ret_rect || w == 0 || h == 0 || target.width_px == 0 || target.height_px == 0)
		return -EINVAL;
	double old_aspect = w / h, new_aspect = (double)target.width_px / target.height_px;
	uint32_t x = 0, y = 0;
	if (old_aspect > new_aspect)
		x = (uint32_t)nearbyint((w - w * (new_aspect / old_aspect)) / 2);
	else if (old_aspect < new_aspect)
		y = (uint32_t)nearbyint((h - h * (old_aspect / new_aspect)) / 2);
	if (2 * (uint64_t)x >= source.width_px || 2 * (uint64_t)y >= source.height_px)
		return -ERANGE;
	*ret_rect = (struct wan_rect){x, y, source.width_px - 2 * x, source.height_px - 2 * y};
	return 0;
}
