/* SPDX-License-Identifier: MIT */
/* XXH3 (inlined from xxhash.h) and the small mix used to seal records. */
#ifndef WAN_BASE_HASH_H
#define WAN_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct wan_hash128 {
	uint64_t low, high;
};

uint64_t wan_hash64(const void *bytes, size_t count, uint64_t seed);
struct wan_hash128 wan_hash128(const void *bytes, size_t count, uint64_t seed);

/* Damage check of count 8-byte words: multiply and fold; not for hostile input. */
static inline uint32_t wan_mix32(const uint64_t *words, size_t count, uint64_t seed)
{
	uint64_t sum = seed ^ 0x9e3779b97f4a7c15u;
	for (size_t i = 0; i < count; i++) {
		__uint128_t product = (__uint128_t)(sum ^ words[i]) * 0xd6e8feb86659fd93u;
		sum = (uint64_t)product ^ (uint64_t)(product >> 64);
	}
	return (uint32_t)(sum ^ sum >> 32);
}

#endif
