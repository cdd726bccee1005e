/* SPDX-License-Identifier: MIT */
/*
 * Times of the steps of a start image at three sizes, beside the time to copy its pixels, which is
 * the baseline of the machine at this moment. Medians of ROUNDS.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "wan/image.h"

enum { ROUNDS = 15 };

struct work {
	struct wan_image *image;
	uint8_t *copy;
	char jpeg[64], png[64], out[64];
};

static void drop(struct wan_image *image, int error)
{
	if (error < 0) {
		fprintf(stderr, "failed: %s\n", wan_strerror(error));
		exit(1);
	}
	wan_image_unref(image);
}

static void copy_pixels(struct work *work)
{
	struct wan_image_view view;
	wan_image_view(work->image, &view);
	memcpy(work->copy, view.pixels, view.pixels_bytes);
}

static void decode(const char *path, uint32_t at_least)
{
	struct wan_decode_options options;
	struct wan_image *image = NULL;
	wan_decode_options_init(&options);
	options.min_width_px = options.min_height_px = at_least;
	int error = wan_image_decode(path, &options, &image, NULL);
	drop(image, error);
}

static void decode_jpeg(struct work *work)
{
	decode(work->jpeg, 0);
}

static void decode_jpeg_small(struct work *work)
{
	decode(work->jpeg, 256);
}

static void decode_png(struct work *work)
{
	decode(work->png, 0);
}

static void encode(struct work *work, enum wan_file_format format)
{
	struct wan_encode_options options;
	wan_encode_options_init(&options);
	options.format = format;
	options.jpeg_quality = 85;
	options.overwrite = true;
	drop(NULL, wan_image_encode(work->image, work->out, &options, NULL));
}

static void encode_jpeg(struct work *work)
{
	encode(work, WAN_FORMAT_JPEG);
}

static void encode_png(struct work *work)
{
	encode(work, WAN_FORMAT_PNG);
}

static void resize(struct work *work, enum wan_filter filter)
{
	struct wan_image *image = NULL;
	int error = wan_image_resize(work->image, 832, 480, filter, &image);
	drop(image, error);
}

static void resize_lanczos(struct work *work)
{
	resize(work, WAN_FILTER_LANCZOS);
}

static void resize_bicubic(struct work *work)
{
	resize(work, WAN_FILTER_BICUBIC);
}

static void thumbnail(struct work *work)
{
	struct wan_image *image = NULL;
	int error = wan_image_thumbnail(work->image, 256, 256, &image);
	drop(image, error);
}

static void normalise(struct work *work)
{
	struct wan_image *image = NULL;
	int error = wan_image_normalise(work->image, &image);
	drop(image, error);
}

static void validate(struct work *work)
{
	struct wan_verdict verdict;
	drop(NULL, wan_image_validate(work->image, NULL, &verdict));
}

static const struct {
	const char *name;
	void (*run)(struct work *work);
} steps[] = {
	{"copy of the pixels (baseline)", copy_pixels},
	{"decode JPEG q90", decode_jpeg},
	{"decode JPEG q90, at least 256", decode_jpeg_small},
	{"decode PNG", decode_png},
	{"encode JPEG q85", encode_jpeg},
	{"encode PNG", encode_png},
	{"resize Lanczos to 832x480", resize_lanczos},
	{"resize bicubic to 832x480", resize_bicubic},
	{"thumbnail 256", thumbnail},
	{"normalise to CHW float32", normalise},
	{"validate", validate},
};

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static double median_us(void (*run)(struct work *work), struct work *work)
{
	uint64_t times[ROUNDS];
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t begin = wan_now_ns();
		run(work);
		times[i] = wan_now_ns() - begin;
	}
	qsort(times, ROUNDS, sizeof(times[0]), by_value);
	return (double)times[ROUNDS / 2] / 1000.0;
}

/* Smooth colours with a little noise, as in a photograph. */
static struct wan_image *photo(uint32_t width, uint32_t height)
{
	struct wan_image *image;
	uint32_t noise = 1;
	if (wan_image_create(WAN_PIXEL_RGB8, width, height, &image) < 0)
		exit(1);
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

static void write_file(struct work *work, const char *path, enum wan_file_format format)
{
	struct wan_encode_options options;
	wan_encode_options_init(&options);
	options.format = format;
	drop(NULL, wan_image_encode(work->image, path, &options, NULL));
}

int main(void)
{
	static const struct wan_size sizes[] = {{512, 512}, {1280, 720}, {1920, 1080}};
	char folder[] = "/tmp/wan-bench-XXXXXX";
	if (!mkdtemp(folder))
		return 1;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		struct work work = {.image = photo(sizes[s].width_px, sizes[s].height_px)};
		snprintf(work.jpeg, sizeof(work.jpeg), "%s/in.jpg", folder);
		snprintf(work.png, sizeof(work.png), "%s/in.png", folder);
		snprintf(work.out, sizeof(work.out), "%s/out", folder);
		work.copy = malloc((size_t)sizes[s].width_px * sizes[s].height_px * 3);
		write_file(&work, work.jpeg, WAN_FORMAT_JPEG);
		write_file(&work, work.png, WAN_FORMAT_PNG);
		double base = 0;
		for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
			double us = median_us(steps[i].run, &work);
			base = i == 0 ? us : base;
			printf("%ux%u  %-32s %10.1f us  %7.1f x copy\n", sizes[s].width_px,
			       sizes[s].height_px, steps[i].name, us, us / base);
		}
		unlink(work.jpeg);
		unlink(work.png);
		unlink(work.out);
		free(work.copy);
		wan_image_unref(work.image);
	}
	return rmdir(folder);
}
