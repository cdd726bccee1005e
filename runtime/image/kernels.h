/* SPDX-License-Identifier: MIT */
/* The two inner loops of resampling: exact integer sums of bytes times fixed-point weights. */
#ifndef WAN_IMAGE_KERNELS_H
#define WAN_IMAGE_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "taps.h"

/* Bytes that must be readable behind a line given to wan_resample_line(). */
#define WAN_LINE_PADDING 32

/* One line of channels (1 to 4) interleaved samples to taps->outputs of them. */
void wan_resample_line(const struct wan_taps *taps, const uint8_t *in, uint8_t *out,
		       unsigned channels);
/* Output line number index of taps, from taps->spans[index].count lines of count bytes. */
void wan_resample_column(const struct wan_taps *taps, uint32_t index, const uint8_t *const *lines,
			 uint8_t *out, size_t count);
/* The same by plain C; what the fast ones are compared with. */
void wan_resample_line_plain(const struct wan_taps *taps, const uint8_t *in, uint8_t *out,
			     unsigned channels);
void wan_resample_column_plain(const struct wan_taps *taps, uint32_t index,
			       const uint8_t *const *lines, uint8_t *out, size_t count);

#endif
