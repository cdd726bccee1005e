/* SPDX-License-Identifier: MIT */
/* Samples widened to 32 bits times whole weights: NEON multiplies and adds those in one step. */
#include "kernels.h"

#if defined(__ARM_NEON)

#include <arm_neon.h>
#include <string.h>

static inline int32x4_t wide(uint16x4_t samples)
{
	return vreinterpretq_s32_u32(vmovl_u16(samples));
}

static inline int32x4_t half(void)
{
	return vdupq_n_s32(WAN_TAPS_HALF);
}

/* Four sums to bytes, clipped. */
static inline uint16x4_t clipped(int32x4_t sum)
{
	int16x4_t shifted = vqmovn_s32(vshrq_n_s32(sum, WAN_TAPS_BITS));
	return vreinterpret_u16_s16(vmin_s16(vmax_s16(shifted, vdup_n_s16(0)), vdup_n_s16(255)));
}

static inline void line_wide(const struct wan_taps *taps, const uint8_t *in, uint8_t *out,
			     unsigned channels)
{
	for (uint32_t x = 0; x < taps->outputs; x++, out += channels) {
		const int32_t *weights = taps->weights + (size_t)x * taps->pitch;
		const uint8_t *from = in + (size_t)taps->spans[x].first * channels;
		int32x4_t sum = half();
		for (uint32_t k = 0; k < taps->spans[x].count; k++, from += channels) {
			uint32_t four;
			memcpy(&four, from, sizeof(four));
			uint16x8_t samples = vmovl_u8(vcreate_u8(four));
			sum = vmlaq_n_s32(sum, wide(vget_low_u16(samples)), weights[k]);
		}
		uint16_t bytes[4];
		vst1_u16(bytes, clipped(sum));
		for (unsigned c = 0; c < channels; c++)
			out[c] = (uint8_t)bytes[c];
	}
}

static void line_gray(const struct wan_taps *taps, const uint8_t *in, uint8_t *out)
{
	for (uint32_t x = 0; x < taps->outputs; x++) {
		const int32_t *weights = taps->weights + (size_t)x * taps->pitch;
		const uint8_t *from = in + taps->spans[x].first;
		int32x4_t sum = vdupq_n_s32(0);
		/* Behind the last tap the weights are 0. */
		for (uint32_t k = 0; k < taps->spans[x].count; k += 8) {
			uint16x8_t samples = vmovl_u8(vld1_u8(from + k));
			sum = vmlaq_s32(sum, wide(vget_low_u16(samples)), vld1q_s32(weights + k));
			sum = vmlaq_s32(sum, wide(vget_high_u16(samples)),
					vld1q_s32(weights + k + 4));
		}
		int32x2_t pair = vadd_s32(vget_low_s32(sum), vget_high_s32(sum));
		pair = vpadd_s32(pair, pair);
		int32x4_t all = vaddq_s32(vcombine_s32(pair, pair), half());
		*out++ = (uint8_t)vget_lane_u16(clipped(all), 0);
	}
}

static void lines(const struct wan_taps *taps, const uint8_t *const *in, uint8_t *const *out,
		  unsigned channels)
{
	for (int i = 0; i < WAN_LINES_AT_ONCE; i++) {
		if (i > 0 && out[i] == out[i - 1])
			continue;
		if (channels == 1)
			line_gray(taps, in[i], out[i]);
		else if (channels == 3)
			line_wide(taps, in[i], out[i], 3);
		else
			line_wide(taps, in[i], out[i], channels);
	}
}

static void column(const struct wan_taps *taps, uint32_t index, const uint8_t *const *lines_in,
		   uint8_t *out, size_t count)
{
	const int32_t *weights = taps->weights + (size_t)index * taps->pitch;
	uint32_t lines_count = taps->spans[index].count;

	if (count < 16) {
		wan_kernels_plain.column(taps, index, lines_in, out, count);
		return;
	}
	/* The last step overlaps the one before. */
	for (size_t next = 0; next < count; next += 16) {
		size_t i = next + 16 <= count ? next : count - 16;
		int32x4_t sum[4] = {half(), half(), half(), half()};
		for (uint32_t k = 0; k < lines_count; k++) {
			uint8x16_t bytes = vld1q_u8(lines_in[k] + i);
			uint16x8_t low = vmovl_u8(vget_low_u8(bytes));
			uint16x8_t high = vmovl_u8(vget_high_u8(bytes));
			sum[0] = vmlaq_n_s32(sum[0], wide(vget_low_u16(low)), weights[k]);
			sum[1] = vmlaq_n_s32(sum[1], wide(vget_high_u16(low)), weights[k]);
			sum[2] = vmlaq_n_s32(sum[2], wide(vget_low_u16(high)), weights[k]);
			sum[3] = vmlaq_n_s32(sum[3], wide(vget_high_u16(high)), weights[k]);
		}
		uint8x8_t left = vmovn_u16(vcombine_u16(clipped(sum[0]), clipped(sum[1])));
		uint8x8_t right = vmovn_u16(vcombine_u16(clipped(sum[2]), clipped(sum[3])));
		vst1q_u8(out + i, vcombine_u8(left, right));
	}
}

const struct wan_kernels wan_kernels_neon = {lines, column};

#endif
