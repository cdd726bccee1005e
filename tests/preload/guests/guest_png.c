/* SPDX-License-Identifier: MIT */
/* guest_png SCENARIO FILE [COUNT]: the many ways to use libpng; see guest_jpeg.c. */
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

static uint32_t sum;

static void add(const unsigned char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sum = sum * 31 + bytes[i];
}

static void quiet(png_structp png, png_const_charp text)
{
	(void)png;
	(void)text;
}

static void fail(png_structp png, png_const_charp text)
{
	(void)text;
	png_longjmp(png, 1);
}

struct reader {
	FILE *file;
	png_structp png;
	png_infop info;
	unsigned char *row;
	bool failed;
};

static void open_reader(struct reader *reader, const char *path)
{
	memset(reader, 0, sizeof(*reader));
	reader->file = fopen(path, "rb");
	reader->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, fail, quiet);
	reader->info = png_create_info_struct(reader->png);
}

static void close_reader(struct reader *reader)
{
	png_destroy_read_struct(&reader->png, &reader->info, NULL);
	free(reader->row);
	fclose(reader->file);
}

/* rows: how many, end: with png_read_end. */
static int read_rows(const char *path, png_uint_32 limit, bool end)
{
	struct reader reader;
	open_reader(&reader, path);
	if (setjmp(png_jmpbuf(reader.png))) {
		reader.failed = true;
	} else {
		png_init_io(reader.png, reader.file);
		png_read_info(reader.png, reader.info);
		int passes = png_set_interlace_handling(reader.png);
		png_read_update_info(reader.png, reader.info);
		size_t bytes = png_get_rowbytes(reader.png, reader.info);
		png_uint_32 height = png_get_image_height(reader.png, reader.info);
		reader.row = calloc(1, bytes);
		for (int pass = 0; pass < passes; pass++)
			for (png_uint_32 y = 0; y < height && y < limit; y++) {
				png_read_row(reader.png, reader.row, NULL);
				add(reader.row, bytes);
			}
		if (end)
			png_read_end(reader.png, NULL);
	}
	close_reader(&reader);
	return reader.failed;
}

static int high_level(const char *path)
{
	struct reader reader;
	open_reader(&reader, path);
	if (setjmp(png_jmpbuf(reader.png))) {
		reader.failed = true;
	} else {
		png_init_io(reader.png, reader.file);
		png_read_png(reader.png, reader.info, PNG_TRANSFORM_IDENTITY, NULL);
		png_bytepp lines = png_get_rows(reader.png, reader.info);
		for (png_uint_32 y = 0; y < png_get_image_height(reader.png, reader.info); y++)
			add(lines[y], png_get_rowbytes(reader.png, reader.info));
	}
	close_reader(&reader);
	return reader.failed;
}

static void on_info(png_structp png, png_infop info)
{
	png_set_interlace_handling(png);
	png_read_update_info(png, info);
	sum += png_get_image_width(png, info);
}

static void on_row(png_structp png, png_bytep row, png_uint_32 number, int pass)
{
	(void)png;
	(void)pass;
	if (row)
		sum = sum * 31 + row[0] + number;
}

static void on_end(png_structp png, png_infop info)
{
	(void)png;
	(void)info;
	sum++;
}

static int push(const char *path)
{
	struct reader reader;
	unsigned char piece[4096];
	open_reader(&reader, path);
	if (setjmp(png_jmpbuf(reader.png))) {
		reader.failed = true;
	} else {
		png_set_progressive_read_fn(reader.png, NULL, on_info, on_row, on_end);
		size_t count;
		while ((count = fread(piece, 1, sizeof(piece), reader.file)) > 0)
			png_process_data(reader.png, reader.info, piece, count);
	}
	close_reader(&reader);
	return reader.failed;
}

static int simplified(const char *path)
{
	png_image image = {.version = PNG_IMAGE_VERSION};
	png_image small = {.version = PNG_IMAGE_VERSION, .width = 16, .height = 8};
	unsigned char pixels[16 * 8] = {0}, file[4096];
	png_alloc_size_t bytes = sizeof(file);
	if (!png_image_begin_read_from_file(&image, path))
		return 1;
	image.format = PNG_FORMAT_RGB;
	unsigned char *buffer = malloc(PNG_IMAGE_SIZE(image));
	int done = png_image_finish_read(&image, NULL, buffer, 0, NULL);
	if (done)
		add(buffer, PNG_IMAGE_SIZE(image));
	png_image_free(&image);
	free(buffer);
	small.format = PNG_FORMAT_GRAY;
	if (!png_image_write_to_memory(&small, file, &bytes, 0, pixels, 0, NULL))
		return 2;
	add(file, bytes);
	return !done;
}

static int probe(const char *path)
{
	struct reader reader;
	open_reader(&reader, path);
	if (setjmp(png_jmpbuf(reader.png)) == 0) {
		png_init_io(reader.png, reader.file);
		png_read_info(reader.png, reader.info);
	}
	close_reader(&reader);
	return 0;
}

static int write_file(const char *path, bool end)
{
	FILE *file = fopen(path, "wb");
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, fail, quiet);
	png_infop info = png_create_info_struct(png);
	static unsigned char line[320 * 4];
	if (setjmp(png_jmpbuf(png)) == 0) {
		png_init_io(png, file);
		png_set_IHDR(png, info, 320, 240, 8, PNG_COLOR_TYPE_RGB_ALPHA, PNG_INTERLACE_NONE,
			     PNG_COMPRESSION_TYPE_BASE, PNG_FILTER_TYPE_BASE);
		png_write_info(png, info);
		for (int y = 0; y < 240; y++) {
			memset(line, y, sizeof(line));
			png_write_row(png, line);
		}
		if (end)
			png_write_end(png, info);
	}
	png_destroy_write_struct(&png, &info);
	fclose(file);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 64;
	const char *what = argv[1], *path = argv[2];
	int count = argc > 3 ? atoi(argv[3]) : 1, status = 64;
#define IS(name) (strcmp(what, name) == 0)
	for (int i = 0; i < count; i++)
		status = IS("rows")           ? read_rows(path, UINT32_MAX, true)
			 : IS("no_end")       ? read_rows(path, UINT32_MAX, false)
			 : IS("stop")         ? read_rows(path, 100, false)
			 : IS("high")         ? high_level(path)
			 : IS("push")         ? push(path)
			 : IS("simple")       ? simplified(path)
			 : IS("probe")        ? probe(path)
			 : IS("write")        ? write_file(path, true)
			 : IS("write_no_end") ? write_file(path, false)
					      : 64;
	printf("%08x\n", sum);
	return status;
}
