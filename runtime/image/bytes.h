/* SPDX-License-Identifier: MIT */
/* Numbers out of unaligned bytes. */
#ifndef WAN_IMAGE_BYTES_H
#define WAN_IMAGE_BYTES_H

#include <stdint.h>

static inline uint32_t wan_be16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static inline uint32_t wan_be32(const uint8_t *p)
{
	return wan_be16(p) << 16 | wan_be16(p + 2);
}

static inline uint32_t wan_le16(const uint8_t *p)
{
	return (uint32_t)p[1] << 8 | p[0];
}

static inline uint32_t wan_le24(const uint8_t *p)
{
	return wan_le16(p) | (uint32_t)p[2] << 16;
}

static inline uint32_t wan_le32(const uint8_t *p)
{
	return wan_le16(p) | wan_le16(p + 2) << 16;
}

#endif
