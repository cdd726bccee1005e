/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "cold_split.h"
#include "cold_upsample.h"
#include "cpu.h"
#include "macros.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))

/* Two samples as the 16-bit number whose bytes they are in memory. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define TWO(first, second) (uint16_t)((first) | (second) << 8)
#else
#define TWO(first, second) (uint16_t)((first) << 8 | (second))
#endif

/* The loops are plain C, compiled once more for wider vectors. out is aligned as lines are. */
INLINE void h2v1(const uint8_t *restrict in, size_t width, uint16_t *restrict out)
{
	const uint8_t *before = in - 1, *behind = in + 1;
	for (size_t i = 0; i < width; i++) {
		uint16_t three = (uint16_t)(3 * in[i]);
		uint16_t first = (uint16_t)((uint16_t)(three + before[i] + 1) >> 2);
		uint16_t second = (uint16_t)((uint16_t)(three + behind[i] + 2) >> 2);
		out[i] = TWO(first, second);
	}
}

INLINE void h1v2(const uint8_t *restrict near, const uint8_t *restrict far, unsigned bias,
		 size_t width, uint8_t *restrict out)
{
	for (size_t i = 0; i < width; i++)
		out[i] = (uint8_t)((uint16_t)(3 * near[i] + far[i] + bias) >> 2);
}

INLINE void column_sums(const uint8_t *restrict near, const uint8_t *restrict far, size_t width,
			uint16_t *restrict sums)
{
	for (size_t i = 0; i < width; i++)
		sums[i] = (uint16_t)(3 * near[i] + far[i]);
}

INLINE void spread_sums(const uint16_t *restrict sums, size_t width, uint16_t *restrict out)
{
	const uint16_t *before = sums - 1, *behind = sums + 1;
	for (size_t i = 0; i < width; i++) {
		uint16_t three = (uint16_t)(3 * sums[i]);
		uint16_t first = (uint16_t)((uint16_t)(three + before[i] + 8) >> 4);
		uint16_t second = (uint16_t)((uint16_t)(three + behind[i] + 7) >> 4);
		out[i] = TWO(first, second);
	}
}

INLINE void h2v2(const uint8_t *near, const uint8_t *far, size_t width, uint16_t *sums,
		 uint16_t *out)
{
	column_sums(near, far, width, sums);
	sums[-1] = sums[0];
	sums[width] = sums[width - 1];
	spread_sums(sums, width, out);
}

/* 1.402, 1.772, 0.34414 and 0.71414 in 65536ths, less the whole numbers that make them fit 16 bits
 * with a sign. */
#define CR_RED     26345  /* 1.402 - 1 */
#define CB_BLUE    -14942 /* 1.772 - 2 */
#define CB_GREEN   -22554
#define CR_GREEN   18734 /* 1 - 0.71414 */
#define ROUND_HALF 32768

INLINE uint8_t clamp(int value)
{
	return (uint8_t)WAN_CLAMP(value, 0, 255);
}

INLINE void colours_plain(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t from,
			  size_t width, uint8_t *r, uint8_t *g, uint8_t *b)
{
	for (size_t i = from; i < width; i++) {
		int blue = cb[i] - 128, red = cr[i] - 128;
		r[i] = clamp(y[i] + red + ((CR_RED * red + ROUND_HALF) >> 16));
		g[i] = clamp(y[i] - red + ((CB_GREEN * blue + CR_GREEN * red + ROUND_HALF) >> 16));
		b[i] = clamp(y[i] + 2 * blue + ((CB_BLUE * blue + ROUND_HALF) >> 16));
	}
}

#if defined(__x86_64__)
/* Eight pixels in 16-bit lanes; (x * c + half) >> 16 is (((2x * c) >> 16) + 1) >> 1. */
INLINE void colours_8(__m128i y, __m128i cb, __m128i cr, __m128i *r, __m128i *g, __m128i *b)
{
	const __m128i one = _mm_set1_epi16(1);
	const __m128i weights =
		_mm_set1_epi32((int)((uint32_t)CR_GREEN << 16 | (uint16_t)CB_GREEN));
	const __m128i half = _mm_set1_epi32(ROUND_HALF);
	__m128i cb2 = _mm_add_epi16(cb, cb), cr2 = _mm_add_epi16(cr, cr);
	__m128i red = _mm_mulhi_epi16(cr2, _mm_set1_epi16(CR_RED));
	__m128i blue = _mm_mulhi_epi16(cb2, _mm_set1_epi16(CB_BLUE));
	__m128i low = _mm_madd_epi16(_mm_unpacklo_epi16(cb, cr), weights);
	__m128i high = _mm_madd_epi16(_mm_unpackhi_epi16(cb, cr), weights);
	red = _mm_add_epi16(_mm_srai_epi16(_mm_add_epi16(red, one), 1), cr);
	blue = _mm_add_epi16(_mm_srai_epi16(_mm_add_epi16(blue, one), 1), cb2);
	low = _mm_srai_epi32(_mm_add_epi32(low, half), 16);
	high = _mm_srai_epi32(_mm_add_epi32(high, half), 16);
	*r = _mm_add_epi16(y, red);
	*g = _mm_add_epi16(y, _mm_sub_epi16(_mm_packs_epi32(low, high), cr));
	*b = _mm_add_epi16(y, blue);
}

INLINE size_t colours_16(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t width,
			 uint8_t *r, uint8_t *g, uint8_t *b)
{
	const __m128i zero = _mm_setzero_si128(), middle = _mm_set1_epi16(128);
	size_t x = 0;
	for (; x < width; x += 16) {
		__m128i yy = _mm_loadu_si128((const __m128i *)(y + x));
		__m128i bb = _mm_loadu_si128((const __m128i *)(cb + x));
		__m128i rr = _mm_loadu_si128((const __m128i *)(cr + x));
		__m128i r0, g0, b0, r1, g1, b1;
		colours_8(_mm_unpacklo_epi8(yy, zero),
			  _mm_sub_epi16(_mm_unpacklo_epi8(bb, zero), middle),
			  _mm_sub_epi16(_mm_unpacklo_epi8(rr, zero), middle), &r0, &g0, &b0);
		colours_8(_mm_unpackhi_epi8(yy, zero),
			  _mm_sub_epi16(_mm_unpackhi_epi8(bb, zero), middle),
			  _mm_sub_epi16(_mm_unpackhi_epi8(rr, zero), middle), &r1, &g1, &b1);
		_mm_storeu_si128((__m128i *)(r + x), _mm_packus_epi16(r0, r1));
		_mm_storeu_si128((__m128i *)(g + x), _mm_packus_epi16(g0, g1));
		_mm_storeu_si128((__m128i *)(b + x), _mm_packus_epi16(b0, b1));
	}
	return x;
}

WAN_TARGET_AVX2 static void h2v1_avx2(const uint8_t *in, size_t width, uint16_t *out)
{
	h2v1(in, width, out);
}

WAN_TARGET_AVX2 static void h1v2_avx2(const uint8_t *near, const uint8_t *far, unsigned bias,
				      size_t width, uint8_t *out)
{
	h1v2(near, far, bias, width, out);
}

WAN_TARGET_AVX2 static void h2v2_avx2(const uint8_t *near, const uint8_t *far, size_t width,
				      uint16_t *sums, uint16_t *out)
{
	h2v2(near, far, width, sums, out);
}

WAN_TARGET_AVX2 static size_t colours_avx2(const uint8_t *y, const uint8_t *cb, const uint8_t *cr,
					   size_t width, uint8_t *r, uint8_t *g, uint8_t *b)
{
	return colours_16(y, cb, cr, width, r, g, b);
}
#define HAS_AVX2 (wan_cpu_level() >= WAN_CPU_AVX2)
#else
#define HAS_AVX2  0
#define h2v1_avx2 h2v1
#define h1v2_avx2 h1v2
#define h2v2_avx2 h2v2
#endif

void wan_upsample_h2v1(uint8_t *in, size_t width, uint8_t *out)
{
	uint16_t *pairs = (uint16_t *)(void *)out;
	in[-1] = in[0];
	in[width] = in[width - 1];
	if (HAS_AVX2)
		h2v1_avx2(in, width, pairs);
	else
		h2v1(in, width, pairs);
}

void wan_upsample_h1v2(const uint8_t *near, const uint8_t *far, unsigned bias, size_t width,
		       uint8_t *out)
{
	if (HAS_AVX2)
		h1v2_avx2(near, far, bias, width, out);
	else
		h1v2(near, far, bias, width, out);
}

void wan_upsample_h2v2(const uint8_t *near, const uint8_t *far, size_t width, uint16_t *sums,
		       uint8_t *out)
{
	uint16_t *pairs = (uint16_t *)(void *)out;
	if (HAS_AVX2)
		h2v2_avx2(near, far, width, sums + 1, pairs);
	else
		h2v2(near, far, width, sums + 1, pairs);
}

void wan_upsample_repeat(const uint8_t *in, size_t width, unsigned times, uint8_t *out)
{
	for (size_t i = 0; i < width; i++, out += times)
		memset(out, in[i], times);
}

/* Pixels at a time between colours and their interleaving: stays in the first-level cache. */
enum { PIECE = 512 };

void wan_ycc_to_rgb(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t width,
		    uint8_t *pixels)
{
	uint8_t r[PIECE], g[PIECE], b[PIECE];
	for (size_t x = 0; x < width; x += PIECE, pixels += 3 * (size_t)PIECE) {
		size_t count = WAN_MIN((size_t)PIECE, width - x), done = 0;
#if defined(__x86_64__)
		done = HAS_AVX2 ? colours_avx2(y + x, cb + x, cr + x, count, r, g, b)
				: colours_16(y + x, cb + x, cr + x, count, r, g, b);
#endif
		colours_plain(y + x, cb + x, cr + x, done, count, r, g, b);
		wan_interleave_row(r, g, b, count, pixels);
	}
}
