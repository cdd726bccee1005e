/* SPDX-License-Identifier: MIT */
#include "cold.h"

#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "cold_planes.h"
#include "cold_rewrite.h"
#include "macros.h"

const char *wan_cold_kind_name(enum wan_cold_kind kind)
{
	static const char *const names[] = {"packed", "squeezed", "planes", "rewritten"};
	return (unsigned)kind < WAN_COUNT_OF(names) ? names[kind] : "unknown";
}

static void destroy_image(void *data)
{
	wan_image_unref(data);
}

static void destroy_cold(void *data)
{
	struct wan_cold_image *cold = data;
	wan_free(cold->origin);
	wan_free(cold);
}

/* So that what was thawed may be frozen again from its file; without memory it is from pixels. */
static struct wan_origin *copy_origin(const struct wan_origin *origin)
{
	size_t bytes = origin ? wan_origin_bytes(origin) : 0;
	struct wan_origin *copy = bytes ? wan_malloc(bytes) : NULL;
	if (copy)
		memcpy(copy, origin, bytes);
	return copy;
}

/* A file below this share of the pixels is worth rewriting: what it saves for each byte kept is
 * then more than planes save, which come back in a fifth of the time and take a third of the
 * pixels. */
#define REWRITE_SHARE 4

/* From the file when that is a JPEG: its planes take less than pixels. One that is slow to decode
 * takes far less as a faster file. */
static int freeze_image(const struct wan_image *image, size_t bytes_max,
			struct wan_cold_image **ret_cold)
{
	const struct wan_origin *origin = image->origin;
	int error = -ENOTSUP;
	if (origin && origin->slow &&
	    origin->identity.size <= image->view.pixels_bytes / REWRITE_SHARE)
		error = wan_cold_freeze_rewritten(image, bytes_max, ret_cold);
	if (origin && error == -ENOTSUP)
		error = wan_cold_freeze_planes(image, bytes_max, ret_cold);
	return error == -ENOTSUP ? wan_cold_freeze_pixels(image, bytes_max, ret_cold) : error;
}

static int freeze(void *data, uint64_t bytes_max, struct wan_value *ret_cold)
{
	const struct wan_image *image = data;
	uint64_t most = WAN_MIN(bytes_max, (uint64_t)WAN_COLD_WORTH(image->view.pixels_bytes));
	uint64_t aside = image->origin ? wan_origin_bytes(image->origin) : 0;
	struct wan_cold_image *cold;
	int error = most > aside ? freeze_image(image, (size_t)(most - aside), &cold) : -E2BIG;
	if (error < 0)
		return error;
	cold->origin = copy_origin(image->origin);
	uint64_t origin_bytes = cold->origin ? wan_origin_bytes(cold->origin) : 0;
	*ret_cold = (struct wan_value){
		.data = cold, .bytes = cold->block_bytes + origin_bytes, .destroy = destroy_cold};
	return 0;
}

static int thaw_image(const struct wan_cold_image *cold, struct wan_image **ret_image)
{
	switch (cold->kind) {
	case WAN_COLD_PLANES:
		return wan_cold_thaw_planes(cold, ret_image);
	case WAN_COLD_REWRITTEN:
		return wan_cold_thaw_rewritten(cold, ret_image);
	default:
		return wan_cold_thaw_pixels(cold, ret_image);
	}
}

static int thaw(void *data, struct wan_value *ret_value)
{
	const struct wan_cold_image *cold = data;
	struct wan_image *image;
	int error = thaw_image(cold, &image);
	if (error < 0)
		return error;
	image->origin = copy_origin(cold->origin);
	*ret_value = (struct wan_value){.data = image,
					.bytes = image->view.pixels_bytes,
					.destroy = destroy_image,
					.cold = wan_image_cold_ops(image)};
	return 0;
}

const struct wan_cold_ops *wan_image_cold_ops(const struct wan_image *image)
{
	static const struct wan_cold_ops ops = {.freeze = freeze, .thaw = thaw};
	return image ? &ops : NULL;
}
