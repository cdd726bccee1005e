/* SPDX-License-Identifier: MIT */
/*
 * guest_hostile sweep N FILE...: decodes each file and N seeded mutations of it with libjpeg or
 * libpng (rows, progressive, simplified in turn), leaving errors by longjmp, and prints one line a
 * file: how many decoded, warned and failed, and a checksum of all pixels and messages.
 * guest_hostile exits N JPEG PNG: N error exits, the two in turn; prints how many KiB the resident
 * memory grew over the last nine tenths of them.
 */
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

enum { IMAGE_PIXELS_MAX = 1 << 20, FILE_BYTES_MAX = 1 << 20 };

struct bytes {
	const uint8_t *at;
	size_t count;
};

static uint64_t sum;
static unsigned outcomes[3]; /* decoded, warned, failed */
static jmp_buf back;
static unsigned warnings;

static void add(const void *data, size_t count)
{
	const uint8_t *at = data;
	for (size_t i = 0; i < count; i++)
		sum = (sum ^ at[i]) * 0x100000001b3u;
}

static void note(int failed)
{
	unsigned outcome = failed ? 2 : warnings != 0;
	outcomes[outcome]++;
	add(&outcome, sizeof(outcome));
}

static void jpeg_failed(j_common_ptr object)
{
	char text[JMSG_LENGTH_MAX];
	object->err->format_message(object, text);
	add(text, strlen(text));
	longjmp(back, 1);
}

static void jpeg_said(j_common_ptr object)
{
	(void)object;
}

static void decode_jpeg(struct bytes from)
{
	static struct jpeg_decompress_struct object;
	struct jpeg_error_mgr manager;
	static JSAMPLE *row;
	object.err = jpeg_std_error(&manager);
	manager.error_exit = jpeg_failed;
	manager.output_message = jpeg_said;
	if (setjmp(back) == 0) {
		jpeg_create_decompress(&object);
		jpeg_mem_src(&object, from.at, from.count);
		jpeg_read_header(&object, TRUE);
		if ((uint64_t)object.image_width * object.image_height > IMAGE_PIXELS_MAX)
			longjmp(back, 1);
		jpeg_start_decompress(&object);
		size_t bytes = (size_t)object.output_width * object.output_components;
		row = realloc(row, bytes);
		while (object.output_scanline < object.output_height) {
			jpeg_read_scanlines(&object, &row, 1);
			add(row, bytes);
		}
		jpeg_finish_decompress(&object);
		warnings = (unsigned)manager.num_warnings;
		note(0);
	} else {
		note(1);
	}
	jpeg_destroy_decompress(&object);
}

static void png_failed(png_structp png, png_const_charp text)
{
	add(text, strlen(text));
	longjmp(back, 1);
}

static void png_warned(png_structp png, png_const_charp text)
{
	add(text, strlen(text));
	warnings++;
}

static void png_more(png_structp png, png_bytep to, size_t count)
{
	struct bytes *from = png_get_io_ptr(png);
	if (count > from->count)
		png_error(png, "no more");
	memcpy(to, from->at, count);
	from->at += count;
	from->count -= count;
}

static void check_size(png_structp png, png_infop info)
{
	if ((uint64_t)png_get_image_width(png, info) * png_get_image_height(png, info) >
	    IMAGE_PIXELS_MAX)
		png_error(png, "too large");
}

static void progressive_info(png_structp png, png_infop info)
{
	check_size(png, info);
	png_start_read_image(png);
}

static void progressive_row(png_structp png, png_bytep row, png_uint_32 at, int pass)
{
	png_infop info = png_get_progressive_ptr(png);
	add(&at, sizeof(at));
	if (row)
		add(row, png_get_rowbytes(png, info));
}

static void read_rows(png_structp png, png_infop info)
{
	static png_bytep row;
	png_read_info(png, info);
	check_size(png, info);
	int passes = png_set_interlace_handling(png);
	png_read_update_info(png, info);
	row = realloc(row, png_get_rowbytes(png, info));
	memset(row, 0, png_get_rowbytes(png, info));
	for (int pass = 0; pass < passes; pass++)
		for (png_uint_32 y = 0; y < png_get_image_height(png, info); y++) {
			png_read_row(png, row, NULL);
			add(row, png_get_rowbytes(png, info));
		}
	png_read_end(png, NULL);
}

static void decode_png(struct bytes from, int progressive)
{
	static png_structp png;
	static png_infop info;
	static struct bytes left;
	left = from;
	png = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, png_failed, png_warned);
	info = png_create_info_struct(png);
	if (setjmp(back) == 0) {
		if (progressive) {
			png_set_progressive_read_fn(png, info, progressive_info, progressive_row,
						    NULL);
			for (size_t piece; left.count; left.at += piece, left.count -= piece) {
				piece = left.count < 97 ? left.count : 97;
				png_process_data(png, info, (png_bytep)(uintptr_t)left.at, piece);
			}
		} else {
			png_set_read_fn(png, &left, png_more);
			read_rows(png, info);
		}
		note(0);
	} else {
		note(1);
	}
	png_destroy_read_struct(&png, &info, NULL);
}

static void decode_simplified(struct bytes from)
{
	png_image image = {.version = PNG_IMAGE_VERSION};
	static png_bytep pixels;
	int done = 0;
	if (png_image_begin_read_from_memory(&image, from.at, from.count) &&
	    (uint64_t)image.width * image.height <= IMAGE_PIXELS_MAX) {
		image.format = PNG_FORMAT_RGBA;
		pixels = realloc(pixels, PNG_IMAGE_SIZE(image));
		done = png_image_finish_read(&image, NULL, pixels, 0, NULL);
		if (done)
			add(pixels, PNG_IMAGE_SIZE(image));
	}
	add(image.message, strlen(image.message));
	warnings = (image.warning_or_error & PNG_IMAGE_WARNING) != 0;
	note(!done);
	png_image_free(&image);
}

static void decode(struct bytes from, unsigned turn)
{
	warnings = 0;
	if (from.count >= 2 && from.at[0] == 0xff && from.at[1] == 0xd8)
		decode_jpeg(from);
	else if (turn % 3 == 2)
		decode_simplified(from);
	else
		decode_png(from, turn % 3 == 1);
}

static size_t load(const char *path, uint8_t *to)
{
	FILE *file = fopen(path, "rb");
	size_t count = file ? fread(to, 1, FILE_BYTES_MAX, file) : 0;
	if (file)
		fclose(file);
	return count;
}

static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Some bytes changed, some cut off; the first two say which library. */
static struct bytes mutate(const uint8_t *from, size_t count, uint8_t *to, uint64_t *state)
{
	memcpy(to, from, count);
	if (count < 8)
		return (struct bytes){to, count};
	for (unsigned n = 1 + (unsigned)(next(state) % 6); n; n--)
		to[2 + next(state) % (count - 2)] = (uint8_t)next(state);
	if (next(state) % 4 == 0)
		count = 2 + next(state) % (count - 2);
	return (struct bytes){to, count};
}

static int sweep(int mutations, char **paths)
{
	uint8_t *whole = malloc(FILE_BYTES_MAX), *changed = malloc(FILE_BYTES_MAX);
	for (; *paths; paths++) {
		size_t count = load(*paths, whole);
		uint64_t state = 0x9e3779b97f4a7c15u;
		sum = 0xcbf29ce484222325u;
		memset(outcomes, 0, sizeof(outcomes));
		for (unsigned turn = 0; turn < 3; turn++)
			decode((struct bytes){whole, count}, turn);
		for (int i = 0; i < mutations; i++)
			decode(mutate(whole, count, changed, &state), (unsigned)i);
		const char *slash = strrchr(*paths, '/');
		printf("%s %u %u %u %016llx\n", slash ? slash + 1 : *paths, outcomes[0],
		       outcomes[1], outcomes[2], (unsigned long long)sum);
	}
	return 0;
}

static long resident_kib(void)
{
	long pages = 0, total;
	FILE *file = fopen("/proc/self/statm", "r");
	if (file && fscanf(file, "%ld %ld", &total, &pages) != 2)
		pages = 0;
	if (file)
		fclose(file);
	return pages * 4;
}

static int exits(long count, const char *jpeg_path, const char *png_path)
{
	static uint8_t jpeg[FILE_BYTES_MAX], png[FILE_BYTES_MAX];
	struct bytes both[2] = {{jpeg, load(jpeg_path, jpeg)}, {png, load(png_path, png)}};
	long before = 0;
	for (long i = 0; i < count; i++) {
		if (i == count / 10)
			before = resident_kib();
		decode(both[i & 1], 0);
	}
	printf("%u %ld\n", outcomes[2], resident_kib() - before);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 3 && strcmp(argv[1], "sweep") == 0)
		return sweep(atoi(argv[2]), argv + 3);
	if (argc == 5 && strcmp(argv[1], "exits") == 0)
		return exits(atol(argv[2]), argv[3], argv[4]);
	return 64;
}
