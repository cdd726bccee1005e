/* SPDX-License-Identifier: MIT */
/* Every allocation and system call failed in turn: an error or less knowledge, never a crash. */
#include "tap.h"

#include <errno.h>

#include "fakes.h"
#include "fault.h"

static int call(void *context)
{
	return 42;
}

static void monitor_lives(void *context)
{
	struct wan_progress_options options = {.struct_size = sizeof(options),
					       .counters = fake_counters};
	struct wan_progress *progress = NULL;
	int status = wan_progress_create(&options, &progress);
	CHECK(status == 0 || status == -ENOMEM);
	if (status < 0)
		return;
	struct wan_tracker *tracker = NULL;
	status = wan_progress_begin(progress, "job", 3, NULL, &tracker);
	CHECK(status == 0 || status == -ENOMEM);
	wan_progress_update(tracker, 1);
	wan_progress_phase(tracker, WAN_PHASE_ENCODING);
	CHECK_EQ(wan_progress_track(progress, "call", call, NULL), 42);
	wan_progress_sample_now(progress);
	struct wan_progress_summary summary = {.struct_size = sizeof(summary)};
	wan_progress_summary(progress, &summary);
	CHECK_EQ(summary.updates, status == 0 ? 2 : 1); /* a call counts even without memory */
	wan_progress_end(tracker);
	wan_progress_destroy(progress);
}

TEST(a_monitor_survives_every_failing_call)
{
	wan_fault_install();
	CHECK(wan_fault_sweep(monitor_lives, NULL) > 0);
	wan_fault_remove();
}

TAP_MAIN
