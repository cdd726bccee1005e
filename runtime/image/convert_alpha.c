/* SPDX-License-Identifier: MIT */
/* Alpha into the colours and out again, Pillow's bytes. */
#include "convert.h"
#include "macros.h"

void wan_premultiply_row(const uint8_t *in, uint8_t *out, uint32_t width_px, unsigned channels)
{
	if (channels == 4) { /* of constant length, for the compiler's vectors */
		for (uint32_t x = 0; x < width_px; x++, in += 4, out += 4) {
			uint8_t alpha = in[3];
			out[0] = wan_mul_div_255(in[0], alpha);
			out[1] = wan_mul_div_255(in[1], alpha);
			out[2] = wan_mul_div_255(in[2], alpha);
			out[3] = alpha;
		}
		return;
	}
	for (uint32_t x = 0; x < width_px; x++, in += 2, out += 2) {
		out[0] = wan_mul_div_255(in[0], in[1]);
		out[1] = in[1];
	}
}

void wan_unpremultiply_row(uint8_t *row, uint32_t width_px, unsigned channels)
{
	for (uint32_t x = 0; x < width_px; x++, row += channels) {
		unsigned alpha = row[channels - 1];
		if (alpha == 0 || alpha == 255)
			continue;
		for (unsigned c = 0; c + 1 < channels; c++) {
			unsigned value = 255u * row[c] / alpha;
			row[c] = (uint8_t)WAN_MIN(value, 255u);
		}
	}
}
