/* SPDX-License-Identifier: MIT */
#include "tier_judge.h"

#include "macros.h"

/* Before anything was measured: figures of packed pictures, on the careful side. */
#define FIRST_RATIO          0.4
#define FIRST_FREEZE_NS_BYTE 1.0
#define FIRST_THAW_NS_BYTE   0.25
/* Of a thaw however small: a lock, a wake-up, a buffer. */
#define THAW_FIXED_NS 5000u
/* A new measurement's weight in a running mean. */
#define WEIGHT 0.125
/* Fates remembered; then old ones count half. */
#define FATES 512
/* Thawing has to save at least half of the time. */
#define GAIN_FACTOR 2
#define EXPLORE     16
/* Bounds and steps of the share; on the pipeline model more than half gains nothing. */
#define SHARE_FIRST   (1.0 / 8)
#define SHARE_CAREFUL (1.0 / 32)
#define SHARE_LEAST   (1.0 / 64)
#define SHARE_MOST    0.5
#define SHARE_GROWS   1.19 /* doubles in four windows of evictions */
/* Windows without cold values after the least share has lost too; doubled each time it does again.
 */
#define REST_FIRST 4
#define REST_MOST  64

void wan_tier_judge_init(struct wan_tier_judge *judge, bool careful)
{
	*judge = (struct wan_tier_judge){
		.ratio = FIRST_RATIO,
		.freeze_ns_per_byte = FIRST_FREEZE_NS_BYTE,
		.thaw_ns_per_byte = FIRST_THAW_NS_BYTE,
		.share = careful ? SHARE_CAREFUL : SHARE_FIRST,
	};
}

uint64_t wan_tier_thaw_ns(const struct wan_tier_judge *judge, uint64_t bytes)
{
	return THAW_FIXED_NS + (uint64_t)((double)bytes * judge->thaw_ns_per_byte);
}

uint64_t wan_tier_freeze_ns(const struct wan_tier_judge *judge, uint64_t bytes)
{
	return (uint64_t)((double)bytes * judge->freeze_ns_per_byte);
}

uint64_t wan_tier_cold_bytes(const struct wan_tier_judge *judge, uint64_t bytes)
{
	/* A quarter more: pictures differ. Never more than would be worth it. */
	uint64_t expected = (uint64_t)((double)bytes * judge->ratio * 1.25) + 1024;
	return WAN_MIN(expected, bytes - bytes / 6);
}

static unsigned uses_class(uint32_t uses)
{
	return uses >= WAN_TIER_USES ? WAN_TIER_USES - 1 : uses ? uses - 1 : 0;
}

static unsigned size_class(uint64_t bytes)
{
	return bytes <= 256 * WAN_KIB ? 0 : bytes <= 4 * WAN_MIB ? 1 : 2;
}

double wan_tier_reuse(const struct wan_tier_judge *judge, const struct wan_tier_offer *offer)
{
	unsigned uses = uses_class(offer->uses), size = size_class(offer->bytes);
	return (judge->asked[uses][size] + 1) / (judge->decided[uses][size] + 2);
}

enum wan_tier_verdict wan_tier_admit(struct wan_tier_judge *judge,
				     const struct wan_tier_offer *offer)
{
	uint64_t thaw_ns = wan_tier_thaw_ns(judge, offer->bytes);
	if (offer->cost_ns < GAIN_FACTOR * thaw_ns)
		return WAN_TIER_CHEAP;
	double saved_ns = (double)(offer->cost_ns - thaw_ns) * wan_tier_reuse(judge, offer);
	if (saved_ns > (double)wan_tier_freeze_ns(judge, offer->bytes))
		return WAN_TIER_KEEP;
	return judge->refused++ % EXPLORE == EXPLORE - 1 ? WAN_TIER_KEEP : WAN_TIER_SELDOM;
}

double wan_tier_value(const struct wan_tier_judge *judge, const struct wan_tier_offer *offer,
		      uint64_t cold_bytes)
{
	uint64_t thaw_ns = wan_tier_thaw_ns(judge, offer->bytes);
	uint64_t saved_ns = offer->cost_ns > thaw_ns ? offer->cost_ns - thaw_ns : 0;
	return (double)saved_ns * WAN_MAX(offer->uses, 1u) /
	       (double)WAN_MAX(cold_bytes, (uint64_t)1);
}

static void approach(double *mean, double value)
{
	*mean += (value - *mean) * WEIGHT;
}

void wan_tier_learn_freeze(struct wan_tier_judge *judge, uint64_t bytes, uint64_t cold_bytes,
			   uint64_t took_ns)
{
	if (!bytes)
		return;
	approach(&judge->freeze_ns_per_byte, (double)took_ns / (double)bytes);
	if (cold_bytes) /* 0: there was none */
		approach(&judge->ratio, (double)cold_bytes / (double)bytes);
}

void wan_tier_learn_thaw(struct wan_tier_judge *judge, uint64_t bytes, uint64_t took_ns)
{
	/* Small ones are mostly the fixed part. */
	if (bytes >= 64 * WAN_KIB)
		approach(&judge->thaw_ns_per_byte, (double)took_ns / (double)bytes);
}

void wan_tier_learn_fate(struct wan_tier_judge *judge, const struct wan_tier_offer *offer,
			 bool asked)
{
	unsigned uses = uses_class(offer->uses), size = size_class(offer->bytes);
	judge->asked[uses][size] += asked;
	judge->decided[uses][size] += 1;
	if (judge->decided[uses][size] > FATES) {
		judge->asked[uses][size] /= 2;
		judge->decided[uses][size] /= 2;
	}
}

void wan_tier_learn_hit(struct wan_tier_judge *judge, uint64_t cost_ns, uint64_t took_ns,
			bool would_be_ready)
{
	if (would_be_ready)
		judge->loss_ns += (double)took_ns;
	else if (cost_ns > took_ns)
		judge->gain_ns += (double)(cost_ns - took_ns);
	else
		judge->loss_ns += (double)(took_ns - cost_ns);
}

void wan_tier_learn_loss(struct wan_tier_judge *judge, uint64_t cost_ns)
{
	judge->loss_ns += (double)cost_ns;
}

bool wan_tier_learn_eviction(struct wan_tier_judge *judge)
{
	if (++judge->evictions < WAN_TIER_WINDOW)
		return false;
	judge->evictions = 0;
	if (judge->rest) {
		if (--judge->rest == 0)
			judge->share = SHARE_LEAST;
	} else if (judge->gain_ns > judge->loss_ns) {
		judge->share = WAN_MIN(judge->share * SHARE_GROWS, SHARE_MOST);
		judge->next_rest = 0;
	} else if (judge->loss_ns > 0 && judge->share > SHARE_LEAST) {
		judge->share = WAN_MAX(judge->share / 2, SHARE_LEAST);
	} else if (judge->loss_ns > 0) {
		judge->rest = judge->next_rest ? judge->next_rest : REST_FIRST;
		judge->next_rest = WAN_MIN(2 * judge->rest, (uint32_t)REST_MOST);
		judge->share = judge->gain_ns = judge->loss_ns = 0;
	}
	/* Half of the last window counts in the next: one odd hit does not decide. */
	judge->gain_ns /= 2;
	judge->loss_ns /= 2;
	return true;
}
