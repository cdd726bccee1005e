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

TEST(plain_lanczos_of_the_thumbnail_size_differs_as_in_pillow)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 1920, 1080), *made = NULL;
	CHECK_EQ(wan_image_resize(image, 256, 144, WAN_FILTER_LANCZOS, &made), 0);
	CHECK_EQ(crc32_image(made), 0x2e914bd7);
	wan_image_unref(made);
	wan_image_unref(image);
}

/* Computed by Pillow: resize to 40x50 and 200x33 by the four filters, thumbnail within 20x20 of
 * 97x61 and of 500x333. */
static const struct {
	enum wan_pixel_format format;
	uint32_t smaller[4], wider[4], thumbnail, reduced;
} modes[] = {
	{WAN_PIXEL_GRAY8,
	 {0xd47568e0, 0x0abd7e7a, 0x1036bca7, 0xadf6ba9c},
	 {0xaa481b70, 0xed1d7174, 0xc130f93b, 0x50678d4c},
	 0xc23f3b29,
	 0x5807bfe7},
	{WAN_PIXEL_GRAYA8,
	 {0x17dbb3f0, 0x956224df, 0x882598aa, 0xe4bddaa1},
	 {0x6bd31e54, 0x8fd85d7a, 0x2948107f, 0xe4fe0250},
	 0x977f498e,
	 0xa994c43e},
	{WAN_PIXEL_RGB8,
	 {0x7a5b7094, 0x7b20d267, 0x224c5971, 0x9afb44c0},
	 {0x0442876a, 0x24b20459, 0x0ee14a06, 0xe71487ce},
	 0xf6e28651,
	 0xeb9d156e},
	{WAN_PIXEL_RGBA8,
	 {0xbb5c40c2, 0x20849ced, 0x22a89f04, 0xcba0d0f3},
	 {0xdf60ac72, 0x6812bb81, 0x38b7aeb3, 0x84b5dafc},
	 0xe55d7a85,
	 0x10de9ed1},
	{WAN_PIXEL_CMYK8,
	 {0x150790ef, 0x89f888fb, 0x35ffbf9a, 0x2c8465fe},
	 {0x1156dc6e, 0xc480ba6f, 0xa925dc16, 0x32777b2d},
	 0x712fc618,
	 0x7416be10},
};

static uint32_t resized_crc(const struct wan_image *image, uint32_t width, uint32_t height,
			    int filter)
{
	struct wan_image *made = NULL;
	CHECK_EQ(wan_image_resize(image, width, height, (enum wan_filter)filter, &made), 0);
	uint32_t crc = crc32_image(made);
	wan_image_unref(made);
	return crc;
}

TEST(every_number_of_channels_and_every_filter_equals_pillow)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		struct wan_image *image = sample_image(modes[i].format, 97, 61);
		for (int filter = WAN_FILTER_LANCZOS; filter <= WAN_FILTER_BOX; filter++) {
			CHECK_EQ(resized_crc(image, 40, 50, filter), modes[i].smaller[filter]);
			CHECK_EQ(resized_crc(image, 200, 33, filter), modes[i].wider[filter]);
		}
		wan_image_unref(image);
	}
}

TEST(one_direction_alone_equals_pillow)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 97, 61);
	CHECK_EQ(resized_crc(image, 50, 61, WAN_FILTER_LANCZOS), 0x15dedf8c);
	CHECK_EQ(resized_crc(image, 97, 30, WAN_FILTER_LANCZOS), 0x08df8505);
	wan_image_unref(image);
}

TEST(the_same_size_is_the_same_image)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGBA8, 20, 10), *made = NULL;
	CHECK_EQ(wan_image_resize(image, 20, 10, WAN_FILTER_LANCZOS, &made), 0);
	CHECK(made == image);
	wan_image_unref(made);
	wan_image_unref(image);
}

TEST(sixteen_bits_are_resized_as_their_high_bytes)
{
	struct wan_image *wide = sample_image(WAN_PIXEL_RGB16, 97, 61);
	CHECK_EQ(resized_crc(wide, 40, 50, WAN_FILTER_LANCZOS), modes[2].smaller[0]);
	wan_image_unref(wide);
}

TEST(extreme_sizes_work)
{
	static const uint32_t sizes[][4] = {{1, 1, 50, 60},
					    {3000, 1, 1, 40},
					    {1, 3000, 40, 1},
					    {2, 2, 1, 1},
					    {5000, 3, 7, 3000}};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct wan_image *image = sample_image(WAN_PIXEL_RGB8, sizes[i][0], sizes[i][1]);
		for (int filter = WAN_FILTER_LANCZOS; filter <= WAN_FILTER_BOX; filter++)
			(void)resized_crc(image, sizes[i][2], sizes[i][3], filter);
		wan_image_unref(image);
	}
}

TEST(a_flat_image_stays_flat)
{
	struct wan_image *image, *made = NULL;
	struct wan_image_view view;
	REQUIRE_EQ(wan_image_create(WAN_PIXEL_RGB8, 300, 200, &image), 0);
	memset(wan_image_pixels_mut(image), 255, 300 * 200 * 3);
	CHECK_EQ(wan_image_resize(image, 77, 511, WAN_FILTER_LANCZOS, &made), 0);
	wan_image_view(made, &view);
	size_t others = 0;
	for (size_t i = 0; i < view.pixels_bytes; i++)
		others += ((const uint8_t *)view.pixels)[i] != 255;
	CHECK_EQ(others, 0);
	wan_image_unref(made);
	wan_image_unref(image);
}

TEST(a_window_equals_the_same_part_of_the_whole)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 97, 61), *whole = NULL, *part, *cut;
	CHECK_EQ(wan_image_resize(image, 150, 90, WAN_FILTER_BICUBIC, &whole), 0);
	CHECK_EQ(wan_image_crop(whole, 13, 7, 101, 55, &cut), 0);
	CHECK_EQ(wan_image_create(WAN_PIXEL_RGB8, 101, 55, &part), 0);
	struct wan_resample what = wan_resample_whole(image, 150, 90, WAN_FILTER_BICUBIC);
	what.x_px = 13;
	what.y_px = 7;
	what.width_px = 101;
	what.height_px = 55;
	CHECK_EQ(wan_resample(image, &what, part, 0, 0), 0);
	CHECK_EQ(crc32_image(part), crc32_image(cut));
	wan_image_unref(image);
	wan_image_unref(whole);
	wan_image_unref(part);
	wan_image_unref(cut);
}

TEST(a_crop_is_a_copy_of_the_part)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 30, 20), *made = NULL;
	struct wan_image_view view;
	CHECK_EQ(wan_image_crop(image, 5, 6, 7, 8, &made), 0);
	wan_image_view(made, &view);
	CHECK_EQ(((const uint8_t *)view.pixels)[3 * (8 * 7 - 1) + 2], sample_byte(11, 13, 2));
	wan_image_unref(made);
	CHECK_EQ(wan_image_crop(image, 24, 0, 7, 8, &made), -EINVAL);
	CHECK_EQ(wan_image_crop(image, 31, 0, 1, 1, &made), -EINVAL);
	CHECK_EQ(wan_image_crop(image, UINT32_MAX, 0, 2, 2, &made), -EINVAL);
	CHECK_EQ(wan_image_crop(image, 0, 0, 0, 2, &made), -EINVAL);
	wan_image_unref(image);
}

TEST(what_cannot_be_resized_is_refused)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 30, 20), *planar, *made = NULL;
	REQUIRE_EQ(wan_image_normalise(image, &planar), 0);
	CHECK_EQ(wan_image_resize(planar, 10, 10, WAN_FILTER_LANCZOS, &made), -EINVAL);
	CHECK_EQ(wan_image_resize(image, 0, 10, WAN_FILTER_LANCZOS, &made), -EINVAL);
	CHECK_EQ(wan_image_resize(image, 10, 10, (enum wan_filter)9, &made), -EINVAL);
	CHECK_EQ(wan_image_resize(NULL, 10, 10, WAN_FILTER_LANCZOS, &made), -EINVAL);
	wan_image_unref(image);
	wan_image_unref(planar);
}

TAP_MAIN
