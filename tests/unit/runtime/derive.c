/* SPDX-License-Identifier: MIT */
/* What is made of a picture, and which way: from the decoded file or row by row. */
#include "stages.h"

TEST(many_seeds_with_one_start_image_do_the_work_once)
{
	struct wan_runtime *runtime = make_runtime(NULL, NULL);
	const char *path = picture(10);
	for (int seed = 0; seed < 20; seed++) {
		struct wan_pin *pin = NULL;
		bool hit = false;
		struct wan_verdict verdict;
		REQUIRE_EQ(wan_validate(runtime, path, NULL, &verdict, NULL, NULL), 0);
		REQUIRE_EQ(wan_tensor(runtime, path, 64, 48, WAN_FIT_COVER, WAN_FILTER_LANCZOS,
				      &pin, &hit, NULL),
			   0);
		CHECK_EQ(hit, seed > 0);
		wan_pin_release(pin);
	}
	CHECK_EQ(operations(runtime), 4); /* decode, validation, fit, normalise */
	wan_runtime_unref(runtime);
}

static void check_pixels(const struct wan_pin *pin, uint32_t width, uint32_t height, uint8_t grey)
{
	struct wan_image_view view;
	wan_image_view(wan_pin_image(pin), &view);
	CHECK_EQ(view.width_px, width);
	CHECK_EQ(view.height_px, height);
	CHECK_EQ(view.format, WAN_PIXEL_RGB8);
	const uint8_t *at = view.pixels;
	unsigned differ = 0;
	for (size_t i = 0; i < (size_t)width * height * 3; i++)
		differ += at[i] != grey;
	CHECK_EQ(differ, 0);
}

TEST(a_large_jpeg_is_not_decoded_for_its_thumbnail)
{
	struct wan_runtime *runtime = make_runtime(NULL, NULL);
	const char *path = in_folder("large.jpg");
	write_picture(path, 100, 4000, 3000, WAN_FORMAT_JPEG);
	struct wan_pin *pin = NULL;
	bool hit = true;
	REQUIRE_EQ(wan_thumbnail(runtime, path, 150, 150, &pin, &hit, NULL), 0);
	CHECK(!hit);
	check_pixels(pin, 150, 113, 100);
	wan_pin_release(pin);
	struct wan_cache_stats stats = cache_stats(runtime);
	CHECK_EQ(stats.entries, 1);
	CHECK(stats.used_bytes < 150 * 113 * 3 * 2);
	CHECK_EQ(operations(runtime), 1);
	/* what is decoded already serves: no second look at the file */
	CHECK_EQ(load(runtime, path, NULL), 100);
	REQUIRE_EQ(wan_thumbnail(runtime, path, 256, 256, &pin, NULL, NULL), 0);
	check_pixels(pin, 256, 192, 100);
	wan_pin_release(pin);
	CHECK_EQ(operations(runtime), 3);
	REQUIRE_EQ(wan_thumbnail(runtime, path, 150, 150, &pin, &hit, NULL), 0);
	CHECK(hit);
	wan_pin_release(pin);
	wan_runtime_unref(runtime);
}

TEST(a_source_that_does_not_fit_in_memory_is_resized_row_by_row)
{
	const char *path = in_folder("large.jpg");
	write_picture(path, 100, 4000, 3000, WAN_FORMAT_JPEG);
	wan_pool_trim(0);
	struct wan_runtime *runtime = make_tight_runtime(12 * WAN_MIB);
	struct wan_pin *pin = NULL;
	struct wan_error error = {0};
	CHECK_EQ(wan_load(runtime, path, NULL, &pin, NULL, &error), -ENOMEM);
	CHECK(strstr(error.reason, "process") != NULL); /* which level refused */
	error.code = 0;
	REQUIRE_EQ(wan_fit(runtime, path, 832, 480, WAN_FIT_COVER, WAN_FILTER_LANCZOS, &pin, NULL,
			   &error),
		   0);
	CHECK_EQ(error.code, 0);
	check_pixels(pin, 832, 480, 100);
	wan_pin_release(pin);
	/* the rows of a tensor that large have no room either: said, not tried */
	CHECK_EQ(wan_tensor(runtime, path, 4000, 3000, WAN_FIT_STRETCH, WAN_FILTER_LANCZOS, &pin,
			    NULL, &error),
		 -ENOMEM);
	CHECK(error.reason[0] != '\0');
	struct wan_memory_state state = {.struct_size = sizeof(state)};
	wan_memory_state(runtime->memory, &state);
	CHECK_EQ(state.reserved_bytes, 0);
	wan_runtime_unref(runtime);
}

TEST(a_source_larger_than_the_ceiling_is_resized_row_by_row)
{
	struct wan_runtime *runtime = make_runtime("cache.limit", "8M");
	const char *path = in_folder("large.png");
	write_picture(path, 100, 2400, 1500, WAN_FORMAT_PNG);
	struct wan_pin *pin = NULL;
	REQUIRE_EQ(wan_fit(runtime, path, 640, 400, WAN_FIT_STRETCH, WAN_FILTER_BICUBIC, &pin, NULL,
			   NULL),
		   0);
	check_pixels(pin, 640, 400, 100);
	wan_pin_release(pin);
	REQUIRE_EQ(wan_thumbnail(runtime, path, 600, 600, &pin, NULL, NULL), 0);
	check_pixels(pin, 600, 375, 100);
	wan_pin_release(pin);
	CHECK_EQ(operations(runtime), 2);
	CHECK_EQ(cache_stats(runtime).passed_through, 0);
	wan_runtime_unref(runtime);
}

int main(int argc, char **argv)
{
	return files_main(argc, argv);
}
