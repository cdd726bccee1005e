/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "buffer.h"
#include "cpu.h"
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

enum { PIXELS = 512 };

static size_t wrong_halves(const uint8_t *rgb, size_t pixels, enum wan_pixel_format format)
{
	static uint16_t halves[3][PIXELS + 1];
	uint16_t *const to[3] = {halves[0], halves[1], halves[2]};
	const uint16_t *table = format == WAN_PIXEL_RGBF16_PLANAR ? wan_normalise_table_f16()
								  : wan_normalise_table_bf16();
	size_t wrong = 0;
	for (int c = 0; c < 3; c++)
		halves[c][pixels] = 77;
	wan_normalise_rows_16(rgb, pixels, format, to);
	for (size_t i = 0; i < 3 * pixels; i++)
		wrong += halves[i % 3][i / 3] != table[rgb[i]];
	for (int c = 0; c < 3; c++)
		wrong += halves[c][pixels] != 77;
	return wrong;
}

TEST(every_level_of_vectors_gives_the_same_bits)
{
	uint8_t rgb[PIXELS * 3];
	float planes[3][PIXELS + 1];
	for (int i = 0; i < PIXELS * 3; i++) /* each value in each channel and each lane */
		rgb[i] = (uint8_t)(i / 3 * 3 + i % 3 * 85);
	enum wan_cpu_level best = wan_cpu_level();
	for (int level = WAN_CPU_BASE; level <= (int)best; level++) {
		wan_cpu_limit((enum wan_cpu_level)level);
		for (size_t pixels = 0; pixels <= PIXELS; pixels += pixels < 40 ? 1 : 59) {
			for (int c = 0; c < 3; c++)
				planes[c][pixels] = 5.0f;
			wan_normalise_rows(rgb, pixels, planes[0], planes[1], planes[2]);
			size_t wrong = 0;
			for (size_t i = 0; i < 3 * pixels; i++)
				wrong += planes[i % 3][i / 3] != wan_normalised[rgb[i]];
			CHECK_EQ(wrong, 0);
			for (int c = 0; c < 3; c++)
				CHECK(planes[c][pixels] == 5.0f);
			CHECK_EQ(wrong_halves(rgb, pixels, WAN_PIXEL_RGBF16_PLANAR), 0);
			CHECK_EQ(wrong_halves(rgb, pixels, WAN_PIXEL_RGBBF16_PLANAR), 0);
		}
	}
	wan_cpu_limit(WAN_CPU_AVX512);
}

TEST(half_precision_is_the_rounded_float)
{
	const uint16_t *f16 = wan_normalise_table_f16(), *bf16 = wan_normalise_table_bf16();
	CHECK(wan_normalise_table() == wan_normalised);
	CHECK_EQ(f16[0], 0xbc00);
	CHECK_EQ(f16[255], 0x3c00);
	CHECK_EQ(bf16[0], 0xbf80);
	CHECK_EQ(bf16[255], 0x3f80);
	for (int p = 0; p < 256; p++) {
		float value = wan_normalised[p];
		/* No neighbour is nearer. */
		float at = fabsf(wan_float_of_f16(f16[p]) - value);
		CHECK(at <= fabsf(wan_float_of_f16((uint16_t)(f16[p] + 1)) - value));
		CHECK(at <= fabsf(wan_float_of_f16((uint16_t)(f16[p] - 1)) - value));
		at = fabsf(wan_float_of_bf16(bf16[p]) - value);
		CHECK(at <= fabsf(wan_float_of_bf16((uint16_t)(bf16[p] + 1)) - value));
		CHECK(at <= fabsf(wan_float_of_bf16((uint16_t)(bf16[p] - 1)) - value));
	}
}

TEST(sixteen_bit_planes_hold_the_tables)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 19, 5), *made = NULL, *back = NULL;
	struct wan_image_view view;
	for (int f = WAN_PIXEL_RGBF16_PLANAR; f <= WAN_PIXEL_RGBBF16_PLANAR; f++) {
		enum wan_pixel_format format = (enum wan_pixel_format)f;
		const uint16_t *table = format == WAN_PIXEL_RGBF16_PLANAR
						? wan_normalise_table_f16()
						: wan_normalise_table_bf16();
		REQUIRE_EQ(wan_image_convert(image, format, WAN_ALPHA_KEEP, &made), 0);
		wan_image_view(made, &view);
		CHECK_EQ(view.stride_bytes, 38);
		CHECK_EQ(view.pixels_bytes, 19 * 5 * 6);
		const uint16_t *planes = view.pixels;
		for (uint32_t i = 0; i < 3 * 5 * 19; i++)
			CHECK_EQ(planes[i], table[sample_byte(i % 19, i / 19 % 5, i / (19 * 5))]);
		/* bfloat16 keeps eight bits, too few for all bytes; half precision gives them back.
		 */
		REQUIRE_EQ(wan_image_convert(made, WAN_PIXEL_RGB8, WAN_ALPHA_KEEP, &back), 0);
		if (format == WAN_PIXEL_RGBF16_PLANAR)
			CHECK_EQ(crc32_image(back), crc32_image(image));
		wan_image_unref(back);
		wan_image_unref(made);
	}
	wan_image_unref(image);
}

TEST(halves_are_widened_exactly)
{
	CHECK(wan_float_of_f16(0x0001) == 0x1p-24f);
	CHECK(wan_float_of_f16(0x83ff) == -0x1.ff8p-15f);
	CHECK(wan_float_of_f16(0x0400) == 0x1p-14f);
	CHECK(wan_float_of_f16(0x7bff) == 65504.0f);
	CHECK(isinf(wan_float_of_f16(0xfc00)) && isnan(wan_float_of_f16(0x7e00)));
	for (uint32_t bits = 0; bits < 65536; bits++)
		if ((bits & 0x7c00) != 0x7c00)
			CHECK_EQ(wan_f16_from_float(wan_float_of_f16((uint16_t)bits)), bits);
}

TEST(planes_are_rounded_without_becoming_bytes)
{
	static const float values[] = {1.36f, -1.33f, 0.1f, -0.0f, 1e-7f, 70000.0f, NAN, INFINITY};
	struct wan_image *image, *made = NULL, *back = NULL;
	REQUIRE_EQ(wan_image_create(WAN_PIXEL_RGBF32_PLANAR, 37, 3, &image), 0);
	float *planes = image->pixels;
	for (int i = 0; i < 333; i++)
		planes[i] = i % 41 < 8 ? values[i % 41] : (float)i / 100.0f;
	enum wan_cpu_level best = wan_cpu_level();
	for (int level = WAN_CPU_BASE; level <= (int)best; level++) {
		wan_cpu_limit((enum wan_cpu_level)level);
		REQUIRE_EQ(wan_image_convert(image, WAN_PIXEL_RGBF16_PLANAR, WAN_ALPHA_KEEP, &made),
			   0);
		const uint16_t *halves = made->pixels;
		for (int i = 0; i < 333; i++)
			CHECK_EQ(halves[i], wan_f16_from_float(planes[i]));
		REQUIRE_EQ(wan_image_convert(made, WAN_PIXEL_RGBF32_PLANAR, WAN_ALPHA_KEEP, &back),
			   0);
		for (int i = 0; i < 333; i++) {
			float value = wan_float_of_f16(halves[i]),
			      widened = ((float *)back->pixels)[i];
			CHECK(value == widened || (isnan(value) && isnan(widened)));
		}
		wan_image_unref(back);
		REQUIRE_EQ(wan_image_convert(made, WAN_PIXEL_RGBBF16_PLANAR, WAN_ALPHA_KEEP, &back),
			   0);
		for (int i = 0; i < 333; i++)
			CHECK_EQ(((uint16_t *)back->pixels)[i],
				 wan_bf16_from_float(wan_float_of_f16(halves[i])));
		wan_image_unref(back);
		wan_image_unref(made);
	}
	wan_cpu_limit(WAN_CPU_AVX512);
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
