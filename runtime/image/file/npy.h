/* SPDX-License-Identifier: MIT */
#ifndef WAN_IMAGE_NPY_H
#define WAN_IMAGE_NPY_H

#include <stddef.h>

#include "wan/image.h"

/* Longest header made here: magic, length and a dictionary, padded to 64. */
#define WAN_NPY_HEADER_MAX 256

/* What readers of tensors want to know of an image: its axes, outermost first. */
struct wan_tensor_shape {
	char kind; /* 'u' unsigned, 'f' IEEE float, 'b' bfloat16 */
	unsigned element_bytes;
	unsigned dimensions;
	uint64_t sides[5];
};

/* [3, height, width] of a planar image, [height, width, channels] of others. Pure. */
void wan_image_shape(const struct wan_image_view *view, struct wan_tensor_shape *ret_shape);
/* The header of version 1.0; NumPy knows no bfloat16, whose bits it gets as uint16. Returns its
 * bytes, a multiple of 64. Pure. */
size_t wan_npy_header(const struct wan_tensor_shape *shape, char *to);

#endif
