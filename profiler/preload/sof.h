/* SPDX-License-Identifier: MIT */
/* What a JPEG in memory says of itself in its start-of-frame marker. Pure; trusts nothing. */
#ifndef WAN_PRELOAD_SOF_H
#define WAN_PRELOAD_SOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wan_sof {
	uint32_t width_px, height_px;
	uint8_t components, precision;
	bool progressive;
};

/* False: no such marker before the first scan or the end. Cost: one step per marker. */
bool wan_sof_find(const uint8_t *bytes, size_t count, struct wan_sof *ret_sof);

#endif
