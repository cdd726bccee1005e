/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include <jerror.h>

#include "cold_jpeg.h"

int wan_origin_open(const struct wan_origin *origin, struct wan_source *source)
{
	int error = wan_source_open_file(source, origin->path, NULL);
	if (error == -ENOMEM)
		return error;
	if (error < 0)
		return -ESTALE;
	if (wan_origin_unchanged(origin, source))
		return 0;
	wan_source_close(source);
	return -ESTALE;
}

bool wan_origin_unchanged(const struct wan_origin *origin, const struct wan_source *source)
{
	struct wan_file_identity now;
	return wan_source_identity(source, &now) == 0 &&
	       wan_file_identity_equal(&now, &origin->identity);
}

static struct wan_jpeg_input *input_of(j_common_ptr common)
{
	return common->client_data;
}

static void on_error(j_common_ptr common)
{
	struct wan_jpeg_input *input = input_of(common);
	input->no_memory = common->err->msg_code == JERR_OUT_OF_MEMORY;
	longjmp(input->jump, 1);
}

static void on_message(j_common_ptr common, int level)
{
	if (level < 0)
		longjmp(input_of(common)->jump, 1);
}

static void on_output(j_common_ptr common)
{
	(void)common;
}

static void on_init_source(j_decompress_ptr jpeg)
{
	(void)jpeg;
}

static boolean on_fill(j_decompress_ptr jpeg)
{
	struct wan_jpeg_input *input = input_of((j_common_ptr)jpeg);
	const uint8_t *piece = NULL;
	size_t count = 0;
	if (wan_source_next(input->source, &piece, &count) < 0 || count == 0)
		wan_jpeg_input_stop(input);
	jpeg->src->next_input_byte = piece;
	jpeg->src->bytes_in_buffer = count;
	return TRUE;
}

static void on_skip(j_decompress_ptr jpeg, long count)
{
	struct jpeg_source_mgr *src = jpeg->src;
	while (count > 0 && (size_t)count > src->bytes_in_buffer) {
		count -= (long)src->bytes_in_buffer;
		(void)on_fill(jpeg);
	}
	if (count > 0) {
		src->next_input_byte += count;
		src->bytes_in_buffer -= (size_t)count;
	}
}

static void on_term_source(j_decompress_ptr jpeg)
{
	(void)jpeg;
}

void wan_jpeg_input_init(struct wan_jpeg_input *input)
{
	memset(input, 0, sizeof(*input));
	input->jpeg.err = jpeg_std_error(&input->errors);
	input->jpeg.client_data = input;
	input->errors.error_exit = on_error;
	input->errors.emit_message = on_message;
	input->errors.output_message = on_output;
}

void wan_jpeg_input_begin(struct wan_jpeg_input *input, struct wan_source *source)
{
	input->source = source;
	jpeg_create_decompress(&input->jpeg);
	input->input.init_source = on_init_source;
	input->input.fill_input_buffer = on_fill;
	input->input.skip_input_data = on_skip;
	input->input.resync_to_restart = jpeg_resync_to_restart;
	input->input.term_source = on_term_source;
	input->jpeg.src = &input->input;
}

void wan_jpeg_input_stop(struct wan_jpeg_input *input)
{
	longjmp(input->jump, 1);
}

int wan_jpeg_input_error(const struct wan_jpeg_input *input)
{
	return input->no_memory ? -ENOMEM : -ENOTSUP;
}

void wan_jpeg_input_finish(struct wan_jpeg_input *input)
{
	jpeg_destroy_decompress(&input->jpeg); /* also right when its creation failed */
}

/* The inverse of what rows.c does on the way in. */
const uint8_t *wan_cold_unturned_row(const struct wan_image *image, uint8_t orientation,
				     uint32_t width_px, uint32_t height_px, uint32_t y,
				     uint8_t *line)
{
	bool from_right =
		orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
	bool from_bottom =
		orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
	size_t bytes = image->view.channels;
	uint32_t at = from_bottom ? height_px - 1 - y : y;

	if (orientation < 5 && !from_right)
		return wan_image_row(image, at);
	for (uint32_t x = 0; x < width_px; x++) {
		uint32_t across = from_right ? width_px - 1 - x : x;
		const uint8_t *pixel = orientation < 5 ? wan_image_row(image, at) + across * bytes
						       : wan_image_row(image, across) + at * bytes;
		memcpy(line + x * bytes, pixel, bytes);
	}
	return line;
}
