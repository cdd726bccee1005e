/* SPDX-License-Identifier: MIT */
/* What the first bytes of a picture say of it. Trusts nothing, keeps no file position. */
#ifndef WAN_PRELOAD_PYTHON_HEADER_H
#define WAN_PRELOAD_PYTHON_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wan_picture { WAN_PICTURE_OTHER, WAN_PICTURE_JPEG, WAN_PICTURE_PNG, WAN_PICTURES };

struct wan_header {
	enum wan_picture kind;
	uint32_t width_px, height_px; /* 0: not known */
	uint8_t channels, bit_depth;
	bool progressive;
};

void wan_header_of_bytes(const void *bytes, size_t count, struct wan_header *ret_header);
/* A regular file. At most 64 small reads. */
void wan_header_of_file(int fd, struct wan_header *ret_header);
/* By the end of a name: ".png", ".jpg", ".jpeg", ".jpe", in any case of letters. */
enum wan_picture wan_picture_of_name(const char *name);

#endif
