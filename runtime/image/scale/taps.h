/* SPDX-License-Identifier: MIT */
/* Pillow's resampling weights in 22-bit fixed point. */
#ifndef WAN_IMAGE_TAPS_H
#define WAN_IMAGE_TAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "wan/image.h"

#define WAN_TAPS_BITS 22
/* Weights are also stored split, weight = high * 2^11 + low, so that both parts fit 16 bits. */
#define WAN_TAPS_SPLIT 11
/* And in three digits, weight = digit[0] * 2^16 + digit[1] * 2^8 + digit[2], each a signed byte. */
#define WAN_TAPS_DIGITS 3

struct wan_tap_span {
	uint32_t first, count; /* source samples of one output sample */
};

struct wan_taps {
	uint32_t outputs;
	uint32_t most;   /* largest count */
	uint32_t pitch;  /* weights kept for each output: most, rounded up to 16; rest 0 */
	bool digits_fit; /* false: a weight is beyond 24 bits, digit is not to be used */
	struct wan_tap_span *spans; /* one for each output */
	int32_t *weights;
	int16_t *high, *low;
	int8_t *digit[WAN_TAPS_DIGITS];
};

/* Weights for outputs [from, from + outputs) of a side of in samples, of which [begin, end) is
 * mapped to total outputs. 0, -ENOMEM. */
int wan_taps_create(struct wan_taps *ret_taps, uint32_t in, float begin, float end, uint32_t total,
		    uint32_t from, uint32_t outputs, enum wan_filter filter);
/* Most source samples of one output when side samples become total; bytes of the weights of outputs
 * of them, saturating. Pure. */
uint32_t wan_taps_most(float side, uint32_t total, enum wan_filter filter);
uint64_t wan_taps_bytes(float side, uint32_t total, uint32_t outputs, enum wan_filter filter);
/* Also valid on a zeroed struct. */
void wan_taps_destroy(struct wan_taps *taps);

#endif
