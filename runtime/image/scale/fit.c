/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "fit.h"
#include "geometry.h"

/* Only the window that stays is computed, so an extreme ratio costs no more than any other. */
static struct wan_fit_plan cover(struct wan_size source, struct wan_size result,
				 enum wan_filter filter)
{
	struct wan_size full = wan_size_cover(source.width_px, source.height_px, result.width_px,
					      result.height_px);
	struct wan_fit_plan plan = {
		.what = wan_resample_size(source, full.width_px, full.height_px, filter)};
	plan.what.x_px = (full.width_px - result.width_px) / 2;
	plan.what.y_px = (full.height_px - result.height_px) / 2;
	plan.what.width_px = result.width_px;
	plan.what.height_px = result.height_px;
	return plan;
}

static struct wan_fit_plan contain(struct wan_size source, struct wan_size result,
				   enum wan_filter filter)
{
	struct wan_size size = wan_size_contain(source.width_px, source.height_px, result.width_px,
						result.height_px);
	return (struct wan_fit_plan){
		.what = wan_resample_size(source, size.width_px, size.height_px, filter),
		.at_x_px = (result.width_px - size.width_px) / 2,
		.at_y_px = (result.height_px - size.height_px) / 2,
		.borders = size.width_px != result.width_px || size.height_px != result.height_px,
	};
}

struct wan_fit_plan wan_fit_plan(struct wan_size source, struct wan_size result, enum wan_fit fit,
				 enum wan_filter filter)
{
	if (fit == WAN_FIT_COVER)
		return cover(source, result, filter);
	if (fit == WAN_FIT_CONTAIN)
		return contain(source, result, filter);
	return (struct wan_fit_plan){
		.what = wan_resample_size(source, result.width_px, result.height_px, filter)};
}

int wan_image_fit(const struct wan_image *image, uint32_t width_px, uint32_t height_px,
		  enum wan_fit fit, enum wan_filter filter, struct wan_image **ret_image)
{
	if (!image || !ret_image || width_px == 0 || height_px == 0 ||
	    (unsigned)fit > WAN_FIT_CONTAIN || (unsigned)filter > WAN_FILTER_BOX)
		return -EINVAL;

	wan_cleanup(wan_image_unrefp) struct wan_image *source = NULL;
	wan_cleanup(wan_image_unrefp) struct wan_image *made = NULL;
	int error = wan_image_convert(image, WAN_PIXEL_RGB8, WAN_ALPHA_DROP, &source);
	if (error < 0)
		return error;
	if (source->view.width_px == width_px && source->view.height_px == height_px) {
		*ret_image = wan_image_ref(source);
		return 0;
	}
	error = wan_image_create(WAN_PIXEL_RGB8, width_px, height_px, &made);
	if (error < 0)
		return error;

	struct wan_size size = {source->view.width_px, source->view.height_px};
	struct wan_fit_plan plan =
		wan_fit_plan(size, (struct wan_size){width_px, height_px}, fit, filter);
	if (plan.borders)
		memset(made->pixels, 0, made->view.pixels_bytes);
	error = wan_resample(source, &plan.what, made, plan.at_x_px, plan.at_y_px);
	if (error < 0)
		return error;
	*ret_image = made;
	made = NULL;
	return 0;
}
