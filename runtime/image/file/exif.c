/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "bytes.h"
#include "exif.h"

enum {
	TAG_WIDTH = 0x100,
	TAG_HEIGHT = 0x101,
	TAG_ORIENTATION = 0x112,
	TYPE_SHORT = 3,
	TYPE_LONG = 4,
	ENTRY_BYTES = 12,
};

static uint32_t get16(const uint8_t *p, bool big)
{
	return big ? wan_be16(p) : wan_le16(p);
}

static uint32_t get32(const uint8_t *p, bool big)
{
	return big ? wan_be32(p) : wan_le32(p);
}

/* The value of a tag in the first directory: one SHORT or LONG. 0, -ENOENT. */
static int first_directory_value(const uint8_t *tiff, size_t count, uint32_t tag,
				 uint32_t *ret_value)
{
	if (count < 14)
		return -ENOENT;
	bool big = memcmp(tiff, "MM\0*", 4) == 0;
	if (!big && memcmp(tiff, "II*\0", 4) != 0)
		return -ENOENT;

	size_t at = get32(tiff + 4, big);
	if (at > count - 2)
		return -ENOENT;
	size_t entries = get16(tiff + at, big);
	at += 2;
	for (; entries > 0 && count - at >= ENTRY_BYTES; entries--, at += ENTRY_BYTES) {
		const uint8_t *entry = tiff + at;
		if (get16(entry, big) != tag || get32(entry + 4, big) != 1)
			continue;
		uint32_t type = get16(entry + 2, big);
		if (type != TYPE_SHORT && type != TYPE_LONG)
			continue;
		*ret_value = type == TYPE_SHORT ? get16(entry + 8, big) : get32(entry + 8, big);
		return 0;
	}
	return -ENOENT;
}

uint8_t wan_exif_orientation(const uint8_t *tiff, size_t count)
{
	uint32_t value;
	if (first_directory_value(tiff, count, TAG_ORIENTATION, &value) < 0)
		return 1;
	return value >= 1 && value <= 8 ? (uint8_t)value : 1;
}

int wan_tiff_size(const uint8_t *tiff, size_t count, uint32_t *ret_width_px,
		  uint32_t *ret_height_px)
{
	uint32_t width, height;
	if (first_directory_value(tiff, count, TAG_WIDTH, &width) < 0 ||
	    first_directory_value(tiff, count, TAG_HEIGHT, &height) < 0)
		return -ENOENT;
	*ret_width_px = width;
	*ret_height_px = height;
	return 0;
}

int wan_tiff_directory(const uint8_t *tiff, size_t count, uint64_t *ret_offset)
{
	if (count < 8)
		return -ENOENT;
	bool big = memcmp(tiff, "MM\0*", 4) == 0;
	if (!big && memcmp(tiff, "II*\0", 4) != 0)
		return -ENOENT;
	*ret_offset = get32(tiff + 4, big);
	return 0;
}
