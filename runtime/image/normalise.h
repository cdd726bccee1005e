/* SPDX-License-Identifier: MIT */
/* Bytes to [-1, 1] and back. */
#ifndef WAN_IMAGE_NORMALISE_H
#define WAN_IMAGE_NORMALISE_H

#include <stddef.h>
#include <stdint.h>

#include "half.h"
#include "wan/image.h"

/* ((p / 255) - 0.5) / 0.5 in float32 for each byte, computed at build time. */
extern const float wan_normalised[256];
/* The same as a table, and rounded to nearest, ties to even. Any thread; the first call of the
 * 16-bit ones fills them. */
const float *wan_normalise_table(void);
const uint16_t *wan_normalise_table_f16(void);
const uint16_t *wan_normalise_table_bf16(void);

/* Interleaved RGB rows to three planes. Pure. */
void wan_normalise_rows(const uint8_t *rgb, size_t pixels, float *r, float *g, float *b);
/* The same to planes of one of the 16-bit formats. */
void wan_normalise_rows_16(const uint8_t *rgb, size_t pixels, enum wan_pixel_format format,
			   uint16_t *const planes[3]);
/* Floats to one of the 16-bit formats, as half.h rounds them. */
void wan_floats_to_16(const float *in, size_t count, enum wan_pixel_format format, uint16_t *out);
/* RGB8 to one of the planar formats. 0, -ENOMEM. */
int wan_normalise_as(const struct wan_image *rgb, enum wan_pixel_format format,
		     struct wan_image **ret_image);
/* The nearest byte of a normalised value, clamped; NaN is 0. Pure. */
uint8_t wan_denormalise(float value);

static inline float wan_float_of_bits(uint32_t bits)
{
	float value;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

static inline float wan_float_of_bf16(uint16_t bits)
{
	return wan_float_of_bits((uint32_t)bits << 16);
}

static inline float wan_float_of_f16(uint16_t bits)
{
	uint32_t sign = (uint32_t)(bits & 0x8000) << 16, rest = bits & 0x7fff;
	if (rest >= 0x7c00) /* infinity, NaN */
		return wan_float_of_bits(sign | 0x7f800000 | (rest & 0x3ff) << 13);
	if (rest >= 0x400)
		return wan_float_of_bits(sign | (rest + 0x1c000) << 13);
	float small = (float)rest * 0x1p-24f; /* subnormal */
	return sign ? -small : small;
}

#endif
