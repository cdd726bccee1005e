/* SPDX-License-Identifier: MIT */
#include "kernels.h"
#include "tap.h"

enum { IN = 203, OUT = 400 };

static uint32_t state = 12345;

static uint8_t random_byte(void)
{
	state = state * 1664525 + 1013904223;
	uint32_t roll = state >> 24;
	return state >> 20 & 1 ? (uint8_t)(roll & 1 ? 255 : 0) : (uint8_t)roll; /* extremes often */
}

/* The versions that this processor can run; each must give the bytes of plain C. */
static size_t versions(const struct wan_kernels *found[4])
{
	size_t count = 0;
#if defined(__SSE2__)
	found[count++] = &wan_kernels_sse2;
#endif
#if defined(__x86_64__)
	if (wan_cpu_level() >= WAN_CPU_AVX2)
		found[count++] = &wan_kernels_avx2;
	if (wan_cpu_level() >= WAN_CPU_AVX512 && __builtin_cpu_supports("avx512vnni"))
		found[count++] = &wan_kernels_vnni;
#endif
#if defined(__ARM_NEON)
	found[count++] = &wan_kernels_neon;
#endif
	return count;
}

static void compare_lines(const struct wan_taps *taps, unsigned channels)
{
	static uint8_t in[WAN_LINES_AT_ONCE][IN * 4 + WAN_LINE_PADDING];
	static uint8_t fast[WAN_LINES_AT_ONCE][OUT * 4 + 1], plain[WAN_LINES_AT_ONCE][OUT * 4 + 1];
	const uint8_t *from[WAN_LINES_AT_ONCE];
	uint8_t *to[WAN_LINES_AT_ONCE], *expected[WAN_LINES_AT_ONCE];
	const struct wan_kernels *found[4];
	size_t count = versions(found), bytes = (size_t)taps->outputs * channels;

	for (int i = 0; i < WAN_LINES_AT_ONCE; i++) {
		for (size_t k = 0; k < sizeof(in[i]); k++)
			in[i][k] = random_byte();
		from[i] = in[i];
		to[i] = fast[i];
		expected[i] = plain[i];
	}
	wan_kernels_plain.lines(taps, from, expected, channels);
	for (size_t v = 0; v < count; v++) {
		memset(fast, 0xa5, sizeof(fast));
		found[v]->lines(taps, from, to, channels);
		for (int i = 0; i < WAN_LINES_AT_ONCE; i++) {
			CHECK_MEM(fast[i], plain[i], bytes);
			CHECK_EQ(fast[i][bytes], 0xa5); /* nothing behind the line */
		}
	}
}

TEST(fast_lines_equal_plain_ones)
{
	static const uint32_t outputs[] = {1, 2, 3, 4, 5, 6, 7, 50, 203, OUT};
	for (int filter = WAN_FILTER_LANCZOS; filter <= WAN_FILTER_BOX; filter++) {
		for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++) {
			struct wan_taps taps = {.outputs = 0};
			REQUIRE_EQ(wan_taps_create(&taps, IN, 0, IN, outputs[i], 0, outputs[i],
						   (enum wan_filter)filter),
				   0);
			CHECK(taps.digits_fit);
			for (unsigned channels = 1; channels <= 4; channels++)
				compare_lines(&taps, channels);
			wan_taps_destroy(&taps);
		}
	}
}

TEST(a_line_given_again_is_computed_once)
{
	uint8_t in[IN * 3 + WAN_LINE_PADDING], out[50 * 3], plain[50 * 3];
	const uint8_t *from[WAN_LINES_AT_ONCE] = {in, in, in, in};
	uint8_t *to[WAN_LINES_AT_ONCE] = {out, out, out, out};
	uint8_t *expected[WAN_LINES_AT_ONCE] = {plain, plain, plain, plain};
	const struct wan_kernels *found[4];
	struct wan_taps taps = {.outputs = 0};
	REQUIRE_EQ(wan_taps_create(&taps, IN, 0, IN, 50, 0, 50, WAN_FILTER_LANCZOS), 0);
	for (size_t k = 0; k < sizeof(in); k++)
		in[k] = random_byte();
	wan_kernels_plain.lines(&taps, from, expected, 3);
	for (size_t v = 0; v < versions(found); v++) {
		found[v]->lines(&taps, from, to, 3);
		CHECK_MEM(out, plain, sizeof(out));
	}
	wan_taps_destroy(&taps);
}

TEST(fast_columns_equal_plain_ones)
{
	static const size_t widths[] = {1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 333};
	static uint8_t lines[IN][333];
	uint8_t fast[334], plain[333];
	const struct wan_kernels *found[4];
	size_t count = versions(found);
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
				wan_kernels_plain.column(&taps, index, used, plain, widths[w]);
				for (size_t v = 0; v < count; v++) {
					memset(fast, 0xa5, sizeof(fast));
					found[v]->column(&taps, index, used, fast, widths[w]);
					CHECK_MEM(fast, plain, widths[w]);
					CHECK_EQ(fast[widths[w]], 0xa5);
				}
			}
		}
		wan_taps_destroy(&taps);
	}
}

TEST(the_level_allowed_decides)
{
	struct wan_taps taps = {.digits_fit = true};
	wan_cpu_limit(WAN_CPU_BASE);
	const struct wan_kernels *base = wan_kernels(&taps);
	wan_cpu_limit(WAN_CPU_AVX512);
#if defined(__x86_64__)
	CHECK(base == &wan_kernels_sse2);
	if (wan_cpu_level() >= WAN_CPU_AVX2)
		CHECK(wan_kernels(&taps) != base);
	/* A weight that three digits cannot hold is left to the 16-bit versions. */
	taps.digits_fit = false;
	CHECK(wan_kernels(&taps) != &wan_kernels_vnni);
#else
	CHECK(wan_kernels(&taps) == base);
#endif
}

TAP_MAIN
