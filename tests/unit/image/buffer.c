/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "buffer.h"
#include "sample.h"
#include "tap.h"

TEST(a_new_image_is_writable_and_tightly_packed)
{
	static const struct {
		enum wan_pixel_format format;
		uint32_t channels, stride, bytes;
	} cases[] = {
		{WAN_PIXEL_GRAY8, 1, 7, 35},     {WAN_PIXEL_GRAYA8, 2, 14, 70},
		{WAN_PIXEL_RGB8, 3, 21, 105},    {WAN_PIXEL_RGBA8, 4, 28, 140},
		{WAN_PIXEL_CMYK8, 4, 28, 140},   {WAN_PIXEL_GRAY16, 1, 14, 70},
		{WAN_PIXEL_GRAYA16, 2, 28, 140}, {WAN_PIXEL_RGB16, 3, 42, 210},
		{WAN_PIXEL_RGBA16, 4, 56, 280},  {WAN_PIXEL_RGBF32_PLANAR, 3, 28, 420},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wan_image *image;
		struct wan_image_view view;
		REQUIRE_EQ(wan_image_create(cases[i].format, 7, 5, &image), 0);
		wan_image_view(image, &view);
		CHECK_EQ(view.format, cases[i].format);
		CHECK_EQ(view.width_px, 7);
		CHECK_EQ(view.height_px, 5);
		CHECK_EQ(view.channels, cases[i].channels);
		CHECK_EQ(view.stride_bytes, cases[i].stride);
		CHECK_EQ(view.pixels_bytes, cases[i].bytes);
		CHECK_EQ(view.warnings, 0);
		CHECK(wan_image_pixels_mut(image) == view.pixels);
		memset(wan_image_pixels_mut(image), 1, view.pixels_bytes);
		wan_image_unref(image);
	}
}

TEST(a_shared_image_cannot_be_written)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 4, 4);
	struct wan_image *second = wan_image_ref(image);
	CHECK(second == image);
	CHECK(wan_image_pixels_mut(image) == NULL);
	wan_image_unref(second);
	CHECK(wan_image_pixels_mut(image) != NULL);
	wan_image_unref(image);
}

TEST(pixels_outlive_all_references_but_the_last)
{
	struct wan_pool_stats before, after;
	wan_pool_stats(&before);
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 100, 100);
	uint32_t crc = crc32_image(image);
	struct wan_image *second = wan_image_ref(image);
	wan_image_unref(image);
	CHECK_EQ(crc32_image(second), crc);
	wan_image_unref(second);
	wan_pool_stats(&after);
	CHECK_EQ(after.in_use_bytes, before.in_use_bytes);
}

TEST(impossible_sizes_are_refused)
{
	struct wan_image *image = NULL;
	CHECK_EQ(wan_image_create(WAN_PIXEL_RGB8, 0, 5, &image), -EINVAL);
	CHECK_EQ(wan_image_create(WAN_PIXEL_RGB8, 5, 0, &image), -EINVAL);
	CHECK_EQ(wan_image_create((enum wan_pixel_format)0, 5, 5, &image), -EINVAL);
	CHECK_EQ(wan_image_create((enum wan_pixel_format)77, 5, 5, &image), -EINVAL);
	CHECK_EQ(wan_image_create(WAN_PIXEL_RGBA16, UINT32_MAX, UINT32_MAX, &image), -EOVERFLOW);
	CHECK_EQ(wan_image_create(WAN_PIXEL_GRAY8, UINT32_MAX, UINT32_MAX / 4, &image), -ENOMEM);
	CHECK_EQ(wan_image_create(WAN_PIXEL_GRAY8, 5, 5, NULL), -EINVAL);
	CHECK(image == NULL);
}

TEST(pixels_with_a_wider_stride_are_copied_row_by_row)
{
	uint8_t rows[3][32];
	struct wan_image *image;
	struct wan_image_view view;
	for (int y = 0; y < 3; y++)
		for (int x = 0; x < 32; x++)
			rows[y][x] = (uint8_t)(32 * y + x);
	struct wan_image_view from = {.format = WAN_PIXEL_RGB8,
				      .width_px = 5,
				      .height_px = 3,
				      .stride_bytes = 32,
				      .pixels = rows};
	REQUIRE_EQ(wan_image_from_pixels(&from, &image), 0);
	wan_image_view(image, &view);
	CHECK_EQ(view.stride_bytes, 15);
	CHECK_EQ(((const uint8_t *)view.pixels)[2 * 15 + 14], 2 * 32 + 14);
	wan_image_unref(image);

	from.stride_bytes = 14;
	CHECK_EQ(wan_image_from_pixels(&from, &image), -EINVAL);
	from.pixels = NULL;
	CHECK_EQ(wan_image_from_pixels(&from, &image), -EINVAL);
	CHECK_EQ(wan_image_from_pixels(NULL, &image), -EINVAL);
}

TEST(nothing_is_accepted_where_an_image_may_be_missing)
{
	struct wan_image_view view;
	wan_image_unref(NULL);
	CHECK(wan_image_ref(NULL) == NULL);
	CHECK(wan_image_pixels_mut(NULL) == NULL);
	wan_image_view(NULL, &view);
	CHECK(view.pixels == NULL);
	CHECK_EQ(view.width_px, 0);
}

TEST(formats_have_names)
{
	CHECK_STR(wan_pixel_name(WAN_PIXEL_RGB8), "RGB8");
	CHECK_STR(wan_pixel_name(WAN_PIXEL_RGBF32_PLANAR), "RGBF32_PLANAR");
	CHECK_STR(wan_pixel_name((enum wan_pixel_format)0), "unknown format");
	CHECK_STR(wan_pixel_name((enum wan_pixel_format) - 1), "unknown format");
}

TAP_MAIN
