/* SPDX-License-Identifier: MIT */
/* The sizes at which a pipeline shows an image as it is. Pure. */
#include <errno.h>
#include <math.h>

#include "geometry.h"
#include "macros.h"

/* A size whose area is a quarter off is as far away as one whose ratio is 1/16 off. */
#define AREA_WEIGHT 0.25
#define SIDE_MOST   16384u
/* Beside the width that has target's area, so many steps are tried each way. */
#define STEPS_ASIDE 3

struct search {
	enum wan_pipeline pipeline;
	const struct wan_pipeline_info *info;
	struct wan_size source, target, best;
	double score;
};

/* An image (or frame) of that size stays as it is. */
static bool fits(const struct search *search, struct wan_size size)
{
	struct wan_framing f;
	struct wan_size target = search->info->chooses_size ? search->target : size;
	return wan_frame(search->pipeline, size, target, &f) == 0 &&
	       f.output.width_px == size.width_px && f.output.height_px == size.height_px;
}

static void try_size(struct search *search, int64_t width, int64_t height)
{
	if (width <= 0 || height <= 0 || width > SIDE_MOST || height > SIDE_MOST)
		return;
	double ratio = (double)search->source.width_px / search->source.height_px;
	double area = (double)search->target.width_px * search->target.height_px;
	double w = (double)width, h = (double)height;
	double score = fabs(log(w / h / ratio)) + AREA_WEIGHT * fabs(log(w * h / area));
	struct wan_size size = {(uint32_t)width, (uint32_t)height};
	if (score >= search->score || !fits(search, size))
		return;
	search->score = score;
	search->best = size;
}

static void try_row(struct search *search, uint32_t height)
{
	int64_t step = search->info->step_px;
	double area = (double)search->target.width_px * search->target.height_px;
	int64_t middle = (int64_t)fmin(area / height, 2 * SIDE_MOST) / step * step;
	for (int64_t aside = -STEPS_ASIDE; aside <= STEPS_ASIDE; aside++)
		try_size(search, middle + aside * step, height);
	try_size(search, search->target.width_px / step * step, height);
	try_size(search, search->target.height_px / step * step, height);
}

int wan_unsqueezed_size(enum wan_pipeline pipeline, struct wan_size source, struct wan_size target,
			struct wan_size *ret_size)
{
	const struct wan_pipeline_info *info = wan_pipeline_info(pipeline);
	if (!info || !ret_size || !source.width_px || !source.height_px || !target.width_px ||
	    !target.height_px)
		return -EINVAL;
	struct search search = {.pipeline = pipeline,
				.info = info,
				.source = source,
				.target = target,
				.score = INFINITY};
	for (uint32_t height = info->step_px; height <= SIDE_MOST; height += info->step_px)
		try_row(&search, height);
	/* Those that keep a side of the target, whatever the other. */
	uint32_t heights[] = {target.height_px, target.width_px};
	for (size_t i = 0; i < WAN_COUNT_OF(heights); i++)
		for (uint32_t width = info->step_px; width <= SIDE_MOST; width += info->step_px)
			try_size(&search, width, heights[i] / info->step_px * info->step_px);
	if (isinf(search.score))
		return -ERANGE;
	*ret_size = search.best;
	return 0;
}
