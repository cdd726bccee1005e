/* SPDX-License-Identifier: MIT */
/* Plain C in shapes that compilers vectorize (NEON), and the ends of the other loops. */
#include "convert.h"
#include "luma_kernels.h"

static void gray_rgb(const uint8_t *rgb, uint16_t *to, size_t count)
{
	for (size_t i = 0; i < count; i++)
		to[i] = wan_luma(rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]);
}

static void gray_rgba(const uint8_t *rgba, uint16_t *to, size_t count)
{
	for (size_t i = 0; i < count; i++)
		to[i] = wan_luma(rgba[4 * i], rgba[4 * i + 1], rgba[4 * i + 2]);
}

static void add_bytes(const uint8_t *bytes, size_t count, uint64_t *sum, uint64_t *squares)
{
	uint32_t plain = 0, squared = 0; /* 65536 * 255^2 fits 32 bits */
	for (size_t i = 0; i < count; i++) {
		uint16_t value = bytes[i];
		plain += value;
		squared += (uint32_t)value * value;
	}
	*sum += plain;
	*squares += squared;
}

static uint64_t laplacian(const uint16_t *above, const uint16_t *line, const uint16_t *below,
			  size_t count)
{
	uint64_t squares = 0;
	for (size_t done = 0; done < count;) {
		size_t part = count - done < 1024 ? count - done : 1024; /* 1024 * 1020^2 */
		int32_t sum = 0;
		for (size_t i = done; i < done + part; i++) {
			int16_t value = (int16_t)(above[i] + below[i] + line[i - 1] + line[i + 1] -
						  4 * line[i]);
			sum += value * value;
		}
		squares += (uint32_t)sum;
		done += part;
	}
	return squares;
}

const struct wan_luma_kernels wan_luma_base = {gray_rgb, gray_rgba, add_bytes, laplacian};

const struct wan_luma_kernels *wan_luma_kernels(enum wan_cpu_level level)
{
	switch (level) {
#if defined(__x86_64__)
	case WAN_CPU_AVX512:
		return &wan_luma_avx512;
	case WAN_CPU_AVX2:
		return &wan_luma_avx2;
	default:
		return &wan_luma_sse2;
#else
	default:
		return &wan_luma_base;
#endif
	}
}
