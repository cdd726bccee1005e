/* SPDX-License-Identifier: MIT */
/* Framed pictures, tensors, stacks and conversions through the runtime: right, cached, recorded. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wan/wan.h>

#include "tap.h"

static const char *picture; /* tests/golden/pattern.png, 320x256 RGB */
static const struct wan_size target = {832, 480};

static struct wan_runtime *make(void)
{
	static const struct wan_setting settings[] = {{"cache.limit", "64M"}};
	struct wan_runtime_options options;
	struct wan_runtime *runtime = NULL;
	wan_runtime_options_init(&options);
	options.settings = settings;
	options.setting_count = 1;
	options.ignore_files = true;
	CHECK_EQ(wan_runtime_create(&options, &runtime, NULL), 0);
	return runtime;
}

static bool same_pixels(const struct wan_image *a, const struct wan_image *b)
{
	struct wan_image_view x, y;
	wan_image_view(a, &x);
	wan_image_view(b, &y);
	return x.format == y.format && x.width_px == y.width_px && x.height_px == y.height_px &&
	       x.pixels_bytes == y.pixels_bytes && memcmp(x.pixels, y.pixels, x.pixels_bytes) == 0;
}

static void check_framed(struct wan_runtime *runtime, enum wan_pipeline pipeline)
{
	struct wan_framing framing;
	struct wan_image *decoded = NULL, *framed = NULL;
	struct wan_pin *pin = NULL, *again = NULL;
	struct wan_error error = {0};
	bool hit;
	REQUIRE_EQ(wan_frame(pipeline, (struct wan_size){320, 256}, target, &framing), 0);
	struct wan_picture start = {.path = picture, .framing = &framing};
	REQUIRE_EQ(wan_image_decode(picture, NULL, &decoded, NULL), 0);
	REQUIRE_EQ(wan_image_frame(decoded, &framing, &framed), 0);
	/* Two pipelines that frame alike share it, so this one may be there. */
	REQUIRE_EQ(wan_framed(runtime, &start, false, &pin, &hit, &error), 0);
	CHECK(same_pixels(wan_pin_image(pin), framed));
	REQUIRE_EQ(wan_framed(runtime, &start, false, &again, &hit, &error), 0);
	CHECK(hit);
	CHECK(wan_pin_image(again) == wan_pin_image(pin));
	wan_pin_release(pin);
	wan_pin_release(again);
	wan_image_unref(decoded);
	wan_image_unref(framed);
}

TEST(a_file_is_framed_as_each_pipeline_does_and_once)
{
	struct wan_runtime *runtime = make();
	for (int pipeline = 0; pipeline < WAN_PIPELINES; pipeline++)
		check_framed(runtime, (enum wan_pipeline)pipeline);
	wan_runtime_unref(runtime);
}

TEST(a_tensor_is_not_mistaken_for_the_picture)
{
	struct wan_runtime *runtime = make();
	struct wan_framing framing;
	struct wan_pin *bytes = NULL, *floats = NULL;
	struct wan_image_view view;
	bool hit;
	REQUIRE_EQ(wan_frame(WAN_PIPELINE_A14B, (struct wan_size){320, 256}, target, &framing), 0);
	struct wan_picture start = {.path = picture, .framing = &framing};
	REQUIRE_EQ(wan_framed(runtime, &start, false, &bytes, &hit, NULL), 0);
	REQUIRE_EQ(wan_framed(runtime, &start, true, &floats, &hit, NULL), 0);
	CHECK(!hit);
	wan_image_view(wan_pin_image(floats), &view);
	CHECK_EQ(view.format, WAN_PIXEL_RGBF32_PLANAR);
	CHECK_EQ(view.width_px, framing.output.width_px);
	CHECK_EQ(view.height_px, framing.output.height_px);
	wan_pin_release(bytes);
	wan_pin_release(floats);
	wan_runtime_unref(runtime);
}

static void conditioning(struct wan_runtime *runtime, enum wan_pipeline pipeline, bool with_end,
			 struct wan_stack_view *ret_view, bool *ret_hit, struct wan_pin **ret_pin)
{
	struct wan_framing framing;
	struct wan_stack_options options;
	REQUIRE_EQ(wan_frame(pipeline, (struct wan_size){320, 256}, target, &framing), 0);
	REQUIRE_EQ(wan_stack_options_init(&options, pipeline), 0);
	struct wan_picture start = {.path = picture, .framing = &framing}, end = start;
	REQUIRE_EQ(wan_conditioning(runtime, &start, with_end ? &end : NULL, &options, ret_pin,
				    ret_hit, NULL),
		   0);
	wan_stack_view(wan_pin_stack(*ret_pin), ret_view);
}

TEST(a_stack_is_built_once_and_charged_with_what_it_holds)
{
	struct wan_runtime *runtime = make();
	struct wan_cache_stats stats = {.struct_size = sizeof(stats)};
	struct wan_stack_view view, again_view;
	struct wan_pin *pin = NULL, *again = NULL;
	bool hit = true;
	conditioning(runtime, WAN_PIPELINE_DIFFUSERS, true, &view, &hit, &pin);
	CHECK(!hit);
	CHECK_EQ(view.range_count, 4);
	wan_cache_stats(wan_runtime_cache(runtime), &stats);
	/* 81 frames are twice the ceiling and more; what is held is not. */
	CHECK(view.bytes > 2 * stats.limit_bytes);
	CHECK(stats.used_bytes <= stats.limit_bytes);
	CHECK(stats.used_bytes >= view.held_bytes);
	CHECK_EQ(wan_pin_bytes(pin), view.held_bytes);
	conditioning(runtime, WAN_PIPELINE_DIFFUSERS, true, &again_view, &hit, &again);
	CHECK(hit);
	CHECK(again_view.data == view.data);
	wan_pin_release(again);
	conditioning(runtime, WAN_PIPELINE_DIFFUSERS, false, &again_view, &hit, &again);
	CHECK(!hit);
	wan_pin_release(again);
	conditioning(runtime, WAN_PIPELINE_COMFYUI, true, &again_view, &hit, &again);
	CHECK(!hit);
	wan_pin_release(again);
	wan_pin_release(pin);
	wan_runtime_unref(runtime);
}

TEST(known_frames_of_a_stack_are_the_tensors)
{
	struct wan_runtime *runtime = make();
	struct wan_framing framing;
	struct wan_stack_view view;
	struct wan_image_view tensor;
	struct wan_pin *pin = NULL, *frame = NULL;
	bool hit;
	conditioning(runtime, WAN_PIPELINE_A14B, false, &view, &hit, &pin);
	REQUIRE_EQ(wan_frame(WAN_PIPELINE_A14B, (struct wan_size){320, 256}, target, &framing), 0);
	struct wan_picture start = {.path = picture, .framing = &framing};
	REQUIRE_EQ(wan_framed(runtime, &start, true, &frame, &hit, NULL), 0);
	CHECK(hit); /* made for the stack */
	wan_image_view(wan_pin_image(frame), &tensor);
	size_t plane = (size_t)tensor.width_px * tensor.height_px * sizeof(float);
	for (size_t c = 0; c < 3; c++)
		CHECK_MEM((const char *)view.data + c * 81 * plane,
			  (const char *)tensor.pixels + c * plane, plane);
	wan_pin_release(frame);
	wan_pin_release(pin);
	wan_runtime_unref(runtime);
}

TEST(a_conversion_is_the_file_that_would_be_written_and_once)
{
	struct wan_runtime *runtime = make();
	struct wan_encode_options options;
	struct wan_image *decoded = NULL;
	struct wan_pin *pin = NULL, *again = NULL;
	void *bytes = NULL;
	size_t count = 0;
	bool hit = true;
	wan_encode_options_init(&options);
	options.format = WAN_FORMAT_JPEG;
	REQUIRE_EQ(wan_image_decode(picture, NULL, &decoded, NULL), 0);
	REQUIRE_EQ(wan_image_encode_memory(decoded, &options, &bytes, &count, NULL), 0);
	REQUIRE_EQ(wan_convert(runtime, picture, &options, &pin, &hit, NULL), 0);
	CHECK(!hit);
	REQUIRE_EQ(wan_pin_bytes(pin), count);
	CHECK_MEM(wan_pin_data(pin), bytes, count);
	REQUIRE_EQ(wan_convert(runtime, picture, &options, &again, &hit, NULL), 0);
	CHECK(hit);
	wan_pin_release(again);
	options.jpeg_quality = 50;
	REQUIRE_EQ(wan_convert(runtime, picture, &options, &again, &hit, NULL), 0);
	CHECK(!hit);
	CHECK(wan_pin_bytes(again) < count);
	wan_pin_release(again);
	wan_pin_release(pin);
	wan_encoded_free(bytes);
	wan_image_unref(decoded);
	wan_runtime_unref(runtime);
}

TEST(a_framing_of_another_size_is_refused_by_name)
{
	struct wan_runtime *runtime = make();
	struct wan_framing framing;
	struct wan_pin *pin = NULL;
	struct wan_error error = {0};
	REQUIRE_EQ(wan_frame(WAN_PIPELINE_TI2V, (struct wan_size){640, 480}, target, &framing), 0);
	struct wan_picture start = {.path = picture, .framing = &framing};
	CHECK_EQ(wan_framed(runtime, &start, false, &pin, NULL, &error), -EINVAL);
	CHECK(strstr(error.reason, "320 x 256") != NULL);
	CHECK_STR(error.object, picture);
	wan_runtime_unref(runtime);
}

TEST(what_is_missing_or_cannot_be_read_is_said)
{
	struct wan_runtime *runtime = make();
	struct wan_stack_options options;
	struct wan_framing framing;
	struct wan_pin *pin = NULL;
	struct wan_error error = {0};
	REQUIRE_EQ(wan_frame(WAN_PIPELINE_TI2V, (struct wan_size){320, 256}, target, &framing), 0);
	REQUIRE_EQ(wan_stack_options_init(&options, WAN_PIPELINE_TI2V), 0);
	struct wan_picture absent = {.path = "/no/such/picture.png", .framing = &framing};
	CHECK_EQ(wan_framed(runtime, &absent, false, &pin, NULL, &error), -ENOENT);
	CHECK_STR(error.object, absent.path);
	CHECK_EQ(wan_conditioning(runtime, NULL, &absent, &options, &pin, NULL, &error), -ENOENT);
	CHECK_EQ(wan_convert(runtime, absent.path, NULL, &pin, NULL, &error), -ENOENT);
	CHECK_EQ(wan_framed(runtime, NULL, false, &pin, NULL, &error), -EINVAL);
	CHECK_EQ(wan_conditioning(runtime, NULL, NULL, &options, &pin, NULL, &error), -EINVAL);
	CHECK_EQ(wan_convert(runtime, NULL, NULL, &pin, NULL, &error), -EINVAL);
	struct wan_encode_options wrong = {.struct_size = 3};
	CHECK_EQ(wan_convert(runtime, picture, &wrong, &pin, NULL, &error), -EINVAL);
	CHECK(pin == NULL);
	CHECK(wan_pin_stack(NULL) == NULL);
	wan_runtime_unref(runtime);
}

int main(int argc, char **argv)
{
	picture = getenv("WAN_TEST_PICTURE");
	if (!picture) {
		puts("Bail out! WAN_TEST_PICTURE is not set");
		return 1;
	}
	return tap_main(argc, argv);
}
