/* SPDX-License-Identifier: MIT */
/*
 * Pillow's open() and thumbnail(): a JPEG is decoded at 1/2, 1/4 or 1/8 as long as both sides stay
 * twice the thumbnail's, then reduced and resampled, row by row as the rows come.
 */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "convert.h"
#include "decode_rows.h"
#include "geometry.h"
#include "log.h"
#include "macros.h"
#include "thumbnail.h"

struct shrink_sink {
	struct wan_row_sink sink;
	const struct wan_row_reader *reader;
	struct wan_size full, size; /* of the file and of the thumbnail, both as stored */
	unsigned divisor;
	struct wan_row_converter converter;
	struct wan_shrinker shrinker;
	bool shrinks;
	struct wan_image *image;
	uint32_t next_row;
};

static struct shrink_sink *sink_of(struct wan_row_sink *sink)
{
	return wan_container_of(sink, struct shrink_sink, sink);
}

static struct wan_shrink_plan plan_of(struct wan_size full, struct wan_size decoded,
				      unsigned divisor, struct wan_size size,
				      enum wan_pixel_format format)
{
	return wan_shrink_plan(decoded, (double)full.width_px / divisor,
			       (double)full.height_px / divisor, size, wan_pixel_has_alpha(format));
}

static int begin_rows(struct wan_row_sink *base, enum wan_pixel_format from, struct wan_size size)
{
	struct shrink_sink *s = sink_of(base);
	const struct wan_decode_options *options = &s->reader->options;
	enum wan_pixel_format work;

	int error = wan_work_format(from, options, &work);
	if (error == 0)
		error = wan_row_converter_begin(&s->converter, from, work, options->alpha,
						size.width_px);
	if (error == 0)
		error = wan_image_create(work, s->size.width_px, s->size.height_px, &s->image);
	s->shrinks = size.width_px != s->size.width_px || size.height_px != s->size.height_px;
	if (error == 0 && s->shrinks) {
		struct wan_shrink_plan plan = plan_of(s->full, size, s->divisor, s->size, work);
		error = wan_shrinker_begin(&s->shrinker, size, &plan, s->image);
	}
	return error;
}

static void put_rows(struct wan_row_sink *base, const uint8_t *rows, size_t stride, uint32_t count)
{
	struct shrink_sink *s = sink_of(base);
	while (count > 0) {
		uint32_t part = count;
		size_t row_stride = stride;
		const uint8_t *ready =
			wan_row_converter_next(&s->converter, rows, &row_stride, &part);
		for (uint32_t i = 0; !s->shrinks && i < part; i++)
			memcpy(wan_image_row(s->image, s->next_row++), ready + i * row_stride,
			       s->image->view.stride_bytes);
		if (s->shrinks)
			wan_shrinker_put(&s->shrinker, ready, row_stride, part, true);
		rows += part * stride;
		count -= part;
	}
}

/* What the file is shrunk to, as stored, and the scale to decode it at, by Pillow's draft rule. */
static struct wan_size plan_file(const struct wan_image_info *info, struct wan_size most,
				 struct wan_decode_options *options)
{
	bool turned = wan_turn_of(info, options) >= 5;
	struct wan_size size = wan_size_thumbnail(info->width_px, info->height_px,
						  turned ? most.height_px : most.width_px,
						  turned ? most.width_px : most.height_px);
	options->min_width_px = options->min_height_px = 0;
	if (size.width_px == info->width_px && size.height_px == info->height_px)
		return size;
	uint32_t width = WAN_MIN(size.width_px, UINT32_MAX / 2) * 2;
	uint32_t height = WAN_MIN(size.height_px, UINT32_MAX / 2) * 2;
	options->min_width_px = turned ? height : width;
	options->min_height_px = turned ? width : height;
	return size;
}

/* Options are those after plan_file(). Pure. */
static int price_of(const struct wan_image_info *info, struct wan_size size,
		    const struct wan_decode_options *options, uint64_t *ret_peak_bytes)
{
	enum wan_pixel_format natural = wan_natural_format(info), work;
	int error = wan_work_format(natural, options, &work);
	if (error < 0)
		return error;
	unsigned divisor = wan_jpeg_divisor(info, options), channels = wan_pixel_channels(work);
	struct wan_size full = {info->width_px, info->height_px};
	struct wan_size decoded = {(full.width_px - 1) / divisor + 1,
				   (full.height_px - 1) / divisor + 1};
	struct wan_shrink_plan plan = plan_of(full, decoded, divisor, size, work);
	uint64_t result = (uint64_t)size.width_px * size.height_px * channels;
	uint64_t bytes = wan_rows_price(info, decoded.width_px, natural != work);
	bytes = wan_add_price(bytes, wan_shrinker_bytes(decoded, channels, &plan));
	bytes = wan_add_price(bytes, result);
	if (wan_turn_of(info, options) != 1)
		bytes = wan_add_price(bytes, result);
	*ret_peak_bytes = bytes;
	return 0;
}

static int explain(const struct wan_row_reader *reader, int error, struct wan_error *reterr_error)
{
	if (error == -EPROTONOSUPPORT)
		return wan_error_set(reterr_error, error, reader->source.name,
				     "choose what to do with alpha: drop, or over a colour",
				     "has an alpha channel, which was to be refused");
	if (error == -EINVAL)
		return wan_error_set(reterr_error, error, reader->source.name,
				     "decode to RGB8 first", "cannot be shrunk as %s",
				     wan_pixel_name(reader->options.want));
	return wan_error_set(reterr_error, error, reader->source.name, "", "%s",
			     wan_strerror(error));
}

static int shrink_file(struct wan_row_reader *reader, struct wan_size most,
		       struct wan_image **ret_image, struct wan_error *reterr_error)
{
	const struct wan_image_info *info = &reader->header.info;
	struct shrink_sink sink = {
		.sink = {begin_rows, put_rows},
		.reader = reader,
		.full = {info->width_px, info->height_px},
	};
	uint32_t warnings = 0;
	uint64_t peak;

	sink.size = plan_file(info, most, &reader->options);
	sink.divisor = wan_jpeg_divisor(info, &reader->options);
	int error = price_of(info, sink.size, &reader->options, &peak);
	if (error < 0)
		return explain(reader, error, reterr_error);
	error = wan_row_reader_run(reader, peak, &sink.sink, &warnings, reterr_error);
	wan_row_converter_finish(&sink.converter);
	wan_shrinker_finish(&sink.shrinker);
	if (error == 0) {
		error = wan_turn_upright(&sink.image, wan_turn_of(info, &reader->options));
		if (error < 0)
			(void)explain(reader, error, reterr_error);
	}
	if (error < 0) {
		wan_image_unref(sink.image);
		return error;
	}
	sink.image->view.warnings = warnings;
	*ret_image = sink.image;
	return 0;
}

int wan_image_thumbnail_file(const char *path, uint32_t max_width_px, uint32_t max_height_px,
			     const struct wan_decode_options *options, struct wan_image **ret_image,
			     struct wan_error *reterr_error)
{
	struct wan_row_reader reader;
	if (!path || !ret_image || max_width_px == 0 || max_height_px == 0)
		return wan_error_set(reterr_error, -EINVAL, "wan_image_thumbnail_file", "",
				     "an argument is missing or a size is 0");
	int error = wan_row_reader_open(&reader, path, options, reterr_error);
	if (error < 0)
		return error;
	error = shrink_file(&reader, (struct wan_size){max_width_px, max_height_px}, ret_image,
			    reterr_error);
	wan_row_reader_close(&reader);
	return error;
}

int wan_image_thumbnail_price(const struct wan_image_info *info, uint32_t max_width_px,
			      uint32_t max_height_px, const struct wan_decode_options *options,
			      uint64_t *ret_peak_bytes)
{
	struct wan_decode_options full;
	if (!info || !ret_peak_bytes || max_width_px == 0 || max_height_px == 0 ||
	    info->width_px == 0 || info->height_px == 0)
		return -EINVAL;
	int error = wan_decode_options_complete(options, &full, NULL);
	if (error < 0)
		return error;
	struct wan_size size =
		plan_file(info, (struct wan_size){max_width_px, max_height_px}, &full);
	return price_of(info, size, &full, ret_peak_bytes);
}
