/* SPDX-License-Identifier: MIT */
/*
 * One picture at eight sizes, 40x from the least to the most pixels, through the operations that
 * make start and end images. Sizes are taken in turn, so that a machine that slows down meanwhile
 * does so for all of them.
 *
 *	size <tab> width <tab> height           each size, before any work
 *	at <tab> operation                      begun
 *	sample <tab> operation <tab> width <tab> height <tab> ns <tab> bytes held at once, 0: none
 */
#include "work.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <wan/wan.h>

#define SIZES       8
#define RANGE       40.0
#define PIXELS_MOST 6e6 /* bounds time (the slowest takes 2 s at this size) and memory */
#define PIXELS_MIN  2e6 /* smaller pictures are enlarged: the smallest is then 224x224 or so */
#define SAMPLE_NS   2000000u
#define REPEATS_MAX 64
#define SLOW_NS     200000000u /* from here on three rounds are enough */
#define IDLE_BYTES  (256u * 1024 * 1024)
#define NO_INPUT    66
#define NO_MEMORY   75

int mallctl(const char *, void *, size_t *, void *, size_t) __attribute__((weak));

struct source {
	uint32_t width_px, height_px;
	struct wan_image *pixels;
	void *jpeg, *png;
	size_t jpeg_bytes, png_bytes;
};

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A result of the operation, which goes at once: its buffer serves the next one. */
static int done(int r, struct wan_image **image)
{
	if (r == 0)
		wan_image_unref(*image);
	return r;
}

static int decode(const void *bytes, size_t count)
{
	struct wan_image *image = NULL;
	return done(wan_image_decode_memory(bytes, count, NULL, &image, NULL), &image);
}

static int encode(const struct wan_image *image, enum wan_file_format format, void **ret_bytes,
		  size_t *ret_count)
{
	struct wan_encode_options options;
	wan_encode_options_init(&options);
	options.format = format;
	return wan_image_encode_memory(image, &options, ret_bytes, ret_count, NULL);
}

static int decode_jpeg(const struct source *source)
{
	return decode(source->jpeg, source->jpeg_bytes);
}

static int decode_png(const struct source *source)
{
	return decode(source->png, source->png_bytes);
}

static int thumbnail(const struct source *source)
{
	struct wan_image *image = NULL;
	return done(wan_image_thumbnail(source->pixels, 128, 128, &image), &image);
}

static int fit(const struct source *source)
{
	struct wan_image *image = NULL;
	return done(
		wan_image_fit(source->pixels, 832, 480, WAN_FIT_COVER, WAN_FILTER_LANCZOS, &image),
		&image);
}

static int halve(const struct source *source)
{
	struct wan_image *image = NULL;
	return done(wan_image_resize(source->pixels, source->width_px / 2, source->height_px / 2,
				     WAN_FILTER_LANCZOS, &image),
		    &image);
}

static int normalise(const struct source *source)
{
	struct wan_image *image = NULL;
	return done(wan_image_normalise(source->pixels, &image), &image);
}

static int encode_as(const struct source *source, enum wan_file_format format)
{
	void *bytes = NULL;
	size_t count;
	int r = encode(source->pixels, format, &bytes, &count);
	if (r == 0)
		wan_encoded_free(bytes);
	return r;
}

static int encode_jpeg(const struct source *source)
{
	return encode_as(source, WAN_FORMAT_JPEG);
}

static int encode_png(const struct source *source)
{
	return encode_as(source, WAN_FORMAT_PNG);
}

static const struct operation {
	const char *name;
	int (*work)(const struct source *source);
} operations[] = {
	{"jpeg.decode", decode_jpeg}, {"png.decode", decode_png}, {"thumbnail_128x128", thumbnail},
	{"fit_832x480", fit},         {"resize_half", halve},     {"normalise", normalise},
	{"jpeg.encode", encode_jpeg}, {"png.encode", encode_png},
};
#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

/* Pixels mapped at once, and what the codecs took of the heap where jemalloc tells. */
static uint64_t bytes_held(const struct operation *operation, const struct source *source)
{
	struct wan_pool_stats before, after;
	uint64_t heap = 0;
	size_t bytes = sizeof(heap);
	wan_pool_trim(0);
	wan_pool_stats(&before);
	if (mallctl)
		(void)mallctl("thread.peak.reset", NULL, NULL, NULL, 0);
	if (operation->work(source) != 0)
		return 0;
	wan_pool_stats(&after);
	if (!mallctl || mallctl("thread.peak.read", &heap, &bytes, NULL, 0) != 0)
		heap = 0;
	return heap + (after.mapped_bytes > before.mapped_bytes
			       ? after.mapped_bytes - before.mapped_bytes
			       : 0);
}

/* Mean of as many repeats as make the clock exact; 0: it failed. */
static uint64_t time_of(const struct operation *operation, const struct source *source)
{
	uint64_t begin_ns = now_ns(), passed_ns = 0;
	unsigned repeats = 0;
	while (repeats < REPEATS_MAX && passed_ns < SAMPLE_NS) {
		if (operation->work(source) != 0)
			return 0;
		repeats++;
		passed_ns = now_ns() - begin_ns;
	}
	return passed_ns / repeats;
}

static int measure(const struct operation *operation, const struct source *sources, int rounds)
{
	uint64_t bytes[SIZES], slowest_ns = 0;
	printf("at\t%s\n", operation->name);
	fflush(stdout);
	for (unsigned i = 0; i < SIZES; i++)
		bytes[i] = bytes_held(operation, &sources[i]);
	for (int round = 0; round < rounds; round++) {
		if (round >= 3 && slowest_ns > SLOW_NS)
			break;
		for (unsigned i = 0; i < SIZES; i++) {
			uint64_t ns = time_of(operation, &sources[i]);
			if (!ns)
				return -1;
			slowest_ns = ns > slowest_ns ? ns : slowest_ns;
			printf("sample\t%s\t%u\t%u\t%llu\t%llu\n", operation->name,
			       sources[i].width_px, sources[i].height_px, (unsigned long long)ns,
			       (unsigned long long)bytes[i]);
		}
	}
	fflush(stdout);
	return 0;
}

static int make_source(const struct wan_image *original, struct source *source)
{
	int r = wan_image_resize(original, source->width_px, source->height_px, WAN_FILTER_LANCZOS,
				 &source->pixels);
	r = r ? r : encode(source->pixels, WAN_FORMAT_JPEG, &source->jpeg, &source->jpeg_bytes);
	return r ? r : encode(source->pixels, WAN_FORMAT_PNG, &source->png, &source->png_bytes);
}

static void plan(const struct wan_image_view *view, struct source *sources)
{
	double ratio = (double)view->width_px / view->height_px;
	double most = (double)view->width_px * view->height_px;
	most = fmin(fmax(most, PIXELS_MIN), PIXELS_MOST);
	for (unsigned i = 0; i < SIZES; i++) {
		double pixels = most * pow(RANGE, (double)i / (SIZES - 1) - 1);
		sources[i].width_px = (uint32_t)fmax(2, round(sqrt(pixels * ratio)));
		sources[i].height_px = (uint32_t)fmax(2, round(sqrt(pixels / ratio)));
		printf("size\t%u\t%u\n", sources[i].width_px, sources[i].height_px);
	}
	fflush(stdout);
}

/* The library names the file in a form that a terminal can be shown. */
static int say(const struct wan_error *error)
{
	fprintf(stderr, "wanprof: %s: %s%s%s\n", error->object, error->reason,
		error->hint[0] ? "; " : "", error->hint);
	return NO_INPUT;
}

static int say_photograph(const char *reason, const char *hint)
{
	fprintf(stderr, "wanprof: the photograph: %s; %s\n", reason, hint);
	return NO_INPUT;
}

/* Eight sizes hold 1.7 times the pixels of the largest: 3 bytes each and twice that for their
 * files, 12 for planes of floats that wait to be used again; an operation holds at most 15 more. */
static uint64_t price_of(const struct wan_image_info *info)
{
	double most = fmin(fmax((double)info->width_px * info->height_px, PIXELS_MIN), PIXELS_MOST);
	return info->peak_bytes + (uint64_t)(most * ((9 + 12) * 1.7 + 15));
}

static int load(const char *path, struct wan_memory *memory, struct wan_image **ret_image)
{
	struct wan_decode_options options;
	struct wan_image_info info;
	struct wan_error error = {0};
	if (wan_image_probe(path, &info, &error) < 0)
		return say(&error);
	if (wan_memory_reserve(memory, price_of(&info), &error) < 0) {
		fprintf(stderr,
			"wanprof: the photograph needs %.0f MB at once, more than may be taken: "
			"%s\n",
			(double)price_of(&info) / (1024 * 1024), error.reason);
		return NO_MEMORY;
	}
	wan_decode_options_init(&options);
	options.want = WAN_PIXEL_RGB8;
	options.alpha = WAN_ALPHA_WHITE;
	if (wan_image_decode(path, &options, ret_image, &error) < 0)
		return say(&error);
	return 0;
}

int work_scaling(const char *path, int rounds)
{
	static const struct wan_setting settings[] = {{"record.path", "off"}};
	struct wan_runtime_options options;
	struct wan_runtime *runtime;
	struct wan_image *original = NULL;
	struct wan_image_view view;
	struct source sources[SIZES] = {{0}};
	struct wan_error error = {0};
	wan_runtime_options_init(&options);
	options.settings = settings;
	options.setting_count = 1;
	options.ignore_files = true;
	if (wan_runtime_create(&options, &runtime, &error) < 0)
		return say(&error);
	/* Sizes come in turn: the buffer of each is kept until it comes again, as where a program
	 * works on pictures of one size. Fresh pages would cost ten times the work of some. */
	wan_pool_set_idle_limit(IDLE_BYTES);
	int status = load(path, wan_runtime_memory(runtime), &original);
	if (!status) {
		wan_image_view(original, &view);
		plan(&view, sources);
	}
	for (unsigned i = 0; i < SIZES && !status; i++)
		if (make_source(original, &sources[i]) < 0)
			status = say_photograph("cannot be scaled",
						"the picture is too narrow or flat");
	for (size_t i = 0; i < OPERATIONS && !status; i++)
		if (measure(&operations[i], sources, rounds) < 0)
			status = say_photograph(operations[i].name, "this operation failed");
	for (unsigned i = 0; i < SIZES; i++) {
		wan_image_unref(sources[i].pixels);
		wan_encoded_free(sources[i].jpeg);
		wan_encoded_free(sources[i].png);
	}
	wan_image_unref(original);
	wan_runtime_unref(runtime);
	return status;
}
