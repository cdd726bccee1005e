/* SPDX-License-Identifier: MIT */
/*
 * Thumbnails and fits that read their file themselves, row by row: for a JPEG that libjpeg scales
 * while decoding, and for a picture that has no room in memory or in the cache as a whole.
 */
#include <errno.h>

#include "derive.h"
#include "instance.h"
#include "log.h"
#include "profile.h"

/* From this on libjpeg decodes at a half or less, and Pillow does so too. */
#define SCALED_FROM 4

/* Decoded, it could not stay in the cache: nobody would be served by it later. */
static bool exceeds_cache(const struct wan_making *making, const struct wan_image_info *info)
{
	struct wan_cache_stats stats = {.struct_size = sizeof(stats)};
	wan_cache_stats(making->runtime->cache, &stats);
	return wan_load_image_charge(info->output_bytes) + WAN_CACHE_ENTRY_BYTES >
	       stats.limit_bytes;
}

bool wan_thumbnail_goes_by_file(const struct wan_making *making)
{
	struct wan_image_info info;
	if (wan_load_is_cached(making->runtime, making->path) ||
	    wan_image_probe(making->path, &info, NULL) < 0)
		return false;
	bool turned = info.exif_orientation >= 5;
	uint64_t width = turned ? info.height_px : info.width_px;
	uint64_t height = turned ? info.width_px : info.height_px;
	/* The larger ratio is the one the thumbnail gets. */
	bool scaled = width >= (uint64_t)SCALED_FROM * making->width_px ||
		      height >= (uint64_t)SCALED_FROM * making->height_px;
	return (info.format == WAN_FORMAT_JPEG && scaled) || exceeds_cache(making, &info);
}

bool wan_fit_goes_by_file(const struct wan_making *making)
{
	struct wan_image_info info;
	return !wan_load_is_cached(making->runtime, making->path) &&
	       wan_image_probe(making->path, &info, NULL) == 0 && exceeds_cache(making, &info);
}

/* Header and options of a file that is read for RGB. An earlier refusal is not the last word. */
static int prepare(struct wan_making *making, struct wan_image_info *ret_info,
		   struct wan_decode_options *ret_options)
{
	if (making->error)
		making->error->code = 0;
	int r = wan_load_options(making->runtime, NULL, ret_options, making->error);
	ret_options->want = WAN_PIXEL_RGB8;
	return r < 0 ? r : wan_image_probe(making->path, ret_info, making->error);
}

static int reserve(const struct wan_making *making, int priced, uint64_t bytes)
{
	if (priced < 0)
		return wan_error_set(making->error, priced, making->path, "", "%s",
				     wan_strerror(priced));
	return wan_load_reserve(making->runtime, making->path, bytes, making->error);
}

int wan_thumbnail_by_file(struct wan_making *making, struct wan_value *ret_value)
{
	struct wan_image_info info;
	struct wan_decode_options options;
	struct wan_image *image = NULL;
	uint64_t bytes = 0;
	int r = prepare(making, &info, &options);
	if (r < 0)
		return r;
	r = wan_image_thumbnail_price(&info, making->width_px, making->height_px, &options, &bytes);
	r = reserve(making, r, bytes);
	if (r < 0)
		return r;
	struct wan_op op;
	uint64_t started_ns = wan_step_begin(making, &op, wan_step_thumbnail_name(making));
	r = wan_image_thumbnail_file(making->path, making->width_px, making->height_px, &options,
				     &image, making->error);
	wan_memory_unreserve(making->runtime->memory, bytes);
	return wan_step_finish(making, &op, started_ns, r, image, ret_value);
}

int wan_fit_by_file(struct wan_making *making, struct wan_value *ret_value)
{
	struct wan_image_info info;
	struct wan_decode_options options;
	struct wan_image *image = NULL;
	uint64_t bytes = 0;
	int r = prepare(making, &info, &options);
	if (r < 0)
		return r;
	r = wan_image_fit_price(&info, making->width_px, making->height_px, making->fit,
				making->filter, &options, NULL, &bytes);
	r = reserve(making, r, bytes);
	if (r < 0)
		return r;
	struct wan_op op;
	uint64_t started_ns = wan_step_begin(making, &op, "fit");
	r = wan_image_fit_file(making->path, making->width_px, making->height_px, making->fit,
			       making->filter, &options, &image, making->error);
	wan_memory_unreserve(making->runtime->memory, bytes);
	return wan_step_finish(making, &op, started_ns, r, image, ret_value);
}
