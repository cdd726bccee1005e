/* SPDX-License-Identifier: MIT */
#define LAYOUT 70
#include "jpeg_layout.inc"
