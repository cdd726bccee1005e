/* SPDX-License-Identifier: MIT */
/* What a JSON text will take in memory, from one pass over its bytes. Pure. */
#ifndef WAN_TOOLS_JSON_PRICE_H
#define WAN_TOOLS_JSON_PRICE_H

#include <stddef.h>

struct json_price {
	unsigned depth;
	size_t bytes; /* an upper bound for well-formed text */
};

struct json_price json_price(const char *text, size_t bytes);

#endif
