/* SPDX-License-Identifier: MIT */
#include "luma_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

/* As in the AVX2 code: green in two halves. */
#define RED   19595
#define GREEN 19235
#define BLUE  7471

/* Bytes of four pixels as 16-bit pairs; 0x80 makes a zero. */
#define PAIR(a, b) (0x80008000 | (b) << 16 | (a))
#define PAIRS(first, second, step)                                                                 \
	(int)PAIR(first, second), (int)PAIR(first + step, second + step),                          \
		(int)PAIR(first + 2 * step, second + 2 * step),                                    \
		(int)PAIR(first + 3 * step, second + 3 * step)

/* 16 pixels in four quarters, each in the first bytes of its quarter, as 16-bit numbers. */
WAN_TARGET_AVX512 static inline __m256i gray16(__m512i pixels, __m512i red_green,
					       __m512i green_blue)
{
	const __m512i weight_rg = _mm512_set1_epi32(GREEN << 16 | RED);
	const __m512i weight_gb = _mm512_set1_epi32(BLUE << 16 | GREEN);
	__m512i rg = _mm512_madd_epi16(_mm512_shuffle_epi8(pixels, red_green), weight_rg);
	__m512i gb = _mm512_madd_epi16(_mm512_shuffle_epi8(pixels, green_blue), weight_gb);
	__m512i sum = _mm512_add_epi32(_mm512_add_epi32(rg, gb), _mm512_set1_epi32(0x8000));
	return _mm512_cvtepi32_epi16(_mm512_srli_epi32(sum, 16));
}

WAN_TARGET_AVX512 static void gray_rgb(const uint8_t *rgb, uint16_t *to, size_t count)
{
	const __m512i rg = _mm512_broadcast_i32x4(_mm_setr_epi32(PAIRS(0, 1, 3)));
	const __m512i gb = _mm512_broadcast_i32x4(_mm_setr_epi32(PAIRS(1, 2, 3)));
	const __m512i quarters =
		_mm512_setr_epi32(0, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9, 9, 10, 11, 12);
	size_t i = 0;
	for (; i + 22 <= count; i += 16) { /* 64 bytes are read for 48 */
		__m512i pixels = _mm512_loadu_si512(rgb + 3 * i);
		pixels = _mm512_permutexvar_epi32(quarters, pixels);
		_mm256_storeu_si256((__m256i *)(to + i), gray16(pixels, rg, gb));
	}
	wan_luma_base.gray_rgb(rgb + 3 * i, to + i, count - i);
}

WAN_TARGET_AVX512 static void gray_rgba(const uint8_t *rgba, uint16_t *to, size_t count)
{
	const __m512i rg = _mm512_broadcast_i32x4(_mm_setr_epi32(PAIRS(0, 1, 4)));
	const __m512i gb = _mm512_broadcast_i32x4(_mm_setr_epi32(PAIRS(1, 2, 4)));
	size_t i = 0;
	for (; i + 16 <= count; i += 16)
		_mm256_storeu_si256((__m256i *)(to + i),
				    gray16(_mm512_loadu_si512(rgba + 4 * i), rg, gb));
	wan_luma_base.gray_rgba(rgba + 4 * i, to + i, count - i);
}

/* Sixteen unsigned 32-bit numbers in 64 bits. */
WAN_TARGET_AVX512 static uint64_t sum_u32(__m512i numbers)
{
	__m512i low = _mm512_and_si512(numbers, _mm512_set1_epi64(0xffffffff));
	return (uint64_t)_mm512_reduce_add_epi64(
		_mm512_add_epi64(low, _mm512_srli_epi64(numbers, 32)));
}

WAN_TARGET_AVX512 static void add_bytes(const uint8_t *bytes, size_t count, uint64_t *sum,
					uint64_t *squares)
{
	const __m512i zero = _mm512_setzero_si512(), low = _mm512_set1_epi16(0xff);
	__m512i plain = zero, even_squares = zero, odd_squares = zero;
	size_t i = 0;
	for (; i + 64 <= count; i += 64) {
		__m512i values = _mm512_loadu_si512(bytes + i);
		__m512i even = _mm512_and_si512(values, low), odd = _mm512_srli_epi16(values, 8);
		plain = _mm512_add_epi64(plain, _mm512_sad_epu8(values, zero));
		even_squares = _mm512_add_epi32(even_squares, _mm512_madd_epi16(even, even));
		odd_squares = _mm512_add_epi32(odd_squares, _mm512_madd_epi16(odd, odd));
	}
	*sum += (uint64_t)_mm512_reduce_add_epi64(plain);
	*squares += sum_u32(even_squares) + sum_u32(odd_squares);
	wan_luma_base.add_bytes(bytes + i, count - i, sum, squares);
}

WAN_TARGET_AVX512 static uint64_t laplacian(const uint16_t *above, const uint16_t *line,
					    const uint16_t *below, size_t count)
{
	__m512i squares = _mm512_setzero_si512();
	size_t i = 0;
	for (; i + 32 <= count; i += 32) {
		__m512i beside = _mm512_add_epi16(_mm512_loadu_si512(line + i - 1),
						  _mm512_loadu_si512(line + i + 1));
		__m512i around = _mm512_add_epi16(_mm512_loadu_si512(above + i),
						  _mm512_loadu_si512(below + i));
		__m512i value =
			_mm512_sub_epi16(_mm512_add_epi16(beside, around),
					 _mm512_slli_epi16(_mm512_loadu_si512(line + i), 2));
		squares = _mm512_add_epi32(squares, _mm512_madd_epi16(value, value));
	}
	return sum_u32(squares) +
	       wan_luma_base.laplacian(above + i, line + i, below + i, count - i);
}

const struct wan_luma_kernels wan_luma_avx512 = {gray_rgb, gray_rgba, add_bytes, laplacian};
#endif
