/* SPDX-License-Identifier: MIT */
/* The conditioning stack: which frames are known, and how their pixels become elements. */
#include "stack.h"

#include <errno.h>
#include <string.h>

#include "buffer.h"
#include "cleanup.h"
#include "log.h"
#include "macros.h"
#include "normalise.h"

#define FRAMES_MAX 65536

int wan_stack_options_init(struct wan_stack_options *options, enum wan_pipeline pipeline)
{
	const struct wan_pipeline_info *info = wan_pipeline_info(pipeline);
	if (!options || !info)
		return -EINVAL;
	bool is_comfyui = pipeline == WAN_PIPELINE_COMFYUI;
	bool is_ti2v = pipeline == WAN_PIPELINE_TI2V || pipeline == WAN_PIPELINE_DIFFUSERS_TI2V;
	bool is_diffusers = pipeline == WAN_PIPELINE_DIFFUSERS ||
			    pipeline == WAN_PIPELINE_DIFFUSERS_EXACT ||
			    pipeline == WAN_PIPELINE_DIFFUSERS_TI2V;
	*options = (struct wan_stack_options){
		.struct_size = sizeof(*options),
		.layout = is_comfyui     ? WAN_STACK_THWC
			  : is_diffusers ? WAN_STACK_NCTHW
					 : WAN_STACK_CTHW,
		.frames = info->frames,
		.unit_range = info->range == WAN_RANGE_UNIT,
		.known_alone = is_ti2v,
		.own_end_frame = pipeline == WAN_PIPELINE_KIJAI,
		.known_is_zero = is_comfyui || is_ti2v,
		.mask_by_latent = is_ti2v,
		.latent_step = info->latent_step_px,
	};
	return 0;
}

int wan_stack_read_options(const struct wan_stack_options *given,
			   struct wan_stack_options *ret_options, struct wan_error *reterr_error)
{
	if (!given || given->struct_size != sizeof(*given))
		return wan_error_set(reterr_error, -EINVAL, "stack",
				     "fill options with wan_stack_options_init()",
				     "options are missing or made for another version");
	*ret_options = *given;
	if (!wan_tensor_type_bytes(given->type) || given->layout > WAN_STACK_THWC)
		return wan_error_set(reterr_error, -EINVAL, "stack", "",
				     "no such type or layout of a tensor");
	if (given->frames < 1 || given->frames > FRAMES_MAX || !given->latent_step)
		return wan_error_set(reterr_error, -EINVAL, "stack",
				     given->frames > FRAMES_MAX ? "give fewer, as 81"
								: "give 4n+1 frames, as 81",
				     "%u frames are not possible; 1 to %d are", given->frames,
				     FRAMES_MAX);
	return 0;
}

/* --- pixels to elements --- */

/* Where one channel lies: the first sample and the distance to the next pixel, in samples. */
struct channel {
	const void *from;
	enum wan_pixel_format format; /* of from: RGB8 or planar */
	char *to;
	size_t from_step, to_step;
};

/* By a table of all 256 elements; two loops, so that each is a plain store. */
static void write_bytes(const struct channel *channel, size_t pixels,
			const struct wan_stack_options *options)
{
	uint32_t wide[256];
	uint16_t narrow[256];
	for (unsigned byte = 0; byte < 256; byte++) {
		float value = options->unit_range ? (float)byte / 255.0f : wan_normalised[byte];
		wide[byte] = wan_tensor_element(options->type, value);
		memcpy(&narrow[byte], &wide[byte], sizeof(narrow[byte]));
	}
	const uint8_t *from = channel->from;
	if (options->type == WAN_TENSOR_F32) {
		uint32_t *to = (void *)channel->to;
		for (size_t i = 0; i < pixels; i++)
			to[i * channel->to_step] = wide[from[i * channel->from_step]];
	} else {
		uint16_t *to = (void *)channel->to;
		for (size_t i = 0; i < pixels; i++)
			to[i * channel->to_step] = narrow[from[i * channel->from_step]];
	}
}

static float float_at(const struct channel *channel, size_t i)
{
	switch (channel->format) {
	case WAN_PIXEL_RGBF16_PLANAR:
		return wan_float_of_f16(((const uint16_t *)channel->from)[i]);
	case WAN_PIXEL_RGBBF16_PLANAR:
		return wan_float_of_bf16(((const uint16_t *)channel->from)[i]);
	default:
		return ((const float *)channel->from)[i];
	}
}

static void write_floats(const struct channel *channel, size_t pixels,
			 const struct wan_stack_options *options)
{
	unsigned element_bytes = wan_tensor_type_bytes(options->type);
	bool as_it_is = options->type == WAN_TENSOR_F32 && !options->unit_range &&
			channel->format == WAN_PIXEL_RGBF32_PLANAR && channel->to_step == 1;
	if (as_it_is) {
		memcpy(channel->to, channel->from, pixels * sizeof(float));
		return;
	}
	for (size_t i = 0; i < pixels; i++) {
		float value = float_at(channel, i);
		if (options->unit_range)
			value = value * 0.5f + 0.5f;
		uint32_t element = wan_tensor_element(options->type, value);
		memcpy(channel->to + i * channel->to_step * element_bytes, &element, element_bytes);
	}
}

/* The common cases, by vector code. False: not one of them. */
static bool write_signed_planes(const struct wan_image_view *view, char *const at[3],
				const struct wan_stack_options *options)
{
	size_t pixels = (size_t)view->width_px * view->height_px;
	if (options->unit_range || wan_pixel_is_planar(view->format))
		return false;
	if (options->type == WAN_TENSOR_F32) {
		wan_normalise_rows(view->pixels, pixels, (void *)at[0], (void *)at[1],
				   (void *)at[2]);
		return true;
	}
	uint16_t *const planes[3] = {(void *)at[0], (void *)at[1], (void *)at[2]};
	wan_normalise_rows_16(view->pixels, pixels,
			      options->type == WAN_TENSOR_F16 ? WAN_PIXEL_RGBF16_PLANAR
							      : WAN_PIXEL_RGBBF16_PLANAR,
			      planes);
	return true;
}

/* One known frame; at[c] is its first element of channel c, step the distance to the next pixel. */
static void write_frame(const struct wan_image_view *view, char *const at[3], size_t step,
			const struct wan_stack_options *options)
{
	size_t pixels = (size_t)view->width_px * view->height_px;
	bool planar = wan_pixel_is_planar(view->format);
	if (step == 1 && write_signed_planes(view, at, options))
		return;
	for (size_t c = 0; c < 3; c++) {
		size_t first = planar ? c * pixels * wan_pixel_sample_bytes(view->format) : c;
		struct channel channel = {.from = (const char *)view->pixels + first,
					  .format = view->format,
					  .to = at[c],
					  .from_step = 3,
					  .to_step = step};
		if (planar)
			write_floats(&channel, pixels, options);
		else
			write_bytes(&channel, pixels, options);
	}
}

/* --- the stack --- */

/* Known frames of a clip: the images and where they stand. */
struct clip {
	const struct wan_image *images[2];
	uint64_t places[2];
	unsigned count;
	uint64_t frames; /* of the tensor */
	uint32_t width_px, height_px;
};

static int read_clip(const struct wan_image *start, const struct wan_image *end,
		     const struct wan_stack_options *options, struct clip *ret_clip,
		     struct wan_error *reterr_error)
{
	struct clip clip = {.frames = options->frames};
	const struct wan_image *first = start ? start : end;
	if (!first)
		return wan_error_set(reterr_error, -EINVAL, "stack", "",
				     "neither a start nor an end image was given");
	clip.width_px = first->view.width_px;
	clip.height_px = first->view.height_px;
	if (end && (end->view.width_px != clip.width_px || end->view.height_px != clip.height_px))
		return wan_error_set(reterr_error, -EINVAL, "stack",
				     "frame both for the same size first",
				     "start is %ux%u, end %ux%u", clip.width_px, clip.height_px,
				     end->view.width_px, end->view.height_px);
	if (start && end && options->own_end_frame)
		clip.frames++;
	if (options->known_alone)
		clip.frames = (start != NULL) + (end != NULL);
	if (start)
		clip.images[clip.count++] = start;
	if (end) {
		clip.places[clip.count] = clip.frames - 1;
		clip.images[clip.count++] = end;
	}
	if (clip.count > clip.frames)
		return wan_error_set(reterr_error, -EINVAL, "stack", "give at least 5 frames",
				     "a clip of one frame cannot have two images");
	*ret_clip = clip;
	return 0;
}

static void describe(const struct clip *clip, const struct wan_stack_options *options,
		     struct wan_stack_view *ret_view)
{
	*ret_view = (struct wan_stack_view){.type = options->type,
					    .constant = options->unit_range ? 0.5f : 0};
	uint64_t *shape = ret_view->shape;
	if (options->layout == WAN_STACK_NCTHW)
		*shape++ = 1;
	if (options->layout != WAN_STACK_THWC)
		*shape++ = 3;
	*shape++ = clip->frames;
	*shape++ = clip->height_px;
	*shape++ = clip->width_px;
	if (options->layout == WAN_STACK_THWC)
		*shape++ = 3;
	ret_view->dimensions = (uint32_t)(shape - ret_view->shape);
}

/* Where frame `place` of channel c begins, in elements. */
static size_t first_element(const struct clip *clip, const struct wan_stack_options *options,
			    uint64_t place, size_t c)
{
	size_t pixels = (size_t)clip->width_px * clip->height_px;
	if (options->layout == WAN_STACK_THWC)
		return place * pixels * 3 + c;
	return (c * clip->frames + place) * pixels;
}

static uint32_t known_ranges(const struct clip *clip, const struct wan_stack_options *options,
			     struct wan_stack_range *ranges)
{
	size_t element_bytes = wan_tensor_type_bytes(options->type);
	size_t pixels = (size_t)clip->width_px * clip->height_px;
	bool whole = options->layout == WAN_STACK_THWC;
	uint32_t count = 0;
	for (size_t c = 0; c < (whole ? 1 : 3); c++) {
		for (unsigned i = 0; i < clip->count; i++)
			ranges[count++] = (struct wan_stack_range){
				.offset_bytes = first_element(clip, options, clip->places[i], c) *
						element_bytes,
				.bytes = pixels * (whole ? 3 : 1) * element_bytes,
			};
	}
	return count;
}

static int write_known(struct wan_stack *stack, const struct clip *clip,
		       const struct wan_stack_options *options)
{
	size_t element_bytes = wan_tensor_type_bytes(options->type);
	for (unsigned i = 0; i < clip->count; i++) {
		wan_cleanup(wan_image_unrefp) struct wan_image *rgb = NULL;
		const struct wan_image *image = clip->images[i];
		if (!wan_pixel_is_planar(image->view.format)) {
			int error = wan_image_convert(image, WAN_PIXEL_RGB8, WAN_ALPHA_DROP, &rgb);
			if (error < 0)
				return error;
			image = rgb;
		}
		char *at[3];
		for (size_t c = 0; c < 3; c++)
			at[c] = (char *)stack->view.data +
				first_element(clip, options, clip->places[i], c) * element_bytes;
		write_frame(&image->view, at, options->layout == WAN_STACK_THWC ? 3 : 1, options);
	}
	return 0;
}

int wan_stack_create(const struct wan_image *start, const struct wan_image *end,
		     const struct wan_stack_options *given, struct wan_stack **ret_stack,
		     struct wan_error *reterr_error)
{
	struct wan_stack_options options;
	struct wan_stack_range ranges[WAN_STACK_RANGES_MAX];
	struct wan_stack_view view;
	struct wan_stack *stack;
	struct clip clip = {0};

	int error = wan_stack_read_options(given, &options, reterr_error);
	if (error == 0)
		error = read_clip(start, end, &options, &clip, reterr_error);
	if (error < 0)
		return error;
	describe(&clip, &options, &view);
	size_t bytes;
	error = wan_stack_bytes(&view, &bytes);
	if (error == 0)
		error = wan_stack_map(&view, ranges, known_ranges(&clip, &options, ranges), &stack);
	if (error == 0) {
		error = write_known(stack, &clip, &options);
		if (error < 0)
			wan_stack_unref(stack);
	}
	if (error < 0)
		return wan_error_set(reterr_error, error, "stack", "", "%s", wan_strerror(error));
	if (options.pinned)
		wan_stack_lock(stack);
	*ret_stack = stack;
	return 0;
}
