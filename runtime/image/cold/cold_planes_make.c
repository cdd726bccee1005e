/* SPDX-License-Identifier: MIT */
/*
 * Packed planes from the file of an image, by libjpeg's raw output. What was made is turned into
 * pixels again and compared with the image, row by row: whatever version of libjpeg decoded it, and
 * whatever happened to the file meanwhile, a form that is not exact is never kept.
 */
#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "cold_jpeg.h"
#include "cold_pack.h"
#include "cold_planes.h"
#include "macros.h"

/* A plane on its way from the decoder to packed rows. */
struct plane {
	uint32_t width, height, next; /* samples; the row to be packed next */
	unsigned lines;               /* rows the decoder delivers at once */
	size_t line_bytes;
	uint8_t *rows, *row, *above;
	JSAMPROW pointers[4 * DCTSIZE];
};

struct making {
	struct wan_jpeg_input input;
	struct wan_band_writer writer;
	struct plane planes[3];
	unsigned components, across, down;
	size_t bytes_max;
	uint8_t *memory;
	/* Luma rows whose colour row below has not come yet. */
	uint8_t *held;
	unsigned held_count;
	int error;
};

static void give_up(struct making *making, int error)
{
	making->error = error;
	wan_jpeg_input_stop(&making->input);
}

/* One to four pixels each way share a colour; both colour planes alike, luma at full size. */
static bool supported(struct making *making)
{
	const struct jpeg_decompress_struct *jpeg = &making->input.jpeg;
	const jpeg_component_info *c = jpeg->comp_info;
	making->components = (unsigned)jpeg->num_components;
	making->across = making->down = 1;
	if (jpeg->jpeg_color_space == JCS_GRAYSCALE && jpeg->num_components == 1)
		return true;
	if (jpeg->jpeg_color_space != JCS_YCbCr || jpeg->num_components != 3)
		return false;
	making->across = (unsigned)(jpeg->max_h_samp_factor / c[1].h_samp_factor);
	making->down = (unsigned)(jpeg->max_v_samp_factor / c[1].v_samp_factor);
	return c[0].h_samp_factor == jpeg->max_h_samp_factor &&
	       c[0].v_samp_factor == jpeg->max_v_samp_factor &&
	       c[1].h_samp_factor == c[2].h_samp_factor &&
	       c[1].v_samp_factor == c[2].v_samp_factor &&
	       jpeg->max_h_samp_factor % c[1].h_samp_factor == 0 &&
	       jpeg->max_v_samp_factor % c[1].v_samp_factor == 0;
}

static void set_up_planes(struct making *making)
{
	const struct jpeg_decompress_struct *jpeg = &making->input.jpeg;
	size_t bytes = 0;
	for (unsigned i = 0; i < making->components; i++) {
		const jpeg_component_info *c = &jpeg->comp_info[i];
		struct plane *plane = &making->planes[i];
		unsigned across = i ? making->across : 1, down = i ? making->down : 1;
		plane->width = (jpeg->output_width + across - 1) / across;
		plane->height = (jpeg->output_height + down - 1) / down;
		/* Grey is not subsampled, whatever factors it names. */
		plane->lines = (unsigned)(jpeg->num_components == 1 ? jpeg->max_v_samp_factor
								    : c->v_samp_factor) *
			       DCTSIZE;
		plane->line_bytes = wan_pack_line_bytes((size_t)c->width_in_blocks * DCTSIZE);
		if (plane->lines > WAN_COUNT_OF(plane->pointers) ||
		    plane->width > (size_t)c->width_in_blocks * DCTSIZE)
			give_up(making, -ENOTSUP);
		bytes += plane->line_bytes * (plane->lines + 2);
	}
	making->memory = wan_calloc(bytes + making->planes[0].line_bytes * making->down, 1);
	if (!making->memory)
		give_up(making, -ENOMEM);
	uint8_t *at = making->memory;
	for (unsigned i = 0; i < making->components; i++) {
		struct plane *plane = &making->planes[i];
		plane->rows = at;
		plane->row = at + plane->line_bytes * plane->lines;
		plane->above = plane->row + plane->line_bytes;
		at = plane->above + plane->line_bytes;
		for (unsigned line = 0; line < plane->lines; line++)
			plane->pointers[line] = plane->rows + line * plane->line_bytes;
	}
	making->held = at;
}

static void start(struct making *making)
{
	struct jpeg_decompress_struct *jpeg = &making->input.jpeg;
	(void)jpeg_read_header(jpeg, TRUE);
	if (!supported(making))
		give_up(making, -ENOTSUP);
	jpeg->out_color_space = jpeg->jpeg_color_space;
	jpeg->raw_data_out = TRUE;
	(void)jpeg_start_decompress(jpeg);
	set_up_planes(making);
	making->error =
		wan_band_writer_begin(&making->writer, sizeof(struct wan_cold_image),
				      making->bytes_max, wan_pack_bound(making->planes[0].width));
	if (making->error < 0)
		wan_jpeg_input_stop(&making->input);
}

static void pack(struct making *making, struct plane *plane, const uint8_t *samples)
{
	uint8_t *at;
	int error = wan_band_writer_room(&making->writer, wan_pack_bound(plane->width), &at);
	if (error < 0)
		give_up(making, error);
	/* What the decoder has behind the width differs from row to row. */
	memcpy(plane->row, samples, plane->width);
	making->writer.rows_used += wan_pack_row(plane->row, plane->above, plane->width, at);
	plane->next++;
}

static void pack_held(struct making *making)
{
	struct plane *luma = &making->planes[0];
	for (unsigned i = 0; i < making->held_count; i++)
		pack(making, luma, making->held + i * luma->line_bytes);
	making->held_count = 0;
}

static void hold(struct making *making, const uint8_t *samples)
{
	struct plane *luma = &making->planes[0];
	memcpy(making->held + making->held_count++ * luma->line_bytes, samples, luma->width);
}

/* Colour row n and the rows of luma over it are packed as: colour n, then luma of n - 1. */
static void pack_group(struct making *making, unsigned group)
{
	struct plane *luma = &making->planes[0];
	for (unsigned i = 1; i < making->components; i++)
		pack(making, &making->planes[i], making->planes[i].pointers[group]);
	pack_held(making);
	for (unsigned i = 0; i < making->down; i++) {
		if (luma->next + i < luma->height)
			hold(making, luma->pointers[group * making->down + i]);
	}
}

static void read_planes(struct making *making)
{
	struct jpeg_decompress_struct *jpeg = &making->input.jpeg;
	JSAMPARRAY arrays[3] = {making->planes[0].pointers, making->planes[1].pointers,
				making->planes[2].pointers};
	unsigned lines = making->planes[0].lines, groups = lines / making->down;
	while (jpeg->output_scanline < jpeg->output_height) {
		uint32_t first = jpeg->output_scanline;
		if (jpeg_read_raw_data(jpeg, arrays, lines) == 0)
			give_up(making, -ENOTSUP);
		for (unsigned i = 0; i < groups; i++)
			if (first + i * making->down < jpeg->output_height)
				pack_group(making, i);
	}
	pack_held(making);
	(void)jpeg_finish_decompress(jpeg); /* an end marker that is missing is a warning */
}

/* 0, or the error after libjpeg or we jumped out. */
static int make(struct making *making, struct wan_source *source)
{
	if (setjmp(making->input.jump) != 0)
		return making->error < 0 ? making->error : wan_jpeg_input_error(&making->input);
	wan_jpeg_input_begin(&making->input, source);
	start(making);
	read_planes(making);
	return 0;
}

static int compare(const struct wan_image *image, const struct wan_cold_image *cold)
{
	struct wan_planes_reader reader;
	size_t bytes = (size_t)cold->width_px * cold->components;
	uint8_t *lines = wan_malloc(2 * bytes);
	int error = wan_planes_reader_begin(&reader, cold);
	if (!lines)
		error = -ENOMEM;
	for (uint32_t y = 0; error == 0 && y < cold->height_px; y++) {
		error = wan_planes_reader_row(&reader, lines);
		const uint8_t *row = wan_cold_unturned_row(image, cold->orientation, cold->width_px,
							   cold->height_px, y, lines + bytes);
		if (error == 0 && memcmp(lines, row, bytes) != 0)
			error = -ENOTSUP;
	}
	wan_planes_reader_finish(&reader);
	wan_free(lines);
	return error;
}

static int finish(struct making *making, const struct wan_image *image,
		  struct wan_cold_image **ret_cold)
{
	uint8_t *block;
	size_t bytes;
	int error = wan_band_writer_take(&making->writer, &block, &bytes);
	if (error < 0)
		return error;
	struct wan_cold_image *cold = (struct wan_cold_image *)(void *)block;
	*cold = (struct wan_cold_image){
		.block_bytes = bytes,
		.view = image->view,
		.kind = WAN_COLD_PLANES,
		.orientation = image->origin->orientation,
		.components = (uint8_t)making->components,
		.across = (uint8_t)making->across,
		.down = (uint8_t)making->down,
		.width_px = making->planes[0].width,
		.height_px = making->planes[0].height,
	};
	cold->view.pixels = NULL;
	bool turned = cold->orientation >= 5;
	error = image->view.width_px == (turned ? cold->height_px : cold->width_px) &&
				image->view.height_px ==
					(turned ? cold->width_px : cold->height_px) &&
				image->view.channels == cold->components
			? compare(image, cold)
			: -ENOTSUP;
	if (error < 0) {
		wan_free(cold);
		return error;
	}
	*ret_cold = cold;
	return 0;
}

int wan_cold_freeze_planes(const struct wan_image *image, size_t bytes_max,
			   struct wan_cold_image **ret_cold)
{
	struct wan_source source;
	int error = wan_origin_open(image->origin, &source);
	if (error < 0)
		return error;
	struct making *making = wan_calloc(1, sizeof(*making));
	if (!making) {
		wan_source_close(&source);
		return -ENOMEM;
	}
	making->bytes_max = bytes_max;
	wan_jpeg_input_init(&making->input);
	error = make(making, &source);
	wan_jpeg_input_finish(&making->input);
	if (error == 0 && !wan_origin_unchanged(image->origin, &source))
		error = -ESTALE;
	wan_source_close(&source);
	if (error == 0)
		error = finish(making, image, ret_cold);
	wan_band_writer_finish(&making->writer);
	wan_free(making->memory);
	wan_free(making);
	return error;
}
