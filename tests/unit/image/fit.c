/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "sample.h"
#include "tap.h"

static struct wan_image *fit(const struct wan_image *image, uint32_t width, uint32_t height,
			     enum wan_fit how)
{
	struct wan_image *made = NULL;
	struct wan_image_view view;
	CHECK_EQ(wan_image_fit(image, width, height, how, WAN_FILTER_LANCZOS, &made), 0);
	wan_image_view(made, &view);
	CHECK_EQ(view.width_px, width);
	CHECK_EQ(view.height_px, height);
	CHECK_EQ(view.format, WAN_PIXEL_RGB8);
	return made;
}

TEST(covering_equals_the_official_text_image_to_video_code)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 1000, 600), *made = NULL;
	CHECK_EQ(wan_image_fit(image, 1216, 736, WAN_FIT_COVER, WAN_FILTER_LANCZOS, &made), 0);
	CHECK_EQ(crc32_image(made), 0x9adcb4a2);
	wan_image_unref(made);
	wan_image_unref(image);
}

TEST(stretching_is_a_plain_resize)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 512, 512);
	struct wan_image *made = fit(image, 624, 624, WAN_FIT_STRETCH);
	CHECK_EQ(crc32_image(made), 0x0b85010f);
	wan_image_unref(made);
	wan_image_unref(image);
}

TEST(containing_pads_with_black_on_both_sides)
{
	struct wan_image *image, *made;
	struct wan_image_view view;
	REQUIRE_EQ(wan_image_create(WAN_PIXEL_RGB8, 100, 50, &image), 0);
	memset(wan_image_pixels_mut(image), 200, 100 * 50 * 3);
	made = fit(image, 80, 61, WAN_FIT_CONTAIN);
	wan_image_view(made, &view);
	const uint8_t *pixels = view.pixels;
	for (uint32_t y = 0; y < 61; y++) /* 80 x 40, ten lines above, eleven below */
		CHECK_EQ(pixels[y * view.stride_bytes + 40 * 3], y >= 10 && y < 50 ? 200 : 0);
	wan_image_unref(made);
	made = fit(image, 200, 50, WAN_FIT_CONTAIN);
	wan_image_view(made, &view);
	pixels = view.pixels;
	CHECK_EQ(pixels[49 * 3], 0);
	CHECK_EQ(pixels[50 * 3], 200);
	CHECK_EQ(pixels[149 * 3], 200);
	CHECK_EQ(pixels[150 * 3], 0);
	wan_image_unref(made);
	wan_image_unref(image);
}

TEST(the_same_size_is_the_same_image)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 40, 30);
	struct wan_image *made = fit(image, 40, 30, WAN_FIT_COVER);
	CHECK(made == image);
	wan_image_unref(made);
	wan_image_unref(image);
}

TEST(every_format_is_fitted_as_rgb)
{
	for (int format = WAN_PIXEL_GRAY8; format <= WAN_PIXEL_RGBA16; format++) {
		struct wan_image *image = sample_image((enum wan_pixel_format)format, 50, 40);
		for (int how = WAN_FIT_STRETCH; how <= WAN_FIT_CONTAIN; how++)
			wan_image_unref(fit(image, 33, 47, (enum wan_fit)how));
		wan_image_unref(image);
	}
}

TEST(an_extreme_ratio_costs_only_what_stays)
{
	struct wan_pool_stats stats;
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 20000, 2);
	(void)wan_pool_trim(0);
	/* Covering would make an image of 5 million by 512 pixels. */
	wan_image_unref(fit(image, 512, 512, WAN_FIT_COVER));
	wan_pool_stats(&stats);
	CHECK(stats.mapped_bytes < 8u << 20);
	wan_image_unref(image);
}

TEST(what_cannot_be_fitted_is_refused)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 30, 20), *made = NULL;
	CHECK_EQ(wan_image_fit(image, 0, 5, WAN_FIT_COVER, WAN_FILTER_BOX, &made), -EINVAL);
	CHECK_EQ(wan_image_fit(image, 5, 0, WAN_FIT_COVER, WAN_FILTER_BOX, &made), -EINVAL);
	CHECK_EQ(wan_image_fit(image, 5, 5, (enum wan_fit)7, WAN_FILTER_BOX, &made), -EINVAL);
	CHECK_EQ(wan_image_fit(image, 5, 5, WAN_FIT_COVER, (enum wan_filter)7, &made), -EINVAL);
	CHECK_EQ(wan_image_fit(NULL, 5, 5, WAN_FIT_COVER, WAN_FILTER_BOX, &made), -EINVAL);
	wan_image_unref(image);
}

TAP_MAIN
