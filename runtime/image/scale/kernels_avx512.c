/* SPDX-License-Identifier: MIT */
/*
 * Four lines in the four quarters of a register; weights in three signed digits of 8 bits, so that
 * one instruction multiplies four taps of unsigned bytes by one digit and adds them up.
 */
#include "kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#define TARGET_VNNI                                                                                \
	__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")))
#define INLINE static inline TARGET_VNNI __attribute__((always_inline))

struct sums {
	__m512i digit[WAN_TAPS_DIGITS];
};

INLINE struct sums start(int32_t rounding)
{
	return (struct sums){
		{_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_set1_epi32(rounding)}};
}

INLINE __m512i total(const struct sums *sums)
{
	__m512i sum = _mm512_add_epi32(_mm512_slli_epi32(sums->digit[0], 8), sums->digit[1]);
	return _mm512_add_epi32(_mm512_slli_epi32(sum, 8), sums->digit[2]);
}

INLINE __m512i four(const int8_t *weights)
{
	int32_t all;
	memcpy(&all, weights, sizeof(all));
	return _mm512_set1_epi32(all);
}

INLINE __m128i load(const void *from)
{
	return _mm_loadu_si128((const __m128i *)from);
}

INLINE __m512i load4(const uint8_t *const *lines, size_t at)
{
	__m512i all = _mm512_castsi128_si512(load(lines[0] + at));
	all = _mm512_inserti32x4(all, load(lines[1] + at), 1);
	all = _mm512_inserti32x4(all, load(lines[2] + at), 2);
	return _mm512_inserti32x4(all, load(lines[3] + at), 3);
}

/* Weights of 16 / channels taps (at least 4), in the order of the shuffled samples. */
INLINE __m512i weights_of(const int8_t *from, unsigned channels)
{
	if (channels >= 3)
		return four(from);
	if (channels == 1)
		return _mm512_broadcast_i32x4(load(from));
	return _mm512_shuffle_epi32(
		_mm512_broadcast_i32x4(_mm_loadl_epi64((const __m128i *)(const void *)from)),
		_MM_PERM_BBAA);
}

INLINE __m512i sum_one(const struct wan_taps *taps, uint32_t x, const uint8_t *const *in,
		       unsigned channels, __m512i order)
{
	const unsigned taps_at_once = channels == 1 ? 16 : channels == 2 ? 8 : 4;
	size_t weights = (size_t)x * taps->pitch;
	size_t from = (size_t)taps->spans[x].first * channels;
	/* Several partial sums will be added: the rounding comes with the first. */
	struct sums sums = start(0);

	for (uint32_t k = 0; k < taps->spans[x].count; k += taps_at_once, weights += taps_at_once) {
		__m512i bytes = load4(in, from);
		if (channels > 1)
			bytes = _mm512_shuffle_epi8(bytes, order);
		for (int d = 0; d < WAN_TAPS_DIGITS; d++)
			sums.digit[d] =
				_mm512_dpbusd_epi32(sums.digit[d], bytes,
						    weights_of(taps->digit[d] + weights, channels));
		from += (size_t)taps_at_once * channels;
	}
	return total(&sums);
}

/* Partial sums of one output added up, four outputs together: samples in order, 4 * channels of
 * them in the lowest bytes of each quarter. */
INLINE __m512i finish(const __m512i sums[4], unsigned channels)
{
	const __m512i half = _mm512_set1_epi32(WAN_TAPS_HALF);
	__m512i s[4] = {sums[0], sums[1], sums[2], sums[3]};
	if (channels == 1) {
		__m512i left = _mm512_add_epi32(_mm512_unpacklo_epi32(s[0], s[1]),
						_mm512_unpackhi_epi32(s[0], s[1]));
		__m512i right = _mm512_add_epi32(_mm512_unpacklo_epi32(s[2], s[3]),
						 _mm512_unpackhi_epi32(s[2], s[3]));
		s[0] = _mm512_add_epi32(_mm512_unpacklo_epi64(left, right),
					_mm512_unpackhi_epi64(left, right));
		s[1] = s[2] = s[3] = s[0];
	} else if (channels == 2) {
		s[0] = _mm512_add_epi32(_mm512_unpacklo_epi64(s[0], s[1]),
					_mm512_unpackhi_epi64(s[0], s[1]));
		s[1] = _mm512_add_epi32(_mm512_unpacklo_epi64(s[2], s[3]),
					_mm512_unpackhi_epi64(s[2], s[3]));
		s[2] = s[3] = s[0];
	}
	for (int i = 0; i < 4; i++)
		s[i] = _mm512_srai_epi32(_mm512_add_epi32(s[i], half), WAN_TAPS_BITS);
	__m512i bytes =
		_mm512_packus_epi16(_mm512_packs_epi32(s[0], s[1]), _mm512_packs_epi32(s[2], s[3]));
	if (channels != 3)
		return bytes;
	const __m128i close = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
	return _mm512_shuffle_epi8(bytes, _mm512_broadcast_i32x4(close));
}

/* Stores 16 bytes where they do not reach behind the line, else just count. */
INLINE void put(uint8_t *line, size_t at, size_t count, size_t line_bytes, __m128i bytes)
{
	if (at + 16 <= line_bytes)
		_mm_storeu_si128((__m128i *)(void *)(line + at), bytes);
	else
		_mm_mask_storeu_epi8(line + at, (__mmask16)((1u << count) - 1), bytes);
}

INLINE void four_lines(const struct wan_taps *taps, const uint8_t *const *in, uint8_t *const *out,
		       unsigned channels, __m128i order)
{
	const __m512i orders = _mm512_broadcast_i32x4(order);
	uint32_t outputs = taps->outputs;
	size_t line_bytes = (size_t)outputs * channels;

	for (uint32_t x = 0; x < outputs; x += 4) {
		uint32_t count = outputs - x < 4 ? outputs - x : 4;
		__m512i sums[4];
		for (uint32_t i = 0; i < 4; i++)
			sums[i] = sum_one(taps, x + (i < count ? i : 0), in, channels, orders);
		__m512i bytes = finish(sums, channels);
		size_t at = (size_t)x * channels, part = (size_t)count * channels;
		put(out[0], at, part, line_bytes, _mm512_castsi512_si128(bytes));
		put(out[1], at, part, line_bytes, _mm512_extracti32x4_epi32(bytes, 1));
		put(out[2], at, part, line_bytes, _mm512_extracti32x4_epi32(bytes, 2));
		put(out[3], at, part, line_bytes, _mm512_extracti32x4_epi32(bytes, 3));
	}
}

static TARGET_VNNI void lines(const struct wan_taps *taps, const uint8_t *const *in,
			      uint8_t *const *out, unsigned channels)
{
	if (channels == 1)
		four_lines(taps, in, out, 1, _mm_setzero_si128());
	else if (channels == 2)
		four_lines(taps, in, out, 2,
			   _mm_setr_epi8(0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15));
	else if (channels == 3)
		four_lines(taps, in, out, 3,
			   _mm_setr_epi8(0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11, -1, -1, -1, -1));
	else
		four_lines(taps, in, out, 4,
			   _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
}

/* Bytes [0, 64) of four lines from at on, or as many as mask says. */
INLINE void add_lines(struct sums sums[4], const uint8_t *const *lines_in, uint32_t left, size_t at,
		      __mmask64 mask, const int8_t *const digit[WAN_TAPS_DIGITS])
{
	__m512i line[4];
	for (uint32_t i = 0; i < 4; i++) /* behind the last line the weights are 0 */
		line[i] = _mm512_maskz_loadu_epi8(mask, lines_in[i < left ? i : 0] + at);
	__m512i ab[2] = {_mm512_unpacklo_epi8(line[0], line[1]),
			 _mm512_unpackhi_epi8(line[0], line[1])};
	__m512i cd[2] = {_mm512_unpacklo_epi8(line[2], line[3]),
			 _mm512_unpackhi_epi8(line[2], line[3])};
	__m512i taps[4] = {_mm512_unpacklo_epi16(ab[0], cd[0]), _mm512_unpackhi_epi16(ab[0], cd[0]),
			   _mm512_unpacklo_epi16(ab[1], cd[1]),
			   _mm512_unpackhi_epi16(ab[1], cd[1])};
	for (int d = 0; d < WAN_TAPS_DIGITS; d++) {
		__m512i weights = four(digit[d]);
		for (int q = 0; q < 4; q++)
			sums[q].digit[d] = _mm512_dpbusd_epi32(sums[q].digit[d], taps[q], weights);
	}
}

static TARGET_VNNI void column(const struct wan_taps *taps, uint32_t index,
			       const uint8_t *const *lines_in, uint8_t *out, size_t count)
{
	uint32_t lines_count = taps->spans[index].count;
	size_t weights = (size_t)index * taps->pitch;

	for (size_t i = 0; i < count; i += 64) {
		__mmask64 mask = count - i >= 64 ? ~0ull : (1ull << (count - i)) - 1;
		struct sums sums[4];
		for (int q = 0; q < 4; q++)
			sums[q] = start(WAN_TAPS_HALF);
		for (uint32_t k = 0; k < lines_count; k += 4) {
			const int8_t *digit[WAN_TAPS_DIGITS];
			for (int d = 0; d < WAN_TAPS_DIGITS; d++)
				digit[d] = taps->digit[d] + weights + k;
			add_lines(sums, lines_in + k, lines_count - k, i, mask, digit);
		}
		__m512i s[4];
		for (int q = 0; q < 4; q++)
			s[q] = _mm512_srai_epi32(total(&sums[q]), WAN_TAPS_BITS);
		__m512i bytes = _mm512_packus_epi16(_mm512_packs_epi32(s[0], s[1]),
						    _mm512_packs_epi32(s[2], s[3]));
		_mm512_mask_storeu_epi8(out + i, mask, bytes);
	}
}

const struct wan_kernels wan_kernels_vnni = {lines, column};

#endif
