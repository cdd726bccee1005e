/* SPDX-License-Identifier: MIT */
/* wanprof-bench: internal; wanprof starts it and makes a report of what it says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "work.h"

/*
 *	wanprof-bench table ROUNDS FOLDER PHOTOGRAPH...
 *	wanprof-bench scaling ROUNDS PHOTOGRAPH
 */
int main(int argc, char **argv)
{
	int status = WORK_USAGE;
	int rounds = argc > 2 ? atoi(argv[2]) : 0;
	if (argc == 4 && strcmp(argv[1], "scaling") == 0 && rounds > 0)
		status = work_scaling(argv[3], rounds);
	else if (argc > 4 && strcmp(argv[1], "table") == 0 && rounds > 0)
		status = work_table(argv[3], rounds, argc - 4, argv + 4);
	if (status == WORK_USAGE)
		fprintf(stderr, "wanprof-bench is started by wanprof bench\n");
	return status;
}
