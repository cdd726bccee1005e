/* SPDX-License-Identifier: MIT */
/*
 * Damage checks of the recording: for flipped bits and torn writes, not against an enemy. Products
 * of pairs of words are independent of each other, so a record's check costs about 4 ns where a
 * chain of seven multiplications costs 8 and a table of CRC32C 25.
 */
#ifndef WAN_RECORD_CHECK_H
#define WAN_RECORD_CHECK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "layout.h"

/* Fractional bits of the square roots of small primes: no structure in common with the data. */
#define WAN_CHECK_KEY_0 0x6a09e667f3bcc908u
#define WAN_CHECK_KEY_1 0xbb67ae8584caa73bu
#define WAN_CHECK_KEY_2 0x3c6ef372fe94f82bu
#define WAN_CHECK_KEY_3 0xa54ff53a5f1d36f1u
#define WAN_CHECK_KEY_4 0x510e527fade682d1u
#define WAN_CHECK_KEY_5 0x9b05688c2b3e6c1fu
#define WAN_CHECK_KEY_6 0x1f83d9abfb41bd6bu
#define WAN_CHECK_KEY_7 0x5be0cd19137e2179u

static inline uint64_t wan_check_pair(uint64_t a, uint64_t b)
{
	__uint128_t product = (__uint128_t)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Of a record's words 1 to 7 and its seal. */
static inline uint32_t wan_record_check_words(const uint64_t words[8], uint32_t seal)
{
	uint64_t sum = wan_check_pair(words[1] ^ WAN_CHECK_KEY_1, words[2] ^ WAN_CHECK_KEY_2) +
		       wan_check_pair(words[3] ^ WAN_CHECK_KEY_3, words[4] ^ WAN_CHECK_KEY_4) +
		       wan_check_pair(words[5] ^ WAN_CHECK_KEY_5, words[6] ^ WAN_CHECK_KEY_6) +
		       wan_check_pair(words[7] ^ WAN_CHECK_KEY_7, seal ^ WAN_CHECK_KEY_0);
	return (uint32_t)(sum ^ sum >> 32);
}

/* Of a whole record as it lies in a chunk. */
static inline uint32_t wan_record_check(const void *record)
{
	uint64_t words[8];
	memcpy(words, record, sizeof(words));
	return wan_record_check_words(words, (uint32_t)words[0]);
}

/* Of any block; an odd last word is paired with nothing. sum: of what came before, or a seed. */
static inline uint64_t wan_record_sum(const void *block, size_t bytes, uint64_t sum)
{
	const char *at = block;
	for (; bytes >= 16; bytes -= 16, at += 16) {
		uint64_t words[2];
		memcpy(words, at, sizeof(words));
		sum = (sum << 7 | sum >> 57) +
		      wan_check_pair(words[0] ^ WAN_CHECK_KEY_1, words[1] ^ WAN_CHECK_KEY_2);
	}
	if (bytes >= 8) {
		uint64_t word;
		memcpy(&word, at, sizeof(word));
		sum = (sum << 7 | sum >> 57) +
		      wan_check_pair(word ^ WAN_CHECK_KEY_3, WAN_CHECK_KEY_4);
	}
	return sum;
}

static inline uint32_t wan_record_sum32(uint64_t sum)
{
	return (uint32_t)(sum ^ sum >> 32);
}

static inline uint64_t wan_record_chunk_check(uint32_t lane, uint32_t unit)
{
	return wan_check_pair(lane ^ WAN_CHECK_KEY_5, unit ^ WAN_CHECK_KEY_6);
}

/* Tells a unit of sums from a chunk of records even when its magic is damaged. */
static inline uint64_t wan_record_sums_check(uint32_t lane, uint32_t unit)
{
	return wan_record_chunk_check(lane, ~unit);
}

static inline uint64_t wan_record_latency_check(uint32_t block, uint32_t unit)
{
	return wan_record_chunk_check(~block, ~unit);
}

/* Over the constant identity of a recording. */
static inline uint64_t wan_record_header_check(const struct wan_record_header *header)
{
	uint64_t words[8] = {
		header->magic,
		header->version | (uint64_t)header->endian << 32,
		header->header_bytes | (uint64_t)header->record_bytes << 32,
		header->role | (uint64_t)header->pid << 32,
		header->pid_start_ticks,
		header->capacity,
	};
	memcpy(&words[6], header->run_id, sizeof(header->run_id));
	return wan_record_sum(words, sizeof(words), WAN_CHECK_KEY_7);
}

static inline uint64_t wan_record_anchor_seal(const struct wan_record_anchor *anchor,
					      uint32_t sequence)
{
	uint64_t sum = wan_record_sum(anchor, offsetof(struct wan_record_anchor, seal), sequence);
	return sequence | (uint64_t)wan_record_sum32(sum) << 32;
}

/* Only the entries in use count, so that a fold of a program with few kinds of work is cheap. */
static inline uint32_t wan_record_fold_check(const struct wan_record_fold *fold)
{
	uint64_t sum = fold->generation ^ (uint64_t)fold->aggregate_count << 32 ^ fold->slow_count;
	sum = wan_record_sum(fold, offsetof(struct wan_record_fold, check), sum);
	sum = wan_record_sum(fold->aggregates, fold->aggregate_count * sizeof(fold->aggregates[0]),
			     sum);
	sum = wan_record_sum(fold->slowest, fold->slow_count * sizeof(fold->slowest[0]), sum);
	sum = wan_record_sum(fold->failed, fold->failed_count * sizeof(fold->failed[0]), sum);
	return wan_record_sum32(sum);
}

#endif
