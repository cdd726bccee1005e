/* SPDX-License-Identifier: MIT */
#ifndef WAN_PRELOAD_PYTHON_OPENCV_H
#define WAN_PRELOAD_PYTHON_OPENCV_H

struct wan_py_object;

/* cv2 has been made: see its codecs from now on, where they are inside the module. */
void wan_opencv_take(struct wan_py_object *result, const void *code);

#endif
