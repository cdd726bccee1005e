/* SPDX-License-Identifier: MIT */
/* A framing, done. */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "fit.h"
#include "geometry.h"
#include "macros.h"
#include "resize.h"

static bool inside(const struct wan_rect *rect, struct wan_size size)
{
	return rect->width_px && rect->height_px && rect->x_px <= size.width_px &&
	       rect->y_px <= size.height_px && rect->width_px <= size.width_px - rect->x_px &&
	       rect->height_px <= size.height_px - rect->y_px;
}

static bool sound(const struct wan_framing *f)
{
	struct wan_rect placed = {f->place_x_px, f->place_y_px, f->window.width_px,
				  f->window.height_px};
	return f->source.width_px && f->source.height_px && inside(&f->crop, f->source) &&
	       f->scaled.width_px && f->scaled.height_px && inside(&f->window, f->scaled) &&
	       inside(&placed, f->output) && (unsigned)f->filter <= WAN_FILTER_TORCH_BILINEAR;
}

static bool is_whole(const struct wan_rect *rect, struct wan_size size)
{
	return rect->width_px == size.width_px && rect->height_px == size.height_px;
}

/* The window of the resized source at its place. */
static int put(const struct wan_image *source, const struct wan_framing *f, struct wan_image *out)
{
	if (f->filter <= WAN_FILTER_BOX) {
		struct wan_resample what = wan_resample_whole(source, f->scaled.width_px,
							      f->scaled.height_px, f->filter);
		what.x_px = f->window.x_px;
		what.y_px = f->window.y_px;
		what.width_px = f->window.width_px;
		what.height_px = f->window.height_px;
		return wan_resample(source, &what, out, f->place_x_px, f->place_y_px);
	}
	wan_cleanup(wan_image_unrefp) struct wan_image *scaled = NULL;
	int error = wan_image_resize(source, f->scaled.width_px, f->scaled.height_px, f->filter,
				     &scaled);
	if (error < 0)
		return error;
	for (uint32_t y = 0; y < f->window.height_px; y++)
		memcpy(wan_image_row(out, f->place_y_px + y) + 3 * (size_t)f->place_x_px,
		       wan_image_row(scaled, f->window.y_px + y) + 3 * (size_t)f->window.x_px,
		       3 * (size_t)f->window.width_px);
	return 0;
}

static bool is_plan(const struct wan_framing *f, const struct wan_fit_plan *plan)
{
	const struct wan_resample *what = &plan->what;
	return what->full_width_px == f->scaled.width_px &&
	       what->full_height_px == f->scaled.height_px && what->x_px == f->window.x_px &&
	       what->y_px == f->window.y_px && what->width_px == f->window.width_px &&
	       what->height_px == f->window.height_px && plan->at_x_px == f->place_x_px &&
	       plan->at_y_px == f->place_y_px;
}

bool wan_framing_is_fit(const struct wan_framing *f, enum wan_fit *ret_fit)
{
	if (!sound(f) || !is_whole(&f->crop, f->source) || f->filter > WAN_FILTER_BOX)
		return false;
	for (int fit = WAN_FIT_STRETCH; fit <= WAN_FIT_CONTAIN; fit++) {
		struct wan_fit_plan plan =
			wan_fit_plan(f->source, f->output, (enum wan_fit)fit, f->filter);
		if (is_plan(f, &plan)) {
			*ret_fit = (enum wan_fit)fit;
			return true;
		}
	}
	return false;
}

int wan_image_frame(const struct wan_image *image, const struct wan_framing *framing,
		    struct wan_image **ret_image)
{
	if (!image || !framing || !ret_image || !sound(framing) ||
	    image->view.width_px != framing->source.width_px ||
	    image->view.height_px != framing->source.height_px)
		return -EINVAL;

	const struct wan_framing *f = framing;
	wan_cleanup(wan_image_unrefp) struct wan_image *rgb = NULL;
	wan_cleanup(wan_image_unrefp) struct wan_image *cut = NULL;
	wan_cleanup(wan_image_unrefp) struct wan_image *made = NULL;
	int error = wan_image_convert(image, WAN_PIXEL_RGB8, WAN_ALPHA_DROP, &rgb);
	if (error == 0 && is_whole(&f->crop, f->source))
		cut = wan_image_ref(rgb);
	else if (error == 0)
		error = wan_image_crop(rgb, f->crop.x_px, f->crop.y_px, f->crop.width_px,
				       f->crop.height_px, &cut);
	if (error < 0)
		return error;
	if (cut->view.width_px == f->output.width_px &&
	    cut->view.height_px == f->output.height_px && is_whole(&f->window, f->output)) {
		*ret_image = wan_image_ref(cut);
		return 0;
	}
	error = wan_image_create(WAN_PIXEL_RGB8, f->output.width_px, f->output.height_px, &made);
	if (error < 0)
		return error;
	if (!is_whole(&f->window, f->output))
		memset(made->pixels, 0, made->view.pixels_bytes);
	error = put(cut, f, made);
	if (error < 0)
		return error;
	*ret_image = made;
	made = NULL;
	return 0;
}
