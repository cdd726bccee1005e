/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <string.h>

#include "alloc.h"
#include "buffer.h"
#include "codec.h"
#include "log.h"
#include "output.h"

struct png_job {
	const struct wan_image *image;
	struct wan_output *output;
	const struct wan_encode_options *options;
	png_structp png;
	png_infop png_info;
	jmp_buf jump;
	char message[96];
};

static void on_error(png_structp png, png_const_charp message)
{
	struct png_job *job = png_get_error_ptr(png);
	(void)strncpy(job->message, message ? message : "", sizeof(job->message) - 1);
	longjmp(job->jump, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
	(void)png;
	(void)message;
}

static void *on_malloc(png_structp png, png_alloc_size_t bytes)
{
	(void)png;
	return wan_malloc(bytes);
}

static void on_free(png_structp png, void *block)
{
	(void)png;
	wan_free(block);
}

static void on_write(png_structp png, png_bytep bytes, size_t count)
{
	struct png_job *job = png_get_io_ptr(png);
	if (wan_output_write(job->output, bytes, count) < 0)
		png_error(png, "write error");
}

static void on_flush(png_structp png)
{
	(void)png;
}

static int color_type(enum wan_pixel_format format)
{
	switch (wan_pixel_channels(format)) {
	case 1:
		return PNG_COLOR_TYPE_GRAY;
	case 2:
		return PNG_COLOR_TYPE_GRAY_ALPHA;
	case 3:
		return PNG_COLOR_TYPE_RGB;
	default:
		return PNG_COLOR_TYPE_RGB_ALPHA;
	}
}

static void write_rows(struct png_job *job)
{
	const struct wan_image_view *view = &job->image->view;
	png_structp png = job->png;
	bool wide = wan_pixel_sample_bytes(view->format) == 2;

	png_set_write_fn(png, job, on_write, on_flush);
	png_set_compression_level(png, (int)job->options->png_level);
	png_set_user_limits(png, view->width_px, view->height_px);
	png_set_IHDR(png, job->png_info, view->width_px, view->height_px, wide ? 16 : 8,
		     color_type(view->format),
		     job->options->png_interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
		     PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_write_info(png, job->png_info);
	if (wide && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
		png_set_swap(png);
	int passes = png_set_interlace_handling(png);
	for (int pass = 0; pass < passes; pass++)
		for (uint32_t y = 0; y < view->height_px; y++)
			png_write_row(png, wan_image_row(job->image, y));
	png_write_end(png, NULL);
}

static int write_image(struct png_job *job)
{
	if (setjmp(job->jump) != 0)
		return -EIO;
	job->png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, job, on_error, on_warning, job,
					     on_malloc, on_free);
	if (!job->png)
		return -ENOMEM;
	job->png_info = png_create_info_struct(job->png);
	if (!job->png_info)
		return -ENOMEM;
	write_rows(job);
	return 0;
}

int wan_png_encode(const struct wan_image *image, struct wan_output *output,
		   const struct wan_encode_options *options, struct wan_error *reterr_error)
{
	struct png_job job = {.image = image, .output = output, .options = options};
	int error = write_image(&job);
	png_destroy_write_struct(&job.png, &job.png_info);
	/* A failed write speaks for itself when the output is given up or committed. */
	if (error == -EIO && output->error == 0)
		return wan_error_set(reterr_error, -ENOMEM, output->path, "",
				     "cannot be encoded: %s", job.message);
	if (error == -ENOMEM)
		return wan_error_set(reterr_error, -ENOMEM, output->path, "",
				     "no memory to encode it");
	return 0;
}
