/* SPDX-License-Identifier: MIT */
/* Modules of interest, met when CPython asks for their init function. */
#ifndef WAN_PRELOAD_PYTHON_INIT_H
#define WAN_PRELOAD_PYTHON_INIT_H

/* What to answer to dlsym(handle, name), name beginning with PyInit_; NULL: the real answer. */
void *wan_python_find_init(void *handle, const char *name);

#endif
