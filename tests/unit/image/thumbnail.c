/* SPDX-License-Identifier: MIT */
/* The checksums are Pillow 9.4's results for the same bytes. */
#include <errno.h>

#include "sample.h"
#include "tap.h"
#include "thumbnail.h"

static uint32_t thumbnail_crc(uint32_t width, uint32_t height, uint32_t most)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, width, height), *made = NULL;
	CHECK_EQ(wan_image_thumbnail(image, most, most, &made), 0);
	uint32_t crc = crc32_image(made);
	wan_image_unref(made);
	wan_image_unref(image);
	return crc;
}

TEST(thumbnails_equal_pillow_bit_for_bit)
{
	CHECK_EQ(thumbnail_crc(1920, 1080, 256), 0x2b2e7e0f);
	CHECK_EQ(thumbnail_crc(512, 512, 150), 0xf26dff7d);
	CHECK_EQ(thumbnail_crc(1000, 300, 150), 0xfd31ac8e);
}

TEST(alpha_and_ink_thumbnails_equal_pillow_bit_for_bit)
{
	static const struct {
		enum wan_pixel_format format;
		uint32_t small, large; /* from 97x61 and 500x333 within 20x20 */
	} cases[] = {
		{WAN_PIXEL_GRAY8, 0xc23f3b29, 0x5807bfe7},
		{WAN_PIXEL_GRAYA8, 0x977f498e, 0xa994c43e},
		{WAN_PIXEL_RGB8, 0xf6e28651, 0xeb9d156e},
		{WAN_PIXEL_RGBA8, 0xe55d7a85, 0x10de9ed1},
		{WAN_PIXEL_CMYK8, 0x712fc618, 0x7416be10},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int large = 0; large < 2; large++) {
			struct wan_image *image =
				sample_image(cases[i].format, large ? 500 : 97, large ? 333 : 61);
			struct wan_image *made = NULL;
			CHECK_EQ(wan_image_thumbnail(image, 20, 20, &made), 0);
			CHECK_EQ(crc32_image(made), large ? cases[i].large : cases[i].small);
			wan_image_unref(made);
			wan_image_unref(image);
		}
	}
}

TEST(a_small_image_is_its_own_thumbnail)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 100, 50), *made = NULL;
	CHECK_EQ(wan_image_thumbnail(image, 150, 150, &made), 0);
	CHECK(made == image);
	wan_image_unref(made);
	wan_image_unref(image);
}

TEST(reducing_equals_pillow_with_parts_of_boxes_at_the_edges)
{
	static const struct {
		enum wan_pixel_format format;
		uint32_t width, height, x, y, crc;
	} cases[] = {
		{WAN_PIXEL_RGB8, 97, 61, 2, 2, 0x6897a9be},
		{WAN_PIXEL_RGB8, 97, 61, 3, 3, 0x363698b2},
		{WAN_PIXEL_RGB8, 97, 61, 5, 7, 0x6eca74da},
		{WAN_PIXEL_RGB8, 97, 61, 1, 4, 0xffcf6db5},
		{WAN_PIXEL_RGB8, 97, 61, 97, 61, 0x76d7ed14},
		{WAN_PIXEL_RGB8, 97, 61, 200, 1, 0xce192258},
		{WAN_PIXEL_GRAY8, 4, 1500, 1, 700, 0xa1e09516},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wan_image *image =
			sample_image(cases[i].format, cases[i].width, cases[i].height);
		struct wan_image *made = NULL;
		CHECK_EQ(wan_reduce(image, cases[i].x, cases[i].y, &made), 0);
		CHECK_EQ(crc32_image(made), cases[i].crc);
		wan_image_unref(made);
		wan_image_unref(image);
	}
}

TEST(what_has_no_thumbnail_is_refused)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 30, 20), *planar, *made = NULL;
	REQUIRE_EQ(wan_image_normalise(image, &planar), 0);
	CHECK_EQ(wan_image_thumbnail(planar, 10, 10, &made), -EINVAL);
	CHECK_EQ(wan_image_thumbnail(image, 0, 10, &made), -EINVAL);
	CHECK_EQ(wan_image_thumbnail(image, 10, 0, &made), -EINVAL);
	CHECK_EQ(wan_image_thumbnail(NULL, 10, 10, &made), -EINVAL);
	wan_image_unref(image);
	wan_image_unref(planar);
}

TAP_MAIN
