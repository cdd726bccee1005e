/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "luma.h"
#include "luma_kernels.h"
#include "sample.h"
#include "tap.h"

TEST(mean_and_deviation_equal_numpy)
{
	struct wan_image *image = sample_image(WAN_PIXEL_RGB8, 512, 512);
	struct wan_luma luma;
	CHECK_EQ(wan_luma_measure(image, &luma), 0);
	CHECK_EQ(luma.samples.n, 512 * 512 * 3);
	CHECK_NEAR(wan_sums_mean(&luma.samples), 127.507812, 5e-7);
	CHECK_NEAR(sqrt(wan_sums_variance(&luma.samples)), 73.899099, 5e-7);
	CHECK_EQ(luma.laplacian.n, 512 * 512);
	CHECK_EQ(luma.translucent_px, 0);
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
	static const int sides[][2] = {{1, 1},  {1, 5}, {5, 1}, {2, 2},    {3, 3},
				       {17, 9}, {2, 1}, {1, 2}, {130, 67}, {9000, 3}};
	for (size_t s = 0; s < sizeof(sides) / sizeof(sides[0]); s++) {
		int w = sides[s][0], h = sides[s][1];
		struct wan_image *image = sample_image(WAN_PIXEL_RGB8, (uint32_t)w, (uint32_t)h);
		struct wan_luma luma;
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
		CHECK_EQ(wan_luma_measure(image, &luma), 0);
		CHECK_EQ(luma.laplacian.sum, sum);
		CHECK_EQ(luma.laplacian.squares, squares);
		CHECK_EQ(luma.laplacian.n, w * h);
		wan_image_unref(image);
	}
}

TEST(alpha_does_not_count_as_brightness)
{
	struct wan_image *image;
	struct wan_luma luma;
	REQUIRE_EQ(wan_image_create(WAN_PIXEL_RGBA8, 40, 30, &image), 0);
	uint8_t *bytes = wan_image_pixels_mut(image);
	for (int i = 0; i < 40 * 30; i++)
		memcpy(bytes + 4 * i, "\x0a\x0a\x0a\xff", 4);
	CHECK_EQ(wan_luma_measure(image, &luma), 0);
	CHECK_NEAR(wan_sums_mean(&luma.samples), 10, 0);
	CHECK_NEAR(wan_sums_variance(&luma.laplacian), 0, 0);
	wan_image_unref(image);
}

TEST(what_lies_under_alpha_is_counted)
{
	struct wan_image *image;
	struct wan_luma luma;
	REQUIRE_EQ(wan_image_create(WAN_PIXEL_RGBA8, 40, 30, &image), 0);
	uint8_t *bytes = wan_image_pixels_mut(image);
	memset(bytes, 9, 40 * 30 * 4);
	for (int i = 0; i < 40 * 30; i++)
		bytes[4 * i + 3] = i < 100 ? 0 : i < 150 ? 128 : 255;
	CHECK_EQ(wan_luma_measure(image, &luma), 0);
	CHECK_EQ(luma.transparent_px, 100);
	CHECK_EQ(luma.translucent_px, 150);
	CHECK(!luma.hidden_colors);
	CHECK_EQ(luma.hidden[2], 9);
	CHECK_NEAR(wan_sums_mean(&luma.samples), 9, 0);
	CHECK_NEAR(wan_sums_variance(&luma.samples), 0, 0);
	bytes[4 * 99 + 2] = 10;
	CHECK_EQ(wan_luma_measure(image, &luma), 0);
	CHECK(luma.hidden_colors);
	wan_image_unref(image);
}

static uint32_t random_state = 1;

static uint32_t next_random(void)
{
	random_state = random_state * 1664525u + 1013904223u;
	return random_state >> 8;
}

/* Random bytes, or the extremes at which sums are largest. */
static void fill(uint8_t *bytes, size_t count, int kind)
{
	for (size_t i = 0; i < count; i++)
		bytes[i] = kind == 0   ? (uint8_t)next_random()
			   : kind == 1 ? 255
				       : (next_random() & 1 ? 255 : 0);
}

TEST(every_level_of_vector_code_gives_the_same_sums)
{
	static const enum wan_pixel_format formats[] = {WAN_PIXEL_RGB8, WAN_PIXEL_RGBA8,
							WAN_PIXEL_GRAY8, WAN_PIXEL_GRAYA8};
	enum wan_cpu_level best = wan_cpu_level();
	unsigned compared = 0;
	for (unsigned round = 0; round < 400; round++) {
		struct wan_image *image;
		struct wan_luma base, luma;
		uint32_t width = round < 300 ? round / 4 + 1 : 1 + next_random() % 3000;
		REQUIRE_EQ(
			wan_image_create(formats[round % 4], width, 1 + next_random() % 9, &image),
			0);
		struct wan_image_view view;
		wan_image_view(image, &view);
		fill(wan_image_pixels_mut(image), view.pixels_bytes, (int)(round / 4 % 3));
		memset(&base, 0, sizeof(base));
		memset(&luma, 0, sizeof(luma));
		wan_cpu_limit(WAN_CPU_BASE);
		CHECK_EQ(wan_luma_measure(image, &base), 0);
		for (int level = WAN_CPU_AVX2; level <= (int)best; level++) {
			wan_cpu_limit((enum wan_cpu_level)level);
			CHECK_EQ(wan_luma_measure(image, &luma), 0);
			CHECK_MEM(&luma, &base, sizeof(luma));
			compared++;
		}
		wan_cpu_limit(WAN_CPU_AVX512);
		wan_image_unref(image);
	}
	printf("# %u comparisons, best level %s\n", compared, wan_cpu_level_name(best));
}

TEST(plain_c_gives_the_same_grey)
{
	static uint8_t rgb[3 * 4096], rgba[4 * 4096];
	static uint16_t expected[4096], grey[4096];
	fill(rgb, sizeof(rgb), 0);
	for (int i = 0; i < 4096; i++)
		memcpy(rgba + 4 * i, rgb + 3 * i, 3);
	wan_luma_base.gray_rgb(rgb, expected, 4096);
	for (int i = 0; i < 4096; i++)
		CHECK_EQ(expected[i], (rgb[3 * i] * 19595u + rgb[3 * i + 1] * 38470u +
				       rgb[3 * i + 2] * 7471u + 0x8000u) >>
					      16);
	for (int level = WAN_CPU_BASE; level <= (int)wan_cpu_level(); level++) {
		const struct wan_luma_kernels *kernels =
			wan_luma_kernels((enum wan_cpu_level)level);
		memset(grey, 0xff, sizeof(grey));
		kernels->gray_rgb(rgb, grey, 4096);
		CHECK_MEM(grey, expected, sizeof(grey));
		memset(grey, 0xff, sizeof(grey));
		kernels->gray_rgba(rgba, grey, 4096);
		CHECK_MEM(grey, expected, sizeof(grey));
	}
}

/* The largest numbers there are, at the counts up to which the loops promise not to overflow. */
TEST(the_loops_hold_what_they_promise)
{
	static uint8_t bytes[WAN_LUMA_BYTES_AT_ONCE];
	static uint16_t lines[3][WAN_LUMA_PIXELS_AT_ONCE + 2];
	memset(bytes, 255, sizeof(bytes));
	for (unsigned i = 0; i < WAN_LUMA_PIXELS_AT_ONCE + 2; i++) {
		lines[0][i] = lines[2][i] = i % 2 ? 0 : 255;
		lines[1][i] = i % 2 ? 255 : 0;
	}
	for (int level = WAN_CPU_BASE - 1; level <= (int)wan_cpu_level(); level++) {
		const struct wan_luma_kernels *kernels =
			level < WAN_CPU_BASE ? &wan_luma_base
					     : wan_luma_kernels((enum wan_cpu_level)level);
		uint64_t sum = 1, squares = 2;
		kernels->add_bytes(bytes, sizeof(bytes), &sum, &squares);
		CHECK_EQ(sum, 1 + 255ull * WAN_LUMA_BYTES_AT_ONCE);
		CHECK_EQ(squares, 2 + 65025ull * WAN_LUMA_BYTES_AT_ONCE);
		CHECK_EQ(kernels->laplacian(lines[0] + 1, lines[1] + 1, lines[2] + 1,
					    WAN_LUMA_PIXELS_AT_ONCE),
			 1040400ull * WAN_LUMA_PIXELS_AT_ONCE);
	}
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
	struct wan_luma luma;
	CHECK_EQ(wan_luma_measure(image, &luma), -EINVAL);
	wan_image_unref(image);
}

TAP_MAIN
