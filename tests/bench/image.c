/* SPDX-License-Identifier: MIT */
/*
 * bench-image [PHOTOGRAPH.jpg|png]: the pixel work beside the baselines of the same run: Pillow and
 * torch of the machine (in a child, one thread), libjpeg's own scaled decoding, memcpy. Without a
 * photograph a smooth picture with noise stands in for one. Run from the top of the sources, or
 * with WAN_BENCH_FOLDER. Medians; each line says what is asked.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jpeglib.h>

#include "buffer.h"
#include "clock.h"
#include "cpu.h"
#include "image_work.h"
#include "normalise.h"

static char folder[] = "/tmp/wan-bench-XXXXXX";
static const char *script;

static char *path_of(const char *name)
{
	static char paths[8][128];
	static unsigned next;
	char *path = paths[next++ % 8];
	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

/* What image_pillow.py says; negative without Pillow. */
static double ask_pillow(const char *arguments, uint32_t *ret_crc)
{
	char command[512], line[128] = "";
	double ms = -1;
	snprintf(command, sizeof(command), "/usr/bin/python3 '%s' %s 2>/dev/null", script,
		 arguments);
	FILE *answer = popen(command, "r");
	if (answer && fgets(line, sizeof(line), answer))
		(void)sscanf(line, "%lf %x", &ms, ret_crc);
	if (answer)
		pclose(answer);
	return ms;
}

static void save_pixels(const struct wan_image *image, const char *path)
{
	FILE *file = fopen(path, "wb");
	if (!file || fwrite(image->pixels, image->view.pixels_bytes, 1, file) != 1)
		exit(1);
	fclose(file);
}

/* Resizing */

struct resizing {
	struct wan_image *image;
	enum wan_filter filter;
	uint32_t crc;
};

static void resize(void *context)
{
	struct resizing *r = context;
	struct wan_image *made = NULL;
	must(wan_image_resize(r->image, 832, 480, r->filter, &made));
	r->crc = r->crc ? r->crc : crc32_image(made);
	wan_image_unref(made);
}

static void print_resize(const struct wan_image *photo, enum wan_pixel_format format,
			 const char *mode, enum wan_filter filter, const char *name)
{
	struct resizing r = {.filter = filter};
	char arguments[256];
	uint32_t crc = 0;
	must(wan_image_convert(photo, format, WAN_ALPHA_KEEP, &r.image));
	save_pixels(r.image, path_of("pixels"));
	snprintf(arguments, sizeof(arguments), "resize %s %s 1920 1080 832 480 %s",
		 path_of("pixels"), mode, name);
	double pillow = ask_pillow(arguments, &crc);
	printf("  %-4s %-8s  Pillow %6.2f ms", mode, name, pillow);
	for (int level = WAN_CPU_BASE; level <= WAN_CPU_AVX512; level++) {
		wan_cpu_limit((enum wan_cpu_level)level);
		if ((int)wan_cpu_level() < level)
			continue;
		r.crc = 0;
		double ms = median_ms(resize, &r, 15);
		printf("  %s %5.2f ms %4.1fx%s", wan_cpu_level_name(wan_cpu_level()), ms,
		       pillow / ms,
		       pillow < 0     ? ""
		       : r.crc == crc ? " equal"
				      : " DIFFERS");
	}
	putchar('\n');
	wan_image_unref(r.image);
}

static void bench_resize(const struct wan_image *photo)
{
	printf("resize 1920x1080 to 832x480 (asked: Lanczos RGB at least 4x Pillow, bit-equal; "
	       "predicted 8x)\n");
	print_resize(photo, WAN_PIXEL_RGB8, "RGB", WAN_FILTER_LANCZOS, "lanczos");
	print_resize(photo, WAN_PIXEL_RGB8, "RGB", WAN_FILTER_BICUBIC, "bicubic");
	print_resize(photo, WAN_PIXEL_RGB8, "RGB", WAN_FILTER_BILINEAR, "bilinear");
	print_resize(photo, WAN_PIXEL_RGB8, "RGB", WAN_FILTER_BOX, "box");
	print_resize(photo, WAN_PIXEL_RGBA8, "RGBA", WAN_FILTER_LANCZOS, "lanczos");
	print_resize(photo, WAN_PIXEL_GRAY8, "L", WAN_FILTER_LANCZOS, "lanczos");
}

static void resize_float(void *context)
{
	struct resizing *r = context;
	struct wan_image *made = NULL;
	must(wan_image_resize_float(r->image, 832, 480, r->filter, &made));
	wan_image_unref(made);
}

static void bench_torch(struct wan_image *photo)
{
	static const struct {
		enum wan_filter filter;
		const char *name;
	} kinds[] = {{WAN_FILTER_TORCH_BICUBIC, "bicubic"},
		     {WAN_FILTER_TORCH_BILINEAR, "bilinear"}};
	printf("torch's filters, 1920x1080 bytes to 832x480 floats\n");
	save_pixels(photo, path_of("pixels"));
	for (int i = 0; i < 2; i++) {
		struct resizing r = {.image = photo, .filter = kinds[i].filter};
		char arguments[256];
		uint32_t crc = 0;
		snprintf(arguments, sizeof(arguments), "torch %s 1920 1080 832 480 %s",
			 path_of("pixels"), kinds[i].name);
		double torch = ask_pillow(arguments, &crc), ms = median_ms(resize_float, &r, 9);
		printf("  %-9s torch %6.2f ms  ours %6.2f ms %4.1fx\n", kinds[i].name, torch, ms,
		       torch / ms);
	}
}

/* Thumbnails of files */

struct shrinking {
	const char *path;
	uint32_t most;
	unsigned divisor; /* libjpeg's */
	uint8_t *bytes;
	size_t count;
	uint32_t crc;
};

static void thumbnail(void *context)
{
	struct shrinking *s = context;
	struct wan_image *made = NULL;
	must(wan_image_thumbnail_file(s->path, s->most, s->most, NULL, &made, NULL));
	s->crc = s->crc ? s->crc : crc32_image(made);
	wan_image_unref(made);
}

/* libjpeg alone, from memory, into one row. */
static void scaled_decode(void *context)
{
	struct shrinking *s = context;
	struct jpeg_decompress_struct jpeg;
	struct jpeg_error_mgr errors;
	jpeg.err = jpeg_std_error(&errors);
	jpeg_create_decompress(&jpeg);
	jpeg_mem_src(&jpeg, s->bytes, (unsigned long)s->count);
	(void)jpeg_read_header(&jpeg, TRUE);
	jpeg.scale_num = 1;
	jpeg.scale_denom = s->divisor;
	(void)jpeg_start_decompress(&jpeg);
	JSAMPARRAY row = (*jpeg.mem->alloc_sarray)(
		(j_common_ptr)&jpeg, JPOOL_IMAGE,
		jpeg.output_width * (JDIMENSION)jpeg.output_components, 1);
	while (jpeg.output_scanline < jpeg.output_height)
		(void)jpeg_read_scanlines(&jpeg, row, 1);
	(void)jpeg_finish_decompress(&jpeg);
	jpeg_destroy_decompress(&jpeg);
}

static void print_thumbnail(const char *what, const char *path, uint32_t most, unsigned divisor,
			    double asked)
{
	struct shrinking s = {.path = path, .most = most, .divisor = divisor};
	char arguments[256];
	uint32_t crc = 0, full_crc = 0;
	s.bytes = read_whole(path, &s.count);
	snprintf(arguments, sizeof(arguments), "thumbnail %s %u draft", path, most);
	double draft = ask_pillow(arguments, &crc);
	snprintf(arguments, sizeof(arguments), "thumbnail %s %u full", path, most);
	double full = ask_pillow(arguments, &full_crc);
	double ours[2], libjpeg[2]; /* twice in turn: the machine's pace changes */
	for (int i = 0; i < 2; i++) {
		libjpeg[i] = median_ms(scaled_decode, &s, 9);
		ours[i] = median_ms(thumbnail, &s, 9);
	}
	double mine = (ours[0] + ours[1]) / 2, theirs = (libjpeg[0] + libjpeg[1]) / 2;
	printf("  %-11s to %u: ours %6.2f ms; libjpeg 1/%u %6.2f ms, ratio %.3f (asked %.2f); "
	       "Pillow draft %6.2f ms %.2fx%s; full %6.2f ms %.1fx\n",
	       what, most, mine, divisor, theirs, mine / theirs, asked, draft, draft / mine,
	       s.crc == crc ? " equal" : " DIFFERS", full, full / mine);
	free(s.bytes);
}

static void bench_thumbnails(const char *picture)
{
	struct wan_image *large = take_photo(picture, 4000, 3000);
	write_jpeg(large, path_of("baseline.jpg"), false);
	write_jpeg(large, path_of("progressive.jpg"), true);
	wan_image_unref(large);
	printf("thumbnails of 4000x3000 JPEG files (asked: baseline 2x Pillow's full decode, never "
	       "slower than its draft)\n");
	print_thumbnail("baseline", path_of("baseline.jpg"), 150, 8, 1.2);
	print_thumbnail("baseline", path_of("baseline.jpg"), 256, 4, 1.15);
	print_thumbnail("progressive", path_of("progressive.jpg"), 150, 8, 1.05);
	print_thumbnail("progressive", path_of("progressive.jpg"), 256, 4, 1.05);
}

/* Rows instead of the whole */

struct fitting {
	const char *path;
	uint64_t mapped_bytes;
};

static void fit_rows(void *context)
{
	struct fitting *f = context;
	struct wan_image *made = NULL;
	struct wan_pool_stats stats;
	must(wan_image_fit_file(f->path, 832, 480, WAN_FIT_COVER, WAN_FILTER_LANCZOS, NULL, &made,
				NULL));
	wan_pool_stats(&stats);
	f->mapped_bytes = stats.in_use_bytes;
	wan_image_unref(made);
}

static void fit_whole(void *context)
{
	struct fitting *f = context;
	struct wan_image *whole = NULL, *made = NULL;
	struct wan_pool_stats stats;
	must(wan_image_decode(f->path, NULL, &whole, NULL));
	must(wan_image_fit(whole, 832, 480, WAN_FIT_COVER, WAN_FILTER_LANCZOS, &made));
	wan_pool_stats(&stats);
	f->mapped_bytes = stats.in_use_bytes;
	wan_image_unref(whole);
	wan_image_unref(made);
}

static void bench_rows(void)
{
	struct fitting rows = {.path = path_of("baseline.jpg")}, whole = rows;
	struct wan_pool_stats before;
	wan_pool_stats(&before);
	double row_ms = median_ms(fit_rows, &rows, 5), whole_ms = median_ms(fit_whole, &whole, 5);
	printf("4000x3000 JPEG to 832x480: row by row %.1f ms, %.1f MB of pixels; decoded whole "
	       "%.1f "
	       "ms, %.1f MB\n",
	       row_ms, (double)(rows.mapped_bytes - before.in_use_bytes) / 1048576, whole_ms,
	       (double)(whole.mapped_bytes - before.in_use_bytes) / 1048576);
}

/* Tensors */

struct tensor {
	struct wan_image *image;
	enum wan_pixel_format format;
	uint8_t *to, *from;
	size_t count;
};

static void copy(void *context)
{
	struct tensor *t = context;
	memcpy(t->to, t->from, t->count);
}

static void to_tensor(void *context)
{
	struct tensor *t = context;
	struct wan_image *made = NULL;
	must(wan_image_convert(t->image, t->format, WAN_ALPHA_DROP, &made));
	wan_image_unref(made);
}

static void bench_normalise(const struct wan_image *photo)
{
	static const char *const names[] = {"float32", "float16", "bfloat16"};
	struct tensor t = {.image = NULL};
	must(wan_image_resize(photo, 1280, 720, WAN_FILTER_BOX, &t.image));
	printf("normalise 1280x720, beside memcpy of the result's size into a used buffer (asked: "
	       "at "
	       "least 60 %% for float32)\n");
	for (int i = 0; i < 3; i++) {
		t.format = (enum wan_pixel_format)(WAN_PIXEL_RGBF32_PLANAR + i);
		t.count = (size_t)1280 * 720 * 3 * wan_pixel_sample_bytes(t.format);
		t.to = calloc(1, t.count);
		t.from = malloc(t.count);
		if (!t.to || !t.from)
			exit(1);
		memset(t.from, 1, t.count);
		double memcpy_ms = median_ms(copy, &t, 31), ms = median_ms(to_tensor, &t, 31);
		printf("  %-8s %.3f ms, memcpy %.3f ms: %.0f %%\n", names[i], ms, memcpy_ms,
		       100 * memcpy_ms / ms);
		free(t.to);
		free(t.from);
	}
	wan_image_unref(t.image);
}

int main(int argc, char **argv)
{
	char place[4096];
	const char *scripts = getenv("WAN_BENCH_FOLDER");
	snprintf(place, sizeof(place), "%s/image_pillow.py", scripts ? scripts : BENCH_FOLDER);
	script = place;
	if (!mkdtemp(folder))
		return 1;
	const char *picture = argc > 1 ? argv[1] : NULL;
	struct wan_image *photo = take_photo(picture, 1920, 1080);
	printf("processor: %s; picture: %s\n", wan_cpu_level_name(wan_cpu_level()),
	       picture ? picture : "made up");
	bench_resize(photo);
	bench_torch(photo);
	bench_thumbnails(picture);
	bench_rows();
	bench_normalise(photo);
	bench_steps(photo, folder);
	wan_image_unref(photo);
	static const char *const files[] = {"pixels",   "baseline.jpg", "progressive.jpg",
					    "step.jpg", "step.png",     "step.out"};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlink(path_of(files[i]));
	return rmdir(folder);
}
