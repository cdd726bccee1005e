/* SPDX-License-Identifier: MIT */
/*
 * Programs that are started for each picture. Loading a program, its libraries and, for Python, its
 * modules comes before the first operation; one process that takes all pictures pays it once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "judge.h"
#include "macros.h"
#include "str.h"

#define PROCESSES_MIN  5u
#define OPERATIONS_MAX 4u         /* a process that does more is a batch already */
#define COST_NS        500000000u /* of all starts */
#define START_MOST_NS  60000000000u
#define TICK_NS        10000000u /* of the kernel's start times, which are rounded down */

struct start {
	const char *program;
	uint64_t ns;
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* From the start of the process to its first operation, before which nothing is ours; 0: unknown.
 */
static uint64_t start_of(const struct wan_process *process)
{
	uint64_t began_ns = process->header.pid_start_ticks * TICK_NS + TICK_NS / 2;
	if (!process->header.pid_start_ticks || !process->operation_count ||
	    process->operation_count > OPERATIONS_MAX || process->header.role != WAN_ROLE_PRELOADED)
		return 0;
	uint64_t first_ns = process->operations[0].start_ns;
	uint64_t ns = first_ns > began_ns ? first_ns - began_ns : 0;
	return ns > START_MOST_NS ? 0 : ns; /* the clocks differ: suspended, or another namespace */
}

static int by_program(const void *left, const void *right)
{
	const struct start *a = left, *b = right;
	return strcmp(a->program, b->program);
}

static int say(struct wan_findings *findings, const struct start *starts, size_t count)
{
	uint64_t sum_ns = 0;
	for (size_t i = 0; i < count; i++)
		sum_ns += starts[i].ns;
	if (count < PROCESSES_MIN || sum_ns < COST_NS)
		return 0;
	struct wan_finding *finding = wan_judge_add(findings, WAN_ADVICE_BATCH, NULL, count);
	if (!finding)
		return -ENOMEM;
	double mean_ms = wan_judge_ms(sum_ns) / (double)count;
	finding->weight_ms = wan_judge_ms(sum_ns);
	finding->saving_ms = mean_ms * (double)(count - 1);
	wan_str_format(finding->evidence, sizeof(finding->evidence),
		       "%.40s was started %llu times, %.0f ms each before its first operation",
		       starts[0].program, (unsigned long long)count, mean_ms);
	return wan_judge_put(finding, (double)count, PROCESSES_MIN - 1, "processes");
}

int wan_judge_run(struct wan_findings *findings, const struct wan_finding_input *input)
{
	const struct wan_view *view = input->view;
	struct start *starts = wan_calloc(view->source_count + 1, sizeof(*starts));
	if (!starts)
		return -ENOMEM;
	size_t count = 0;
	for (size_t i = 0; i < view->source_count; i++) {
		const struct wan_process *process = view->sources[i].process;
		uint64_t ns = view->sources[i].baseline ? 0 : start_of(process);
		if (ns)
			starts[count++] = (struct start){base_name(process->header.program), ns};
	}
	qsort(starts, count, sizeof(*starts), by_program);
	int rc = 0;
	for (size_t first = 0, end; first < count && !rc; first = end) {
		for (end = first + 1; end < count && by_program(&starts[first], &starts[end]) == 0;)
			end++;
		rc = say(findings, starts + first, end - first);
	}
	wan_free(starts);
	return rc;
}
