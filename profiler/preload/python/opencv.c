/* SPDX-License-Identifier: MIT */
#include "python/opencv.h"

void wan_opencv_take(struct wan_py_object *result, const void *code)
{
}
