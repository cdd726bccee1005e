/* SPDX-License-Identifier: MIT */
/* What an image will cost, from its header alone. Pure; saturates instead of wrapping round. */
#include <errno.h>

#include "buffer.h"
#include "codec.h"
#include "log.h"
#include "macros.h"

/* Input window, structures and Huffman tables; libpng with zlib's window and its state. */
#define JPEG_FIXED_BYTES (256 * WAN_KIB)
#define PNG_FIXED_BYTES  (256 * WAN_KIB)
/* libjpeg keeps 8-line groups of each component with context rows, and upsampled lines. */
#define JPEG_LINES 44
/* libpng keeps this row and the one before at up to 8 bytes a pixel, and a little more. */
#define PNG_ROW_BYTES_PER_PIXEL 24
/* Deflate cannot shrink below 1:1032; a block in Huffman code takes at least one bit. Arithmetic
 * code knows no such bound, but a picture that takes less than 1/64 bit for a block is a flat
 * colour: 200 bytes would otherwise cost a second and 800 MB. */
#define DEFLATE_RATIO     1032
#define HUFFMAN_BLOCKS    8
#define ARITHMETIC_BLOCKS 512
/* A scan costs time in proportion to the pixels, so the scans allowed shrink with them: the work of
 * ten scans over the largest image is allowed to any image, and ten scans to each. */
#define SCANS_ALWAYS 10

static uint64_t mul(uint64_t a, uint64_t b)
{
	uint64_t result;
	return __builtin_mul_overflow(a, b, &result) ? UINT64_MAX : result;
}

static uint64_t add(uint64_t a, uint64_t b)
{
	uint64_t result;
	return __builtin_add_overflow(a, b, &result) ? UINT64_MAX : result;
}

enum wan_pixel_format wan_natural_format(const struct wan_image_info *info)
{
	bool wide = info->bit_depth > 8;
	switch (info->channels) {
	case 1:
		return wide ? WAN_PIXEL_GRAY16 : WAN_PIXEL_GRAY8;
	case 2:
		return wide ? WAN_PIXEL_GRAYA16 : WAN_PIXEL_GRAYA8;
	case 3:
		return wide ? WAN_PIXEL_RGB16 : WAN_PIXEL_RGB8;
	default:
		if (info->color == WAN_COLOR_CMYK || info->color == WAN_COLOR_YCCK)
			return WAN_PIXEL_CMYK8;
		return wide ? WAN_PIXEL_RGBA16 : WAN_PIXEL_RGBA8;
	}
}

static enum wan_pixel_format without_alpha(enum wan_pixel_format format)
{
	switch (format) {
	case WAN_PIXEL_GRAYA8:
		return WAN_PIXEL_GRAY8;
	case WAN_PIXEL_RGBA8:
		return WAN_PIXEL_RGB8;
	case WAN_PIXEL_GRAYA16:
		return WAN_PIXEL_GRAY16;
	case WAN_PIXEL_RGBA16:
		return WAN_PIXEL_RGB16;
	default:
		return format;
	}
}

int wan_target_format(enum wan_pixel_format natural, enum wan_pixel_format want,
		      enum wan_alpha_policy alpha, enum wan_pixel_format *ret_target)
{
	bool loses = wan_pixel_has_alpha(natural) && (want == 0 || !wan_pixel_has_alpha(want));
	if (loses && alpha == WAN_ALPHA_REFUSE)
		return -EPROTONOSUPPORT;
	if (want != 0)
		*ret_target = want;
	else
		*ret_target = alpha == WAN_ALPHA_KEEP ? natural : without_alpha(natural);
	return 0;
}

unsigned wan_jpeg_divisor(const struct wan_image_info *info,
			  const struct wan_decode_options *options)
{
	uint32_t want_width = options->min_width_px, want_height = options->min_height_px;
	if (info->format != WAN_FORMAT_JPEG || (want_width == 0 && want_height == 0))
		return 1;
	if (options->apply_orientation && info->exif_orientation >= 5) {
		want_width = options->min_height_px;
		want_height = options->min_width_px;
	}
	uint32_t by_width = want_width ? info->width_px / want_width : UINT32_MAX;
	uint32_t by_height = want_height ? info->height_px / want_height : UINT32_MAX;
	uint32_t most = WAN_MIN(by_width, by_height);
	return most >= 8 ? 8 : most >= 4 ? 4 : most >= 2 ? 2 : 1;
}

static uint64_t target_bytes(const struct wan_image_info *info,
			     const struct wan_decode_options *options, unsigned divisor,
			     bool *ret_converts)
{
	enum wan_pixel_format natural = wan_natural_format(info), target = natural;
	(void)wan_target_format(natural, options->want, options->alpha, &target);
	*ret_converts =
		target != natural || (options->apply_orientation && info->exif_orientation > 1);
	uint64_t width = ((uint64_t)info->width_px + divisor - 1) / divisor;
	uint64_t height = ((uint64_t)info->height_px + divisor - 1) / divisor;
	return mul(mul(width, height),
		   (uint64_t)wan_pixel_channels(target) * wan_pixel_sample_bytes(target));
}

/* Adam7 fills the whole image seven times before a row can be converted. */
static uint64_t adam7_bytes(const struct wan_image_info *info, bool converts)
{
	if (info->format != WAN_FORMAT_PNG || !info->interlaced || !converts)
		return 0;
	return mul(mul(info->width_px, info->height_px),
		   info->channels * (info->bit_depth > 8 ? 2u : 1u));
}

void wan_price(const struct wan_header *header, const struct wan_decode_options *options,
	       uint64_t *ret_output_bytes, uint64_t *ret_peak_bytes)
{
	const struct wan_image_info *info = &header->info;
	bool converts;
	unsigned divisor = wan_jpeg_divisor(info, options);
	uint64_t output = target_bytes(info, options, divisor, &converts);
	uint64_t inside;

	if (info->format == WAN_FORMAT_JPEG) {
		inside = add(JPEG_FIXED_BYTES, mul(info->width_px, JPEG_LINES * info->channels));
		if (header->multi_scan)
			inside = add(inside, header->coefficient_bytes);
	} else {
		inside = add(PNG_FIXED_BYTES, mul(info->width_px, PNG_ROW_BYTES_PER_PIXEL));
		inside = add(inside, adam7_bytes(info, converts));
	}
	*ret_output_bytes = output;
	*ret_peak_bytes = add(output, inside);
}

void wan_price_of_info(const struct wan_image_info *info, const struct wan_decode_options *options,
		       uint64_t *ret_output_bytes, uint64_t *ret_peak_bytes)
{
	struct wan_decode_options defaults;
	bool converts_by_default, converts;
	wan_decode_options_init(&defaults);
	(void)target_bytes(info, &defaults, 1, &converts_by_default);
	uint64_t output = target_bytes(info, options, wan_jpeg_divisor(info, options), &converts);
	uint64_t inside = info->peak_bytes - info->output_bytes;
	inside = add(inside - adam7_bytes(info, converts_by_default), adam7_bytes(info, converts));
	*ret_output_bytes = output;
	*ret_peak_bytes = add(output, inside);
}

uint32_t wan_scan_limit(uint64_t pixels, const struct wan_decode_options *options)
{
	uint64_t by_work = mul(options->max_pixels, SCANS_ALWAYS) / WAN_MAX(pixels, (uint64_t)1);
	by_work = WAN_MAX(by_work, (uint64_t)SCANS_ALWAYS);
	return (uint32_t)WAN_MIN(by_work, (uint64_t)options->max_scans);
}

bool wan_bytes_suffice(const struct wan_header *header)
{
	const struct wan_image_info *info = &header->info;
	if (info->file_bytes == 0)
		return true;
	if (info->format == WAN_FORMAT_JPEG) {
		uint64_t blocks_per_byte = header->arithmetic ? ARITHMETIC_BLOCKS : HUFFMAN_BLOCKS;
		return header->smallest_blocks / blocks_per_byte <= info->file_bytes;
	}

	unsigned samples = info->color == WAN_COLOR_PALETTE      ? 1
			   : info->color == WAN_COLOR_GRAY       ? 1
			   : info->color == WAN_COLOR_GRAY_ALPHA ? 2
			   : info->color == WAN_COLOR_RGB        ? 3
								 : 4;
	uint64_t raw = mul(mul(info->width_px, info->height_px), samples * info->bit_depth) / 8;
	return raw <= mul(info->file_bytes, DEFLATE_RATIO);
}

int wan_limits_check(const char *name, const struct wan_header *header,
		     const struct wan_decode_options *options, struct wan_error *reterr_error)
{
	const struct wan_image_info *info = &header->info;
	uint64_t pixels = (uint64_t)info->width_px * info->height_px;
	uint64_t output, peak;

	if (pixels > options->max_pixels)
		return wan_error_set(reterr_error, -EFBIG, name,
				     "raise image.max_pixels or scale the image down first",
				     "has %u x %u = %llu pixels, more than image.max_pixels (%llu)",
				     info->width_px, info->height_px, (unsigned long long)pixels,
				     (unsigned long long)options->max_pixels);
	wan_price(header, options, &output, &peak);
	if (peak > options->max_bytes || info->file_bytes > options->max_bytes)
		return wan_error_set(
			reterr_error, -EFBIG, name,
			"raise image.max_bytes or scale the image down first",
			"would take %llu bytes to decode, more than image.max_bytes (%llu)",
			(unsigned long long)WAN_MAX(peak, info->file_bytes),
			(unsigned long long)options->max_bytes);
	uint32_t scans = wan_scan_limit(pixels, options);
	if (info->format == WAN_FORMAT_JPEG && info->scans > scans)
		return wan_error_set(reterr_error, -EFBIG, name,
				     "save it again as a baseline JPEG (jpegtran -copy all IN)",
				     "has %u scans or more, above the limit of %u for its size",
				     info->scans, scans);
	return 0;
}
