/* SPDX-License-Identifier: MIT */
/*
 * Two lines in the two halves of a register, so that they share their weights. Weights are split in
 * two 16-bit parts as in the SSE2 version.
 */
#include "kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

struct sums {
	__m256i high, low;
};

#define INLINE static inline WAN_TARGET_AVX2 __attribute__((always_inline))

INLINE void add_pair(struct sums *sums, __m256i samples, __m256i high, __m256i low)
{
	sums->high = _mm256_add_epi32(sums->high, _mm256_madd_epi16(samples, high));
	sums->low = _mm256_add_epi32(sums->low, _mm256_madd_epi16(samples, low));
}

INLINE __m256i total(struct sums sums)
{
	return _mm256_add_epi32(_mm256_slli_epi32(sums.high, WAN_TAPS_SPLIT), sums.low);
}

INLINE __m256i pair(const int16_t *weights)
{
	int32_t both;
	memcpy(&both, weights, sizeof(both));
	return _mm256_set1_epi32(both);
}

INLINE __m256i load2(const uint8_t *first, const uint8_t *second)
{
	__m128i low = _mm_loadu_si128((const __m128i *)(const void *)first);
	return _mm256_inserti128_si256(_mm256_castsi128_si256(low),
				       _mm_loadu_si128((const __m128i *)(const void *)second), 1);
}

/* From 16 bytes of a line: the 16-bit samples of an even and an odd tap, channel by channel. */
#define WORDS(a, b, c, d, e, f, g, h)                                                              \
	_mm256_setr_epi8(a, -1, b, -1, c, -1, d, -1, e, -1, f, -1, g, -1, h, -1, a, -1, b, -1, c,  \
			 -1, d, -1, e, -1, f, -1, g, -1, h, -1)

/* Weights of 16 / channels taps (at least 4), in the order of the shuffled samples. */
INLINE void weights_of(const int16_t *from, unsigned channels, __m256i *first, __m256i *second)
{
	if (channels >= 3) {
		*first = pair(from);
		*second = pair(from + 2);
	} else if (channels == 2) {
		__m128i eight = _mm_loadu_si128((const __m128i *)(const void *)from);
		__m256i both = _mm256_broadcastsi128_si256(eight);
		*first = _mm256_shuffle_epi32(both, 0x50);
		*second = _mm256_shuffle_epi32(both, 0xfa);
	} else {
		__m128i eight = _mm_loadu_si128((const __m128i *)(const void *)from);
		*first = _mm256_broadcastsi128_si256(eight);
		eight = _mm_loadu_si128((const __m128i *)(const void *)(from + 8));
		*second = _mm256_broadcastsi128_si256(eight);
	}
}

INLINE __m256i sum_one(const struct wan_taps *taps, uint32_t x, const uint8_t *a, const uint8_t *b,
		       unsigned channels, __m256i even, __m256i odd)
{
	const unsigned taps_at_once = channels == 1 ? 16 : channels == 2 ? 8 : 4;
	const int16_t *high = taps->high + (size_t)x * taps->pitch;
	const int16_t *low = taps->low + (size_t)x * taps->pitch;
	size_t from = (size_t)taps->spans[x].first * channels;
	struct sums sums = {_mm256_setzero_si256(), _mm256_setzero_si256()};

	for (uint32_t k = 0; k < taps->spans[x].count; k += taps_at_once) {
		__m256i bytes = load2(a + from, b + from), h[2], l[2];
		weights_of(high + k, channels, &h[0], &h[1]);
		weights_of(low + k, channels, &l[0], &l[1]);
		add_pair(&sums, _mm256_shuffle_epi8(bytes, even), h[0], l[0]);
		add_pair(&sums, _mm256_shuffle_epi8(bytes, odd), h[1], l[1]);
		from += (size_t)taps_at_once * channels;
	}
	return total(sums);
}

/* Partial sums of one output added up, four outputs together: samples in order, 4 * channels of
 * them in the lowest bytes of each half. */
INLINE __m256i finish(const __m256i sums[4], unsigned channels)
{
	const __m256i half = _mm256_set1_epi32(WAN_TAPS_HALF);
	__m256i s[4] = {sums[0], sums[1], sums[2], sums[3]};
	if (channels == 1) {
		s[0] = _mm256_hadd_epi32(_mm256_hadd_epi32(s[0], s[1]),
					 _mm256_hadd_epi32(s[2], s[3]));
		s[1] = s[2] = s[3] = s[0];
	} else if (channels == 2) {
		s[0] = _mm256_add_epi32(_mm256_unpacklo_epi64(s[0], s[1]),
					_mm256_unpackhi_epi64(s[0], s[1]));
		s[1] = _mm256_add_epi32(_mm256_unpacklo_epi64(s[2], s[3]),
					_mm256_unpackhi_epi64(s[2], s[3]));
		s[2] = s[3] = s[0];
	}
	for (int i = 0; i < 4; i++)
		s[i] = _mm256_srai_epi32(_mm256_add_epi32(s[i], half), WAN_TAPS_BITS);
	__m256i bytes =
		_mm256_packus_epi16(_mm256_packs_epi32(s[0], s[1]), _mm256_packs_epi32(s[2], s[3]));
	if (channels != 3)
		return bytes;
	const __m128i close = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
	return _mm256_shuffle_epi8(bytes, _mm256_broadcastsi128_si256(close));
}

/* Stores 16 bytes where they do not reach behind the line, else just count. */
INLINE void put(uint8_t *line, size_t at, size_t count, size_t line_bytes, __m128i bytes)
{
	uint8_t copy[16];
	if (at + 16 <= line_bytes) {
		_mm_storeu_si128((__m128i *)(void *)(line + at), bytes);
		return;
	}
	_mm_storeu_si128((__m128i *)(void *)copy, bytes);
	memcpy(line + at, copy, count);
}

INLINE void two_lines(const struct wan_taps *taps, const uint8_t *const *in, uint8_t *const *out,
		      unsigned channels, __m256i even, __m256i odd)
{
	uint32_t outputs = taps->outputs;
	size_t line_bytes = (size_t)outputs * channels;

	for (uint32_t x = 0; x < outputs; x += 4) {
		uint32_t count = outputs - x < 4 ? outputs - x : 4;
		__m256i sums[4];
		for (uint32_t i = 0; i < 4; i++)
			sums[i] = sum_one(taps, x + (i < count ? i : 0), in[0], in[1], channels,
					  even, odd);
		__m256i bytes = finish(sums, channels);
		size_t at = (size_t)x * channels, part = (size_t)count * channels;
		put(out[0], at, part, line_bytes, _mm256_castsi256_si128(bytes));
		put(out[1], at, part, line_bytes, _mm256_extracti128_si256(bytes, 1));
	}
}

static WAN_TARGET_AVX2 void lines(const struct wan_taps *taps, const uint8_t *const *in,
				  uint8_t *const *out, unsigned channels)
{
	for (int i = 0; i < WAN_LINES_AT_ONCE; i += 2, in += 2, out += 2) {
		if (i > 0 && out[0] == out[-1])
			break;
		if (channels == 1)
			two_lines(taps, in, out, 1, WORDS(0, 1, 2, 3, 4, 5, 6, 7),
				  WORDS(8, 9, 10, 11, 12, 13, 14, 15));
		else if (channels == 2)
			two_lines(taps, in, out, 2, WORDS(0, 2, 1, 3, 4, 6, 5, 7),
				  WORDS(8, 10, 9, 11, 12, 14, 13, 15));
		else if (channels == 3)
			two_lines(taps, in, out, 3, WORDS(0, 3, 1, 4, 2, 5, -1, -1),
				  WORDS(6, 9, 7, 10, 8, 11, -1, -1));
		else
			two_lines(taps, in, out, 4, WORDS(0, 4, 1, 5, 2, 6, 3, 7),
				  WORDS(8, 12, 9, 13, 10, 14, 11, 15));
	}
}

static WAN_TARGET_AVX2 void column(const struct wan_taps *taps, uint32_t index,
				   const uint8_t *const *lines_in, uint8_t *out, size_t count)
{
	const __m256i zero = _mm256_setzero_si256();
	const int16_t *high = taps->high + (size_t)index * taps->pitch;
	const int16_t *low = taps->low + (size_t)index * taps->pitch;
	uint32_t lines_count = taps->spans[index].count;

	if (count < 32) {
		wan_kernels_sse2.column(taps, index, lines_in, out, count);
		return;
	}
	/* The last step overlaps the one before. */
	for (size_t next = 0; next < count; next += 32) {
		size_t i = next + 32 <= count ? next : count - 32;
		struct sums sums[4] = {{zero, zero}, {zero, zero}, {zero, zero}, {zero, zero}};
		for (uint32_t k = 0; k < lines_count; k += 2) {
			const uint8_t *second = lines_in[k + 1 < lines_count ? k + 1 : k];
			__m256i a = _mm256_loadu_si256(
				(const __m256i *)(const void *)(lines_in[k] + i));
			__m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(second + i));
			__m256i first = _mm256_unpacklo_epi8(a, b),
				last = _mm256_unpackhi_epi8(a, b);
			__m256i h = pair(high + k), l = pair(low + k);
			add_pair(&sums[0], _mm256_unpacklo_epi8(first, zero), h, l);
			add_pair(&sums[1], _mm256_unpackhi_epi8(first, zero), h, l);
			add_pair(&sums[2], _mm256_unpacklo_epi8(last, zero), h, l);
			add_pair(&sums[3], _mm256_unpackhi_epi8(last, zero), h, l);
		}
		__m256i s[4];
		for (int q = 0; q < 4; q++)
			s[q] = _mm256_srai_epi32(
				_mm256_add_epi32(total(sums[q]), _mm256_set1_epi32(WAN_TAPS_HALF)),
				WAN_TAPS_BITS);
		__m256i bytes = _mm256_packus_epi16(_mm256_packs_epi32(s[0], s[1]),
						    _mm256_packs_epi32(s[2], s[3]));
		_mm256_storeu_si256((__m256i *)(void *)(out + i), bytes);
	}
}

const struct wan_kernels wan_kernels_avx2 = {lines, column};

#endif
