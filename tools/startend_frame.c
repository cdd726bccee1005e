/* SPDX-License-Identifier: MIT */
/* How wan-startend frames a picture: as --pipeline or as --fit has it. Pure. */
#include <math.h>

#include "startend.h"

bool startend_turns(const struct startend_options *options)
{
	if (options->upright != WAN_UPRIGHT_AS_PIPELINE || !options->has_pipeline)
		return options->upright != WAN_UPRIGHT_NEVER;
	return wan_pipeline_info(options->pipeline)->turns_upright;
}

static struct wan_size size_of(const struct startend_options *options,
			       const struct wan_image_info *info)
{
	bool turned = startend_turns(options) && info->exif_orientation >= 5;
	return turned ? (struct wan_size){info->height_px, info->width_px}
		      : (struct wan_size){info->width_px, info->height_px};
}

/* As wan_image_fit(): cover rounds half to even, contain down. */
static void scale(struct wan_framing *f, enum wan_fit fit)
{
	double x = (double)f->output.width_px / f->source.width_px;
	double y = (double)f->output.height_px / f->source.height_px;
	double by = fit == WAN_FIT_COVER ? fmax(x, y) : fmin(x, y);
	double width = fmin(f->source.width_px * by, UINT32_MAX);
	double height = fmin(f->source.height_px * by, UINT32_MAX);
	if (fit == WAN_FIT_COVER) {
		f->scaled.width_px = (uint32_t)fmax(nearbyint(width), f->output.width_px);
		f->scaled.height_px = (uint32_t)fmax(nearbyint(height), f->output.height_px);
	} else if (x <= y) {
		uint64_t exact = (uint64_t)f->output.width_px * f->source.height_px;
		f->scaled.height_px = (uint32_t)fmax((double)(exact / f->source.width_px), 1);
	} else {
		uint64_t exact = (uint64_t)f->output.height_px * f->source.width_px;
		f->scaled.width_px = (uint32_t)fmax((double)(exact / f->source.height_px), 1);
	}
}

static struct wan_framing fitted(const struct startend_options *options, struct wan_size source)
{
	struct wan_size output = {options->width_px, options->height_px};
	struct wan_framing f = {.source = source,
				.output = output,
				.crop = {0, 0, source.width_px, source.height_px},
				.scaled = output,
				.filter = options->filter};
	if (options->fit != WAN_FIT_STRETCH)
		scale(&f, options->fit);
	if (options->fit == WAN_FIT_CONTAIN) {
		f.window = (struct wan_rect){0, 0, f.scaled.width_px, f.scaled.height_px};
		f.place_x_px = (output.width_px - f.scaled.width_px) / 2;
		f.place_y_px = (output.height_px - f.scaled.height_px) / 2;
	} else {
		f.window = (struct wan_rect){(f.scaled.width_px - output.width_px) / 2,
					     (f.scaled.height_px - output.height_px) / 2,
					     output.width_px, output.height_px};
	}
	return f;
}

int startend_framing(const struct startend_options *options, const struct wan_image_info *info,
		     const struct wan_framing *start, struct wan_framing *ret_framing)
{
	struct wan_size source = size_of(options, info);
	if (!options->has_pipeline) {
		*ret_framing = fitted(options, source);
		return 0;
	}
	struct wan_size target = {options->width_px, options->height_px};
	if (!target.width_px)
		target = wan_pipeline_info(options->pipeline)->usual;
	return start ? wan_frame_end(options->pipeline, source, start->output, ret_framing)
		     : wan_frame(options->pipeline, source, target, ret_framing);
}

uint64_t startend_pair_bytes(const struct startend_options *options)
{
	struct wan_size size = {options->width_px, options->height_px};
	if (!size.width_px && options->has_pipeline)
		size = wan_pipeline_info(options->pipeline)->usual;
	uint64_t frame = (uint64_t)size.width_px * size.height_px * 3;
	uint64_t thumbnail = (uint64_t)options->thumbnail_px * options->thumbnail_px * 3;
	return 2 * (frame + frame * sizeof(float) + thumbnail);
}
