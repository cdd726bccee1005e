/* SPDX-License-Identifier: MIT */
/* What is left out of a progressive JPEG, and that the pieces it comes in do not matter. */
#include "jpeg_scans.h"
#include "files.h"
#include "tap.h"

/* As wan_jpeg_scans_begin() leaves it, for a file of three components. */
static struct wan_jpeg_scans scans_of(bool luma, bool chroma)
{
	struct wan_jpeg_scans scans = {.active = true,
				       .components = 3,
				       .ids = {1, 2, 3},
				       .mean_only = {luma, chroma, chroma}};
	memset(scans.precision, -1, sizeof(scans.precision));
	return scans;
}

static struct bytes filtered(struct wan_jpeg_scans *scans, const struct bytes *file, size_t piece)
{
	struct bytes out = {.at = NULL};
	for (size_t at = 0; at < file->count; at += piece) {
		const uint8_t *part;
		size_t count;
		scans->at = file->at + at;
		scans->left = file->count - at < piece ? file->count - at : piece;
		while (wan_jpeg_scans_next(scans, &part, &count))
			bytes_add(&out, part, count);
	}
	return out;
}

/* Behind the start of the image, where a marker follows as it does behind coded data. */
static struct bytes coded(const char *name)
{
	struct bytes file = data_file(name);
	memmove(file.at, file.at + 2, file.count - 2);
	file.count -= 2;
	return file;
}

static unsigned count_scans(const struct bytes *file)
{
	unsigned count = 0;
	for (size_t i = 0; i + 1 < file->count; i++)
		count += file->at[i] == 0xff && file->at[i + 1] == 0xda;
	return count;
}

TEST(a_file_whose_detail_is_used_goes_through_as_it_is)
{
	struct bytes file = coded("progressive420");
	for (size_t piece = 1; piece < 40; piece++) {
		struct wan_jpeg_scans scans = scans_of(false, false);
		struct bytes out = filtered(&scans, &file, piece);
		CHECK_EQ(out.count, file.count);
		CHECK_MEM(out.at, file.at, out.count);
		CHECK(wan_jpeg_scans_complete(&scans));
		bytes_free(&out);
	}
	bytes_free(&file);
}

TEST(scans_of_detail_are_left_out_whatever_the_pieces)
{
	struct bytes file = coded("progressive420");
	struct wan_jpeg_scans scans = scans_of(true, false), all = scans_of(true, true);
	struct bytes luma = filtered(&scans, &file, file.count);
	struct bytes means = filtered(&all, &file, file.count);
	/* Pillow's script: 2 scans of means, 4 of luma's detail, 4 of the chroma's. */
	CHECK_EQ(count_scans(&file), 10);
	CHECK_EQ(count_scans(&luma), 6);
	CHECK_EQ(count_scans(&means), 2);
	CHECK(wan_jpeg_scans_complete(&scans) && wan_jpeg_scans_complete(&all));
	for (size_t piece = 1; piece < 40; piece++) {
		struct wan_jpeg_scans again = scans_of(true, false);
		struct bytes out = filtered(&again, &file, piece);
		CHECK_EQ(out.count, luma.count);
		CHECK_MEM(out.at, luma.at, out.count);
		bytes_free(&out);
	}
	bytes_free(&means);
	bytes_free(&luma);
	bytes_free(&file);
}

TEST(a_picture_that_lacks_its_last_scan_is_not_complete)
{
	struct bytes file = coded("progressive420");
	while (!(file.at[file.count - 2] == 0xff && file.at[file.count - 1] == 0xda))
		file.count--;
	file.at[file.count - 1] = 0xd9;
	struct wan_jpeg_scans scans = scans_of(true, false);
	struct bytes out = filtered(&scans, &file, 64);
	CHECK(!wan_jpeg_scans_complete(&scans));
	bytes_free(&out);
	bytes_free(&file);
}

TEST(noise_ends_and_is_never_read_beyond)
{
	uint32_t state = 7;
	for (int round = 0; round < 3000; round++) {
		uint8_t noise[200];
		for (size_t i = 0; i < sizeof(noise); i++) {
			state = state * 1664525 + 1013904223;
			uint32_t roll = state >> 24;
			noise[i] = roll < 60 ? 0xff : roll < 90 ? 0xda : (uint8_t)(state >> 16);
		}
		struct bytes file = bytes_exact(noise, sizeof(noise));
		struct wan_jpeg_scans scans = scans_of(round & 1, round & 2);
		struct bytes out = filtered(&scans, &file, 1 + (state >> 8) % 60);
		CHECK(out.count <= file.count);
		bytes_free(&out);
		bytes_free(&file);
	}
}

TAP_MAIN
