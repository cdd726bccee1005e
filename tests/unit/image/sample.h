/* SPDX-License-Identifier: MIT */
/* Images every test of this folder can make without files, and checksums over them. */
#ifndef WAN_TESTS_IMAGE_SAMPLE_H
#define WAN_TESTS_IMAGE_SAMPLE_H

#include <stdint.h>
#include <stdlib.h>

#include "wan/image.h"

/* The source of the golden checksums: byte(x, y, c) = 7x + 13y + 29c + (xy >> 5). */
static inline uint8_t sample_byte(uint32_t x, uint32_t y, uint32_t c)
{
	return (uint8_t)(7 * x + 13 * y + 29 * c + (x * y >> 5));
}

/* Filled sample by sample with sample_byte(), 16-bit ones with a second byte below it. */
static inline struct wan_image *sample_image(enum wan_pixel_format format, uint32_t width,
					     uint32_t height)
{
	struct wan_image *image;
	struct wan_image_view view;
	if (wan_image_create(format, width, height, &image) < 0)
		abort();
	wan_image_view(image, &view);
	uint8_t *bytes = wan_image_pixels_mut(image);
	uint32_t samples = view.channels;
	bool wide = view.stride_bytes == (size_t)width * samples * 2;
	for (uint32_t y = 0; y < height; y++) {
		for (uint32_t i = 0; i < width * samples; i++) {
			uint8_t byte = sample_byte(i / samples, y, i % samples);
			if (wide)
				((uint16_t *)(void *)(bytes + y * view.stride_bytes))[i] =
					(uint16_t)(byte << 8 | (uint8_t)(i * 31 + y));
			else
				bytes[y * view.stride_bytes + i] = byte;
		}
	}
	return image;
}

static inline uint32_t crc32_bytes(const void *bytes, size_t count)
{
	static uint32_t table[256];
	if (!table[1]) {
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t crc = i;
			for (int bit = 0; bit < 8; bit++)
				crc = crc >> 1 ^ (0xedb88320u & -(crc & 1));
			table[i] = crc;
		}
	}
	const uint8_t *at = bytes;
	uint32_t crc = 0xffffffffu;
	for (size_t i = 0; i < count; i++)
		crc = crc >> 8 ^ table[(crc ^ at[i]) & 0xff];
	return ~crc;
}

/* Of the pixels; 0 without an image. */
static inline uint32_t crc32_image(const struct wan_image *image)
{
	struct wan_image_view view;
	wan_image_view(image, &view);
	return image ? crc32_bytes(view.pixels, view.pixels_bytes) : 0;
}

#endif
