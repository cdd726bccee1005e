/* SPDX-License-Identifier: MIT */
/* float32 to the two 16-bit types, rounded to nearest, ties to even; NaN stays NaN. Pure. */
#ifndef WAN_IMAGE_HALF_H
#define WAN_IMAGE_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint32_t wan_float_bits(float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static inline uint16_t wan_bf16_from_float(float value)
{
	uint32_t bits = wan_float_bits(value);
	if ((bits & 0x7fffffff) > 0x7f800000)
		return (uint16_t)(bits >> 16 | 0x40); /* quiet, or cutting could make infinity */
	return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static inline uint16_t wan_f16_from_float(float value)
{
	uint32_t bits = wan_float_bits(value);
	uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
	uint32_t magnitude = bits & 0x7fffffff;

	if (magnitude > 0x7f800000)
		return sign | 0x7e00;
	if (magnitude >= 0x477ff000) /* 65520 and above round to infinity */
		return sign | 0x7c00;
	if (magnitude >= 0x38800000) { /* normal: from 2^-14 on; 13 bits go */
		uint32_t rebased = magnitude - 0x38000000;
		return (uint16_t)(sign | (rebased + 0xfff + (rebased >> 13 & 1)) >> 13);
	}
	if (magnitude < 0x33000000) /* below half of the smallest */
		return sign;
	/* Subnormal: units of 2^-24. */
	uint32_t exponent = magnitude >> 23, mantissa = (magnitude & 0x7fffff) | 0x800000;
	uint32_t shift = 126 - exponent; /* 14 to 24 */
	uint32_t units = mantissa >> shift, rest = mantissa & ((1u << shift) - 1);
	uint32_t half = 1u << (shift - 1);
	units += rest > half || (rest == half && (units & 1));
	return (uint16_t)(sign | units);
}

#endif
