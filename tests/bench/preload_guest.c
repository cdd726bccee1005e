/* SPDX-License-Identifier: MIT */
/*
 * preload_guest make JPEG PNG: writes two 640x480 photographs-like images.
 * preload_guest run JPEG PNG ROUNDS: each round decodes 4 JPEG and 1 PNG from memory; prints the
 * time of all rounds in ns and a sum over the pixels. 0 rounds: what a start costs.
 * preload_guest jpeg JPEG PNG ROUNDS: the JPEG alone, of any size, after one that is not timed.
 * preload_guest launch COMMAND...: runs it and prints "status peak_kib wall_ns" after its output.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <jpeglib.h>
#include <png.h>

enum { WIDTH = 640, HEIGHT = 480 };

static unsigned char pixels[HEIGHT][WIDTH * 3], wide[65536 * 3];
static uint32_t sum;

struct file {
	unsigned char *bytes;
	size_t count, at;
};

/* Smooth areas, edges and noise, so that decoding works as hard as on a photograph. */
static void draw(void)
{
	uint32_t noise = 1;
	for (int y = 0; y < HEIGHT; y++)
		for (int x = 0; x < WIDTH * 3; x++) {
			noise = noise * 1664525 + 1013904223;
			int base = (x / 3) * 255 / WIDTH + (y * 255 / HEIGHT) * (x % 3) / 2;
			int edge = ((x / 96) ^ (y / 32)) & 1 ? 40 : 0;
			pixels[y][x] = (unsigned char)(base / 2 + edge + (int)(noise >> 28));
		}
}

static void write_jpeg(const char *path)
{
	struct jpeg_compress_struct object;
	struct jpeg_error_mgr manager;
	FILE *file = fopen(path, "wb");
	object.err = jpeg_std_error(&manager);
	jpeg_create_compress(&object);
	jpeg_stdio_dest(&object, file);
	object.image_width = WIDTH;
	object.image_height = HEIGHT;
	object.input_components = 3;
	object.in_color_space = JCS_RGB;
	jpeg_set_defaults(&object);
	jpeg_set_quality(&object, 85, TRUE);
	jpeg_start_compress(&object, TRUE);
	while (object.next_scanline < HEIGHT) {
		JSAMPROW row = pixels[object.next_scanline];
		jpeg_write_scanlines(&object, &row, 1);
	}
	jpeg_finish_compress(&object);
	jpeg_destroy_compress(&object);
	fclose(file);
}

static void write_png(const char *path)
{
	FILE *file = fopen(path, "wb");
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(png);
	png_init_io(png, file);
	png_set_IHDR(png, info, WIDTH, HEIGHT, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
		     PNG_COMPRESSION_TYPE_BASE, PNG_FILTER_TYPE_BASE);
	png_write_info(png, info);
	for (int y = 0; y < HEIGHT; y++)
		png_write_row(png, pixels[y]);
	png_write_end(png, info);
	png_destroy_write_struct(&png, &info);
	fclose(file);
}

static struct file slurp(const char *path)
{
	struct file file = {0};
	FILE *source = fopen(path, "rb");
	if (!source)
		exit(66);
	file.bytes = malloc(8u << 20);
	file.count = fread(file.bytes, 1, 8u << 20, source);
	fclose(source);
	return file;
}

static void decode_jpeg(struct file *file)
{
	struct jpeg_decompress_struct object;
	struct jpeg_error_mgr manager;
	object.err = jpeg_std_error(&manager);
	jpeg_create_decompress(&object);
	jpeg_mem_src(&object, file->bytes, file->count);
	jpeg_read_header(&object, TRUE);
	jpeg_start_decompress(&object);
	while (object.output_scanline < object.output_height) {
		JSAMPROW row = pixels[0] + object.output_scanline % HEIGHT * sizeof(pixels[0]);
		if (object.output_width > WIDTH)
			row = wide;
		jpeg_read_scanlines(&object, &row, 1);
		sum += row[7];
	}
	jpeg_finish_decompress(&object);
	jpeg_destroy_decompress(&object);
}

static void feed(png_structp png, png_bytep to, size_t count)
{
	struct file *file = png_get_io_ptr(png);
	if (file->at + count > file->count)
		png_error(png, "end of file");
	memcpy(to, file->bytes + file->at, count);
	file->at += count;
}

static void decode_png(struct file *file)
{
	png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(png);
	file->at = 0;
	png_set_read_fn(png, file, feed);
	png_read_info(png, info);
	png_read_update_info(png, info);
	for (int y = 0; y < HEIGHT; y++) {
		png_read_row(png, pixels[y], NULL);
		sum += pixels[y][7];
	}
	png_read_end(png, NULL);
	png_destroy_read_struct(&png, &info, NULL);
}

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int launch(char **command)
{
	struct rusage usage;
	int status = 0;
	uint64_t start = now_ns();
	pid_t pid = fork();
	if (pid == 0) {
		execvp(command[0], command);
		_exit(127);
	}
	wait4(pid, &status, 0, &usage);
	printf("\n%d %ld %llu\n", status, usage.ru_maxrss, (unsigned long long)(now_ns() - start));
	return status != 0;
}

static int decode_one(const char *path, int rounds)
{
	struct file jpeg = slurp(path);
	decode_jpeg(&jpeg);
	uint64_t start = now_ns();
	for (int i = 0; i < rounds; i++)
		decode_jpeg(&jpeg);
	printf("%llu %u\n", (unsigned long long)(now_ns() - start), sum);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "launch") == 0)
		return launch(argv + 2);
	if (argc > 3 && strcmp(argv[1], "make") == 0) {
		draw();
		write_jpeg(argv[2]);
		write_png(argv[3]);
		return 0;
	}
	if (argc < 5)
		return 64;
	int rounds = atoi(argv[4]);
	if (strcmp(argv[1], "jpeg") == 0)
		return decode_one(argv[2], rounds);
	if (rounds == 0)
		return 0;
	struct file jpeg = slurp(argv[2]), png = slurp(argv[3]);
	uint64_t start = now_ns();
	for (int i = 0; i < rounds; i++) {
		for (int k = 0; k < 4; k++)
			decode_jpeg(&jpeg);
		decode_png(&png);
	}
	printf("%llu %u\n", (unsigned long long)(now_ns() - start), sum);
	return 0;
}
