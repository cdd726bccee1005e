/* SPDX-License-Identifier: MIT */
/* Files for tests: a folder of their own, bytes in memory, PNG files of every kind. */
#ifndef WAN_TESTS_IMAGE_FILES_H
#define WAN_TESTS_IMAGE_FILES_H

#include <dirent.h>
#include <fcntl.h>
#include <png.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct bytes {
	uint8_t *at;
	size_t count, capacity;
};

static inline void bytes_add(struct bytes *bytes, const void *from, size_t count)
{
	if (bytes->count + count > bytes->capacity) {
		bytes->capacity = 2 * (bytes->count + count);
		bytes->at = realloc(bytes->at, bytes->capacity);
		if (!bytes->at)
			abort();
	}
	if (count)
		memcpy(bytes->at + bytes->count, from, count);
	bytes->count += count;
}

static inline void bytes_free(struct bytes *bytes)
{
	free(bytes->at);
	*bytes = (struct bytes){.at = NULL};
}

/* A copy that ends where its allocation ends, so that a sanitizer sees one byte too far. */
static inline struct bytes bytes_exact(const void *from, size_t count)
{
	struct bytes bytes = {calloc(1, count ? count : 1), count, count};
	if (!bytes.at)
		abort();
	if (count)
		memcpy(bytes.at, from, count);
	return bytes;
}

static inline struct bytes bytes_read(const char *path)
{
	struct bytes bytes = {.at = NULL};
	FILE *file = fopen(path, "rb");
	if (!file) {
		perror(path);
		abort();
	}
	char piece[4096];
	for (size_t got; (got = fread(piece, 1, sizeof(piece), file)) > 0;)
		bytes_add(&bytes, piece, got);
	fclose(file);
	return bytes;
}

static inline void bytes_write(const char *path, const void *from, size_t count)
{
	FILE *file = fopen(path, "wb");
	if (!file || fwrite(from, 1, count, file) != count || fclose(file) != 0)
		abort();
}

/* A file of tests/unit/image/data. */
static inline struct bytes data_file(const char *name)
{
	char path[1024];
	const char *folder = getenv("WAN_TEST_DATA");
	snprintf(path, sizeof(path), "%s/%s.jpg", folder ? folder : "tests/unit/image/data", name);
	return bytes_read(path);
}

/* A folder that is emptied and removed at the end of the program. */
static char test_folder[64];

static inline void remove_test_folder(void)
{
	DIR *folder = opendir(test_folder);
	char path[512];
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		snprintf(path, sizeof(path), "%s/%s", test_folder, entry->d_name);
		if (unlink(path) != 0)
			rmdir(path);
	}
	if (folder)
		closedir(folder);
	rmdir(test_folder);
}

static inline const char *in_test_folder(const char *name)
{
	static char paths[8][512];
	static unsigned next;
	if (!test_folder[0]) {
		strcpy(test_folder, "/tmp/wan-image-XXXXXX");
		if (!mkdtemp(test_folder))
			abort();
		atexit(remove_test_folder);
	}
	char *path = paths[next++ % 8];
	snprintf(path, sizeof(paths[0]), "%s/%s", test_folder, name);
	return path;
}

static inline unsigned files_in_test_folder(void)
{
	unsigned count = 0;
	DIR *folder = opendir(test_folder);
	for (struct dirent *entry; folder && (entry = readdir(folder));)
		count += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
	if (folder)
		closedir(folder);
	return count;
}

static inline void put_be32(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)(value >> 24);
	to[1] = (uint8_t)(value >> 16);
	to[2] = (uint8_t)(value >> 8);
	to[3] = (uint8_t)value;
}

/* One PNG chunk with its checksum. */
static inline void png_chunk(struct bytes *bytes, const char *type, const void *body, size_t count)
{
	uint8_t word[4];
	put_be32(word, (uint32_t)count);
	bytes_add(bytes, word, 4);
	size_t begin = bytes->count;
	bytes_add(bytes, type, 4);
	bytes_add(bytes, body, count);
	uint32_t crc = 0xffffffffu;
	for (size_t i = begin; i < bytes->count; i++) {
		crc ^= bytes->at[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (0xedb88320u & -(crc & 1));
	}
	put_be32(word, ~crc);
	bytes_add(bytes, word, 4);
}

/* Signature and IHDR only. */
static inline void png_head(struct bytes *bytes, uint32_t width, uint32_t height, int depth,
			    int color, int interlace)
{
	uint8_t ihdr[13] = {0};
	put_be32(ihdr, width);
	put_be32(ihdr + 4, height);
	ihdr[8] = (uint8_t)depth;
	ihdr[9] = (uint8_t)color;
	ihdr[12] = (uint8_t)interlace;
	bytes_add(bytes, "\x89PNG\r\n\x1a\n", 8);
	png_chunk(bytes, "IHDR", ihdr, sizeof(ihdr));
}

struct png_kind {
	uint32_t width, height;
	int depth, color;             /* as in IHDR */
	bool interlaced, transparent; /* transparent: with tRNS */
	uint8_t orientation;          /* in an eXIf chunk behind the pixels; 0: none */
};

/* Sample (palette index for colour type 3) of a PNG made here; bits wide. */
static inline uint32_t png_sample(uint32_t x, uint32_t y, uint32_t c, int bits)
{
	uint32_t mixed = (x * 2654435761u) ^ (y * 40503u + 977) ^ (c * 97531u);
	mixed ^= mixed >> 13;
	return (mixed * 2246822519u) >> (32 - bits);
}

static inline unsigned png_samples(int color)
{
	return color == 2 ? 3 : color == 4 ? 2 : color == 6 ? 4 : 1;
}

static inline void png_to_bytes(png_structp png, png_bytep from, size_t count)
{
	bytes_add(png_get_io_ptr(png), from, count);
}

static inline void png_no_flush(png_structp png)
{
	(void)png;
}

static inline void png_extras(png_structp png, png_infop info, const struct png_kind *kind)
{
	if (kind->color == 3) {
		png_color palette[256];
		png_byte alpha[256];
		int count = 1 << kind->depth;
		for (int i = 0; i < count; i++) {
			palette[i] = (png_color){(png_byte)(i * 5), (png_byte)(255 - i),
						 (png_byte)(i ^ 90)};
			alpha[i] = (png_byte)(i * 70);
		}
		png_set_PLTE(png, info, palette, count);
		if (kind->transparent) /* the later half stays opaque */
			png_set_tRNS(png, info, alpha, (count + 1) / 2, NULL);
	} else if (kind->transparent) {
		png_color_16 key = {
			.red = (png_uint_16)png_sample(1, 1, 0, kind->depth),
			.green = (png_uint_16)png_sample(1, 1, 1, kind->depth),
			.blue = (png_uint_16)png_sample(1, 1, 2, kind->depth),
			.gray = (png_uint_16)png_sample(1, 1, 0, kind->depth),
		};
		png_set_tRNS(png, info, NULL, 0, &key);
	}
}

/* A PNG of any kind, by libpng's writer. */
static inline struct bytes make_png(const struct png_kind *kind)
{
	struct bytes bytes = {.at = NULL};
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(png);
	unsigned samples = png_samples(kind->color);
	size_t row_bytes = ((size_t)kind->width * samples * (size_t)kind->depth + 7) / 8;
	uint8_t *row = malloc(row_bytes);

	png_set_write_fn(png, &bytes, png_to_bytes, png_no_flush);
	png_set_IHDR(png, info, kind->width, kind->height, kind->depth, kind->color,
		     kind->interlaced, 0, 0);
	png_extras(png, info, kind);
	png_write_info(png, info);
	int passes = png_set_interlace_handling(png);
	for (int pass = 0; pass < passes; pass++) {
		for (uint32_t y = 0; y < kind->height; y++) {
			memset(row, 0, row_bytes);
			for (uint32_t i = 0; i < kind->width * samples; i++) {
				uint32_t value =
					png_sample(i / samples, y, i % samples, kind->depth);
				if (kind->depth == 16) {
					row[2 * i] = (uint8_t)(value >> 8);
					row[2 * i + 1] = (uint8_t)value;
				} else {
					uint32_t bit = i * (uint32_t)kind->depth;
					row[bit / 8] |=
						(uint8_t)(value
							  << (8 - (uint32_t)kind->depth - bit % 8));
				}
			}
			png_write_row(png, row);
		}
	}
	if (kind->orientation) {
		uint8_t exif[26] = "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01";
		exif[19] = kind->orientation;
		png_set_eXIf_1(png, info, 22, exif);
	}
	png_write_end(png, info);
	png_destroy_write_struct(&png, &info);
	free(row);
	return bytes;
}

#endif
