/* SPDX-License-Identifier: MIT */
/*
 * Fields of libjpeg's objects that lie elsewhere in each of its interfaces (6.2, 7 and 8). A
 * program says at creation which one it was built for, by version and size; jpeg_layout_*.c know
 * one each.
 */
#ifndef WAN_PRELOAD_JPEG_LAYOUT_H
#define WAN_PRELOAD_JPEG_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

struct wan_jpeg_layout {
	int version;
	size_t reader_bytes, writer_bytes;
	bool (*reader_is_progressive)(const void *reader);
	bool (*writer_is_progressive)(const void *writer);
	int (*writer_components)(const void *writer); /* of the file, not of the rows */
	int (*writer_precision)(const void *writer);
};

extern const struct wan_jpeg_layout wan_jpeg_layout_62, wan_jpeg_layout_70, wan_jpeg_layout_80;

/* The layout that a program named at creation, as a small number; 0: another one, so only the
 * fields that lead every object can be read. A size of 0 is not looked at. */
unsigned wan_jpeg_layout_find(int version, size_t reader_bytes, size_t writer_bytes);
const struct wan_jpeg_layout *wan_jpeg_layout_at(unsigned number);

#endif
