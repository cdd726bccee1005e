/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "luma.h"
#include "sample.h"
#include "tap.h"

TEST(mean_and_deviation_equal_numpy)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 512, 512);
	struct wan_sums samples, laplacian;
	CHECK_EQ(wan_luma_measure(image, &samples, &laplacian), 0);
	CHECK_EQ(samples.n, 512 * 512 * 3);
	CHECK_NEAR(wan_sums_mean(&samples), 127.507812, 5e-7);
	CHECK_NEAR(sqrt(wan_sums_variance(&samples)), 73.899099, 5e-7);
	CHECK_EQ(laplacian.n, 512 * 512);
	wan_image_unref(image);
}

static int gray_at(int x, int y)
{
	unsigned r = sample_byte((uint32_t)x, (uint32_t)y, 0);
	unsigned g = sample_byte((uint32_t)x, (uint32_t)y, 1);
	unsigned b = sample_byte((uint32_t)x, (uint32_t)y, 2);
	return (int)((r * 19595 + g * 38470 + b * 7471 + 32768) >> 16);
}

static int mirrored(int at, int side)
{
	if (side == 1)
		return 0;
	return at < 0 ? -at : at >= side ? 2 * side - 2 - at : at;
}

/* Against the definition, for every shape of border. */
TEST(the_laplacian_is_the_one_of_the_mirrored_grey_image)
{
	static const int sides[][2] = {{1, 1}, {1, 5}, {5, 1}, {2, 2}, {3, 3}, {17, 9}};
	for (size_t s = 0; s < sizeof(sides) / sizeof(sides[0]); s++) {
		int w = sides[s][0], h = sides[s][1];
		struct wan_image *image = sample_image(WAN_PIXEL_RGB8, (uint32_t)w, (uint32_t)h);
		struct wan_sums samples, laplacian;
		int64_t sum = 0, squares = 0;
		for (int y = 0; y < h; y++) {
			for (int x = 0; x < w; x++) {
				int v = gray_at(mirrored(x - 1, w), y) +
					gray_at(mirrored(x + 1, w), y) +
					gray_at(x, mirrored(y - 1, h)) +
					gray_at(x, mirrored(y + 1, h)) - 4 * gray_at(x, y);
				sum += v;
				squares += v * v;
			}
		}
		CHECK_EQ(wan_luma_measure(image, &samples, &laplacian), 0);
		CHECK_EQ(laplacian.sum, sum);
		CHECK_EQ(laplacian.squares, squares);
		CHECK_EQ(laplacian.n, w * h);
		wan_image_unref(image);
	}
}

TEST(alpha_does_not_count_as_brightness)
{
	struct wan_image *image;
	struct wan_sums samples, laplacian;
	REQUIRE_EQ(wan_image_create(WAN_PIXEL_RGBA8, 40, 30, &image), 0);
	uint8_t *bytes = wan_image_pixels_mut(image);
	for (int i = 0; i < 40 * 30; i++)
		memcpy(bytes + 4 * i, "\x0a\x0a\x0a\xff", 4);
	CHECK_EQ(wan_luma_measure(image, &samples, &laplacian), 0);
	CHECK_NEAR(wan_sums_mean(&samples), 10, 0);
	CHECK_NEAR(wan_sums_variance(&laplacian), 0, 0);
	wan_image_unref(image);
}

TEST(comparisons_are_exact)
{
	struct wan_sums sums = {.n = 10, .sum = 200, .squares = 4000 + 10 * 225};
	CHECK_EQ(wan_sums_compare_mean(&sums, 20), 0);
	CHECK(!wan_sums_variance_below(&sums, 225));
	sums.squares--;
	CHECK(wan_sums_variance_below(&sums, 225));
	sums.sum--;
	CHECK(wan_sums_compare_mean(&sums, 20) < 0);
	sums.sum += 2;
	CHECK(wan_sums_compare_mean(&sums, 20) > 0);
	/* as many samples as the largest image has */
	struct wan_sums many = {.n = 3ull << 28,
				.sum = (int64_t)((3ull << 28) * 255),
				.squares = (3ull << 28) * 255 * 255};
	CHECK_NEAR(wan_sums_variance(&many), 0, 0);
	CHECK_EQ(wan_sums_compare_mean(&many, 255), 0);
}

TEST(other_formats_are_refused)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB16, 4, 4);
	struct wan_sums samples, laplacian;
	CHECK_EQ(wan_luma_measure(image, &samples, &laplacian), -EINVAL);
	wan_image_unref(image);
}

TAP_MAIN
