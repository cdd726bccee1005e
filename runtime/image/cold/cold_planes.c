/* SPDX-License-Identifier: MIT */
/* Packed planes back to pixels. */
#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "cold_pack.h"
#include "cold_planes.h"
#include "cold_upsample.h"
#include "macros.h"
#include "rows.h"

/* One line with a sample in front of it and what the loops read and write behind it. */
static size_t line_bytes(size_t width)
{
	return wan_pack_line_bytes(width) + 2 * WAN_UPSAMPLE_PADDING;
}

int wan_planes_reader_begin(struct wan_planes_reader *reader, const struct wan_cold_image *cold)
{
	unsigned across = cold->across, down = cold->down;
	*reader = (struct wan_planes_reader){.width_px = cold->width_px,
					     .height_px = cold->height_px,
					     .components = cold->components,
					     .across = across,
					     .down = down};
	if (across < 1 || across > 4 || down < 1 || down > 4 || reader->width_px == 0 ||
	    reader->height_px == 0)
		return -EBADMSG;
	reader->color_width = (cold->width_px + across - 1) / across;
	reader->color_height = (cold->height_px + down - 1) / down;
	size_t luma = line_bytes(cold->width_px + across), color = line_bytes(reader->color_width);
	reader->memory = wan_calloc(3 * luma + 6 * color + 2 * color, 1);
	if (!reader->memory)
		return -ENOMEM;
	uint8_t *at = reader->memory + WAN_UPSAMPLE_PADDING;
	reader->luma = at;
	reader->full[0] = at + luma;
	reader->full[1] = at + 2 * luma;
	at += 3 * luma;
	for (unsigned i = 0; i < 6; i++, at += color)
		reader->color[i / 3][i % 3] = at;
	reader->sums = (uint16_t *)(void *)at;
	wan_band_reader_begin(&reader->bands, wan_cold_bytes(cold), wan_cold_bytes_count(cold));
	return 0;
}

void wan_planes_reader_finish(struct wan_planes_reader *reader)
{
	wan_band_reader_finish(&reader->bands);
	wan_free(reader->memory);
	reader->memory = NULL;
}

static int unpack(struct wan_planes_reader *reader, uint8_t *line, uint32_t width)
{
	struct wan_band_reader *bands = &reader->bands;
	if (bands->row == bands->last) {
		int error = wan_band_reader_fill(bands);
		if (error < 0)
			return error;
	}
	size_t bytes = wan_unpack_row(bands->row, bands->last, line, width);
	bands->row += bytes;
	return bytes ? 0 : -EBADMSG;
}

/* Below becomes here, here above; the next row is unpacked, or repeated at the end. */
static int next_color(struct wan_planes_reader *reader, uint32_t next)
{
	for (unsigned i = 0; i < 2; i++) {
		uint8_t **color = reader->color[i], *above = color[0];
		color[0] = color[1];
		color[1] = color[2];
		color[2] = above;
		memcpy(above, color[1], wan_pack_line_bytes(reader->color_width));
		if (next >= reader->color_height)
			continue;
		int error = unpack(reader, above, reader->color_width);
		if (error < 0)
			return error;
	}
	return 0;
}

static int read_color(struct wan_planes_reader *reader)
{
	uint32_t here = reader->y / reader->down;
	int error = 0;
	if (here == 0) {
		error = next_color(reader, 0);
		/* The row above the first one is the first one. */
		for (unsigned i = 0; error == 0 && i < 2; i++)
			memcpy(reader->color[i][1], reader->color[i][2],
			       wan_pack_line_bytes(reader->color_width));
	}
	return error < 0 ? error : next_color(reader, here + 1);
}

/* A plane at full width for row y; libjpeg smooths only planes wider than two samples. */
static const uint8_t *widen(struct wan_planes_reader *reader, unsigned plane)
{
	uint8_t *const *color = reader->color[plane], *full = reader->full[plane];
	uint32_t width = reader->color_width;
	unsigned across = reader->across, down = reader->down;
	bool lower = reader->y % down != 0;
	const uint8_t *far = color[lower ? 2 : 0];

	if (across == 1 && down == 1)
		return color[1];
	if (across == 1 && down == 2)
		wan_upsample_h1v2(color[1], far, lower ? 2 : 1, width, full);
	else if (across == 2 && down == 1 && width > 2)
		wan_upsample_h2v1(color[1], width, full);
	else if (across == 2 && down == 2 && width > 2)
		wan_upsample_h2v2(color[1], far, width, reader->sums, full);
	else
		wan_upsample_repeat(color[1], width, across, full);
	return full;
}

int wan_planes_reader_row(struct wan_planes_reader *reader, uint8_t *pixels)
{
	int error = 0;
	if (reader->components == 3 && reader->y % reader->down == 0)
		error = read_color(reader);
	if (error == 0)
		error = unpack(reader, reader->luma, reader->width_px);
	if (error < 0)
		return error;
	if (reader->components == 3)
		wan_ycc_to_rgb(reader->luma, widen(reader, 0), widen(reader, 1), reader->width_px,
			       pixels);
	else
		memcpy(pixels, reader->luma, reader->width_px);
	reader->y++;
	return 0;
}

static int read_all(struct wan_planes_reader *reader, struct wan_decoded_rows *rows)
{
	size_t bytes = (size_t)reader->width_px * reader->components;
	uint8_t *line = NULL;
	int error = 0;
	if (!wan_decoded_rows_direct(rows, 0)) {
		line = wan_malloc(bytes);
		if (!line)
			return -ENOMEM;
	}
	for (uint32_t y = 0; error == 0 && y < reader->height_px; y++) {
		error = wan_planes_reader_row(reader,
					      line ? line : wan_decoded_rows_direct(rows, y));
		if (error == 0 && line)
			wan_decoded_rows_put(rows, y, line);
	}
	wan_free(line);
	return error;
}

int wan_cold_thaw_planes(const struct wan_cold_image *cold, struct wan_image **ret_image)
{
	const struct wan_decode_options options = {.apply_orientation = true};
	enum wan_pixel_format format = cold->components == 3 ? WAN_PIXEL_RGB8 : WAN_PIXEL_GRAY8;
	struct wan_decoded_rows rows = {.image = NULL};
	struct wan_planes_reader reader;
	int error = wan_planes_reader_begin(&reader, cold);
	if (error == 0)
		error = wan_decoded_rows_begin(&rows, format, cold->width_px, cold->height_px,
					       cold->orientation, &options);
	if (error == 0)
		error = read_all(&reader, &rows);
	if (error == 0)
		*ret_image = wan_decoded_rows_take(&rows);
	wan_decoded_rows_finish(&rows);
	wan_planes_reader_finish(&reader);
	return error;
}
