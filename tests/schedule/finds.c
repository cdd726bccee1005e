/* SPDX-License-Identifier: MIT */
/* Does a schedule find an error that is known to be there? Answered by a child, which may crash. */
#include <sys/wait.h>
#include <unistd.h>

#include "scheduler.h"

uint64_t scheduler_finds(void (*run)(const struct scheduler_plan *plan), uint64_t seeds,
			 bool without_barrier)
{
	struct scheduler_plan plan = {.without_barrier = without_barrier, .quiet = true};
	int ends[2];
	uint64_t seed = 0;
	if (pipe(ends) < 0)
		return 0;
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		for (plan.seed = 1; plan.seed <= seeds; plan.seed++) {
			if (write(ends[1], &plan.seed, sizeof(plan.seed)) < 0)
				_exit(1);
			run(&plan);
		}
		_exit(0);
	}
	close(ends[1]);
	for (uint64_t tried; read(ends[0], &tried, sizeof(tried)) == sizeof(tried);)
		seed = tried;
	close(ends[0]);
	int status = 0;
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 0;
	return WIFEXITED(status) && WEXITSTATUS(status) == SCHEDULER_STATUS ? seed : 0;
}
