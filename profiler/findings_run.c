/* SPDX-License-Identifier: MIT */
/*
 * Programs that are started for each picture. Loading a program, its libraries and, for Python, its
 * modules comes before the first operation; one process that takes all pictures pays it once.
 * Judged are processes of one program and one parent.
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
	uint32_t parent;
	uint64_t began_ns, last_ns; /* start of the process, end of its last operation */
	uint64_t ns;                /* until its first operation, and from its last one on */
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* false: not known, or a process that does enough to be worth its start. */
static bool take_start(const struct wan_process *process, struct start *ret_start)
{
	uint64_t began_ns = process->header.pid_start_ticks * TICK_NS + TICK_NS / 2;
	size_t count = process->operation_count;
	if (!process->header.pid_start_ticks || !count || count > OPERATIONS_MAX ||
	    process->header.role != WAN_ROLE_PRELOADED)
		return false;
	const struct wan_recording_operation *last = &process->operations[count - 1];
	uint64_t first_ns = process->operations[0].start_ns;
	*ret_start = (struct start){
		.program = base_name(process->header.program),
		.parent = process->header.parent_pid,
		.began_ns = began_ns,
		.last_ns = last->start_ns + last->span_ns,
		.ns = first_ns > began_ns ? first_ns - began_ns : 0,
	};
	/* else the clocks differ: suspended meanwhile, or another namespace */
	return ret_start->ns && ret_start->ns < START_MOST_NS;
}

static int by_program(const void *left, const void *right)
{
	const struct start *a = left, *b = right;
	int order = strcmp(a->program, b->program);
	if (order)
		return order;
	return (a->parent > b->parent) - (a->parent < b->parent);
}

static int by_begin(const void *left, const void *right)
{
	const struct start *a = left, *b = right;
	int order = by_program(left, right);
	return order ? order : (a->began_ns > b->began_ns) - (a->began_ns < b->began_ns);
}

/*
 * Ending takes time too (Python takes its modules apart). Where one process follows another, the
 * next one's start shows when it was over; a pause longer than a start is somebody's else.
 */
static void add_ends(struct start *starts, size_t count)
{
	uint64_t known_ns = 0, known = 0;
	for (size_t i = 0; i + 1 < count; i++) {
		uint64_t next_ns = starts[i + 1].began_ns, last_ns = starts[i].last_ns;
		uint64_t end_ns = next_ns > last_ns ? next_ns - last_ns : 0;
		end_ns = WAN_MIN(end_ns, starts[i].ns);
		known_ns += end_ns;
		known += end_ns != 0;
		starts[i].ns += end_ns;
	}
	if (known * 2 > count)
		starts[count - 1].ns += known_ns / known;
}

static int say(struct wan_findings *findings, struct start *starts, size_t count)
{
	uint64_t sum_ns = 0;
	add_ends(starts, count);
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
		       "%.40s was started %llu times, %.0f ms each for starting and ending",
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
	for (size_t i = 0; i < view->source_count; i++)
		count += !view->sources[i].baseline &&
			 take_start(view->sources[i].process, &starts[count]);
	qsort(starts, count, sizeof(*starts), by_begin);
	int rc = 0;
	for (size_t first = 0, end; first < count && !rc; first = end) {
		for (end = first + 1; end < count && by_program(&starts[first], &starts[end]) == 0;)
			end++;
		rc = say(findings, starts + first, end - first);
	}
	wan_free(starts);
	return rc;
}
