/* SPDX-License-Identifier: MIT */
/* The texts of self/cgroup and self/mountinfo, parted by a NUL byte. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup_path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wan_cgroup_place place;
	char *text = malloc(size + 2);
	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = text[size + 1] = '\0';
	const char *mountinfo = text + strlen(text) + 1;
	for (int v2 = 0; v2 < 2; v2++) {
		memset(&place, 'x', sizeof(place));
		if (wan_cgroup_locate(text, mountinfo, v2, &place) < 0)
			continue;
		/* What was found is a path below a mount, and each part is a text. */
		if (place.name[0] != '/' || !memchr(place.name, 0, sizeof(place.name)) ||
		    !memchr(place.path, 0, sizeof(place.path)) ||
		    !memchr(place.mount, 0, sizeof(place.mount)) || !place.mount[0] ||
		    (place.path[0] && place.path[0] != '/'))
			abort();
	}
	free(text);
	return 0;
}
