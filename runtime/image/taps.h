/* SPDX-License-Identifier: MIT */
/* Pillow's resampling weights in 22-bit fixed point. */
#ifndef WAN_IMAGE_TAPS_H
#define WAN_IMAGE_TAPS_H

#include <stdint.h>

#include "wan/image.h"

#define WAN_TAPS_BITS 22
/* Weights are also stored split, weight = high * 2^11 + low, so that both parts fit 16 bits. */
#define WAN_TAPS_SPLIT 11

struct wan_tap_span {
	uint32_t first, count; /* source samples of one output sample */
};

struct wan_taps {
	uint32_t outputs;
	uint32_t most;  /* largest count */
	uint32_t pitch; /* weights kept for each output: most, rounded up to 8; rest 0 */
	struct wan_tap_span *spans; /* one for each output */
	int32_t *weights;
	int16_t *high, *low;
};

/* Weights for outputs [from, from + outputs) of a side of in samples, of which [begin, end) is
 * mapped to total outputs. 0, -ENOMEM. */
int wan_taps_create(struct wan_taps *ret_taps, uint32_t in, float begin, float end, uint32_t total,
		    uint32_t from, uint32_t outputs, enum wan_filter filter);
/* Also valid on a zeroed struct. */
void wan_taps_destroy(struct wan_taps *taps);

#endif
