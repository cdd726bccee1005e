/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "codec.h"
#include "exif.h"
#include "log.h"
#include "macros.h"

enum {
	/* Fill bytes and garbage between two segments; the decoder would skip any number. */
	SKIP_BYTES = 65536,
	SEGMENTS = 65536,
	EXIF_BYTES = 8192,
	/* Scans are counted to the end only of files this small, and up to this number. */
	COUNT_BYTES = 4 * 1024 * 1024,
	COUNT_SCANS = 1000,
	MARKER_SOI = 0xd8,
	MARKER_EOI = 0xd9,
	MARKER_SOS = 0xda,
};

struct walk {
	struct wan_source *source;
	struct wan_header *header;
	struct wan_error *reterr_error;
	uint64_t at;
	bool have_frame, jfif, adobe;
	unsigned adobe_transform;
	unsigned components;
	uint8_t ids[4];
};

static int damaged(const struct walk *walk, const char *what)
{
	return wan_error_set(walk->reterr_error, -EBADMSG, walk->source->name,
			     "copy or download the file again", "is a damaged JPEG: %s", what);
}

/* Reads exactly count bytes at walk->at. 0, -ENODATA at the end, a read error. */
static int take(struct walk *walk, void *to, size_t count)
{
	ssize_t got = wan_source_read_at(walk->source, walk->at, to, count);
	if (got < 0)
		return wan_error_set(walk->reterr_error, (int)got, walk->source->name, "",
				     "cannot be read: %s", strerror((int)-got));
	if ((size_t)got < count)
		return wan_error_set(walk->reterr_error, -ENODATA, walk->source->name,
				     "copy or download the file again",
				     "ends after %llu bytes, inside the header",
				     (unsigned long long)walk->source->size);
	walk->at += count;
	return 0;
}

/* The code of the next marker; walk->at is behind it. */
static int next_marker(struct walk *walk, uint8_t *ret_marker)
{
	bool after_ff = false;
	for (unsigned skipped = 0; skipped < SKIP_BYTES; skipped++) {
		uint8_t byte;
		int error = take(walk, &byte, 1);
		if (error < 0)
			return error;
		if (after_ff && byte != 0 && byte != 0xff) {
			*ret_marker = byte;
			return 0;
		}
		after_ff = byte == 0xff;
	}
	return damaged(walk, "no marker follows in 65536 bytes");
}

static const char *frame_refusal(unsigned marker, unsigned precision)
{
	switch (marker) {
	case 0xc0:
	case 0xc1:
	case 0xc2:
	case 0xc9:
	case 0xca:
		return precision == 8 ? NULL : "has samples of more than 8 bits";
	case 0xc3:
	case 0xc7:
	case 0xcb:
	case 0xcf:
		return "is a lossless JPEG";
	default:
		return "is a hierarchical JPEG";
	}
}

static uint64_t blocks_across(uint32_t side, unsigned sampling, unsigned most)
{
	return ((uint64_t)side * sampling + (uint64_t)most * 8 - 1) / ((uint64_t)most * 8);
}

static uint64_t round_up(uint64_t value, unsigned to)
{
	return (value + to - 1) / to * to;
}

/* Bytes of all coefficients, which libjpeg keeps when the image comes in several scans. */
static int count_blocks(struct walk *walk, const uint8_t *components)
{
	struct wan_header *header = walk->header;
	uint32_t width = header->info.width_px, height = header->info.height_px;
	unsigned most_h = 1, most_v = 1;

	for (unsigned i = 0; i < walk->components; i++) {
		unsigned h = components[3 * i + 1] >> 4, v = components[3 * i + 1] & 15;
		if (h < 1 || h > 4 || v < 1 || v > 4)
			return damaged(walk, "a sampling factor is not 1 to 4");
		most_h = WAN_MAX(most_h, h);
		most_v = WAN_MAX(most_v, v);
	}
	header->smallest_blocks = UINT64_MAX;
	for (unsigned i = 0; i < walk->components; i++) {
		unsigned h = components[3 * i + 1] >> 4, v = components[3 * i + 1] & 15;
		uint64_t across = blocks_across(width, h, most_h);
		uint64_t down = blocks_across(height, v, most_v);
		header->smallest_blocks = WAN_MIN(header->smallest_blocks, across * down);
		header->coefficient_bytes += round_up(across, h) * round_up(down, v) * 64 * 2;
	}
	return 0;
}

static int parse_frame(struct walk *walk, unsigned marker, size_t length)
{
	struct wan_image_info *info = &walk->header->info;
	uint8_t frame[6], components[4 * 3];

	if (walk->have_frame)
		return damaged(walk, "it has two frame headers");
	if (length < sizeof(frame))
		return damaged(walk, "its frame header is too short");
	int error = take(walk, frame, sizeof(frame));
	if (error < 0)
		return error;
	const char *refusal = frame_refusal(marker, frame[0]);
	info->bit_depth = frame[0];
	info->height_px = wan_be16(frame + 1);
	info->width_px = wan_be16(frame + 3);
	walk->components = frame[5];
	if (refusal)
		return wan_error_set(walk->reterr_error, -ENOTSUP, walk->source->name,
				     "convert it with the program that wrote it",
				     "%s, which is not decoded here", refusal);
	if (info->width_px == 0 || info->height_px == 0)
		return damaged(walk, "a side is 0");
	if (length != 6 + 3 * (size_t)walk->components)
		return damaged(walk, "its frame header has a wrong length");
	if (walk->components != 1 && walk->components != 3 && walk->components != 4)
		return wan_error_set(walk->reterr_error, -ENOTSUP, walk->source->name,
				     "convert it with the program that wrote it",
				     "has %u colour components; 1, 3 and 4 are decoded here",
				     walk->components);
	error = take(walk, components, 3 * walk->components);
	if (error < 0)
		return error;
	for (unsigned i = 0; i < walk->components; i++)
		walk->ids[i] = components[3 * i];
	info->channels = (uint8_t)walk->components;
	info->interlaced = marker == 0xc2 || marker == 0xca;
	walk->header->multi_scan = info->interlaced;
	walk->header->arithmetic = marker >= 0xc9;
	walk->have_frame = true;
	return count_blocks(walk, components);
}

static int note_exif(struct walk *walk, size_t length)
{
	uint8_t segment[EXIF_BYTES];
	size_t count = WAN_MIN(length, sizeof(segment));
	int error = take(walk, segment, count);
	if (error < 0)
		return error;
	if (count > 6 && memcmp(segment, "Exif\0\0", 6) == 0)
		walk->header->info.exif_orientation = wan_exif_orientation(segment + 6, count - 6);
	return 0;
}

/* APP0 JFIF, APP2 ICC and APP14 Adobe are told by their first bytes. */
static int note_app(struct walk *walk, unsigned marker, size_t length)
{
	uint8_t head[12] = {0};
	int error = take(walk, head, WAN_MIN(length, sizeof(head)));
	if (error < 0)
		return error;
	if (marker == 0xe0 && length >= 14 && memcmp(head, "JFIF", 5) == 0)
		walk->jfif = true;
	if (marker == 0xe2 && length >= 12 && memcmp(head, "ICC_PROFILE", 12) == 0)
		walk->header->info.has_icc = true;
	if (marker == 0xee && length >= 12 && memcmp(head, "Adobe", 5) == 0) {
		walk->adobe = true;
		walk->adobe_transform = head[11];
	}
	return 0;
}

/* As the decoder decides it: JFIF, then Adobe, then the component names. */
static enum wan_color_type color_of(const struct walk *walk)
{
	if (walk->components == 1)
		return WAN_COLOR_GRAY;
	if (walk->components == 4)
		return walk->adobe && walk->adobe_transform != 0 ? WAN_COLOR_YCCK : WAN_COLOR_CMYK;
	if (walk->jfif)
		return WAN_COLOR_YCBCR;
	if (walk->adobe)
		return walk->adobe_transform == 0 ? WAN_COLOR_RGB : WAN_COLOR_YCBCR;
	return memcmp(walk->ids, "RGB", 3) == 0 ? WAN_COLOR_RGB : WAN_COLOR_YCBCR;
}

/* One segment before the first scan. 1 when the scan is reached. */
static int header_segment(struct walk *walk, unsigned marker)
{
	if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd7))
		return 0;
	if (marker == MARKER_SOI)
		return damaged(walk, "it begins twice");
	if (marker == MARKER_EOI)
		return damaged(walk, "it ends without an image");

	uint8_t size[2];
	int error = take(walk, size, sizeof(size));
	if (error < 0)
		return error;
	if (wan_be16(size) < 2)
		return damaged(walk, "a segment has a length below 2");
	size_t length = wan_be16(size) - 2;
	uint64_t end = walk->at + length;

	if (marker == MARKER_SOS) {
		uint8_t count;
		if (!walk->have_frame)
			return damaged(walk, "a scan comes before the frame header");
		error = take(walk, &count, 1);
		if (error < 0)
			return error;
		if (count < walk->components)
			walk->header->multi_scan = true;
		error = 1;
	} else if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
		   marker != 0xcc) {
		error = parse_frame(walk, marker, length);
	} else if (marker == 0xe1 && walk->header->info.exif_orientation == 1) {
		error = note_exif(walk, length);
	} else if (marker >= 0xe0 && marker <= 0xef) {
		error = note_app(walk, marker, length);
	}
	walk->at = end;
	return error;
}

/* From behind the first scan header on: entropy-coded bytes, then further segments. Errors only end
 * the count; the decoder judges them. */
static uint32_t count_scans(struct wan_source *source, uint64_t at)
{
	uint32_t scans = 1;
	uint8_t block[4096];
	bool after_ff = false;
	unsigned segments = 0;

	while (scans < COUNT_SCANS && segments < SEGMENTS) {
		ssize_t got = wan_source_read_at(source, at, block, sizeof(block));
		if (got <= 0)
			return scans;
		ssize_t i = 0;
		for (; i < got; i++) {
			uint8_t byte = block[i];
			if (!after_ff) {
				const uint8_t *ff = memchr(block + i, 0xff, (size_t)(got - i));
				i = ff ? ff - block : got - 1;
				after_ff = ff != NULL;
				continue;
			}
			after_ff = byte == 0xff;
			if (byte == 0 || byte == 0xff || byte == 1 || (byte & 0xf8) == 0xd0)
				continue;
			if (byte == MARKER_EOI || byte == MARKER_SOI)
				return scans;
			scans += byte == MARKER_SOS;
			uint8_t size[2];
			at += (uint64_t)i + 1;
			if (wan_source_read_at(source, at, size, 2) < 2)
				return scans;
			at += WAN_MAX(wan_be16(size), 2u);
			segments++;
			break;
		}
		if (i >= got)
			at += (uint64_t)got;
	}
	return scans;
}

void wan_probe_jpeg_scans(struct wan_source *source, struct wan_header *header)
{
	if (header->multi_scan && source->size <= COUNT_BYTES)
		header->info.scans = count_scans(source, header->scans_at);
}

int wan_probe_jpeg(struct wan_source *source, struct wan_header *ret_header,
		   struct wan_error *reterr_error)
{
	struct wan_header header = {.info = {.format = WAN_FORMAT_JPEG,
					     .exif_orientation = 1,
					     .scans = 1,
					     .file_bytes = source->size}};
	struct walk walk = {
		.source = source, .header = &header, .reterr_error = reterr_error, .at = 2};
	int step = 0;

	for (unsigned left = SEGMENTS; step == 0; left--) {
		uint8_t marker = 0;
		if (left == 0)
			return damaged(&walk, "65536 segments come before its pixels");
		step = next_marker(&walk, &marker);
		if (step == 0)
			step = header_segment(&walk, marker);
	}
	if (step < 0) {
		if (step == -ENOTSUP)
			*ret_header = header;
		return step;
	}
	header.info.color = color_of(&walk);
	header.scans_at = walk.at;

	struct wan_decode_options natural;
	wan_decode_options_init(&natural);
	wan_price(&header, &natural, &header.info.output_bytes, &header.info.peak_bytes);
	*ret_header = header;
	return 0;
}
