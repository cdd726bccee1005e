/* SPDX-License-Identifier: MIT */
/*
 * Images kept smaller while nobody looks at them. wan_image_cold_ops() is what a cache is given;
 * the rest is shared by the kinds of cold form, each exact to the byte:
 *
 *	packed     differences to the row above, bit-packed (8-bit pixels)
 *	squeezed   LZ4 of the pixels (patterns, drawings, other pixel formats)
 *	planes     what the JPEG decoder had before upsampling and colours, packed
 *	rewritten  a progressive JPEG as a baseline one, which decodes several times faster
 *
 * The last two are made from the file, which is read again and must still be the one decoded.
 */
#ifndef WAN_IMAGE_COLD_H
#define WAN_IMAGE_COLD_H

#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "wan/cache.h"

enum wan_cold_kind {
	WAN_COLD_PACKED,
	WAN_COLD_SQUEEZED,
	WAN_COLD_PLANES,
	WAN_COLD_REWRITTEN,
};
/* "packed". */
const char *wan_cold_kind_name(enum wan_cold_kind kind);

/* A gain of less than a sixth is not worth the time. */
#define WAN_COLD_WORTH(bytes) ((bytes) / 6 * 5)

/* One block from wan_malloc(): this head, then the bytes of the kind. */
struct wan_cold_image {
	size_t block_bytes;
	struct wan_origin *origin;  /* a block of its own, or NULL */
	struct wan_image_view view; /* of the image; pixels NULL */
	enum wan_cold_kind kind;
	uint8_t orientation;          /* planes, rewritten: EXIF, still to be applied */
	uint8_t components;           /* planes: 1 or 3 */
	uint8_t across, down;         /* planes: pixels that share a colour */
	uint32_t width_px, height_px; /* planes: before orientation */
};

/* How an image is frozen and thawed; NULL when its format is not supported or image is NULL. The
 * data given to the operations is a struct wan_image, the cold form a struct wan_cold_image.
 * Any thread. */
const struct wan_cold_ops *wan_image_cold_ops(const struct wan_image *image);

/* 0, -E2BIG (would take more than bytes_max), -ENOTSUP, -ENOMEM. The caller frees *ret_cold. */
int wan_cold_freeze_pixels(const struct wan_image *image, size_t bytes_max,
			   struct wan_cold_image **ret_cold);
/* 0, -ENOMEM, -EBADMSG (damaged). */
int wan_cold_thaw_pixels(const struct wan_cold_image *cold, struct wan_image **ret_image);

static inline const uint8_t *wan_cold_bytes(const struct wan_cold_image *cold)
{
	return (const uint8_t *)(cold + 1);
}

static inline size_t wan_cold_bytes_count(const struct wan_cold_image *cold)
{
	return cold->block_bytes - sizeof(*cold);
}

#endif
