/* SPDX-License-Identifier: MIT */
#include "hash.h"

#define XXH_INLINE_ALL /* no dependency at run time, no symbol of another name */
#include <xxhash.h>

uint64_t wan_hash64(const void *bytes, size_t count, uint64_t seed)
{
	return XXH3_64bits_withSeed(count ? bytes : "", count, seed);
}

struct wan_hash128 wan_hash128(const void *bytes, size_t count, uint64_t seed)
{
	XXH128_hash_t hash = XXH3_128bits_withSeed(count ? bytes : "", count, seed);
	return (struct wan_hash128){.low = hash.low64, .high = hash.high64};
}
