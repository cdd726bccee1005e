/* SPDX-License-Identifier: MIT */
/* wanprof-bench: internal; wanprof starts it and makes a report of what it says. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "work.h"

static const struct {
	const char *name;
	int (*work)(int count, char **words);
} parts[] = {
	{"make", work_make},     {"size", work_size},     {"batch", work_batch},
	{"leak", work_leak},     {"errors", work_errors}, {"concurrent", work_concurrent},
	{"short", work_short},   {"hang", work_hang},     {"frames", work_frames},
	{"stress", work_stress},
};

/*
 *	wanprof-bench table ROUNDS FOLDER PHOTOGRAPH...
 *	wanprof-bench scaling ROUNDS PHOTOGRAPH
 *	wanprof-bench PART WORD...
 */
int main(int argc, char **argv)
{
	int status = WORK_USAGE;
	int rounds = argc > 2 ? atoi(argv[2]) : 0;
	(void)prctl(PR_SET_PDEATHSIG,
		    SIGKILL); /* a wanprof that is killed leaves nothing at work */
	if (argc == 4 && strcmp(argv[1], "scaling") == 0 && rounds > 0)
		return work_scaling(argv[3], rounds);
	if (argc > 4 && strcmp(argv[1], "table") == 0 && rounds > 0)
		return work_table(argv[3], rounds, argc - 4, argv + 4);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && argc > 2; i++)
		if (strcmp(parts[i].name, argv[1]) == 0)
			status = parts[i].work(argc - 2, argv + 2);
	if (status == WORK_USAGE)
		fprintf(stderr, "wanprof-bench is started by wanprof bench\n");
	return status;
}
