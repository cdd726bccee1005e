/* SPDX-License-Identifier: MIT */
/* What a program writes, in cuts that the first byte chooses, as the write hook looks at it. */
#include <stdlib.h>
#include <string.h>

#include "preload/bar_line.h"
#include "preload/bar_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static bool listen(void *context, enum wan_bar_event event, int64_t row, const char *text,
		   size_t bytes)
{
	struct wan_bar_text bar;
	(void)context, (void)row;
	if (event != WAN_BAR_DRAWN)
		return false;
	char *copy = malloc(bytes ? bytes : 1); /* of its exact size */
	memcpy(copy, text, bytes);
	bool found = wan_bar_parse(copy, bytes, &bar);
	if (found) {
		bool inside = bar.name >= copy && bar.name + bar.name_bytes <= copy + bytes;
		if (!inside || !memchr(bar.unit, '\0', sizeof(bar.unit)) ||
		    wan_bar_phase(bar.name, bar.name_bytes) > 7)
			abort();
	}
	free(copy);
	return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	static struct wan_bar_line line;
	size_t step = count ? bytes[0] + 1u : 1;
	wan_bar_line_begin(&line);
	for (size_t at = 1; at < count; at += step) {
		size_t part = count - at < step ? count - at : step;
		wan_bar_may_begin((const char *)bytes + at, part);
		wan_bar_line_feed(&line, (const char *)bytes + at, part, listen, NULL);
	}
	return 0;
}
