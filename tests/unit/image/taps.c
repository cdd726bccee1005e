/* SPDX-License-Identifier: MIT */
#include "taps.h"
#include "tap.h"

TEST(weights_sum_to_one_and_stay_inside)
{
	static const uint32_t sides[][2] = {{1, 1},   {1, 100}, {100, 1},
					    {97, 61}, {61, 97}, {4000, 3}};
	for (size_t s = 0; s < sizeof(sides) / sizeof(sides[0]); s++) {
		for (int filter = WAN_FILTER_LANCZOS; filter <= WAN_FILTER_BOX; filter++) {
			struct wan_taps taps = {.outputs = 0};
			uint32_t in = sides[s][0], out = sides[s][1];
			REQUIRE_EQ(wan_taps_create(&taps, in, 0, (float)in, out, 0, out,
						   (enum wan_filter)filter),
				   0);
			for (uint32_t i = 0; i < out; i++) {
				int64_t sum = 0;
				CHECK(taps.spans[i].count >= 1 && taps.spans[i].count <= taps.most);
				CHECK(taps.spans[i].first + taps.spans[i].count <= in);
				for (uint32_t k = 0; k < taps.pitch; k++) {
					size_t at = (size_t)i * taps.pitch + k;
					sum += taps.weights[at];
					CHECK_EQ(taps.high[at] * (1 << WAN_TAPS_SPLIT) +
							 taps.low[at],
						 taps.weights[at]);
					CHECK_EQ(taps.digit[0][at] * 65536 +
							 taps.digit[1][at] * 256 +
							 taps.digit[2][at],
						 taps.weights[at]);
					if (k >= taps.spans[i].count)
						CHECK_EQ(taps.weights[at], 0);
				}
				CHECK_NEAR((double)sum, 1 << WAN_TAPS_BITS, taps.spans[i].count);
			}
			wan_taps_destroy(&taps);
		}
	}
}

TEST(a_window_has_the_weights_of_the_whole)
{
	struct wan_taps whole = {.outputs = 0}, part = {.outputs = 0};
	REQUIRE_EQ(wan_taps_create(&whole, 97, 0, 97, 61, 0, 61, WAN_FILTER_LANCZOS), 0);
	REQUIRE_EQ(wan_taps_create(&part, 97, 0, 97, 61, 20, 10, WAN_FILTER_LANCZOS), 0);
	for (uint32_t i = 0; i < 10; i++) {
		CHECK_EQ(part.spans[i].first, whole.spans[20 + i].first);
		CHECK_MEM(part.weights + (size_t)i * part.pitch,
			  whole.weights + (size_t)(20 + i) * whole.pitch, part.pitch * 4);
	}
	wan_taps_destroy(&whole);
	wan_taps_destroy(&part);
}

TAP_MAIN
