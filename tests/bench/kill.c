/* SPDX-License-Identifier: MIT */
/* 100 000 random SIGKILLs (or as many as the first argument says) against a recording writer. */
#include "kill_rounds.h"

#include <time.h>

int main(int argc, char **argv)
{
	uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000;
	unsigned seed = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : (unsigned)time(NULL);
	const char *path = argc > 3 ? argv[3] : "bench-kill.wprof";
	struct kill_totals totals = {0};
	uint64_t begin_ns = wan_now_ns();
	bool done = kill_rounds(path, rounds, seed, &totals);
	double seconds = (double)(wan_now_ns() - begin_ns) / 1e9;
	printf("seed %u: %llu kills in %.1f s (%.2f ms each), %llu records written, %llu rings had "
	       "gone round, %llu killed before the start\n",
	       seed, (unsigned long long)totals.rounds, seconds,
	       seconds * 1000 / (double)(totals.rounds ? totals.rounds : 1),
	       (unsigned long long)totals.records, (unsigned long long)totals.wrapped,
	       (unsigned long long)totals.before_start);
	printf("torn %llu, lost %llu, twice %llu, wrong %llu\n", (unsigned long long)totals.torn,
	       (unsigned long long)totals.lost, (unsigned long long)totals.twice,
	       (unsigned long long)totals.wrong);
	return !done || totals.torn || totals.lost || totals.twice || totals.wrong;
}
