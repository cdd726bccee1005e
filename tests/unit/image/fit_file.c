/* SPDX-License-Identifier: MIT */
/* A file fitted row by row equals the decoded image, fitted. */
#include <errno.h>

#include "files.h"
#include "sample.h"
#include "tap.h"

static void compare(const char *path, const struct wan_decode_options *options)
{
	for (int fit = WAN_FIT_STRETCH; fit <= WAN_FIT_CONTAIN; fit++) {
		struct wan_image *whole = NULL, *expected = NULL, *made = NULL;
		struct wan_error error = {.code = 0};
		enum wan_filter filter =
			fit == WAN_FIT_COVER ? WAN_FILTER_LANCZOS : WAN_FILTER_BICUBIC;
		CHECK_EQ(wan_image_decode(path, options, &whole, NULL), 0);
		CHECK_EQ(wan_image_fit(whole, 48, 50, (enum wan_fit)fit, filter, &expected), 0);
		if (!CHECK_EQ(wan_image_fit_file(path, 48, 50, (enum wan_fit)fit, filter, options,
						 &made, &error),
			      0))
			printf("# %s\n", error.reason);
		CHECK_EQ(crc32_image(made), crc32_image(expected));
		wan_image_unref(made);
		wan_image_unref(expected);
		wan_image_unref(whole);
	}
}

TEST(every_kind_of_jpeg_is_fitted_alike)
{
	static const char *const names[] = {"ycc420",         "gray",          "cmyk",
					    "progressive444", "turned6",       "turned3",
					    "turned2",        "several_scans", "restart"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct bytes file = data_file(names[i]);
		const char *path = in_test_folder("in.jpg");
		bytes_write(path, file.at, file.count);
		compare(path, NULL);
		bytes_free(&file);
	}
}

TEST(every_kind_of_png_is_fitted_alike)
{
	static const struct png_kind kinds[] = {
		{137, 91, 8, 2, false, false, 0}, {37, 29, 8, 6, true, false, 0},
		{48, 50, 8, 2, false, false, 0},  {48, 91, 16, 0, false, false, 0},
		{37, 50, 8, 3, true, false, 0},   {37, 29, 8, 2, false, false, 6},
	};
	struct wan_decode_options options;
	wan_decode_options_init(&options);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct bytes file = make_png(&kinds[i]);
		const char *path = in_test_folder("in.png");
		bytes_write(path, file.at, file.count);
		compare(path, NULL);
		bytes_free(&file);
	}
}

TEST(alpha_goes_over_the_colour_asked_for)
{
	static const struct png_kind kind = {61, 43, 8, 6, false, false, 0};
	struct bytes file = make_png(&kind);
	const char *path = in_test_folder("in.png");
	bytes_write(path, file.at, file.count);
	struct wan_decode_options options;
	wan_decode_options_init(&options);
	options.want = WAN_PIXEL_RGB8;
	options.alpha = WAN_ALPHA_OVER(1, 2, 250);
	compare(path, &options);
	bytes_free(&file);
}

TEST(rows_take_a_small_part_of_the_memory)
{
	struct wan_image_info info = {.format = WAN_FORMAT_JPEG,
				      .width_px = 12000,
				      .height_px = 9000,
				      .bit_depth = 8,
				      .channels = 3,
				      .color = WAN_COLOR_YCBCR,
				      .exif_orientation = 1,
				      .scans = 1,
				      .output_bytes = 324000000,
				      .peak_bytes = 326000000};
	uint64_t peak = 0;
	bool row_wise = false;
	CHECK_EQ(wan_image_fit_price(&info, 832, 480, WAN_FIT_COVER, WAN_FILTER_LANCZOS, NULL,
				     &row_wise, &peak),
		 0);
	CHECK(row_wise && peak > 3000000 && peak < 12000000);
	info.exif_orientation = 6;
	CHECK_EQ(wan_image_fit_price(&info, 832, 480, WAN_FIT_COVER, WAN_FILTER_LANCZOS, NULL,
				     &row_wise, &peak),
		 0);
	CHECK(!row_wise && peak > 326000000);
	info.exif_orientation = 1;
	info.interlaced = true; /* progressive: all coefficients are in peak_bytes */
	CHECK_EQ(wan_image_fit_price(&info, 832, 480, WAN_FIT_COVER, WAN_FILTER_LANCZOS, NULL,
				     &row_wise, &peak),
		 0);
	CHECK(!row_wise);
	CHECK_EQ(wan_image_fit_price(&info, 0, 480, WAN_FIT_COVER, WAN_FILTER_LANCZOS, NULL, NULL,
				     &peak),
		 -EINVAL);
}

TEST(a_source_larger_than_the_limit_is_fitted_by_rows)
{
	struct wan_pool_stats before, after;
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 3000, 1200), *made = NULL;
	const char *path = in_test_folder("in.png");
	struct wan_encode_options encode;
	struct wan_decode_options options;
	wan_encode_options_init(&encode);
	encode.overwrite = true;
	encode.png_level = 1;
	REQUIRE_EQ(wan_image_encode(image, path, &encode, NULL), 0);
	wan_image_unref(image);
	(void)wan_pool_trim(0);
	wan_pool_stats(&before);
	wan_decode_options_init(&options);
	options.max_bytes = 9000000;
	CHECK_EQ(wan_image_decode(path, &options, &made, NULL), -EFBIG);
	CHECK_EQ(wan_image_fit_file(path, 64, 48, WAN_FIT_COVER, WAN_FILTER_LANCZOS, &options,
				    &made, NULL),
		 0);
	wan_pool_stats(&after);
	CHECK(after.mapped_bytes < before.mapped_bytes + 100000);
	wan_image_unref(made);
}

TEST(bad_arguments_are_told)
{
	struct wan_image *made = NULL;
	struct wan_error error = {.code = 0};
	CHECK_EQ(wan_image_fit_file("x", 0, 5, WAN_FIT_COVER, WAN_FILTER_BOX, NULL, &made, &error),
		 -EINVAL);
	CHECK_EQ(wan_image_fit_file("x", 5, 5, (enum wan_fit)7, WAN_FILTER_BOX, NULL, &made, NULL),
		 -EINVAL);
	CHECK_EQ(wan_image_fit_file("x", 5, 5, WAN_FIT_COVER, WAN_FILTER_TORCH_BICUBIC, NULL, &made,
				    NULL),
		 -EINVAL);
	CHECK_EQ(wan_image_fit_file("/nowhere/x", 5, 5, WAN_FIT_COVER, WAN_FILTER_BOX, NULL, &made,
				    &error),
		 -ENOENT);
	CHECK(error.reason[0]);
}

TAP_MAIN
