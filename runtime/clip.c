/* SPDX-License-Identifier: MIT */
/* What a clip is made of: framed pictures, their tensors, the conditioning stack, conversions. */
#include "wan/clip.h"

#include <errno.h>

#include "cleanup.h"
#include "clock.h"
#include "derive.h"
#include "geometry.h"
#include "instance.h"
#include "load.h"
#include "log.h"
#include "options.h"
#include "profile.h"

/* What the compute callbacks need; one for all makers. */
struct making {
	struct wan_runtime *runtime;
	const struct wan_picture *start, *end; /* for one picture: start alone */
	const struct wan_stack_options *stack;
	struct wan_encode_options encode;
	const char *path;
	bool tensor;
	struct wan_error *error;
};

/* A profiled operation of that name. Returns when it began: what is made is worth that time. */
static uint64_t begin_operation(const struct making *making, struct wan_op *op, const char *name)
{
	wan_op_begin_as(making->runtime->profile, op, name, WAN_LIBRARY_WANRT, true);
	return wan_now_ns();
}

static void image_unrefp(struct wan_image **image)
{
	wan_image_unref(*image);
}

static void pin_releasep(struct wan_pin **pin)
{
	wan_pin_release(*pin);
}

/* Memory for one step; given back when its result is allocated. */
static int reserve(const struct making *making, const char *path, uint64_t bytes)
{
	return wan_load_reserve(making->runtime, path, bytes, making->error);
}

static int load_picture(const struct making *making, const struct wan_picture *picture,
			struct wan_pin **ret_pin)
{
	struct wan_decode_options options;
	wan_decode_options_init(&options);
	options.apply_orientation = !picture->as_stored;
	return wan_load(making->runtime, picture->path, &options, ret_pin, NULL, making->error);
}

/* --- framed pictures and tensors --- */

static bool is_torch(enum wan_filter filter)
{
	return filter == WAN_FILTER_TORCH_BICUBIC || filter == WAN_FILTER_TORCH_BILINEAR;
}

/* Nothing is cut off or bordered after scaling. */
static bool is_plain(const struct wan_framing *framing)
{
	return framing->window.width_px == framing->output.width_px &&
	       framing->window.height_px == framing->output.height_px &&
	       framing->scaled.width_px == framing->output.width_px &&
	       framing->scaled.height_px == framing->output.height_px;
}

/* As the pipeline does it in floating point: cut, normalise, scale. */
static int resize_torch(const struct wan_image *image, const struct wan_framing *framing,
			struct wan_image **ret_image)
{
	wan_cleanup(image_unrefp) struct wan_image *cut = NULL;
	int r = wan_image_crop(image, framing->crop.x_px, framing->crop.y_px,
			       framing->crop.width_px, framing->crop.height_px, &cut);
	if (r < 0)
		return r;
	return wan_image_resize_float(cut, framing->output.width_px, framing->output.height_px,
				      framing->filter, ret_image);
}

/* The tensor is not made from the frame of bytes, but in floating point from the picture. */
static bool is_made_in_floats(const struct wan_framing *framing)
{
	return is_torch(framing->filter) && is_plain(framing);
}

/* Most that framing takes at once: the converted source, the resized whole and the result. */
static uint64_t price(const struct wan_image_view *source, const struct wan_framing *framing,
		      bool tensor)
{
	uint64_t bytes = (uint64_t)framing->output.width_px * framing->output.height_px *
			 (tensor ? 3 * sizeof(float) : 3);
	if (source->format != WAN_PIXEL_RGB8)
		bytes += (uint64_t)source->width_px * source->height_px * 3;
	if (is_torch(framing->filter))
		bytes += (uint64_t)framing->scaled.width_px * framing->scaled.height_px * 3;
	return bytes;
}

static int not_of_this_size(const struct making *making, const struct wan_image_view *view)
{
	const struct wan_size *source = &making->start->framing->source;
	return wan_error_set(making->error, -EINVAL, making->start->path,
			     "make the framing of this file's size with wan_frame()",
			     "is %u x %u, its framing is for %u x %u", view->width_px,
			     view->height_px, source->width_px, source->height_px);
}

/* By way of the decoded picture, which is cached for whoever wants it next. */
static int frame_by_source(struct making *making, struct wan_value *ret_value)
{
	const struct wan_picture *picture = making->start;
	const struct wan_framing *framing = picture->framing;
	wan_cleanup(pin_releasep) struct wan_pin *pin = NULL;
	wan_cleanup(image_unrefp) struct wan_image *opaque = NULL;
	struct wan_image *image = NULL;
	struct wan_image_view view;
	int r = load_picture(making, picture, &pin);
	if (r < 0)
		return r;
	wan_image_view(wan_pin_image(pin), &view);
	if (view.width_px != framing->source.width_px ||
	    view.height_px != framing->source.height_px)
		return not_of_this_size(making, &view);
	uint64_t bytes = price(&view, framing, making->tensor);
	r = reserve(making, picture->path, bytes);
	if (r < 0)
		return r;
	struct wan_op op;
	uint64_t started_ns = begin_operation(making, &op, making->tensor ? "tensor" : "fit");
	r = wan_image_convert(wan_pin_image(pin), WAN_PIXEL_RGB8,
			      picture->alpha ? picture->alpha : WAN_ALPHA_DROP, &opaque);
	if (r == 0)
		r = making->tensor ? resize_torch(opaque, framing, &image)
				   : wan_image_frame(opaque, framing, &image);
	if (r == 0) {
		wan_op_set_image(&op, view.width_px, view.height_px, view.channels, 8, UINT64_MAX);
		wan_load_image_value(image, WAN_CACHE_DERIVED, started_ns, ret_value);
	}
	wan_load_end_operation(&op, picture->path, r, image);
	wan_memory_unreserve(making->runtime->memory, bytes);
	return r < 0 ? wan_load_explain(r, picture->path, making->error) : 0;
}

/* The same bytes can be had from the file row by row. */
static bool is_fit(const struct making *making, struct wan_making *ret_fit)
{
	const struct wan_picture *picture = making->start;
	const struct wan_framing *framing = picture->framing;
	struct wan_image_info info;
	*ret_fit = (struct wan_making){.runtime = making->runtime,
				       .path = picture->path,
				       .width_px = framing->output.width_px,
				       .height_px = framing->output.height_px,
				       .filter = framing->filter,
				       .error = making->error};
	if (making->tensor || (picture->alpha && picture->alpha != WAN_ALPHA_DROP) ||
	    !wan_framing_is_fit(framing, &ret_fit->fit) ||
	    wan_image_probe(picture->path, &info, NULL) < 0)
		return false;
	bool turned = info.exif_orientation > 1;
	bool lies = info.exif_orientation >= 5;
	uint32_t width = lies ? info.height_px : info.width_px;
	uint32_t height = lies ? info.width_px : info.height_px;
	return !(turned && picture->as_stored) && width == framing->source.width_px &&
	       height == framing->source.height_px;
}

/* The picture itself, scaled to bytes or floats. What has no room as a whole is read row by row. */
static int compute_framed(void *context, struct wan_value *ret_value)
{
	struct making *making = context;
	struct wan_making fit;
	bool by_rows = is_fit(making, &fit);
	int r = by_rows && wan_fit_goes_by_file(&fit) ? -ENOMEM
						      : frame_by_source(making, ret_value);
	return r == -ENOMEM && by_rows ? wan_fit_by_file(&fit, ret_value) : r;
}

/* The frame of bytes, which is cached too, normalised. */
static int compute_normalised(void *context, struct wan_value *ret_value)
{
	struct making *making = context;
	const struct wan_picture *picture = making->start;
	wan_cleanup(pin_releasep) struct wan_pin *pin = NULL;
	struct wan_image *image = NULL;
	uint64_t bytes = (uint64_t)picture->framing->output.width_px *
			 picture->framing->output.height_px * 3 * sizeof(float);
	int r = wan_framed(making->runtime, picture, false, &pin, NULL, making->error);
	if (r == 0)
		r = reserve(making, picture->path, bytes);
	if (r < 0)
		return r;
	struct wan_op op;
	uint64_t started_ns = begin_operation(making, &op, "normalise");
	r = wan_image_normalise(wan_pin_image(pin), &image);
	if (r == 0) {
		wan_op_set_image(&op, picture->framing->output.width_px,
				 picture->framing->output.height_px, 3, 32, UINT64_MAX);
		wan_load_image_value(image, WAN_CACHE_DERIVED, started_ns, ret_value);
	}
	wan_load_end_operation(&op, picture->path, r, image);
	wan_memory_unreserve(making->runtime->memory, bytes);
	return r < 0 ? wan_load_explain(r, picture->path, making->error) : 0;
}

/* --- the conditioning stack --- */

static void destroy_stack(void *data)
{
	wan_stack_unref(data);
}

static uint64_t known_bytes(const struct making *making)
{
	const struct wan_picture *first = making->start ? making->start : making->end;
	uint64_t frames = (making->start != NULL) + (making->end != NULL);
	return frames * first->framing->output.width_px * first->framing->output.height_px * 3 *
	       (making->stack->type == WAN_TENSOR_F32 ? 4 : 2);
}

static int framed_image(const struct making *making, const struct wan_picture *picture,
			struct wan_pin **ret_pin)
{
	return picture ? wan_framed(making->runtime, picture, true, ret_pin, NULL, making->error)
		       : 0;
}

static int compute_stack(void *context, struct wan_value *ret_value)
{
	struct making *making = context;
	wan_cleanup(pin_releasep) struct wan_pin *start = NULL;
	wan_cleanup(pin_releasep) struct wan_pin *end = NULL;
	struct wan_stack *stack = NULL;
	struct wan_stack_view view;
	int r = framed_image(making, making->start, &start);
	if (r == 0)
		r = framed_image(making, making->end, &end);
	if (r == 0)
		r = reserve(making, making->path, known_bytes(making));
	if (r < 0)
		return r;
	struct wan_op op;
	uint64_t started_ns = begin_operation(making, &op, "stack");
	r = wan_stack_create(start ? wan_pin_image(start) : NULL, end ? wan_pin_image(end) : NULL,
			     making->stack, &stack, making->error);
	wan_stack_view(stack, &view);
	const struct wan_picture *first = making->start ? making->start : making->end;
	wan_op_set_image(&op, first->framing->output.width_px, first->framing->output.height_px, 3,
			 making->stack->type == WAN_TENSOR_F32 ? 32 : 16, UINT64_MAX);
	wan_op_add_memory(&op, (int64_t)view.held_bytes, view.held_bytes);
	wan_load_end_operation(&op, making->path, r, NULL);
	wan_memory_unreserve(making->runtime->memory, known_bytes(making));
	if (r < 0)
		return r;
	*ret_value = (struct wan_value){.data = stack,
					.bytes = view.held_bytes,
					.destroy = destroy_stack,
					.cost_ns = wan_elapsed(started_ns, wan_now_ns())};
	return 0;
}

struct wan_stack *wan_pin_stack(const struct wan_pin *pin)
{
	return pin ? wan_pin_data(pin) : NULL;
}

/* --- conversion --- */

static int compute_converted(void *context, struct wan_value *ret_value)
{
	struct making *making = context;
	wan_cleanup(pin_releasep) struct wan_pin *pin = NULL;
	wan_cleanup(image_unrefp) struct wan_image *opaque = NULL;
	struct wan_image_view view;
	void *bytes = NULL;
	size_t count = 0;
	int r = wan_load(making->runtime, making->path, NULL, &pin, NULL, making->error);
	if (r < 0)
		return r;
	wan_image_view(wan_pin_image(pin), &view);
	bool drop = making->encode.format == WAN_FORMAT_JPEG && view.format != WAN_PIXEL_GRAY8 &&
		    view.format != WAN_PIXEL_CMYK8;
	/* The converted pixels, and at most as much again for what is encoded. */
	uint64_t price_bytes =
		(uint64_t)view.width_px * view.height_px * (drop ? 3 : 0) + view.pixels_bytes;
	r = reserve(making, making->path, price_bytes);
	if (r < 0)
		return r;
	struct wan_op op;
	uint64_t started_ns = begin_operation(
		making, &op,
		making->encode.format == WAN_FORMAT_JPEG ? "jpeg.encode" : "png.encode");
	wan_op_set_image(&op, view.width_px, view.height_px, view.channels, 8, UINT64_MAX);
	if (drop)
		r = wan_image_convert(wan_pin_image(pin), WAN_PIXEL_RGB8, WAN_ALPHA_DROP, &opaque);
	if (r == 0)
		r = wan_image_encode_memory(drop ? opaque : wan_pin_image(pin), &making->encode,
					    &bytes, &count, making->error);
	wan_load_end_operation(&op, making->path, r, NULL);
	wan_memory_unreserve(making->runtime->memory, price_bytes);
	if (r < 0)
		return wan_load_explain(r, making->path, making->error);
	*ret_value = (struct wan_value){.data = bytes,
					.bytes = count,
					.destroy = wan_encoded_free,
					.flags = WAN_CACHE_DERIVED,
					.cost_ns = wan_elapsed(started_ns, wan_now_ns())};
	return 0;
}

/* --- keys --- */

static void add_framing(struct wan_key_builder *builder, const struct wan_framing *framing)
{
	const uint32_t numbers[] = {
		framing->source.width_px,  framing->source.height_px, framing->output.width_px,
		framing->output.height_px, framing->crop.x_px,        framing->crop.y_px,
		framing->crop.width_px,    framing->crop.height_px,   framing->scaled.width_px,
		framing->scaled.height_px, framing->window.x_px,      framing->window.y_px,
		framing->window.width_px,  framing->window.height_px, framing->place_x_px,
		framing->place_y_px,       (uint32_t)framing->filter,
	};
	wan_key_add(builder, "framing", numbers, sizeof(numbers));
}

static int add_picture(struct wan_stage *stage, const struct wan_picture *picture)
{
	if (!picture) {
		wan_key_add_text(&stage->builder, "picture", NULL);
		return 0;
	}
	int r = wan_stage_add_file(stage, picture->path);
	if (r < 0)
		return r;
	add_framing(&stage->builder, picture->framing);
	wan_key_add_u64(&stage->builder, "alpha", picture->alpha);
	wan_key_add_u64(&stage->builder, "as_stored", picture->as_stored);
	return 0;
}

static bool is_given(const struct wan_picture *picture)
{
	return picture && picture->path && picture->framing;
}

static int missing(const char *what, struct wan_error *reterr_error)
{
	return wan_error_set(reterr_error, -EINVAL, what, "", "an argument is missing");
}

int wan_framed(struct wan_runtime *runtime, const struct wan_picture *picture, bool tensor,
	       struct wan_pin **ret_pin, bool *ret_hit, struct wan_error *reterr_error)
{
	runtime = runtime ? runtime : wan_runtime_default();
	if (!runtime || !is_given(picture) || !ret_pin)
		return missing("wan_framed", reterr_error);
	struct making making = {
		.runtime = runtime, .start = picture, .tensor = tensor, .error = reterr_error};
	struct wan_stage stage;
	wan_stage_begin(&stage, runtime, tensor ? "framed_tensor" : "framed", reterr_error);
	int r = add_picture(&stage, picture);
	if (r < 0)
		return r;
	uint64_t bytes = (uint64_t)picture->framing->output.width_px *
			 picture->framing->output.height_px * (tensor ? 3 * sizeof(float) : 3);
	bool by_bytes = tensor && !is_made_in_floats(picture->framing);
	return wan_stage_get(&stage, wan_load_image_charge(bytes),
			     by_bytes ? compute_normalised : compute_framed, &making, ret_pin,
			     ret_hit);
}

int wan_conditioning(struct wan_runtime *runtime, const struct wan_picture *start,
		     const struct wan_picture *end, const struct wan_stack_options *options,
		     struct wan_pin **ret_pin, bool *ret_hit, struct wan_error *reterr_error)
{
	runtime = runtime ? runtime : wan_runtime_default();
	const struct wan_picture *first = start ? start : end;
	if (!runtime || !options || !ret_pin || !is_given(first) || (end && !is_given(end)))
		return missing("wan_conditioning", reterr_error);
	struct making making = {.runtime = runtime,
				.start = start,
				.end = end,
				.stack = options,
				.path = first->path,
				.error = reterr_error};
	struct wan_stage stage;
	wan_stage_begin(&stage, runtime, "stack", reterr_error);
	int r = add_picture(&stage, start);
	if (r == 0)
		r = add_picture(&stage, end);
	if (r < 0)
		return r;
	const uint64_t numbers[] = {options->layout,        options->type,
				    options->frames,        options->unit_range,
				    options->known_alone,   options->own_end_frame,
				    options->known_is_zero, options->pinned};
	wan_key_add(&stage.builder, "options", numbers, sizeof(numbers));
	return wan_stage_get(&stage, known_bytes(&making), compute_stack, &making, ret_pin,
			     ret_hit);
}

int wan_convert(struct wan_runtime *runtime, const char *path,
		const struct wan_encode_options *options, struct wan_pin **ret_pin, bool *ret_hit,
		struct wan_error *reterr_error)
{
	runtime = runtime ? runtime : wan_runtime_default();
	if (!runtime || !path || !ret_pin)
		return missing("wan_convert", reterr_error);
	struct making making = {.runtime = runtime, .path = path, .error = reterr_error};
	wan_encode_options_init(&making.encode);
	if (options && wan_options_overlay(&making.encode, sizeof(making.encode), options,
					   options->struct_size) < 0)
		return wan_error_set(reterr_error, -EINVAL, "wan_convert",
				     "fill options with wan_encode_options_init()",
				     "options are made for another version");
	struct wan_stage stage;
	wan_stage_begin(&stage, runtime, "convert", reterr_error);
	int r = wan_stage_add_file(&stage, path);
	if (r < 0)
		return r;
	const uint64_t numbers[] = {making.encode.format, making.encode.jpeg_quality,
				    making.encode.jpeg_progressive, making.encode.png_level,
				    making.encode.png_interlaced};
	wan_key_add(&stage.builder, "options", numbers, sizeof(numbers));
	return wan_stage_get(&stage, 0, compute_converted, &making, ret_pin, ret_hit);
}
