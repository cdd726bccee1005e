/* SPDX-License-Identifier: MIT */
/* One answer for all parts: as a struct, and as the JSON profile. */
#include <errno.h>
#include <string.h>

#include "atomics.h"
#include "instance.h"
#include "log.h"
#include "wan/runtime.h"

void wan_runtime_summary(struct wan_runtime *runtime, struct wan_runtime_summary *summary)
{
	if (!runtime || !summary || summary->struct_size < sizeof(summary->struct_size))
		return;
	struct wan_runtime_summary now = {.struct_size = summary->struct_size, .enabled = true};
	now.cache_performance.struct_size = sizeof(now.cache_performance);
	now.monitoring_performance.struct_size = sizeof(now.monitoring_performance);
	now.memory.struct_size = sizeof(now.memory);
	wan_cache_stats(runtime->cache, &now.cache_performance);
	wan_progress_summary(runtime->progress, &now.monitoring_performance);
	wan_memory_state(runtime->memory, &now.memory);
	wan_identity_stats(runtime->identity, &now.identity);
	now.profiling_active = wan_profile_active(runtime->profile);
	now.monitoring_active = wan_progress_running(runtime->progress);
	now.actions = wan_load_relaxed(&runtime->actions);

	struct wan_profile_results results = {.struct_size = sizeof(results)};
	if (wan_profile_results(runtime->profile, &results) == 0)
		now.operations = results.total_operations;
	memcpy(summary, &now, WAN_MIN(summary->struct_size, sizeof(now)));
}

int wan_runtime_export_json(struct wan_runtime *runtime, const char *path, bool overwrite,
			    struct wan_error *reterr_error)
{
	if (!runtime || !path)
		return wan_error_set(reterr_error, -EINVAL, "wan_runtime_export_json", "",
				     "an argument is missing");
	wan_wire_publish(runtime);
	return wan_profile_write_json(runtime->profile, path, overwrite, reterr_error);
}
