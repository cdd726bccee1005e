/* SPDX-License-Identifier: MIT */
/*
 * JPEG through libjpeg-turbo. Its errors come back by longjmp to read_image(), which therefore
 * keeps all it owns in struct jpeg_job; wan_jpeg_decode() cleans up in every case.
 */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "alloc.h"
#include "codec.h"
#include "jpeg_scans.h"
#include "kernels.h"
#include "log.h"
#include "macros.h"
#include "rows.h"

enum { LINES = 16 }; /* rows asked for at once; libjpeg returns 1 to 4 */

struct jpeg_job {
	struct jpeg_decompress_struct jpeg;
	struct jpeg_error_mgr errors;
	struct jpeg_source_mgr input;
	struct jpeg_progress_mgr progress;
	jmp_buf jump;
	char message[JMSG_LENGTH_MAX];

	struct wan_source *source;
	const struct wan_header *header;
	const struct wan_decode_options *options;
	bool no_memory, ended, cut_off, too_many_scans;
	uint32_t warnings;
	uint32_t scan_limit;
	struct wan_jpeg_scans scans;
	bool all_scans; /* none is to be left out */

	struct wan_row_sink *sink; /* NULL: an image is made */
	struct wan_decoded_rows rows;
	int rows_error;
	uint8_t *lines; /* LINES rows, when they cannot go straight into the image */
};

static struct jpeg_job *job_of(j_common_ptr common)
{
	return common->client_data;
}

static void on_error(j_common_ptr common)
{
	struct jpeg_job *job = job_of(common);
	if (common->err->msg_code == JERR_OUT_OF_MEMORY)
		job->no_memory = true;
	(*common->err->format_message)(common, job->message);
	longjmp(job->jump, 1);
}

static void give_up(struct jpeg_job *job, const char *message)
{
	(void)snprintf(job->message, sizeof(job->message), "%s", message);
	longjmp(job->jump, 1);
}

/* Pixels are missing: the end of the decoding, unless that was allowed. */
static void cut_off(struct jpeg_job *job)
{
	job->cut_off = true;
	if (!job->options->allow_truncated)
		give_up(job, "the file ends");
}

static void on_message(j_common_ptr common, int level)
{
	struct jpeg_job *job = job_of(common);
	if (level >= 0)
		return;
	job->warnings++;
	common->err->num_warnings++;
	/* Only now the missing bytes are missed: a file that merely lacks its end marker is whole.
	 */
	if (job->ended && common->err->msg_code == JWRN_HIT_MARKER) {
		cut_off(job);
	}
	if (job->options->strict)
		on_error(common);
}

static void on_output(j_common_ptr common)
{
	(void)common;
}

static void on_init_source(j_decompress_ptr jpeg)
{
	(void)jpeg;
}

/* count is 0 at the end of the file. */
static void next_piece(struct jpeg_job *job, const uint8_t **piece, size_t *count)
{
	struct wan_jpeg_scans *scans = &job->scans;
	*count = 0;
	while (!scans->active || !wan_jpeg_scans_next(scans, piece, count)) {
		if (wan_source_next(job->source, piece, count) < 0)
			give_up(job, "read error");
		if (!scans->active || *count == 0)
			return;
		scans->at = *piece;
		scans->left = *count;
	}
}

/* At the end of the file: an end marker is put in, as the decoder expects. */
static boolean on_fill(j_decompress_ptr jpeg)
{
	static const JOCTET end[2] = {0xff, JPEG_EOI};
	struct jpeg_job *job = job_of((j_common_ptr)jpeg);
	const uint8_t *piece = NULL;
	size_t count = 0;

	if (!job->ended)
		next_piece(job, &piece, &count);
	if (count == 0) {
		if (!job->ended)
			job->warnings++;
		job->ended = true;
		if (job->options->strict)
			cut_off(job);
		piece = end;
		count = sizeof(end);
	}
	jpeg->src->next_input_byte = piece;
	jpeg->src->bytes_in_buffer = count;
	return TRUE;
}

static void on_skip(j_decompress_ptr jpeg, long count)
{
	struct jpeg_source_mgr *src = jpeg->src;
	struct jpeg_job *job = job_of((j_common_ptr)jpeg);
	while (count > 0 && (size_t)count > src->bytes_in_buffer) {
		count -= (long)src->bytes_in_buffer;
		src->bytes_in_buffer = 0;
		(void)on_fill(jpeg);
		if (job->ended)
			return;
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

/* Called between rows of blocks while several scans are taken in: the place to stop a bomb. */
static void on_progress(j_common_ptr common)
{
	struct jpeg_job *job = job_of(common);
	if (job->jpeg.input_scan_number > (int)job->scan_limit) {
		job->too_many_scans = true;
		give_up(job, "too many scans");
	}
}

static void set_up(struct jpeg_job *job)
{
	struct jpeg_decompress_struct *jpeg = &job->jpeg;
	const struct wan_image_info *info = &job->header->info;

	jpeg_create_decompress(jpeg);
	job->input.init_source = on_init_source;
	job->input.fill_input_buffer = on_fill;
	job->input.skip_input_data = on_skip;
	job->input.resync_to_restart = jpeg_resync_to_restart;
	job->input.term_source = on_term_source;
	jpeg->src = &job->input;
	job->progress.progress_monitor = on_progress;
	jpeg->progress = &job->progress;
	job->scan_limit = wan_scan_limit((uint64_t)info->width_px * info->height_px, job->options);
	jpeg->mem->max_memory_to_use = (long)WAN_MIN(job->options->max_bytes, (uint64_t)LONG_MAX);
}

static void read_header(struct jpeg_job *job)
{
	struct jpeg_decompress_struct *jpeg = &job->jpeg;
	const struct wan_image_info *info = &job->header->info;

	(void)jpeg_read_header(jpeg, TRUE);
	/* What was priced is what is decoded: two readings of one header must agree. */
	if (jpeg->image_width != info->width_px || jpeg->image_height != info->height_px ||
	    jpeg->num_components != info->channels ||
	    (jpeg_has_multiple_scans(jpeg) && !job->header->multi_scan))
		give_up(job, "its header contradicts itself");

	jpeg->out_color_space = info->channels == 1   ? JCS_GRAYSCALE
				: info->channels == 4 ? JCS_CMYK
						      : JCS_RGB;
	jpeg->scale_num = 1;
	jpeg->scale_denom = wan_jpeg_divisor(info, job->options);
	if (jpeg->progressive_mode && jpeg->scale_denom == 8 && !job->all_scans &&
	    !job->options->strict && !job->options->allow_truncated)
		wan_jpeg_scans_begin(&job->scans, jpeg);
	(void)jpeg_start_decompress(jpeg);
	if (job->scans.active && !wan_jpeg_scans_complete(&job->scans)) {
		job->all_scans = true;
		give_up(job, "its picture is not complete");
	}
	if (job->ended && jpeg_has_multiple_scans(jpeg))
		cut_off(job);
}

static void begin_rows(struct jpeg_job *job)
{
	struct jpeg_decompress_struct *jpeg = &job->jpeg;
	const struct wan_image_info *info = &job->header->info;

	if (jpeg->output_components != info->channels)
		give_up(job, "an unexpected row size");
	enum wan_pixel_format format = wan_natural_format(info);
	job->rows_error =
		job->sink ? wan_decoded_rows_begin_sink(&job->rows, format, jpeg->output_width,
							jpeg->output_height, job->sink)
			  : wan_decoded_rows_begin(&job->rows, format, jpeg->output_width,
						   jpeg->output_height, info->exif_orientation,
						   job->options);
	if (job->rows_error < 0)
		give_up(job, "no image");
	if (!wan_decoded_rows_direct(&job->rows, 0)) {
		job->lines = wan_malloc((size_t)LINES * jpeg->output_width *
						(size_t)jpeg->output_components +
					WAN_LINE_PADDING);
		if (!job->lines) {
			job->rows_error = -ENOMEM;
			give_up(job, "no memory");
		}
	}
}

/* Ink is stored inverted (Adobe's convention, which all readers assume). */
static void invert(uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		bytes[i] = (uint8_t)~bytes[i];
}

/* Rows first to first + count - 1, as far as libjpeg's own bursts go in one call. */
static uint32_t read_burst(struct jpeg_job *job, uint32_t first, uint32_t count, uint32_t done)
{
	struct jpeg_decompress_struct *jpeg = &job->jpeg;
	size_t row_bytes = (size_t)jpeg->output_width * (size_t)jpeg->output_components;
	JSAMPROW rows[LINES];
	for (uint32_t i = 0; i < count; i++)
		rows[i] = job->lines ? job->lines + (done + i) * row_bytes
				     : wan_decoded_rows_direct(&job->rows, first + i);
	uint32_t got = jpeg_read_scanlines(jpeg, rows, count);
	if (got == 0)
		give_up(job, "the decoder stopped");
	for (uint32_t i = 0; jpeg->out_color_space == JCS_CMYK && i < got; i++)
		invert(rows[i], row_bytes);
	return got;
}

static void read_rows(struct jpeg_job *job)
{
	struct jpeg_decompress_struct *jpeg = &job->jpeg;
	size_t row_bytes = (size_t)jpeg->output_width * (size_t)jpeg->output_components;

	while (jpeg->output_scanline < jpeg->output_height) {
		uint32_t first = jpeg->output_scanline, done = 0;
		uint32_t count = WAN_MIN((uint32_t)LINES, jpeg->output_height - first);
		while (done < count)
			done += read_burst(job, first + done, count - done, done);
		if (job->lines)
			wan_decoded_rows_put_many(&job->rows, first, job->lines, row_bytes, count);
	}
	/* Arithmetic coding goes on with zeros at the end of the file and does not say so. */
	if (job->ended && job->header->arithmetic)
		cut_off(job);
	if (job->options->strict)
		(void)jpeg_finish_decompress(jpeg);
}

/* 0, or -EBADMSG when libjpeg or a limit stopped it. */
static int read_image(struct jpeg_job *job)
{
	if (setjmp(job->jump) != 0)
		return -EBADMSG;
	set_up(job);
	read_header(job);
	begin_rows(job);
	read_rows(job);
	return 0;
}

static int explain(const struct jpeg_job *job, struct wan_error *reterr_error)
{
	const char *name = job->source->name;
	const struct wan_image_info *info = &job->header->info;

	if (job->source->error < 0)
		return wan_error_set(reterr_error, job->source->error, name, "",
				     "cannot be read: %s", strerror(-job->source->error));
	if (job->rows_error == -EINVAL)
		return wan_error_set(reterr_error, job->rows_error, name, "decode to RGB8 first",
				     "cannot be decoded straight to %s",
				     wan_pixel_name(job->options->want));
	if (job->no_memory || job->rows_error < 0)
		return wan_error_set(reterr_error, -ENOMEM, name,
				     "free memory or scale the image down first",
				     "needs %llu bytes to decode, which are not available",
				     (unsigned long long)info->peak_bytes);
	if (job->too_many_scans)
		return wan_error_set(reterr_error, -EFBIG, name,
				     "save it again as a baseline JPEG (jpegtran -copy all IN)",
				     "has more than %u scans, the limit for its size",
				     job->scan_limit);
	if (job->cut_off && job->header->multi_scan)
		return wan_error_set(reterr_error, -EBADMSG, name,
				     "copy or download the file again",
				     "is cut off in scan %d, before the image is complete",
				     job->jpeg.input_scan_number);
	if (job->cut_off)
		return wan_error_set(reterr_error, -EBADMSG, name,
				     "copy or download the file again",
				     "is cut off after row %u of %u", job->jpeg.output_scanline,
				     job->jpeg.output_height);
	return wan_error_set(reterr_error, -EBADMSG, name, "copy or download the file again",
			     "is a damaged JPEG: %s", job->message);
}

static int run(struct jpeg_job *job, struct wan_error *reterr_error)
{
	job->jpeg.err = jpeg_std_error(&job->errors);
	job->jpeg.client_data = job;
	job->errors.error_exit = on_error;
	job->errors.emit_message = on_message;
	job->errors.output_message = on_output;

	int error = read_image(job);
	if (error < 0 && job->scans.active && job->all_scans) {
		/* No row has been read yet: all over again, with everything. */
		jpeg_destroy_decompress(&job->jpeg);
		job->scans.active = job->ended = job->cut_off = false;
		job->warnings = 0;
		job->source->position = 0;
		error = read_image(job);
	}
	return error == 0 ? 0 : explain(job, reterr_error);
}

static void clean_up(struct jpeg_job *job)
{
	wan_decoded_rows_finish(&job->rows);
	wan_free(job->lines);
	jpeg_destroy_decompress(&job->jpeg); /* also right when its creation failed */
}

int wan_jpeg_decode(struct wan_source *source, const struct wan_header *header,
		    const struct wan_decode_options *options, struct wan_image **ret_image,
		    struct wan_error *reterr_error)
{
	struct jpeg_job job = {.source = source, .header = header, .options = options};
	int error = run(&job, reterr_error);
	if (error == 0) {
		job.rows.image->view.warnings = job.warnings;
		*ret_image = wan_decoded_rows_take(&job.rows);
	}
	clean_up(&job);
	return error;
}

int wan_jpeg_decode_rows(struct wan_source *source, const struct wan_header *header,
			 const struct wan_decode_options *options, struct wan_row_sink *sink,
			 uint32_t *ret_warnings, struct wan_error *reterr_error)
{
	struct jpeg_job job = {
		.source = source, .header = header, .options = options, .sink = sink};
	int error = run(&job, reterr_error);
	if (error == 0)
		*ret_warnings = job.warnings;
	clean_up(&job);
	return error;
}
