/* SPDX-License-Identifier: MIT */
#include "trend.h"

#include <math.h>

static const struct wan_trend_sample *sample_at(const struct wan_trend *trend, uint32_t age)
{
	uint32_t at = (trend->next + WAN_TREND_SAMPLES - 1 - age) % WAN_TREND_SAMPLES;
	return &trend->samples[at];
}

void wan_trend_add(struct wan_trend *trend, uint64_t time_ns, uint64_t bytes)
{
	if (trend->count && time_ns <= sample_at(trend, 0)->time_ns)
		trend->count = 0;
	trend->samples[trend->next] = (struct wan_trend_sample){time_ns, bytes};
	trend->next = (trend->next + 1) % WAN_TREND_SAMPLES;
	if (trend->count < WAN_TREND_SAMPLES)
		trend->count++;
}

/* Weighted least squares over the newest samples; older ones count decay times less each. */
static double slope_of(const struct wan_trend *trend, uint32_t count, double decay)
{
	/* Relative to the newest sample: sums of raw nanoseconds would lose the slope. */
	const struct wan_trend_sample *newest = sample_at(trend, 0);
	double sum_w = 0, sum_t = 0, sum_b = 0, sum_tt = 0, sum_tb = 0, weight = 1;
	for (uint32_t age = 0; age < count; age++, weight *= decay) {
		const struct wan_trend_sample *sample = sample_at(trend, age);
		double t = -(double)(newest->time_ns - sample->time_ns) * 1e-9;
		double b = (double)sample->bytes - (double)newest->bytes;
		sum_w += weight;
		sum_t += weight * t;
		sum_b += weight * b;
		sum_tt += weight * t * t;
		sum_tb += weight * t * b;
	}
	double spread = sum_w * sum_tt - sum_t * sum_t;
	return spread > 0 ? (sum_w * sum_tb - sum_t * sum_b) / spread : 0;
}

double wan_trend_slope(const struct wan_trend *trend)
{
	return trend->count < 2 ? 0 : slope_of(trend, trend->count, 1);
}

double wan_trend_recent_slope(const struct wan_trend *trend)
{
	uint32_t count = trend->count < WAN_TREND_RECENT ? trend->count : WAN_TREND_RECENT;
	return count < 3 ? 0 : slope_of(trend, count, 0.75);
}

double wan_trend_seconds_to(double slope, uint64_t bytes, uint64_t target_bytes)
{
	if (bytes >= target_bytes)
		return 0;
	return slope > 0 ? (double)(target_bytes - bytes) / slope : INFINITY;
}
