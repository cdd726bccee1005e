/* SPDX-License-Identifier: MIT */
#ifndef WAN_IMAGE_OPTIONS_H
#define WAN_IMAGE_OPTIONS_H

#include <stddef.h>

/* Copies the caller's version of an option struct over the defaults in full: an older, shorter one
 * leaves the rest at its default, a newer one is accepted when what we do not know is zero.
 * Returns 0, -EINVAL. Pure. */
int wan_options_overlay(void *full, size_t full_bytes, const void *given, size_t given_bytes);

#endif
