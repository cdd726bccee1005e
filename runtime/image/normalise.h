/* SPDX-License-Identifier: MIT */
#ifndef WAN_IMAGE_NORMALISE_H
#define WAN_IMAGE_NORMALISE_H

#include <stddef.h>
#include <stdint.h>

/* ((p / 255) - 0.5) / 0.5 in float32 for each byte, computed at build time. */
extern const float wan_normalised[256];
/* Interleaved RGB rows to three planes. Pure. */
void wan_normalise_rows(const uint8_t *rgb, size_t pixels, float *r, float *g, float *b);
/* The nearest byte of a normalised value, clamped; NaN is 0. Pure. */
uint8_t wan_denormalise(float value);

#endif
