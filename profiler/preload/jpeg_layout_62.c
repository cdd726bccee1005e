/* SPDX-License-Identifier: MIT */
#define LAYOUT 62
#include "jpeg_layout.inc"
