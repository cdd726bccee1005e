/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "exif.h"
#include "files.h"
#include "tap.h"

static const uint8_t big[] = "MM\0*\0\0\0\x08\0\x02\x01\0\0\3\0\0\0\1\0\x50\0\0"
			     "\x01\x12\0\x03\0\0\0\x01\0\6\0\0";
static const uint8_t little[] = "II*\0\x08\0\0\0\2\0\0\1\4\0\1\0\0\0\x50\0\0\0"
				"\x12\1\3\0\1\0\0\0\6\0\0\0";

TEST(both_byte_orders_are_read)
{
	CHECK_EQ(wan_exif_orientation(big, sizeof(big) - 1), 6);
	CHECK_EQ(wan_exif_orientation(little, sizeof(little) - 1), 6);
}

TEST(a_block_cut_anywhere_or_flipped_anywhere_is_harmless)
{
	for (size_t count = 0; count < sizeof(big); count++) {
		struct bytes part = bytes_exact(big, count);
		uint8_t turn = wan_exif_orientation(part.at, count);
		CHECK_EQ(turn, count >= sizeof(big) - 1 ? 6 : 1);
		bytes_free(&part);
	}
	for (size_t i = 0; i < sizeof(little) - 1; i++) {
		for (int value = 0; value < 256; value += 5) {
			struct bytes copy = bytes_exact(little, sizeof(little) - 1);
			copy.at[i] = (uint8_t)value;
			uint8_t turn = wan_exif_orientation(copy.at, copy.count);
			CHECK(turn >= 1 && turn <= 8);
			bytes_free(&copy);
		}
	}
}

TEST(values_outside_1_to_8_count_as_upright)
{
	uint8_t copy[sizeof(big)];
	memcpy(copy, big, sizeof(big));
	for (int value = 0; value < 256; value++) {
		copy[31] = (uint8_t)value;
		CHECK_EQ(wan_exif_orientation(copy, sizeof(big) - 1),
			 value >= 1 && value <= 8 ? value : 1);
	}
}

TEST(sizes_need_both_tags)
{
	static const uint8_t tiff[] = "II*\0\x08\0\0\0\2\0\0\1\3\0\1\0\0\0\x20\3\0\0"
				      "\1\1\4\0\1\0\0\0\xe0\1\0\0";
	uint32_t width = 0, height = 0;
	CHECK_EQ(wan_tiff_size(tiff, sizeof(tiff) - 1, &width, &height), 0);
	CHECK_EQ(width, 800);
	CHECK_EQ(height, 480);
	CHECK_EQ(wan_tiff_size(big, sizeof(big) - 1, &width, &height), -ENOENT);
	CHECK_EQ(wan_exif_orientation((const uint8_t *)"garbage garbage", 15), 1);
}

TAP_MAIN
