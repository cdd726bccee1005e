/* SPDX-License-Identifier: MIT */
/* What key.c (arguments) and pixels.c (images and arrays) share. */
#ifndef WAN_PY_KEY_H
#define WAN_PY_KEY_H

#include "wan_py.h"

struct wan_py_keyer {
	struct wan_key_builder builder;
	size_t used;
	uint8_t small[1000]; /* not yet hashed */
};

void wan_py_keyer_flush(struct wan_py_keyer *keyer);
/* A part of some kind; large ones are hashed where they lie. */
void wan_py_keyer_add(struct wan_py_keyer *keyer, char kind, const void *bytes, size_t count);
/* An image, an array or other memory: 1 added, 0 it is none, -1 with an exception. */
int wan_py_key_add_pixels(struct wan_py_keyer *keyer, PyObject *value);
/* Module and name of a class. */
int wan_py_key_add_type(struct wan_py_keyer *keyer, PyObject *type);
/* A dict of facts about an image. */
int wan_py_key_add_notes(struct wan_py_keyer *keyer, PyObject *dict);

#endif
