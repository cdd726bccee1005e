/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "codec.h"
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

/* SOI, then what is given, then a scan of 64 bytes. */
static struct bytes jpeg(const void *segments, size_t count)
{
	static const uint8_t scan[] = {0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0};
	static const uint8_t zeros[64];
	struct bytes file = {.at = NULL};
	bytes_add(&file, "\xff\xd8", 2);
	bytes_add(&file, segments, count);
	bytes_add(&file, scan, sizeof(scan));
	bytes_add(&file, zeros, sizeof(zeros));
	bytes_add(&file, "\xff\xd9", 2);
	return file;
}

#define FRAME(marker, precision, h1, h0, w1, w0, count)                                            \
	"\xff" marker "\0\x11" precision h1 h0 w1 w0 count "\1\x11\0\2\x11\0\3\x11\0"
#define GOOD_FRAME FRAME("\xc0", "\x08", "\0", "\x10", "\0", "\x10", "\3")

static void check_refused(const char *segments, size_t count, int expected, const char *text)
{
	struct bytes file = jpeg(segments, count);
	struct wan_image_info info;
	struct wan_error error = {.code = 0};
	CHECK_EQ(probe(&file, &info, &error), expected);
	if (!CHECK(strstr(error.reason, text) != NULL))
		printf("# %s\n", error.reason);
	bytes_free(&file);
}
#define REFUSED(segments, expected, text)                                                          \
	check_refused(segments, sizeof(segments) - 1, expected, text)

TEST(a_good_header_is_taken)
{
	struct bytes file = jpeg(GOOD_FRAME, sizeof(GOOD_FRAME) - 1);
	struct wan_image_info info;
	CHECK_EQ(probe(&file, &info, NULL), 0);
	CHECK_EQ(info.width_px, 16);
	CHECK_EQ(info.channels, 3);
	bytes_free(&file);
}

TEST(impossible_headers_are_refused)
{
	REFUSED(FRAME("\xc0", "\x08", "\0", "\0", "\0", "\x10", "\3"), -EBADMSG, "a side is 0");
	REFUSED(FRAME("\xc0", "\x08", "\0", "\x10", "\0", "\0", "\3"), -EBADMSG, "a side is 0");
	REFUSED(FRAME("\xc0", "\x08", "\0", "\x10", "\0", "\x10", "\xff"), -EBADMSG,
		"wrong length");
	REFUSED(GOOD_FRAME GOOD_FRAME, -EBADMSG, "two frame headers");
	REFUSED("\xff\xd8", -EBADMSG, "begins twice");
	REFUSED("\xff\xd9", -EBADMSG, "without an image");
	REFUSED("\xff\xfe\0\1", -EBADMSG, "length below 2");
	REFUSED("\xff\xfe\0\2", -EBADMSG, "before the frame header");
	REFUSED("\xff\xc0\0\x11\x08\0\x10\0\x10\3\1\x01\0\2\x11\0\3\x11\0", -EBADMSG, "sampling");
	REFUSED("\xff\xc0\0\x11\x08\0\x10\0\x10\3\1\x15\0\2\x11\0\3\x11\0", -EBADMSG, "sampling");
}

TEST(kinds_of_jpeg_without_a_decoder_are_named)
{
	REFUSED(FRAME("\xc3", "\x08", "\0", "\x10", "\0", "\x10", "\3"), -ENOTSUP, "lossless");
	REFUSED(FRAME("\xc5", "\x08", "\0", "\x10", "\0", "\x10", "\3"), -ENOTSUP, "hierarchical");
	REFUSED(FRAME("\xc1", "\x0c", "\0", "\x10", "\0", "\x10", "\3"), -ENOTSUP, "8 bits");
	REFUSED("\xff\xc0\0\x0e\x08\0\x10\0\x10\2\1\x11\0\2\x11\0", -ENOTSUP,
		"2 colour components");
}

TEST(fill_bytes_and_comments_are_passed_over)
{
	struct bytes segments = {.at = NULL};
	struct wan_image_info info;
	for (int i = 0; i < 4096; i++)
		bytes_add(&segments, "\xff", 1);
	for (int i = 0; i < 1000; i++)
		bytes_add(&segments, "\xff\xfe\0\4hi", 6);
	bytes_add(&segments, GOOD_FRAME, sizeof(GOOD_FRAME) - 1);
	struct bytes file = jpeg(segments.at, segments.count);
	CHECK_EQ(probe(&file, &info, NULL), 0);
	bytes_free(&file);
	bytes_free(&segments);
}

TEST(endless_fill_bytes_are_given_up)
{
	struct bytes file = {.at = NULL};
	struct wan_image_info info;
	struct wan_error error;
	bytes_add(&file, "\xff\xd8", 2);
	for (int i = 0; i < 70000; i++)
		bytes_add(&file, "\xff", 1);
	CHECK_EQ(probe(&file, &info, &error), -EBADMSG);
	CHECK(strstr(error.reason, "no marker") != NULL);
	bytes_free(&file);
}

TEST(scans_are_counted_only_as_far_as_they_matter)
{
	struct bytes file = data_file("progressive444");
	struct wan_image_info info;
	static const uint8_t scan[] = {0xff, 0xda, 0, 8, 1, 1, 0, 1, 5, 0, 0};
	file.count -= 2;
	for (int i = 0; i < 100000; i++)
		bytes_add(&file, scan, sizeof(scan));
	CHECK_EQ(probe(&file, &info, NULL), 0);
	CHECK_EQ(info.scans, 1000);
	bytes_free(&file);
}

TEST(every_flipped_byte_is_harmless)
{
	static const char *const names[] = {"turned6", "progressive420", "ycck", "arithmetic"};
	for (int n = 0; n < 4; n++) {
		struct bytes file = data_file(names[n]);
		for (size_t i = 0; i < file.count; i++) {
			struct wan_image *image = NULL;
			struct wan_error error = {.code = 0};
			file.at[i] ^= 0x5a;
			int result =
				wan_image_decode_memory(file.at, file.count, NULL, &image, &error);
			bool known = result == 0 || result == -EBADMSG || result == -ENODATA ||
				     result == -EFBIG || result == -ENOTSUP;
			if (!known) {
				printf("# %s byte %zu: %d %s\n", names[n], i, result, error.reason);
				CHECK(known);
			}
			wan_image_unref(image);
			file.at[i] ^= 0x5a;
		}
		bytes_free(&file);
	}
}

TAP_MAIN
