/* SPDX-License-Identifier: MIT */
/* What a policy brings: one table of functions, see policy.h for what each has to do. */
#ifndef WAN_CACHE_POLICY_IMPL_H
#define WAN_CACHE_POLICY_IMPL_H

#include "policy.h"

struct wan_policy_ops {
	void (*destroy)(struct wan_policy *policy);
	int (*reserve)(struct wan_policy *policy, uint32_t count);
	void (*set_limits)(struct wan_policy *policy, uint64_t limit_bytes, uint64_t entry_limit);
	void (*missed)(struct wan_policy *policy, struct wan_key key); /* NULL: does not care */
	void (*inserted)(struct wan_policy *policy, uint32_t slot,
			 const struct wan_policy_entry *entry);
	void (*used)(struct wan_policy *policy, uint32_t slot);
	void (*removed)(struct wan_policy *policy, uint32_t slot, bool evicted);
	void (*begin)(struct wan_policy *policy, bool counted_only);
	uint32_t (*next)(struct wan_policy *policy);
	uint64_t (*bytes)(const struct wan_policy *policy);
};

/* First member of each policy. */
struct wan_policy {
	const struct wan_policy_ops *ops;
};

/* 0, -ENOMEM. */
int wan_policy_create_gdsf(struct wan_policy **ret_policy);
int wan_policy_create_s3fifo(struct wan_policy **ret_policy);
int wan_policy_create_auto(uint64_t limit_bytes, uint64_t entry_limit,
			   struct wan_policy **ret_policy);

/* Hints come before any ranking: SCAN goes first, PIN last. */
enum wan_policy_band { WAN_BAND_SCAN, WAN_BAND_ORDINARY, WAN_BAND_PIN };

static inline enum wan_policy_band wan_policy_band(uint32_t flags)
{
	if (flags & WAN_CACHE_PIN)
		return WAN_BAND_PIN;
	return flags & WAN_CACHE_SCAN ? WAN_BAND_SCAN : WAN_BAND_ORDINARY;
}

/* Keys may be anything the caller likes: both words are mixed. */
static inline uint64_t wan_policy_hash(struct wan_key key)
{
	uint64_t hash = key.words[0] * 0x9e3779b97f4a7c15u ^ key.words[1];
	hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93u;
	return hash ^ hash >> 32;
}

/* Room to grow into, so that many small steps do not copy again and again. */
static inline uint32_t wan_policy_grown(uint32_t capacity, uint32_t count)
{
	uint64_t grown = (uint64_t)capacity + capacity / 4;
	return grown > count && grown < INT32_MAX ? (uint32_t)grown : count;
}

/* What an entry saves when it is found. A cost nobody knows is taken for the mean of the known. */
struct wan_policy_costs {
	double mean_ns; /* 0: none known yet */
};

static inline float wan_policy_cost(struct wan_policy_costs *costs, uint64_t cost_ns)
{
	if (!cost_ns)
		return costs->mean_ns > 0 ? (float)costs->mean_ns : 1;
	costs->mean_ns += ((double)cost_ns - costs->mean_ns) * (costs->mean_ns > 0 ? 0.01 : 1);
	return (float)cost_ns;
}

#endif
