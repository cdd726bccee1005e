/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <time.h>

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

/* Must be refused, without mapping pixels; the reason holds text. */
static void check_refused(const struct bytes *file, int expected, const char *text)
{
	struct wan_image_info info;
	struct wan_error error;
	struct wan_image *image = NULL;
	struct wan_pool_stats before, after;
	wan_pool_stats(&before);
	CHECK_EQ(wan_image_decode_memory(file->at, file->count, NULL, &image, &error), expected);
	wan_pool_stats(&after);
	CHECK_EQ(after.mapped_bytes, before.mapped_bytes);
	if (!CHECK(strstr(error.reason, text) != NULL))
		printf("# %s\n", error.reason);
	if (expected != -EFBIG)
		CHECK_EQ(probe(file, &info, NULL), expected);
}

static void check_head(uint32_t width, uint32_t height, int depth, int color, int interlace,
		       const char *text)
{
	struct bytes file = {.at = NULL};
	png_head(&file, width, height, depth, color, interlace);
	png_chunk(&file, "IDAT", "0123456789", 10);
	png_chunk(&file, "IEND", NULL, 0);
	check_refused(&file, -EBADMSG, text);
	bytes_free(&file);
}

TEST(impossible_headers_are_refused)
{
	check_head(0, 5, 8, 2, 0, "a side is 0");
	check_head(5, 0, 8, 2, 0, "a side is 0");
	check_head(1u << 31, 5, 8, 2, 0, "above 2147483647");
	check_head(UINT32_MAX, UINT32_MAX, 8, 2, 0, "above 2147483647");
	check_head(5, 5, 3, 2, 0, "do not go together");
	check_head(5, 5, 4, 2, 0, "do not go together");
	check_head(5, 5, 16, 3, 0, "do not go together");
	check_head(5, 5, 8, 1, 0, "do not go together");
	check_head(5, 5, 8, 7, 0, "do not go together");
	check_head(5, 5, 0, 0, 0, "do not go together");
	check_head(5, 5, 255, 0, 0, "do not go together");
	check_head(5, 5, 8, 2, 2, "interlace");
}

TEST(huge_headers_without_the_bytes_for_them_are_refused)
{
	check_head(INT32_MAX, INT32_MAX, 16, 6, 1, "cannot hold");
	check_head(65535, 65535, 8, 2, 0, "cannot hold");
	check_head(30000, 30000, 1, 0, 1, "cannot hold");
	struct bytes file = {.at = NULL};
	png_head(&file, 65535, 65535, 8, 2, 0);
	check_refused(&file, -EBADMSG, "without any pixel data");
	bytes_free(&file);
}

TEST(a_wrong_header_checksum_is_refused)
{
	struct bytes file = {.at = NULL};
	png_head(&file, 5, 5, 8, 2, 0);
	png_chunk(&file, "IDAT", "0123456789", 10);
	file.at[29] ^= 1;
	check_refused(&file, -EBADMSG, "checksum");
	bytes_free(&file);
}

TEST(a_real_bomb_is_refused_by_the_pixel_limit_in_no_time)
{
	/* 32768 x 32768 RGBA in 4.2 MB of zeros that could hold it. */
	struct bytes file = {.at = NULL};
	uint8_t *zeros = calloc(1, 4300000);
	png_head(&file, 32768, 32768, 8, 6, 0);
	png_chunk(&file, "IDAT", zeros, 4300000);
	struct timespec begin, end;
	struct wan_image *image = NULL;
	struct wan_error error;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	CHECK_EQ(wan_image_decode_memory(file.at, file.count, NULL, &image, &error), -EFBIG);
	clock_gettime(CLOCK_MONOTONIC, &end);
	CHECK(strstr(error.reason, "image.max_pixels") != NULL);
	double ms = (double)(end.tv_sec - begin.tv_sec) * 1e3 +
		    (double)(end.tv_nsec - begin.tv_nsec) / 1e6;
	CHECK(ms < 100);
	free(zeros);
	bytes_free(&file);
}

TEST(chunk_lengths_beyond_the_format_are_refused)
{
	struct bytes file = {.at = NULL};
	png_head(&file, 5, 5, 8, 2, 0);
	bytes_add(&file, "\x80\0\0\0tEXt", 8);
	check_refused(&file, -EBADMSG, "longer than 2147483647");
	bytes_free(&file);
}

TEST(transparency_and_profiles_are_seen_before_the_pixels_only)
{
	struct bytes file = {.at = NULL};
	struct wan_image_info info;
	png_head(&file, 5, 5, 8, 2, 0);
	png_chunk(&file, "iCCP", "name\0\0x", 7);
	png_chunk(&file, "IDAT", "0123456789", 10);
	png_chunk(&file, "tRNS", "\0\1\0\1\0\1", 6);
	REQUIRE_EQ(probe(&file, &info, NULL), 0);
	CHECK(info.has_icc);
	CHECK(!info.has_alpha && !info.has_transparency_key);
	CHECK_EQ(info.channels, 3);
	bytes_free(&file);
}

TEST(endless_chunks_before_the_pixels_are_given_up)
{
	struct bytes file = {.at = NULL};
	png_head(&file, 5, 5, 8, 2, 0);
	for (int i = 0; i < 65540; i++)
		bytes_add(&file, "\0\0\0\0abCd\0\0\0\0", 12);
	check_refused(&file, -EBADMSG, "65536 chunks");
	bytes_free(&file);
}

TAP_MAIN
