/* SPDX-License-Identifier: MIT */
#include "budget.h"

#include <assert.h>
#include <errno.h>

#include "macros.h"

uint64_t wan_budget_used(const struct wan_budget *budget)
{
	return budget->metadata_bytes + budget->stored_bytes + budget->in_flight_bytes +
	       budget->dying_bytes;
}

uint64_t wan_budget_debt(const struct wan_budget *budget)
{
	uint64_t used = wan_budget_used(budget);
	return used > budget->limit_bytes ? used - budget->limit_bytes : 0;
}

bool wan_budget_in_debt(const struct wan_budget *budget)
{
	return budget->metadata_bytes + budget->stored_bytes + budget->in_flight_bytes >
		       budget->limit_bytes ||
	       budget->counted > budget->entry_limit;
}

void wan_budget_set_pinned(struct wan_budget *budget, const struct wan_pinned *pinned)
{
	budget->pinned_bytes = pinned->bytes;
	budget->evictable_bytes = budget->indexed_bytes - pinned->indexed_bytes;
	budget->evictable_counted = budget->counted - pinned->counted;
}

/* used - gone + ask > limit, for an ask within the limit; also right while there is debt. */
static bool exceeds(const struct wan_budget *budget, uint64_t gone_bytes, uint64_t ask_bytes)
{
	return wan_budget_used(budget) - gone_bytes > budget->limit_bytes - ask_bytes;
}

int wan_budget_feasible(const struct wan_budget *budget, const struct wan_budget_ask *ask)
{
	if (ask->bytes > budget->limit_bytes)
		return -EFBIG;
	if (exceeds(budget, budget->evictable_bytes + budget->cold_bytes + ask->own_bytes,
		    ask->bytes))
		return -EAGAIN;
	uint64_t staying = budget->counted - budget->evictable_counted - (ask->leaves ? 1 : 0);
	if (ask->counted && staying >= budget->entry_limit)
		return -EAGAIN;
	return 0;
}

struct wan_budget_goal wan_budget_goal_of_ask(const struct wan_budget *budget,
					      const struct wan_budget_ask *ask)
{
	assert(ask->bytes <= budget->limit_bytes);
	return (struct wan_budget_goal){
		.bytes = wan_budget_used(budget) - ask->own_bytes,
		.bytes_max = budget->limit_bytes - ask->bytes,
		.counted = budget->counted,
		.counted_max = ask->counted ? budget->entry_limit - 1 : UINT64_MAX,
	};
}

/* Dying bytes, ours and others', are on their way out already. */
struct wan_budget_goal wan_budget_goal_of_target(const struct wan_budget *budget,
						 uint64_t target_bytes)
{
	return (struct wan_budget_goal){
		.bytes = budget->metadata_bytes + budget->stored_bytes + budget->in_flight_bytes,
		.bytes_max = target_bytes,
		.counted = budget->counted,
		.counted_max = budget->entry_limit,
	};
}

uint64_t wan_budget_convert(struct wan_budget *budget, const struct wan_budget_ask *ask)
{
	uint64_t bytes = WAN_MIN(ask->own_bytes, ask->bytes);
	assert(bytes <= budget->dying_bytes);
	budget->dying_bytes -= bytes;
	return bytes;
}
