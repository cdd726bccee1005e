/* SPDX-License-Identifier: MIT */
#include "kernels.h"

static inline uint8_t clip(int32_t sum)
{
	sum >>= WAN_TAPS_BITS;
	return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

static void line(const struct wan_taps *taps, const uint8_t *in, uint8_t *out, unsigned channels)
{
	for (uint32_t x = 0; x < taps->outputs; x++) {
		const int32_t *weights = taps->weights + (size_t)x * taps->pitch;
		const uint8_t *from = in + (size_t)taps->spans[x].first * channels;
		for (unsigned c = 0; c < channels; c++) {
			int32_t sum = WAN_TAPS_HALF;
			for (uint32_t k = 0; k < taps->spans[x].count; k++)
				sum += from[k * channels + c] * weights[k];
			*out++ = clip(sum);
		}
	}
}

static void lines(const struct wan_taps *taps, const uint8_t *const *in, uint8_t *const *out,
		  unsigned channels)
{
	for (int i = 0; i < WAN_LINES_AT_ONCE; i++)
		if (i == 0 || out[i] != out[i - 1])
			line(taps, in[i], out[i], channels);
}

static void column(const struct wan_taps *taps, uint32_t index, const uint8_t *const *lines_in,
		   uint8_t *out, size_t count)
{
	const int32_t *weights = taps->weights + (size_t)index * taps->pitch;
	for (size_t i = 0; i < count; i++) {
		int32_t sum = WAN_TAPS_HALF;
		for (uint32_t k = 0; k < taps->spans[index].count; k++)
			sum += lines_in[k][i] * weights[k];
		out[i] = clip(sum);
	}
}

const struct wan_kernels wan_kernels_plain = {lines, column};

const struct wan_kernels *wan_kernels(const struct wan_taps *taps)
{
	(void)taps; /* only AVX-512 asks */
#if defined(__x86_64__)
	enum wan_cpu_level level = wan_cpu_level();
	if (level >= WAN_CPU_AVX512 && taps->digits_fit && __builtin_cpu_supports("avx512vnni"))
		return &wan_kernels_vnni;
	if (level >= WAN_CPU_AVX2)
		return &wan_kernels_avx2;
#endif
#if defined(__SSE2__)
	return &wan_kernels_sse2;
#elif defined(__ARM_NEON)
	return &wan_kernels_neon;
#else
	return &wan_kernels_plain;
#endif
}
