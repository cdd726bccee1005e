/* SPDX-License-Identifier: MIT */
/* A PNG that is cut off gives the rows that inflate finds in what is left. */
#include <errno.h>
#include <zlib.h>

#include "files.h"
#include "tap.h"
#include "wan/image.h"

/* Scan lines as PNG has them: each behind its filter type, which is 0 here. */
struct lines {
	uint32_t width, height;
	size_t pitch;
	uint8_t *at;
};

enum content { NOISE, WAVES, BANDS };

static struct lines make_lines(uint32_t width, uint32_t height, enum content content)
{
	struct lines lines = {width, height, 1 + (size_t)width * 3, NULL};
	lines.at = calloc(height, lines.pitch);
	for (uint32_t y = 0; y < height; y++)
		for (uint32_t x = 0; x < width * 3; x++)
			lines.at[y * lines.pitch + 1 + x] =
				(uint8_t)(content == NOISE   ? png_sample(x, y, 0, 8)
					  : content == WAVES ? 1 + (x * x / 90 + y * 3) % 200
							     : png_sample(x, y / 20, 1, 8));
	return lines;
}

/* In IDAT chunks of that size. Where each byte of the file belongs to pixels, pixels[] has it. */
static struct bytes write_cuttable(const struct lines *lines, size_t chunk_bytes)
{
	struct bytes file = {.at = NULL};
	uLongf count = compressBound(lines->height * lines->pitch);
	uint8_t *packed = malloc(count);
	if (compress2(packed, &count, lines->at, lines->height * lines->pitch, 6) != Z_OK)
		abort();
	png_head(&file, lines->width, lines->height, 8, 2, 0);
	for (size_t at = 0; at < count; at += chunk_bytes)
		png_chunk(&file, "IDAT", packed + at,
			  count - at < chunk_bytes ? count - at : chunk_bytes);
	png_chunk(&file, "IEND", NULL, 0);
	free(packed);
	return file;
}

/* Whole rows that a plain inflate finds in the IDAT chunks of the first count bytes. */
static uint32_t rows_in(const struct bytes *file, size_t count, const struct lines *lines)
{
	size_t room = lines->height * lines->pitch;
	uint8_t *out = malloc(room + 1);
	z_stream stream = {.next_out = out, .avail_out = (uInt)room + 1};
	if (inflateInit(&stream) != Z_OK)
		abort();
	for (size_t at = 8; at + 8 < count;) {
		size_t bytes = (size_t)file->at[at] << 24 | (size_t)file->at[at + 1] << 16 |
			       (size_t)file->at[at + 2] << 8 | file->at[at + 3];
		size_t there = bytes < count - at - 8 ? bytes : count - at - 8;
		if (memcmp(file->at + at + 4, "IDAT", 4) == 0) {
			stream.next_in = file->at + at + 8;
			stream.avail_in = (uInt)there;
			(void)inflate(&stream, Z_SYNC_FLUSH);
		}
		at += 12 + bytes;
	}
	uint32_t rows = (uint32_t)(stream.total_out / lines->pitch);
	inflateEnd(&stream);
	free(out);
	return rows;
}

/* Rows that are right, and black from there on; -1: neither. */
static int rows_given(const struct wan_image *image, const struct lines *lines)
{
	struct wan_image_view view;
	int rows = 0;
	wan_image_view(image, &view);
	const uint8_t *at = view.pixels;
	size_t bytes = lines->pitch - 1;
	while (rows < (int)lines->height &&
	       memcmp(at + (size_t)rows * bytes, lines->at + (size_t)rows * lines->pitch + 1,
		      bytes) == 0)
		rows++;
	for (size_t i = (size_t)rows * bytes; i < lines->height * bytes; i++)
		if (at[i] != 0)
			return -1;
	return rows;
}

struct outcome {
	unsigned cuts, exact, less, wrong;
	uint32_t missing; /* rows at most */
};

static void cut_at(const struct bytes *file, size_t count, const struct lines *lines,
		   struct outcome *outcome)
{
	struct wan_decode_options options;
	struct wan_image *image = NULL;
	struct wan_image_info info;
	struct wan_error error = {0};
	if (wan_image_probe_memory(file->at, count, &info, NULL) < 0)
		return; /* so little left of it that it passes for forged */
	/* A block of the exact size, so that a sanitizer sees a byte too many. */
	uint8_t *cut = malloc(count);
	memcpy(cut, file->at, count);
	uint32_t there = rows_in(file, count, lines);
	wan_decode_options_init(&options);
	if (there < lines->height) {
		CHECK_EQ(wan_image_decode_memory(cut, count, &options, &image, &error), -EBADMSG);
		CHECK(strncmp(error.reason, "is cut off after row ", 21) == 0);
		CHECK((uint32_t)atoi(error.reason + 21) <= there);
	}
	options.allow_truncated = true;
	REQUIRE_EQ(wan_image_decode_memory(cut, count, &options, &image, &error), 0);
	int given = rows_given(image, lines);
	outcome->cuts++;
	outcome->wrong += given < 0 || given > (int)there;
	outcome->exact += given == (int)there;
	outcome->less += given < (int)there;
	if (given >= 0 && there > (uint32_t)given && there - (uint32_t)given > outcome->missing)
		outcome->missing = there - (uint32_t)given;
	wan_image_unref(image);
	free(cut);
}

static struct outcome cut_everywhere(uint32_t width, uint32_t height, enum content content,
				     size_t chunk_bytes)
{
	struct lines lines = make_lines(width, height, content);
	struct bytes file = write_cuttable(&lines, chunk_bytes);
	struct outcome outcome = {0};
	/* from the first byte of the pixels on: before that there is nothing to give */
	for (size_t count = 8 + 25 + 8 + 3; count < file.count; count += 1 + file.count / 200)
		cut_at(&file, count, &lines, &outcome);
	printf("# %ux%u, %zu bytes in chunks of %zu: %u cuts, %u exact, %u less by up to %u\n",
	       width, height, file.count, chunk_bytes, outcome.cuts, outcome.exact, outcome.less,
	       outcome.missing);
	CHECK_EQ(outcome.wrong, 0);
	CHECK(outcome.cuts > 100);
	bytes_free(&file);
	free(lines.at);
	return outcome;
}

TEST(small_files_cut_anywhere_give_the_rows_that_are_there)
{
	static const size_t chunks[] = {1u << 30, 8192, 1000, 37};
	for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
		CHECK(cut_everywhere(20, 18, NOISE, chunks[i]).missing <= 1);
		CHECK(cut_everywhere(64, 100, NOISE, chunks[i]).missing <= 1);
		CHECK(cut_everywhere(100, 100, NOISE, chunks[i]).missing <= 1);
		CHECK(cut_everywhere(300, 120, WAVES, chunks[i]).missing <= 1);
		CHECK(cut_everywhere(400, 300, BANDS, chunks[i]).missing <= 1);
	}
}

TEST(rows_shorter_than_a_copy_of_deflate_may_miss_the_last_copy)
{
	/* 258 bytes at most: libpng hands out no bytes that wait inside inflate for room. */
	uint32_t most = 1 + 258 / (1 + 24 * 3);
	CHECK(cut_everywhere(24, 2000, BANDS, 1u << 30).missing <= most);
	CHECK(cut_everywhere(24, 2000, BANDS, 1000).missing <= most);
}

TEST(a_cut_file_read_row_by_row_gives_the_same)
{
	struct lines lines = make_lines(100, 100, NOISE);
	struct bytes file = write_cuttable(&lines, 8192);
	const char *path = in_test_folder("cut.png");
	struct wan_decode_options options;
	struct wan_image *whole = NULL, *expected = NULL, *made = NULL;
	struct wan_image_view view, wanted;
	wan_decode_options_init(&options);
	options.allow_truncated = true;
	bytes_write(path, file.at, 3000); /* less than libpng asks for at a time */
	REQUIRE_EQ(wan_image_decode(path, &options, &whole, NULL), 0);
	CHECK_EQ(rows_given(whole, &lines), rows_in(&file, 3000, &lines));
	REQUIRE_EQ(wan_image_fit(whole, 60, 50, WAN_FIT_STRETCH, WAN_FILTER_LANCZOS, &expected), 0);
	REQUIRE_EQ(wan_image_fit_file(path, 60, 50, WAN_FIT_STRETCH, WAN_FILTER_LANCZOS, &options,
				      &made, NULL),
		   0);
	wan_image_view(made, &view);
	wan_image_view(expected, &wanted);
	CHECK_MEM(view.pixels, wanted.pixels, wanted.pixels_bytes);
	wan_image_unref(whole);
	wan_image_unref(expected);
	wan_image_unref(made);
	bytes_free(&file);
	free(lines.at);
}

int main(int argc, char **argv)
{
	return tap_main(argc, argv);
}
