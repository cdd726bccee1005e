/* SPDX-License-Identifier: MIT */
/*
 * The mask beside a stack. Of F = 4n+1 frames the first stands four times, so that F + 3 values
 * fall into n+1 latent frames of four; an end frame of its own stands four times too. Latent frame
 * t, value k is element [k][t] (the official code's view and transpose).
 */
#include <errno.h>

#include "log.h"
#include "stack.h"

enum { VALUES = 4 };

static bool known(uint64_t latent, unsigned value, uint64_t latents, bool has_start, bool has_end,
		  bool whole_end)
{
	if (has_start && latent == 0)
		return true;
	return has_end && latent == latents - 1 && (whole_end || value == VALUES - 1);
}

static void fill_plane(void *to, const struct wan_stack_range *range, uint32_t element,
		       unsigned element_bytes)
{
	char *at = (char *)to + range->offset_bytes;
	for (size_t i = 0; i < range->bytes; i += element_bytes)
		__builtin_memcpy(at + i, &element, element_bytes);
}

int wan_stack_mask(struct wan_size size, bool has_start, bool has_end,
		   const struct wan_stack_options *given, struct wan_stack **ret_mask,
		   struct wan_error *reterr_error)
{
	struct wan_stack_options options;
	int error = wan_stack_read_options(given, &options, reterr_error);
	if (error < 0)
		return error;
	uint32_t width = size.width_px / options.latent_step;
	uint32_t height = size.height_px / options.latent_step;
	if (options.frames % 4 != 1 || !width || !height)
		return wan_error_set(reterr_error, -EINVAL, "mask", "give 4n+1 frames, as 81",
				     "%u frames of %ux%u have no latent frames", options.frames,
				     size.width_px, size.height_px);

	bool own_end = options.own_end_frame && has_start && has_end;
	uint64_t latents = (options.frames - 1) / 4 + 1 + own_end;
	unsigned channels = options.mask_by_latent ? 1 : VALUES;
	struct wan_stack_view view = {
		.type = options.type,
		.dimensions = 4,
		.shape = {channels, latents, height, width},
		.constant = options.known_is_zero ? 1 : 0,
	};
	size_t bytes;
	error = wan_stack_bytes(&view, &bytes);
	struct wan_stack_range ranges[WAN_STACK_RANGES_MAX];
	uint32_t count = 0;
	unsigned element_bytes = wan_tensor_type_bytes(options.type);
	size_t plane = (size_t)width * height * element_bytes;
	for (unsigned value = 0; value < channels; value++) {
		for (uint64_t latent = 0; latent < latents; latent = latent        ? latent + 1
								     : latents > 1 ? latents - 1
										   : 1) {
			if (known(latent, value, latents, has_start, has_end,
				  own_end || options.mask_by_latent))
				ranges[count++] = (struct wan_stack_range){
					(value * latents + latent) * plane, plane};
		}
	}
	struct wan_stack *mask;
	if (error == 0)
		error = wan_stack_map(&view, ranges, count, &mask);
	if (error < 0)
		return wan_error_set(reterr_error, error, "mask", "", "%s", wan_strerror(error));
	uint32_t element = wan_tensor_element(options.type, options.known_is_zero ? 0 : 1);
	for (uint32_t i = 0; i < mask->view.range_count; i++)
		fill_plane(mask->view.data, &mask->view.ranges[i], element, element_bytes);
	*ret_mask = mask;
	return 0;
}
