/* SPDX-License-Identifier: MIT */
/* Cold forms made from JPEG files: exact, or not made. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include <jpeglib.h>

#include "cold.h"
#include "cpu.h"
#include "fault.h"
#include "fault_malloc.h"
#include "files.h"
#include "sample.h"
#include "tap.h"

struct kind {
	uint32_t width, height;
	int components;
	uint8_t h, v; /* sampling of luma; the colours have 1 */
	int quality;
	bool progressive;
	uint8_t turned; /* EXIF orientation; 0: none */
};

static uint32_t random_word(void)
{
	static uint64_t state = 88172645463325252u;
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

static void write_orientation(struct jpeg_compress_struct *jpeg, uint8_t orientation)
{
	uint8_t exif[] = {'E',  'x', 'i', 'f', 0, 0, 'I', 'I', 42,          0, 8, 0, 0, 0, 1, 0,
			  0x12, 1,   3,   0,   1, 0, 0,   0,   orientation, 0, 0, 0, 0, 0, 0, 0};
	jpeg_write_marker(jpeg, JPEG_APP0 + 1, exif, sizeof(exif));
}

/* Slopes, edges and some noise. */
static void fill_row(uint8_t *row, const struct kind *kind, uint32_t y)
{
	uint32_t count = kind->width * (uint32_t)kind->components;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t x = i / (uint32_t)kind->components, c = i % (uint32_t)kind->components;
		uint32_t edge = (x / 13 + y / 7 + c) % 5 == 0 ? 30 : 0;
		row[i] = (uint8_t)(x * (2 + c) + y * 3 / (1 + c) + edge + random_word() % 3);
	}
}

static const char *make_file(const struct kind *kind)
{
	const char *path = in_test_folder("cold.jpg");
	struct jpeg_compress_struct jpeg;
	struct jpeg_error_mgr errors;
	FILE *file = fopen(path, "wb");
	uint8_t *row = malloc((size_t)kind->width * 4);
	jpeg.err = jpeg_std_error(&errors);
	jpeg_create_compress(&jpeg);
	jpeg_stdio_dest(&jpeg, file);
	jpeg.image_width = kind->width;
	jpeg.image_height = kind->height;
	jpeg.input_components = kind->components;
	jpeg.in_color_space = kind->components == 1   ? JCS_GRAYSCALE
			      : kind->components == 4 ? JCS_CMYK
						      : JCS_RGB;
	jpeg_set_defaults(&jpeg);
	if (kind->components == 3) {
		jpeg.comp_info[0].h_samp_factor = kind->h;
		jpeg.comp_info[0].v_samp_factor = kind->v;
	}
	jpeg_set_quality(&jpeg, kind->quality, TRUE);
	if (kind->progressive)
		jpeg_simple_progression(&jpeg);
	jpeg_start_compress(&jpeg, TRUE);
	if (kind->turned)
		write_orientation(&jpeg, kind->turned);
	for (uint32_t y = 0; y < kind->height; y++) {
		fill_row(row, kind, y);
		jpeg_write_scanlines(&jpeg, &row, 1);
	}
	jpeg_finish_compress(&jpeg);
	jpeg_destroy_compress(&jpeg);
	fclose(file);
	free(row);
	return path;
}

static struct wan_image *decode(const char *path)
{
	struct wan_image *image = NULL;
	CHECK_EQ(wan_image_decode(path, NULL, &image, NULL), 0);
	return image;
}

/* The kind of form, or the error of freezing. */
static int round_trip(struct wan_image *image)
{
	const struct wan_cold_ops *ops = wan_image_cold_ops(image);
	struct wan_value cold = {0}, again = {0};
	int result = ops->freeze(image, UINT64_MAX, &cold);
	if (result < 0)
		return result;
	result = (int)((struct wan_cold_image *)cold.data)->kind;
	if (!CHECK_EQ(ops->thaw(cold.data, &again), 0))
		return -EIO;
	const struct wan_image *made = again.data;
	CHECK_EQ(made->view.width_px, image->view.width_px);
	CHECK_EQ(made->view.height_px, image->view.height_px);
	CHECK_EQ(made->view.format, image->view.format);
	CHECK_MEM(made->pixels, image->pixels, image->view.pixels_bytes);
	CHECK(made->origin && strcmp(made->origin->path, image->origin->path) == 0);
	again.destroy(again.data);
	cold.destroy(cold.data);
	return result;
}

static bool check_kind(const struct kind *kind, enum wan_cold_kind expected)
{
	struct wan_image *image = decode(make_file(kind));
	if (!image)
		return false;
	int got = round_trip(image);
	/* The smallest ones gain nothing. */
	bool fine = got == (int)expected || (got == -E2BIG && image->view.pixels_bytes < 16384);
	if (!fine)
		printf("# %ux%u, %d components, luma %ux%u, quality %d, turned %u%s: got %d\n",
		       kind->width, kind->height, kind->components, kind->h, kind->v, kind->quality,
		       kind->turned, kind->progressive ? ", progressive" : "", got);
	wan_image_unref(image);
	return CHECK(fine);
}

static const uint8_t samplings[][2] = {{1, 1}, {2, 1}, {2, 2}, {1, 2}, {4, 1}, {4, 2}, {1, 4}};

TEST(planes_of_every_sampling_and_size_come_back_to_the_byte)
{
	static const uint32_t sizes[] = {1, 2, 3, 4, 5, 7, 15, 16, 17, 31, 33, 64, 97, 161};
	enum { COUNT = sizeof(sizes) / sizeof(sizes[0]) };
	bool fine = true;
	for (size_t s = 0; s < sizeof(samplings) / sizeof(samplings[0]); s++) {
		for (size_t w = 0; fine && w < COUNT; w++) {
			for (size_t h = 0; fine && h < COUNT; h++) {
				struct kind kind = {sizes[w],
						    sizes[h],
						    3,
						    samplings[s][0],
						    samplings[s][1],
						    40 + (int)(random_word() % 61),
						    false,
						    0};
				fine = check_kind(&kind, WAN_COLD_PLANES);
			}
		}
	}
}

TEST(planes_come_back_at_every_quality_and_level_of_vector_code)
{
	static const int qualities[] = {5, 50, 75, 90, 100};
	for (int level = WAN_CPU_BASE; level <= WAN_CPU_AVX512; level++) {
		wan_cpu_limit((enum wan_cpu_level)level);
		for (size_t s = 0; s < sizeof(samplings) / sizeof(samplings[0]); s++) {
			for (size_t q = 0; q < sizeof(qualities) / sizeof(qualities[0]); q++) {
				struct kind kind = {
					601,          77,    3, samplings[s][0], samplings[s][1],
					qualities[q], false, 0};
				check_kind(&kind, WAN_COLD_PLANES);
			}
		}
	}
	wan_cpu_limit(WAN_CPU_AVX512);
}

TEST(grey_and_turned_pictures_come_back)
{
	for (uint8_t turned = 0; turned <= 8; turned++) {
		struct kind grey = {131, 67, 1, 1, 1, 80, false, turned};
		struct kind color = {133, 71, 3, 2, 2, 85, false, turned};
		struct kind slow = {133, 71, 3, 2, 2, 60, true, turned};
		check_kind(&grey, WAN_COLD_PLANES);
		check_kind(&color, WAN_COLD_PLANES);
		check_kind(&slow, WAN_COLD_REWRITTEN);
	}
}

TEST(progressive_pictures_are_rewritten)
{
	for (size_t s = 0; s < sizeof(samplings) / sizeof(samplings[0]); s++) {
		struct kind kind = {161, 97, 3, samplings[s][0], samplings[s][1], 50, true, 0};
		check_kind(&kind, WAN_COLD_REWRITTEN);
	}
	struct kind grey = {161, 97, 1, 1, 1, 30, true, 0}, ink = {161, 97, 4, 1, 1, 30, true, 0};
	check_kind(&grey, WAN_COLD_REWRITTEN);
	check_kind(&ink, WAN_COLD_REWRITTEN);
	/* Nearly as large as its pixels: planes come back faster. */
	struct kind large = {161, 97, 3, 1, 1, 100, true, 0};
	check_kind(&large, WAN_COLD_PLANES);
}

TEST(the_pictures_of_the_decoder_tests_come_back)
{
	static const char *const names[] = {"ycc411", "ycc420",  "ycc422", "ycc440",  "ycc444",
					    "gray",   "restart", "icc",    "turned3", "turned5"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct bytes bytes = data_file(names[i]);
		const char *path = in_test_folder("data.jpg");
		bytes_write(path, bytes.at, bytes.count);
		struct wan_image *image = decode(path);
		int got = round_trip(image);
		CHECK(got == WAN_COLD_PLANES || got == -E2BIG);
		wan_image_unref(image);
		bytes_free(&bytes);
	}
}

TEST(ink_is_kept_as_pixels)
{
	struct kind ink = {161, 97, 4, 1, 1, 90, false, 0};
	check_kind(&ink, WAN_COLD_PACKED);
}

static const struct kind plain = {200, 150, 3, 2, 2, 85, false, 0},
			 slow = {200, 150, 3, 2, 2, 60, true, 0};

TEST(a_file_that_is_another_one_now_gives_no_form)
{
	const struct kind *kinds[] = {&plain, &slow};
	for (int i = 0; i < 2; i++) {
		struct wan_image *image = decode(make_file(kinds[i]));
		struct bytes bytes = bytes_read(image->origin->path);
		CHECK_EQ(round_trip(image), i ? WAN_COLD_REWRITTEN : WAN_COLD_PLANES);
		/* The same bytes at another time. */
		const struct timespec times[2] = {{1, 0}, {1, 0}};
		CHECK_EQ(utimensat(AT_FDCWD, image->origin->path, times, 0), 0);
		CHECK_EQ(round_trip(image), -ESTALE);
		unlink(image->origin->path);
		CHECK_EQ(round_trip(image), -ESTALE);
		mkdir(image->origin->path, 0700);
		CHECK_EQ(round_trip(image), -ESTALE);
		rmdir(image->origin->path);
		bytes_free(&bytes);
		wan_image_unref(image);
	}
}

/* The identity can be kept while the bytes change: what is made is compared with the pixels. */
TEST(a_file_damaged_under_the_same_identity_falls_back_to_pixels)
{
	const struct kind *kinds[] = {&plain, &slow};
	for (int i = 0; i < 2; i++) {
		struct wan_image *image = decode(make_file(kinds[i]));
		const char *path = image->origin->path;
		struct bytes bytes = bytes_read(path);
		struct stat stat_before;
		CHECK_EQ(stat(path, &stat_before), 0);
		unsigned as_pixels = 0;
		for (int round = 0; round < 60; round++) {
			size_t at = round == 0 ? bytes.count - 2 : random_word() % bytes.count;
			uint8_t before = bytes.at[at];
			bytes.at[at] ^= (uint8_t)(1 + random_word() % 255);
			FILE *file = fopen(path, "r+b");
			CHECK(file && fwrite(bytes.at, 1, bytes.count, file) == bytes.count);
			fclose(file);
			bytes.at[at] = before;
			const struct timespec times[2] = {stat_before.st_atim, stat_before.st_mtim};
			CHECK_EQ(utimensat(AT_FDCWD, path, times, 0), 0);
			int got = round_trip(image);
			/* A flip in what is not pixels changes nothing. */
			CHECK(got >= 0);
			as_pixels += got == WAN_COLD_PACKED;
		}
		CHECK(as_pixels > 20);
		bytes_free(&bytes);
		wan_image_unref(image);
	}
}

TEST(only_whole_pictures_as_they_are_remember_their_file)
{
	const char *path = make_file(&plain);
	struct wan_decode_options options;
	wan_decode_options_init(&options);
	struct wan_image *image = NULL;
	options.want = WAN_PIXEL_GRAY8;
	CHECK_EQ(wan_image_decode(path, &options, &image, NULL), 0);
	CHECK(image->origin == NULL);
	wan_image_unref(image);
	options.want = 0;
	options.min_width_px = options.min_height_px = 20;
	CHECK_EQ(wan_image_decode(path, &options, &image, NULL), 0);
	CHECK(image->origin == NULL);
	wan_image_unref(image);
	struct bytes bytes = bytes_read(path);
	CHECK_EQ(wan_image_decode_memory(bytes.at, bytes.count, NULL, &image, NULL), 0);
	CHECK(image->origin == NULL);
	wan_image_unref(image);
	bytes_free(&bytes);
}

static void freeze_and_thaw(void *context)
{
	const struct wan_image *image = context;
	const struct wan_cold_ops *ops = wan_image_cold_ops(image);
	struct wan_value cold = {0}, again = {0};
	int result = ops->freeze(context, UINT64_MAX, &cold);
	CHECK(result == 0 || result == -ENOMEM || result == -ESTALE ||
	      result == -E2BIG); /* pixels, when the file cannot be read */
	if (result == 0) {
		result = ops->thaw(cold.data, &again);
		CHECK(result == 0 || result == -ENOMEM || result == -EBADMSG);
		if (result == 0) {
			const struct wan_image *made = again.data;
			CHECK_MEM(made->pixels, image->pixels, image->view.pixels_bytes);
			again.destroy(again.data);
		}
		cold.destroy(cold.data);
	}
	(void)wan_pool_trim(0);
}

TEST(every_fault_is_survived)
{
	static const struct kind kinds[] = {{90, 70, 3, 2, 2, 85, false, 6},
					    {90, 70, 3, 1, 1, 85, false, 0},
					    {90, 70, 3, 2, 1, 50, true, 3}};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct wan_image *image = decode(make_file(&kinds[i]));
		REQUIRE(image && image->origin);
		CHECK(wan_fault_sweep(freeze_and_thaw, image) > 0);
		if (wan_fault_malloc_available())
			CHECK(wan_fault_malloc_sweep(freeze_and_thaw, image) > 0);
		wan_image_unref(image);
	}
}

TAP_MAIN
