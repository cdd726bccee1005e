/* SPDX-License-Identifier: MIT */
/* Alpha into the colours and out again, Pillow's bytes. */
#include "convert.h"
#include "macros.h"

#if defined(__SSE2__)
#include <emmintrin.h>

/* Eight 16-bit samples, two pixels, times alpha; alpha itself times 255, which keeps it. */
static inline __m128i times_alpha(__m128i samples)
{
	const __m128i opaque = _mm_set1_epi64x(0x00ff000000000000);
	__m128i alpha = _mm_shufflehi_epi16(_mm_shufflelo_epi16(samples, 0xff), 0xff);
	__m128i product = _mm_mullo_epi16(samples, _mm_or_si128(alpha, opaque));
	product = _mm_add_epi16(product, _mm_set1_epi16(128));
	return _mm_srli_epi16(_mm_add_epi16(product, _mm_srli_epi16(product, 8)), 8);
}

static uint32_t premultiply_blocks(const uint8_t *in, uint8_t *out, uint32_t width)
{
	const __m128i zero = _mm_setzero_si128();
	uint32_t x = 0;
	for (; x + 4 <= width; x += 4) {
		__m128i pixels = _mm_loadu_si128((const __m128i *)(const void *)(in + 4 * x));
		__m128i low = times_alpha(_mm_unpacklo_epi8(pixels, zero));
		__m128i high = times_alpha(_mm_unpackhi_epi8(pixels, zero));
		_mm_storeu_si128((__m128i *)(void *)(out + 4 * x), _mm_packus_epi16(low, high));
	}
	return x;
}

/* One pixel of 32-bit samples: 255 * sample / alpha, rounded down. Quotients of whole numbers that
 * small are far enough from the next whole number for single precision. */
static inline __m128i over_alpha(__m128i samples)
{
	__m128 values = _mm_cvtepi32_ps(samples);
	__m128 alpha = _mm_shuffle_ps(values, values, 0xff);
	return _mm_cvttps_epi32(_mm_div_ps(_mm_mul_ps(values, _mm_set1_ps(255.0f)), alpha));
}

static uint32_t unpremultiply_blocks(uint8_t *row, uint32_t width)
{
	const __m128i zero = _mm_setzero_si128(), last = _mm_set1_epi32((int)0xff000000);
	uint32_t x = 0;
	for (; x + 4 <= width; x += 4) {
		__m128i *at = (__m128i *)(void *)(row + 4 * x);
		__m128i pixels = _mm_loadu_si128(at);
		__m128i low = _mm_unpacklo_epi8(pixels, zero),
			high = _mm_unpackhi_epi8(pixels, zero);
		__m128i first = _mm_packs_epi32(over_alpha(_mm_unpacklo_epi16(low, zero)),
						over_alpha(_mm_unpackhi_epi16(low, zero)));
		__m128i second = _mm_packs_epi32(over_alpha(_mm_unpacklo_epi16(high, zero)),
						 over_alpha(_mm_unpackhi_epi16(high, zero)));
		/* Alpha itself and pixels without any stay as they are. */
		__m128i keep = _mm_cmpeq_epi32(_mm_srli_epi32(pixels, 24), zero);
		keep = _mm_or_si128(keep, last);
		_mm_storeu_si128(
			at, _mm_or_si128(_mm_and_si128(keep, pixels),
					 _mm_andnot_si128(keep, _mm_packus_epi16(first, second))));
	}
	return x;
}
#else
static uint32_t premultiply_blocks(const uint8_t *in, uint8_t *out, uint32_t width)
{
	(void)in, (void)out, (void)width;
	return 0;
}

static uint32_t unpremultiply_blocks(uint8_t *row, uint32_t width)
{
	(void)row, (void)width;
	return 0;
}
#endif

void wan_premultiply_row(const uint8_t *in, uint8_t *out, uint32_t width_px, unsigned channels)
{
	uint32_t x = channels == 4 ? premultiply_blocks(in, out, width_px) : 0;
	in += (size_t)x * channels;
	out += (size_t)x * channels;
	for (; x < width_px; x++, in += channels, out += channels) {
		uint8_t alpha = in[channels - 1];
		for (unsigned c = 0; c + 1 < channels; c++)
			out[c] = wan_mul_div_255(in[c], alpha);
		out[channels - 1] = alpha;
	}
}

void wan_unpremultiply_row(uint8_t *row, uint32_t width_px, unsigned channels)
{
	uint32_t x = channels == 4 ? unpremultiply_blocks(row, width_px) : 0;
	row += (size_t)x * channels;
	for (; x < width_px; x++, row += channels) {
		unsigned alpha = row[channels - 1];
		if (alpha == 0 || alpha == 255)
			continue;
		for (unsigned c = 0; c + 1 < channels; c++) {
			unsigned value = 255u * row[c] / alpha;
			row[c] = (uint8_t)WAN_MIN(value, 255u);
		}
	}
}
