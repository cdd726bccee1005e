/* SPDX-License-Identifier: MIT */
/* What a picture is read from or written to, as far as Python's own file objects tell. */
#ifndef WAN_PRELOAD_PYTHON_FILE_SOURCE_H
#define WAN_PRELOAD_PYTHON_FILE_SOURCE_H

#include "object_state.h"

struct wan_py_object;

/*
 * Sets fd, or file_bytes and identity for bytes in memory, when file is one of the io module's own
 * classes. Other objects are not asked anything: their answers would be the program's code at work.
 */
void wan_py_source(struct wan_object *object, struct wan_py_object *file, bool writes);

#endif
