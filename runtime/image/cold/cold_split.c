/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <string.h>

#include "cold_split.h"
#include "cpu.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

void wan_split_row(const uint8_t *pixels, size_t width, unsigned channels,
		   uint8_t *const lines[WAN_SPLIT_LINES])
{
	uint8_t *restrict a = lines[0], *restrict b = lines[1], *restrict c = lines[2],
			  *restrict d = lines[3];
	switch (channels) {
	case 1:
		memcpy(a, pixels, width);
		break;
	case 2:
		for (size_t x = 0; x < width; x++) {
			a[x] = pixels[2 * x];
			b[x] = pixels[2 * x + 1];
		}
		break;
	case 3:
		for (size_t x = 0; x < width; x++) {
			b[x] = pixels[3 * x + 1];
			a[x] = (uint8_t)(pixels[3 * x] - b[x]);
			c[x] = (uint8_t)(pixels[3 * x + 2] - b[x]);
		}
		break;
	default:
		for (size_t x = 0; x < width; x++) {
			b[x] = pixels[4 * x + 1];
			a[x] = (uint8_t)(pixels[4 * x] - b[x]);
			c[x] = (uint8_t)(pixels[4 * x + 2] - b[x]);
			d[x] = pixels[4 * x + 3];
		}
	}
}

/* Three channels: add is the second line when the others are differences to it, else 0. */
static inline void join_3_plain(const uint8_t *a, const uint8_t *b, const uint8_t *c, bool differ,
				size_t x, size_t width, uint8_t *pixels)
{
	for (; x < width; x++) {
		uint8_t add = differ ? b[x] : 0;
		pixels[3 * x] = (uint8_t)(a[x] + add);
		pixels[3 * x + 1] = b[x];
		pixels[3 * x + 2] = (uint8_t)(c[x] + add);
	}
}

#if defined(__x86_64__)
/* Four pixels of four bytes, the last one of each unused, to twelve bytes; writes sixteen. */
static inline void store_4_of_3(__m128i pixels, uint8_t *out)
{
	__m128i first = _mm_and_si128(pixels, _mm_set1_epi64x(0xffffff));
	__m128i second = _mm_and_si128(_mm_srli_epi64(pixels, 8), _mm_set1_epi64x(0xffffff000000));
	__m128i six = _mm_or_si128(first, second);
	_mm_storel_epi64((__m128i *)out, six);
	_mm_storel_epi64((__m128i *)(out + 6), _mm_unpackhi_epi64(six, six));
}

static size_t join_3_sse2(const uint8_t *a, const uint8_t *b, const uint8_t *c, bool differ,
			  size_t width, uint8_t *pixels)
{
	size_t x = 0;
	/* The last store reaches two bytes too far: one pixel is left for the plain loop. */
	for (; x + 16 < width; x += 16, pixels += 48) {
		__m128i green = _mm_loadu_si128((const __m128i *)(b + x));
		__m128i add = differ ? green : _mm_setzero_si128();
		__m128i red = _mm_add_epi8(_mm_loadu_si128((const __m128i *)(a + x)), add);
		__m128i blue = _mm_add_epi8(_mm_loadu_si128((const __m128i *)(c + x)), add);
		__m128i rg = _mm_unpacklo_epi8(red, green), bb = _mm_unpacklo_epi8(blue, blue);
		store_4_of_3(_mm_unpacklo_epi16(rg, bb), pixels);
		store_4_of_3(_mm_unpackhi_epi16(rg, bb), pixels + 12);
		rg = _mm_unpackhi_epi8(red, green);
		bb = _mm_unpackhi_epi8(blue, blue);
		store_4_of_3(_mm_unpacklo_epi16(rg, bb), pixels + 24);
		store_4_of_3(_mm_unpackhi_epi16(rg, bb), pixels + 36);
	}
	return x;
}

/* Where byte i of 48 comes from: pixel i / 3 of line i % 3, for each line and each 16 bytes. */
#define FROM(line, i) ((i) % 3 == (line) ? (i) / 3 : -1)
#define WHERE(line, i)                                                                             \
	{                                                                                          \
		FROM(line, i), FROM(line, i + 1), FROM(line, i + 2), FROM(line, i + 3),            \
			FROM(line, i + 4), FROM(line, i + 5), FROM(line, i + 6),                   \
			FROM(line, i + 7), FROM(line, i + 8), FROM(line, i + 9),                   \
			FROM(line, i + 10), FROM(line, i + 11), FROM(line, i + 12),                \
			FROM(line, i + 13), FROM(line, i + 14), FROM(line, i + 15)                 \
	}
static const int8_t where[3][3][16] __attribute__((aligned(16))) = {
	{WHERE(0, 0), WHERE(0, 16), WHERE(0, 32)},
	{WHERE(1, 0), WHERE(1, 16), WHERE(1, 32)},
	{WHERE(2, 0), WHERE(2, 16), WHERE(2, 32)},
};

WAN_TARGET_AVX2 static size_t join_3_avx2(const uint8_t *a, const uint8_t *b, const uint8_t *c,
					  bool differ, size_t width, uint8_t *pixels)
{
	size_t x = 0;
	for (; x + 16 <= width; x += 16, pixels += 48) {
		__m128i green = _mm_loadu_si128((const __m128i *)(b + x));
		__m128i add = differ ? green : _mm_setzero_si128();
		__m128i red = _mm_add_epi8(_mm_loadu_si128((const __m128i *)(a + x)), add);
		__m128i blue = _mm_add_epi8(_mm_loadu_si128((const __m128i *)(c + x)), add);
		for (unsigned i = 0; i < 3; i++) {
			const __m128i *from[3] = {(const __m128i *)where[0][i],
						  (const __m128i *)where[1][i],
						  (const __m128i *)where[2][i]};
			__m128i r = _mm_shuffle_epi8(red, _mm_load_si128(from[0]));
			__m128i g = _mm_shuffle_epi8(green, _mm_load_si128(from[1]));
			__m128i e = _mm_shuffle_epi8(blue, _mm_load_si128(from[2]));
			_mm_storeu_si128((__m128i *)(pixels + 16 * (size_t)i),
					 _mm_or_si128(_mm_or_si128(r, g), e));
		}
	}
	return x;
}
#endif

static void join_3(const uint8_t *a, const uint8_t *b, const uint8_t *c, bool differ, size_t width,
		   uint8_t *pixels)
{
	size_t done = 0;
#if defined(__x86_64__)
	done = wan_cpu_level() >= WAN_CPU_AVX2 ? join_3_avx2(a, b, c, differ, width, pixels)
					       : join_3_sse2(a, b, c, differ, width, pixels);
#endif
	join_3_plain(a, b, c, differ, done, width, pixels);
}

void wan_join_row(uint8_t *const lines[WAN_SPLIT_LINES], size_t width, unsigned channels,
		  uint8_t *pixels)
{
	const uint8_t *a = lines[0], *b = lines[1], *c = lines[2], *d = lines[3];
	switch (channels) {
	case 1:
		memcpy(pixels, a, width);
		break;
	case 2:
		for (size_t x = 0; x < width; x++) {
			pixels[2 * x] = a[x];
			pixels[2 * x + 1] = b[x];
		}
		break;
	case 3:
		join_3(a, b, c, true, width, pixels);
		break;
	default:
		for (size_t x = 0; x < width; x++) {
			pixels[4 * x] = (uint8_t)(a[x] + b[x]);
			pixels[4 * x + 1] = b[x];
			pixels[4 * x + 2] = (uint8_t)(c[x] + b[x]);
			pixels[4 * x + 3] = d[x];
		}
	}
}

void wan_interleave_row(const uint8_t *r, const uint8_t *g, const uint8_t *b, size_t width,
			uint8_t *pixels)
{
	join_3(r, g, b, false, width, pixels);
}
