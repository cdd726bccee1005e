/* SPDX-License-Identifier: MIT */
/*
 * What the CUDA calls of a run say, a block of counters for each device of each process. Judged is
 * what was counted: nothing is concluded of the device's own times, which are not seen. A wait is a
 * call that blocks until the device has done what was asked of it, copies included.
 */
#include <errno.h>
#include <string.h>

#include "counters.h"
#include "host.h"
#include "judge.h"
#include "str.h"

#define WAIT_PERCENT   50.0       /* of the process's time */
#define WAIT_LEAST_NS  500000000u /* in all */
#define WAITED_OFTEN   100u       /* and after at most so much work each: */
#define WORK_EACH      2.0        /* launches, copies, sets */
#define CHURN_PER_WORK 1.0        /* allocations for each launch, copy or set */
#define CHURN_LEAST    1000u      /* allocations */
#define CHURN_FREED    0.9        /* of them given back: it is not one large model */
#define COPY_PERCENT   10.0       /* of the process's time */
#define COPY_LEAST_NS  500000000u /* in all */
#define NEAR_FULL      90.0       /* percent of the device */

struct device {
	const struct wan_process *process;
	const struct wan_process_counters *block;
};

static uint64_t word(const struct device *device, const char *name)
{
	return wan_counters_block_word(device->block, name);
}

static struct wan_finding *add(struct wan_findings *findings, enum wan_advice_id id,
			       const struct device *device, uint64_t count)
{
	struct wan_finding *finding = wan_judge_add(findings, id, NULL, count);
	if (finding)
		wan_str_copy(finding->operation, sizeof(finding->operation), device->block->name);
	return finding;
}

static int judge_out_of_memory(struct wan_findings *findings, const struct device *device)
{
	uint64_t count = word(device, "out_of_memory");
	if (!count)
		return 0;
	struct wan_finding *finding = add(findings, WAN_ADVICE_GPU_OUT_OF_MEMORY, device, count);
	if (!finding)
		return -ENOMEM;
	wan_str_format(finding->evidence, sizeof(finding->evidence),
		       "%llu of %llu allocations found no memory; the program held at most %.1f MB "
		       "of the device",
		       (unsigned long long)count,
		       (unsigned long long)(count + word(device, "allocations")),
		       wan_judge_mb(word(device, "device_peak")));
	return wan_judge_put(finding, (double)count, 0, "operations");
}

static uint64_t process_ns(const struct wan_process *process)
{
	return process->end_ns > process->start_ns ? process->end_ns - process->start_ns : 0;
}

/* Time of several threads adds up: more than the process's own is possible and means the same. */
static int judge_waits(struct wan_findings *findings, const struct device *device)
{
	uint64_t waited_ns = word(device, "wait_time"), waits = word(device, "waits");
	uint64_t run_ns = process_ns(device->process), enqueued = word(device, "enqueued");
	if (!run_ns || waited_ns < WAIT_LEAST_NS || waits < WAITED_OFTEN)
		return 0;
	double share = 100.0 * (double)waited_ns / (double)run_ns;
	double each = (double)enqueued / (double)waits;
	if (share <= WAIT_PERCENT || each > WORK_EACH)
		return 0;
	struct wan_finding *finding = add(findings, WAN_ADVICE_GPU_WAITS, device, waits);
	if (!finding)
		return -ENOMEM;
	finding->weight_ms = wan_judge_ms(waited_ns);
	wan_str_format(finding->evidence, sizeof(finding->evidence),
		       "%llu waits, %.1f s in all, the longest %.0f ms, for %llu launches and "
		       "copies: %.1f a wait; never more than %llu behind",
		       (unsigned long long)waits, wan_judge_ms(waited_ns) / 1000,
		       wan_judge_ms(word(device, "longest_wait")), (unsigned long long)enqueued,
		       each, (unsigned long long)word(device, "most_behind"));
	return wan_judge_put(finding, share, WAIT_PERCENT, "%");
}

static int judge_churn(struct wan_findings *findings, const struct device *device)
{
	uint64_t allocations = word(device, "allocations"), enqueued = word(device, "enqueued");
	uint64_t frees = word(device, "frees");
	if (allocations < CHURN_LEAST || !enqueued ||
	    (double)frees < CHURN_FREED * (double)allocations)
		return 0;
	double each = (double)allocations / (double)enqueued;
	if (each <= CHURN_PER_WORK)
		return 0;
	struct wan_finding *finding = add(findings, WAN_ADVICE_GPU_CHURN, device, allocations);
	if (!finding)
		return -ENOMEM;
	wan_str_format(finding->evidence, sizeof(finding->evidence),
		       "%llu allocations (%.1f MB in all, %.1f MB at once at most) and %llu frees "
		       "for %llu launches and copies",
		       (unsigned long long)allocations, wan_judge_mb(word(device, "allocated")),
		       wan_judge_mb(word(device, "device_peak")), (unsigned long long)frees,
		       (unsigned long long)enqueued);
	return wan_judge_put(finding, each, CHURN_PER_WORK, "allocations each");
}

/* The size is known of the largest device only, so that no device is said to be fuller than it is.
 */
static int judge_room(struct wan_findings *findings, const struct wan_host *host,
		      const struct device *device)
{
	uint64_t peak = word(device, "device_peak");
	if (!host->known || !host->gpu_largest_bytes || host->gpu_largest_bytes == UINT64_MAX)
		return 0;
	double percent = 100.0 * (double)peak / (double)host->gpu_largest_bytes;
	if (percent <= NEAR_FULL)
		return 0;
	struct wan_finding *finding = add(findings, WAN_ADVICE_GPU_NEARLY_FULL, device, 1);
	if (!finding)
		return -ENOMEM;
	wan_str_format(finding->evidence, sizeof(finding->evidence),
		       "the program alone held %.0f of %.0f MB", wan_judge_mb(peak),
		       wan_judge_mb(host->gpu_largest_bytes));
	return wan_judge_put(finding, percent, NEAR_FULL, "%");
}

/* Copies over the bus by any call, as the process counted them. */
static void sum_copies(const struct wan_process *process, uint64_t *ret_count, uint64_t *ret_ns,
		       uint64_t *ret_bytes)
{
	*ret_count = *ret_ns = *ret_bytes = 0;
	for (size_t i = 0; i < process->aggregate_count; i++) {
		const struct wan_process_aggregate *sum = &process->aggregates[i];
		if (!sum->name || !sum->library || strcmp(sum->library, "cuda") != 0 ||
		    !(strncmp(sum->name, "cuda.memcpy_h2d", 15) == 0 ||
		      strncmp(sum->name, "cuda.memcpy_d2h", 15) == 0))
			continue;
		*ret_count += sum->count;
		*ret_ns += sum->inside_ns;
		*ret_bytes += sum->file_bytes;
	}
}

/* Whether one copy is from pageable memory is not seen; that the process never had other memory
 * is. Once for a process: which device a copy went to is not kept. */
static int judge_copies(struct wan_findings *findings, const struct device *device)
{
	uint64_t count, ns, bytes, run_ns = process_ns(device->process);
	for (size_t k = 0; k < device->process->counters_count; k++) {
		const struct wan_process_counters *block = &device->process->counters[k];
		if (block->kind == WAN_COUNTERS_CUDA &&
		    (wan_counters_block_word(block, "pinned_peak") ||
		     wan_counters_block_word(block, "untracked")))
			return 0;
	}
	sum_copies(device->process, &count, &ns, &bytes);
	double share = run_ns ? 100.0 * (double)ns / (double)run_ns : 0;
	if (ns < COPY_LEAST_NS || share <= COPY_PERCENT)
		return 0;
	struct wan_finding *finding = wan_judge_add(findings, WAN_ADVICE_GPU_PAGEABLE, NULL, count);
	if (!finding)
		return -ENOMEM;
	finding->weight_ms = wan_judge_ms(ns);
	wan_str_format(finding->evidence, sizeof(finding->evidence),
		       "%llu copies of %.1f MB took %.1f s, work they waited for included, and no "
		       "page-locked memory was seen",
		       (unsigned long long)count, wan_judge_mb(bytes), wan_judge_ms(ns) / 1000);
	return wan_judge_put(finding, share, COPY_PERCENT, "%");
}

int wan_judge_cuda(struct wan_findings *findings, const struct wan_finding_input *input)
{
	const struct wan_view *view = input->view;
	struct wan_host host;
	int rc = 0;
	wan_host_of(view, &host);
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_process *process = view->sources[i].process;
		bool copies_judged = false;
		for (size_t k = 0; k < process->counters_count && !rc; k++) {
			const struct device device = {process, &process->counters[k]};
			if (device.block->kind != WAN_COUNTERS_CUDA)
				continue;
			rc = judge_out_of_memory(findings, &device);
			rc = rc ? rc : judge_room(findings, &host, &device);
			rc = rc ? rc : judge_waits(findings, &device);
			rc = rc ? rc : judge_churn(findings, &device);
			if (!rc && !copies_judged)
				rc = judge_copies(findings, &device);
			copies_judged = true;
		}
	}
	return rc;
}
