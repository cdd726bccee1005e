/* SPDX-License-Identifier: MIT */
/* wanprof bench: options; what they ask for is done in bench/. */
#include "wanprof.h"

#include "bench.h"
#include "units.h"
#include "str.h"

enum { OPTION_TABLE, OPTION_SCALING, OPTION_JSON, OPTION_OUTPUT, OPTION_FORCE, OPTION_ROUNDS };

static const struct wanprof_option options[] = {
	[OPTION_TABLE] = {"table", 0, NULL, "the five rows of the requirements", NULL},
	[OPTION_SCALING] = {"scaling", 0, "FILE", "one photograph at eight sizes", NULL},
	[OPTION_JSON] = {"json", 0, NULL, "figures as JSON", NULL},
	[OPTION_OUTPUT] = {"output", 'o', "FILE", "write there instead of standard output", NULL},
	[OPTION_FORCE] = {"force", 0, NULL, "replace FILE", NULL},
	[OPTION_ROUNDS] = {"rounds", 0, "N", "measure N times; default 15, --scaling 5", NULL},
	{NULL, 0, NULL, NULL, NULL},
};

struct request {
	bool table;
	const char *scaling; /* photograph */
	const char *rounds;
	const char *photographs[BENCH_PHOTOGRAPHS_MAX];
	size_t photograph_count;
	struct bench_output output;
};

/* 0, or the status of a usage error; *ret_rounds is written on success. */
static int check(const struct request *request, unsigned *ret_rounds)
{
	unsigned most = request->scaling ? BENCH_SCALING_ROUNDS_MAX : BENCH_TABLE_ROUNDS_MAX;
	unsigned rounds = request->scaling ? BENCH_SCALING_ROUNDS : BENCH_TABLE_ROUNDS;
	uint64_t value;
	if (request->table && request->scaling)
		return wanprof_usage_error(&wanprof_verb_bench,
					   "--table and --scaling: one at a time");
	if (!request->table && !request->scaling)
		return wanprof_usage_error(&wanprof_verb_bench,
					   "say what to measure: --table or --scaling FILE");
	if (request->scaling && request->photograph_count)
		return wanprof_usage_error(&wanprof_verb_bench, "--scaling takes one photograph");
	if (request->rounds) {
		if (wan_parse_u64(request->rounds, &value) < 0 || value < 1 || value > most)
			return wanprof_usage_error(&wanprof_verb_bench, "--rounds: 1 to %u", most);
		rounds = (unsigned)value;
	}
	*ret_rounds = rounds;
	return 0;
}

static int run(int argc, char **argv)
{
	struct request request = {0};
	unsigned rounds;
	struct wanprof_args args = WANPROF_ARGS(&wanprof_verb_bench, argc, argv);
	for (int option; (option = wanprof_args_next(&args)) != WANPROF_ARGS_END;) {
		if (option == WANPROF_ARGS_USAGE)
			return args.status;
		if (option == OPTION_TABLE)
			request.table = true;
		else if (option == OPTION_SCALING)
			request.scaling = args.value;
		else if (option == OPTION_JSON)
			request.output.json = true;
		else if (option == OPTION_FORCE)
			request.output.force = true;
		else if (option == OPTION_OUTPUT)
			request.output.path = args.value;
		else if (option == OPTION_ROUNDS)
			request.rounds = args.value;
		else if (request.photograph_count < BENCH_PHOTOGRAPHS_MAX)
			request.photographs[request.photograph_count++] = args.value;
		else
			return wanprof_usage_error(&wanprof_verb_bench,
						   "too many photographs (%d at most)",
						   BENCH_PHOTOGRAPHS_MAX);
	}
	int status = check(&request, &rounds);
	if (status)
		return status;
	if (request.scaling)
		return bench_scaling_run(request.scaling, rounds, &request.output);
	return bench_table_run(request.photographs, request.photograph_count, rounds,
			       &request.output);
}

const struct wanprof_verb wanprof_verb_bench = {
	.name = "bench",
	.summary = "Measure this machine with the work of start and end images",
	.usage = "--table [--json] [-o FILE] [--rounds N] [PHOTOGRAPH...]\n"
		 "       wanprof bench --scaling PHOTOGRAPH [--json] [-o FILE] [--rounds N]",
	.options = options,
	.text = "--table does the five rows of the requirements' benchmark table on photographs "
		"and\n"
		"with real work: files are recognised, priced, decoded, judged, scaled, encoded; "
		"once\n"
		"with nothing cached and once more, with the bytes each operation takes. The "
		"required\n"
		"figures, and those the reference implementation was measured at, stand beside "
		"them.\n"
		"Without PHOTOGRAPH two of the package mate-backgrounds are used.\n"
		"--scaling takes one photograph through the operations at eight sizes, 40 times "
		"the\n"
		"pixels from the smallest to the largest (at most 6 megapixels), and says whether\n"
		"time and memory grow faster than the pixels.\n"
		"Exit status: 0, 64 wrong usage, 66 no photograph, 73 cannot write, 75 not enough\n"
		"memory.\n",
	.run = run,
};
