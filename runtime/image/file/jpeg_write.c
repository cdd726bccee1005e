/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>
#include <jerror.h>

#include "alloc.h"
#include "buffer.h"
#include "codec.h"
#include "log.h"
#include "output.h"

enum { PIECE_BYTES = 16384 };

struct jpeg_job {
	struct jpeg_compress_struct jpeg;
	struct jpeg_error_mgr errors;
	struct jpeg_destination_mgr destination;
	jmp_buf jump;
	char message[JMSG_LENGTH_MAX];
	const struct wan_image *image;
	struct wan_output *output;
	const struct wan_encode_options *options;
	uint8_t *line; /* CMYK: one inverted row */
	uint8_t piece[PIECE_BYTES];
};

static struct jpeg_job *job_of(j_common_ptr common)
{
	return common->client_data;
}

static void on_error(j_common_ptr common)
{
	struct jpeg_job *job = job_of(common);
	(*common->err->format_message)(common, job->message);
	longjmp(job->jump, 1);
}

static void on_message(j_common_ptr common, int level)
{
	(void)common;
	(void)level;
}

static void on_output(j_common_ptr common)
{
	(void)common;
}

static void on_begin(j_compress_ptr jpeg)
{
	struct jpeg_job *job = job_of((j_common_ptr)jpeg);
	jpeg->dest->next_output_byte = job->piece;
	jpeg->dest->free_in_buffer = PIECE_BYTES;
}

static boolean on_full(j_compress_ptr jpeg)
{
	struct jpeg_job *job = job_of((j_common_ptr)jpeg);
	if (wan_output_write(job->output, job->piece, PIECE_BYTES) < 0)
		longjmp(job->jump, 1);
	on_begin(jpeg);
	return TRUE;
}

static void on_end(j_compress_ptr jpeg)
{
	struct jpeg_job *job = job_of((j_common_ptr)jpeg);
	(void)wan_output_write(job->output, job->piece, PIECE_BYTES - jpeg->dest->free_in_buffer);
}

static void set_up(struct jpeg_job *job)
{
	const struct wan_image_view *view = &job->image->view;
	struct jpeg_compress_struct *jpeg = &job->jpeg;

	jpeg_create_compress(jpeg);
	job->destination.init_destination = on_begin;
	job->destination.empty_output_buffer = on_full;
	job->destination.term_destination = on_end;
	jpeg->dest = &job->destination;
	jpeg->image_width = view->width_px;
	jpeg->image_height = view->height_px;
	jpeg->input_components = (int)view->channels;
	jpeg->in_color_space = view->channels == 1   ? JCS_GRAYSCALE
			       : view->channels == 4 ? JCS_CMYK
						     : JCS_RGB;
	jpeg_set_defaults(jpeg);
	jpeg_set_quality(jpeg, (int)job->options->jpeg_quality, TRUE);
	if (job->options->jpeg_progressive)
		jpeg_simple_progression(jpeg);
}

static void write_rows(struct jpeg_job *job)
{
	const struct wan_image_view *view = &job->image->view;
	bool ink = view->format == WAN_PIXEL_CMYK8;

	jpeg_start_compress(&job->jpeg, TRUE);
	while (job->jpeg.next_scanline < view->height_px) {
		JSAMPROW row = wan_image_row(job->image, job->jpeg.next_scanline);
		if (ink) { /* stored inverted, as Adobe does and all readers expect */
			for (size_t i = 0; i < view->stride_bytes; i++)
				job->line[i] = (uint8_t)~row[i];
			row = job->line;
		}
		(void)jpeg_write_scanlines(&job->jpeg, &row, 1);
	}
	jpeg_finish_compress(&job->jpeg);
}

static int write_image(struct jpeg_job *job)
{
	if (setjmp(job->jump) != 0)
		return -EIO;
	set_up(job);
	write_rows(job);
	return 0;
}

int wan_jpeg_encode(const struct wan_image *image, struct wan_output *output,
		    const struct wan_encode_options *options, struct wan_error *reterr_error)
{
	struct jpeg_job *job = wan_calloc(1, sizeof(*job));
	uint8_t *line = wan_malloc(image->view.stride_bytes);
	int error = -ENOMEM;

	if (job && line) {
		job->image = image;
		job->output = output;
		job->options = options;
		job->line = line;
		job->jpeg.err = jpeg_std_error(&job->errors);
		job->jpeg.client_data = job;
		job->errors.error_exit = on_error;
		job->errors.emit_message = on_message;
		job->errors.output_message = on_output;
		error = write_image(job);
		jpeg_destroy_compress(&job->jpeg); /* also right when its creation failed */
	}
	/* A failed write speaks for itself when the output is committed or given up. */
	if (error == -EIO && output->error < 0)
		error = 0;
	if (error == -ENOMEM)
		(void)wan_error_set(reterr_error, error, output->path, "",
				    "no memory to encode it");
	else if (error < 0)
		(void)wan_error_set(reterr_error, error, output->path, "", "cannot be encoded: %s",
				    job->message);
	wan_free(line);
	wan_free(job);
	return error;
}
