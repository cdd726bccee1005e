/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "alloc.h"
#include "convert.h"
#include "decode_rows.h"
#include "kernels.h"
#include "log.h"
#include "macros.h"

/* jpeg_read.c hands over so many at once. */
enum { ROWS_BUFFERED = 16 };

int wan_row_reader_open(struct wan_row_reader *ret_reader, const char *path,
			const struct wan_decode_options *options, struct wan_error *reterr_error)
{
	struct wan_row_reader made;
	int error = wan_decode_options_complete(options, &made.options, reterr_error);
	if (error == 0)
		error = wan_source_open_file(&made.source, path, reterr_error);
	if (error < 0)
		return error;
	error = wan_probe_source(&made.source, &made.header, reterr_error);
	if (error < 0) {
		wan_source_close(&made.source);
		return error;
	}
	*ret_reader = made;
	return 0;
}

void wan_row_reader_close(struct wan_row_reader *reader)
{
	wan_source_close(&reader->source);
}

/* The limits of whole images, but for the price: less than that is held. */
static int check_limits(const struct wan_row_reader *reader, uint64_t peak_bytes,
			struct wan_error *reterr_error)
{
	const struct wan_image_info *info = &reader->header.info;
	struct wan_decode_options unpriced = reader->options;
	uint64_t most = WAN_MAX(peak_bytes, info->file_bytes);
	if (most > reader->options.max_bytes)
		return wan_error_set(reterr_error, -EFBIG, reader->source.name,
				     "raise image.max_bytes or scale the image down first",
				     "would take %llu bytes, more than image.max_bytes (%llu)",
				     (unsigned long long)most,
				     (unsigned long long)reader->options.max_bytes);
	unpriced.max_bytes = UINT64_MAX;
	return wan_limits_check(reader->source.name, &reader->header, &unpriced, reterr_error);
}

uint64_t wan_rows_price(const struct wan_image_info *info, uint32_t decoded_width_px, bool converts)
{
	unsigned pixel = info->channels * (info->bit_depth > 8 ? 2u : 1u);
	/* As probed: what the decoder takes beside the whole result. */
	uint64_t bytes = info->peak_bytes - info->output_bytes;
	if (info->format == WAN_FORMAT_PNG && info->interlaced)
		bytes = wan_add_price(bytes, info->output_bytes);
	bytes = wan_add_price(bytes, (uint64_t)decoded_width_px * pixel * ROWS_BUFFERED);
	if (converts) /* four rows of four bytes a pixel, and scratch */
		bytes = wan_add_price(bytes, (uint64_t)decoded_width_px * 4 * WAN_LINES_AT_ONCE +
						     wan_convert_scratch_bytes(decoded_width_px));
	return bytes;
}

int wan_row_reader_run(struct wan_row_reader *reader, uint64_t peak_bytes,
		       struct wan_row_sink *sink, uint32_t *ret_warnings,
		       struct wan_error *reterr_error)
{
	struct wan_source *source = &reader->source;
	const struct wan_header *header = &reader->header;
	int error = check_limits(reader, peak_bytes, reterr_error);
	if (error < 0)
		return error;
	source->position = 0;
	if (header->info.format == WAN_FORMAT_PNG)
		return wan_png_decode_rows(source, header, &reader->options, sink, ret_warnings,
					   reterr_error);
	return wan_jpeg_decode_rows(source, header, &reader->options, sink, ret_warnings,
				    reterr_error);
}

int wan_work_format(enum wan_pixel_format natural, const struct wan_decode_options *options,
		    enum wan_pixel_format *ret_format)
{
	enum wan_pixel_format target;
	int error = wan_target_format(natural, options->want, options->alpha, &target);
	if (error < 0)
		return error;
	if (!wan_convert_known(natural, target))
		return -EINVAL;
	switch (target) {
	case WAN_PIXEL_GRAY16:
		target = WAN_PIXEL_GRAY8;
		break;
	case WAN_PIXEL_GRAYA16:
		target = WAN_PIXEL_GRAYA8;
		break;
	case WAN_PIXEL_RGB16:
		target = WAN_PIXEL_RGB8;
		break;
	case WAN_PIXEL_RGBA16:
		target = WAN_PIXEL_RGBA8;
		break;
	default:
		break;
	}
	*ret_format = target;
	return 0;
}

uint8_t wan_turn_of(const struct wan_image_info *info, const struct wan_decode_options *options)
{
	return options->apply_orientation ? info->exif_orientation : 1;
}

int wan_row_converter_begin(struct wan_row_converter *ret_converter, enum wan_pixel_format from,
			    enum wan_pixel_format to, enum wan_alpha_policy alpha,
			    uint32_t width_px)
{
	struct wan_row_converter made = {
		.from = from, .to = to, .alpha = alpha, .width_px = width_px};
	if (from != to) {
		made.stride_bytes = (size_t)width_px * wan_pixel_channels(to) + WAN_LINE_PADDING;
		made.rows = wan_calloc(WAN_LINES_AT_ONCE, made.stride_bytes);
		made.scratch = wan_malloc(wan_convert_scratch_bytes(width_px));
		if (!made.rows || !made.scratch) {
			wan_row_converter_finish(&made);
			return -ENOMEM;
		}
	}
	*ret_converter = made;
	return 0;
}

const uint8_t *wan_row_converter_next(struct wan_row_converter *converter, const uint8_t *rows,
				      size_t *stride, uint32_t *count)
{
	if (!converter->rows)
		return rows;
	*count = WAN_MIN(*count, (uint32_t)WAN_LINES_AT_ONCE);
	for (uint32_t i = 0; i < *count; i++)
		wan_convert_row(converter->from, rows + i * *stride, converter->to,
				converter->rows + i * converter->stride_bytes, converter->width_px,
				converter->alpha, converter->scratch);
	*stride = converter->stride_bytes;
	return converter->rows;
}

void wan_row_converter_finish(struct wan_row_converter *converter)
{
	wan_free(converter->rows);
	wan_free(converter->scratch);
	converter->rows = NULL;
	converter->scratch = NULL;
}

int wan_turn_upright(struct wan_image **image, uint8_t orientation)
{
	const struct wan_image_view *view = &(*image)->view;
	struct wan_decode_options options;
	struct wan_decoded_rows rows = {.image = NULL};

	if (orientation == 1)
		return 0;
	wan_decode_options_init(&options);
	int error = wan_decoded_rows_begin(&rows, view->format, view->width_px, view->height_px,
					   orientation, &options);
	if (error < 0)
		return error;
	wan_decoded_rows_put_many(&rows, 0, (*image)->pixels, view->stride_bytes, view->height_px);
	wan_image_unref(*image);
	*image = wan_decoded_rows_take(&rows);
	wan_decoded_rows_finish(&rows);
	return 0;
}
