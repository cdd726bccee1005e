/* SPDX-License-Identifier: MIT */
#include "sampler.h"

#include "macros.h"

uint64_t wan_sampler_clamp_ns(uint64_t interval_ns)
{
	return WAN_CLAMP(interval_ns, WAN_SAMPLER_LEAST_NS, WAN_SAMPLER_MOST_NS);
}

static uint64_t scaled(uint64_t interval_ns, double factor)
{
	return wan_sampler_clamp_ns((uint64_t)((double)interval_ns * factor));
}

uint64_t wan_sampler_classic_ns(uint64_t interval_ns, const struct wan_progress_sample *sample)
{
	bool stressed =
		sample->cpu_percent > 70 || sample->memory_mb > 400 || sample->latency_ms > 50;
	return scaled(interval_ns, stressed ? 1.1 : 0.95);
}

uint64_t wan_sampler_budget_ns(struct wan_sampler_state *state, uint64_t interval_ns,
			       uint64_t quiet_ns, uint64_t cost_ns, bool anomaly)
{
	enum { COST_SHARE = 1000 /* 0.1 % of one core */, COSTLY_TO_SLOW = 2 };
	bool costly = cost_ns > wan_sampler_clamp_ns(interval_ns) / COST_SHARE;
	state->costly = costly ? state->costly + 1 : 0;
	if (state->costly >= COSTLY_TO_SLOW)
		return scaled(interval_ns, 1.1);
	if (anomaly)
		return WAN_SAMPLER_LEAST_NS;
	if (costly)
		return wan_sampler_clamp_ns(interval_ns);
	uint64_t relaxed = scaled(interval_ns, 1.25);
	uint64_t quiet = wan_sampler_clamp_ns(quiet_ns);
	return WAN_MIN(relaxed, WAN_MAX(quiet, WAN_SAMPLER_LEAST_NS));
}
