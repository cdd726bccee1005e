/* SPDX-License-Identifier: MIT */
/*
 * The way of an image from bytes to pixels: probe (header) > price > limits > png or jpeg > rows.
 * Nothing larger than one window is allocated before the price has been accepted.
 */
#ifndef WAN_IMAGE_CODEC_H
#define WAN_IMAGE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source.h"
#include "wan/image.h"

/* Defaults of image.max_pixels, image.max_bytes, image.max_scans, image.max_chunks. */
#define WAN_IMAGE_MAX_PIXELS ((uint64_t)16384 * 16384)
#define WAN_IMAGE_MAX_BYTES  ((uint64_t)2048 * 1024 * 1024)
#define WAN_IMAGE_MAX_SCANS  100u
#define WAN_IMAGE_MAX_CHUNKS 1000u

/* What the header says, with what only the price needs. */
struct wan_header {
	struct wan_image_info info;
	bool multi_scan;            /* JPEG: coefficients of the whole image are kept */
	bool arithmetic;            /* JPEG: blocks may take far less than a bit */
	uint64_t coefficient_bytes; /* JPEG: what multi_scan keeps */
	uint64_t smallest_blocks;   /* JPEG: 8x8 blocks of the smallest component */
	uint64_t scans_at;          /* JPEG: where the first scan begins */
};

/* Fill *ret_header from the first bytes; also on -ENOTSUP, as far as known. */
int wan_probe_source(struct wan_source *source, struct wan_header *ret_header,
		     struct wan_error *reterr_error);
/* The header of a file as wan_image_probe() tells it; but whose price with these options is more
 * than room_bytes is refused anyway, and its scans are not counted: that reads the whole file. */
int wan_probe_within(const char *path, const struct wan_decode_options *options,
		     uint64_t room_bytes, struct wan_image_info *ret_info,
		     struct wan_error *reterr_error);
int wan_probe_png(struct wan_source *source, struct wan_header *ret_header,
		  struct wan_error *reterr_error);
int wan_probe_jpeg(struct wan_source *source, struct wan_header *ret_header,
		   struct wan_error *reterr_error);
/* Of what was probed: counts the scans where that is worth it. */
void wan_probe_jpeg_scans(struct wan_source *source, struct wan_header *header);
/* Formats that are recognised only. 0 (recognised; sizes where the header is simple), -ENOENT.
 * Pure. */
int wan_probe_foreign(const uint8_t *head, size_t count, struct wan_image_info *ret_info);
/* "WebP"; the command that converts it, with IN for the file. */
const char *wan_format_name(enum wan_file_format format);
const char *wan_format_hint(enum wan_file_format format);

/* The format in which no information of the file is lost. Pure. */
enum wan_pixel_format wan_natural_format(const struct wan_image_info *info);
/* What want and alpha make of natural pixels. Returns 0, -EPROTONOSUPPORT. Pure. */
int wan_target_format(enum wan_pixel_format natural, enum wan_pixel_format want,
		      enum wan_alpha_policy alpha, enum wan_pixel_format *ret_target);
/* JPEG: the divisor 1, 2, 4 or 8 of both sides that keeps at least min_width x min_height. Pure. */
unsigned wan_jpeg_divisor(const struct wan_image_info *info,
			  const struct wan_decode_options *options);

/* Bytes of the result and of result plus decoder at their highest; saturating. Pure. */
void wan_price(const struct wan_header *header, const struct wan_decode_options *options,
	       uint64_t *ret_output_bytes, uint64_t *ret_peak_bytes);
/* The same from what wan_image_probe() gave. Pure. */
void wan_price_of_info(const struct wan_image_info *info, const struct wan_decode_options *options,
		       uint64_t *ret_output_bytes, uint64_t *ret_peak_bytes);
/* Scans allowed for that many pixels: the time of a scan is proportional to them. Pure. */
uint32_t wan_scan_limit(uint64_t pixels, const struct wan_decode_options *options);
/* False when the file has fewer bytes than any such image can have. Pure. */
bool wan_bytes_suffice(const struct wan_header *header);
/* 0, -EFBIG with the limit named. */
int wan_limits_check(const char *name, const struct wan_header *header,
		     const struct wan_decode_options *options, struct wan_error *reterr_error);

/* Options as given (may be NULL) over the defaults, checked. 0, -EINVAL. */
int wan_decode_options_complete(const struct wan_decode_options *given,
				struct wan_decode_options *full, struct wan_error *reterr_error);

/* Decode what was probed; options complete, limits checked. */
int wan_png_decode(struct wan_source *source, const struct wan_header *header,
		   const struct wan_decode_options *options, struct wan_image **ret_image,
		   struct wan_error *reterr_error);
int wan_jpeg_decode(struct wan_source *source, const struct wan_header *header,
		    const struct wan_decode_options *options, struct wan_image **ret_image,
		    struct wan_error *reterr_error);
/* The same row by row: neither turned nor converted, *ret_warnings instead of an image. */
struct wan_row_sink;
int wan_png_decode_rows(struct wan_source *source, const struct wan_header *header,
			const struct wan_decode_options *options, struct wan_row_sink *sink,
			uint32_t *ret_warnings, struct wan_error *reterr_error);
int wan_jpeg_decode_rows(struct wan_source *source, const struct wan_header *header,
			 const struct wan_decode_options *options, struct wan_row_sink *sink,
			 uint32_t *ret_warnings, struct wan_error *reterr_error);

/* Encode to an output that is already open (output.h). */
struct wan_output;
int wan_png_encode(const struct wan_image *image, struct wan_output *output,
		   const struct wan_encode_options *options, struct wan_error *reterr_error);
int wan_jpeg_encode(const struct wan_image *image, struct wan_output *output,
		    const struct wan_encode_options *options, struct wan_error *reterr_error);

#endif
