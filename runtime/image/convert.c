/* SPDX-License-Identifier: MIT */
/*
 * Three small steps instead of a table of all pairs: narrow or widen the samples, settle alpha,
 * then change the number of channels.
 */
#include <assert.h>
#include <string.h>

#include "buffer.h"
#include "convert.h"
#include "macros.h"

/* 16 to 8 bits: the high byte, as Pillow reads 16-bit RGB files. */
static void narrow(const uint16_t *in, uint8_t *out, size_t samples)
{
	for (size_t i = 0; i < samples; i++)
		out[i] = (uint8_t)(in[i] >> 8);
}

/* 8 to 16 bits: 0 to 0, 255 to 65535. */
static void widen(const uint8_t *in, uint16_t *out, size_t samples)
{
	for (size_t i = 0; i < samples; i++)
		out[i] = (uint16_t)(in[i] * 257u);
}

static void cmyk_to_rgb(const uint8_t *in, uint8_t *out, uint32_t width)
{
	for (uint32_t x = 0; x < width; x++, in += 4, out += 3) {
		int left = 255 - in[3];
		for (int c = 0; c < 3; c++)
			out[c] = (uint8_t)WAN_MAX(left - wan_mul_div_255(in[c], (unsigned)left), 0);
	}
}

static void rgb_to_cmyk(const uint8_t *in, uint8_t *out, uint32_t width)
{
	for (uint32_t x = 0; x < width; x++, in += 3, out += 4) {
		out[0] = (uint8_t)~in[0];
		out[1] = (uint8_t)~in[1];
		out[2] = (uint8_t)~in[2];
		out[3] = 0;
	}
}

static inline uint8_t blend8(unsigned value, unsigned alpha, unsigned ground)
{
	unsigned sum = value * alpha + ground * (255 - alpha) + 128;
	return (uint8_t)((sum + (sum >> 8)) >> 8);
}

static inline uint16_t blend16(unsigned value, unsigned alpha, unsigned ground)
{
	uint64_t sum = (uint64_t)value * alpha + (uint64_t)ground * (65535 - alpha);
	return (uint16_t)((sum + 32767) / 65535);
}

static inline uint8_t luma8(unsigned r, unsigned g, unsigned b)
{
	return wan_luma(r, g, b);
}

static inline uint16_t luma16(unsigned r, unsigned g, unsigned b)
{
	return (uint16_t)(((uint64_t)r * 19595 + (uint64_t)g * 38470 + (uint64_t)b * 7471 +
			   0x8000) >>
			  16);
}

/* What alpha is composited over; -1: it is dropped. */
static int ground_of(enum wan_alpha_policy alpha, int color)
{
	if (alpha == WAN_ALPHA_WHITE)
		return 255;
	if (alpha == WAN_ALPHA_BLACK)
		return 0;
	return alpha >= WAN_ALPHA_COLOR ? (int)((unsigned)alpha >> (16 - 8 * color) & 255u) : -1;
}

/* The same for pictures of that many colours, scaled to the sample's range. */
static bool grounds_of(enum wan_alpha_policy alpha, int colors, unsigned scale, unsigned ground[3])
{
	int r = ground_of(alpha, 0), g = ground_of(alpha, 1), b = ground_of(alpha, 2);
	if (r < 0)
		return false;
	bool gray = colors == 1;
	ground[0] = (gray ? wan_luma((unsigned)r, (unsigned)g, (unsigned)b) : (unsigned)r) * scale;
	ground[1] = (unsigned)g * scale;
	ground[2] = (unsigned)b * scale;
	return true;
}

/* The steps that are the same for both sample sizes. colors: 1 or 3. */
#define DEFINE_STEPS(bits, sample, most)                                                           \
	static void composite##bits(const sample *in, sample *out, uint32_t width, int colors,     \
				    const unsigned *ground)                                        \
	{                                                                                          \
		for (uint32_t x = 0; x < width; x++, in += colors + 1, out += colors)              \
			for (int c = 0; c < colors; c++)                                           \
				out[c] = blend##bits(in[c], in[colors], ground[c]);                \
	}                                                                                          \
	static void drop##bits(const sample *in, sample *out, uint32_t width, int colors)          \
	{                                                                                          \
		for (uint32_t x = 0; x < width; x++, in += colors + 1, out += colors)              \
			for (int c = 0; c < colors; c++)                                           \
				out[c] = in[c];                                                    \
	}                                                                                          \
	/* channel counts 1 to 4; missing colours are copied, missing alpha is opaque */           \
	static void reshape##bits(const sample *in, int from, sample *out, int to, uint32_t width) \
	{                                                                                          \
		for (uint32_t x = 0; x < width; x++, in += from, out += to) {                      \
			sample a = from == 2 ? in[1] : from == 4 ? in[3] : (sample)(most);         \
			if (to >= 3) {                                                             \
				out[0] = in[0];                                                    \
				out[1] = in[from >= 3 ? 1 : 0];                                    \
				out[2] = in[from >= 3 ? 2 : 0];                                    \
			} else {                                                                   \
				out[0] = from >= 3 ? luma##bits(in[0], in[1], in[2]) : in[0];      \
			}                                                                          \
			if (to == 2)                                                               \
				out[1] = a;                                                        \
			if (to == 4)                                                               \
				out[3] = a;                                                        \
		}                                                                                  \
	}                                                                                          \
	static void change##bits(const sample *in, int from, sample *out, int to, uint32_t width,  \
				 enum wan_alpha_policy alpha, sample *scratch)                     \
	{                                                                                          \
		bool loses = from % 2 == 0 && to % 2 == 1;                                         \
		if (loses && to == 3 && from == 2) { /* over a colour, grey becomes colour */      \
			reshape##bits(in, from, scratch, 4, width);                                \
			in = scratch;                                                              \
			from = 4;                                                                  \
		}                                                                                  \
		if (loses) {                                                                       \
			sample *opaque = from - 1 == to ? out : scratch;                           \
			unsigned ground[3];                                                        \
			if (grounds_of(alpha, from - 1, (most) / 255, ground))                     \
				composite##bits(in, opaque, width, from - 1, ground);              \
			else                                                                       \
				drop##bits(in, opaque, width, from - 1);                           \
			in = opaque;                                                               \
			from--;                                                                    \
		}                                                                                  \
		if (in == out)                                                                     \
			return;                                                                    \
		if (from == to)                                                                    \
			memcpy(out, in, (size_t)width *(size_t)to * sizeof(*out));                 \
		else                                                                               \
			reshape##bits(in, from, out, to, width);                                   \
	}

DEFINE_STEPS(8, uint8_t, 255)
DEFINE_STEPS(16, uint16_t, 65535)

bool wan_convert_known(enum wan_pixel_format from, enum wan_pixel_format to)
{
	unsigned from_bytes = wan_pixel_sample_bytes(from), to_bytes = wan_pixel_sample_bytes(to);
	return !wan_pixel_is_planar(from) && !wan_pixel_is_planar(to) && from_bytes >= 1 &&
	       to_bytes >= 1;
}

size_t wan_convert_scratch_bytes(uint32_t width_px)
{
	/* Two intermediate rows of four 16-bit samples. */
	return (size_t)width_px * 16;
}

void wan_convert_row(enum wan_pixel_format from, const void *in, enum wan_pixel_format to,
		     void *out, uint32_t width_px, enum wan_alpha_policy alpha, void *scratch)
{
	assert(wan_convert_known(from, to));
	size_t half = (size_t)width_px * 8;
	uint8_t *first = scratch, *second = first + half;
	int from_channels = (int)wan_pixel_channels(from);
	int to_channels = (int)wan_pixel_channels(to);
	bool from_wide = wan_pixel_sample_bytes(from) == 2,
	     to_wide = wan_pixel_sample_bytes(to) == 2;

	if (from == to) {
		memcpy(out, in,
		       (size_t)width_px * (size_t)from_channels * wan_pixel_sample_bytes(from));
		return;
	}
	if (from == WAN_PIXEL_CMYK8) {
		cmyk_to_rgb(in, first, width_px);
		in = first;
		from_channels = 3;
	}
	if (from_wide && to_wide) {
		change16(in, from_channels, out, to_channels, width_px, alpha, (uint16_t *)second);
		return;
	}
	if (from_wide) {
		narrow(in, first, (size_t)width_px * (size_t)from_channels);
		in = first;
	}
	if (to == WAN_PIXEL_CMYK8) {
		uint8_t *rgb = second;
		change8(in, from_channels, rgb, 3, width_px, alpha, second + half / 2);
		rgb_to_cmyk(rgb, out, width_px);
		return;
	}
	if (!to_wide) {
		change8(in, from_channels, out, to_channels, width_px, alpha, second);
		return;
	}
	change8(in, from_channels, second, to_channels, width_px, alpha, second + half / 2);
	widen(second, out, (size_t)width_px * (size_t)to_channels);
}
