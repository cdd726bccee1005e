/* SPDX-License-Identifier: MIT */
/* Thumbnails of files equal those of Pillow's open() and thumbnail(), whatever the file is like. */
#include <errno.h>

#include "compare.h"
#include "cpu.h"
#include "files.h"
#include "tap.h"

static const char *const files[] = {
	"ycc444",
	"ycc422",
	"ycc420",
	"ycc440",
	"ycc411",
	"gray",
	"cmyk",
	"ycck",
	"rgb",
	"restart",
	"arithmetic",
	"icc",
	"one_pixel",
	"turned3",
	"turned5",
	"turned6",
	"turned8",
	"progressive444",
	"progressive422",
	"progressive420",
	"several_scans",
	"gray_progressive",
};

/* A JPEG file of noise as Pillow writes it, in a file of the test's folder; false without. */
static bool random_jpeg(struct oracle *oracle, bool large, char *path, size_t path_bytes,
			struct oracle_answer *ret_file)
{
	static const enum wan_pixel_format kinds[] = {WAN_PIXEL_RGB8, WAN_PIXEL_RGB8,
						      WAN_PIXEL_GRAY8, WAN_PIXEL_CMYK8};
	enum wan_pixel_format format = kinds[below(4)];
	uint32_t width = large ? 1500 + below(1500) : side(900), height = side(large ? 2500 : 700);
	struct wan_image *image = noise(format, width, height);
	char question[128];
	snprintf(question, sizeof(question), "jpeg %s %u %u %u %u %u %u", oracle_mode(format),
		 width, height, 20 + below(76), below(3), below(2), below(9));
	bool good = CHECK(ask(oracle, question, image, ret_file));
	wan_image_unref(image);
	snprintf(path, path_bytes, "%s", in_test_folder("random.jpg"));
	if (good)
		bytes_write(path, ret_file->bytes, ret_file->count);
	return good;
}

static bool thumbnail_equals(struct oracle *oracle, const char *path, const uint8_t *bytes,
			     size_t count, uint32_t width, uint32_t height, bool turned)
{
	struct wan_decode_options options;
	struct wan_image *made = NULL;
	struct wan_error error = {.code = 0};
	char question[128];
	wan_decode_options_init(&options);
	options.apply_orientation = turned;
	snprintf(question, sizeof(question), "file %zu %u %u %s", count, width, height,
		 turned ? "turned" : "stored");
	struct oracle_answer answer = oracle_ask(oracle, question, bytes, count);
	int result = wan_image_thumbnail_file(path, width, height, &options, &made, &error);
	bool good =
		CHECK_STR(answer.error, "") && CHECK_EQ(result, 0) && CHECK(equal(made, &answer));
	if (!good)
		printf("# %s %s\n", question, error.reason);
	wan_image_unref(made);
	free(answer.bytes);
	return good;
}

TEST(random_jpegs_equal_pillow)
{
	struct oracle oracle;
	char reason[256], path[512];
	unsigned count = runs(120, 2500);
	if (!start(&oracle, reason, sizeof(reason)))
		SKIP("%s", reason);
	bool good = true;
	for (unsigned i = 0; i < count && good; i++) {
		struct oracle_answer file;
		good = random_jpeg(&oracle, i % 16 == 0, path, sizeof(path), &file);
		good = good && thumbnail_equals(&oracle, path, file.bytes, file.count, side(260),
						side(260), below(2) == 0);
		free(file.bytes);
	}
	printf("# %u files\n", count);
	oracle_stop(&oracle);
}

TEST(every_kind_of_jpeg_equals_pillow)
{
	static const uint32_t sizes[][2] = {{7, 7}, {15, 10}, {30, 4}, {150, 150}, {1, 1}};
	struct oracle oracle;
	char reason[256];
	if (!start(&oracle, reason, sizeof(reason)))
		SKIP("%s", reason);
	for (size_t f = 0; f < sizeof(files) / sizeof(files[0]); f++) {
		char path[512];
		struct bytes file = data_file(files[f]);
		snprintf(path, sizeof(path), "%s", in_test_folder("in.jpg"));
		bytes_write(path, file.at, file.count);
		for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
			if (!thumbnail_equals(&oracle, path, file.at, file.count, sizes[s][0],
					      sizes[s][1], s % 2 == 0))
				printf("# %s\n", files[f]);
		bytes_free(&file);
	}
	oracle_stop(&oracle);
}

/* libjpeg guesses what was not coded, from what a decoding at 1/8 otherwise leaves out. */
TEST(a_progressive_jpeg_that_lacks_its_last_scans_equals_pillow)
{
	static const char *const names[] = {"progressive444", "progressive420", "gray_progressive"};
	struct oracle oracle;
	char reason[256];
	if (!start(&oracle, reason, sizeof(reason)))
		SKIP("%s", reason);
	for (int n = 0; n < 3; n++) {
		struct bytes file = data_file(names[n]);
		for (int scan = 0; scan < 5; scan++) {
			char path[512];
			snprintf(path, sizeof(path), "%s", in_test_folder("in.jpg"));
			bytes_write(path, file.at, file.count);
			for (uint32_t most = 1; most < 12; most++)
				(void)thumbnail_equals(&oracle, path, file.at, file.count, most,
						       most, false);
			file.count--;
			while (!(file.at[file.count - 2] == 0xff &&
				 file.at[file.count - 1] == 0xda))
				file.count--;
			file.at[file.count - 1] = 0xd9; /* the end where the last scan was */
		}
		bytes_free(&file);
	}
	oracle_stop(&oracle);
}

static struct wan_image *thumbnail_of(const char *path, const struct wan_decode_options *options)
{
	struct wan_image *made = NULL;
	CHECK_EQ(wan_image_thumbnail_file(path, 20, 20, options, &made, NULL), 0);
	return made;
}

/* Of a PNG nothing is scaled while decoding: the file's thumbnail is the image's. */
TEST(a_png_gives_the_thumbnail_of_its_pixels)
{
	static const struct png_kind kinds[] = {
		{137, 91, 8, 2, false, false, 0}, {137, 91, 8, 6, true, false, 0},
		{137, 91, 8, 0, false, false, 0}, {137, 91, 16, 2, false, false, 0},
		{137, 91, 4, 3, false, false, 6}, {137, 91, 8, 3, true, false, 8},
		{15, 11, 8, 2, false, false, 3},
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct bytes file = make_png(&kinds[i]);
		const char *path = in_test_folder("in.png");
		bytes_write(path, file.at, file.count);
		struct wan_decode_options options;
		struct wan_image *whole = NULL, *expected = NULL;
		wan_decode_options_init(&options);
		options.apply_orientation = kinds[i].width < 20;
		CHECK_EQ(wan_image_decode(path, &options, &whole, NULL), 0);
		CHECK_EQ(wan_image_thumbnail(whole, 20, 20, &expected), 0);
		struct wan_image *made = thumbnail_of(path, &options);
		CHECK_EQ(crc32_image(made), crc32_image(expected));
		wan_image_unref(made);
		wan_image_unref(expected);
		wan_image_unref(whole);
		bytes_free(&file);
	}
}

TEST(formats_and_policies_are_settled_before_pixels_are_mixed)
{
	static const struct png_kind kind = {137, 91, 8, 6, false, false, 0};
	struct bytes file = make_png(&kind);
	const char *path = in_test_folder("in.png");
	bytes_write(path, file.at, file.count);
	struct wan_decode_options options;
	struct wan_image *whole = NULL, *expected = NULL, *made;
	wan_decode_options_init(&options);
	options.want = WAN_PIXEL_RGB8;
	options.alpha = WAN_ALPHA_OVER(10, 200, 30);
	CHECK_EQ(wan_image_decode(path, &options, &whole, NULL), 0);
	CHECK_EQ(wan_image_thumbnail(whole, 20, 20, &expected), 0);
	made = thumbnail_of(path, &options);
	CHECK_EQ(crc32_image(made), crc32_image(expected));
	wan_image_unref(made);

	struct wan_error error = {.code = 0};
	options.alpha = WAN_ALPHA_REFUSE;
	CHECK_EQ(wan_image_thumbnail_file(path, 20, 20, &options, &made, &error), -EPROTONOSUPPORT);
	CHECK(error.reason[0]);
	options.alpha = WAN_ALPHA_KEEP;
	options.want = WAN_PIXEL_RGBF16_PLANAR;
	CHECK_EQ(wan_image_thumbnail_file(path, 20, 20, &options, &made, &error), -EINVAL);
	wan_image_unref(expected);
	wan_image_unref(whole);
	bytes_free(&file);
}

TEST(the_price_is_far_below_that_of_the_whole)
{
	struct wan_image_info info = {.format = WAN_FORMAT_PNG,
				      .width_px = 16000,
				      .height_px = 16000,
				      .bit_depth = 8,
				      .channels = 3,
				      .color = WAN_COLOR_RGB,
				      .exif_orientation = 6,
				      .output_bytes = 768000000,
				      .peak_bytes = 768700000};
	struct wan_decode_options options;
	uint64_t peak = 0;
	wan_decode_options_init(&options);
	CHECK_EQ(wan_image_thumbnail_price(&info, 256, 256, NULL, &peak), 0);
	CHECK(peak > 700000 && peak < 5000000);
	info.interlaced = true;
	CHECK_EQ(wan_image_thumbnail_price(&info, 256, 256, NULL, &peak), 0);
	CHECK(peak > 768000000 && peak < 780000000);
	CHECK_EQ(wan_image_thumbnail_price(&info, 0, 256, NULL, &peak), -EINVAL);
	CHECK_EQ(wan_image_thumbnail_price(NULL, 1, 256, NULL, &peak), -EINVAL);
	info.width_px = 0;
	CHECK_EQ(wan_image_thumbnail_price(&info, 1, 256, NULL, &peak), -EINVAL);
	info.width_px = info.height_px = UINT32_MAX; /* saturates, does not wrap */
	info.output_bytes = info.peak_bytes = UINT64_MAX;
	CHECK_EQ(wan_image_thumbnail_price(&info, UINT32_MAX, 1, NULL, &peak), 0);
	CHECK_EQ(peak, UINT64_MAX);
}

TEST(limits_hold_by_the_price_of_rows)
{
	static const struct png_kind kind = {900, 900, 8, 2, false, false, 0};
	struct bytes file = make_png(&kind);
	const char *path = in_test_folder("in.png");
	bytes_write(path, file.at, file.count);
	struct wan_decode_options options;
	struct wan_image *made = NULL;
	struct wan_error error = {.code = 0};
	wan_decode_options_init(&options);
	options.max_bytes = 2600000; /* the whole takes 2.7 MB */
	CHECK_EQ(wan_image_decode(path, &options, &made, NULL), -EFBIG);
	wan_image_unref(thumbnail_of(path, &options));
	options.max_bytes = 100000;
	CHECK_EQ(wan_image_thumbnail_file(path, 20, 20, &options, &made, &error), -EFBIG);
	options.max_bytes = 2600000;
	options.max_pixels = 1000;
	CHECK_EQ(wan_image_thumbnail_file(path, 20, 20, &options, &made, &error), -EFBIG);
	CHECK(strstr(error.reason, "max_pixels"));
	bytes_free(&file);
}

TEST(damaged_files_and_bad_arguments_are_told)
{
	struct bytes file = data_file("ycc420");
	struct wan_decode_options options;
	struct wan_image *made = NULL;
	struct wan_error error = {.code = 0};
	struct wan_image_view view;
	const char *path = in_test_folder("in.jpg");
	wan_decode_options_init(&options);
	bytes_write(path, file.at, file.count - 150);
	CHECK_EQ(wan_image_thumbnail_file(path, 9, 9, &options, &made, &error), -EBADMSG);
	CHECK(error.reason[0]);
	options.allow_truncated = true;
	CHECK_EQ(wan_image_thumbnail_file(path, 9, 9, &options, &made, &error), 0);
	wan_image_view(made, &view);
	CHECK(view.warnings > 0);
	wan_image_unref(made);

	static const struct png_kind kind = {137, 91, 8, 2, false, false, 0};
	struct bytes png = make_png(&kind);
	bytes_write(path, png.at, png.count / 2);
	CHECK_EQ(wan_image_thumbnail_file(path, 9, 9, &options, &made, &error), 0);
	wan_image_view(made, &view);
	CHECK_EQ(view.warnings, 1);
	wan_image_unref(made);
	CHECK_EQ(wan_image_thumbnail_file(path, 0, 9, NULL, &made, &error), -EINVAL);
	CHECK_EQ(wan_image_thumbnail_file(path, 9, 0, NULL, &made, &error), -EINVAL);
	CHECK_EQ(wan_image_thumbnail_file(NULL, 9, 9, NULL, &made, &error), -EINVAL);
	CHECK_EQ(wan_image_thumbnail_file("/nowhere/x", 9, 9, NULL, &made, &error), -ENOENT);
	bytes_free(&png);
	bytes_free(&file);
}

TAP_MAIN
