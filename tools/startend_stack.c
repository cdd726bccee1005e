/* SPDX-License-Identifier: MIT */
/* Tensors of wan-startend: one for each image, and the clip's conditioning stack with its mask. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "startend.h"

#define PATH_BYTES       20480
#define STACK_FRAMES_MAX 65536u /* of struct wan_stack_options */

static enum wan_pipeline pipeline_of(const struct startend_options *options)
{
	return options->has_pipeline ? options->pipeline : WAN_PIPELINE_DIFFUSERS_EXACT;
}

const char *startend_tensor_suffix(const struct startend_options *options)
{
	return options->safetensors ? ".safetensors" : ".npy";
}

const char *startend_check_stack(const struct startend_options *options)
{
	static char reason[160];
	enum wan_pipeline pipeline = pipeline_of(options);
	const struct wan_pipeline_info *info = wan_pipeline_info(pipeline);
	uint32_t frames, asked = options->frames ? options->frames : info->frames;
	if (pipeline == WAN_PIPELINE_S2V || pipeline == WAN_PIPELINE_ANIMATE) {
		snprintf(reason, sizeof(reason), "%s builds no stack of start and end image",
			 info->name);
		return reason;
	}
	int changed = wan_frame_count(pipeline, asked, &frames);
	if (changed >= 0 && frames > STACK_FRAMES_MAX) {
		snprintf(reason, sizeof(reason),
			 "%s makes %u frames of that; at most %u fit into a stack", info->name,
			 frames, STACK_FRAMES_MAX);
		return reason;
	}
	if (changed == 2) {
		snprintf(reason, sizeof(reason), "%s fails with %u frames; give --frames %u",
			 info->name, asked, frames);
		return reason;
	}
	return NULL;
}

static int complain(int r, const struct wan_error *error)
{
	if (r == 0)
		return 0;
	startend_complain(error);
	return r == -ENOMEM ? STARTEND_NO_MEMORY : STARTEND_CANNOT_WRITE;
}

static int in_the_way(const char *path)
{
	if (access(path, F_OK) != 0)
		return 0;
	startend_say("%s: exists already; use --force to replace it", path);
	return STARTEND_CANNOT_WRITE;
}

int startend_check_stack_outputs(const struct startend_options *options, const char *stem)
{
	char path[PATH_BYTES];
	if (!options->stack || options->force)
		return 0;
	snprintf(path, sizeof(path), "%sstack%s", stem, startend_tensor_suffix(options));
	int status = in_the_way(path);
	if (status || options->safetensors)
		return status;
	snprintf(path, sizeof(path), "%smask.npy", stem);
	return in_the_way(path);
}

int startend_write_tensor(const struct startend_options *options, struct wan_runtime *runtime,
			  struct wan_image *image, const char *path)
{
	static const enum wan_pixel_format formats[] = {
		WAN_PIXEL_RGBF32_PLANAR, WAN_PIXEL_RGBF16_PLANAR, WAN_PIXEL_RGBBF16_PLANAR};
	struct wan_error error = {0};
	struct wan_image_view view;
	struct wan_image *typed = NULL;
	struct wan_op op;
	wan_image_view(image, &view);
	wan_op_begin(wan_runtime_profile(runtime), &op, "tensor.encode");
	wan_op_set_image(&op, view.width_px, view.height_px, view.channels,
			 options->type == WAN_TENSOR_F32 ? 32 : 16, UINT64_MAX);
	int r = wan_image_convert(image, formats[options->type], WAN_ALPHA_DROP, &typed);
	if (r < 0) {
		snprintf(error.object, sizeof(error.object), "%.255s", path);
		snprintf(error.reason, sizeof(error.reason), "%s", wan_strerror(r));
	} else if (options->safetensors) {
		struct wan_named_tensor tensor = {.name = "image", .image = typed};
		r = wan_write_safetensors(&tensor, 1, path, options->force, &error);
	} else {
		r = wan_image_write_npy(typed, path, options->force, &error);
	}
	wan_op_end(&op, r < 0 ? WAN_OP_FAILED : WAN_OP_OK);
	wan_image_unref(typed);
	return complain(r, &error);
}

static int write_files(const struct startend_options *options, const struct wan_stack *stack,
		       const struct wan_stack *mask, const char *stem, struct wan_error *error)
{
	char path[PATH_BYTES];
	snprintf(path, sizeof(path), "%sstack%s", stem, startend_tensor_suffix(options));
	if (options->safetensors) {
		struct wan_named_tensor tensors[] = {{.name = "stack", .stack = stack},
						     {.name = "mask", .stack = mask}};
		return wan_write_safetensors(tensors, 2, path, options->force, error);
	}
	int r = wan_stack_write_npy(stack, path, options->force, error);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%smask.npy", stem);
	return wan_stack_write_npy(mask, path, options->force, error);
}

static void print_stack(const struct startend_options *options, const struct wan_stack_view *view,
			const char *stem)
{
	static const char *const types[] = {"float32", "float16", "bfloat16"};
	printf("  wrote ");
	startend_print_path(stem);
	printf("stack%s [", startend_tensor_suffix(options));
	for (uint32_t i = 0; i < view->dimensions; i++)
		printf("%s%llu", i ? ", " : "", (unsigned long long)view->shape[i]);
	printf("] %s%s; %.1f of %.1f MB are known frames%s\n", types[view->type],
	       options->safetensors ? " with its mask" : ", mask.npy",
	       (double)view->known_bytes / 1048576, (double)view->bytes / 1048576,
	       view->constant == 0 ? ", the rest takes no memory and no disk" : "");
}

int startend_write_stack(const struct startend_options *options, struct wan_runtime *runtime,
			 const struct wan_image *start, const struct wan_image *end,
			 const char *stem)
{
	enum wan_pipeline pipeline = pipeline_of(options);
	struct wan_stack_options how;
	struct wan_stack *stack = NULL, *mask = NULL;
	struct wan_stack_view view;
	struct wan_image_view frame;
	struct wan_error error = {0};
	struct wan_op op;
	wan_image_view(start, &frame);
	wan_op_begin(wan_runtime_profile(runtime), &op, "stack");
	wan_op_set_image(&op, frame.width_px, frame.height_px, 3,
			 options->type == WAN_TENSOR_F32 ? 32 : 16, UINT64_MAX);
	int r = wan_stack_options_init(&how, pipeline);
	how.type = options->type;
	if (r == 0 && options->frames)
		r = wan_frame_count(pipeline, options->frames, &how.frames) < 0 ? -EINVAL : 0;
	if (r == 0)
		r = wan_stack_create(start, end, &how, &stack, &error);
	if (r == 0)
		r = wan_stack_mask((struct wan_size){frame.width_px, frame.height_px}, true,
				   end != NULL, &how, &mask, &error);
	if (r == 0)
		r = write_files(options, stack, mask, stem, &error);
	wan_stack_view(stack, &view);
	wan_op_add_memory(&op, (int64_t)view.held_bytes, view.held_bytes);
	wan_op_end(&op, r < 0 ? WAN_OP_FAILED : WAN_OP_OK);
	if (r == 0 && !options->quiet)
		print_stack(options, &view, stem);
	wan_stack_unref(stack);
	wan_stack_unref(mask);
	return complain(r, &error);
}
