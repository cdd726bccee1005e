/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "codec.h"
#include "exif.h"
#include "log.h"
#include "macros.h"

enum {
	IHDR_END = 33, /* signature, length, type, 13 bytes, CRC */
	/* Chunk headers looked at: those before the pixels decide what is decoded; behind the first
	 * IDAT only an eXIf is of interest, and not at any price. */
	CHUNKS_BEFORE = 65536,
	CHUNKS_BEHIND = 1024,
	EXIF_BYTES = 4096,
};

static uint32_t crc32_of(const uint8_t *bytes, size_t count)
{
	uint32_t crc = 0xffffffffu;
	for (size_t i = 0; i < count; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (0xedb88320u & -(crc & 1));
	}
	return ~crc;
}

static int damaged(const struct wan_source *source, struct wan_error *reterr_error,
		   const char *what)
{
	return wan_error_set(reterr_error, -EBADMSG, source->name,
			     "copy or download the file again", "is a damaged PNG: %s", what);
}

static int ends_early(const struct wan_source *source, struct wan_error *reterr_error)
{
	return wan_error_set(
		reterr_error, -ENODATA, source->name, "copy or download the file again",
		"ends after %llu bytes, inside the header", (unsigned long long)source->size);
}

/* The pairs of colour type and depth that PNG allows; 0 when this is none. */
static bool set_color(struct wan_image_info *info, unsigned type, unsigned depth)
{
	static const struct {
		uint8_t valid, color, channels;
		uint32_t depths; /* bit n: depth n */
	} types[7] = {
		[0] = {1, WAN_COLOR_GRAY, 1, 1u << 1 | 1u << 2 | 1u << 4 | 1u << 8 | 1u << 16},
		[2] = {1, WAN_COLOR_RGB, 3, 1u << 8 | 1u << 16},
		[3] = {1, WAN_COLOR_PALETTE, 3, 1u << 1 | 1u << 2 | 1u << 4 | 1u << 8},
		[4] = {1, WAN_COLOR_GRAY_ALPHA, 2, 1u << 8 | 1u << 16},
		[6] = {1, WAN_COLOR_RGB_ALPHA, 4, 1u << 8 | 1u << 16},
	};
	if (type >= WAN_COUNT_OF(types) || !types[type].valid || depth > 16 ||
	    !(types[type].depths >> depth & 1))
		return false;
	info->color = types[type].color;
	info->channels = types[type].channels;
	info->bit_depth = (uint8_t)depth;
	info->has_alpha = type == 4 || type == 6;
	return true;
}

static int parse_ihdr(struct wan_source *source, struct wan_image_info *info,
		      struct wan_error *reterr_error)
{
	uint8_t head[IHDR_END];
	ssize_t got = wan_source_read_at(source, 0, head, sizeof(head));
	if (got < 0)
		return wan_error_set(reterr_error, (int)got, source->name, "", "cannot be read: %s",
				     strerror((int)-got));
	if (got < (ssize_t)sizeof(head))
		return ends_early(source, reterr_error);

	const uint8_t *ihdr = head + 16;
	if (wan_be32(head + 8) != 13 || memcmp(head + 12, "IHDR", 4) != 0)
		return damaged(source, reterr_error, "it does not begin with an IHDR chunk");
	if (crc32_of(head + 12, 17) != wan_be32(head + 29))
		return damaged(source, reterr_error, "the checksum of its header is wrong");
	info->width_px = wan_be32(ihdr);
	info->height_px = wan_be32(ihdr + 4);
	if (info->width_px == 0 || info->height_px == 0 || info->width_px > INT32_MAX ||
	    info->height_px > INT32_MAX)
		return damaged(source, reterr_error, "a side is 0 or above 2147483647");
	if (!set_color(info, ihdr[9], ihdr[8]))
		return damaged(source, reterr_error,
			       "its colour type and depth do not go together");
	if (ihdr[10] != 0 || ihdr[11] != 0 || ihdr[12] > 1)
		return damaged(source, reterr_error, "an unknown compression, filter or interlace");
	info->interlaced = ihdr[12] == 1;
	info->scans = info->interlaced ? 7 : 1;
	return 0;
}

static void note_exif(struct wan_source *source, uint64_t at, uint32_t length,
		      struct wan_image_info *info)
{
	uint8_t tiff[EXIF_BYTES];
	ssize_t got = wan_source_read_at(source, at, tiff, WAN_MIN(length, sizeof(tiff)));
	if (got > 0)
		info->exif_orientation = wan_exif_orientation(tiff, (size_t)got);
}

static void note_chunk(struct wan_source *source, const uint8_t *type, uint64_t at, uint32_t length,
		       bool behind, struct wan_image_info *info)
{
	if (memcmp(type, "eXIf", 4) == 0 && info->exif_orientation == 1)
		note_exif(source, at, length, info);
	if (behind)
		return;
	if (memcmp(type, "iCCP", 4) == 0)
		info->has_icc = true;
	if (memcmp(type, "tRNS", 4) == 0 && !info->has_alpha) {
		info->has_alpha = info->has_transparency_key = true;
		info->channels++;
	}
}

/* Steps from chunk to chunk, header by header. 0, -EBADMSG, -ENODATA, a read error. */
static int walk_chunks(struct wan_source *source, struct wan_image_info *info,
		       struct wan_error *reterr_error)
{
	uint64_t at = IHDR_END;
	bool pixels = false;
	unsigned left = CHUNKS_BEFORE;

	for (; left > 0; left--) {
		uint8_t head[8];
		ssize_t got = wan_source_read_at(source, at, head, sizeof(head));
		if (got < 0)
			return wan_error_set(reterr_error, (int)got, source->name, "",
					     "cannot be read: %s", strerror((int)-got));
		if (got < (ssize_t)sizeof(head))
			break;
		uint32_t length = wan_be32(head);
		if (length > INT32_MAX) {
			if (pixels)
				break; /* the decoder judges what follows the pixels */
			return damaged(source, reterr_error, "a chunk is longer than 2147483647");
		}
		if (memcmp(head + 4, "IEND", 4) == 0)
			break;
		if (memcmp(head + 4, "IDAT", 4) == 0 && !pixels) {
			pixels = true;
			left = CHUNKS_BEHIND;
		}
		note_chunk(source, head + 4, at + 8, length, pixels, info);
		at += (uint64_t)length + 12;
	}
	/* What could not be read may have been the orientation: a picture must not lie on its side.
	 */
	if (source->error < 0)
		return wan_error_set(reterr_error, source->error, source->name, "",
				     "cannot be read: %s", strerror(-source->error));
	if (pixels)
		return 0;
	if (left == 0)
		return damaged(source, reterr_error, "65536 chunks come before its pixels");
	return wan_error_set(
		reterr_error, -EBADMSG, source->name, "copy or download the file again",
		"ends after %llu bytes without any pixel data", (unsigned long long)source->size);
}

int wan_probe_png(struct wan_source *source, struct wan_header *ret_header,
		  struct wan_error *reterr_error)
{
	struct wan_header header = {.info = {.format = WAN_FORMAT_PNG,
					     .exif_orientation = 1,
					     .file_bytes = source->size}};
	int error = parse_ihdr(source, &header.info, reterr_error);
	if (error == 0)
		error = walk_chunks(source, &header.info, reterr_error);
	if (error < 0)
		return error;

	struct wan_decode_options natural;
	wan_decode_options_init(&natural);
	wan_price(&header, &natural, &header.info.output_bytes, &header.info.peak_bytes);
	*ret_header = header;
	return 0;
}
