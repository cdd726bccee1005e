/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "macros.h"
#include "options.h"

/* No option struct will ever be that large: a wild struct_size must not make us read far. */
#define BYTES_MAX 4096

int wan_options_overlay(void *full, size_t full_bytes, const void *given, size_t given_bytes)
{
	if (given_bytes < sizeof(size_t) || given_bytes > BYTES_MAX)
		return -EINVAL;
	const unsigned char *bytes = given;
	for (size_t i = full_bytes; i < given_bytes; i++)
		if (bytes[i] != 0)
			return -EINVAL;
	memcpy(full, given, WAN_MIN(full_bytes, given_bytes));
	memcpy(full, &full_bytes, sizeof(full_bytes));
	return 0;
}
