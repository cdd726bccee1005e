/* SPDX-License-Identifier: MIT */
/* wanprof run: a command, unmodified, with its image operations recorded. */
#include "wanprof.h"

#include <inttypes.h>
#include <string.h>

#include "config_load.h"
#include "macros.h"
#include "run.h"
#include "str.h"
#include "units.h"

enum {
	OPTION_OUTPUT,
	OPTION_QUIET,
	OPTION_JOB,
	OPTION_ESTIMATE,
	OPTION_FORCE,
	OPTION_LIVE,
	OPTION_NO_FOLLOW,
	OPTION_ALLOC,
	OPTION_AUDIT,
	OPTION_NO_PYTHON_HOOKS,
	OPTION_RECORDS,
};

#define ALLOC_CHOICES "auto|count|jemalloc|off"
#define AUDIT_CHOICES "auto|on|off"

static const struct wanprof_option options[] = {
	[OPTION_OUTPUT] = {"output", 'o', "FILE", "record into FILE", NULL},
	[OPTION_QUIET] = {"quiet", 'q', NULL, "no summary and no remarks", NULL},
	[OPTION_JOB] = {"job", 0, "NAME", "name of the job; runs of one job are compared", NULL},
	[OPTION_ESTIMATE] = {"estimate", 0, "SECONDS", "how long the command should take", NULL},
	[OPTION_FORCE] = {"force", 0, NULL, "replace FILE", NULL},
	[OPTION_LIVE] = {"live", 0, NULL, "a line about it at the foot of the terminal", NULL},
	[OPTION_NO_FOLLOW] = {"no-follow", 0, NULL, "do not record the command's children", NULL},
	[OPTION_ALLOC] = {"alloc", 0, "WHICH",
			  "memory per operation: auto (default), count, jemalloc, off",
			  ALLOC_CHOICES},
	[OPTION_AUDIT] = {"audit", 0, "WHEN",
			  "ask the loader about each binding: auto (default), on, off",
			  AUDIT_CHOICES},
	[OPTION_NO_PYTHON_HOOKS] = {"no-python-hooks", 0, NULL, "do not look into Python modules",
				    NULL},
	[OPTION_RECORDS] = {"records", 0, "N",
			    "operations kept one by one; totals are exact anyway", NULL},
	{NULL, 0, NULL, NULL, NULL},
};

static int parse_number_option(struct run_request *request, const char *key, const char *text,
			       const char *option)
{
	struct wan_error error = {0};
	if (wan_config_set(&request->config, key, text, &error) == 0)
		return 0;
	return wanprof_usage_error(&wanprof_verb_run, "--%s %s: %s", option, text, error.reason);
}

/* A plain number is seconds; "90s", "6min" work as well. */
static int parse_estimate(struct run_request *request, const char *text)
{
	char ns[32];
	uint64_t value;
	if (wan_parse_duration_ns(text, 1000000000, &value) < 0)
		return wanprof_usage_error(&wanprof_verb_run,
					   "--estimate %s: is not a number of seconds", text);
	wan_str_format(ns, sizeof(ns), "%" PRIu64 "ns", value);
	return parse_number_option(request, "record.estimate", ns, "estimate");
}

/* The index of value in the names, which are those of choices. */
static int parse_choice(const char *option, const char *choices, const char *value,
			const char *const *names, unsigned *ret_index)
{
	int status = wanprof_check_choice(&wanprof_verb_run, option, choices, value);
	for (unsigned i = 0; !status && names[i]; i++)
		if (strcmp(value, names[i]) == 0)
			*ret_index = i;
	return status;
}

static int parse_alloc(struct run_request *request, const char *value)
{
	static const char *const names[] = {[RUN_ALLOC_AUTO] = "auto",
					    [RUN_ALLOC_COUNT] = "count",
					    [RUN_ALLOC_JEMALLOC] = "jemalloc",
					    [RUN_ALLOC_OFF] = "off",
					    NULL};
	unsigned index = request->alloc;
	int status = parse_choice("--alloc", ALLOC_CHOICES, value, names, &index);
	request->alloc = (enum run_alloc)index;
	return status;
}

static int parse_audit(struct run_request *request, const char *value)
{
	static const char *const names[] = {
		[RUN_AUDIT_AUTO] = "auto", [RUN_AUDIT_ON] = "on", [RUN_AUDIT_OFF] = "off", NULL};
	unsigned index = request->audit;
	int status = parse_choice("--audit", AUDIT_CHOICES, value, names, &index);
	request->audit = (enum run_audit)index;
	return status;
}

static int parse_one(struct run_request *request, int option, const char *value)
{
	switch (option) {
	case OPTION_OUTPUT:
		request->output = value;
		return 0;
	case OPTION_QUIET:
		request->quiet = true;
		return 0;
	case OPTION_JOB:
		return parse_number_option(request, "record.job", value, "job");
	case OPTION_ESTIMATE:
		return parse_estimate(request, value);
	case OPTION_FORCE:
		request->force = true;
		return 0;
	case OPTION_LIVE:
		request->live = true;
		return 0;
	case OPTION_NO_FOLLOW:
		request->follow = false;
		return 0;
	case OPTION_NO_PYTHON_HOOKS:
		request->config.profile_python_hooks = false;
		return 0;
	case OPTION_ALLOC:
		return parse_alloc(request, value);
	case OPTION_AUDIT:
		return parse_audit(request, value);
	case OPTION_RECORDS:
		return parse_number_option(request, "record.capacity", value, "records");
	default:
		return 0;
	}
}

static void load_config(struct run_request *request)
{
	struct wan_config_sources sources = {0};
	struct wan_error error = {0};
	wan_config_defaults(&request->config);
	if (wan_config_load(&request->config, &sources, NULL, &error) < 0)
		wanprof_say_error(&error);
}

static int parse(struct run_request *request, int argc, char **argv)
{
	struct wanprof_args args = WANPROF_ARGS(&wanprof_verb_run, argc, argv);
	int option;
	while ((option = wanprof_args_next(&args)) != WANPROF_ARGS_END) {
		int status = option == WANPROF_ARGS_USAGE ? args.status
							  : parse_one(request, option, args.value);
		if (status)
			return status;
	}
	if (args.next >= argc)
		return wanprof_usage_error(args.verb, "which command? as in: wanprof run -- djpeg "
						      "in.jpg");
	request->command = argv + args.next;
	return 0;
}

static int run(int argc, char **argv)
{
	static struct run_request request = {.follow = true}; /* 20 KiB of texts */
	load_config(&request);
	int status = parse(&request, argc, argv);
	return status ? status : run_session(&request);
}

const struct wanprof_verb wanprof_verb_run = {
	.name = "run",
	.summary = "Record a command, unmodified, and say what its image operations cost",
	.usage = "[options] [--] COMMAND [ARGUMENTS...]",
	.options = options,
	.text = "The command keeps its input, output, terminal and signals; the exit status is its "
		"own,\n"
		"128 + number for a signal, 125 when wanprof failed, 126 when the command is not\n"
		"executable, 127 when there is none. Without -o the recording goes to\n"
		"$XDG_STATE_HOME/wanrt (~/.local/state/wanrt), where old ones are removed in "
		"time.\n"
		"Set-uid, static and 32-bit programs run unrecorded.\n",
	.run = run,
	.usage_exit = WANPROF_RUN_FAILED,
	.stops_at_operand = true,
};
