/* SPDX-License-Identifier: MIT */
#include "redact.h"

#include <string.h>

#include "macros.h"
#include "str.h"

static inline uint64_t turn(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static void sip_rounds(uint64_t v[4], int rounds)
{
	while (rounds--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = turn(v[1], 13) ^ v[0];
		v[3] = turn(v[3], 16) ^ v[2];
		v[0] = turn(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = turn(v[1], 17) ^ v[2];
		v[3] = turn(v[3], 21) ^ v[0];
		v[2] = turn(v[2], 32);
	}
}

/* Constants and rounds of the paper: "somepseudorandomlygeneratedbytes"; 2 a word, 4 at the end. */
uint64_t wan_siphash(const uint64_t key[2], const void *bytes, size_t count)
{
	uint64_t v[4] = {
		key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
		key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)};
	const char *from = bytes;
	for (size_t at = 0; at <= count; at += 8) {
		size_t left = WAN_MIN(count - at, (size_t)8);
		uint64_t word = 0;
		memcpy(&word, from + at, left);
		if (left < 8)
			word |= (uint64_t)(count & 255) << 56; /* the last word has the length */
		v[3] ^= word;
		sip_rounds(v, 2);
		v[0] ^= word;
	}
	v[2] ^= 255;
	sip_rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* The ending of a picture, film or recording, with its dot; NULL for any other. Others stay hidden:
 * they may be part of a name. */
static const char *known_ending(const char *path)
{
	static const char *const endings[] = {".png",  ".jpg", ".jpeg", ".webp", ".bmp",  ".tif",
					      ".tiff", ".gif", ".avif", ".jxl",  ".heic", ".ppm",
					      ".pgm",  ".pnm", ".exr",  ".mp4",  ".webm", ".mkv",
					      ".mov",  ".avi", ".npy",  ".npz",  ".wprof"};
	const char *dot = strrchr(path, '.');
	for (size_t i = 0; dot && i < WAN_COUNT_OF(endings); i++)
		if (strcmp(dot, endings[i]) == 0)
			return endings[i];
	return NULL;
}

const char *wan_redact_path(char *to, const uint64_t key[2], const char *path)
{
	const char *ending = known_ending(path);
	wan_str_format(to, WAN_REDACTED_BYTES, "redacted-%016llx%s",
		       (unsigned long long)wan_siphash(key, path, strlen(path)),
		       ending ? ending : "");
	return to;
}

const char *wan_redact_text(char *to, const uint64_t key[2], const char *text)
{
	wan_str_format(to, WAN_REDACTED_BYTES, "redacted-%016llx",
		       (unsigned long long)wan_siphash(key, text, strlen(text)));
	return to;
}

bool wan_redact_is_identifier(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_.:+-";
	size_t length = strlen(text);
	return length <= 64 && strspn(text, letters) == length && !known_ending(text);
}
