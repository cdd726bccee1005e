/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "codec.h"
#include "macros.h"
#include "files.h"
#include "sample.h"
#include "tap.h"

static int probe(const struct bytes *file, struct wan_image_info *info, struct wan_error *error)
{
	struct bytes exact = bytes_exact(file->at, file->count);
	int result = wan_image_probe_memory(exact.at, exact.count, info, error);
	bytes_free(&exact);
	return result;
}

static struct wan_image_info probe_data(const char *name)
{
	struct bytes file = data_file(name);
	struct wan_image_info info = {.format = WAN_FORMAT_UNKNOWN};
	CHECK_EQ(probe(&file, &info, NULL), 0);
	CHECK_EQ(info.format, WAN_FORMAT_JPEG);
	CHECK_EQ(info.file_bytes, file.count);
	bytes_free(&file);
	return info;
}

TEST(jpeg_headers_are_read_as_the_decoder_reads_them)
{
	static const struct {
		const char *name;
		enum wan_color_type color;
		unsigned channels, scans;
		bool interlaced, icc;
	} cases[] = {
		{"gray", WAN_COLOR_GRAY, 1, 1, false, false},
		{"gray_progressive", WAN_COLOR_GRAY, 1, 6, true, false},
		{"ycc420", WAN_COLOR_YCBCR, 3, 1, false, false},
		{"progressive422", WAN_COLOR_YCBCR, 3, 10, true, false},
		{"several_scans", WAN_COLOR_YCBCR, 3, 3, false, false},
		{"rgb", WAN_COLOR_RGB, 3, 1, false, false},
		{"cmyk", WAN_COLOR_CMYK, 4, 1, false, false},
		{"ycck", WAN_COLOR_YCCK, 4, 1, false, false},
		{"arithmetic", WAN_COLOR_YCBCR, 3, 1, false, false},
		{"icc", WAN_COLOR_YCBCR, 3, 1, false, true},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wan_image_info info = probe_data(cases[i].name);
		bool same = CHECK_EQ(info.width_px, 61) & CHECK_EQ(info.height_px, 43) &
			    CHECK_EQ(info.color, cases[i].color) &
			    CHECK_EQ(info.channels, cases[i].channels) &
			    CHECK_EQ(info.bit_depth, 8) & CHECK_EQ(info.scans, cases[i].scans) &
			    CHECK_EQ(info.interlaced, cases[i].interlaced) &
			    CHECK_EQ(info.has_icc, cases[i].icc) & CHECK(!info.has_alpha) &
			    CHECK_EQ(info.output_bytes, 61 * 43 * cases[i].channels);
		if (!same)
			printf("# in %s\n", cases[i].name);
	}
	for (int turn = 1; turn <= 8; turn++) {
		char name[32];
		snprintf(name, sizeof(name), "turned%d", turn);
		CHECK_EQ(probe_data(name).exif_orientation, turn);
	}
}

TEST(a_file_and_its_bytes_probe_alike)
{
	struct bytes file = data_file("icc");
	struct wan_image_info from_memory, from_file;
	const char *path = in_test_folder("icc.png"); /* the name does not matter */
	bytes_write(path, file.at, file.count);
	memset(&from_memory, 0, sizeof(from_memory));
	memset(&from_file, 0, sizeof(from_file));
	CHECK_EQ(probe(&file, &from_memory, NULL), 0);
	CHECK_EQ(wan_image_probe(path, &from_file, NULL), 0);
	CHECK_EQ(from_file.format, WAN_FORMAT_JPEG);
	CHECK_EQ(from_file.peak_bytes, from_memory.peak_bytes);
	bytes_free(&file);
}

TEST(other_formats_are_named_with_the_command_that_converts_them)
{
	static const struct {
		const char *head;
		size_t count;
		enum wan_file_format format;
		uint32_t width, height;
		const char *reason, *hint;
	} cases[] = {
		{"RIFF\x24\0\0\0WEBPVP8X\x0a\0\0\0\x10\0\0\0\x1f\x03\0\xdf\x01\0", 30,
		 WAN_FORMAT_WEBP, 800, 480, "is WebP, which is not decoded here",
		 "convert it: dwebp IN -o OUT.png"},
		{"RIFF\x24\0\0\0WEBPVP8L\x0a\0\0\0\x2f\x1f\xc3\x77\0\0\0\0\0\0", 30,
		 WAN_FORMAT_WEBP, 800, 480, "WebP", "dwebp"},
		{"RIFF\x24\0\0\0WEBPVP8 \x0a\0\0\0\0\0\0\x9d\x01\x2a\x20\x03\xe0\x01", 30,
		 WAN_FORMAT_WEBP, 800, 480, "WebP", "dwebp"},
		{"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x20\x03\0\0\x20\xfe\xff\xff\1\0\x18\0",
		 30, WAN_FORMAT_BMP, 800, 480, "BMP", "magick"},
		{"BM\x36\0\0\0\0\0\0\0\x1a\0\0\0\x0c\0\0\0\x20\x03\xe0\x01\1\0\x18\0", 26,
		 WAN_FORMAT_BMP, 800, 480, "BMP", "magick"},
		{"GIF89a\x20\x03\xe0\x01\0\0\0", 13, WAN_FORMAT_GIF, 800, 480, "GIF", "magick"},
		{"GIF87a", 6, WAN_FORMAT_GIF, 0, 0, "GIF", "magick"},
		{"II*\0\x08\0\0\0\2\0\0\1\3\0\1\0\0\0\x20\3\0\0\1\1\4\0\1\0\0\0\xe0\1\0\0\0\0\0\0",
		 38, WAN_FORMAT_TIFF, 800, 480, "TIFF", "magick"},
		{"MM\0*\0\0\0\x08\0\0\0\0\0\0", 14, WAN_FORMAT_TIFF, 0, 0, "TIFF", "magick"},
		{"\0\0\0\x18"
		 "ftypheic\0\0\0\0mif1heic",
		 24, WAN_FORMAT_HEIF, 0, 0, "HEIF", "heif-convert"},
		{"\0\0\0\x18"
		 "ftypmif1\0\0\0\0mif1heic",
		 24, WAN_FORMAT_HEIF, 0, 0, "HEIF", "heif-convert"},
		{"\0\0\0\x18"
		 "ftypavif\0\0\0\0mif1miaf",
		 24, WAN_FORMAT_AVIF, 0, 0, "AVIF", "avifdec"},
		{"\0\0\0\x18"
		 "ftypmif1\0\0\0\0avifmiaf",
		 24, WAN_FORMAT_AVIF, 0, 0, "AVIF", "avifdec"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes file = bytes_exact(cases[i].head, cases[i].count);
		struct wan_image_info info = {.format = WAN_FORMAT_UNKNOWN};
		struct wan_error error;
		struct wan_image *image = NULL;
		bool same =
			CHECK_EQ(probe(&file, &info, &error), -ENOTSUP) &
			CHECK_EQ(info.format, cases[i].format) &
			CHECK_EQ(info.width_px, cases[i].width) &
			CHECK_EQ(info.height_px, cases[i].height) &
			CHECK(strstr(error.reason, cases[i].reason) != NULL) &
			CHECK(strstr(error.hint, cases[i].hint) != NULL) &
			CHECK_EQ(wan_image_decode_memory(file.at, file.count, NULL, &image, NULL),
				 -ENOTSUP);
		if (!same)
			printf("# case %zu\n", i);
		bytes_free(&file);
	}
}

TEST(foreign_heads_cut_anywhere_are_never_read_beyond)
{
	static const char head[] = "RIFF\x24\0\0\0WEBPVP8X\x0a\0\0\0\x10\0\0\0\x1f\x03\0\xdf\x01\0";
	static const char boxes[] = "\0\0\xff\xff"
				    "ftypmif1\0\0\0\0mif1miafabcd";
	static const char tiff[] = "II*\0\x08\0\0\0\xff\xff\0\1\3\0\1\0\0\0\x20\3\0\0\1\1";
	for (size_t count = 1; count < sizeof(head); count++) {
		struct wan_image_info info;
		struct bytes a = {(uint8_t *)head, count, 0};
		struct bytes b = {(uint8_t *)boxes, WAN_MIN(count, sizeof(boxes)), 0};
		struct bytes c = {(uint8_t *)tiff, WAN_MIN(count, sizeof(tiff)), 0};
		CHECK(probe(&a, &info, NULL) < 0);
		CHECK(probe(&b, &info, NULL) < 0);
		CHECK(probe(&c, &info, NULL) < 0);
	}
}

TEST(what_is_no_image_is_said_to_be_none)
{
	static const char *const texts[] = {"hello world, I am a text file\n",
					    "BM",
					    "RIFF",
					    "x",
					    "%PDF-1.4\n",
					    "\0\0\0\x18"
					    "ftypisom"};
	static const size_t counts[] = {30, 2, 4, 1, 9, 12};
	for (int i = 0; i < 6; i++) {
		struct bytes file = bytes_exact(texts[i], counts[i]);
		struct wan_image_info info;
		struct wan_error error;
		CHECK_EQ(probe(&file, &info, &error), -EBADMSG);
		CHECK(strstr(error.reason, "does not begin like any image format") != NULL);
		CHECK_STR(error.hint, "expected a JPEG or PNG image");
		bytes_free(&file);
	}
}

TEST(a_header_that_is_cut_off_is_said_to_be_cut_off)
{
	struct bytes jpeg = data_file("turned3"), png = {.at = NULL};
	struct wan_image_info info;
	struct wan_error error;
	png_head(&png, 5, 5, 8, 2, 0);
	for (size_t count = 1; count < 33; count++) {
		struct bytes part = {png.at, count, 0};
		CHECK_EQ(probe(&part, &info, &error), -ENODATA);
		CHECK(strstr(error.reason, "inside the header") != NULL);
	}
	for (size_t count = 2; count < 300; count += 7) {
		struct bytes part = {jpeg.at, count, 0};
		CHECK_EQ(probe(&part, &info, &error), -ENODATA);
	}
	bytes_free(&jpeg);
	bytes_free(&png);
}

TAP_MAIN
