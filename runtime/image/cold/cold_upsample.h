/* SPDX-License-Identifier: MIT */
/*
 * Colour planes to full width, and YCbCr to RGB, bit for bit as libjpeg's decoder does both
 * (jdsample.c, jdcolor.c): "fancy" upsampling weighs each sample 3:1 with its neighbour, with the
 * edges repeated; ratios it has no such filter for repeat samples.
 */
#ifndef WAN_IMAGE_COLD_UPSAMPLE_H
#define WAN_IMAGE_COLD_UPSAMPLE_H

#include <stddef.h>
#include <stdint.h>

/* Samples that are read or written behind the width, by all functions here. */
#define WAN_UPSAMPLE_PADDING 64

/* width samples to 2 * width. In front of in and sums one sample, behind them the padding, is
 * readable and overwritten. */
void wan_upsample_h2v1(uint8_t *in, size_t width, uint8_t *out);
/* A row between near (3 parts) and far (1 part): width samples. bias 1 when far is above, else 2.
 */
void wan_upsample_h1v2(const uint8_t *near, const uint8_t *far, unsigned bias, size_t width,
		       uint8_t *out);
/* Both directions; sums: room for width + 1 + padding numbers. */
void wan_upsample_h2v2(const uint8_t *near, const uint8_t *far, size_t width, uint16_t *sums,
		       uint8_t *out);
/* Each sample times times. */
void wan_upsample_repeat(const uint8_t *in, size_t width, unsigned times, uint8_t *out);
/* One row of pixels; the planes are readable up to the padding, pixels end where they end. */
void wan_ycc_to_rgb(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t width,
		    uint8_t *pixels);

#endif
