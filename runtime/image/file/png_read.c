/* SPDX-License-Identifier: MIT */
/*
 * PNG through libpng. Its errors come back by longjmp to read_image(), which therefore keeps all it
 * owns in struct png_job; wan_png_decode() cleans up in every case.
 */
#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <string.h>

#include "alloc.h"
#include "codec.h"
#include "kernels.h"
#include "log.h"
#include "macros.h"
#include "pool.h"
#include "rows.h"

/* Sizes of the file format. */
enum { SIGNATURE_BYTES = 8, CHUNK_HEAD_BYTES = 8, CHUNK_CHECK_BYTES = 4 };
#define CHUNK_BYTES_LONGEST 0x7fffffff
/* libpng's own default for one ancillary chunk. */
#define CHUNK_BYTES_MAX 8000000

struct png_job {
	struct wan_source *source;
	const struct wan_header *header;
	const struct wan_decode_options *options;

	png_structp png;
	png_infop png_info;
	jmp_buf jump;
	char message[96];
	uint32_t warnings;
	bool no_memory, ended;

	const uint8_t *piece; /* what is left of the source's current piece */
	size_t piece_left;
	uint64_t position;     /* of the next byte for libpng */
	uint64_t next_head_at; /* where the next chunk begins */

	struct wan_row_sink *sink; /* NULL: an image is made */
	struct wan_decoded_rows rows;
	int rows_error;
	bool rows_begun;
	uint32_t row, pass; /* being decoded */
	bool rows_done;
	uint8_t *whole; /* Adam7 with rows to convert: the natural image */
	size_t whole_mapped;
	uint8_t *line; /* one natural row */
};

static void on_error(png_structp png, png_const_charp message)
{
	struct png_job *job = png_get_error_ptr(png);
	(void)strncpy(job->message, message ? message : "", sizeof(job->message) - 1);
	longjmp(job->jump, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
	struct png_job *job = png_get_error_ptr(png);
	job->warnings++;
	if (job->options->strict)
		on_error(png, message);
}

static void *on_malloc(png_structp png, png_alloc_size_t bytes)
{
	struct png_job *job = png_get_mem_ptr(png);
	void *block = wan_malloc(bytes);
	if (!block)
		job->no_memory = true;
	return block;
}

static void on_free(png_structp png, void *block)
{
	(void)png;
	wan_free(block);
}

/*
 * libpng asks for up to 4 kB of pixels at a time and drops them all when the file ends within. A
 * chunk that ends where the file does is inflated to its last byte. (Up to 258 bytes of pixels may
 * then still wait inside inflate: never more than the last row, unless rows are shorter.)
 */
static void see_chunk(struct png_job *job, uint8_t *head)
{
	uint32_t bytes = png_get_uint_32(head);
	uint64_t left = job->source->size - WAN_MIN(job->source->size, job->position);
	job->next_head_at = job->position + bytes + CHUNK_CHECK_BYTES;
	if (job->options->allow_truncated && memcmp(head + 4, "IDAT", 4) == 0 &&
	    bytes <= CHUNK_BYTES_LONGEST && bytes > left)
		png_save_uint_32(head, (uint32_t)left);
}

static void on_read(png_structp png, png_bytep to, size_t count)
{
	struct png_job *job = png_get_io_ptr(png);
	bool is_head = count == CHUNK_HEAD_BYTES && job->position == job->next_head_at;
	png_bytep head = to;
	job->position += count;
	while (count > 0) {
		if (job->piece_left == 0) {
			if (wan_source_next(job->source, &job->piece, &job->piece_left) < 0)
				png_error(png, "read error");
			if (job->piece_left == 0) {
				job->ended = true;
				png_error(png, "the file ends");
			}
		}
		size_t part = WAN_MIN(count, job->piece_left);
		memcpy(to, job->piece, part);
		job->piece += part;
		job->piece_left -= part;
		to += part;
		count -= part;
	}
	if (is_head)
		see_chunk(job, head);
}

/* Text, profiles and colour hints are skipped unread: a few bytes of them can hold megabytes. */
static void skip_ancillary(png_structp png)
{
	static const png_byte skipped[] = "bKGD\0cHRM\0eXIf\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0"
					  "pCAL\0pHYs\0sBIT\0sCAL\0sPLT\0sRGB\0tEXt\0tIME\0zTXt";
	png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
	png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, skipped, sizeof(skipped) / 5);
}

static void read_header(struct png_job *job)
{
	png_structp png = job->png;
	const struct wan_image_info *info = &job->header->info;

	png_set_read_fn(png, job, on_read);
	png_set_user_limits(png, info->width_px, info->height_px);
	png_set_chunk_cache_max(png, job->options->max_chunks);
	png_set_chunk_malloc_max(png, CHUNK_BYTES_MAX);
	skip_ancillary(png);
	png_read_info(png, job->png_info);

	if (png_get_image_width(png, job->png_info) != info->width_px ||
	    png_get_image_height(png, job->png_info) != info->height_px)
		png_error(png, "the header changed while it was read");
	/* Palette to RGB, 1-4 bit grey to 8, transparency to an alpha channel; 16 bits in our
	 * order. */
	png_set_expand(png);
	if (png_get_bit_depth(png, job->png_info) == 16 &&
	    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
		png_set_swap(png);
	(void)png_set_interlace_handling(png);
	png_read_update_info(png, job->png_info);
}

static enum wan_pixel_format natural_format(const struct png_job *job)
{
	/* The decoder decides, not the probe: it may have dropped a damaged tRNS. */
	struct wan_image_info info = job->header->info;
	info.channels = png_get_channels(job->png, job->png_info);
	info.bit_depth = png_get_bit_depth(job->png, job->png_info);
	return wan_natural_format(&info);
}

/* Memory for rows. Returns through png_error() when there is none. */
static void begin_rows(struct png_job *job)
{
	const struct wan_image_info *info = &job->header->info;
	size_t row_bytes = png_get_rowbytes(job->png, job->png_info);

	job->rows_error =
		job->sink ? wan_decoded_rows_begin_sink(&job->rows, natural_format(job),
							info->width_px, info->height_px, job->sink)
			  : wan_decoded_rows_begin(&job->rows, natural_format(job), info->width_px,
						   info->height_px, info->exif_orientation,
						   job->options);
	if (job->rows_error < 0)
		png_error(job->png, "no image");
	if (job->options->allow_truncated && !job->sink)
		memset(job->rows.image->pixels, 0, job->rows.image->view.pixels_bytes);
	if (wan_decoded_rows_direct(&job->rows, 0)) {
		if (row_bytes != job->rows.image->view.stride_bytes)
			png_error(job->png, "an unexpected row size");
		job->rows_begun = true;
		return;
	}
	if (info->interlaced) {
		size_t bytes;
		if (!__builtin_mul_overflow(row_bytes, (size_t)info->height_px, &bytes))
			job->whole = wan_pool_get(bytes + WAN_LINE_PADDING, &job->whole_mapped);
		if (job->whole && job->options->allow_truncated)
			memset(job->whole, 0, bytes);
	} else {
		job->line = wan_malloc(row_bytes + WAN_LINE_PADDING);
	}
	if (!job->whole && !job->line) {
		job->rows_error = -ENOMEM;
		png_error(job->png, "no memory");
	}
	job->rows_begun = true;
}

static void put_whole(struct png_job *job)
{
	size_t row_bytes = png_get_rowbytes(job->png, job->png_info);
	for (uint32_t y = 0; job->whole && y < job->header->info.height_px; y++)
		wan_decoded_rows_put(&job->rows, y, job->whole + (size_t)y * row_bytes);
}

static void read_rows(struct png_job *job)
{
	const struct wan_image_info *info = &job->header->info;
	size_t row_bytes = png_get_rowbytes(job->png, job->png_info);
	uint32_t passes = info->interlaced ? 7 : 1;

	for (job->pass = 0; job->pass < passes; job->pass++) {
		for (job->row = 0; job->row < info->height_px; job->row++) {
			uint8_t *to = wan_decoded_rows_direct(&job->rows, job->row);
			if (!to)
				to = job->whole ? job->whole + (size_t)job->row * row_bytes
						: job->line;
			png_read_row(job->png, to, NULL);
			if (job->line)
				wan_decoded_rows_put(&job->rows, job->row, job->line);
		}
	}
	put_whole(job);
	job->rows_done = true;
	/* Behind the last pixel only completeness is to be learned. */
	if (job->options->strict)
		png_read_end(job->png, NULL);
}

/* 0, or -EBADMSG when libpng gave up. */
static int read_image(struct png_job *job)
{
	if (setjmp(job->jump) != 0)
		return -EBADMSG;
	job->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, job, on_error, on_warning, job,
					    on_malloc, on_free);
	if (!job->png)
		return -ENOMEM;
	job->png_info = png_create_info_struct(job->png);
	if (!job->png_info)
		return -ENOMEM;
	read_header(job);
	begin_rows(job);
	read_rows(job);
	return 0;
}

static int explain(const struct png_job *job, struct wan_error *reterr_error)
{
	const char *name = job->source->name;
	if (job->source->error < 0)
		return wan_error_set(reterr_error, job->source->error, name, "",
				     "cannot be read: %s", strerror(-job->source->error));
	if (job->rows_error == -EPROTONOSUPPORT)
		return wan_error_set(reterr_error, job->rows_error, name,
				     "choose what to do with alpha: drop, white or black",
				     "has an alpha channel, which was to be refused");
	if (job->rows_error == -EINVAL)
		return wan_error_set(reterr_error, job->rows_error, name, "decode to RGB8 first",
				     "cannot be decoded straight to %s",
				     wan_pixel_name(job->options->want));
	if (job->no_memory || job->rows_error < 0 || !job->png || !job->png_info)
		return wan_error_set(reterr_error, -ENOMEM, name,
				     "free memory or scale the image down first",
				     "needs %llu bytes to decode, which are not available",
				     (unsigned long long)job->header->info.peak_bytes);
	if (job->ended && job->header->info.interlaced)
		return wan_error_set(reterr_error, -EBADMSG, name,
				     "copy or download the file again",
				     "is cut off in row %u of %u, pass %u of 7", job->row,
				     job->header->info.height_px, job->pass + 1);
	if (job->ended)
		return wan_error_set(
			reterr_error, -EBADMSG, name, "copy or download the file again",
			"is cut off after row %u of %u", job->row, job->header->info.height_px);
	return wan_error_set(reterr_error, -EBADMSG, name, "copy or download the file again",
			     "is a damaged PNG (row %u of %u): %s", job->row,
			     job->header->info.height_px, job->message);
}

/* A sink is given black rows for those that are missing; an image holds them already. */
static void put_missing(struct png_job *job)
{
	put_whole(job);
	if (!job->sink || !job->line)
		return;
	memset(job->line, 0, png_get_rowbytes(job->png, job->png_info));
	for (; job->row < job->header->info.height_px; job->row++)
		wan_decoded_rows_put(&job->rows, job->row, job->line);
}

static int run(struct png_job *job, struct wan_error *reterr_error)
{
	int error = read_image(job);
	if (error == -EBADMSG && job->ended && job->options->allow_truncated && job->rows_begun) {
		put_missing(job);
		job->warnings++;
		error = 0;
	}
	return error == 0 ? 0 : explain(job, reterr_error);
}

static void clean_up(struct png_job *job)
{
	wan_decoded_rows_finish(&job->rows);
	wan_pool_put(job->whole, job->whole_mapped);
	wan_free(job->line);
	png_destroy_read_struct(&job->png, &job->png_info, NULL);
}

int wan_png_decode(struct wan_source *source, const struct wan_header *header,
		   const struct wan_decode_options *options, struct wan_image **ret_image,
		   struct wan_error *reterr_error)
{
	struct png_job job = {.source = source,
			      .header = header,
			      .options = options,
			      .next_head_at = SIGNATURE_BYTES};
	int error = run(&job, reterr_error);
	if (error == 0) {
		job.rows.image->view.warnings = job.warnings;
		*ret_image = wan_decoded_rows_take(&job.rows);
	}
	clean_up(&job);
	return error;
}

int wan_png_decode_rows(struct wan_source *source, const struct wan_header *header,
			const struct wan_decode_options *options, struct wan_row_sink *sink,
			uint32_t *ret_warnings, struct wan_error *reterr_error)
{
	struct png_job job = {.source = source,
			      .header = header,
			      .options = options,
			      .next_head_at = SIGNATURE_BYTES,
			      .sink = sink};
	int error = run(&job, reterr_error);
	if (error == 0)
		*ret_warnings = job.warnings;
	clean_up(&job);
	return error;
}
