/* SPDX-License-Identifier: MIT */
/*
 * How each pipeline frames an image. Computed in doubles and in the order of the original, because
 * a side at the edge of a step goes one way or the other by the last bit. Pure.
 */
#include <errno.h>
#include <math.h>

#include "geometry.h"
#include "macros.h"

/* More than this apart, two framings show their images differently. */
#define DIFFER_PCT 5.0

static struct wan_rect whole(struct wan_size size)
{
	return (struct wan_rect){0, 0, size.width_px, size.height_px};
}

/* What follows from the steps. */
static void conclude(struct wan_framing *f)
{
	double scale_x = (double)f->scaled.width_px / f->crop.width_px;
	double scale_y = (double)f->scaled.height_px / f->crop.height_px;
	f->scale_x = scale_x;
	f->scale_y = scale_y;
	f->seen_x_px = f->crop.x_px + f->window.x_px / scale_x;
	f->seen_y_px = f->crop.y_px + f->window.y_px / scale_y;
	f->seen_width_px = f->window.width_px / scale_x;
	f->seen_height_px = f->window.height_px / scale_y;
	f->squeeze_pct = (scale_x / scale_y - 1) * 100;
	double area = (double)f->source.width_px * f->source.height_px;
	double frame = (double)f->output.width_px * f->output.height_px;
	f->lost_pct = fmax(0, (1 - f->seen_width_px * f->seen_height_px / area) * 100);
	f->padded_pct =
		fmax(0, (1 - (double)f->window.width_px * f->window.height_px / frame) * 100);
	/* Rounding of the reciprocals must not make a whole image lose something. */
	if (f->window.width_px == f->scaled.width_px &&
	    f->window.height_px == f->scaled.height_px && f->crop.width_px == f->source.width_px &&
	    f->crop.height_px == f->source.height_px)
		f->lost_pct = 0;
}

/* The crop is brought to the output, whatever its ratio. */
static int stretch(struct wan_framing *f)
{
	f->scaled = f->output;
	f->window = whole(f->output);
	return f->crop.width_px && f->crop.height_px ? 0 : -ERANGE;
}

/* Scaled until it covers, sides rounded half to even, then the centre. */
static int cover(struct wan_framing *f)
{
	f->scaled = wan_size_cover(f->source.width_px, f->source.height_px, f->output.width_px,
				   f->output.height_px);
	f->window = (struct wan_rect){(f->scaled.width_px - f->output.width_px) / 2,
				      (f->scaled.height_px - f->output.height_px) / 2,
				      f->output.width_px, f->output.height_px};
	return 0;
}

/* One axis of a centre crop that borders what is too small. */
static void centre(uint32_t scaled, uint32_t output, uint32_t *ret_window, uint32_t *ret_length,
		   uint32_t *ret_place)
{
	*ret_window = scaled > output ? (uint32_t)nearbyint((scaled - output) / 2.0) : 0;
	*ret_length = WAN_MIN(scaled, output);
	*ret_place = scaled < output ? (output - scaled) / 2 : 0;
}

/* The shorter side becomes the shorter side of the output, then the centre. */
static int short_side(struct wan_framing *f)
{
	double w = f->source.width_px, h = f->source.height_px;
	uint32_t side = WAN_MIN(f->output.width_px, f->output.height_px);
	double longer = floor(side * fmax(w, h) / fmin(w, h));
	if (longer > UINT32_MAX)
		return -ERANGE;
	f->scaled = w <= h ? (struct wan_size){side, (uint32_t)longer}
			   : (struct wan_size){(uint32_t)longer, side};
	centre(f->scaled.width_px, f->output.width_px, &f->window.x_px, &f->window.width_px,
	       &f->place_x_px);
	centre(f->scaled.height_px, f->output.height_px, &f->window.y_px, &f->window.height_px,
	       &f->place_y_px);
	return 0;
}

static int letterbox(struct wan_framing *f)
{
	double w = f->source.width_px, h = f->source.height_px;
	double width = f->output.width_px, height = f->output.height_px;
	f->scaled = f->output;
	if (h / w > height / width)
		f->scaled.width_px = (uint32_t)(height / h * w);
	else
		f->scaled.height_px = (uint32_t)(width / w * h);
	f->window = whole(f->scaled);
	f->place_x_px = (f->output.width_px - f->scaled.width_px) / 2;
	f->place_y_px = (f->output.height_px - f->scaled.height_px) / 2;
	return f->scaled.width_px && f->scaled.height_px ? 0 : -ERANGE;
}

/* Cut to the ratio of the output, then brought to it. */
static int cut_then_scale(struct wan_framing *f)
{
	uint32_t w = f->source.width_px, h = f->source.height_px;
	double ratio = (double)f->output.width_px / f->output.height_px;
	if ((double)w / h > ratio) {
		f->crop.width_px = (uint32_t)(h * ratio);
		f->crop.x_px = (w - f->crop.width_px) / 2;
	} else {
		/* rounding may ask for one row more than there are */
		f->crop.height_px = (uint32_t)fmin(w / ratio, h);
		f->crop.y_px = (h - f->crop.height_px) / 2;
	}
	return stretch(f);
}

static int comfyui(struct wan_framing *f)
{
	int error = wan_comfyui_crop(f->source, f->output, &f->crop);
	return error < 0 ? error : stretch(f);
}

static int frame(enum wan_pipeline pipeline, struct wan_size source, struct wan_size output,
		 struct wan_framing *ret_framing)
{
	const struct wan_pipeline_info *info = wan_pipeline_info(pipeline);
	struct wan_framing made = {.pipeline = pipeline,
				   .source = source,
				   .output = output,
				   .crop = whole(source),
				   .filter = info->filter,
				   .range = info->range};
	int error;
	switch (pipeline) {
	case WAN_PIPELINE_TI2V:
		error = cover(&made);
		break;
	case WAN_PIPELINE_COMFYUI:
		error = comfyui(&made);
		break;
	case WAN_PIPELINE_WAN2GP_CROP:
		error = cut_then_scale(&made);
		break;
	case WAN_PIPELINE_S2V:
		error = short_side(&made);
		break;
	case WAN_PIPELINE_ANIMATE:
		error = letterbox(&made);
		break;
	default:
		error = stretch(&made);
	}
	if (error < 0)
		return error;
	conclude(&made);
	*ret_framing = made;
	return 0;
}

int wan_frame(enum wan_pipeline pipeline, struct wan_size source, struct wan_size target,
	      struct wan_framing *ret_framing)
{
	struct wan_size output;
	if (!ret_framing)
		return -EINVAL;
	int error = wan_output_size(pipeline, source, target, &output);
	return error < 0 ? error : frame(pipeline, source, output, ret_framing);
}

int wan_frame_end(enum wan_pipeline pipeline, struct wan_size source, struct wan_size output,
		  struct wan_framing *ret_framing)
{
	const struct wan_pipeline_info *info = wan_pipeline_info(pipeline);
	if (!info || !ret_framing || !source.width_px || !source.height_px || !output.width_px ||
	    !output.height_px)
		return -EINVAL;
	if (!info->takes_end)
		return -EOPNOTSUPP;
	return frame(pipeline, source, output, ret_framing);
}

int wan_frame_documented_last(struct wan_size source, struct wan_size output,
			      struct wan_framing *ret_framing)
{
	double w = source.width_px, h = source.height_px;
	if (!ret_framing || w == 0 || h == 0 || output.width_px == 0 || output.height_px == 0)
		return -EINVAL;
	struct wan_framing f = {.pipeline = WAN_PIPELINE_DIFFUSERS,
				.source = source,
				.output = output,
				.filter = WAN_FILTER_LANCZOS};
	if (source.width_px == output.width_px && source.height_px == output.height_px) {
		f.crop = whole(source);
		(void)stretch(&f);
		conclude(&f);
		*ret_framing = f;
		return 0;
	}
	/* The size that would cover, then used as (height, width) of a crop of the unscaled image.
	 */
	double ratio = fmax(output.width_px / w, output.height_px / h);
	double cut_height = nearbyint(w * ratio), cut_width = nearbyint(h * ratio);
	if (cut_height > UINT32_MAX || cut_width > UINT32_MAX)
		return -ERANGE;
	uint32_t place_x, place_y;
	centre(source.width_px, (uint32_t)cut_width, &f.crop.x_px, &f.crop.width_px, &place_x);
	centre(source.height_px, (uint32_t)cut_height, &f.crop.y_px, &f.crop.height_px, &place_y);
	double scale_x = output.width_px / cut_width, scale_y = output.height_px / cut_height;
	f.scaled = (struct wan_size){(uint32_t)fmax(nearbyint(f.crop.width_px * scale_x), 1),
				     (uint32_t)fmax(nearbyint(f.crop.height_px * scale_y), 1)};
	f.window = whole(f.scaled);
	f.place_x_px = (uint32_t)nearbyint(place_x * scale_x);
	f.place_y_px = (uint32_t)nearbyint(place_y * scale_y);
	conclude(&f);
	/* What was rounded above, exactly. */
	f.scale_x = scale_x;
	f.scale_y = scale_y;
	f.squeeze_pct = (scale_x / scale_y - 1) * 100;
	f.padded_pct =
		(1 - (double)f.crop.width_px * f.crop.height_px / (cut_width * cut_height)) * 100;
	*ret_framing = f;
	return 0;
}

bool wan_framings_differ(const struct wan_framing *a, const struct wan_framing *b)
{
	double wider = (100 + a->squeeze_pct) / (100 + b->squeeze_pct);
	if (fmax(wider, 1 / wider) > 1 + DIFFER_PCT / 100)
		return true;
	double width_a = a->seen_width_px / a->source.width_px;
	double width_b = b->seen_width_px / b->source.width_px;
	double height_a = a->seen_height_px / a->source.height_px;
	double height_b = b->seen_height_px / b->source.height_px;
	return fabs(width_a - width_b) > DIFFER_PCT / 100 ||
	       fabs(height_a - height_b) > DIFFER_PCT / 100 ||
	       fabs(a->padded_pct - b->padded_pct) > DIFFER_PCT;
}
