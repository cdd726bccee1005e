/* SPDX-License-Identifier: MIT */
#include "budget.h"

#include <assert.h>
#include <errno.h>

#include "macros.h"

uint64_t wan_budget_used(const struct wan_budget *budget)
{
	return budget->stored_bytes + budget->in_flight_bytes + budget->dying_bytes;
}

uint64_t wan_budget_debt(const struct wan_budget *budget)
{
	uint64_t used = wan_budget_used(budget);
	return used > budget->limit_bytes ? used - budget->limit_bytes : 0;
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
	if (exceeds(budget, budget->evictable_bytes + ask->own_bytes, ask->bytes))
		return -EAGAIN;
	uint64_t staying = budget->counted - budget->evictable_counted - (ask->leaves ? 1 : 0);
	if (ask->counted && staying >= budget->entry_limit)
		return -EAGAIN;
	return 0;
}

bool wan_budget_short_of_bytes(const struct wan_budget *budget, const struct wan_budget_ask *ask)
{
	assert(ask->bytes <= budget->limit_bytes);
	return exceeds(budget, ask->own_bytes, ask->bytes);
}

bool wan_budget_short_of_entries(const struct wan_budget *budget, const struct wan_budget_ask *ask)
{
	return ask->counted && budget->counted >= budget->entry_limit;
}

uint64_t wan_budget_convert(struct wan_budget *budget, const struct wan_budget_ask *ask)
{
	uint64_t bytes = WAN_MIN(ask->own_bytes, ask->bytes);
	assert(bytes <= budget->dying_bytes);
	budget->dying_bytes -= bytes;
	return bytes;
}
