/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>

#include "buffer.h"
#include "cleanup.h"
#include "cpu.h"
#include "macros.h"
#include "normalise.h"

#define N1(p)  ((float)(p) / 255.0f - 0.5f) / 0.5f
#define N4(p)  N1(p), N1((p) + 1), N1((p) + 2), N1((p) + 3)
#define N16(p) N4(p), N4((p) + 4), N4((p) + 8), N4((p) + 12)
#define N64(p) N16(p), N16((p) + 16), N16((p) + 32), N16((p) + 48)

const float wan_normalised[256] = {N64(0), N64(64), N64(128), N64(192)};

static uint16_t table_f16[256], table_bf16[256];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void fill_tables(void)
{
	for (int p = 0; p < 256; p++) {
		table_f16[p] = wan_f16_from_float(wan_normalised[p]);
		table_bf16[p] = wan_bf16_from_float(wan_normalised[p]);
	}
}

const float *wan_normalise_table(void)
{
	return wan_normalised;
}

const uint16_t *wan_normalise_table_f16(void)
{
	(void)pthread_once(&tables_once, fill_tables);
	return table_f16;
}

const uint16_t *wan_normalise_table_bf16(void)
{
	(void)pthread_once(&tables_once, fill_tables);
	return table_bf16;
}

static void rows_by_table(const uint8_t *rgb, size_t pixels, float *r, float *g, float *b)
{
	for (size_t i = 0; i < pixels; i++) {
		r[i] = wan_normalised[rgb[3 * i]];
		g[i] = wan_normalised[rgb[3 * i + 1]];
		b[i] = wan_normalised[rgb[3 * i + 2]];
	}
}

#if defined(__x86_64__)
#include <immintrin.h>

/* p / 127.5 - 1: the quotient by a multiplication that is set right by its remainder, which rounds
 * as a division does; the tests compare all 256 values. */
static inline WAN_TARGET_AVX2 __m256 unit_range(__m256i bytes)
{
	const __m256 divisor = _mm256_set1_ps(127.5f), inverse = _mm256_set1_ps(1.0f / 127.5f);
	__m256 p = _mm256_cvtepi32_ps(bytes);
	__m256 quotient = _mm256_mul_ps(p, inverse);
	__m256 rest = _mm256_fnmadd_ps(quotient, divisor, p);
	quotient = _mm256_fmadd_ps(rest, inverse, quotient);
	return _mm256_sub_ps(quotient, _mm256_set1_ps(1.0f));
}

/* One channel of four pixels from each half, as 32-bit numbers. */
#define CHANNEL(c)                                                                                 \
	_mm256_setr_epi8(c, -1, -1, -1, c + 3, -1, -1, -1, c + 6, -1, -1, -1, c + 9, -1, -1, -1,   \
			 c, -1, -1, -1, c + 3, -1, -1, -1, c + 6, -1, -1, -1, c + 9, -1, -1, -1)

/* Eight pixels, four in each half; ten must be readable. */
static inline WAN_TARGET_AVX2 __m256i eight_pixels(const uint8_t *from)
{
	__m128i low = _mm_loadu_si128((const __m128i *)(const void *)from);
	__m128i high = _mm_loadu_si128((const __m128i *)(const void *)(from + 12));
	return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

/* Returns how many pixels are done: the last few would be read beyond the end. */
static WAN_TARGET_AVX2 size_t rows_avx2(const uint8_t *rgb, size_t pixels, float *r, float *g,
					float *b)
{
	size_t i = 0;
	for (; i + 10 <= pixels; i += 8) {
		__m256i eight = eight_pixels(rgb + 3 * i);
		_mm256_storeu_ps(r + i, unit_range(_mm256_shuffle_epi8(eight, CHANNEL(0))));
		_mm256_storeu_ps(g + i, unit_range(_mm256_shuffle_epi8(eight, CHANNEL(1))));
		_mm256_storeu_ps(b + i, unit_range(_mm256_shuffle_epi8(eight, CHANNEL(2))));
	}
	return i;
}

/* Eight floats, none of them NaN, to bfloat16 as wan_bf16_from_float() does it. */
static inline WAN_TARGET_AVX2 __m128i bf16_of(__m256 values)
{
	__m256i bits = _mm256_castps_si256(values);
	__m256i even = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
	bits = _mm256_add_epi32(bits, _mm256_add_epi32(even, _mm256_set1_epi32(0x7fff)));
	bits = _mm256_srli_epi32(bits, 16);
	return _mm_packus_epi32(_mm256_castsi256_si128(bits), _mm256_extracti128_si256(bits, 1));
}

static inline WAN_TARGET_AVX2 __attribute__((always_inline)) void put_8(__m256i channel, bool f16,
									uint16_t *to)
{
	__m256 values = unit_range(channel);
	__m128i halves =
		f16 ? _mm256_cvtps_ph(values, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
		    : bf16_of(values);
	_mm_storeu_si128((__m128i *)(void *)to, halves);
}

static inline WAN_TARGET_AVX2 __attribute__((always_inline)) size_t rows_16(
	const uint8_t *rgb, size_t pixels, bool f16, uint16_t *r, uint16_t *g, uint16_t *b)
{
	size_t i = 0;
	for (; i + 10 <= pixels; i += 8) {
		__m256i eight = eight_pixels(rgb + 3 * i);
		put_8(_mm256_shuffle_epi8(eight, CHANNEL(0)), f16, r + i);
		put_8(_mm256_shuffle_epi8(eight, CHANNEL(1)), f16, g + i);
		put_8(_mm256_shuffle_epi8(eight, CHANNEL(2)), f16, b + i);
	}
	return i;
}

static WAN_TARGET_AVX2 size_t rows_16_avx2(const uint8_t *rgb, size_t pixels, bool f16,
					   uint16_t *const planes[3])
{
	if (f16)
		return rows_16(rgb, pixels, true, planes[0], planes[1], planes[2]);
	return rows_16(rgb, pixels, false, planes[0], planes[1], planes[2]);
}

static WAN_TARGET_AVX2 size_t floats_to_f16_avx2(const float *in, size_t count, uint16_t *out)
{
	size_t i = 0;
	for (; i + 8 <= count; i += 8) {
		__m256 values = _mm256_loadu_ps(in + i);
		/* The processor keeps the payload of what is not a number; half.h does not. */
		if (_mm256_movemask_ps(_mm256_cmp_ps(values, values, _CMP_UNORD_Q)))
			break;
		_mm_storeu_si128(
			(__m128i *)(void *)(out + i),
			_mm256_cvtps_ph(values, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
	}
	return i;
}
#endif

void wan_normalise_rows(const uint8_t *rgb, size_t pixels, float *r, float *g, float *b)
{
	size_t done = 0;
#if defined(__x86_64__)
	if (wan_cpu_level() >= WAN_CPU_AVX2)
		done = rows_avx2(rgb, pixels, r, g, b);
#endif
	rows_by_table(rgb + 3 * done, pixels - done, r + done, g + done, b + done);
}

void wan_normalise_rows_16(const uint8_t *rgb, size_t pixels, enum wan_pixel_format format,
			   uint16_t *const planes[3])
{
	bool f16 = format == WAN_PIXEL_RGBF16_PLANAR;
	const uint16_t *table = f16 ? wan_normalise_table_f16() : wan_normalise_table_bf16();
	size_t done = 0;
#if defined(__x86_64__)
	if (wan_cpu_level() >= WAN_CPU_AVX2)
		done = rows_16_avx2(rgb, pixels, f16, planes);
#endif
	for (size_t i = done; i < pixels; i++)
		for (size_t c = 0; c < 3; c++)
			planes[c][i] = table[rgb[3 * i + c]];
}

void wan_floats_to_16(const float *in, size_t count, enum wan_pixel_format format, uint16_t *out)
{
	size_t i = 0;
	if (format == WAN_PIXEL_RGBBF16_PLANAR) {
		for (; i < count; i++)
			out[i] = wan_bf16_from_float(in[i]);
		return;
	}
	while (i < count) {
#if defined(__x86_64__)
		if (wan_cpu_level() >= WAN_CPU_AVX2)
			i += floats_to_f16_avx2(in + i, count - i, out + i);
#endif
		for (size_t end = WAN_MIN(i + 8, count); i < end; i++)
			out[i] = wan_f16_from_float(in[i]);
	}
}

uint8_t wan_denormalise(float value)
{
	float byte = rintf((value + 1.0f) * 127.5f);
	return byte >= 255.0f ? 255 : byte >= 0.0f ? (uint8_t)byte : 0;
}

int wan_normalise_as(const struct wan_image *rgb, enum wan_pixel_format format,
		     struct wan_image **ret_image)
{
	size_t pixels = (size_t)rgb->view.width_px * rgb->view.height_px;
	struct wan_image *made;
	int error = wan_image_create(format, rgb->view.width_px, rgb->view.height_px, &made);
	if (error < 0)
		return error;
	if (format == WAN_PIXEL_RGBF32_PLANAR) {
		float *planes = made->pixels;
		wan_normalise_rows(rgb->pixels, pixels, planes, planes + pixels,
				   planes + 2 * pixels);
	} else {
		uint16_t *first = made->pixels;
		uint16_t *const planes[3] = {first, first + pixels, first + 2 * pixels};
		wan_normalise_rows_16(rgb->pixels, pixels, format, planes);
	}
	*ret_image = made;
	return 0;
}

int wan_image_normalise(const struct wan_image *image, struct wan_image **ret_image)
{
	if (!image || !ret_image)
		return -EINVAL;

	wan_cleanup(wan_image_unrefp) struct wan_image *rgb = NULL;
	int error = wan_image_convert(image, WAN_PIXEL_RGB8, WAN_ALPHA_DROP, &rgb);
	if (error < 0)
		return error;
	return wan_normalise_as(rgb, WAN_PIXEL_RGBF32_PLANAR, ret_image);
}
