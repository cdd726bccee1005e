/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>

#include "codec.h"
#include "files.h"
#include "sample.h"
#include "tap.h"

static const struct golden {
	const char *name;
	uint32_t width, height, as_rgb, as_stored, as_gray;
} goldens[] = {
#define GOLDEN(name, width, height, rgb, stored, gray) {name, width, height, rgb, stored, gray},
#include "goldens.inc"
};

static struct wan_image *decode(const struct bytes *file, const struct wan_decode_options *options,
				int expected)
{
	struct wan_image *image = NULL;
	struct wan_error error = {.code = 0};
	int result = wan_image_decode_memory(file->at, file->count, options, &image, &error);
	CHECK_EQ(result, expected);
	if (result != expected)
		printf("# %s; %s\n", error.reason, error.hint);
	if (result < 0) {
		CHECK_EQ(error.code, result);
		CHECK(error.object[0] && error.reason[0]);
	}
	return image;
}

static struct wan_decode_options wanting(enum wan_pixel_format want)
{
	struct wan_decode_options options;
	wan_decode_options_init(&options);
	options.want = want;
	return options;
}

static uint32_t crc_wanting(const struct bytes *file, enum wan_pixel_format want)
{
	struct wan_decode_options options = wanting(want);
	struct wan_image *image = decode(file, &options, 0);
	uint32_t crc = crc32_image(image);
	wan_image_unref(image);
	return crc;
}

TEST(every_kind_of_jpeg_decodes_to_the_pixels_of_pillow)
{
	for (size_t i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++) {
		const struct golden *golden = &goldens[i];
		struct bytes file = data_file(golden->name);
		struct wan_decode_options options = wanting(0);
		struct wan_image *image = decode(&file, &options, 0);
		REQUIRE(image != NULL);
		struct wan_image_view view;
		wan_image_view(image, &view);
		bool same = CHECK_EQ(view.width_px, golden->width) &
			    CHECK_EQ(view.height_px, golden->height) & CHECK_EQ(view.warnings, 0) &
			    CHECK_EQ(crc32_image(image), golden->as_stored) &
			    CHECK_EQ(crc_wanting(&file, WAN_PIXEL_RGB8), golden->as_rgb) &
			    CHECK_EQ(crc_wanting(&file, WAN_PIXEL_GRAY8), golden->as_gray);
		if (!same)
			printf("# in %s\n", golden->name);
		wan_image_unref(image);
		bytes_free(&file);
	}
}

TEST(orientation_is_left_alone_when_asked)
{
	struct bytes turned = data_file("turned6"), upright = data_file("turned1");
	struct wan_decode_options options = wanting(WAN_PIXEL_RGB8);
	options.apply_orientation = false;
	struct wan_image *image = decode(&turned, &options, 0);
	CHECK_EQ(crc32_image(image), crc_wanting(&upright, WAN_PIXEL_RGB8));
	wan_image_unref(image);
	bytes_free(&turned);
	bytes_free(&upright);
}

/* The bytes of a file without its last part; a decoder must never make an image of them. */
static void check_cut(const char *name, bool strict)
{
	struct bytes file = data_file(name);
	struct wan_decode_options options = wanting(0);
	options.strict = strict;
	for (size_t count = 1; count + 2 < file.count; count += count < 700 ? 1 : 7) {
		struct bytes part = bytes_exact(file.at, count);
		struct wan_image *image = NULL;
		struct wan_error error = {.code = 0};
		int result = wan_image_decode_memory(part.at, part.count, &options, &image, &error);
		/* The last bytes of the entropy code may be padding only. */
		bool fine = result == -EBADMSG || result == -ENODATA ||
			    (result == 0 && !strict && count + 8 > file.count);
		if (!fine) {
			printf("# %s cut to %zu of %zu: %d %s\n", name, count, file.count, result,
			       error.reason);
			CHECK(fine);
			count = file.count;
		}
		wan_image_unref(image);
		bytes_free(&part);
	}
	bytes_free(&file);
}

TEST(a_file_cut_off_anywhere_is_an_error)
{
	check_cut("ycc420", false);
	check_cut("progressive444", false);
	check_cut("several_scans", false);
	check_cut("gray", false);
	check_cut("cmyk", true);
	check_cut("arithmetic", true);
	check_cut("restart", true);
}

TEST(the_row_where_a_file_breaks_off_is_named)
{
	struct bytes file = data_file("ycc444");
	struct wan_decode_options options = wanting(0);
	struct wan_image *image = NULL;
	struct wan_error error;
	CHECK_EQ(wan_image_decode_memory(file.at, file.count * 3 / 4, &options, &image, &error),
		 -EBADMSG);
	CHECK_STR(error.object, "image in memory");
	CHECK(strncmp(error.reason, "is cut off after row ", 21) == 0);
	int row = atoi(error.reason + 21);
	CHECK(row > 0 && row < 43);
	bytes_free(&file);
}

TEST(a_cut_file_gives_what_is_there_when_allowed)
{
	const char *names[] = {"ycc444", "progressive444"};
	for (int i = 0; i < 2; i++) {
		struct bytes file = data_file(names[i]);
		struct wan_decode_options options = wanting(0);
		options.allow_truncated = true;
		file.count = file.count * 3 / 4;
		struct wan_image *image = decode(&file, &options, 0);
		struct wan_image_view view;
		wan_image_view(image, &view);
		CHECK_EQ(view.width_px, 61);
		CHECK(view.warnings > 0);
		wan_image_unref(image);
		bytes_free(&file);
	}
}

TEST(a_missing_end_marker_is_a_warning_and_an_error_when_strict)
{
	struct bytes file = data_file("ycc444");
	file.count -= 2;
	struct wan_decode_options options = wanting(0);
	struct wan_image *image = decode(&file, &options, 0);
	struct wan_image_view view;
	wan_image_view(image, &view);
	CHECK(view.warnings > 0);
	wan_image_unref(image);
	options.strict = true;
	CHECK(decode(&file, &options, -EBADMSG) == NULL);
	bytes_free(&file);
}

TEST(damage_inside_is_a_warning_and_an_error_when_strict)
{
	struct bytes file = data_file("restart");
	struct wan_decode_options options = wanting(0);
	/* A restart marker with a wrong number. */
	for (size_t i = file.count - 2; i > 0; i--) {
		if (file.at[i] == 0xff && (file.at[i + 1] & 0xf8) == 0xd0) {
			file.at[i + 1] ^= 1;
			break;
		}
	}
	struct wan_image *image = decode(&file, &options, 0);
	struct wan_image_view view;
	wan_image_view(image, &view);
	CHECK(view.warnings > 0);
	wan_image_unref(image);
	options.strict = true;
	CHECK(decode(&file, &options, -EBADMSG) == NULL);
	bytes_free(&file);
}

TEST(scaled_decoding_keeps_at_least_the_size_asked_for)
{
	static const struct {
		uint32_t min_width, min_height, width, height;
	} cases[] = {
		{61, 43, 61, 43}, {31, 22, 61, 43}, {30, 21, 31, 22}, {15, 10, 16, 11},
		{7, 5, 8, 6},     {1, 1, 8, 6},     {0, 5, 8, 6},     {15, 0, 16, 11},
	};
	struct bytes file = data_file("ycc420");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wan_decode_options options = wanting(0);
		options.min_width_px = cases[i].min_width;
		options.min_height_px = cases[i].min_height;
		struct wan_image *image = decode(&file, &options, 0);
		struct wan_image_view view;
		wan_image_view(image, &view);
		CHECK_EQ(view.width_px, cases[i].width);
		CHECK_EQ(view.height_px, cases[i].height);
		wan_image_unref(image);
	}
	bytes_free(&file);
}

TEST(scaled_decoding_looks_at_the_upright_sides)
{
	struct bytes file = data_file("turned6"); /* stored 61 x 43, upright 43 x 61 */
	struct wan_decode_options options = wanting(0);
	options.min_width_px = 10;
	options.min_height_px = 30;
	struct wan_image *image = decode(&file, &options, 0);
	struct wan_image_view view;
	wan_image_view(image, &view);
	CHECK_EQ(view.width_px, 22);
	CHECK_EQ(view.height_px, 31);
	wan_image_unref(image);
	bytes_free(&file);
}

/* Appends many small scans of nothing to a progressive file, before its end marker. */
static struct bytes with_scans(const char *name, unsigned scans)
{
	static const uint8_t scan[] = {0xff, 0xda, 0, 8, 1, 1, 0, 1, 5, 0x00, 0x00};
	struct bytes from = data_file(name), file = {.at = NULL};
	bytes_add(&file, from.at, from.count - 2);
	for (unsigned i = 0; i < scans; i++)
		bytes_add(&file, scan, sizeof(scan));
	bytes_add(&file, "\xff\xd9", 2);
	bytes_free(&from);
	return file;
}

TEST(too_many_scans_are_refused_from_the_header)
{
	struct bytes file = with_scans("progressive444", 200);
	struct wan_decode_options options = wanting(0);
	struct wan_image *image = NULL;
	struct wan_error error;
	struct wan_image_info info;
	CHECK_EQ(wan_image_probe_memory(file.at, file.count, &info, NULL), 0);
	CHECK_EQ(info.scans, 210);
	CHECK_EQ(wan_image_decode_memory(file.at, file.count, &options, &image, &error), -EFBIG);
	CHECK(strstr(error.reason, "scans") != NULL);
	CHECK(strstr(error.hint, "jpegtran") != NULL);
	bytes_free(&file);
}

TEST(too_many_scans_are_stopped_while_decoding_when_nobody_counted_them)
{
	struct bytes file = with_scans("progressive444", 200);
	struct wan_source source;
	struct wan_header header;
	struct wan_decode_options options = wanting(0);
	struct wan_image *image = NULL;
	struct wan_error error;
	REQUIRE_EQ(wan_source_open_memory(&source, file.at, file.count, NULL), 0);
	REQUIRE_EQ(wan_probe_source(&source, &header, NULL), 0);
	header.info.scans = 1;
	CHECK_EQ(wan_jpeg_decode(&source, &header, &options, &image, &error), -EFBIG);
	CHECK(strstr(error.reason, "more than 100 scans") != NULL);
	bytes_free(&file);
}

TEST(scans_are_not_counted_of_what_there_is_no_room_for)
{
	struct bytes file = with_scans("progressive444", 200);
	struct wan_decode_options options = wanting(0);
	struct wan_image_info info;
	const char *path = in_test_folder("scans.jpg");
	bytes_write(path, file.at, file.count);
	REQUIRE_EQ(wan_probe_within(path, &options, UINT64_MAX, &info, NULL), 0);
	CHECK_EQ(info.scans, 210);
	uint64_t price_bytes = info.peak_bytes;
	REQUIRE_EQ(wan_probe_within(path, &options, price_bytes - 1, &info, NULL), 0);
	CHECK_EQ(info.scans, 1);
	CHECK_EQ(info.peak_bytes, price_bytes);
	REQUIRE_EQ(wan_probe_within(path, &options, price_bytes, &info, NULL), 0);
	CHECK_EQ(info.scans, 210);
	bytes_free(&file);
}

/* The smallest progressive file with a given size: a header and one empty scan. */
static struct bytes bomb(uint8_t marker, uint16_t width, uint16_t height)
{
	struct bytes file = {.at = NULL};
	uint8_t frame[] = {0xff, 0xc2, 0, 17, 8, 0, 0, 0, 0, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0};
	static const uint8_t scan[] = {0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 0, 0};
	uint8_t quant[69] = {0xff, 0xdb, 0, 67, 0};
	memset(quant + 5, 1, 64);
	frame[1] = marker;
	frame[5] = (uint8_t)(height >> 8);
	frame[6] = (uint8_t)height;
	frame[7] = (uint8_t)(width >> 8);
	frame[8] = (uint8_t)width;
	bytes_add(&file, "\xff\xd8", 2);
	bytes_add(&file, quant, sizeof(quant));
	bytes_add(&file, frame, sizeof(frame));
	bytes_add(&file, scan, sizeof(scan));
	bytes_add(&file, "\0\0\xff\xd9", 4);
	return file;
}

TEST(a_file_too_small_for_its_size_is_refused_from_the_header)
{
	static const uint16_t sides[][2] = {{65535, 65535}, {16384, 16384}, {8000, 8000}};
	for (size_t i = 0; i < 6; i++) {
		struct bytes file = bomb(i < 3 ? 0xc2 : 0xca, sides[i % 3][0], sides[i % 3][1]);
		struct wan_pool_stats before, after;
		struct wan_image *image = NULL;
		struct wan_error error;
		struct wan_decode_options options = wanting(0);
		wan_pool_stats(&before);
		CHECK_EQ(wan_image_decode_memory(file.at, file.count, &options, &image, &error),
			 -EBADMSG);
		CHECK(strstr(error.reason, "cannot hold") != NULL);
		wan_pool_stats(&after);
		CHECK_EQ(after.mapped_bytes, before.mapped_bytes);
		bytes_free(&file);
	}
}

TEST(coefficients_of_a_progressive_file_are_priced)
{
	struct bytes plain = data_file("ycc444"), progressive = data_file("progressive444");
	struct wan_image_info a, b;
	REQUIRE_EQ(wan_image_probe_memory(plain.at, plain.count, &a, NULL), 0);
	REQUIRE_EQ(wan_image_probe_memory(progressive.at, progressive.count, &b, NULL), 0);
	/* 8 x 6 blocks of 64 coefficients of 2 bytes, three components */
	CHECK_EQ(b.peak_bytes - a.peak_bytes, 8 * 6 * 64 * 2 * 3);
	CHECK_EQ(b.output_bytes, 61 * 43 * 3);
	CHECK(b.interlaced && !a.interlaced);
	bytes_free(&plain);
	bytes_free(&progressive);
}

TEST(alpha_policies_do_not_matter_to_a_jpeg)
{
	struct bytes file = data_file("ycc420");
	for (int alpha = WAN_ALPHA_KEEP; alpha <= WAN_ALPHA_REFUSE; alpha++) {
		struct wan_decode_options options = wanting(WAN_PIXEL_RGB8);
		options.alpha = (enum wan_alpha_policy)alpha;
		struct wan_image *image = decode(&file, &options, 0);
		CHECK_EQ(crc32_image(image), 0x5fea4246);
		wan_image_unref(image);
	}
	bytes_free(&file);
}

TEST(planar_output_is_not_a_decoder_format)
{
	struct bytes file = data_file("ycc420");
	struct wan_decode_options options = wanting(WAN_PIXEL_RGBF32_PLANAR);
	CHECK(decode(&file, &options, -EINVAL) == NULL);
	bytes_free(&file);
}

TAP_MAIN
