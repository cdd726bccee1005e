/* SPDX-License-Identifier: MIT */
#include "wan/stack.h"

#include <dlfcn.h>
#include <errno.h>
#include <sys/mman.h>

#include "fault.h"
#include "files.h"
#include "half.h"
#include "normalise.h"
#include "sample.h"
#include "stack.h"
#include "tap.h"

static float half_value(uint16_t bits)
{
	int exponent = bits >> 10 & 31, mantissa = bits & 1023;
	float value = exponent ? (float)(1024 + mantissa) : (float)mantissa;
	for (int i = exponent ? exponent : 1; i < 25; i++)
		value *= 0.5f;
	for (int i = 25; i < exponent; i++)
		value *= 2;
	return bits & 0x8000 ? -value : value;
}

static float element_of(const struct wan_stack_view *view, size_t index)
{
	if (view->type == WAN_TENSOR_F32)
		return ((const float *)view->data)[index];
	uint16_t bits = ((const uint16_t *)view->data)[index];
	if (view->type == WAN_TENSOR_F16)
		return half_value(bits);
	uint32_t wide = (uint32_t)bits << 16;
	float value;
	memcpy(&value, &wide, sizeof(value));
	return value;
}

/* What a pipeline computes, said in the simplest way: every element by its index. */
static float expected(const struct wan_stack_view *view, const struct wan_stack_options *options,
		      bool has_start, bool has_end, size_t index)
{
	const uint64_t *shape = view->shape + (options->layout == WAN_STACK_NCTHW);
	uint64_t c, t, y, x, frames;
	if (options->layout == WAN_STACK_THWC) {
		c = index % 3, x = index / 3 % shape[2], y = index / 3 / shape[2] % shape[1];
		t = index / 3 / shape[2] / shape[1], frames = shape[0];
	} else {
		x = index % shape[3], y = index / shape[3] % shape[2];
		t = index / shape[3] / shape[2] % shape[1], frames = shape[1];
		c = index / shape[3] / shape[2] / shape[1];
	}
	bool known = (has_start && t == 0) || (has_end && t == frames - 1);
	if (!known)
		return options->unit_range ? 0.5f : 0;
	uint8_t byte = sample_byte((uint32_t)x, (uint32_t)y, (uint32_t)c);
	if (!has_start || t)
		byte = (uint8_t)(255 - byte); /* the end image is the negative */
	float value =
		options->unit_range ? (float)byte / 255.0f : ((float)byte / 255.0f - 0.5f) / 0.5f;
	uint32_t bits = wan_float_bits(value);
	if (view->type == WAN_TENSOR_F16)
		return half_value(wan_f16_from_float(value));
	if (view->type == WAN_TENSOR_BF16) {
		bits = (uint32_t)wan_bf16_from_float(value) << 16;
		memcpy(&value, &bits, sizeof(value));
	}
	return value;
}

static struct wan_image *negative_image(uint32_t width, uint32_t height)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, width, height);
	uint8_t *bytes = wan_image_pixels_mut(image);
	for (size_t i = 0; i < (size_t)width * height * 3; i++)
		bytes[i] = (uint8_t)(255 - bytes[i]);
	return image;
}

static void check_all(const struct wan_stack *stack, const struct wan_stack_options *options,
		      bool has_start, bool has_end)
{
	struct wan_stack_view view;
	wan_stack_view(stack, &view);
	size_t count = view.bytes / wan_tensor_type_bytes(view.type), wrong = 0;
	for (size_t i = 0; i < count; i++)
		wrong += element_of(&view, i) != expected(&view, options, has_start, has_end, i);
	CHECK_EQ(wrong, 0);
}

static void check_pipeline(enum wan_pipeline pipeline, enum wan_tensor_type type, uint32_t width,
			   uint32_t height, uint32_t frames)
{
	struct wan_image *start = sample_image(WAN_PIXEL_RGB8, width, height);
	struct wan_image *end = negative_image(width, height);
	struct wan_stack_options options;
	REQUIRE_EQ(wan_stack_options_init(&options, pipeline), 0);
	options.type = type;
	options.frames = frames;
	for (int which = 1; which < 4; which++) {
		struct wan_stack *stack = NULL;
		REQUIRE_EQ(wan_stack_create(which & 1 ? start : NULL, which & 2 ? end : NULL,
					    &options, &stack, NULL),
			   0);
		check_all(stack, &options, which & 1, which & 2);
		wan_stack_unref(stack);
	}
	wan_image_unref(start);
	wan_image_unref(end);
}

TEST(every_element_is_that_of_the_pipeline)
{
	for (int pipeline = 0; pipeline < WAN_PIPELINES; pipeline++) {
		for (int type = WAN_TENSOR_F32; type <= WAN_TENSOR_BF16; type++)
			check_pipeline((enum wan_pipeline)pipeline, (enum wan_tensor_type)type, 48,
				       32, 9);
	}
	/* Planes that share pages, that fill several huge pages, and one pixel. */
	check_pipeline(WAN_PIPELINE_A14B, WAN_TENSOR_F32, 1, 1, 5);
	check_pipeline(WAN_PIPELINE_COMFYUI, WAN_TENSOR_F16, 3, 5, 81);
	check_pipeline(WAN_PIPELINE_DIFFUSERS, WAN_TENSOR_F32, 832, 480, 9);
	check_pipeline(WAN_PIPELINE_COMFYUI, WAN_TENSOR_F32, 832, 480, 5);
}

TEST(shapes_are_those_of_the_pipelines)
{
	struct wan_image *start = sample_image(WAN_PIXEL_RGB8, 64, 48);
	struct wan_stack_options options;
	struct wan_stack_view view;
	static const struct {
		enum wan_pipeline pipeline;
		uint32_t dimensions;
		uint64_t shape[5];
	} rows[] = {
		{WAN_PIPELINE_A14B, 4, {3, 81, 48, 64}},
		{WAN_PIPELINE_DIFFUSERS, 5, {1, 3, 81, 48, 64}},
		{WAN_PIPELINE_COMFYUI, 4, {81, 48, 64, 3}},
		{WAN_PIPELINE_KIJAI, 4, {3, 82, 48, 64}},
		{WAN_PIPELINE_TI2V, 4, {3, 2, 48, 64}},
		{WAN_PIPELINE_WAN2GP_AREA, 4, {3, 81, 48, 64}},
		{WAN_PIPELINE_DIFFUSERS_TI2V, 5, {1, 3, 2, 48, 64}},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wan_stack *stack = NULL;
		REQUIRE_EQ(wan_stack_options_init(&options, rows[i].pipeline), 0);
		REQUIRE_EQ(wan_stack_create(start, start, &options, &stack, NULL), 0);
		wan_stack_view(stack, &view);
		CHECK_EQ(view.dimensions, rows[i].dimensions);
		CHECK_MEM(view.shape, rows[i].shape, sizeof(rows[i].shape));
		CHECK_EQ((uintptr_t)view.data % (2 * 1024 * 1024), 0);
		wan_stack_unref(stack);
	}
	wan_image_unref(start);
}

static size_t resident_bytes(void)
{
	unsigned long total = 0, resident = 0, shared = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	if (!file || fscanf(file, "%lu %lu %lu", &total, &resident, &shared) != 3)
		resident = 0;
	if (file)
		fclose(file);
	return (size_t)resident * 4096;
}

TEST(only_what_is_known_is_held)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	SKIP("a sanitizer's shadow is resident too");
#endif
	struct wan_image *start = sample_image(WAN_PIXEL_RGB8, 1280, 720);
	struct wan_stack_options options;
	struct wan_stack_view view;
	struct wan_stack *stack;
	REQUIRE_EQ(wan_stack_options_init(&options, WAN_PIPELINE_A14B), 0);
	size_t before = resident_bytes();
	REQUIRE_EQ(wan_stack_create(start, NULL, &options, &stack, NULL), 0);
	size_t held = resident_bytes() - before;
	wan_stack_view(stack, &view);
	CHECK_EQ(view.bytes, 1280ull * 720 * 81 * 3 * 4);
	CHECK_EQ(view.known_bytes, 1280ull * 720 * 3 * 4);
	CHECK(view.held_bytes < view.known_bytes * 11 / 10);
	CHECK(held < view.known_bytes * 11 / 10);
	wan_stack_unref(stack);
	REQUIRE_EQ(wan_stack_options_init(&options, WAN_PIPELINE_COMFYUI), 0);
	REQUIRE_EQ(wan_stack_create(start, NULL, &options, &stack, NULL), 0);
	wan_stack_view(stack, &view);
	CHECK(view.held_bytes <= view.known_bytes * 11 / 10);
	wan_stack_unref(stack);
	wan_image_unref(start);
}

TEST(writing_to_a_constant_frame_changes_that_place_alone)
{
	struct wan_image *start = sample_image(WAN_PIXEL_RGB8, 256, 256);
	struct wan_stack_options options;
	struct wan_stack_view view;
	struct wan_stack *stack;
	REQUIRE_EQ(wan_stack_options_init(&options, WAN_PIPELINE_COMFYUI), 0);
	REQUIRE_EQ(wan_stack_create(start, NULL, &options, &stack, NULL), 0);
	wan_stack_view(stack, &view);
	float *elements = view.data;
	size_t count = view.bytes / 4, middle = count / 2, other = 0;
	elements[middle] = 7;
	for (size_t i = 256 * 256 * 3; i < count; i++)
		other += i != middle && elements[i] != 0.5f;
	CHECK_EQ(other, 0);
	CHECK(elements[middle] == 7);
	wan_stack_unref(stack);
	wan_image_unref(start);
}

TEST(planar_images_are_taken_as_they_are)
{
	struct wan_image *rgb = sample_image(WAN_PIXEL_RGB8, 40, 24), *planar = NULL;
	struct wan_stack_options options;
	struct wan_stack_view view;
	struct wan_image_view pixels;
	struct wan_stack *stack;
	REQUIRE_EQ(wan_image_normalise(rgb, &planar), 0);
	((float *)wan_image_pixels_mut(planar))[5] = 1.375f; /* overshoot of the official code */
	wan_image_view(planar, &pixels);
	REQUIRE_EQ(wan_stack_options_init(&options, WAN_PIPELINE_A14B), 0);
	options.frames = 5;
	REQUIRE_EQ(wan_stack_create(planar, NULL, &options, &stack, NULL), 0);
	wan_stack_view(stack, &view);
	for (size_t c = 0; c < 3; c++)
		CHECK_MEM((float *)view.data + c * 5 * 960, (float *)pixels.pixels + c * 960,
			  960 * 4);
	wan_stack_unref(stack);
	options.type = WAN_TENSOR_BF16;
	REQUIRE_EQ(wan_stack_create(planar, NULL, &options, &stack, NULL), 0);
	wan_stack_view(stack, &view);
	CHECK(element_of(&view, 5) == 1.375f);
	wan_stack_unref(stack);
	struct wan_image *half = NULL;
	REQUIRE_EQ(wan_image_convert(rgb, WAN_PIXEL_RGBBF16_PLANAR, WAN_ALPHA_DROP, &half), 0);
	wan_image_view(half, &pixels);
	options.type = WAN_TENSOR_F32;
	REQUIRE_EQ(wan_stack_create(half, NULL, &options, &stack, NULL), 0);
	wan_stack_view(stack, &view);
	for (size_t i = 0; i < 960; i++)
		CHECK(element_of(&view, i) ==
		      wan_float_of_bf16(((const uint16_t *)pixels.pixels)[i]));
	wan_stack_unref(stack);
	wan_image_unref(half);
	wan_image_unref(planar);
	wan_image_unref(rgb);
}

/* The official code's way: flags of frames, the first four times, four to a latent frame. */
static float expected_mask(const struct wan_stack_options *options, bool has_start, bool has_end,
			   uint64_t value, uint64_t latent)
{
	bool own_end = options->own_end_frame && has_start && has_end;
	uint32_t frames = options->frames + own_end, used = 0;
	static bool flags[1000];
	for (uint32_t frame = 0; frame < frames; frame++) {
		bool known = (has_start && frame == 0) || (has_end && frame == frames - 1);
		unsigned times = frame == 0 || (own_end && frame == frames - 1) ? 4 : 1;
		while (times--)
			flags[used++] = known;
	}
	return flags[latent * 4 + value] != options->known_is_zero;
}

static void check_mask(enum wan_pipeline pipeline, uint32_t frames, int which)
{
	struct wan_stack_options options;
	struct wan_stack_view view;
	struct wan_stack *mask = NULL;
	struct wan_size size = {832, 464};
	size_t wrong = 0;
	REQUIRE_EQ(wan_stack_options_init(&options, pipeline), 0);
	options.frames = frames;
	REQUIRE_EQ(wan_stack_mask(size, which & 1, which & 2, &options, &mask, NULL), 0);
	wan_stack_view(mask, &view);
	size_t plane = view.shape[2] * view.shape[3];
	CHECK_EQ(view.shape[0], 4);
	CHECK_EQ(plane, 104 * 58);
	for (uint64_t i = 0; i < view.shape[0] * view.shape[1]; i++) {
		float want = expected_mask(&options, which & 1, which & 2, i / view.shape[1],
					   i % view.shape[1]);
		for (size_t k = 0; k < plane; k++)
			wrong += element_of(&view, i * plane + k) != want;
	}
	CHECK_EQ(wrong, 0);
	wan_stack_unref(mask);
}

TEST(masks_mark_the_known_frames_in_their_latent_frames)
{
	static const enum wan_pipeline pipelines[] = {WAN_PIPELINE_A14B, WAN_PIPELINE_DIFFUSERS,
						      WAN_PIPELINE_COMFYUI, WAN_PIPELINE_KIJAI};
	for (size_t i = 0; i < 4; i++) {
		for (int which = 0; which < 4; which++) {
			check_mask(pipelines[i], 81, which);
			check_mask(pipelines[i], 5, which);
			check_mask(pipelines[i], 1, which & 1);
		}
	}
}

static void check_mask_by_latent(enum wan_pipeline pipeline)
{
	struct wan_stack_options options;
	struct wan_stack_view view;
	struct wan_stack *mask = NULL;
	REQUIRE_EQ(wan_stack_options_init(&options, pipeline), 0);
	REQUIRE_EQ(wan_stack_mask((struct wan_size){1280, 704}, true, false, &options, &mask, NULL),
		   0);
	wan_stack_view(mask, &view);
	uint64_t shape[4] = {1, 31, 44, 80};
	CHECK_MEM(view.shape, shape, sizeof(shape));
	for (size_t latent = 0; latent < 31; latent++)
		CHECK(element_of(&view, latent * 44 * 80 + 17) == (latent ? 1.0f : 0.0f));
	wan_stack_unref(mask);
}

TEST(the_mask_of_ti2v_is_one_value_for_each_latent_frame)
{
	check_mask_by_latent(WAN_PIPELINE_TI2V);
	check_mask_by_latent(WAN_PIPELINE_DIFFUSERS_TI2V);
}

TEST(ti2v_encodes_the_one_frame_that_is_known)
{
	struct wan_image *start = sample_image(WAN_PIXEL_RGB8, 64, 32);
	struct wan_stack_options options;
	struct wan_stack_view view;
	struct wan_stack *stack = NULL;
	REQUIRE_EQ(wan_stack_options_init(&options, WAN_PIPELINE_DIFFUSERS_TI2V), 0);
	CHECK_EQ(options.frames, 121);
	CHECK_EQ(options.latent_step, 16);
	REQUIRE_EQ(wan_stack_create(start, NULL, &options, &stack, NULL), 0);
	wan_stack_view(stack, &view);
	uint64_t shape[5] = {1, 3, 1, 32, 64};
	CHECK_EQ(view.dimensions, 5);
	CHECK_MEM(view.shape, shape, sizeof(shape));
	wan_stack_unref(stack);
	wan_image_unref(start);
}

TEST(what_cannot_be_built_is_refused_with_a_reason)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 32, 32);
	struct wan_image *other = sample_image(WAN_PIXEL_RGB8, 32, 31);
	struct wan_stack_options options;
	struct wan_stack *stack = NULL;
	struct wan_error error;
	CHECK_EQ(wan_stack_options_init(&options, (enum wan_pipeline)99), -EINVAL);
	REQUIRE_EQ(wan_stack_options_init(&options, WAN_PIPELINE_DIFFUSERS), 0);
	CHECK_EQ(wan_stack_create(NULL, NULL, &options, &stack, &error), -EINVAL);
	CHECK_EQ(wan_stack_create(image, other, &options, &stack, &error), -EINVAL);
	CHECK(strstr(error.reason, "32x31") != NULL);
	CHECK_EQ(wan_stack_create(image, NULL, NULL, &stack, &error), -EINVAL);
	options.frames = 1;
	CHECK_EQ(wan_stack_create(image, image, &options, &stack, &error), -EINVAL);
	options.frames = 0;
	CHECK_EQ(wan_stack_create(image, NULL, &options, &stack, &error), -EINVAL);
	options.frames = 16;
	CHECK_EQ(wan_stack_mask((struct wan_size){64, 64}, true, false, &options, &stack, &error),
		 -EINVAL);
	options.frames = 17;
	CHECK_EQ(wan_stack_mask((struct wan_size){7, 64}, true, false, &options, &stack, &error),
		 -EINVAL);
	options.type = (enum wan_tensor_type)9;
	CHECK_EQ(wan_stack_create(image, NULL, &options, &stack, &error), -EINVAL);
	options.type = WAN_TENSOR_F32;
	options.struct_size++;
	CHECK_EQ(wan_stack_create(image, NULL, &options, &stack, &error), -EINVAL);
	CHECK(stack == NULL);
	wan_stack_unref(NULL);
	CHECK(wan_stack_ref(NULL) == NULL);
	wan_image_unref(image);
	wan_image_unref(other);
}

TEST(an_absurd_size_is_an_error_before_anything_is_mapped)
{
	struct wan_stack_view shape = {.dimensions = 4,
				       .shape = {UINT32_MAX, UINT32_MAX, UINT32_MAX, 2}};
	struct wan_stack *stack;
	CHECK_EQ(wan_stack_map(&shape, NULL, 0, &stack), -EOVERFLOW);
	shape.shape[2] = 1;
	shape.shape[3] = 1;
	CHECK(wan_stack_map(&shape, NULL, 0, &stack) < 0);
}

static void build_and_write(void *context)
{
	struct wan_image *image = context;
	struct wan_stack *stack = NULL, *mask = NULL;
	struct wan_stack_options options;
	const char *path = in_test_folder("fault.safetensors");
	REQUIRE_EQ(wan_stack_options_init(&options, WAN_PIPELINE_COMFYUI), 0);
	options.frames = 5;
	(void)!wan_stack_mask((struct wan_size){96, 64}, true, false, &options, &mask, NULL);
	if (wan_stack_create(image, NULL, &options, &stack, NULL) == 0) {
		struct wan_named_tensor tensors[] = {{.name = "stack", .stack = stack},
						     {.name = "image", .image = image}};
		(void)!wan_write_safetensors(tensors, 2, path, true, NULL);
		(void)!wan_stack_write_npy(stack, path, true, NULL);
	}
	wan_stack_unref(stack);
	wan_stack_unref(mask);
	unlink(path);
}

TEST(every_failing_call_leaves_nothing_behind)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 96, 64);
	wan_pool_set_idle_limit(0);
	CHECK(wan_fault_sweep(build_and_write, image) > 20);
	CHECK_EQ(files_in_test_folder(), 0);
	wan_image_unref(image);
}

TEST(pages_of_known_frames_are_locked_when_there_is_cuda)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 100, 100);
	struct wan_stack_options options;
	struct wan_stack_view view;
	struct wan_stack *stack;
	void *cudart = dlopen(getenv("WAN_CUDART"), RTLD_NOW);
	REQUIRE(cudart != NULL);
	int (*registered)(void) = (int (*)(void))dlsym(cudart, "wan_fake_cuda_registered");
	REQUIRE_EQ(wan_stack_options_init(&options, WAN_PIPELINE_DIFFUSERS), 0);
	options.pinned = true;
	REQUIRE_EQ(wan_stack_create(image, image, &options, &stack, NULL), 0);
	wan_stack_view(stack, &view);
	CHECK(view.pinned);
	/* Start of the first plane, then end and start of neighbours, then the last end. */
	CHECK_EQ(registered(), 4);
	wan_stack_unref(stack);
	CHECK_EQ(registered(), 0);
	setenv("WAN_FAKE_CUDA_ERROR", "2", 1);
	REQUIRE_EQ(wan_stack_create(image, image, &options, &stack, NULL), 0);
	wan_stack_view(stack, &view);
	CHECK(!view.pinned);
	wan_stack_unref(stack);
	unsetenv("WAN_FAKE_CUDA_ERROR");
	wan_image_unref(image);
	dlclose(cudart);
}

TAP_MAIN
