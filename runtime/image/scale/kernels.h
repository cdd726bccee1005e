/* SPDX-License-Identifier: MIT */
/*
 * The two inner loops of resampling: exact integer sums of bytes times fixed-point weights. Every
 * version gives the same bytes; the one for this processor is chosen at run time.
 */
#ifndef WAN_IMAGE_KERNELS_H
#define WAN_IMAGE_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "cpu.h"
#include "taps.h"

/* Bytes that must be readable behind a line given to wan_kernels.lines. */
#define WAN_LINE_PADDING 32
/* Lines resampled sideways at once. */
#define WAN_LINES_AT_ONCE 4

#define WAN_TAPS_HALF (1 << (WAN_TAPS_BITS - 1))

struct wan_kernels {
	/* WAN_LINES_AT_ONCE lines of channels (1 to 4) interleaved samples, each to taps->outputs
	 * of them. For fewer lines the last may be given again, with its output. */
	void (*lines)(const struct wan_taps *taps, const uint8_t *const *in, uint8_t *const *out,
		      unsigned channels);
	/* Output line number index of taps, from taps->spans[index].count lines of count bytes. */
	void (*column)(const struct wan_taps *taps, uint32_t index, const uint8_t *const *lines,
		       uint8_t *out, size_t count);
};

/* Plain C: what the others are compared with. */
extern const struct wan_kernels wan_kernels_plain;
#if defined(__SSE2__)
extern const struct wan_kernels wan_kernels_sse2;
#endif
#if defined(__x86_64__)
extern const struct wan_kernels wan_kernels_avx2;
extern const struct wan_kernels wan_kernels_vnni; /* AVX-512 with its 8-bit multiply-add */
#endif
#if defined(__ARM_NEON)
extern const struct wan_kernels wan_kernels_neon;
#endif

/* The fastest for these weights on this processor, as far as wan_cpu_limit() allows. */
const struct wan_kernels *wan_kernels(const struct wan_taps *taps);

#endif
