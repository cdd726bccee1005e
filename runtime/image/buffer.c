/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "atomics.h"
#include "buffer.h"
#include "macros.h"
#include "pool.h"

static const struct format_info {
	const char *name;
	uint8_t channels, sample_bytes;
	bool has_alpha;
} formats[] = {
	[WAN_PIXEL_GRAY8] = {"GRAY8", 1, 1, false},
	[WAN_PIXEL_GRAYA8] = {"GRAYA8", 2, 1, true},
	[WAN_PIXEL_RGB8] = {"RGB8", 3, 1, false},
	[WAN_PIXEL_RGBA8] = {"RGBA8", 4, 1, true},
	[WAN_PIXEL_CMYK8] = {"CMYK8", 4, 1, false},
	[WAN_PIXEL_GRAY16] = {"GRAY16", 1, 2, false},
	[WAN_PIXEL_GRAYA16] = {"GRAYA16", 2, 2, true},
	[WAN_PIXEL_RGB16] = {"RGB16", 3, 2, false},
	[WAN_PIXEL_RGBA16] = {"RGBA16", 4, 2, true},
	[WAN_PIXEL_RGBF32_PLANAR] = {"RGBF32_PLANAR", 3, 4, false},
	[WAN_PIXEL_RGBF16_PLANAR] = {"RGBF16_PLANAR", 3, 2, false},
	[WAN_PIXEL_RGBBF16_PLANAR] = {"RGBBF16_PLANAR", 3, 2, false},
};

static const struct format_info *info_of(enum wan_pixel_format format)
{
	static const struct format_info unknown = {"unknown format", 0, 0, false};
	if ((unsigned)format >= WAN_COUNT_OF(formats) || !formats[format].name)
		return &unknown;
	return &formats[format];
}

unsigned wan_pixel_channels(enum wan_pixel_format format)
{
	return info_of(format)->channels;
}

unsigned wan_pixel_sample_bytes(enum wan_pixel_format format)
{
	return info_of(format)->sample_bytes;
}

bool wan_pixel_has_alpha(enum wan_pixel_format format)
{
	return info_of(format)->has_alpha;
}

const char *wan_pixel_name(enum wan_pixel_format format)
{
	return info_of(format)->name;
}

int wan_pixel_bytes(enum wan_pixel_format format, uint32_t width_px, uint32_t height_px,
		    size_t *ret_bytes)
{
	const struct format_info *info = info_of(format);
	size_t bytes;

	if (info->channels == 0 || width_px == 0 || height_px == 0)
		return -EINVAL;
	if (__builtin_mul_overflow((size_t)width_px, (size_t)height_px, &bytes) ||
	    __builtin_mul_overflow(bytes, (size_t)info->channels * info->sample_bytes, &bytes) ||
	    bytes > SIZE_MAX / 2)
		return -EOVERFLOW;
	*ret_bytes = bytes;
	return 0;
}

int wan_image_create(enum wan_pixel_format format, uint32_t width_px, uint32_t height_px,
		     struct wan_image **ret_image)
{
	size_t bytes;
	if (!ret_image)
		return -EINVAL;
	int error = wan_pixel_bytes(format, width_px, height_px, &bytes);
	if (error < 0)
		return error;

	struct wan_image *image = wan_calloc(1, sizeof(*image));
	if (!image)
		return -ENOMEM;
	image->pixels = wan_pool_get(bytes, &image->mapped_bytes);
	if (!image->pixels) {
		wan_free(image);
		return -ENOMEM;
	}

	bool planar = wan_pixel_is_planar(format);
	image->refs = 1;
	image->view = (struct wan_image_view){
		.format = format,
		.width_px = width_px,
		.height_px = height_px,
		.channels = wan_pixel_channels(format),
		.stride_bytes = bytes / height_px / (planar ? 3 : 1),
		.pixels_bytes = bytes,
		.pixels = image->pixels,
	};
	*ret_image = image;
	return 0;
}

int wan_image_from_pixels(const struct wan_image_view *pixels, struct wan_image **ret_image)
{
	if (!pixels || !pixels->pixels || !ret_image)
		return -EINVAL;

	struct wan_image *image;
	int error = wan_image_create(pixels->format, pixels->width_px, pixels->height_px, &image);
	if (error < 0)
		return error;

	size_t stride = image->view.stride_bytes;
	size_t from_stride = pixels->stride_bytes ? pixels->stride_bytes : stride;
	if (from_stride < stride) {
		wan_image_unref(image);
		return -EINVAL;
	}
	size_t rows = image->view.pixels_bytes / stride;
	for (size_t y = 0; y < rows; y++)
		memcpy((uint8_t *)image->pixels + y * stride,
		       (const uint8_t *)pixels->pixels + y * from_stride, stride);
	*ret_image = image;
	return 0;
}

struct wan_image *wan_image_ref(struct wan_image *image)
{
	if (image)
		wan_add_relaxed(&image->refs, 1);
	return image;
}

void wan_image_unref(struct wan_image *image)
{
	/* Release our writes to whoever frees; acquire everybody's when that is us. */
	if (!image || wan_sub_acq_rel(&image->refs, 1) != 1)
		return;
	wan_pool_put(image->pixels, image->mapped_bytes);
	wan_free(image->origin);
	wan_free(image);
}

void wan_image_unrefp(struct wan_image **image)
{
	wan_image_unref(*image);
}

void wan_image_view(const struct wan_image *image, struct wan_image_view *ret_view)
{
	*ret_view = image ? image->view : (struct wan_image_view){.pixels = NULL};
}

void *wan_image_pixels_mut(struct wan_image *image)
{
	/* Acquire pairs with the release in another holder's unref: its reads are over. */
	if (!image || wan_load_acquire(&image->refs) != 1)
		return NULL;
	return image->pixels;
}
