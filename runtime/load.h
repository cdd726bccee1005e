/* SPDX-License-Identifier: MIT */
/* What load.c (the decoded file) and derive.c (what is made of it) share. */
#ifndef WAN_RUNTIME_LOAD_H
#define WAN_RUNTIME_LOAD_H

#include "wan/runtime.h"

/* The key of a file under an operation begins so; a file that cannot be looked at has no key. */
int wan_load_key_begin(struct wan_key_builder *builder, const char *operation, const char *path,
		       struct wan_error *reterr_error);
/* Makes a cache value of an image; the value owns it. */
void wan_load_image_value(struct wan_image *image, uint32_t flags, struct wan_value *ret_value);
/* End a profiled operation on a file: made is the image it made, NULL when there is none. */
void wan_load_end_operation(struct wan_op *op, const char *path, int code,
			    const struct wan_image *made);
/* Ask before allocating for a step on path; what was granted goes back with wan_memory_unreserve()
 * as soon as it is allocated. */
int wan_load_reserve(struct wan_runtime *runtime, const char *path, uint64_t bytes,
		     struct wan_error *reterr_error);
/* Returns code; fills an error that a lower layer left empty. */
int wan_load_explain(int code, const char *path, struct wan_error *reterr_error);

#endif
