/* SPDX-License-Identifier: MIT */
/* The checksums are Pillow 9.4's results for the same bytes. */
#include <errno.h>

#include "kernels.h"
#include "resize.h"
#include "sample.h"
#include "tap.h"

static const struct {
	uint32_t width, height, to_width, to_height;
	uint32_t crc[3]; /* lanczos, bicubic, bilinear */
} goldens[] = {
	{64, 48, 40, 24, {0x3c321bc0, 0x2f7a4be6, 0xc88c124c}},
	{64, 48, 100, 80, {0x26fc80c6, 0xfd223615, 0x4d0ecfe6}},
	{512, 512, 624, 624, {0x0b85010f, 0xfc335b34, 0x11306c10}},
	{320, 200, 37, 41, {0xf84c9998, 0xeb0d2eb1, 0x55965821}},
};

TEST(the_source_of_the_checksums_is_the_agreed_one)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 512, 512);
	CHECK_EQ(crc32_image(image), 0xbe2f310f);
	wan_image_unref(image);
}

TEST(resizing_equals_pillow_bit_for_bit)
{
	for (size_t i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++) {
		struct wan_image *image =
			sample_image(WAN_PIXEL_RGB8, goldens[i].width, goldens[i].height);
		for (int filter = WAN_FILTER_LANCZOS; filter <= WAN_FILTER_BILINEAR; filter++) {
			struct wan_image *made = NULL;
			CHECK_EQ(wan_image_resize(image, goldens[i].to_width, goldens[i].to_height,
						  (enum wan_filter)filter, &made),
				 0);
			CHECK_EQ(crc32_image(made), goldens[i].crc[filter]);
			wan_image_unref(made);
		}
		wan_image_unref(image);
	}
}

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

TEST(plain_lanczos_of_the_thumbnail_size_differs_as_in_pillow)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 1920, 1080), *made = NULL;
	CHECK_EQ(wan_image_resize(image, 256, 144, WAN_FILTER_LANCZOS, &made), 0);
	CHECK_EQ(crc32_image(made), 0x2e914bd7);
	wan_image_unref(made);
	wan_image_unref(image);
}

TEST(covering_equals_the_official_text_image_to_video_code)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 1000, 600), *made = NULL;
	CHECK_EQ(wan_image_fit(image, 1216, 736, WAN_FIT_COVER, WAN_FILTER_LANCZOS, &made), 0);
	CHECK_EQ(crc32_image(made), 0x9adcb4a2);
	wan_image_unref(made);
	wan_image_unref(image);
}

TAP_MAIN
