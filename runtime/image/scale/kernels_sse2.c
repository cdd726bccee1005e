/* SPDX-License-Identifier: MIT */
/*
 * Samples of two taps side by side in 16-bit lanes times two weights: one instruction for each half
 * of the split weights gives the exact 32-bit sums.
 */
#include "kernels.h"

#if defined(__SSE2__)

#include <emmintrin.h>
#include <string.h>

struct sums {
	__m128i high, low;
};

static inline __m128i pair(const int16_t *weights)
{
	int32_t both;
	memcpy(&both, weights, sizeof(both));
	return _mm_set1_epi32(both);
}

static inline __m128i load(const void *from)
{
	return _mm_loadu_si128((const __m128i *)from);
}

static inline void add_pair(struct sums *sums, __m128i samples, __m128i high, __m128i low)
{
	sums->high = _mm_add_epi32(sums->high, _mm_madd_epi16(samples, high));
	sums->low = _mm_add_epi32(sums->low, _mm_madd_epi16(samples, low));
}

static inline __m128i total(struct sums sums)
{
	__m128i sum = _mm_add_epi32(_mm_slli_epi32(sums.high, WAN_TAPS_SPLIT), sums.low);
	return _mm_add_epi32(sum, _mm_set1_epi32(WAN_TAPS_HALF));
}

static inline __m128i load4(const uint8_t *from)
{
	int32_t four;
	memcpy(&four, from, sizeof(four));
	return _mm_cvtsi32_si128(four);
}

/* The sum's bytes, clipped, in the lowest four. */
static inline int32_t clipped(__m128i sum)
{
	sum = _mm_srai_epi32(sum, WAN_TAPS_BITS);
	sum = _mm_packs_epi32(sum, sum);
	return _mm_cvtsi128_si32(_mm_packus_epi16(sum, sum));
}

static inline void line_wide(const struct wan_taps *taps, const uint8_t *in, uint8_t *out,
			     unsigned channels)
{
	const __m128i zero = _mm_setzero_si128();
	for (uint32_t x = 0; x < taps->outputs; x++) {
		const int16_t *high = taps->high + (size_t)x * taps->pitch;
		const int16_t *low = taps->low + (size_t)x * taps->pitch;
		const uint8_t *from = in + (size_t)taps->spans[x].first * channels;
		uint32_t count = taps->spans[x].count;
		struct sums sums = {zero, zero};

		/* An odd count reads one sample more, whose weight is 0. */
		for (uint32_t k = 0; k < count; k += 2, from += 2 * channels) {
			__m128i both = _mm_unpacklo_epi8(load4(from), load4(from + channels));
			add_pair(&sums, _mm_unpacklo_epi8(both, zero), pair(high + k),
				 pair(low + k));
		}
		int32_t four = clipped(total(sums));
		memcpy(out, &four, channels);
		out += channels;
	}
}

static void line_gray(const struct wan_taps *taps, const uint8_t *in, uint8_t *out)
{
	const __m128i zero = _mm_setzero_si128();
	for (uint32_t x = 0; x < taps->outputs; x++) {
		const int16_t *high = taps->high + (size_t)x * taps->pitch;
		const int16_t *low = taps->low + (size_t)x * taps->pitch;
		const uint8_t *from = in + taps->spans[x].first;
		struct sums sums = {zero, zero};

		for (uint32_t k = 0; k < taps->spans[x].count; k += 8) {
			__m128i eight = _mm_loadl_epi64((const __m128i *)(const void *)(from + k));
			add_pair(&sums, _mm_unpacklo_epi8(eight, zero), load(high + k),
				 load(low + k));
		}
		__m128i sum = _mm_add_epi32(_mm_slli_epi32(sums.high, WAN_TAPS_SPLIT), sums.low);
		sum = _mm_add_epi32(sum, _mm_srli_si128(sum, 8));
		sum = _mm_add_epi32(sum, _mm_srli_si128(sum, 4));
		*out++ = (uint8_t)clipped(_mm_add_epi32(sum, _mm_set1_epi32(WAN_TAPS_HALF)));
	}
}

static void lines(const struct wan_taps *taps, const uint8_t *const *in, uint8_t *const *out,
		  unsigned channels)
{
	for (int i = 0; i < WAN_LINES_AT_ONCE; i++) {
		if (i > 0 && out[i] == out[i - 1])
			continue;
		if (channels == 1)
			line_gray(taps, in[i], out[i]);
		else if (channels == 2)
			line_wide(taps, in[i], out[i], 2);
		else if (channels == 3)
			line_wide(taps, in[i], out[i], 3);
		else
			line_wide(taps, in[i], out[i], 4);
	}
}

static void column(const struct wan_taps *taps, uint32_t index, const uint8_t *const *lines_in,
		   uint8_t *out, size_t count)
{
	const __m128i zero = _mm_setzero_si128();
	const int16_t *high = taps->high + (size_t)index * taps->pitch;
	const int16_t *low = taps->low + (size_t)index * taps->pitch;
	uint32_t lines_count = taps->spans[index].count;

	if (count < 16) {
		wan_kernels_plain.column(taps, index, lines_in, out, count);
		return;
	}
	/* The last step overlaps the one before. */
	for (size_t next = 0; next < count; next += 16) {
		size_t i = next + 16 <= count ? next : count - 16;
		struct sums sums[4] = {{zero, zero}, {zero, zero}, {zero, zero}, {zero, zero}};
		for (uint32_t k = 0; k < lines_count; k += 2) {
			const uint8_t *second = lines_in[k + 1 < lines_count ? k + 1 : k];
			__m128i a = load(lines_in[k] + i), b = load(second + i);
			__m128i first = _mm_unpacklo_epi8(a, b), last = _mm_unpackhi_epi8(a, b);
			__m128i h = pair(high + k), l = pair(low + k);
			add_pair(&sums[0], _mm_unpacklo_epi8(first, zero), h, l);
			add_pair(&sums[1], _mm_unpackhi_epi8(first, zero), h, l);
			add_pair(&sums[2], _mm_unpacklo_epi8(last, zero), h, l);
			add_pair(&sums[3], _mm_unpackhi_epi8(last, zero), h, l);
		}
		__m128i sum[4];
		for (int s = 0; s < 4; s++)
			sum[s] = _mm_srai_epi32(total(sums[s]), WAN_TAPS_BITS);
		__m128i left = _mm_packs_epi32(sum[0], sum[1]);
		__m128i right = _mm_packs_epi32(sum[2], sum[3]);
		_mm_storeu_si128((__m128i *)(void *)(out + i), _mm_packus_epi16(left, right));
	}
}

const struct wan_kernels wan_kernels_sse2 = {lines, column};

#endif
