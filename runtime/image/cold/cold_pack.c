/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <string.h>

#include "cold_pack.h"
#include "cpu.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Sixteen bytes at once on any processor; the compiler knows the instructions. */
typedef uint8_t bytes_t __attribute__((vector_size(16)));
typedef int8_t signed_t __attribute__((vector_size(16)));
typedef uint64_t words_t __attribute__((vector_size(16)));

#define EVERY_2(x)  ((uint64_t)(x)*0x0001000100010001u)
#define EVERY_4(x)  ((uint64_t)(x)*0x0000000100000001u)
#define BITS(count) (((uint64_t)1 << (count)) - 1)
#define PAIR(word)                                                                                 \
	{                                                                                          \
		(word), (word)                                                                     \
	}
#define HIGH_BIT(w) ((w) ? (uint64_t)1 << ((w)-1) : 0)
#define EVERY_1(x)  ((uint64_t)(x)*0x0101010101010101u)

/*
 * Eight samples of w bits spread out to bytes by halving three times: the upper half of 8w bits
 * moves to bit 32, of each 4w to bit 16, of each 2w to bit 8; then the sign fills the byte.
 */
struct spread {
	words_t low4, high4, low2, high2, low1, high1, sign;
	uint32_t shift4, shift2, shift1;
};

#define SPREAD(w)                                                                                  \
	{                                                                                          \
		PAIR(BITS(4 * (w))), PAIR(BITS(4 * (w)) << 32), PAIR(EVERY_4(BITS(2 * (w)))),      \
			PAIR(EVERY_4(BITS(2 * (w))) << 16), PAIR(EVERY_2(BITS(w))),                \
			PAIR(EVERY_2(BITS(w)) << 8), PAIR(EVERY_1(HIGH_BIT(w))), 32 - 4 * (w),     \
			16 - 2 * (w), 8 - (w)                                                      \
	}

/* 9 to 15 do not occur in what was packed here; damaged bytes may have them. */
static const struct spread spreads[16] = {
	SPREAD(0), SPREAD(1), SPREAD(2), SPREAD(3), SPREAD(4), SPREAD(5), SPREAD(6), SPREAD(7),
	SPREAD(8), SPREAD(8), SPREAD(8), SPREAD(8), SPREAD(8), SPREAD(8), SPREAD(8), SPREAD(8),
};

static inline uint64_t load_word(const uint8_t *at)
{
	uint64_t word;
	memcpy(&word, at, sizeof(word));
	return word;
}

static inline bytes_t load_bytes(const uint8_t *at)
{
	bytes_t bytes;
	memcpy(&bytes, at, sizeof(bytes));
	return bytes;
}

/* Bits that a group needs: all its differences as signed numbers. */
static inline unsigned width_of(bytes_t difference)
{
	words_t any = (words_t)difference;
	words_t magnitude = (words_t)(difference ^ (bytes_t)((signed_t)difference < 0));
	if (!(any[0] | any[1]))
		return 0;
	uint64_t bits = magnitude[0] | magnitude[1];
	bits |= bits >> 32;
	bits |= bits >> 16;
	bits = (bits | bits >> 8) & 0xff;
	return bits ? 65 - (unsigned)__builtin_clzll(bits) : 1;
}

/* The inverse of spreading: eight bytes to the lowest 8w bits. */
static inline uint64_t gather(uint64_t word, unsigned w)
{
	word &= EVERY_1(BITS(w));
	word = (word & EVERY_2(0xff)) | (word >> (8 - w) & EVERY_2(0xff00u >> (8 - w)));
	word = (word & EVERY_4(0xffff)) |
	       (word >> (16 - 2 * w) & EVERY_4(0xffff0000u >> (16 - 2 * w)));
	return (word & 0xffffffffu) | word >> 32 << 4 * w;
}

size_t wan_pack_row(const uint8_t *row, uint8_t *above, size_t count, uint8_t *out)
{
	size_t groups = wan_pack_line_bytes(count) / WAN_PACK_GROUP;
	uint8_t *widths = out, *at = out + groups / 2;

	for (size_t i = 0; i < groups; i++, row += WAN_PACK_GROUP, above += WAN_PACK_GROUP) {
		bytes_t here = load_bytes(row), difference = here - load_bytes(above);
		memcpy(above, &here, sizeof(here));
		unsigned w = width_of(difference);
		words_t words = (words_t)difference;
		uint64_t low = gather(words[0], w), high = gather(words[1], w);
		memcpy(at, &low, 8);
		memcpy(at + w, &high, 8);
		at += 2 * w;
		if (i % 2)
			widths[i / 2] |= (uint8_t)(w << 4);
		else
			widths[i / 2] = (uint8_t)w;
	}
	return (size_t)(at - out);
}

static inline void unpack_group(const uint8_t *in, unsigned w, uint8_t *line)
{
	const struct spread *s = &spreads[w];
	words_t x = {load_word(in), load_word(in + w)};
	x = (x & s->low4) | (x << s->shift4 & s->high4);
	x = (x & s->low2) | (x << s->shift2 & s->high2);
	x = (x & s->low1) | (x << s->shift1 & s->high1);
	bytes_t sum = (bytes_t)(x ^ s->sign) - (bytes_t)s->sign + load_bytes(line);
	memcpy(line, &sum, sizeof(sum));
}

static size_t unpack_plain(const uint8_t *in, uint8_t *line, size_t pairs)
{
	const uint8_t *at = in + pairs;
	for (size_t i = 0; i < pairs; i++, line += 2 * WAN_PACK_GROUP) {
		unsigned first = in[i] & 15, second = in[i] >> 4;
		unpack_group(at, first, line);
		at += 2 * first;
		unpack_group(at, second, line + WAN_PACK_GROUP);
		at += 2 * second;
	}
	return (size_t)(at - in);
}

#if defined(__x86_64__)
/* Each sample has its two bytes in a 16-bit lane, is shifted to the top and back down with its
 * sign: the shift that differs between lanes is a multiplication. */
struct lanes {
	uint8_t bytes[32];
	uint16_t factor[16];
	uint64_t down[2];
};

#define LANE_AT(w, i)     ((i) * (w) / 8)
#define LANE_NEXT(w, i)   (LANE_AT(w, i) + 1 < 16 ? LANE_AT(w, i) + 1 : 0x80)
#define LANE_BYTES(w, i)  LANE_AT(w, i), LANE_NEXT(w, i)
#define LANE_FACTOR(w, i) (uint16_t)((w) ? 1u << (16 - (w) - (i) * (w) % 8) : 0)
#define EACH_LANE(OF, w)                                                                           \
	OF(w, 0), OF(w, 1), OF(w, 2), OF(w, 3), OF(w, 4), OF(w, 5), OF(w, 6), OF(w, 7), OF(w, 8),  \
		OF(w, 9), OF(w, 10), OF(w, 11), OF(w, 12), OF(w, 13), OF(w, 14), OF(w, 15)
#define LANES(w)                                                                                   \
	{                                                                                          \
		{EACH_LANE(LANE_BYTES, w)}, {EACH_LANE(LANE_FACTOR, w)},                           \
		{                                                                                  \
			16 - (w), 0                                                                \
		}                                                                                  \
	}

static const struct lanes lanes[16] = {
	LANES(0), LANES(1), LANES(2), LANES(3), LANES(4), LANES(5), LANES(6), LANES(7),
	LANES(8), LANES(8), LANES(8), LANES(8), LANES(8), LANES(8), LANES(8), LANES(8),
};

WAN_TARGET_AVX2 static inline __m256i unpack_lanes(const uint8_t *in, unsigned w)
{
	const struct lanes *l = &lanes[w];
	__m256i x = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)in));
	x = _mm256_shuffle_epi8(x, _mm256_loadu_si256((const __m256i *)l->bytes));
	x = _mm256_mullo_epi16(x, _mm256_loadu_si256((const __m256i *)l->factor));
	return _mm256_sra_epi16(x, _mm_loadu_si128((const __m128i *)l->down));
}

WAN_TARGET_AVX2 static size_t unpack_avx2(const uint8_t *in, uint8_t *line, size_t pairs)
{
	const uint8_t *at = in + pairs;
	for (size_t i = 0; i < pairs; i++, line += 2 * WAN_PACK_GROUP) {
		unsigned first = in[i] & 15, second = in[i] >> 4;
		__m256i a = unpack_lanes(at, first);
		at += 2 * first;
		__m256i b = unpack_lanes(at, second);
		at += 2 * second;
		__m256i both = _mm256_permute4x64_epi64(_mm256_packs_epi16(a, b), 0xd8);
		__m256i above = _mm256_loadu_si256((const __m256i *)line);
		_mm256_storeu_si256((__m256i *)line, _mm256_add_epi8(both, above));
	}
	return (size_t)(at - in);
}
#endif

static bool suffices(const uint8_t *in, const uint8_t *end, size_t pairs)
{
	size_t there = (size_t)(end - in), needed = pairs;
	if (there >= pairs * (1 + 2 * 2 * 15))
		return true;
	if (there < pairs)
		return false;
	for (size_t i = 0; i < pairs; i++)
		needed += 2 * ((in[i] & 15) + (in[i] >> 4));
	return needed <= there;
}

size_t wan_unpack_row(const uint8_t *in, const uint8_t *end, uint8_t *line, size_t count)
{
	size_t pairs = wan_pack_line_bytes(count) / WAN_PACK_LINE;
	if (!suffices(in, end, pairs))
		return 0;
#if defined(__x86_64__)
	if (wan_cpu_level() >= WAN_CPU_AVX2)
		return unpack_avx2(in, line, pairs);
#endif
	return unpack_plain(in, line, pairs);
}
