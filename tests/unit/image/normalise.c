/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "normalise.h"
#include "sample.h"
#include "tap.h"

TEST(all_256_values_equal_the_three_rules_in_use)
{
	for (int p = 0; p < 256; p++) {
		volatile float byte = (float)p; /* no contraction: each step rounds to float32 */
		volatile float unit = byte / 255.0f;
		volatile float official = (unit - 0.5f) / 0.5f;
		volatile float twice = 2.0f * unit;
		volatile float diffusers = twice - 1.0f;
		volatile float half = byte / 127.5f;
		volatile float gp = half - 1.0f;
		CHECK(wan_normalised[p] == official);
		CHECK(wan_normalised[p] == diffusers);
		CHECK(wan_normalised[p] == gp);
		CHECK_EQ(wan_denormalise(wan_normalised[p]), p);
	}
	CHECK(wan_normalised[0] == -1.0f && wan_normalised[255] == 1.0f);
}

TEST(planes_come_one_after_another)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 7, 5), *made = NULL;
	struct wan_image_view view;
	CHECK_EQ(wan_image_normalise(image, &made), 0);
	wan_image_view(made, &view);
	CHECK_EQ(view.format, WAN_PIXEL_RGBF32_PLANAR);
	const float *planes = view.pixels;
	for (uint32_t c = 0; c < 3; c++)
		for (uint32_t y = 0; y < 5; y++)
			for (uint32_t x = 0; x < 7; x++)
				CHECK(planes[(c * 5 + y) * 7 + x] ==
				      wan_normalised[sample_byte(x, y, c)]);
	struct wan_image *back = NULL;
	CHECK_EQ(wan_image_convert(made, WAN_PIXEL_RGB8, WAN_ALPHA_KEEP, &back), 0);
	CHECK_EQ(crc32_image(back), crc32_image(image));
	wan_image_unref(back);
	wan_image_unref(made);
	wan_image_unref(image);
}

TEST(values_out_of_range_are_clamped)
{
	CHECK_EQ(wan_denormalise(-1.4f), 0);
	CHECK_EQ(wan_denormalise(1.4f), 255);
	CHECK_EQ(wan_denormalise(NAN), 0);
	CHECK_EQ(wan_denormalise(INFINITY), 255);
	CHECK_EQ(wan_denormalise(-INFINITY), 0);
}

TEST(alpha_and_grey_are_normalised_as_rgb)
{
	struct wan_image *image = sample_image(WAN_PIXEL_GRAYA8, 7, 5), *made = NULL;
	struct wan_image_view view;
	CHECK_EQ(wan_image_normalise(image, &made), 0);
	wan_image_view(made, &view);
	const float *planes = view.pixels;
	CHECK(planes[3] == planes[35 + 3] && planes[3] == planes[70 + 3]);
	CHECK(planes[3] == wan_normalised[sample_byte(3, 0, 0)]);
	wan_image_unref(made);
	wan_image_unref(image);
	CHECK_EQ(wan_image_normalise(NULL, &made), -EINVAL);
}

TAP_MAIN
