/* SPDX-License-Identifier: MIT */
/* wanprof bench: options; what they ask for is done in bench/. */
#include "wanprof.h"

#include <string.h>

#include "bench.h"
#include "macros.h"
#include "bench_plan.h"
#include "str.h"

enum {
	OPTION_MODE,
	OPTION_MATRIX,
	OPTION_TABLE,
	OPTION_SCALING,
	OPTION_ONLY,
	OPTION_SIZES,
	OPTION_SECONDS,
	OPTION_REPEATS,
	OPTION_JSON,
	OPTION_OUTPUT,
	OPTION_FORCE,
	OPTION_ROUNDS,
};

#define MODES  "quick|comprehensive|stress"
#define GROUPS "size|aspect|batch|concurrent|repeat|errors|stress|matrix"

static const struct wanprof_option options[] = {
	[OPTION_MODE] = {"mode", 0, "MODE", "quick, comprehensive or stress", MODES},
	[OPTION_MATRIX] = {"matrix", 0, NULL, "compare configurations", NULL},
	[OPTION_TABLE] = {"table", 0, NULL, "the five rows of the requirements", NULL},
	[OPTION_SCALING] = {"scaling", 0, "FILE", "one photograph at eight sizes", NULL},
	[OPTION_ONLY] = {"only", 0, "GROUP", "of a mode: this group of tests", GROUPS},
	[OPTION_SIZES] = {"sizes", 0, "LIST", "of a mode: these sizes, 64x64,1920x1080", NULL},
	[OPTION_SECONDS] = {"seconds", 0, "S", "of stress: each scenario, default 5", NULL},
	[OPTION_REPEATS] = {"repeats", 0, "N", "of the leak test; default 50", NULL},
	[OPTION_JSON] = {"json", 0, NULL, "figures as JSON", NULL},
	[OPTION_OUTPUT] = {"output", 'o', "FILE", "write there; of a mode: the JSON", NULL},
	[OPTION_FORCE] = {"force", 0, NULL, "replace FILE", NULL},
	[OPTION_ROUNDS] = {"rounds", 0, "N", "measure N times; --matrix: N frames", NULL},
	{NULL, 0, NULL, NULL, NULL},
};

struct request {
	bool table;
	const char *scaling; /* photograph */
	const char *mode, *sizes, *seconds, *repeats, *rounds;
	const char *photographs[BENCH_PHOTOGRAPHS_MAX];
	size_t photograph_count;
	struct bench_request plan; /* of --mode and --matrix */
	struct bench_output output;
};

/* A whole number within limits, or 0 for none given. 0, or the status of a usage error. */
static int number(const char *option, const char *text, unsigned most, unsigned *ret_value)
{
	uint64_t value;
	if (!text)
		return 0;
	if (wan_parse_u64(text, &value) < 0 || value < 1 || value > most)
		return wanprof_usage_error(&wanprof_verb_bench, "%s: 1 to %u", option, most);
	*ret_value = (unsigned)value;
	return 0;
}

static int check_plan(struct request *request)
{
	struct bench_request *plan = &request->plan;
	int status = request->mode ? wanprof_check_choice(&wanprof_verb_bench, "--mode", MODES,
							  request->mode)
				   : 0;
	for (int i = 1; i < 4 && request->mode; i++)
		if (strcmp(bench_mode_names[i], request->mode) == 0)
			plan->mode = (enum bench_mode)i;
	if (!status && request->sizes) {
		plan->size_count = bench_sizes_parse(request->sizes, plan->sizes);
		if (!plan->size_count)
			status = wanprof_usage_error(&wanprof_verb_bench,
						     "--sizes: WIDTHxHEIGHT,..., at most %d, sides "
						     "up to 16384, 64 megapixels each",
						     BENCH_SIZES_MAX);
	}
	if (!status && request->seconds &&
	    (wan_parse_double(request->seconds, &plan->seconds) < 0 || plan->seconds < 0.1 ||
	     plan->seconds > 600))
		status = wanprof_usage_error(&wanprof_verb_bench, "--seconds: 0.1 to 600");
	status = status ? status : number("--repeats", request->repeats, 1000, &plan->repeats);
	return status ? status : number("--rounds", request->rounds, 1000, &plan->rounds);
}

static int add_group(struct bench_request *plan, const char *name)
{
	int status = wanprof_check_choice(&wanprof_verb_bench, "--only", GROUPS, name);
	if (!status)
		plan->groups |= 1u << bench_group_find(name);
	return status;
}

/* 0, or the status of a usage error. */
static int check(const struct request *request)
{
	bool planned = request->mode || request->plan.matrix;
	if ((request->table || request->scaling) + planned + (request->table && request->scaling) >
	    1)
		return wanprof_usage_error(&wanprof_verb_bench,
					   "--table, --scaling and --mode or --matrix: one at a "
					   "time");
	if (!request->table && !request->scaling && !planned)
		return wanprof_usage_error(
			&wanprof_verb_bench,
			"say what to measure: --mode quick, --matrix, --table or "
			"--scaling FILE");
	if (request->scaling && request->photograph_count)
		return wanprof_usage_error(&wanprof_verb_bench, "--scaling takes one photograph");
	if (planned && request->photograph_count)
		return wanprof_usage_error(&wanprof_verb_bench,
					   "%s: a mode makes its pictures itself; --table takes "
					   "photographs",
					   request->photographs[0]);
	if (!planned &&
	    (request->sizes || request->seconds || request->repeats || request->plan.groups))
		return wanprof_usage_error(&wanprof_verb_bench,
					   "--only, --sizes, --seconds and --repeats belong to "
					   "--mode");
	return 0;
}

static int start(struct request *request)
{
	unsigned rounds = request->scaling ? BENCH_SCALING_ROUNDS : BENCH_TABLE_ROUNDS;
	unsigned most = request->scaling ? BENCH_SCALING_ROUNDS_MAX : BENCH_TABLE_ROUNDS_MAX;
	int status = check(request);
	if (status)
		return status;
	if (request->mode || request->plan.matrix) {
		status = check_plan(request);
		return status ? status : bench_mode_run(&request->plan, &request->output);
	}
	status = number("--rounds", request->rounds, most, &rounds);
	if (status)
		return status;
	if (request->scaling)
		return bench_scaling_run(request->scaling, rounds, &request->output);
	return bench_table_run(request->photographs, request->photograph_count, rounds,
			       &request->output);
}

/* 0, or the status of a usage error. */
static int take(struct request *request, int option, const char *value)
{
	const char **texts[] = {
		[OPTION_MODE] = &request->mode,       [OPTION_SCALING] = &request->scaling,
		[OPTION_SIZES] = &request->sizes,     [OPTION_SECONDS] = &request->seconds,
		[OPTION_REPEATS] = &request->repeats, [OPTION_OUTPUT] = &request->output.path,
		[OPTION_ROUNDS] = &request->rounds};
	bool *switches[] = {[OPTION_MATRIX] = &request->plan.matrix,
			    [OPTION_TABLE] = &request->table,
			    [OPTION_JSON] = &request->output.json,
			    [OPTION_FORCE] = &request->output.force};
	if (option == OPTION_ONLY)
		return add_group(&request->plan, value);
	if (option >= 0 && option < (int)WAN_COUNT_OF(texts) && texts[option])
		*texts[option] = value;
	else if (option >= 0 && option < (int)WAN_COUNT_OF(switches) && switches[option])
		*switches[option] = true;
	else if (request->photograph_count < BENCH_PHOTOGRAPHS_MAX)
		request->photographs[request->photograph_count++] = value;
	else
		return wanprof_usage_error(&wanprof_verb_bench, "too many photographs (%d at most)",
					   BENCH_PHOTOGRAPHS_MAX);
	return 0;
}

static int run(int argc, char **argv)
{
	struct request request = {0};
	struct wanprof_args args = WANPROF_ARGS(&wanprof_verb_bench, argc, argv);
	for (int option; (option = wanprof_args_next(&args)) != WANPROF_ARGS_END;) {
		int status = option == WANPROF_ARGS_USAGE ? args.status
							  : take(&request, option, args.value);
		if (status)
			return status;
	}
	return start(&request);
}

const struct wanprof_verb wanprof_verb_bench = {
	.name = "bench",
	.summary = "Measure this machine with the work of start and end images",
	.usage = "--mode quick|comprehensive|stress [--matrix] [-o FILE.json]\n"
		 "       wanprof bench --matrix [-o FILE.json]\n"
		 "       wanprof bench --table [--json] [-o FILE] [--rounds N] [PHOTOGRAPH...]\n"
		 "       wanprof bench --scaling PHOTOGRAPH [--json] [-o FILE] [--rounds N]",
	.options = options,
	.text = "--mode does a plan of tests on pictures made by rule and judges them: sizes,\n"
		"contents, extreme ratios, batches, many at once, 50 repeats for leaks, input "
		"that\n"
		"must be refused (quick, 30 s; comprehensive, minutes), or work while memory, "
		"disk\n"
		"or processor are short (stress). --matrix compares configurations by frames a\n"
		"second, memory, processor time and pixel error. The text goes to standard "
		"output,\n"
		"-o takes the JSON report. An interrupt writes what there is.\n"
		"--table does the five rows of the requirements' benchmark table on photographs,\n"
		"two of the package mate-backgrounds without PHOTOGRAPH. --scaling takes one\n"
		"photograph through the operations at eight sizes and says whether time and\n"
		"memory grow faster than the pixels.\n"
		"Exit status of --mode and --matrix: 0 all targets met, 1 failed, 2 compliance\n"
		"below 90 %, 3 inconclusive, 130 interrupted. Else 0; 64 wrong usage, 66 no\n"
		"photograph, 73 cannot write, 75 not enough memory.\n",
	.run = run,
};
