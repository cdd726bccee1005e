/* SPDX-License-Identifier: MIT */
#include "nvtx_name.h"

#include <stdint.h>
#include <string.h>

/* PyTorch's emit_nvtx: "aten::add, seq = 12, sizes = [[2, 3]]". */
static size_t useful_bytes(const char *message)
{
	const char *tail = strstr(message, ", seq = ");
	return tail ? (size_t)(tail - message) : strlen(message);
}

void wan_nvtx_name(char *to, size_t bytes, const char *domain, const char *message, bool many)
{
	size_t at = 0, count = useful_bytes(message);
	for (; domain && domain[0] && domain[at] && at + 2 < bytes; at++)
		to[at] = domain[at];
	if (at)
		to[at++] = ':';
	bool digits = false;
	for (size_t i = 0; i < count && at + 1 < bytes; i++) {
		bool digit = many && message[i] >= '0' && message[i] <= '9';
		if (!digit || !digits)
			to[at++] = digit ? '#' : message[i];
		digits = digit;
	}
	/* Never half a character. */
	if (at + 1 == bytes)
		while (at && ((unsigned char)to[at - 1] & 0xc0) == 0x80)
			at--;
	if (at + 1 == bytes && at && ((unsigned char)to[at - 1] & 0xc0) == 0xc0)
		at--;
	to[at] = '\0';
}

void wan_nvtx_narrow(char *to, size_t bytes, const wchar_t *text)
{
	size_t at = 0;
	for (; *text && at + 5 < bytes; text++) {
		uint32_t c = (uint32_t)*text;
		if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
			c = 0xfffd;
		if (c < 0x80) {
			to[at++] = (char)c;
			continue;
		}
		unsigned more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
		static const unsigned char first[] = {0, 0xc0, 0xe0, 0xf0};
		to[at++] = (char)(first[more] | c >> 6 * more);
		while (more--)
			to[at++] = (char)(0x80 | (c >> 6 * more & 0x3f));
	}
	to[at] = '\0';
}
