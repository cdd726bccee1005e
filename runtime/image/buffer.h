/* SPDX-License-Identifier: MIT */
/* What a reference-counted image is made of. */
#ifndef WAN_IMAGE_BUFFER_H
#define WAN_IMAGE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "file_state.h"
#include "wan/image.h"

/* The JPEG file an image came from as it is, at full size and in its natural format: what may be
 * read again to keep it small. */
struct wan_origin {
	struct wan_file_identity identity;
	uint64_t coefficient_bytes; /* what rewriting it takes */
	uint8_t orientation;        /* EXIF, applied */
	bool slow;                  /* progressive, several scans, or arithmetic code */
	char path[];
};

static inline size_t wan_origin_bytes(const struct wan_origin *origin)
{
	return sizeof(*origin) + strlen(origin->path) + 1;
}

struct wan_image {
	uint32_t refs;              /* atomic; the last release pairs with the fence in unref */
	struct wan_image_view view; /* fixed from creation on, except warnings */
	void *pixels;               /* from the pool; view.pixels for writing */
	size_t mapped_bytes;
	struct wan_origin *origin; /* NULL: unknown, or of no use */
};

/* Samples per pixel (3 for WAN_PIXEL_RGBF32_PLANAR); 0: no such format. Pure. */
unsigned wan_pixel_channels(enum wan_pixel_format format);
/* Bytes of one sample: 1, 2 or 4; 0: no such format. Pure. */
unsigned wan_pixel_sample_bytes(enum wan_pixel_format format);
bool wan_pixel_has_alpha(enum wan_pixel_format format);
/* Floats, one plane for each channel. */
static inline bool wan_pixel_is_planar(enum wan_pixel_format format)
{
	return format >= WAN_PIXEL_RGBF32_PLANAR && format <= WAN_PIXEL_RGBBF16_PLANAR;
}
/* "RGB8"; "unknown format". */
const char *wan_pixel_name(enum wan_pixel_format format);
/* Bytes of a tightly packed image. 0, -EINVAL (a zero side, no such format), -EOVERFLOW. Pure. */
int wan_pixel_bytes(enum wan_pixel_format format, uint32_t width_px, uint32_t height_px,
		    size_t *ret_bytes);

/* Row y of an interleaved image, for writing. */
static inline uint8_t *wan_image_row(const struct wan_image *image, uint32_t y)
{
	return (uint8_t *)image->pixels + (size_t)y * image->view.stride_bytes;
}

void wan_image_unrefp(struct wan_image **image);

#endif
