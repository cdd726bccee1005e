/* SPDX-License-Identifier: MIT */
#include "redact.h"

#include <string.h>

#include "tap.h"

/* The vectors of the paper's appendix: key 00 01 .. 0f, input 00 01 .. (n - 1). */
TEST(the_hash_is_siphash)
{
	static const struct {
		size_t count;
		uint64_t hash;
	} vectors[] = {{0, 0x726fdb47dd0e0e31u},  {1, 0x74f839c593dc67fdu},
		       {7, 0xab0200f58b01d137u},  {8, 0x93f5f5799a932462u},
		       {15, 0xa129ca6149be45e5u}, {63, 0x958a324ceb064572u}};
	static const uint64_t key[2] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
	unsigned char input[64];
	for (unsigned i = 0; i < sizeof(input); i++)
		input[i] = (unsigned char)i;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		CHECK_EQ(wan_siphash(key, input, vectors[i].count), vectors[i].hash);
}

static const uint64_t key[2] = {1, 2}, other[2] = {1, 3};

TEST(a_path_keeps_nothing_but_the_ending_of_a_picture)
{
	char one[WAN_REDACTED_BYTES], two[WAN_REDACTED_BYTES];
	wan_redact_path(one, key, "/home/person/secret.jpeg");
	CHECK_EQ(strlen(one), strlen("redacted-0123456789abcdef.jpeg"));
	CHECK_STR(one + 25, ".jpeg");
	CHECK_STR(wan_redact_path(two, key, "/home/person/secret.jpeg"), one);
	CHECK(strcmp(wan_redact_path(two, other, "/home/person/secret.jpeg"), one) != 0);
	CHECK_EQ(strlen(wan_redact_path(one, key, "/home/john.doe")), 25);
	CHECK_EQ(strlen(wan_redact_path(one, key, "")), 25);
}

TEST(names_of_operations_are_identifiers_and_others_are_not)
{
	static const char *const identifiers[] = {
		"jpeg.decode", "thumbnail_256x256", "cuda.memcpy_h2d", "image_validation", "",
		"2.1.5",       "libjpeg-turbo"};
	static const char *const others[] = {"/home/person",
					     "a b",
					     "secret.png",
					     "x/y",
					     "caf\xc3\xa9",
					     "a\nb",
					     "%s",
					     "0123456789012345678901234567890123456789012345678901"
					     "2345678901234"};
	for (size_t i = 0; i < sizeof(identifiers) / sizeof(identifiers[0]); i++)
		CHECK(wan_redact_is_identifier(identifiers[i]));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		CHECK(!wan_redact_is_identifier(others[i]));
}

TAP_MAIN
