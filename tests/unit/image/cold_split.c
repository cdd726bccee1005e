/* SPDX-License-Identifier: MIT */
#include "cold_pack.h"
#include "cold_split.h"
#include "cpu.h"
#include "sample.h"
#include "tap.h"

enum { MOST = 100 };

static void fill(uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		bytes[i] = (uint8_t)(i * i * 31 + i * 7 + (i >> 3));
}

/* Pixels end where their allocation ends. */
static bool comes_back(size_t width, unsigned channels)
{
	uint8_t lines[WAN_SPLIT_LINES][128];
	uint8_t *const each[WAN_SPLIT_LINES] = {lines[0], lines[1], lines[2], lines[3]};
	uint8_t *pixels = malloc(width * channels), *again = malloc(width * channels);
	fill(pixels, width * channels);
	wan_split_row(pixels, width, channels, each);
	wan_join_row(each, width, channels, again);
	bool same = CHECK_MEM(again, pixels, width * channels);
	free(pixels);
	free(again);
	return same;
}

TEST(rows_of_any_width_and_channels_come_back_at_every_level_of_vector_code)
{
	for (int level = WAN_CPU_BASE; level <= WAN_CPU_AVX512; level++) {
		wan_cpu_limit((enum wan_cpu_level)level);
		bool same = true;
		for (unsigned channels = 1; channels <= 4; channels++)
			for (size_t width = 1; same && width <= MOST; width++)
				same = comes_back(width, channels);
	}
	wan_cpu_limit(WAN_CPU_AVX512);
}

TEST(colours_are_kept_as_differences_to_green)
{
	const uint8_t pixels[8] = {30, 10, 5, 200, 1, 2, 3, 4};
	uint8_t lines[WAN_SPLIT_LINES][128];
	uint8_t *const each[WAN_SPLIT_LINES] = {lines[0], lines[1], lines[2], lines[3]};
	wan_split_row(pixels, 2, 4, each);
	CHECK_EQ(lines[0][0], 20);
	CHECK_EQ(lines[1][0], 10);
	CHECK_EQ(lines[2][0], 251);
	CHECK_EQ(lines[3][0], 200);
	CHECK_EQ(lines[0][1], 255);
}

TEST(three_lines_become_pixels_at_every_level_of_vector_code)
{
	uint8_t r[128], g[128], b[128];
	fill(r, sizeof(r));
	fill(g, sizeof(g));
	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = (uint8_t)(255 - i);
	for (int level = WAN_CPU_BASE; level <= WAN_CPU_AVX512; level++) {
		wan_cpu_limit((enum wan_cpu_level)level);
		for (size_t width = 1; width <= MOST; width++) {
			uint8_t *pixels = malloc(3 * width);
			wan_interleave_row(r, g, b, width, pixels);
			bool same = true;
			for (size_t x = 0; x < width; x++)
				same = same && pixels[3 * x] == r[x] && pixels[3 * x + 1] == g[x] &&
				       pixels[3 * x + 2] == b[x];
			CHECK(same);
			free(pixels);
		}
	}
	wan_cpu_limit(WAN_CPU_AVX512);
}

TAP_MAIN
