/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "buffer.h"
#include "codec.h"
#include "convert.h"
#include "log.h"
#include "macros.h"
#include "options.h"

void wan_decode_options_init(struct wan_decode_options *options)
{
	*options = (struct wan_decode_options){
		.struct_size = sizeof(*options),
		.apply_orientation = true,
		.max_pixels = WAN_IMAGE_MAX_PIXELS,
		.max_bytes = WAN_IMAGE_MAX_BYTES,
		.max_scans = WAN_IMAGE_MAX_SCANS,
		.max_chunks = WAN_IMAGE_MAX_CHUNKS,
	};
}

int wan_decode_options_complete(const struct wan_decode_options *given,
				struct wan_decode_options *full, struct wan_error *reterr_error)
{
	wan_decode_options_init(full);
	if (!given)
		return 0;
	if (wan_options_overlay(full, sizeof(*full), given, given->struct_size) < 0)
		return wan_error_set(reterr_error, -EINVAL, "wan_decode_options",
				     "call wan_decode_options_init() first",
				     "struct_size is not of any version");
	if (full->want != 0 && wan_pixel_channels(full->want) == 0)
		return wan_error_set(reterr_error, -EINVAL, "wan_decode_options", "",
				     "want %d is not a pixel format", (int)full->want);
	if (!wan_alpha_known(full->alpha))
		return wan_error_set(reterr_error, -EINVAL, "wan_decode_options", "",
				     "alpha %d is not a policy", (int)full->alpha);
	return 0;
}

/* Where a JPEG came from, in case somebody wants to keep it small later. No memory for that is no
 * reason to fail. */
static void remember_origin(const struct wan_source *source, const struct wan_header *header,
			    const struct wan_decode_options *options, struct wan_image *image)
{
	const struct wan_image_info *info = &header->info;
	struct wan_file_identity identity;
	if (image->view.format != wan_natural_format(info) || image->view.warnings ||
	    wan_jpeg_divisor(info, options) != 1 || wan_source_identity(source, &identity) < 0)
		return;
	size_t length = strlen(source->name) + 1;
	struct wan_origin *origin = wan_malloc(sizeof(*origin) + length);
	if (!origin)
		return;
	*origin = (struct wan_origin){
		.identity = identity,
		.coefficient_bytes = header->coefficient_bytes,
		.orientation = options->apply_orientation ? info->exif_orientation : 1,
		.slow = header->multi_scan || header->arithmetic,
	};
	memcpy(origin->path, source->name, length);
	image->origin = origin;
}

static int decode(struct wan_source *source, const struct wan_decode_options *options,
		  struct wan_image **ret_image, struct wan_error *reterr_error)
{
	struct wan_header header;
	int error = wan_probe_source(source, &header, reterr_error);
	if (error == 0)
		error = wan_limits_check(source->name, &header, options, reterr_error);
	if (error < 0)
		return error;

	source->position = 0;
	if (header.info.format == WAN_FORMAT_PNG)
		return wan_png_decode(source, &header, options, ret_image, reterr_error);
	error = wan_jpeg_decode(source, &header, options, ret_image, reterr_error);
	if (error == 0)
		remember_origin(source, &header, options, *ret_image);
	return error;
}

int wan_image_decode(const char *path, const struct wan_decode_options *options,
		     struct wan_image **ret_image, struct wan_error *reterr_error)
{
	struct wan_decode_options full;
	struct wan_source source;

	if (!ret_image)
		return wan_error_set(reterr_error, -EINVAL, "wan_image_decode", "",
				     "ret_image is missing");
	int error = wan_decode_options_complete(options, &full, reterr_error);
	if (error == 0)
		error = wan_source_open_file(&source, path, reterr_error);
	if (error < 0)
		return error;
	error = decode(&source, &full, ret_image, reterr_error);
	wan_source_close(&source);
	return error;
}

int wan_image_decode_memory(const void *bytes, size_t count,
			    const struct wan_decode_options *options, struct wan_image **ret_image,
			    struct wan_error *reterr_error)
{
	struct wan_decode_options full;
	struct wan_source source;

	if (!ret_image)
		return wan_error_set(reterr_error, -EINVAL, "wan_image_decode_memory", "",
				     "ret_image is missing");
	int error = wan_decode_options_complete(options, &full, reterr_error);
	if (error == 0)
		error = wan_source_open_memory(&source, bytes, count, reterr_error);
	if (error < 0)
		return error;
	return decode(&source, &full, ret_image, reterr_error);
}
