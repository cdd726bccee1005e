/* SPDX-License-Identifier: MIT */
/*
 * What is made of a decoded file: thumbnail, fit, tensor, verdict. Each goes through the same steps
 * (key > cache > source > operation > cache), so that each is cached, profiled and under the
 * ceiling.
 */
#include <errno.h>

#include "alloc.h"
#include "cleanup.h"
#include "clock.h"
#include "derive.h"
#include "instance.h"
#include "log.h"
#include "macros.h"
#include "profile.h"
#include "str.h"
#include "validate.h"

static uint32_t bits_per_sample(enum wan_pixel_format format)
{
	switch (format) {
	case WAN_PIXEL_GRAY16:
	case WAN_PIXEL_GRAYA16:
	case WAN_PIXEL_RGB16:
	case WAN_PIXEL_RGBA16:
		return 16;
	case WAN_PIXEL_RGBF32_PLANAR:
		return 32;
	default:
		return 8;
	}
}

static void describe_result(struct wan_op *op, const struct wan_image *image, uint64_t file_bytes)
{
	struct wan_image_view view;
	wan_image_view(image, &view);
	wan_op_set_image(op, view.width_px, view.height_px, view.channels,
			 bits_per_sample(view.format), file_bytes);
}

/* The decoded file as every step wants it; one decode serves all of them. */
struct source {
	struct wan_pin *pin;         /* natural format, upright */
	struct wan_image *converted; /* RGB, alpha dropped; NULL when the file is RGB already */
};

static void source_finish(struct source *source)
{
	wan_image_unref(source->converted);
	wan_pin_release(source->pin);
}

static int source_load(struct wan_making *making, struct source *ret_source)
{
	return wan_load(making->runtime, making->path, NULL, &ret_source->pin, NULL, making->error);
}

/* RGB with alpha dropped: what every WAN pipeline starts from. */
static int source_rgb(struct wan_making *making, struct source *ret_source,
		      struct wan_image **ret_rgb)
{
	int r = source_load(making, ret_source);
	if (r < 0)
		return r;
	struct wan_image_view view;
	wan_image_view(wan_pin_image(ret_source->pin), &view);
	if (view.format == WAN_PIXEL_RGB8) {
		*ret_rgb = wan_pin_image(ret_source->pin);
		return 0;
	}
	uint64_t bytes = (uint64_t)view.width_px * view.height_px * 3;
	r = wan_load_reserve(making->runtime, making->path, bytes, making->error);
	if (r < 0)
		return r;
	r = wan_image_convert(wan_pin_image(ret_source->pin), WAN_PIXEL_RGB8, WAN_ALPHA_DROP,
			      &ret_source->converted);
	wan_memory_unreserve(making->runtime->memory, bytes);
	if (r < 0)
		return wan_error_set(making->error, r, making->path, "",
				     "cannot be converted to RGB: %s", wan_strerror(r));
	*ret_rgb = ret_source->converted;
	return 0;
}

/* What a fit or a tensor will take. */
static uint64_t result_bytes(const struct wan_making *making, unsigned sample_bytes)
{
	return (uint64_t)making->width_px * making->height_px * 3 * sample_bytes;
}

static int reserve_result(const struct wan_making *making, unsigned sample_bytes)
{
	return wan_load_reserve(making->runtime, making->path, result_bytes(making, sample_bytes),
				making->error);
}

static void unreserve_result(const struct wan_making *making, unsigned sample_bytes)
{
	wan_memory_unreserve(making->runtime->memory, result_bytes(making, sample_bytes));
}

uint64_t wan_step_begin(const struct wan_making *making, struct wan_op *op, const char *name)
{
	wan_op_begin_as(making->runtime->profile, op, name, WAN_LIBRARY_WANRT, true);
	return wan_now_ns();
}

int wan_step_finish(const struct wan_making *making, struct wan_op *op, uint64_t started_ns, int r,
		    struct wan_image *image, struct wan_value *ret_value)
{
	if (r < 0) {
		wan_load_end_operation(op, making->path, r, NULL);
		return wan_load_explain(r, making->path, making->error);
	}
	wan_load_image_value(image, WAN_CACHE_DERIVED, started_ns, ret_value);
	describe_result(op, image, UINT64_MAX);
	wan_load_end_operation(op, making->path, r, image);
	return 0;
}

const char *wan_step_thumbnail_name(const struct wan_making *making)
{
	char text[48];
	wan_str_format(text, sizeof(text), "thumbnail_%ux%u", making->width_px, making->height_px);
	return wan_runtime_name(making->runtime, text, "thumbnail");
}

static int thumbnail_by_source(struct wan_making *making, struct wan_value *ret_value)
{
	wan_cleanup(source_finish) struct source source = {0};
	struct wan_image *rgb = NULL, *image = NULL;
	int r = source_rgb(making, &source, &rgb);
	if (r < 0)
		return r;
	struct wan_image_view view; /* a thumbnail is never larger than its source */
	wan_image_view(rgb, &view);
	uint64_t bytes = WAN_MIN(result_bytes(making, 1), (uint64_t)view.pixels_bytes);
	r = wan_load_reserve(making->runtime, making->path, bytes, making->error);
	if (r < 0)
		return r;
	struct wan_op op;
	uint64_t started_ns = wan_step_begin(making, &op, wan_step_thumbnail_name(making));
	r = wan_image_thumbnail(rgb, making->width_px, making->height_px, &image);
	wan_memory_unreserve(making->runtime->memory, bytes);
	return wan_step_finish(making, &op, started_ns, r, image, ret_value);
}

static int fit_by_source(struct wan_making *making, struct wan_value *ret_value)
{
	wan_cleanup(source_finish) struct source source = {0};
	struct wan_image *rgb = NULL, *image = NULL;
	int r = source_rgb(making, &source, &rgb);
	if (r == 0)
		r = reserve_result(making, 1);
	if (r < 0)
		return r;
	struct wan_op op;
	uint64_t started_ns = wan_step_begin(making, &op, "fit");
	r = wan_image_fit(rgb, making->width_px, making->height_px, making->fit, making->filter,
			  &image);
	unreserve_result(making, 1);
	return wan_step_finish(making, &op, started_ns, r, image, ret_value);
}

/* What has no room as a whole is read row by row. */
static int compute_thumbnail(void *context, struct wan_value *ret_value)
{
	struct wan_making *making = context;
	int r = wan_thumbnail_goes_by_file(making) ? -ENOMEM
						   : thumbnail_by_source(making, ret_value);
	return r == -ENOMEM ? wan_thumbnail_by_file(making, ret_value) : r;
}

static int compute_fit(void *context, struct wan_value *ret_value)
{
	struct wan_making *making = context;
	int r = wan_fit_goes_by_file(making) ? -ENOMEM : fit_by_source(making, ret_value);
	return r == -ENOMEM ? wan_fit_by_file(making, ret_value) : r;
}

static int compute_tensor(void *context, struct wan_value *ret_value)
{
	struct wan_making *making = context;
	struct wan_pin *fitted = NULL;
	int r = wan_fit(making->runtime, making->path, making->width_px, making->height_px,
			making->fit, making->filter, &fitted, NULL, making->error);
	if (r < 0)
		return r;
	r = reserve_result(making, sizeof(float));
	if (r < 0) {
		wan_pin_release(fitted);
		return r;
	}
	struct wan_op op;
	struct wan_image *image = NULL;
	uint64_t started_ns = wan_step_begin(making, &op, "normalise");
	r = wan_image_normalise(wan_pin_image(fitted), &image);
	unreserve_result(making, sizeof(float));
	r = wan_step_finish(making, &op, started_ns, r, image, ret_value);
	wan_pin_release(fitted);
	return r;
}

/* Key and cache around one of the makers above. */
static int derived(struct wan_making *making, const char *operation, wan_cache_compute compute,
		   uint64_t pixels_bytes, struct wan_pin **ret_pin, bool *ret_hit)
{
	making->runtime = making->runtime ? making->runtime : wan_runtime_default();
	if (!making->runtime || !making->path || !ret_pin || !making->width_px ||
	    !making->height_px)
		return wan_error_set(making->error, -EINVAL, operation, "",
				     "an argument is missing or a size is 0");
	struct wan_stage stage;
	wan_stage_begin(&stage, making->runtime, operation, making->error);
	int r = wan_stage_add_file(&stage, making->path);
	if (r < 0)
		return r;
	const uint32_t numbers[] = {making->width_px, making->height_px, making->fit,
				    making->filter};
	wan_key_add(&stage.builder, "frame", numbers, sizeof(numbers));
	return wan_stage_get(&stage, wan_load_image_charge(pixels_bytes), compute, making, ret_pin,
			     ret_hit);
}

int wan_thumbnail(struct wan_runtime *runtime, const char *path, uint32_t max_width_px,
		  uint32_t max_height_px, struct wan_pin **ret_pin, bool *ret_hit,
		  struct wan_error *reterr_error)
{
	struct wan_making making = {.runtime = runtime,
				    .path = path,
				    .width_px = max_width_px,
				    .height_px = max_height_px,
				    .error = reterr_error};
	/* At most this large: the ratio is not known before the file is. */
	uint64_t expected_bytes = (uint64_t)max_width_px * max_height_px * 3;
	return derived(&making, "thumbnail", compute_thumbnail, expected_bytes, ret_pin, ret_hit);
}

int wan_fit(struct wan_runtime *runtime, const char *path, uint32_t width_px, uint32_t height_px,
	    enum wan_fit fit, enum wan_filter filter, struct wan_pin **ret_pin, bool *ret_hit,
	    struct wan_error *reterr_error)
{
	struct wan_making making = {.runtime = runtime,
				    .path = path,
				    .width_px = width_px,
				    .height_px = height_px,
				    .fit = fit,
				    .filter = filter,
				    .error = reterr_error};
	return derived(&making, "fit", compute_fit, (uint64_t)width_px * height_px * 3, ret_pin,
		       ret_hit);
}

int wan_tensor(struct wan_runtime *runtime, const char *path, uint32_t width_px, uint32_t height_px,
	       enum wan_fit fit, enum wan_filter filter, struct wan_pin **ret_pin, bool *ret_hit,
	       struct wan_error *reterr_error)
{
	struct wan_making making = {.runtime = runtime,
				    .path = path,
				    .width_px = width_px,
				    .height_px = height_px,
				    .fit = fit,
				    .filter = filter,
				    .error = reterr_error};
	return derived(&making, "tensor", compute_tensor,
		       (uint64_t)width_px * height_px * 3 * sizeof(float), ret_pin, ret_hit);
}

struct validation {
	struct wan_image_info info;
	struct wan_verdict verdict;
};

/* Enough pixels to judge brightness and contrast by, read row by row or scaled in the decoder. */
static int preview_by_file(struct wan_making *making, const struct wan_image_info *info,
			   struct wan_image **ret_image)
{
	enum { PREVIEW_PX = 1024 };
	struct wan_decode_options options;
	uint64_t bytes = 0;
	if (making->error)
		making->error->code = 0;
	int r = wan_load_options(making->runtime, NULL, &options, making->error);
	if (r == 0)
		r = wan_image_thumbnail_price(info, PREVIEW_PX, PREVIEW_PX, &options, &bytes);
	if (r == 0)
		r = wan_load_reserve(making->runtime, making->path, bytes, making->error);
	if (r < 0)
		return r;
	r = wan_image_thumbnail_file(making->path, PREVIEW_PX, PREVIEW_PX, &options, ret_image,
				     making->error);
	wan_memory_unreserve(making->runtime->memory, bytes);
	return r;
}

static int compute_validation(void *context, struct wan_value *ret_value)
{
	struct wan_making *making = context;
	wan_cleanup(source_finish) struct source source = {0};
	wan_cleanup(wan_freep) struct validation *validation = wan_calloc(1, sizeof(*validation));
	if (!validation)
		return wan_error_set(making->error, -ENOMEM, making->path, "", "out of memory");
	struct wan_image_info *info = &validation->info;
	bool preview = false;
	int r = wan_image_probe(making->path, info, making->error);
	if (r == 0)
		r = source_load(making, &source);
	if (r == -ENOMEM) { /* judged by fewer pixels, which the verdict says */
		preview = true;
		r = preview_by_file(making, info, &source.converted);
	}
	if (r < 0)
		return r;
	struct wan_op op;
	wan_op_begin_as(making->runtime->profile, &op, "image_validation", WAN_LIBRARY_WANRT, true);
	wan_op_set_image(&op, info->width_px, info->height_px, info->channels, info->bit_depth,
			 info->file_bytes);
	uint64_t started_ns = wan_now_ns();
	r = wan_validate_pixels(preview ? source.converted : wan_pin_image(source.pin), info,
				preview, &validation->verdict);
	wan_load_end_operation(&op, making->path, r, NULL);
	if (r < 0)
		return wan_error_set(making->error, r, making->path, "", "%s", wan_strerror(r));
	*ret_value = (struct wan_value){.data = validation,
					.bytes = sizeof(*validation),
					.destroy = wan_free,
					.flags = WAN_CACHE_DERIVED,
					.cost_ns = wan_elapsed(started_ns, wan_now_ns())};
	validation = NULL;
	return 0;
}

int wan_validate(struct wan_runtime *runtime, const char *path, struct wan_image_info *ret_info,
		 struct wan_verdict *ret_verdict, bool *ret_hit, struct wan_error *reterr_error)
{
	runtime = runtime ? runtime : wan_runtime_default();
	if (!runtime || !path)
		return wan_error_set(reterr_error, -EINVAL, "wan_validate", "",
				     "an argument is missing");
	struct wan_stage stage;
	wan_stage_begin(&stage, runtime, "image_validation", reterr_error);
	int r = wan_stage_add_file(&stage, path);
	if (r < 0)
		return r;
	struct wan_making making = {.runtime = runtime, .path = path, .error = reterr_error};
	struct wan_pin *pin;
	r = wan_stage_get(&stage, sizeof(struct validation), compute_validation, &making, &pin,
			  ret_hit);
	if (r < 0)
		return r;
	const struct validation *validation = wan_pin_data(pin);
	if (ret_info)
		*ret_info = validation->info;
	if (ret_verdict)
		*ret_verdict = validation->verdict;
	wan_pin_release(pin);
	return 0;
}
