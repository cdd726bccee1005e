/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "sample.h"
#include "tap.h"
#include "wan/frame.h"

static struct wan_framing framing_of(enum wan_pipeline pipeline, uint32_t width, uint32_t height,
				     uint32_t to_width, uint32_t to_height)
{
	struct wan_framing framing;
	memset(&framing, 0, sizeof(framing));
	CHECK_EQ(wan_frame(pipeline, (struct wan_size){width, height},
			   (struct wan_size){to_width, to_height}, &framing),
		 0);
	return framing;
}

static struct wan_image *framed(const struct wan_image *image, const struct wan_framing *framing)
{
	struct wan_image *made = NULL;
	struct wan_image_view view;
	CHECK_EQ(wan_image_frame(image, framing, &made), 0);
	wan_image_view(made, &view);
	CHECK_EQ(view.format, WAN_PIXEL_RGB8);
	CHECK_EQ(view.width_px, framing->output.width_px);
	CHECK_EQ(view.height_px, framing->output.height_px);
	return made;
}

TEST(the_official_text_image_to_video_frame_has_the_golden_pixels)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 1000, 600);
	struct wan_framing framing = framing_of(WAN_PIPELINE_TI2V, 1000, 600, 1280, 704);
	CHECK_EQ(framing.output.width_px, 1216);
	CHECK_EQ(framing.output.height_px, 736);
	struct wan_image *made = framed(image, &framing);
	CHECK_EQ(crc32_image(made), 0x9adcb4a2);
	wan_image_unref(made);
	wan_image_unref(image);
}

TEST(a_cut_comes_before_the_scaling)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 400, 300), *cut = NULL, *want = NULL;
	struct wan_framing framing = framing_of(WAN_PIPELINE_WAN2GP_CROP, 400, 300, 208, 112);
	CHECK(framing.crop.height_px < 300 && framing.crop.y_px > 0);
	struct wan_image *made = framed(image, &framing);
	CHECK_EQ(wan_image_crop(image, framing.crop.x_px, framing.crop.y_px, framing.crop.width_px,
				framing.crop.height_px, &cut),
		 0);
	CHECK_EQ(wan_image_resize(cut, 208, 112, WAN_FILTER_LANCZOS, &want), 0);
	CHECK_EQ(crc32_image(made), crc32_image(want));
	wan_image_unref(want);
	wan_image_unref(cut);
	wan_image_unref(made);
	wan_image_unref(image);
}

TEST(borders_are_black_and_lie_where_the_framing_says)
{
	struct wan_image *image;
	struct wan_image_view view;
	REQUIRE_EQ(wan_image_create(WAN_PIXEL_RGB8, 300, 300, &image), 0);
	memset(wan_image_pixels_mut(image), 200, 300 * 300 * 3);
	struct wan_framing framing = framing_of(WAN_PIPELINE_ANIMATE, 300, 300, 320, 160);
	struct wan_image *made = framed(image, &framing);
	wan_image_view(made, &view);
	const uint8_t *row = view.pixels;
	for (uint32_t x = 0; x < 320; x++)
		CHECK_EQ(row[3 * x], x >= 80 && x < 240 ? 200 : 0);
	wan_image_unref(made);
	/* S2V borders as well, where the ratio of the steps is not that of the image. */
	framing = framing_of(WAN_PIPELINE_S2V, 70, 300, 1024, 704);
	CHECK(framing.padded_pct >= 0);
	wan_image_unref(image);
}

TEST(an_image_of_the_right_size_is_handed_on)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 320, 160);
	struct wan_framing framing = framing_of(WAN_PIPELINE_KIJAI, 320, 160, 320, 160);
	struct wan_image *made = framed(image, &framing);
	CHECK(made == image);
	wan_image_unref(made);
	wan_image_unref(image);
}

TEST(framings_that_do_not_fit_are_refused)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 320, 160), *made = NULL;
	struct wan_framing good = framing_of(WAN_PIPELINE_TI2V, 320, 160, 256, 256), bad = good;
	CHECK_EQ(wan_image_frame(NULL, &good, &made), -EINVAL);
	CHECK_EQ(wan_image_frame(image, NULL, &made), -EINVAL);
	CHECK_EQ(wan_image_frame(image, &good, NULL), -EINVAL);
	bad.source.width_px = 321;
	CHECK_EQ(wan_image_frame(image, &bad, &made), -EINVAL);
	bad = good;
	bad.crop.x_px = UINT32_MAX;
	CHECK_EQ(wan_image_frame(image, &bad, &made), -EINVAL);
	bad = good;
	bad.window.width_px = bad.scaled.width_px + 1;
	CHECK_EQ(wan_image_frame(image, &bad, &made), -EINVAL);
	bad = good;
	bad.place_y_px = 1;
	CHECK_EQ(wan_image_frame(image, &bad, &made), -EINVAL);
	bad = good;
	bad.output.height_px = 0;
	CHECK_EQ(wan_image_frame(image, &bad, &made), -EINVAL);
	bad = good;
	bad.filter = (enum wan_filter)99;
	CHECK_EQ(wan_image_frame(image, &bad, &made), -EINVAL);
	CHECK(made == NULL);
	wan_image_unref(image);
}

TAP_MAIN
