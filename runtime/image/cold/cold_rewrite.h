/* SPDX-License-Identifier: MIT */
/*
 * A JPEG of several scans or in arithmetic code, its coefficients written again in one scan of
 * Huffman code with its own tables: no pixel differs, a few per cent more bytes at most, and it
 * decodes several times faster.
 */
#ifndef WAN_IMAGE_COLD_REWRITE_H
#define WAN_IMAGE_COLD_REWRITE_H

#include "cold.h"

/* 0, -ESTALE (the file is another one), -ENOTSUP, -E2BIG, -ENOMEM. Takes as much memory as the
 * coefficients, for the time of the call. */
int wan_cold_freeze_rewritten(const struct wan_image *image, size_t bytes_max,
			      struct wan_cold_image **ret_cold);
int wan_cold_thaw_rewritten(const struct wan_cold_image *cold, struct wan_image **ret_image);

#endif
