/* SPDX-License-Identifier: MIT */
/* What can be had of an image that memory has no room for: a smaller scale, or rows. */
#include <errno.h>
#include <string.h>

#include "codec.h"
#include "instance.h"
#include "load.h"
#include "log.h"
#include "macros.h"
#include "memory.h"
#include "str.h"
#include "units.h"

static const uint32_t divisors[] = {1, 2, 4, 8}; /* libjpeg's cheap scales */

/* What may be taken, if all that is cached and that nobody holds, and all idle buffers, go. */
static uint64_t room_of(struct wan_runtime *runtime, char limiting[WAN_LEVEL_NAME_MAX])
{
	struct wan_cache_stats stats = {.struct_size = sizeof(stats)};
	struct wan_pool_stats pool;
	wan_cache_stats(runtime->cache, &stats);
	wan_pool_stats(&pool);
	uint64_t busy = stats.pinned_bytes + stats.in_flight_bytes;
	uint64_t spare = stats.used_bytes - WAN_MIN(stats.used_bytes, busy) + pool.idle_bytes;
	uint64_t now = wan_memory_grantable(runtime->memory, limiting);
	return now + WAN_MIN(spare, UINT64_MAX - now);
}

uint64_t wan_load_room(struct wan_runtime *runtime)
{
	char limiting[WAN_LEVEL_NAME_MAX];
	return room_of(runtime, limiting);
}

bool wan_load_could_fit(struct wan_runtime *runtime, uint64_t bytes)
{
	return bytes <= wan_load_room(runtime);
}

void wan_load_scaled_options(const struct wan_decode_options *options,
			     const struct wan_image_info *info, uint32_t divisor,
			     struct wan_decode_options *ret_options)
{
	*ret_options = *options;
	if (divisor <= 1)
		return;
	bool lies = options->apply_orientation && info->exif_orientation >= 5;
	uint32_t width = lies ? info->height_px : info->width_px;
	uint32_t height = lies ? info->width_px : info->height_px;
	ret_options->min_width_px = WAN_MAX(width / divisor, 1);
	ret_options->min_height_px = WAN_MAX(height / divisor, 1);
	ret_options->accept_divisor = 0;
}

static uint64_t bytes_at(const struct wan_image_info *info,
			 const struct wan_decode_options *options, uint32_t divisor)
{
	struct wan_decode_options scaled;
	uint64_t output_bytes, peak_bytes;
	wan_load_scaled_options(options, info, divisor, &scaled);
	wan_price_of_info(info, &scaled, &output_bytes, &peak_bytes);
	return peak_bytes;
}

/* Rows come one by one; else the decoder itself would have to hold the whole. */
static bool reads_by_rows(const struct wan_image_info *info)
{
	return !info->interlaced && info->exif_orientation <= 1;
}

void wan_load_offer_of(struct wan_runtime *runtime, const struct wan_image_info *info,
		       const struct wan_decode_options *options, struct wan_load_offer *ret_offer)
{
	struct wan_load_offer offer = {.struct_size = ret_offer->struct_size};
	uint32_t whole =
		wan_jpeg_divisor(info, options); /* what is asked for may be scaled already */
	bool lies = options->apply_orientation && info->exif_orientation >= 5;
	uint32_t width = lies ? info->height_px : info->width_px;
	uint32_t height = lies ? info->width_px : info->height_px;
	offer.room_bytes = room_of(runtime, offer.limiting);
	offer.whole_bytes = bytes_at(info, options, 1);
	offer.by_rows = reads_by_rows(info);
	for (size_t i = 0; i < WAN_COUNT_OF(divisors) && !offer.divisor; i++) {
		uint32_t divisor = divisors[i];
		if (divisor > 1 && (info->format != WAN_FORMAT_JPEG || divisor <= whole))
			continue;
		uint64_t bytes = bytes_at(info, options, divisor);
		if (bytes > offer.room_bytes)
			continue;
		uint32_t by = WAN_MAX(divisor, whole);
		offer.divisor = divisor;
		offer.bytes = bytes;
		offer.width_px = (uint32_t)(((uint64_t)width + by - 1) / by);
		offer.height_px = (uint32_t)(((uint64_t)height + by - 1) / by);
	}
	*ret_offer = offer;
}

void wan_load_hint(const struct wan_load_offer *offer, struct wan_error *error)
{
	char bytes[32];
	wan_format_bytes(bytes, sizeof(bytes), offer->bytes);
	if (offer->divisor > 1)
		wan_str_format(error->hint, sizeof(error->hint),
			       "1/%u of it fits: %ux%u, %s (accept_divisor = %u)%s", offer->divisor,
			       offer->width_px, offer->height_px, bytes, offer->divisor,
			       offer->by_rows ? "; or read it by rows: wan_fit(), wan_thumbnail()"
					      : "");
	else if (offer->by_rows)
		wan_str_copy(error->hint, sizeof(error->hint),
			     "read it by rows: wan_fit() and wan_thumbnail() hold only their "
			     "results; or raise the limit");
}

int wan_load_offer(struct wan_runtime *runtime, const char *path,
		   const struct wan_decode_options *given, struct wan_load_offer *offer,
		   struct wan_error *reterr_error)
{
	runtime = runtime ? runtime : wan_runtime_default();
	size_t bytes = offer ? offer->struct_size : 0;
	if (!runtime || !path || bytes < sizeof(bytes))
		return wan_error_set(reterr_error, -EINVAL, "wan_load_offer",
				     "set offer->struct_size", "an argument is missing");
	struct wan_decode_options options;
	struct wan_image_info info;
	int r = wan_load_options(runtime, given, &options, reterr_error);
	if (r == 0)
		r = wan_image_probe(path, &info, reterr_error);
	if (r < 0)
		return r;
	struct wan_load_offer made = {.struct_size = bytes};
	(void)wan_memory_try(runtime->memory, 0); /* looks, when that is due */
	wan_load_offer_of(runtime, &info, &options, &made);
	memcpy(offer, &made, WAN_MIN(bytes, sizeof(made)));
	return 0;
}
