/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "alloc.h"
#include "buffer.h"
#include "codec.h"
#include "log.h"
#include "options.h"
#include "output.h"

/* The format's own limit. */
#define JPEG_SIDE_MAX 65500u

void wan_encode_options_init(struct wan_encode_options *options)
{
	*options = (struct wan_encode_options){
		.struct_size = sizeof(*options),
		.format = WAN_FORMAT_PNG,
		.jpeg_quality = 90,
		.png_level = 6,
	};
}

static int complete_options(const struct wan_encode_options *given, struct wan_encode_options *full,
			    struct wan_error *reterr_error)
{
	static const char object[] = "wan_encode_options";
	wan_encode_options_init(full);
	if (!given)
		return 0;
	if (wan_options_overlay(full, sizeof(*full), given, given->struct_size) < 0)
		return wan_error_set(reterr_error, -EINVAL, object,
				     "call wan_encode_options_init() first",
				     "struct_size is not of any version");
	if (full->format != WAN_FORMAT_PNG && full->format != WAN_FORMAT_JPEG)
		return wan_error_set(reterr_error, -ENOTSUP, object, "choose PNG or JPEG",
				     "%s is not encoded here", wan_format_name(full->format));
	if (full->jpeg_quality < 1 || full->jpeg_quality > 100)
		return wan_error_set(reterr_error, -EINVAL, object, "choose 1 to 100",
				     "jpeg_quality is %u", full->jpeg_quality);
	if (full->png_level > 9)
		return wan_error_set(reterr_error, -EINVAL, object, "choose 0 to 9",
				     "png_level is %u", full->png_level);
	return 0;
}

static int check_pixels(const struct wan_image *image, const char *path,
			enum wan_file_format format, struct wan_error *reterr_error)
{
	enum wan_pixel_format pixels = image->view.format;
	bool fits = format == WAN_FORMAT_PNG
			    ? pixels != WAN_PIXEL_CMYK8 && !wan_pixel_is_planar(pixels)
			    : pixels == WAN_PIXEL_GRAY8 || pixels == WAN_PIXEL_RGB8 ||
				      pixels == WAN_PIXEL_CMYK8;
	if (!fits)
		return wan_error_set(reterr_error, -EPROTONOSUPPORT, path,
				     "convert it to RGB8 first",
				     "%s pixels cannot be kept in a %s file",
				     wan_pixel_name(pixels), wan_format_name(format));
	if (format == WAN_FORMAT_JPEG &&
	    (image->view.width_px > JPEG_SIDE_MAX || image->view.height_px > JPEG_SIDE_MAX))
		return wan_error_set(reterr_error, -EPROTONOSUPPORT, path, "write a PNG instead",
				     "%u x %u is larger than a JPEG can be (65500)",
				     image->view.width_px, image->view.height_px);
	return 0;
}

int wan_image_encode_memory(const struct wan_image *image, const struct wan_encode_options *options,
			    void **ret_bytes, size_t *ret_count, struct wan_error *reterr_error)
{
	static const char object[] = "wan_image_encode_memory";
	struct wan_encode_options full;
	struct wan_output output;

	if (!image || !ret_bytes || !ret_count)
		return wan_error_set(reterr_error, -EINVAL, object, "", "an argument is missing");
	int error = complete_options(options, &full, reterr_error);
	if (error == 0)
		error = check_pixels(image, object, full.format, reterr_error);
	if (error < 0)
		return error;
	error = wan_output_open_memory(&output);
	if (error == 0) {
		error = full.format == WAN_FORMAT_PNG
				? wan_png_encode(image, &output, &full, reterr_error)
				: wan_jpeg_encode(image, &output, &full, reterr_error);
		if (error < 0) {
			wan_output_abandon(&output);
			return error;
		}
		error = wan_output_take(&output, ret_bytes, ret_count);
	}
	if (error < 0)
		return wan_error_set(reterr_error, error, object, "", "%s", wan_strerror(error));
	return 0;
}

void wan_encoded_free(void *bytes)
{
	wan_free(bytes);
}

int wan_image_encode(const struct wan_image *image, const char *path,
		     const struct wan_encode_options *options, struct wan_error *reterr_error)
{
	struct wan_encode_options full;
	struct wan_output output;

	if (!image)
		return wan_error_set(reterr_error, -EINVAL, "wan_image_encode", "",
				     "there is no image");
	int error = complete_options(options, &full, reterr_error);
	if (error == 0)
		error = check_pixels(image, path ? path : "output", full.format, reterr_error);
	if (error == 0)
		error = wan_output_open(&output, path, full.overwrite, reterr_error);
	if (error < 0)
		return error;

	error = full.format == WAN_FORMAT_PNG
			? wan_png_encode(image, &output, &full, reterr_error)
			: wan_jpeg_encode(image, &output, &full, reterr_error);
	if (error < 0) {
		wan_output_abandon(&output);
		return error;
	}
	return wan_output_commit(&output, reterr_error);
}
