/* SPDX-License-Identifier: MIT */
#include "sof.h"
#include "tap.h"

/* SOI, APP0 of 4 bytes, DQT of 4 bytes, SOF, SOS. */
static const uint8_t plain[] = {
	0xff, 0xd8, 0xff, 0xe0, 0, 4, 1,    2, 0xff, 0xdb, 0, 4, 3,    4, 0xff, 0xc0, 0, 17, 8,
	2,    0xd0, 5,    0,    3, 1, 0x22, 0, 2,    0x11, 1, 3, 0x11, 1, 0xff, 0xda, 0, 2,
};
enum { SOF_AT = 14 };

/* In memory of its exact size, so that a sanitizer sees a step too far. */
static bool find(const uint8_t *bytes, size_t count, struct wan_sof *ret_sof)
{
	uint8_t *copy = malloc(count ? count : 1);
	memcpy(copy, bytes, count);
	bool found = wan_sof_find(copy, count, ret_sof);
	free(copy);
	return found;
}

TEST(size_is_found_behind_other_markers)
{
	struct wan_sof sof;
	REQUIRE(find(plain, sizeof(plain), &sof));
	CHECK_EQ(sof.width_px, 1280);
	CHECK_EQ(sof.height_px, 720);
	CHECK_EQ(sof.components, 3);
	CHECK_EQ(sof.precision, 8);
	CHECK(!sof.progressive);
}

TEST(progressive_frames_are_told)
{
	uint8_t bytes[sizeof(plain)];
	struct wan_sof sof;
	memcpy(bytes, plain, sizeof(plain));
	for (unsigned marker = 0xc0; marker <= 0xcf; marker++) {
		bool is_frame = marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
		bytes[SOF_AT + 1] = (uint8_t)marker;
		CHECK_EQ(find(bytes, sizeof(bytes), &sof), is_frame);
		if (is_frame)
			CHECK_EQ(sof.progressive, (marker & 3) == 2);
	}
}

TEST(every_truncation_is_refused)
{
	struct wan_sof sof = {.width_px = 77};
	for (size_t count = 0; count < SOF_AT + 10; count++)
		CHECK(!find(plain, count, &sof));
	CHECK_EQ(sof.width_px, 77);
	CHECK(find(plain, SOF_AT + 10, &sof));
}

TEST(fill_bytes_are_skipped)
{
	uint8_t bytes[sizeof(plain) + 5000];
	struct wan_sof sof;
	memcpy(bytes, plain, SOF_AT);
	memset(bytes + SOF_AT, 0xff, 5000);
	memcpy(bytes + SOF_AT + 5000, plain + SOF_AT, sizeof(plain) - SOF_AT);
	REQUIRE(find(bytes, sizeof(bytes), &sof));
	CHECK_EQ(sof.width_px, 1280);
}

TEST(scan_or_end_before_a_frame_has_no_size)
{
	uint8_t bytes[sizeof(plain)];
	struct wan_sof sof;
	memcpy(bytes, plain, sizeof(plain));
	bytes[9] = 0xda;
	CHECK(!find(bytes, sizeof(bytes), &sof));
	bytes[9] = 0xd9;
	CHECK(!find(bytes, sizeof(bytes), &sof));
	CHECK(!find((const uint8_t *)"\x89PNG\r\n\x1a\n", 8, &sof));
	CHECK(!wan_sof_find(NULL, 100, &sof));
}

TEST(lengths_that_lead_nowhere_end)
{
	uint8_t bytes[sizeof(plain)];
	struct wan_sof sof;
	memcpy(bytes, plain, sizeof(plain));
	bytes[4] = bytes[5] = 0; /* shorter than itself: goes on behind it */
	find(bytes, sizeof(bytes), &sof);
	bytes[4] = bytes[5] = 0xff; /* past the end */
	CHECK(!find(bytes, sizeof(bytes), &sof));
	/* every byte flipped */
	for (size_t i = 0; i < sizeof(plain); i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(bytes, plain, sizeof(plain));
			bytes[i] ^= (uint8_t)(1u << bit);
			find(bytes, sizeof(bytes), &sof);
		}
}

TAP_MAIN
