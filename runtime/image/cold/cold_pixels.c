/* SPDX-License-Identifier: MIT */
/* Cold forms made of the pixels alone: packed and squeezed. */
#include <errno.h>
#include <string.h>

#include <lz4.h>

#include "alloc.h"
#include "cold.h"
#include "cold_band.h"
#include "cold_pack.h"
#include "cold_split.h"
#include "macros.h"

/* Pieces of the image tried before all of it is, from as many places. */
#define PROBES      4
#define PROBE_BYTES ((size_t)16 * 1024)
/* Pixels squeezed at a time; LZ4 looks back 64 KB. */
#define PIECE_BYTES ((size_t)256 * 1024)

/* A line for each channel: the row, and the row above it. */
struct lines {
	uint8_t *row[WAN_SPLIT_LINES], *above[WAN_SPLIT_LINES];
	uint8_t *memory;
};

static int lines_begin(struct lines *lines, size_t width, unsigned channels)
{
	size_t bytes = wan_pack_line_bytes(width);
	lines->memory = wan_calloc(2 * (size_t)channels, bytes);
	if (!lines->memory)
		return -ENOMEM;
	for (unsigned i = 0; i < WAN_SPLIT_LINES; i++) {
		unsigned at = i < channels ? i : 0;
		lines->row[i] = lines->memory + at * bytes;
		lines->above[i] = lines->memory + (channels + at) * bytes;
	}
	return 0;
}

static bool is_bytes(const struct wan_image_view *view)
{
	return wan_pixel_sample_bytes(view->format) == 1;
}

/* Room for one row of all channels. */
static size_t row_bound(const struct wan_image_view *view)
{
	return wan_pack_bound(view->width_px) * view->channels;
}

static size_t pack_lines(struct lines *lines, const struct wan_image_view *view, uint32_t y,
			 uint8_t *out)
{
	const uint8_t *pixels = (const uint8_t *)view->pixels + y * view->stride_bytes;
	size_t bytes = 0;
	wan_split_row(pixels, view->width_px, view->channels, lines->row);
	for (unsigned i = 0; i < view->channels; i++)
		bytes += wan_pack_row(lines->row[i], lines->above[i], view->width_px, out + bytes);
	return bytes;
}

static int freeze_packed(const struct wan_image_view *view, struct wan_band_writer *writer)
{
	size_t bound = row_bound(view);
	struct lines lines;
	int error = lines_begin(&lines, view->width_px, view->channels);
	for (uint32_t y = 0; error == 0 && y < view->height_px; y++) {
		uint8_t *at;
		error = wan_band_writer_room(writer, bound, &at);
		if (error == 0)
			writer->rows_used += pack_lines(&lines, view, y, at);
	}
	wan_free(lines.memory);
	return error;
}

static int freeze_squeezed(const struct wan_image_view *view, struct wan_band_writer *writer)
{
	const uint8_t *pixels = view->pixels;
	for (size_t at = 0, count; at < view->pixels_bytes; at += count) {
		uint8_t *to;
		count = WAN_MIN(PIECE_BYTES, view->pixels_bytes - at);
		int error = wan_band_writer_room(writer, PIECE_BYTES, &to);
		if (error < 0)
			return error;
		memcpy(to, pixels + at, count);
		writer->rows_used += count;
	}
	return 0;
}

/* Sizes of the same pieces in both forms. */
struct probe {
	size_t raw_bytes, packed_bytes, squeezed_bytes;
};

static int probe_rows(const struct wan_image_view *view, struct probe *probe)
{
	uint32_t rows = (uint32_t)WAN_MIN(PROBE_BYTES / view->stride_bytes + 1,
					  ((size_t)view->height_px + PROBES - 1) / PROBES);
	size_t piece = rows * view->stride_bytes;
	size_t room = (size_t)LZ4_compressBound((int)WAN_MIN(piece, PROBE_BYTES));
	uint8_t *out = wan_malloc(WAN_MAX(row_bound(view), room));
	struct lines lines = {.memory = NULL};
	int error = out ? 0 : -ENOMEM;
	if (error == 0 && is_bytes(view))
		error = lines_begin(&lines, view->width_px, view->channels);

	for (unsigned i = 0; error == 0 && i < PROBES; i++) {
		uint32_t first = (uint32_t)((uint64_t)(view->height_px - rows) * i / (PROBES - 1));
		const char *pixels = (const char *)view->pixels + first * view->stride_bytes;
		size_t tried = WAN_MIN(piece, PROBE_BYTES);
		int squeezed = LZ4_compress_default(pixels, (char *)out, (int)tried, (int)room);
		probe->raw_bytes += piece;
		/* The same share of the whole piece. */
		probe->squeezed_bytes += (size_t)((uint64_t)squeezed * piece / tried);
		if (!is_bytes(view)) {
			probe->packed_bytes += piece;
			continue;
		}
		if (first > 0) /* only to know the row above */
			(void)pack_lines(&lines, view, first - 1, out);
		for (uint32_t y = first; y < first + rows; y++)
			probe->packed_bytes += pack_lines(&lines, view, y, out);
	}
	wan_free(lines.memory);
	wan_free(out);
	return error;
}

int wan_cold_freeze_pixels(const struct wan_image *image, size_t bytes_max,
			   struct wan_cold_image **ret_cold)
{
	const struct wan_image_view *view = &image->view;
	if (view->stride_bytes * view->height_px > view->pixels_bytes)
		return -ENOTSUP;
	struct probe probe = {0};
	int error = probe_rows(view, &probe);
	if (error < 0)
		return error;
	if (WAN_MIN(probe.packed_bytes, probe.squeezed_bytes) > WAN_COLD_WORTH(probe.raw_bytes))
		return -E2BIG;
	/* Of two forms of about one size the packed one comes back faster. */
	bool packed = probe.packed_bytes <= probe.squeezed_bytes + probe.squeezed_bytes / 8;

	struct wan_band_writer writer;
	error = wan_band_writer_begin(&writer, sizeof(struct wan_cold_image), bytes_max,
				      packed ? row_bound(view) : PIECE_BYTES);
	if (error < 0)
		return error;
	error = packed ? freeze_packed(view, &writer) : freeze_squeezed(view, &writer);
	uint8_t *block;
	size_t bytes;
	if (error == 0)
		error = wan_band_writer_take(&writer, &block, &bytes);
	if (error == 0) {
		struct wan_cold_image *cold = (struct wan_cold_image *)(void *)block;
		*cold = (struct wan_cold_image){.block_bytes = bytes,
						.view = *view,
						.kind = packed ? WAN_COLD_PACKED
							       : WAN_COLD_SQUEEZED};
		cold->view.pixels = NULL;
		*ret_cold = cold;
	}
	wan_band_writer_finish(&writer);
	return error;
}

static int thaw_packed(struct wan_band_reader *reader, struct wan_image *image)
{
	const struct wan_image_view *view = &image->view;
	struct lines lines;
	int error = lines_begin(&lines, view->width_px, view->channels);
	for (uint32_t y = 0; error == 0 && y < view->height_px; y++) {
		if (reader->row == reader->last)
			error = wan_band_reader_fill(reader);
		for (unsigned i = 0; error == 0 && i < view->channels; i++) {
			size_t bytes = wan_unpack_row(reader->row, reader->last, lines.row[i],
						      view->width_px);
			reader->row += bytes;
			error = bytes ? 0 : -EBADMSG;
		}
		if (error == 0)
			wan_join_row(lines.row, view->width_px, view->channels,
				     wan_image_row(image, y));
	}
	wan_free(lines.memory);
	return error;
}

static int thaw_squeezed(struct wan_band_reader *reader, struct wan_image *image)
{
	uint8_t *pixels = image->pixels;
	for (size_t at = 0; at < image->view.pixels_bytes;) {
		int error = wan_band_reader_fill(reader);
		if (error < 0)
			return error;
		size_t count = (size_t)(reader->last - reader->row);
		if (count == 0 || count > image->view.pixels_bytes - at)
			return -EBADMSG;
		memcpy(pixels + at, reader->row, count);
		at += count;
	}
	return 0;
}

int wan_cold_thaw_pixels(const struct wan_cold_image *cold, struct wan_image **ret_image)
{
	const struct wan_image_view *view = &cold->view;
	struct wan_band_reader reader;
	struct wan_image *image;
	int error = wan_image_create(view->format, view->width_px, view->height_px, &image);
	if (error < 0)
		return error;
	image->view.warnings = view->warnings;
	wan_band_reader_begin(&reader, wan_cold_bytes(cold), wan_cold_bytes_count(cold));
	if (cold->kind == WAN_COLD_SQUEEZED)
		error = thaw_squeezed(&reader, image);
	else
		error = is_bytes(&image->view) ? thaw_packed(&reader, image) : -EBADMSG;
	wan_band_reader_finish(&reader);
	if (error < 0) {
		wan_image_unref(image);
		return error;
	}
	*ret_image = image;
	return 0;
}
