/* SPDX-License-Identifier: MIT */
/* The start-of-frame marker of a JPEG in memory, as TurboJPEG's callers hand it over. */
#include <stdlib.h>

#include "preload/sof.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct wan_sof sof;
	if (wan_sof_find(bytes, count, &sof) && count < 12)
		abort(); /* a frame is ten bytes behind the first two */
	return 0;
}
