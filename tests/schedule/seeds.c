/* SPDX-License-Identifier: MIT */
/*
 * Many seeds, in children of a few hundred seeds each: what one seed leaves behind in the process
 * (records of threads, blocks of memory) is part of what the next one meets, and a child can be
 * run again exactly, whatever became of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scheduler.h"

enum { SEEDS_IN_CHILD = 256 };

static void run_child(const char *name, void (*run)(const struct scheduler_plan *plan),
		      struct scheduler_plan plan, uint64_t last, struct scheduler_tally *shared)
{
	plan.name = name;
	for (; plan.seed <= last; plan.seed++) {
		shared->failed_seed = plan.seed; /* so far */
		run(&plan);
		shared->seeds++;
		shared->steps += scheduler_steps();
		shared->switches += scheduler_switches();
	}
	exit(0); /* the leak checker, where there is one, has its say */
}

static uint64_t scaled(uint64_t quick_count)
{
	const char *tier = getenv("WAN_TEST_TIER");
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
	quick_count /= 8;
#endif
	if (tier && strcmp(tier, "full") == 0)
		return quick_count * 20;
	if (tier && strcmp(tier, "soak") == 0)
		return quick_count * 200;
	return quick_count;
}

struct scheduler_tally scheduler_seeds(const char *name,
				       void (*run)(const struct scheduler_plan *plan),
				       uint64_t quick_count, const struct scheduler_plan *like)
{
	struct scheduler_tally none = {.failed_seed = UINT64_MAX}, result;
	struct scheduler_plan plan = like ? *like : (struct scheduler_plan){0};
	const char *only = getenv("WAN_TEST_SEED");
	uint64_t first = 1, last = plan.quiet ? quick_count : scaled(quick_count);
	struct scheduler_tally *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
					      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return none;
	if (only && !plan.quiet) {
		last = strtoull(only, NULL, 10);
		first = last ? (last - 1) / SEEDS_IN_CHILD * SEEDS_IN_CHILD + 1 : 1;
	}
	int status = 0;
	for (; first <= last && status == 0; first += SEEDS_IN_CHILD) {
		fflush(stdout);
		pid_t child = fork();
		if (child < 0)
			break;
		plan.seed = first;
		if (child == 0)
			run_child(name, run, plan,
				  first + SEEDS_IN_CHILD - 1 < last ? first + SEEDS_IN_CHILD - 1
								    : last,
				  shared);
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
	}
	result = first <= last && status == 0 ? none : *shared;
	if (status == 0 && result.failed_seed != UINT64_MAX)
		result.failed_seed = 0;
	munmap(shared, sizeof(*shared));
	return result;
}
