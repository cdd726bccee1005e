/* SPDX-License-Identifier: MIT */
/*
 * The pictures: made from rules, written once, and known when they come back.
 *
 *	source <tab> words <tab> bytes of the file      each, when it is written
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "work.h"

bool work_source_parse(const char *words, struct work_source *ret_source)
{
	struct work_source source;
	char content[16], format[8];
	if (sscanf(words, "%ux%u:%15[^:]:%7[^:]:%u", &source.width_px, &source.height_px, content,
		   format, &source.seed) != 5 ||
	    bench_content_find(content) < 0 || !source.width_px || !source.height_px)
		return false;
	source.content = (enum bench_content)bench_content_find(content);
	source.format = strcmp(format, "png") == 0 ? WAN_FORMAT_PNG : WAN_FORMAT_JPEG;
	*ret_source = source;
	return true;
}

void work_source_path(char *to, size_t bytes, const char *folder, const struct work_source *source)
{
	snprintf(to, bytes, "%s/%ux%u-%s-%u.%s", folder, source->width_px, source->height_px,
		 bench_content_names[source->content], source->seed,
		 source->format == WAN_FORMAT_PNG ? "png" : "jpg");
}

int work_source_draw(const struct work_source *source, struct wan_image **ret_image)
{
	int r = wan_image_create(WAN_PIXEL_RGB8, source->width_px, source->height_px, ret_image);
	if (r < 0)
		return r;
	uint8_t *pixels = wan_image_pixels_mut(*ret_image);
	for (uint32_t y = 0; y < source->height_px; y++)
		bench_content_row(source->content, source->width_px, source->height_px,
				  source->seed, y, pixels + (size_t)3 * source->width_px * y);
	return 0;
}

/* JPEG of quality 90 with halved colour: grain is what it loses most of. */
#define JPEG_MEAN_MOST 16

bool work_source_equals(const struct work_source *source, const struct wan_image *image)
{
	struct wan_image_view view;
	uint64_t sum = 0;
	wan_image_view(image, &view);
	uint8_t *row = malloc((size_t)3 * source->width_px);
	bool equal = row && view.format == WAN_PIXEL_RGB8 && view.width_px == source->width_px &&
		     view.height_px == source->height_px;
	for (uint32_t y = 0; equal && y < source->height_px; y++) {
		const uint8_t *there = (const uint8_t *)view.pixels + view.stride_bytes * y;
		bench_content_row(source->content, source->width_px, source->height_px,
				  source->seed, y, row);
		for (size_t i = 0; i < (size_t)3 * source->width_px; i++)
			sum += (uint64_t)abs(row[i] - there[i]);
	}
	free(row);
	uint64_t samples = (uint64_t)3 * source->width_px * source->height_px;
	return equal &&
	       (source->format == WAN_FORMAT_PNG ? sum == 0 : sum <= JPEG_MEAN_MOST * samples);
}

static int make(const char *folder, const char *words, const struct work_source *source)
{
	struct wan_encode_options options;
	struct wan_image_info info = {0};
	struct wan_image *image;
	struct wan_error error = {0};
	char path[WORK_PATH];
	work_source_path(path, sizeof(path), folder, source);
	if (wan_image_probe(path, &info, &error) == 0) {
		printf("source\t%s\t%llu\n", words, (unsigned long long)info.file_bytes);
		return 0; /* an earlier test had need of it */
	}
	snprintf(error.reason, sizeof(error.reason), "not enough memory");
	int r = work_source_draw(source, &image);
	if (r == 0) {
		wan_encode_options_init(&options);
		options.format = source->format;
		options.png_level = 1;
		options.overwrite = true;
		r = wan_image_encode(image, path, &options, &error);
		wan_image_unref(image);
	}
	r = r < 0 ? r : wan_image_probe(path, &info, &error);
	if (r < 0) {
		fprintf(stderr, "wanprof: %s: cannot be made: %s\n", path, error.reason);
		return r;
	}
	printf("source\t%s\t%llu\n", words, (unsigned long long)info.file_bytes);
	return 0;
}

int work_make(int count, char **words)
{
	struct work_source source;
	for (int i = 1; i < count; i++) {
		if (!work_source_parse(words[i], &source))
			return WORK_USAGE;
		if (make(words[0], words[i], &source) < 0)
			return WORK_FAILED;
		work_at((uint64_t)i, (uint64_t)count - 1);
	}
	return count > 1 ? WORK_OK : WORK_USAGE;
}
