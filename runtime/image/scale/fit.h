/* SPDX-License-Identifier: MIT */
/* Where a source goes in a frame. */
#ifndef WAN_IMAGE_FIT_H
#define WAN_IMAGE_FIT_H

#include <stdbool.h>

#include "resize.h"

struct wan_fit_plan {
	struct wan_resample what;
	uint32_t at_x_px, at_y_px; /* of the window in the result */
	bool borders;              /* some of the result is left black */
};

/* Pure. */
struct wan_fit_plan wan_fit_plan(struct wan_size source, struct wan_size result, enum wan_fit fit,
				 enum wan_filter filter);

#endif
