/* SPDX-License-Identifier: MIT */
#include "kernels.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif
#include <string.h>

#define HALF (1 << (WAN_TAPS_BITS - 1))

static inline uint8_t clip(int32_t sum)
{
	sum >>= WAN_TAPS_BITS;
	return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

void wan_resample_line_plain(const struct wan_taps *taps, const uint8_t *in, uint8_t *out,
			     unsigned channels)
{
	for (uint32_t x = 0; x < taps->outputs; x++) {
		const int32_t *weights = taps->weights + (size_t)x * taps->pitch;
		const uint8_t *from = in + (size_t)taps->spans[x].first * channels;
		for (unsigned c = 0; c < channels; c++) {
			int32_t sum = HALF;
			for (uint32_t k = 0; k < taps->spans[x].count; k++)
				sum += from[k * channels + c] * weights[k];
			*out++ = clip(sum);
		}
	}
}

static void column_plain(const struct wan_taps *taps, uint32_t index, const uint8_t *const *lines,
			 uint8_t *out, size_t from, size_t count)
{
	const int32_t *weights = taps->weights + (size_t)index * taps->pitch;
	for (size_t i = from; i < count; i++) {
		int32_t sum = HALF;
		for (uint32_t k = 0; k < taps->spans[index].count; k++)
			sum += lines[k][i] * weights[k];
		out[i] = clip(sum);
	}
}

void wan_resample_column_plain(const struct wan_taps *taps, uint32_t index,
			       const uint8_t *const *lines, uint8_t *out, size_t count)
{
	column_plain(taps, index, lines, out, 0, count);
}

#if defined(__SSE2__)

/* Samples of two taps side by side in 16-bit lanes times two weights: one instruction for each
 * half of the split weights gives the exact 32-bit sums. */
struct sums {
	__m128i high, low;
};

static inline __m128i pair(const int16_t *weights)
{
	int32_t both;
	memcpy(&both, weights, sizeof(both));
	return _mm_set1_epi32(both);
}

static inline void add_pair(struct sums *sums, __m128i samples, __m128i high, __m128i low)
{
	sums->high = _mm_add_epi32(sums->high, _mm_madd_epi16(samples, high));
	sums->low = _mm_add_epi32(sums->low, _mm_madd_epi16(samples, low));
}

static inline __m128i total(struct sums sums)
{
	__m128i sum = _mm_add_epi32(_mm_slli_epi32(sums.high, WAN_TAPS_SPLIT), sums.low);
	sum = _mm_add_epi32(sum, _mm_set1_epi32(HALF));
	return _mm_srai_epi32(sum, WAN_TAPS_BITS);
}

static inline __m128i load4(const uint8_t *from)
{
	int32_t four;
	memcpy(&four, from, sizeof(four));
	return _mm_cvtsi32_si128(four);
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
		__m128i sum = total(sums);
		sum = _mm_packs_epi32(sum, sum);
		int32_t four = _mm_cvtsi128_si32(_mm_packus_epi16(sum, sum));
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
			add_pair(&sums, _mm_unpacklo_epi8(eight, zero),
				 _mm_loadu_si128((const __m128i *)(const void *)(high + k)),
				 _mm_loadu_si128((const __m128i *)(const void *)(low + k)));
		}
		__m128i sum = _mm_add_epi32(_mm_slli_epi32(sums.high, WAN_TAPS_SPLIT), sums.low);
		sum = _mm_add_epi32(sum, _mm_srli_si128(sum, 8));
		sum = _mm_add_epi32(sum, _mm_srli_si128(sum, 4));
		*out++ = clip(_mm_cvtsi128_si32(sum) + HALF);
	}
}

void wan_resample_line(const struct wan_taps *taps, const uint8_t *in, uint8_t *out,
		       unsigned channels)
{
	if (channels == 1)
		line_gray(taps, in, out);
	else if (channels == 2)
		line_wide(taps, in, out, 2);
	else if (channels == 3)
		line_wide(taps, in, out, 3);
	else
		line_wide(taps, in, out, 4);
}

void wan_resample_column(const struct wan_taps *taps, uint32_t index, const uint8_t *const *lines,
			 uint8_t *out, size_t count)
{
	const __m128i zero = _mm_setzero_si128();
	const int16_t *high = taps->high + (size_t)index * taps->pitch;
	const int16_t *low = taps->low + (size_t)index * taps->pitch;
	uint32_t lines_count = taps->spans[index].count;
	size_t i = 0;

	for (; i + 16 <= count; i += 16) {
		struct sums sums[4] = {{zero, zero}, {zero, zero}, {zero, zero}, {zero, zero}};
		for (uint32_t k = 0; k < lines_count; k += 2) {
			const uint8_t *second = k + 1 < lines_count ? lines[k + 1] : lines[k];
			__m128i a = _mm_loadu_si128((const __m128i *)(const void *)(lines[k] + i));
			__m128i b = _mm_loadu_si128((const __m128i *)(const void *)(second + i));
			__m128i first = _mm_unpacklo_epi8(a, b), last = _mm_unpackhi_epi8(a, b);
			__m128i h = pair(high + k), l = pair(low + k);
			add_pair(&sums[0], _mm_unpacklo_epi8(first, zero), h, l);
			add_pair(&sums[1], _mm_unpackhi_epi8(first, zero), h, l);
			add_pair(&sums[2], _mm_unpacklo_epi8(last, zero), h, l);
			add_pair(&sums[3], _mm_unpackhi_epi8(last, zero), h, l);
		}
		__m128i left = _mm_packs_epi32(total(sums[0]), total(sums[1]));
		__m128i right = _mm_packs_epi32(total(sums[2]), total(sums[3]));
		_mm_storeu_si128((__m128i *)(void *)(out + i), _mm_packus_epi16(left, right));
	}
	column_plain(taps, index, lines, out, i, count);
}

#else

void wan_resample_line(const struct wan_taps *taps, const uint8_t *in, uint8_t *out,
		       unsigned channels)
{
	wan_resample_line_plain(taps, in, out, channels);
}

void wan_resample_column(const struct wan_taps *taps, uint32_t index, const uint8_t *const *lines,
			 uint8_t *out, size_t count)
{
	wan_resample_column_plain(taps, index, lines, out, count);
}

#endif
