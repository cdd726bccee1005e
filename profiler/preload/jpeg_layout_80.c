/* SPDX-License-Identifier: MIT */
#define LAYOUT 80
#include "jpeg_layout.inc"
