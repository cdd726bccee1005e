/* SPDX-License-Identifier: MIT */
/* Checksums are those of Pillow's conversions of the same bytes. */
#include <errno.h>

#include "buffer.h"
#include "convert.h"
#include "sample.h"
#include "tap.h"

static uint32_t converted_crc(enum wan_pixel_format from, enum wan_pixel_format to,
			      enum wan_alpha_policy alpha)
{
	struct wan_image *image = sample_image(from, 64, 48), *made = NULL;
	struct wan_image_view view;
	CHECK_EQ(wan_image_convert(image, to, alpha, &made), 0);
	wan_image_view(made, &view);
	CHECK_EQ(view.format, to);
	uint32_t crc = crc32_image(made);
	wan_image_unref(made);
	wan_image_unref(image);
	return crc;
}

TEST(conversions_equal_pillow)
{
	CHECK_EQ(converted_crc(WAN_PIXEL_RGBA8, WAN_PIXEL_RGB8, WAN_ALPHA_DROP), 0xfefac6a4);
	CHECK_EQ(converted_crc(WAN_PIXEL_RGBA8, WAN_PIXEL_RGB8, WAN_ALPHA_KEEP), 0xfefac6a4);
	CHECK_EQ(converted_crc(WAN_PIXEL_RGBA8, WAN_PIXEL_RGB8, WAN_ALPHA_WHITE), 0xa19454e4);
	CHECK_EQ(converted_crc(WAN_PIXEL_RGBA8, WAN_PIXEL_RGB8, WAN_ALPHA_BLACK), 0x1e3f9bca);
	CHECK_EQ(converted_crc(WAN_PIXEL_RGBA8, WAN_PIXEL_GRAY8, WAN_ALPHA_DROP), 0x03eac421);
	CHECK_EQ(converted_crc(WAN_PIXEL_CMYK8, WAN_PIXEL_RGB8, WAN_ALPHA_DROP), 0xcadb345e);
	CHECK_EQ(converted_crc(WAN_PIXEL_RGB8, WAN_PIXEL_CMYK8, WAN_ALPHA_DROP), 0x74d75f0f);
	CHECK_EQ(converted_crc(WAN_PIXEL_RGB8, WAN_PIXEL_GRAY8, WAN_ALPHA_DROP), 0x03eac421);
	CHECK_EQ(converted_crc(WAN_PIXEL_GRAY8, WAN_PIXEL_RGB8, WAN_ALPHA_DROP), 0xcd95cfca);
	CHECK_EQ(converted_crc(WAN_PIXEL_GRAY8, WAN_PIXEL_RGBA8, WAN_ALPHA_DROP), 0x18c16751);
	CHECK_EQ(converted_crc(WAN_PIXEL_GRAYA8, WAN_PIXEL_RGBA8, WAN_ALPHA_DROP), 0x9d023a45);
}

/* sample_image() puts the same high bytes into 16-bit images. */
TEST(sixteen_bits_become_eight_by_their_high_byte)
{
	CHECK_EQ(converted_crc(WAN_PIXEL_RGBA16, WAN_PIXEL_RGB8, WAN_ALPHA_DROP), 0xfefac6a4);
	CHECK_EQ(converted_crc(WAN_PIXEL_RGBA16, WAN_PIXEL_RGB8, WAN_ALPHA_WHITE), 0xa19454e4);
	CHECK_EQ(converted_crc(WAN_PIXEL_RGB16, WAN_PIXEL_CMYK8, WAN_ALPHA_DROP), 0x74d75f0f);
	CHECK_EQ(converted_crc(WAN_PIXEL_GRAY16, WAN_PIXEL_RGB8, WAN_ALPHA_DROP), 0xcd95cfca);
}

TEST(widening_and_narrowing_again_loses_nothing)
{
	for (int from = WAN_PIXEL_GRAY8; from <= WAN_PIXEL_RGBA8; from++) {
		enum wan_pixel_format wide =
			(enum wan_pixel_format)(from - WAN_PIXEL_GRAY8 + WAN_PIXEL_GRAY16);
		struct wan_image *image = sample_image((enum wan_pixel_format)from, 33, 20);
		struct wan_image *widened = NULL, *back = NULL;
		CHECK_EQ(wan_image_convert(image, wide, WAN_ALPHA_KEEP, &widened), 0);
		CHECK_EQ(wan_image_convert(widened, (enum wan_pixel_format)from, WAN_ALPHA_KEEP,
					   &back),
			 0);
		CHECK_EQ(crc32_image(back), crc32_image(image));
		wan_image_unref(image);
		wan_image_unref(widened);
		wan_image_unref(back);
	}
}

TEST(every_pair_of_formats_converts_with_every_policy)
{
	for (int from = WAN_PIXEL_GRAY8; from <= WAN_PIXEL_RGBBF16_PLANAR; from++) {
		struct wan_image *image =
			sample_image(from >= WAN_PIXEL_RGBF32_PLANAR ? WAN_PIXEL_RGB8
								     : (enum wan_pixel_format)from,
				     31, 3);
		if (from >= WAN_PIXEL_RGBF32_PLANAR) {
			struct wan_image *planar = NULL;
			REQUIRE_EQ(wan_image_convert(image, (enum wan_pixel_format)from,
						     WAN_ALPHA_KEEP, &planar),
				   0);
			wan_image_unref(image);
			image = planar;
		}
		for (int to = WAN_PIXEL_GRAY8; to <= WAN_PIXEL_RGBBF16_PLANAR; to++) {
			for (int alpha = WAN_ALPHA_KEEP; alpha <= WAN_ALPHA_REFUSE; alpha++) {
				struct wan_image *made = NULL;
				struct wan_image_view view;
				bool refused = alpha == WAN_ALPHA_REFUSE && from != to &&
					       wan_pixel_has_alpha((enum wan_pixel_format)from) &&
					       !wan_pixel_has_alpha((enum wan_pixel_format)to);
				CHECK_EQ(wan_image_convert(image, (enum wan_pixel_format)to,
							   (enum wan_alpha_policy)alpha, &made),
					 refused ? -EPROTONOSUPPORT : 0);
				wan_image_view(made, &view);
				if (made)
					CHECK_EQ(view.format, to);
				CHECK(made || refused);
				wan_image_unref(made);
			}
		}
		wan_image_unref(image);
	}
}

/* Pillow: Image.alpha_composite() differs; its paste() by mask blends like this. */
TEST(alpha_can_be_composited_over_any_colour)
{
	static const uint8_t pixel[] = {10, 20, 30, 0, 10, 20, 30, 255, 10, 20, 30, 128};
	struct wan_image_view given = {.format = WAN_PIXEL_RGBA8,
				       .width_px = 3,
				       .height_px = 1,
				       .pixels = pixel},
			      view;
	struct wan_image *image = NULL, *made = NULL;
	REQUIRE_EQ(wan_image_from_pixels(&given, &image), 0);
	enum wan_alpha_policy over = WAN_ALPHA_OVER(200, 100, 50);
	REQUIRE_EQ(wan_image_convert(image, WAN_PIXEL_RGB8, over, &made), 0);
	wan_image_view(made, &view);
	static const uint8_t expected[] = {200, 100, 50, 10, 20, 30, 105, 60, 40};
	CHECK_MEM(view.pixels, expected, sizeof(expected));
	wan_image_unref(made);
	REQUIRE_EQ(wan_image_convert(image, WAN_PIXEL_GRAY8, WAN_ALPHA_OVER(0, 0, 0), &made), 0);
	wan_image_unref(made);
	wan_image_unref(image);
}

TEST(grey_with_alpha_over_a_colour_becomes_colour)
{
	static const uint8_t pixel[] = {40, 0, 40, 255};
	struct wan_image_view given = {.format = WAN_PIXEL_GRAYA8,
				       .width_px = 2,
				       .height_px = 1,
				       .pixels = pixel},
			      view;
	struct wan_image *image = NULL, *made = NULL;
	REQUIRE_EQ(wan_image_from_pixels(&given, &image), 0);
	REQUIRE_EQ(wan_image_convert(image, WAN_PIXEL_RGB8, WAN_ALPHA_OVER(255, 0, 7), &made), 0);
	wan_image_view(made, &view);
	static const uint8_t expected[] = {255, 0, 7, 40, 40, 40};
	CHECK_MEM(view.pixels, expected, sizeof(expected));
	wan_image_unref(made);
	REQUIRE_EQ(wan_image_convert(image, WAN_PIXEL_RGB16, WAN_ALPHA_OVER(255, 0, 7), &made), 0);
	wan_image_view(made, &view);
	CHECK_EQ(((const uint16_t *)view.pixels)[2], 7 * 257);
	wan_image_unref(made);
	CHECK_EQ(wan_image_convert(image, WAN_PIXEL_RGB8,
				   (enum wan_alpha_policy)(WAN_ALPHA_COLOR_LAST + 1), &made),
		 -EINVAL);
	wan_image_unref(image);
}

TEST(wide_blending_is_exact_at_its_ends)
{
	struct wan_image *image, *made = NULL;
	struct wan_image_view view;
	REQUIRE_EQ(wan_image_create(WAN_PIXEL_GRAYA16, 3, 1, &image), 0);
	uint16_t *samples = wan_image_pixels_mut(image);
	static const uint16_t values[] = {1000, 65535, 1000, 0, 0, 32768};
	memcpy(samples, values, sizeof(values));
	CHECK_EQ(wan_image_convert(image, WAN_PIXEL_GRAY16, WAN_ALPHA_WHITE, &made), 0);
	wan_image_view(made, &view);
	const uint16_t *out = view.pixels;
	CHECK_EQ(out[0], 1000);
	CHECK_EQ(out[1], 65535);
	CHECK_EQ(out[2], 32767);
	wan_image_unref(made);
	wan_image_unref(image);
}

TEST(an_image_of_the_wanted_format_is_returned_itself)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGBA8, 4, 4), *made = NULL;
	CHECK_EQ(wan_image_convert(image, WAN_PIXEL_RGBA8, WAN_ALPHA_REFUSE, &made), 0);
	CHECK(made == image);
	wan_image_unref(made);
	CHECK_EQ(wan_image_convert(image, (enum wan_pixel_format)0, WAN_ALPHA_KEEP, &made),
		 -EINVAL);
	CHECK_EQ(wan_image_convert(image, WAN_PIXEL_RGB8, (enum wan_alpha_policy)9, &made),
		 -EINVAL);
	CHECK_EQ(wan_image_convert(NULL, WAN_PIXEL_RGB8, WAN_ALPHA_KEEP, &made), -EINVAL);
	wan_image_unref(image);
}

TAP_MAIN
