/* SPDX-License-Identifier: MIT */
/* The inner loops of the sums, for each level of vector code. All give the same numbers. */
#ifndef WAN_IMAGE_LUMA_KERNELS_H
#define WAN_IMAGE_LUMA_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "cpu.h"

/* Counts for which 32-bit sums hold: bytes for add_bytes, pixels for laplacian. */
#define WAN_LUMA_BYTES_AT_ONCE  65536u
#define WAN_LUMA_PIXELS_AT_ONCE 8192u

struct wan_luma_kernels {
	/* Rec. 601 grey of count RGB or RGBA pixels, one 16-bit number each. */
	void (*gray_rgb)(const uint8_t *rgb, uint16_t *to, size_t count);
	void (*gray_rgba)(const uint8_t *rgba, uint16_t *to, size_t count);
	/* Adds up to WAN_LUMA_BYTES_AT_ONCE bytes and their squares. */
	void (*add_bytes)(const uint8_t *bytes, size_t count, uint64_t *sum, uint64_t *squares);
	/* Squares of the 4-neighbour Laplacian of up to WAN_LUMA_PIXELS_AT_ONCE pixels; line has a
	 * neighbour on either side of what is asked for. */
	uint64_t (*laplacian)(const uint16_t *above, const uint16_t *line, const uint16_t *below,
			      size_t count);
};

/* Those of a level; the best there are for it. */
const struct wan_luma_kernels *wan_luma_kernels(enum wan_cpu_level level);

extern const struct wan_luma_kernels wan_luma_base;
#if defined(__x86_64__)
extern const struct wan_luma_kernels wan_luma_sse2, wan_luma_avx2, wan_luma_avx512;
#endif

#endif
