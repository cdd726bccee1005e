/* SPDX-License-Identifier: MIT */
#include "cold.h"

#include <errno.h>

#include "alloc.h"
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

static int freeze(void *data, uint64_t bytes_max, struct wan_value *ret_cold)
{
	const struct wan_image *image = data;
	size_t most =
		(size_t)WAN_MIN(bytes_max, (uint64_t)WAN_COLD_WORTH(image->view.pixels_bytes));
	struct wan_cold_image *cold;
	int error = wan_cold_freeze_pixels(image, most, &cold);
	if (error < 0)
		return error;
	*ret_cold =
		(struct wan_value){.data = cold, .bytes = cold->block_bytes, .destroy = wan_free};
	return 0;
}

static int thaw(void *data, struct wan_value *ret_value)
{
	const struct wan_cold_image *cold = data;
	struct wan_image *image;
	int error = wan_cold_thaw_pixels(cold, &image);
	if (error < 0)
		return error;
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
