/* SPDX-License-Identifier: MIT */
/* Hands each call to the policy chosen. */
#include <errno.h>

#include "policy_impl.h"

int wan_policy_create(enum wan_cache_policy which, uint64_t limit_bytes, uint64_t entry_limit,
		      struct wan_policy **ret_policy)
{
	switch (which) {
	case WAN_CACHE_AUTO:
		return wan_policy_create_auto(limit_bytes, entry_limit, ret_policy);
	case WAN_CACHE_GDSF:
		return wan_policy_create_gdsf(ret_policy);
	case WAN_CACHE_S3FIFO:
		return wan_policy_create_s3fifo(ret_policy);
	case WAN_CACHE_LRU:
		break;
	}
	return -EINVAL;
}

void wan_policy_destroy(struct wan_policy *policy)
{
	if (policy)
		policy->ops->destroy(policy);
}

int wan_policy_reserve(struct wan_policy *policy, uint32_t count)
{
	return policy->ops->reserve(policy, count);
}

void wan_policy_set_limits(struct wan_policy *policy, uint64_t limit_bytes, uint64_t entry_limit)
{
	if (policy->ops->set_limits)
		policy->ops->set_limits(policy, limit_bytes, entry_limit);
}

void wan_policy_missed(struct wan_policy *policy, struct wan_key key)
{
	if (policy->ops->missed)
		policy->ops->missed(policy, key);
}

void wan_policy_inserted(struct wan_policy *policy, uint32_t slot,
			 const struct wan_policy_entry *entry)
{
	policy->ops->inserted(policy, slot, entry);
}

void wan_policy_used(struct wan_policy *policy, uint32_t slot)
{
	policy->ops->used(policy, slot);
}

void wan_policy_removed(struct wan_policy *policy, uint32_t slot, bool evicted)
{
	policy->ops->removed(policy, slot, evicted);
}

void wan_policy_begin(struct wan_policy *policy, bool counted_only)
{
	policy->ops->begin(policy, counted_only);
}

uint32_t wan_policy_next(struct wan_policy *policy)
{
	return policy->ops->next(policy);
}

uint64_t wan_policy_bytes(const struct wan_policy *policy)
{
	return policy->ops->bytes(policy);
}
