/* SPDX-License-Identifier: MIT */
#include "hash.h"

#include "tap.h"

TEST(xxh3_gives_its_published_values)
{
	CHECK_EQ(wan_hash64("", 0, 0), 0x2d06800538d394c2);
	CHECK_EQ(wan_hash64(NULL, 0, 0), 0x2d06800538d394c2);
	struct wan_hash128 empty = wan_hash128(NULL, 0, 0);
	CHECK_EQ(empty.low, 0x6001c324468d497f);
	CHECK_EQ(empty.high, 0x99aa06d3014798d8);
}

TEST(seed_length_and_every_byte_count)
{
	char text[300] = "start image";
	uint64_t plain = wan_hash64(text, sizeof(text), 0);
	CHECK(plain != wan_hash64(text, sizeof(text), 1));
	CHECK(plain != wan_hash64(text, sizeof(text) - 1, 0));
	for (size_t i = 0; i < sizeof(text); i++) {
		text[i] ^= 1;
		if (wan_hash64(text, sizeof(text), 0) == plain)
			CHECK(!"a changed byte did not change the hash");
		text[i] ^= 1;
	}
	CHECK_EQ(wan_hash64(text, sizeof(text), 0), plain);
}

TEST(the_mix_sees_every_flipped_bit_of_a_record)
{
	uint64_t words[7] = {1, 2, 3, 4, 5, 6, 7};
	uint32_t plain = wan_mix32(words, 7, 42);
	unsigned missed = 0;
	for (unsigned bit = 0; bit < 7 * 64; bit++) {
		words[bit / 64] ^= 1ull << bit % 64;
		missed += wan_mix32(words, 7, 42) == plain;
		words[bit / 64] ^= 1ull << bit % 64;
	}
	CHECK_EQ(missed, 0);
	CHECK(wan_mix32(words, 7, 43) != plain);
	CHECK(wan_mix32(words, 6, 42) != plain);
}

TEST(the_mix_sees_two_words_changed_places)
{
	uint64_t words[2] = {0x1111, 0x2222}, swapped[2] = {0x2222, 0x1111};
	CHECK(wan_mix32(words, 2, 0) != wan_mix32(swapped, 2, 0));
}

TAP_MAIN
