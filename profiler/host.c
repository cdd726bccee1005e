/* SPDX-License-Identifier: MIT */
#include "host.h"

#include "counters.h"
#include "macros.h"
#include "str.h"
#include "units.h"

static const char *tier_name(uint64_t tier)
{
	static const char *const names[] = {NULL, "minimal", "budget", "mid-range", "high-end"};
	return tier < WAN_COUNT_OF(names) ? names[tier] : NULL;
}

static void fill(struct wan_host *host, const struct wan_process *process,
		 const struct wan_process_counters *block)
{
	uint64_t load = wan_counters_block_word(block, "load");
	host->cpus = wan_counters_block_word(block, "cpus");
	host->physical_cores = wan_counters_block_word(block, "physical_cores");
	host->total_bytes = wan_counters_block_word(block, "host_total");
	host->available_bytes = wan_counters_block_word(block, "host_available");
	host->limit_bytes = wan_counters_block_word(block, "memory_limit");
	host->record_free_bytes = wan_counters_block_word(block, "record_free");
	host->work_free_bytes = wan_counters_block_word(block, "work_free");
	host->gpu_used_bytes = wan_counters_block_word(block, "gpu_used");
	host->gpu_largest_bytes = wan_counters_block_word(block, "gpu_largest");
	host->gpu_read_after_ns = wan_counters_block_word(block, "gpu_read_after");
	host->gpu_model = wan_process_text(process, block->words[WAN_HOST_GPU_MODEL]);
	host->tier = tier_name(wan_counters_block_word(block, "tier"));
	if (load != UINT64_MAX && host->cpus && host->cpus != UINT64_MAX)
		host->load_per_cpu = (double)load / 1000 / (double)host->cpus;
}

void wan_host_of(const struct wan_view *view, struct wan_host *ret_host)
{
	const struct wan_process *process = view->parent;
	unsigned runs;
	*ret_host = (struct wan_host){
		.load_per_cpu = -1,
		.cpus = UINT64_MAX,
		.physical_cores = UINT64_MAX,
		.total_bytes = UINT64_MAX,
		.available_bytes = UINT64_MAX,
		.limit_bytes = UINT64_MAX,
		.record_free_bytes = UINT64_MAX,
		.work_free_bytes = UINT64_MAX,
		.gpu_used_bytes = UINT64_MAX,
		.gpu_largest_bytes = UINT64_MAX,
		.gpu_read_after_ns = UINT64_MAX,
		.gpu_model = "",
		.major_faults = UINT64_MAX,
		.read_bytes = UINT64_MAX,
	};
	wan_view_run_ns(view, &runs);
	for (size_t i = 0; process && runs == 1 && i < process->counters_count; i++) {
		const struct wan_process_counters *block = &process->counters[i];
		if (block->kind != WAN_COUNTERS_HOST)
			continue;
		ret_host->known = wan_counters_block_word(block, "known") == 1;
		if (ret_host->known)
			fill(ret_host, process, block);
		ret_host->ended = wan_counters_block_word(block, "ended") == 1;
		if (!ret_host->ended)
			return;
		ret_host->major_faults = wan_counters_block_word(block, "major_faults");
		ret_host->read_bytes = wan_counters_block_word(block, "read");
		return;
	}
}

static size_t add(char *to, size_t bytes, size_t used, const char *text, const char *value)
{
	return used +
	       wan_str_format(to + used, bytes - used, "%s%s%s", used ? "; " : "", text, value);
}

static size_t add_bytes(char *to, size_t bytes, size_t used, const char *text, uint64_t value)
{
	char shown[32];
	return add(to, bytes, used, text, wan_format_bytes(shown, sizeof(shown), value));
}

bool wan_host_unclean(const struct wan_host *host, char *to, size_t bytes)
{
	char text[64];
	size_t used = 0;
	uint64_t memory = WAN_MIN(host->total_bytes, host->limit_bytes);
	uint64_t disk = WAN_MIN(host->record_free_bytes, host->work_free_bytes);
	if (bytes)
		to[0] = '\0';
	if (!host->known)
		return false;
	if (host->gpu_used_bytes != UINT64_MAX && host->gpu_used_bytes > WAN_HOST_GPU_CLEAN_BYTES &&
	    host->gpu_read_after_ns <= WAN_HOST_GPU_SOON_NS)
		used = add_bytes(to, bytes, used,
				 "GPU memory held by others: ", host->gpu_used_bytes);
	if (host->load_per_cpu > WAN_HOST_LOAD_CLEAN) {
		wan_str_format(text, sizeof(text), "%.2f per processor", host->load_per_cpu);
		used = add(to, bytes, used, "other load: ", text);
	}
	if (disk < WAN_HOST_DISK_CLEAN_BYTES)
		used = add_bytes(to, bytes, used, "free disk: ", disk);
	if (memory != UINT64_MAX && host->available_bytes < memory / WAN_HOST_MEMORY_SHARE)
		used = add_bytes(to, bytes, used, "available memory: ", host->available_bytes);
	return used > 0;
}
