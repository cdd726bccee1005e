/* SPDX-License-Identifier: MIT */
/* What every x86-64 processor has: without a byte shuffle, pixels are gathered as 32-bit words. */
#include "luma_kernels.h"

#if defined(__x86_64__)
#include <emmintrin.h>
#include <string.h>

/* As in the AVX2 code: green in two halves, here by doubling. */
#define RED   19595
#define GREEN 19235
#define BLUE  7471

/* Four words red, green, blue, anything. */
static inline __m128i gray4(__m128i pixels)
{
	__m128i rb = _mm_and_si128(pixels, _mm_set1_epi16(0xff));
	__m128i gx = _mm_srli_epi16(pixels, 8);
	__m128i sum = _mm_madd_epi16(rb, _mm_set1_epi32(BLUE << 16 | RED));
	__m128i green = _mm_madd_epi16(gx, _mm_set1_epi32(GREEN));
	sum = _mm_add_epi32(_mm_add_epi32(sum, _mm_slli_epi32(green, 1)), _mm_set1_epi32(0x8000));
	return _mm_srli_epi32(sum, 16);
}

static inline __m128i word(const uint8_t *from)
{
	int32_t value;
	memcpy(&value, from, sizeof(value));
	return _mm_cvtsi32_si128(value);
}

static inline __m128i four(const uint8_t *rgb)
{
	return _mm_unpacklo_epi64(_mm_unpacklo_epi32(word(rgb), word(rgb + 3)),
				  _mm_unpacklo_epi32(word(rgb + 6), word(rgb + 9)));
}

static void gray_rgb(const uint8_t *rgb, uint16_t *to, size_t count)
{
	size_t i = 0;
	for (; i + 9 <= count; i += 8) { /* one byte behind the eighth pixel is read */
		__m128i low = gray4(four(rgb + 3 * i)), high = gray4(four(rgb + 3 * i + 12));
		/* below 256, so that the signed pack does not cut */
		_mm_storeu_si128((__m128i *)(to + i), _mm_packs_epi32(low, high));
	}
	wan_luma_base.gray_rgb(rgb + 3 * i, to + i, count - i);
}

static void gray_rgba(const uint8_t *rgba, uint16_t *to, size_t count)
{
	size_t i = 0;
	for (; i + 8 <= count; i += 8) {
		const __m128i *from = (const __m128i *)(rgba + 4 * i);
		_mm_storeu_si128((__m128i *)(to + i),
				 _mm_packs_epi32(gray4(_mm_loadu_si128(from)),
						 gray4(_mm_loadu_si128(from + 1))));
	}
	wan_luma_base.gray_rgba(rgba + 4 * i, to + i, count - i);
}

/* Four unsigned 32-bit numbers in 64 bits. */
static uint64_t sum_u32(__m128i numbers)
{
	uint32_t parts[4];
	_mm_storeu_si128((__m128i *)parts, numbers);
	return (uint64_t)parts[0] + parts[1] + parts[2] + parts[3];
}

static void add_bytes(const uint8_t *bytes, size_t count, uint64_t *sum, uint64_t *squares)
{
	const __m128i zero = _mm_setzero_si128(), low = _mm_set1_epi16(0xff);
	__m128i plain = zero, even_squares = zero, odd_squares = zero;
	size_t i = 0;
	for (; i + 16 <= count; i += 16) {
		__m128i values = _mm_loadu_si128((const __m128i *)(bytes + i));
		__m128i even = _mm_and_si128(values, low), odd = _mm_srli_epi16(values, 8);
		plain = _mm_add_epi64(plain, _mm_sad_epu8(values, zero));
		even_squares = _mm_add_epi32(even_squares, _mm_madd_epi16(even, even));
		odd_squares = _mm_add_epi32(odd_squares, _mm_madd_epi16(odd, odd));
	}
	uint64_t sums[2];
	_mm_storeu_si128((__m128i *)sums, plain);
	*sum += sums[0] + sums[1];
	*squares += sum_u32(even_squares) + sum_u32(odd_squares);
	wan_luma_base.add_bytes(bytes + i, count - i, sum, squares);
}

static inline __m128i load8(const uint16_t *from)
{
	return _mm_loadu_si128((const __m128i *)from);
}

static uint64_t laplacian(const uint16_t *above, const uint16_t *line, const uint16_t *below,
			  size_t count)
{
	__m128i squares = _mm_setzero_si128();
	size_t i = 0;
	for (; i + 8 <= count; i += 8) {
		__m128i beside = _mm_add_epi16(load8(line + i - 1), load8(line + i + 1));
		__m128i around = _mm_add_epi16(load8(above + i), load8(below + i));
		__m128i value = _mm_sub_epi16(_mm_add_epi16(beside, around),
					      _mm_slli_epi16(load8(line + i), 2));
		squares = _mm_add_epi32(squares, _mm_madd_epi16(value, value));
	}
	return sum_u32(squares) +
	       wan_luma_base.laplacian(above + i, line + i, below + i, count - i);
}

const struct wan_luma_kernels wan_luma_sse2 = {gray_rgb, gray_rgba, add_bytes, laplacian};
#endif
