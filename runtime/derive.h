/* SPDX-License-Identifier: MIT */
/* What the makers of derived images share. */
#ifndef WAN_RUNTIME_DERIVE_H
#define WAN_RUNTIME_DERIVE_H

#include "load.h"

/* What a compute callback needs; one for all makers. */
struct wan_making {
	struct wan_runtime *runtime;
	const char *path;
	uint32_t width_px, height_px;
	enum wan_fit fit;
	enum wan_filter filter;
	struct wan_error *error;
};

/* Begin a pure image step as a profiled operation. Returns what wan_step_finish() wants. */
uint64_t wan_step_begin(const struct wan_making *making, struct wan_op *op, const char *name);
/* End it and make a cache value of its result. */
int wan_step_finish(const struct wan_making *making, struct wan_op *op, uint64_t started_ns, int r,
		    struct wan_image *image, struct wan_value *ret_value);
/* "thumbnail_256x256" */
const char *wan_step_thumbnail_name(const struct wan_making *making);

/* derive_file.c: straight from the file, without the decoded picture in between. */

/* It is not cached, and decoding it whole would be the longer way (a JPEG that is scaled while it
 * is decoded), or would not be kept anyway (larger than the ceiling). */
bool wan_thumbnail_goes_by_file(const struct wan_making *making);
bool wan_fit_goes_by_file(const struct wan_making *making);
int wan_thumbnail_by_file(struct wan_making *making, struct wan_value *ret_value);
int wan_fit_by_file(struct wan_making *making, struct wan_value *ret_value);

#endif
