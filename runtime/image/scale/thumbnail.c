/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "geometry.h"
#include "macros.h"
#include "thumbnail.h"

/* Pillow's reducing_gap: how much larger than the result the reduced image stays. */
#define REDUCING_GAP 2.0

struct wan_shrink_plan wan_shrink_plan(struct wan_size source, double width_px, double height_px,
				       struct wan_size size, bool has_alpha)
{
	uint32_t x = (uint32_t)(width_px / size.width_px / REDUCING_GAP);
	uint32_t y = (uint32_t)(height_px / size.height_px / REDUCING_GAP);
	x = WAN_MAX(x, 1u);
	y = WAN_MAX(y, 1u);
	/* Pillow does not reduce when alpha is in play; box counts must fit the 32-bit sums. */
	if (has_alpha || (uint64_t)x * y >= 1u << 24)
		x = y = 1;

	struct wan_shrink_plan plan = {.x_factor = x, .y_factor = y};
	plan.reduced =
		(struct wan_size){(source.width_px - 1) / x + 1, (source.height_px - 1) / y + 1};
	plan.what =
		wan_resample_size(plan.reduced, size.width_px, size.height_px, WAN_FILTER_LANCZOS);
	plan.what.right = (float)(width_px / x);
	plan.what.bottom = (float)(height_px / y);
	return plan;
}

int wan_shrinker_begin(struct wan_shrinker *ret_shrinker, struct wan_size source,
		       const struct wan_shrink_plan *plan, struct wan_image *out)
{
	struct wan_shrinker made = {.reduces = plan->x_factor > 1 || plan->y_factor > 1};
	int error = wan_resampler_begin(&made.resampler, plan->reduced, &plan->what, out, 0, 0);
	if (error == 0 && made.reduces)
		error = wan_reducer_begin(&made.reducer, source, out->view.channels, plan->x_factor,
					  plan->y_factor);
	if (error < 0) {
		wan_shrinker_finish(&made);
		return error;
	}
	*ret_shrinker = made;
	return 0;
}

void wan_shrinker_put(struct wan_shrinker *shrinker, const uint8_t *rows, size_t stride_bytes,
		      uint32_t count, bool padded)
{
	if (!shrinker->reduces) {
		wan_resampler_put(&shrinker->resampler, rows, stride_bytes, count, padded);
		return;
	}
	struct wan_reducer *reducer = &shrinker->reducer;
	for (uint32_t i = 0; i < count; i++, rows += stride_bytes) {
		uint32_t ready = wan_reducer_put(reducer, rows);
		if (ready > 0)
			wan_resampler_put(&shrinker->resampler, reducer->rows, reducer->row_pitch,
					  ready, true);
	}
}

void wan_shrinker_finish(struct wan_shrinker *shrinker)
{
	wan_reducer_finish(&shrinker->reducer);
	wan_resampler_finish(&shrinker->resampler);
}

uint64_t wan_shrinker_bytes(struct wan_size source, unsigned channels,
			    const struct wan_shrink_plan *plan)
{
	uint64_t bytes = wan_resampler_bytes(plan->reduced, channels, &plan->what);
	if (plan->x_factor == 1 && plan->y_factor == 1)
		return bytes;
	uint64_t sums =
		(uint64_t)source.width_px * channels * (sizeof(uint32_t) + sizeof(uint16_t));
	uint64_t rows = (uint64_t)plan->reduced.width_px * channels * WAN_LINES_AT_ONCE;
	return __builtin_add_overflow(bytes, sums + rows, &bytes) ? UINT64_MAX : bytes;
}

static int shrink(const struct wan_image *source, struct wan_image *made)
{
	const struct wan_image_view *from = &source->view, *to = &made->view;
	struct wan_size full = {from->width_px, from->height_px};
	struct wan_shrink_plan plan = wan_shrink_plan(
		full, full.width_px, full.height_px, (struct wan_size){to->width_px, to->height_px},
		wan_pixel_has_alpha(from->format));
	if (plan.x_factor == 1 && plan.y_factor == 1)
		return wan_resample(source, &plan.what, made, 0, 0);

	struct wan_shrinker shrinker;
	int error = wan_shrinker_begin(&shrinker, full, &plan, made);
	if (error < 0)
		return error;
	wan_shrinker_put(&shrinker, wan_image_row(source, 0), from->stride_bytes, full.height_px,
			 false);
	wan_shrinker_finish(&shrinker);
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
	error = wan_image_create(source->view.format, size.width_px, size.height_px, &made);
	if (error == 0)
		error = shrink(source, made);
	if (error < 0)
		return error;
	*ret_image = made;
	made = NULL;
	return 0;
}
