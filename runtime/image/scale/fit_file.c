/* SPDX-License-Identifier: MIT */
/*
 * A file to a frame row by row, so that a source of any size takes a few rows of memory. Rows of a
 * progressive JPEG come when all its coefficients are in memory, those of an interlaced PNG when
 * all pixels are. A picture to be turned is decoded whole: its rows are columns of the result.
 */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "decode_rows.h"
#include "fit.h"
#include "log.h"
#include "macros.h"

struct fit_sink {
	struct wan_row_sink sink;
	const struct wan_row_reader *reader;
	struct wan_size result;
	enum wan_fit fit;
	enum wan_filter filter;
	struct wan_row_converter converter;
	struct wan_resampler resampler;
	struct wan_image *image;
};

static struct fit_sink *sink_of(struct wan_row_sink *sink)
{
	return wan_container_of(sink, struct fit_sink, sink);
}

static int begin_rows(struct wan_row_sink *base, enum wan_pixel_format from, struct wan_size size)
{
	struct fit_sink *s = sink_of(base);
	enum wan_pixel_format work;
	struct wan_fit_plan plan = wan_fit_plan(size, s->result, s->fit, s->filter);

	int error = wan_work_format(from, &s->reader->options, &work);
	if (error == 0)
		error = wan_row_converter_begin(&s->converter, from, work, s->reader->options.alpha,
						size.width_px);
	if (error == 0)
		error = wan_image_create(work, s->result.width_px, s->result.height_px, &s->image);
	if (error == 0 && plan.borders)
		memset(s->image->pixels, 0, s->image->view.pixels_bytes);
	if (error == 0)
		error = wan_resampler_begin(&s->resampler, size, &plan.what, s->image, plan.at_x_px,
					    plan.at_y_px);
	return error;
}

static void put_rows(struct wan_row_sink *base, const uint8_t *rows, size_t stride, uint32_t count)
{
	struct fit_sink *s = sink_of(base);
	while (count > 0) {
		uint32_t part = count;
		size_t row_stride = stride;
		const uint8_t *ready =
			wan_row_converter_next(&s->converter, rows, &row_stride, &part);
		wan_resampler_put(&s->resampler, ready, row_stride, part, true);
		rows += part * stride;
		count -= part;
	}
}

static bool row_wise(const struct wan_image_info *info, const struct wan_decode_options *options)
{
	return wan_turn_of(info, options) == 1 && !info->interlaced && info->scans <= 1;
}

/* In the options of a fit: RGB, and alpha dropped unless something else is said. */
static int complete(const struct wan_decode_options *given, struct wan_decode_options *full,
		    struct wan_error *reterr_error)
{
	int error = wan_decode_options_complete(given, full, reterr_error);
	if (error < 0)
		return error;
	full->want = WAN_PIXEL_RGB8;
	full->min_width_px = full->min_height_px = 0;
	return 0;
}

static uint64_t price_of(const struct wan_image_info *info, struct wan_size result,
			 enum wan_fit fit, enum wan_filter filter,
			 const struct wan_decode_options *options)
{
	struct wan_size full = {info->width_px, info->height_px};
	if (wan_turn_of(info, options) >= 5)
		full = (struct wan_size){info->height_px, info->width_px};
	struct wan_fit_plan plan = wan_fit_plan(full, result, fit, filter);
	uint64_t bytes = (uint64_t)result.width_px * result.height_px * 3;
	bytes = wan_add_price(bytes, wan_resampler_bytes(full, 3, &plan.what));
	if (wan_turn_of(info, options) == 1)
		return wan_add_price(bytes, wan_rows_price(info, info->width_px, true));

	struct wan_header header = {.info = *info};
	uint64_t output, unused;
	wan_price(&header, options, &output, &unused);
	bytes = wan_add_price(bytes, output);
	return wan_add_price(bytes, wan_rows_price(info, info->width_px, true));
}

static int fit_whole(const char *path, const struct fit_sink *sink, struct wan_image **ret_image,
		     struct wan_error *reterr_error)
{
	wan_cleanup(wan_image_unrefp) struct wan_image *image = NULL;
	int error = wan_image_decode(path, &sink->reader->options, &image, reterr_error);
	if (error < 0)
		return error;
	error = wan_image_fit(image, sink->result.width_px, sink->result.height_px, sink->fit,
			      sink->filter, ret_image);
	if (error < 0)
		return wan_error_set(reterr_error, error, path, "", "%s", wan_strerror(error));
	return 0;
}

static int fit_rows(struct wan_row_reader *reader, struct fit_sink *sink,
		    struct wan_image **ret_image, struct wan_error *reterr_error)
{
	uint32_t warnings = 0;
	uint64_t peak = price_of(&reader->header.info, sink->result, sink->fit, sink->filter,
				 &reader->options);
	int error = wan_row_reader_run(reader, peak, &sink->sink, &warnings, reterr_error);
	wan_row_converter_finish(&sink->converter);
	wan_resampler_finish(&sink->resampler);
	if (error < 0) {
		wan_image_unref(sink->image);
		return error;
	}
	sink->image->view.warnings = warnings;
	*ret_image = sink->image;
	return 0;
}

static bool arguments_good(uint32_t width_px, uint32_t height_px, enum wan_fit fit,
			   enum wan_filter filter)
{
	return width_px > 0 && height_px > 0 && (unsigned)fit <= WAN_FIT_CONTAIN &&
	       (unsigned)filter <= WAN_FILTER_BOX;
}

int wan_image_fit_file(const char *path, uint32_t width_px, uint32_t height_px, enum wan_fit fit,
		       enum wan_filter filter, const struct wan_decode_options *options,
		       struct wan_image **ret_image, struct wan_error *reterr_error)
{
	struct wan_decode_options full;
	struct wan_row_reader reader;
	if (!path || !ret_image || !arguments_good(width_px, height_px, fit, filter))
		return wan_error_set(reterr_error, -EINVAL, "wan_image_fit_file", "",
				     "an argument is missing or out of range");
	int error = complete(options, &full, reterr_error);
	if (error == 0)
		error = wan_row_reader_open(&reader, path, &full, reterr_error);
	if (error < 0)
		return error;
	struct fit_sink sink = {.sink = {begin_rows, put_rows},
				.reader = &reader,
				.result = {width_px, height_px},
				.fit = fit,
				.filter = filter};
	error = wan_turn_of(&reader.header.info, &full) == 1
			? fit_rows(&reader, &sink, ret_image, reterr_error)
			: fit_whole(path, &sink, ret_image, reterr_error);
	wan_row_reader_close(&reader);
	return error;
}

int wan_image_fit_price(const struct wan_image_info *info, uint32_t width_px, uint32_t height_px,
			enum wan_fit fit, enum wan_filter filter,
			const struct wan_decode_options *options, bool *ret_row_wise,
			uint64_t *ret_peak_bytes)
{
	struct wan_decode_options full;
	if (!info || !ret_peak_bytes || info->width_px == 0 || info->height_px == 0 ||
	    !arguments_good(width_px, height_px, fit, filter))
		return -EINVAL;
	int error = complete(options, &full, NULL);
	if (error < 0)
		return error;
	*ret_peak_bytes =
		price_of(info, (struct wan_size){width_px, height_px}, fit, filter, &full);
	if (ret_row_wise)
		*ret_row_wise = row_wise(info, &full);
	return 0;
}
