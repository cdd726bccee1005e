/* SPDX-License-Identifier: MIT */
/* What an image costs: the bytes it is charged with, and the price of decoding it. */
#include "buffer.h"
#include "clock.h"
#include "codec.h"
#include "cold.h"
#include "load.h"
#include "pool.h"

static void destroy_image(void *data)
{
	wan_image_unref(data);
}

/* The image's own structure is small and rounded up by the allocator. */
static const uint64_t header_bytes = (sizeof(struct wan_image) + 31) / 16 * 16;

uint64_t wan_load_image_charge(uint64_t pixels_bytes)
{
	return wan_pool_class_bytes(pixels_bytes) + header_bytes;
}

void wan_load_image_value(struct wan_image *image, uint32_t flags, uint64_t started_ns,
			  struct wan_value *ret_value)
{
	*ret_value = (struct wan_value){.data = image,
					.bytes = image->mapped_bytes + header_bytes,
					.destroy = destroy_image,
					.flags = flags,
					.cost_ns = wan_elapsed(started_ns, wan_now_ns()),
					.cold = wan_image_cold_ops(image)};
}

void wan_load_price(const struct wan_image_info *info, const struct wan_decode_options *decode,
		    uint64_t *ret_charge_bytes, uint64_t *ret_peak_bytes)
{
	uint64_t output_bytes;
	wan_price_of_info(info, decode, &output_bytes, ret_peak_bytes);
	*ret_charge_bytes = wan_load_image_charge(output_bytes);
}
