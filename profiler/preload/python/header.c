/* SPDX-License-Identifier: MIT */
#include "python/header.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "macros.h"
#include "sof.h"

enum {
	HEAD_BYTES = 32,
	MARKER_BYTES = 12, /* of a start of frame, up to the number of components */
	MARKERS_MOST = 64,
};

static uint32_t big_endian(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool read_png(const uint8_t *bytes, size_t count, struct wan_header *header)
{
	static const uint8_t channels[] = {1, 0, 3, 1, 2, 0, 4};
	static const uint8_t magic[] = {0x89, 'P', 'N', 'G', 13, 10, 26, 10};
	if (count < 29 || memcmp(bytes, magic, sizeof(magic)) != 0 ||
	    memcmp(bytes + 12, "IHDR", 4) != 0)
		return false;
	header->kind = WAN_PICTURE_PNG;
	header->width_px = big_endian(bytes + 16);
	header->height_px = big_endian(bytes + 20);
	header->bit_depth = bytes[24];
	header->channels = bytes[25] < sizeof(channels) ? channels[bytes[25]] : 0;
	header->progressive = bytes[28] != 0;
	return true;
}

static bool read_jpeg(const uint8_t *bytes, size_t count, struct wan_header *header)
{
	struct wan_sof sof;
	if (!wan_sof_find(bytes, count, &sof))
		return false;
	header->width_px = sof.width_px;
	header->height_px = sof.height_px;
	header->channels = sof.components;
	header->bit_depth = sof.precision;
	header->progressive = sof.progressive;
	return true;
}

static bool is_jpeg(const uint8_t *bytes, size_t count)
{
	return count >= 3 && bytes[0] == 0xff && bytes[1] == 0xd8 && bytes[2] == 0xff;
}

void wan_header_of_bytes(const void *bytes, size_t count, struct wan_header *header)
{
	memset(header, 0, sizeof(*header));
	if (read_png(bytes, count, header) || !is_jpeg(bytes, count))
		return;
	header->kind = WAN_PICTURE_JPEG;
	read_jpeg(bytes, count, header);
}

/* From marker to marker: what lies between (a thumbnail, a colour profile) is not read. */
static void walk_jpeg(int fd, struct wan_header *header)
{
	off_t at = 2;
	for (unsigned i = 0; i < MARKERS_MOST; i++) {
		uint8_t bytes[2 + MARKER_BYTES] = {0xff, 0xd8};
		if (pread(fd, bytes + 2, MARKER_BYTES, at) != MARKER_BYTES || bytes[2] != 0xff ||
		    read_jpeg(bytes, sizeof(bytes), header))
			return;
		/* Fill, or a segment with a length; anything else has no place before the frame. */
		if (bytes[3] < 0xc0 || (bytes[3] >= 0xd0 && bytes[3] <= 0xda))
			return;
		unsigned length = (unsigned)bytes[4] << 8 | bytes[5];
		at += bytes[3] == 0xff ? 1 : 2 + (off_t)WAN_MAX(length, 2u);
	}
}

void wan_header_of_file(int fd, struct wan_header *header)
{
	uint8_t bytes[HEAD_BYTES];
	memset(header, 0, sizeof(*header));
	ssize_t count = pread(fd, bytes, sizeof(bytes), 0);
	if (count < (ssize_t)sizeof(bytes) || read_png(bytes, sizeof(bytes), header) ||
	    !is_jpeg(bytes, sizeof(bytes)))
		return;
	header->kind = WAN_PICTURE_JPEG;
	walk_jpeg(fd, header);
}

enum wan_picture wan_picture_of_name(const char *name)
{
	static const struct {
		const char *end;
		enum wan_picture kind;
	} ends[] = {{".png", WAN_PICTURE_PNG},
		    {".jpg", WAN_PICTURE_JPEG},
		    {".jpeg", WAN_PICTURE_JPEG},
		    {".jpe", WAN_PICTURE_JPEG}};
	const char *dot = strrchr(name, '.');
	for (size_t i = 0; dot && i < WAN_COUNT_OF(ends); i++)
		if (strcasecmp(dot, ends[i].end) == 0)
			return ends[i].kind;
	return WAN_PICTURE_OTHER;
}
