/* SPDX-License-Identifier: MIT */
#include "live.h"

#include <math.h>

#include "clock.h"

void live_judge(const struct live *live, const struct wan_tracker_row *row,
		struct live_verdict *ret_verdict)
{
	double rate = live_rate(live, row);
	*ret_verdict = (struct live_verdict){
		.quiet_ns = wan_elapsed(row->updated_ns, row->seen_ns),
	};
	if (row->active && row->total > row->done && rate > 0) {
		double left_ns = (double)(row->total - row->done) * 1e9 / rate;
		ret_verdict->eta_known = left_ns < 0x1p60;
		ret_verdict->eta_low_ns = ret_verdict->eta_high_ns =
			(uint64_t)fmin(left_ns, 0x1p60);
	}
}
