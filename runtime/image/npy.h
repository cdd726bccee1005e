/* SPDX-License-Identifier: MIT */
#ifndef WAN_IMAGE_NPY_H
#define WAN_IMAGE_NPY_H

#include <stddef.h>

#include "wan/image.h"

/* Longest header made here: magic, length and a dictionary, padded to 64. */
#define WAN_NPY_HEADER_MAX 192

/* The header of version 1.0 for an image; returns its bytes, a multiple of 64. Pure. */
size_t wan_npy_header(const struct wan_image_view *view, char *to);

#endif
