/* SPDX-License-Identifier: MIT */
/* A tracked loop: read it from outside with wanprof, even after a crash. */
#include <stdio.h>
#include <wan/wan.h>

int main(void)
{
	struct wan_progress *progress = wan_runtime_progress(wan_runtime_default());
	struct wan_tracker *tracker;
	if (wan_progress_begin(progress, "sampling", 40, "steps", &tracker) < 0)
		return 1;
	wan_progress_phase(tracker, WAN_PHASE_GENERATION);
	for (uint64_t step = 1; step <= 40; step++)
		wan_progress_update(tracker, step);
	wan_progress_end(tracker);

	struct wan_progress_summary summary;
	summary.struct_size = sizeof(summary);
	wan_progress_summary(progress, &summary);
	printf("%llu updates\n", (unsigned long long)summary.updates);
	return summary.updates >= 40 ? 0 : 1;
}
