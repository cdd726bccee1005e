/* SPDX-License-Identifier: MIT */
#include "luma_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

/* 38470, the weight of green, is taken in two halves: multiply-add takes signed 16 bits. */
#define RED   19595
#define GREEN 19235
#define BLUE  7471

/* Bytes of pixels of 3 or 4 bytes as 16-bit pairs (red, green) and (green, blue). */
#define PAIR(a, b) (char)(a), -1, (char)(b), -1
#define PAIRS(first, second, step)                                                                 \
	PAIR(first, second), PAIR(first + step, second + step),                                    \
		PAIR(first + 2 * step, second + 2 * step),                                         \
		PAIR(first + 3 * step, second + 3 * step)

/* 8 pixels in two halves of 4, each of which lies in the first bytes of its half. */
WAN_TARGET_AVX2 static inline __m256i gray8(__m256i pixels, __m256i red_green, __m256i green_blue)
{
	const __m256i weight_rg = _mm256_set1_epi32(GREEN << 16 | RED);
	const __m256i weight_gb = _mm256_set1_epi32(BLUE << 16 | GREEN);
	__m256i rg = _mm256_madd_epi16(_mm256_shuffle_epi8(pixels, red_green), weight_rg);
	__m256i gb = _mm256_madd_epi16(_mm256_shuffle_epi8(pixels, green_blue), weight_gb);
	__m256i sum = _mm256_add_epi32(_mm256_add_epi32(rg, gb), _mm256_set1_epi32(0x8000));
	return _mm256_srli_epi32(sum, 16);
}

WAN_TARGET_AVX2 static inline __m256i halves(const uint8_t *low, const uint8_t *high)
{
	__m128i first = _mm_loadu_si128((const __m128i *)low);
	return _mm256_inserti128_si256(_mm256_castsi128_si256(first),
				       _mm_loadu_si128((const __m128i *)high), 1);
}

WAN_TARGET_AVX2 static void gray_rgb(const uint8_t *rgb, uint16_t *to, size_t count)
{
	const __m256i rg = _mm256_broadcastsi128_si256(_mm_setr_epi8(PAIRS(0, 1, 3)));
	const __m256i gb = _mm256_broadcastsi128_si256(_mm_setr_epi8(PAIRS(1, 2, 3)));
	size_t i = 0;
	/* The last load begins at pixel 12 and is 16 bytes long. */
	for (; i + 18 <= count; i += 16) {
		const uint8_t *at = rgb + 3 * i;
		__m256i even = gray8(halves(at, at + 24), rg, gb);
		__m256i odd = gray8(halves(at + 12, at + 36), rg, gb);
		_mm256_storeu_si256((__m256i *)(to + i), _mm256_packus_epi32(even, odd));
	}
	wan_luma_base.gray_rgb(rgb + 3 * i, to + i, count - i);
}

WAN_TARGET_AVX2 static void gray_rgba(const uint8_t *rgba, uint16_t *to, size_t count)
{
	const __m256i rg = _mm256_broadcastsi128_si256(_mm_setr_epi8(PAIRS(0, 1, 4)));
	const __m256i gb = _mm256_broadcastsi128_si256(_mm_setr_epi8(PAIRS(1, 2, 4)));
	size_t i = 0;
	for (; i + 16 <= count; i += 16) {
		const uint8_t *at = rgba + 4 * i;
		__m256i even = gray8(halves(at, at + 32), rg, gb);
		__m256i odd = gray8(halves(at + 16, at + 48), rg, gb);
		_mm256_storeu_si256((__m256i *)(to + i), _mm256_packus_epi32(even, odd));
	}
	wan_luma_base.gray_rgba(rgba + 4 * i, to + i, count - i);
}

/* Eight unsigned 32-bit numbers in 64 bits. */
WAN_TARGET_AVX2 static uint64_t sum_u32(__m256i numbers)
{
	uint32_t parts[8];
	uint64_t sum = 0;
	_mm256_storeu_si256((__m256i *)parts, numbers);
	for (int i = 0; i < 8; i++)
		sum += parts[i];
	return sum;
}

WAN_TARGET_AVX2 static void add_bytes(const uint8_t *bytes, size_t count, uint64_t *sum,
				      uint64_t *squares)
{
	const __m256i zero = _mm256_setzero_si256(), low = _mm256_set1_epi16(0xff);
	__m256i plain = zero, even_squares = zero, odd_squares = zero;
	size_t i = 0;
	for (; i + 32 <= count; i += 32) {
		__m256i values = _mm256_loadu_si256((const __m256i *)(bytes + i));
		__m256i even = _mm256_and_si256(values, low), odd = _mm256_srli_epi16(values, 8);
		plain = _mm256_add_epi64(plain, _mm256_sad_epu8(values, zero));
		even_squares = _mm256_add_epi32(even_squares, _mm256_madd_epi16(even, even));
		odd_squares = _mm256_add_epi32(odd_squares, _mm256_madd_epi16(odd, odd));
	}
	uint64_t sums[4];
	_mm256_storeu_si256((__m256i *)sums, plain);
	*sum += sums[0] + sums[1] + sums[2] + sums[3];
	*squares += sum_u32(even_squares) + sum_u32(odd_squares);
	wan_luma_base.add_bytes(bytes + i, count - i, sum, squares);
}

WAN_TARGET_AVX2 static inline __m256i load16(const uint16_t *from)
{
	return _mm256_loadu_si256((const __m256i *)from);
}

WAN_TARGET_AVX2 static uint64_t laplacian(const uint16_t *above, const uint16_t *line,
					  const uint16_t *below, size_t count)
{
	__m256i squares = _mm256_setzero_si256();
	size_t i = 0;
	for (; i + 16 <= count; i += 16) {
		__m256i beside = _mm256_add_epi16(load16(line + i - 1), load16(line + i + 1));
		__m256i around = _mm256_add_epi16(load16(above + i), load16(below + i));
		__m256i value = _mm256_sub_epi16(_mm256_add_epi16(beside, around),
						 _mm256_slli_epi16(load16(line + i), 2));
		squares = _mm256_add_epi32(squares, _mm256_madd_epi16(value, value));
	}
	return sum_u32(squares) +
	       wan_luma_base.laplacian(above + i, line + i, below + i, count - i);
}

const struct wan_luma_kernels wan_luma_avx2 = {gray_rgb, gray_rgba, add_bytes, laplacian};
#endif
