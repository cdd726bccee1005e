/* SPDX-License-Identifier: MIT */
/* torch's bicubic and bilinear; the comparison with the torch of this machine is in pillow.c. */
#include <errno.h>

#include "buffer.h"
#include "sample.h"
#include "tap.h"

static const enum wan_filter filters[] = {WAN_FILTER_TORCH_BICUBIC, WAN_FILTER_TORCH_BILINEAR};

static struct wan_image *resized(const struct wan_image *image, uint32_t width, uint32_t height,
				 enum wan_filter filter)
{
	struct wan_image *made = NULL;
	CHECK_EQ(wan_image_resize_float(image, width, height, filter, &made), 0);
	return made;
}

/* One row of floats, the same in each plane. */
static struct wan_image *row_of(const float *values, uint32_t count)
{
	struct wan_image *image;
	if (wan_image_create(WAN_PIXEL_RGBF32_PLANAR, count, 1, &image) < 0)
		abort();
	for (uint32_t i = 0; i < 3 * count; i++)
		((float *)wan_image_pixels_mut(image))[i] = values[i % count];
	return image;
}

TEST(the_same_size_keeps_every_value)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 19, 11), *plain = NULL;
	REQUIRE_EQ(wan_image_normalise(image, &plain), 0);
	for (int f = 0; f < 2; f++) {
		struct wan_image *made = resized(image, 19, 11, filters[f]);
		CHECK_EQ(crc32_image(made), crc32_image(plain));
		wan_image_unref(made);
	}
	wan_image_unref(plain);
	wan_image_unref(image);
}

TEST(positions_and_weights_are_those_of_torch)
{
	/* Doubling: sources at -0.25, 0.25, 0.75, ...; bilinear starts at 0. */
	static const float values[] = {0.0f, 1.0f, 0.5f};
	static const float linear[] = {0.0f, 0.25f, 0.75f, 0.875f, 0.625f, 0.5f};
	struct wan_image *image = row_of(values, 3);
	struct wan_image *made = resized(image, 6, 1, WAN_FILTER_TORCH_BILINEAR);
	for (int i = 0; made && i < 6; i++)
		CHECK_NEAR((double)((float *)made->pixels)[i], (double)linear[i], 1e-6);
	wan_image_unref(made);
	/* At a quarter, a = -0.75: -27/256, 225/256, 67/256, -9/256. */
	made = resized(image, 6, 1, WAN_FILTER_TORCH_BICUBIC);
	if (made)
		CHECK_NEAR((double)((float *)made->pixels)[1], (67.0 * 1.0 - 9.0 * 0.5) / 256.0,
			   1e-6);
	wan_image_unref(made);
	wan_image_unref(image);
}

TEST(bicubic_overshoots_and_is_not_clamped)
{
	static const float values[] = {-1.0f, -1.0f, -1.0f, 1.0f, 1.0f, 1.0f};
	struct wan_image *image = row_of(values, 6);
	struct wan_image *made = resized(image, 12, 1, WAN_FILTER_TORCH_BICUBIC);
	float most = 0;
	for (int i = 0; made && i < 12; i++)
		most = fmaxf(most, ((float *)made->pixels)[i]);
	CHECK(most > 1.05f && most < 1.4f);
	wan_image_unref(made);
	wan_image_unref(image);
}

TEST(bytes_are_the_nearest_of_the_floats)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGBA8, 61, 43), *bytes = NULL,
			 *back = NULL;
	for (int f = 0; f < 2; f++) {
		struct wan_image *floats = resized(image, 40, 50, filters[f]);
		CHECK_EQ(wan_image_resize(image, 40, 50, filters[f], &bytes), 0);
		CHECK_EQ(wan_image_convert(floats, WAN_PIXEL_RGB8, WAN_ALPHA_KEEP, &back), 0);
		CHECK_EQ(crc32_image(bytes), crc32_image(back));
		wan_image_unref(floats);
		wan_image_unref(bytes);
		wan_image_unref(back);
	}
	wan_image_unref(image);
}

TEST(not_a_number_reaches_only_what_is_made_of_it)
{
	float values[20] = {0};
	values[3] = NAN;
	struct wan_image *image = row_of(values, 20);
	struct wan_image *made = resized(image, 20, 1, WAN_FILTER_TORCH_BILINEAR);
	unsigned wrong = 0;
	for (int i = 0; made && i < 20; i++)
		wrong += isnan(((float *)made->pixels)[i]) && i != 3 && i != 2;
	CHECK_EQ(wrong, 0);
	wan_image_unref(made);
	wan_image_unref(image);
}

TEST(pillows_filters_are_normalised_afterwards)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 61, 43), *small = NULL, *plain;
	REQUIRE_EQ(wan_image_resize(image, 20, 30, WAN_FILTER_LANCZOS, &small), 0);
	REQUIRE_EQ(wan_image_normalise(small, &plain), 0);
	struct wan_image *made = resized(image, 20, 30, WAN_FILTER_LANCZOS);
	CHECK_EQ(crc32_image(made), crc32_image(plain));
	wan_image_unref(made);
	CHECK_EQ(wan_image_resize_float(plain, 5, 5, WAN_FILTER_LANCZOS, &made), -EINVAL);
	wan_image_unref(plain);
	wan_image_unref(small);
	wan_image_unref(image);
}

TEST(extreme_sizes_work_and_bad_ones_are_refused)
{
	static const uint32_t sizes[][4] = {{1, 1, 50, 60}, {65535, 1, 1, 4}, {1, 3000, 40, 1}};
	struct wan_image *made = NULL;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct wan_image *image = sample_image(WAN_PIXEL_GRAY8, sizes[i][0], sizes[i][1]);
		for (int f = 0; f < 2; f++)
			wan_image_unref(resized(image, sizes[i][2], sizes[i][3], filters[f]));
		CHECK_EQ(wan_image_resize_float(image, 0, 4, filters[0], &made), -EINVAL);
		CHECK_EQ(wan_image_resize_float(image, 4, 0, filters[0], &made), -EINVAL);
		CHECK_EQ(wan_image_resize_float(image, 4, 4, (enum wan_filter)99, &made), -EINVAL);
		wan_image_unref(image);
	}
	CHECK_EQ(wan_image_resize_float(NULL, 4, 4, filters[0], &made), -EINVAL);
}

TAP_MAIN
