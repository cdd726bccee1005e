/* SPDX-License-Identifier: MIT */
/* Device memory and work of the CUDA calls that were seen, a block for each device. */
#include "counters.h"
#include "export.h"
#include "macros.h"

static void count(struct wan_json *json, const struct wan_process_counters *block, const char *name)
{
	wan_json_key_u64(json, name, wan_counters_block_word(block, name));
}

static void bytes(struct wan_json *json, const struct wan_process_counters *block, const char *name)
{
	wan_export_bytes(json, name, wan_counters_block_word(block, name));
}

static void error(struct wan_json *json, const struct wan_process_counters *block, const char *name)
{
	uint64_t number = wan_counters_block_word(block, name);
	if (number)
		wan_json_key_u64(json, name, number);
	else
		wan_json_key_null(json, name);
}

/* What has been given to the device, and how much of it is known to be done. */
static void work(struct wan_json *json, const struct wan_process_counters *block)
{
	uint64_t enqueued = wan_counters_block_word(block, "enqueued");
	uint64_t done = wan_counters_block_word(block, "known_done");
	wan_json_key(json, "work");
	wan_json_object_begin(json);
	count(json, block, "enqueued");
	count(json, block, "known_done");
	wan_json_key_u64(json, "not_known_done", enqueued > done ? enqueued - done : 0);
	count(json, block, "most_behind");
	count(json, block, "waits");
	wan_export_time(json, "wait_time", wan_counters_block_word(block, "wait_time"));
	wan_export_time(json, "longest_wait", wan_counters_block_word(block, "longest_wait"));
	wan_json_object_end(json);
}

static void device(struct wan_json *json, const struct wan_process *process,
		   const struct wan_process_counters *block)
{
	static const char *const sizes[] = {"device_live",  "device_peak",   "managed_live",
					    "managed_peak", "pinned_live",   "pinned_peak",
					    "allocated",    "untracked_size"};
	static const char *const counts[] = {"allocations",   "frees",         "untracked",
					     "unknown_frees", "out_of_memory", "failed_calls"};
	wan_json_object_begin(json);
	wan_json_key_string(json, "name", block->name);
	wan_json_key_u64(json, "process", process->header.pid);
	for (size_t i = 0; i < WAN_COUNT_OF(sizes); i++)
		bytes(json, block, sizes[i]);
	for (size_t i = 0; i < WAN_COUNT_OF(counts); i++)
		count(json, block, counts[i]);
	wan_json_key_bool(json, "live_is_lower_bound",
			  wan_counters_block_word(block, "untracked") != 0);
	error(json, block, "last_error");
	error(json, block, "lost");
	work(json, block);
	wan_json_object_end(json);
}

void wan_export_gpu(const struct wan_export *export)
{
	struct wan_json *json = export->json;
	const struct wan_view *view = &export->analysis->view;
	wan_json_key(json, "gpu");
	wan_json_object_begin(json);
	wan_json_key(json, "devices");
	wan_json_array_begin(json);
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_process *process = view->sources[i].process;
		for (size_t k = 0; k < process->counters_count; k++)
			if (process->counters[k].kind == WAN_COUNTERS_CUDA)
				device(json, process, &process->counters[k]);
	}
	wan_json_array_end(json);
	wan_json_object_end(json);
}
