/* SPDX-License-Identifier: MIT */
#include "kernels.h"
#include "tap.h"

enum { IN = 203 };

static uint32_t state = 12345;

static uint8_t random_byte(void)
{
	state = state * 1664525 + 1013904223;
	uint32_t roll = state >> 24;
	return state >> 20 & 1 ? (uint8_t)(roll & 1 ? 255 : 0) : (uint8_t)roll; /* extremes often */
}

/* What the processor's vector instructions compute is exactly what plain C computes. */
TEST(fast_lines_equal_plain_ones)
{
	static const uint32_t outputs[] = {1, 2, 7, 50, 203, 400};
	uint8_t in[IN * 4 + WAN_LINE_PADDING], fast[400 * 4], plain[400 * 4];
	for (int filter = WAN_FILTER_LANCZOS; filter <= WAN_FILTER_BOX; filter++) {
		for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++) {
			struct wan_taps taps = {.outputs = 0};
			REQUIRE_EQ(wan_taps_create(&taps, IN, 0, IN, outputs[i], 0, outputs[i],
						   (enum wan_filter)filter),
				   0);
			for (unsigned channels = 1; channels <= 4; channels++) {
				for (size_t k = 0; k < sizeof(in); k++)
					in[k] = random_byte();
				wan_resample_line(&taps, in, fast, channels);
				wan_resample_line_plain(&taps, in, plain, channels);
				CHECK_MEM(fast, plain, outputs[i] * channels);
			}
			wan_taps_destroy(&taps);
		}
	}
}

TEST(fast_columns_equal_plain_ones)
{
	static const size_t widths[] = {1, 15, 16, 17, 100, 333};
	static uint8_t lines[IN][333];
	uint8_t fast[333], plain[333];
	for (int y = 0; y < IN; y++)
		for (size_t x = 0; x < sizeof(lines[0]); x++)
			lines[y][x] = random_byte();
	for (int filter = WAN_FILTER_LANCZOS; filter <= WAN_FILTER_BOX; filter++) {
		struct wan_taps taps = {.outputs = 0};
		REQUIRE_EQ(wan_taps_create(&taps, IN, 0, IN, 31, 0, 31, (enum wan_filter)filter),
			   0);
		for (uint32_t index = 0; index < 31; index++) {
			const uint8_t *used[IN];
			for (uint32_t k = 0; k < taps.spans[index].count; k++)
				used[k] = lines[taps.spans[index].first + k];
			for (size_t w = 0; w < sizeof(widths) / sizeof(widths[0]); w++) {
				wan_resample_column(&taps, index, used, fast, widths[w]);
				wan_resample_column_plain(&taps, index, used, plain, widths[w]);
				CHECK_MEM(fast, plain, widths[w]);
			}
		}
		wan_taps_destroy(&taps);
	}
}

TAP_MAIN
