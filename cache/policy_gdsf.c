/* SPDX-License-Identifier: MIT */
/*
 * GreedyDual-Size with frequency (Cherkasova 1998): the rank of an entry is what its uses saved for
 * each byte, on top of the rank of the last one evicted when it was used last; so everything that
 * is not used again is overtaken in time.
 */
#include <errno.h>
#include <string.h>

#include "alloc.h"
#include "policy_impl.h"
#include "ranking.h"

struct gdsf_slot {
	float value; /* cost for each byte */
	uint32_t uses;
	uint8_t band;
	bool counted;
};

struct gdsf {
	struct wan_policy policy;
	struct wan_ranking ranking; /* by slot */
	struct gdsf_slot *slots;
	uint32_t capacity, clock;
	double age; /* rank of the last one evicted */
	struct wan_policy_costs costs;
};

/* Doubles from 0 up are ordered as the integers of their bits; two bits make room for the band. */
static uint64_t rank_of(enum wan_policy_band band, double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof(bits));
	return (uint64_t)band << 62 | bits >> 2;
}

static double value_of_rank(uint64_t rank)
{
	uint64_t bits = rank << 2;
	double value;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

static void rank_slot(struct gdsf *gdsf, uint32_t slot)
{
	const struct gdsf_slot *entry = &gdsf->slots[slot];
	double value = gdsf->age + (double)entry->uses * (double)entry->value;
	wan_ranking_put(&gdsf->ranking, slot, entry->counted, rank_of(entry->band, value),
			gdsf->clock++);
}

static void gdsf_inserted(struct wan_policy *policy, uint32_t slot,
			  const struct wan_policy_entry *entry)
{
	struct gdsf *gdsf = (struct gdsf *)policy;
	double bytes = entry->charge_bytes ? (double)entry->charge_bytes : 1;
	gdsf->slots[slot] = (struct gdsf_slot){
		.value = (float)((double)wan_policy_cost(&gdsf->costs, entry->cost_ns) / bytes),
		.uses = 1,
		.band = wan_policy_band(entry->flags),
		.counted = entry->counted,
	};
	rank_slot(gdsf, slot);
}

static void gdsf_used(struct wan_policy *policy, uint32_t slot)
{
	struct gdsf *gdsf = (struct gdsf *)policy;
	struct gdsf_slot *entry = &gdsf->slots[slot];
	entry->uses++;
	if (entry->band == WAN_BAND_SCAN)
		entry->band = WAN_BAND_ORDINARY;
	rank_slot(gdsf, slot);
}

static void gdsf_removed(struct wan_policy *policy, uint32_t slot, bool evicted)
{
	struct gdsf *gdsf = (struct gdsf *)policy;
	if (evicted && gdsf->slots[slot].band == WAN_BAND_ORDINARY) {
		double value =
			value_of_rank(gdsf->ranking.ranks[slot].rank & (((uint64_t)1 << 62) - 1));
		if (value > gdsf->age)
			gdsf->age = value;
	}
	wan_ranking_remove(&gdsf->ranking, slot);
}

static void gdsf_begin(struct wan_policy *policy, bool counted_only)
{
	wan_ranking_begin(&((struct gdsf *)policy)->ranking, counted_only);
}

static uint32_t gdsf_next(struct wan_policy *policy)
{
	return wan_ranking_next(&((struct gdsf *)policy)->ranking);
}

static int gdsf_reserve(struct wan_policy *policy, uint32_t count)
{
	struct gdsf *gdsf = (struct gdsf *)policy;
	if (count <= gdsf->capacity)
		return 0;
	count = wan_policy_grown(gdsf->capacity, count);
	int rc = wan_ranking_reserve(&gdsf->ranking, count);
	if (rc < 0)
		return rc;
	struct gdsf_slot *slots = wan_realloc_array(gdsf->slots, count, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	gdsf->slots = slots;
	gdsf->capacity = count;
	return 0;
}

static uint64_t gdsf_bytes(const struct wan_policy *policy)
{
	const struct gdsf *gdsf = (const struct gdsf *)policy;
	return sizeof(*gdsf) + gdsf->capacity * sizeof(*gdsf->slots) +
	       gdsf->ranking.capacity * WAN_RANKING_ID_BYTES;
}

static void gdsf_destroy(struct wan_policy *policy)
{
	struct gdsf *gdsf = (struct gdsf *)policy;
	wan_ranking_finish(&gdsf->ranking);
	wan_free(gdsf->slots);
	wan_free(gdsf);
}

int wan_policy_create_gdsf(struct wan_policy **ret_policy)
{
	static const struct wan_policy_ops ops = {
		.destroy = gdsf_destroy,
		.reserve = gdsf_reserve,
		.inserted = gdsf_inserted,
		.used = gdsf_used,
		.removed = gdsf_removed,
		.begin = gdsf_begin,
		.next = gdsf_next,
		.bytes = gdsf_bytes,
	};
	struct gdsf *gdsf = wan_calloc(1, sizeof(*gdsf));
	if (!gdsf)
		return -ENOMEM;
	gdsf->policy.ops = &ops;
	*ret_policy = &gdsf->policy;
	return 0;
}
