/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "codec.h"
#include "cold_jpeg.h"
#include "cold_rewrite.h"
#include "macros.h"

/* Coefficients of larger pictures are not taken into memory a second time: 2 bytes a sample. */
#define COEFFICIENT_BYTES_MAX (96 * WAN_MIB)

struct rewriting {
	struct wan_jpeg_input input;
	struct jpeg_compress_struct out;
	struct jpeg_destination_mgr destination;
	bool out_begun;
	uint8_t *block; /* head and bytes so far */
	size_t used, capacity, bytes_max;
	uint8_t *lines; /* of the comparison */
	int error;
};

static void give_up(struct rewriting *job, int error)
{
	job->error = error;
	wan_jpeg_input_stop(&job->input);
}

static struct rewriting *rewriting_of(j_compress_ptr out)
{
	return wan_container_of(out, struct rewriting, out);
}

static void offer_room(struct rewriting *job)
{
	job->destination.next_output_byte = job->block + job->used;
	job->destination.free_in_buffer = job->capacity - job->used;
}

static void on_begin(j_compress_ptr out)
{
	offer_room(rewriting_of(out));
}

static boolean on_full(j_compress_ptr out)
{
	struct rewriting *job = rewriting_of(out);
	job->used = job->capacity;
	if (job->capacity >= job->bytes_max)
		give_up(job, -E2BIG);
	size_t capacity = WAN_MIN(job->capacity + job->capacity / 2, job->bytes_max);
	uint8_t *block = wan_realloc_array(job->block, capacity, 1);
	if (!block)
		give_up(job, -ENOMEM);
	job->block = block;
	job->capacity = capacity;
	offer_room(job);
	return TRUE;
}

static void on_end(j_compress_ptr out)
{
	struct rewriting *job = rewriting_of(out);
	job->used = job->capacity - job->destination.free_in_buffer;
}

static int rewrite(struct rewriting *job, struct wan_source *source)
{
	if (setjmp(job->input.jump) != 0)
		return job->error < 0 ? job->error : wan_jpeg_input_error(&job->input);
	wan_jpeg_input_begin(&job->input, source);
	(void)jpeg_read_header(&job->input.jpeg, TRUE);
	jvirt_barray_ptr *coefficients = jpeg_read_coefficients(&job->input.jpeg);

	job->out.err = &job->input.errors;
	job->out.client_data = &job->input;
	job->out_begun = true;
	jpeg_create_compress(&job->out);
	job->destination.init_destination = on_begin;
	job->destination.empty_output_buffer = on_full;
	job->destination.term_destination = on_end;
	job->out.dest = &job->destination;
	jpeg_copy_critical_parameters(&job->input.jpeg, &job->out);
	job->out.optimize_coding = TRUE;
	jpeg_write_coefficients(&job->out, coefficients);
	jpeg_finish_compress(&job->out);
	(void)jpeg_finish_decompress(&job->input.jpeg);
	return 0;
}

/* The same decoder settings as jpeg_read.c. */
static void start_decoding(struct jpeg_decompress_struct *jpeg)
{
	(void)jpeg_read_header(jpeg, TRUE);
	jpeg->out_color_space = jpeg->num_components == 1   ? JCS_GRAYSCALE
				: jpeg->num_components == 4 ? JCS_CMYK
							    : JCS_RGB;
	(void)jpeg_start_decompress(jpeg);
}

static bool row_is(const struct rewriting *job, const struct wan_image *image, uint32_t y,
		   size_t bytes)
{
	const struct jpeg_decompress_struct *jpeg = &job->input.jpeg;
	if (jpeg->out_color_space == JCS_CMYK)
		for (size_t i = 0; i < bytes; i++)
			job->lines[i] = (uint8_t)~job->lines[i];
	const uint8_t *row =
		wan_cold_unturned_row(image, image->origin->orientation, jpeg->output_width,
				      jpeg->output_height, y, job->lines + bytes);
	return memcmp(job->lines, row, bytes) == 0;
}

static int compare(struct rewriting *job, struct wan_source *source, const struct wan_image *image)
{
	struct jpeg_decompress_struct *jpeg = &job->input.jpeg;
	if (setjmp(job->input.jump) != 0)
		return job->error < 0 ? job->error : wan_jpeg_input_error(&job->input);
	wan_jpeg_input_begin(&job->input, source);
	start_decoding(jpeg);
	bool turned = image->origin->orientation >= 5;
	size_t bytes = (size_t)jpeg->output_width * (size_t)jpeg->output_components;
	if (jpeg->output_width != (turned ? image->view.height_px : image->view.width_px) ||
	    jpeg->output_height != (turned ? image->view.width_px : image->view.height_px) ||
	    (uint32_t)jpeg->output_components != image->view.channels)
		give_up(job, -ENOTSUP);
	job->lines = wan_malloc(2 * bytes);
	if (!job->lines)
		give_up(job, -ENOMEM);
	while (jpeg->output_scanline < jpeg->output_height) {
		uint32_t y = jpeg->output_scanline;
		JSAMPROW line = job->lines;
		if (jpeg_read_scanlines(jpeg, &line, 1) != 1 || !row_is(job, image, y, bytes))
			give_up(job, -ENOTSUP);
	}
	(void)jpeg_finish_decompress(jpeg);
	return 0;
}

/* What was written must decode to the very pixels of the image. */
static int check(struct rewriting *job, const struct wan_image *image)
{
	struct wan_source source;
	size_t head = sizeof(struct wan_cold_image);
	int error = wan_source_open_memory(&source, job->block + head, job->used - head, NULL);
	if (error < 0)
		return -ENOTSUP;
	wan_jpeg_input_init(&job->input);
	error = compare(job, &source, image);
	wan_jpeg_input_finish(&job->input);
	wan_free(job->lines);
	return error;
}

static int keep(struct rewriting *job, const struct wan_image *image,
		struct wan_cold_image **ret_cold)
{
	struct wan_cold_image *cold = wan_realloc_array(job->block, job->used, 1);
	if (!cold)
		return -ENOMEM;
	job->block = NULL;
	*cold = (struct wan_cold_image){.block_bytes = job->used,
					.view = image->view,
					.kind = WAN_COLD_REWRITTEN,
					.orientation = image->origin->orientation};
	cold->view.pixels = NULL;
	*ret_cold = cold;
	return 0;
}

int wan_cold_freeze_rewritten(const struct wan_image *image, size_t bytes_max,
			      struct wan_cold_image **ret_cold)
{
	const struct wan_origin *origin = image->origin;
	size_t head = sizeof(struct wan_cold_image);
	/* The file and a little more; it grows when that does not suffice. */
	uint64_t capacity =
		WAN_MIN(head + origin->identity.size + origin->identity.size / 16 + 4096,
			(uint64_t)bytes_max);
	if (origin->coefficient_bytes > COEFFICIENT_BYTES_MAX)
		return -ENOTSUP;
	if (capacity <= head)
		return -E2BIG;
	struct wan_source source;
	int error = wan_origin_open(origin, &source);
	if (error < 0)
		return error;
	struct rewriting *job = wan_calloc(1, sizeof(*job));
	uint8_t *block = job ? wan_malloc((size_t)capacity) : NULL;
	if (!block) {
		wan_free(job);
		wan_source_close(&source);
		return -ENOMEM;
	}
	job->block = block;
	job->used = head;
	job->capacity = (size_t)capacity;
	job->bytes_max = bytes_max;
	wan_jpeg_input_init(&job->input);
	error = rewrite(job, &source);
	if (job->out_begun)
		jpeg_destroy_compress(&job->out); /* also right when its creation failed */
	wan_jpeg_input_finish(&job->input);
	if (error == 0 && !wan_origin_unchanged(origin, &source))
		error = -ESTALE;
	wan_source_close(&source);
	if (error == 0)
		error = check(job, image);
	if (error == 0)
		error = keep(job, image, ret_cold);
	wan_free(job->block);
	wan_free(job);
	return error;
}

int wan_cold_thaw_rewritten(const struct wan_cold_image *cold, struct wan_image **ret_image)
{
	struct wan_decode_options options;
	struct wan_source source;
	struct wan_header header;
	wan_decode_options_init(&options);
	options.max_pixels = options.max_bytes = UINT64_MAX;
	int error = wan_source_open_memory(&source, wan_cold_bytes(cold),
					   wan_cold_bytes_count(cold), NULL);
	if (error == 0)
		error = wan_probe_source(&source, &header, NULL);
	if (error < 0 || header.info.format != WAN_FORMAT_JPEG)
		return error < 0 ? error : -EBADMSG;
	header.info.exif_orientation = cold->orientation;
	source.position = 0;
	return wan_jpeg_decode(&source, &header, &options, ret_image, NULL);
}
