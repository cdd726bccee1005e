/* SPDX-License-Identifier: MIT */
#ifndef WAN_PRELOAD_PYTHON_PILLOW_H
#define WAN_PRELOAD_PYTHON_PILLOW_H

struct wan_py_object;

/* PIL._imaging has been made: see its PNG codec from now on. */
void wan_pillow_take(struct wan_py_object *result, const void *code);

#endif
