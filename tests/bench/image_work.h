/* SPDX-License-Identifier: MIT */
/* Pictures, files and medians for bench-image, and its plain steps. */
#ifndef WAN_BENCH_IMAGE_WORK_H
#define WAN_BENCH_IMAGE_WORK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu.h"
#include "clock.h"
#include "wan/image.h"

static inline void must(int result)
{
	if (result < 0) {
		fprintf(stderr, "failed: %s\n", wan_strerror(result));
		exit(1);
	}
}

static inline int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static inline double median_ms(void (*run)(void *), void *context, int rounds)
{
	uint64_t times[64];
	for (int i = 0; i < rounds; i++) {
		uint64_t begin = wan_now_ns();
		run(context);
		times[i] = wan_now_ns() - begin;
	}
	qsort(times, (size_t)rounds, sizeof(times[0]), by_value);
	return (double)times[rounds / 2] / 1e6;
}

static inline uint32_t crc32_image(const struct wan_image *image)
{
	struct wan_image_view view;
	wan_image_view(image, &view);
	uint32_t crc = 0xffffffffu;
	for (size_t i = 0; i < view.pixels_bytes; i++) {
		crc ^= ((const uint8_t *)view.pixels)[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (0xedb88320u & -(crc & 1));
	}
	return ~crc;
}

/* Smooth colours with a little noise, or a photograph resized. */
static inline struct wan_image *take_photo(const char *path, uint32_t width, uint32_t height)
{
	struct wan_image *image = NULL, *file = NULL;
	struct wan_decode_options options;
	uint32_t noise = 1;
	if (path) {
		wan_decode_options_init(&options);
		options.want = WAN_PIXEL_RGB8;
		must(wan_image_decode(path, &options, &file, NULL));
		must(wan_image_resize(file, width, height, WAN_FILTER_LANCZOS, &image));
		wan_image_unref(file);
		return image;
	}
	must(wan_image_create(WAN_PIXEL_RGB8, width, height, &image));
	uint8_t *out = wan_image_pixels_mut(image);
	for (uint32_t y = 0; y < height; y++) {
		for (uint32_t x = 0; x < width; x++) {
			noise = noise * 1664525 + 1013904223;
			*out++ = (uint8_t)(x * 200 / width + (noise >> 29));
			*out++ = (uint8_t)(y * 200 / height + (noise >> 29));
			*out++ = (uint8_t)((x + y) * 100 / (width + height) + 60 + (noise >> 29));
		}
	}
	return image;
}

static inline uint8_t *read_whole(const char *path, size_t *ret_count)
{
	FILE *file = fopen(path, "rb");
	if (!file || fseek(file, 0, SEEK_END) < 0)
		exit(1);
	*ret_count = (size_t)ftell(file);
	rewind(file);
	uint8_t *bytes = malloc(*ret_count);
	if (!bytes || fread(bytes, 1, *ret_count, file) != *ret_count)
		exit(1);
	fclose(file);
	return bytes;
}

static inline void write_jpeg(const struct wan_image *image, const char *path, bool progressive)
{
	struct wan_encode_options options;
	wan_encode_options_init(&options);
	options.format = WAN_FORMAT_JPEG;
	options.overwrite = true;
	options.jpeg_progressive = progressive;
	must(wan_image_encode(image, path, &options, NULL));
}

/* Decoding, encoding and validating 1920x1080, beside copying its pixels. */
struct step {
	const struct wan_image *image;
	char jpeg[128], png[128], out[128];
	uint8_t *copy;
};

static inline void step_copy(void *context)
{
	struct step *s = context;
	struct wan_image_view view;
	wan_image_view(s->image, &view);
	memcpy(s->copy, view.pixels, view.pixels_bytes);
}

static inline void step_decode(const char *path)
{
	struct wan_image *image = NULL;
	must(wan_image_decode(path, NULL, &image, NULL));
	wan_image_unref(image);
}

static inline void step_decode_jpeg(void *context)
{
	step_decode(((struct step *)context)->jpeg);
}

static inline void step_decode_png(void *context)
{
	step_decode(((struct step *)context)->png);
}

static inline void step_encode_jpeg(void *context)
{
	struct step *s = context;
	write_jpeg(s->image, s->out, false);
}

static inline void step_validate(void *context)
{
	struct step *s = context;
	struct wan_verdict verdict;
	must(wan_image_validate(s->image, NULL, &verdict));
}

static inline void step_thumbnail(void *context)
{
	struct step *s = context;
	struct wan_image *made = NULL;
	must(wan_image_thumbnail(s->image, 256, 256, &made));
	wan_image_unref(made);
}

static inline void bench_steps(const struct wan_image *photo, const char *folder)
{
	static const struct {
		const char *name;
		void (*run)(void *);
	} steps[] = {
		{"copy of the pixels", step_copy},
		{"decode JPEG q90", step_decode_jpeg},
		{"decode PNG", step_decode_png},
		{"encode JPEG q90", step_encode_jpeg},
		{"thumbnail 256 of pixels", step_thumbnail},
		{"validate pixels", step_validate},
	};
	struct wan_image_view view;
	struct step s = {.image = photo};
	wan_image_view(photo, &view);
	s.copy = malloc(view.pixels_bytes);
	snprintf(s.jpeg, sizeof(s.jpeg), "%s/step.jpg", folder);
	snprintf(s.png, sizeof(s.png), "%s/step.png", folder);
	snprintf(s.out, sizeof(s.out), "%s/step.out", folder);
	write_jpeg(photo, s.jpeg, false);
	must(wan_image_encode(photo, s.png, NULL, NULL));
	printf("1920x1080\n");
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		printf("  %-24s %8.2f ms\n", steps[i].name, median_ms(steps[i].run, &s, 3));
	double decode_ms = median_ms(step_decode_jpeg, &s, 15);
	printf("validation of the JPEG (decode and judge), in decodes (asked: at most 1.2)\n ");
	for (int level = WAN_CPU_BASE; level <= WAN_CPU_AVX512; level++) {
		wan_cpu_limit((enum wan_cpu_level)level);
		printf(" %s %.2f", wan_cpu_level_name(wan_cpu_level()),
		       (decode_ms + median_ms(step_validate, &s, 15)) / decode_ms);
	}
	puts("");
	free(s.copy);
}

#endif
