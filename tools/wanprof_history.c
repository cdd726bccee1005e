/* SPDX-License-Identifier: MIT */
/* wanprof history: what the runs of each job say together. */
#include "wanprof.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "history_choose.h"
#include "clock.h"
#include "machine.h"
#include "history_report.h"
#include "str.h"

enum {
	OPTION_JOB,
	OPTION_SINCE,
	OPTION_TIER,
	OPTION_LAST,
	OPTION_RUNS,
	OPTION_JSON,
	OPTION_REBUILD,
	OPTION_IMPORT,
	OPTION_EXPORT,
	OPTION_VERDICT,
	OPTION_FORCE,
};

#define TIERS "high-end|mid-range|budget|minimal"

static const struct wanprof_option options[] = {
	[OPTION_JOB] = {"job", 0, "GLOB", "only jobs of such a name", NULL},
	[OPTION_SINCE] = {"since", 0, "WHEN", "only runs since a date (2025-07-06) or stretch (7d)",
			  NULL},
	[OPTION_TIER] = {"tier", 0, "TIER", "only runs on machines of this tier", TIERS},
	[OPTION_LAST] = {"last", 0, "N", "only the latest N runs of each job", NULL},
	[OPTION_RUNS] = {"runs", 0, NULL, "list the single runs too", NULL},
	[OPTION_JSON] = {"json", 0, NULL, "as JSON", NULL},
	[OPTION_REBUILD] = {"rebuild", 0, NULL, "read all recordings again", NULL},
	[OPTION_IMPORT] = {"import", 0, "FILE", "take a list of runs over from FILE", NULL},
	[OPTION_EXPORT] = {"export", 0, NULL, "write the runs as such a list", NULL},
	[OPTION_VERDICT] = {"verdict", 0, "RUN=TEXT", "keep TEXT as the verdict on RUN", NULL},
	[OPTION_FORCE] = {"force", 0, NULL, "--import: replace the list of that name", NULL},
	{NULL, 0, NULL, NULL, NULL},
};

#define PATHS_MAX 1024

struct request {
	struct history_request collect;
	struct history_choice choice;
	const char *import, *verdict;
	bool runs, json, exports, force;
	const char *paths[PATHS_MAX];
};

static int of_code(int rc)
{
	switch (rc) {
	case -EBADMSG:
	case -ENOTSUP:
	case -EFBIG:
		return WANPROF_DAMAGED;
	case -ENOMEM:
		return WANPROF_NO_MEMORY;
	default:
		return WANPROF_NO_INPUT;
	}
}

static int import(const struct request *request)
{
	struct wan_error error = {0};
	size_t runs = 0;
	int rc = history_import(request->import, request->force, &runs, &error);
	if (rc == 0) {
		wanprof_say("%s: %zu runs taken over", request->import, runs);
		return WANPROF_OK;
	}
	wanprof_say_error(&error);
	bool input = rc == -ENOENT || rc == -EISDIR;
	return rc == -EBADMSG || rc == -ENOTSUP || rc == -EFBIG || rc == -ENOMEM || input
		       ? of_code(rc)
		       : WANPROF_NO_OUTPUT;
}

static int full_output(void)
{
	wanprof_say("standard output: could not be written (disk full?)");
	return WANPROF_NO_OUTPUT;
}

static int print_list(const struct history_runs *runs)
{
	puts(HISTORY_MAGIC);
	for (int declared = 1; declared >= 0; declared--) {
		size_t count = declared ? runs->declared_count : runs->count;
		for (size_t i = 0; i < count; i++) {
			char *line = history_format_line(
				declared ? &runs->declared[i] : &runs->items[i], declared);
			if (!line)
				return WANPROF_NO_MEMORY;
			puts(line);
			wan_free(line);
		}
	}
	return fflush(stdout) || ferror(stdout) ? full_output() : WANPROF_OK;
}

static int print(const struct request *request, const struct history_runs *runs,
		 const struct history_told *told)
{
	struct history_jobs jobs;
	struct wan_json json;
	int fd = STDOUT_FILENO, status = WANPROF_OK;
	if (request->exports)
		return print_list(runs);
	if (history_jobs_init(&jobs, runs)) {
		wanprof_say("out of memory; choose fewer runs with --since or --last");
		return WANPROF_NO_MEMORY;
	}
	if (request->json) {
		wan_json_init(&json, wan_json_write_fd, &fd, true);
		history_print_json(&json, &jobs, runs, told);
		wan_json_line_end(&json);
		status = wan_json_finish(&json) ? full_output() : WANPROF_OK;
	} else {
		history_print(stdout, &jobs, runs, request->runs, request->choice.job != NULL);
		status = fflush(stdout) || ferror(stdout) ? full_output() : WANPROF_OK;
	}
	history_jobs_finish(&jobs);
	return status;
}

static void say_remarks(const struct history_told *told)
{
	if (told->remark[0])
		wanprof_say("%s", told->remark);
	if (told->trouble[0])
		wanprof_say("%s", told->trouble);
	if (told->unreadable)
		wanprof_say("%zu file%s passed over: no recording%s that can be read",
			    told->unreadable, told->unreadable == 1 ? "" : "s",
			    told->unreadable == 1 ? "" : "s");
}

static int keep_verdict(const struct request *request)
{
	char key[512];
	struct wan_error error = {0};
	struct history_runs runs = {0};
	struct history_told told;
	const char *equals = strchr(request->verdict, '=');
	if (!equals || equals == request->verdict || equals - request->verdict >= 500)
		return wanprof_usage_error(&wanprof_verb_history, "--verdict needs RUN=TEXT");
	wan_str_format(key, sizeof(key), "%.*s", (int)(equals - request->verdict),
		       request->verdict);
	int rc = history_collect(&request->collect, &runs, &told, &error);
	const struct history_run *found = NULL;
	size_t matches = 0;
	for (size_t i = 0; !rc && i < runs.count; i++)
		if (runs.items[i].key && wan_str_starts(runs.items[i].key, key)) {
			found = &runs.items[i];
			matches++;
		}
	int status = WANPROF_OK;
	if (!rc && matches != 1) {
		wanprof_say(matches ? "%s: %zu runs begin so; give more of the key"
				    : "%s: no such run (%zu); `wanprof history --runs` shows keys "
				      "in brackets",
			    key, matches);
		status = WANPROF_NO_INPUT;
	} else if (rc || (rc = history_keep_verdict(found->key, equals + 1, &error))) {
		wanprof_say_error(&error);
		status = WANPROF_NO_OUTPUT;
	}
	history_runs_finish(&runs);
	return status;
}

static int show(const struct request *request)
{
	struct wan_error error = {0};
	struct history_runs runs = {0};
	struct history_told told;
	int rc = history_collect(&request->collect, &runs, &told, &error);
	if (rc) {
		wanprof_say_error(&error);
		return of_code(rc);
	}
	say_remarks(&told);
	bool nothing = !runs.count && !runs.declared_count;
	if (history_choose(&runs, &request->choice)) {
		history_runs_finish(&runs);
		return of_code(-ENOMEM);
	}
	int status = WANPROF_NO_INPUT;
	if (nothing)
		wanprof_say("no runs: record a command with `wanprof run --job NAME -- CMD`, name "
			    "recordings, or take a list over with --import");
	else if (!runs.count && !runs.declared_count)
		wanprof_say("there is no such run; `wanprof history` lists all");
	else
		status = print(request, &runs, &told);
	history_runs_finish(&runs);
	return status;
}

static int set_option(struct request *request, int option, const char *value)
{
	uint64_t number;
	switch (option) {
	case OPTION_JOB:
		request->choice.job = value;
		return 0;
	case OPTION_SINCE:
		if (history_parse_since(value, wan_realtime_ns(), &request->choice.since_ns) == 0)
			return 0;
		return wanprof_usage_error(&wanprof_verb_history,
					   "--since %s: neither a date (2025-07-06) nor a stretch "
					   "(7d, 12h)",
					   value);
	case OPTION_TIER:
		request->choice.tier = value;
		return wanprof_check_choice(&wanprof_verb_history, "--tier", TIERS, value);
	case OPTION_LAST:
		if (wan_parse_u64(value, &number) || !number)
			return wanprof_usage_error(&wanprof_verb_history,
						   "--last %s: is not a number of runs", value);
		request->choice.last = (size_t)number;
		return 0;
	case OPTION_IMPORT:
		request->import = value;
		return 0;
	case OPTION_VERDICT:
		request->verdict = value;
		return 0;
	default:
		request->runs |= option == OPTION_RUNS;
		request->json |= option == OPTION_JSON;
		request->collect.rebuild |= option == OPTION_REBUILD;
		request->exports |= option == OPTION_EXPORT;
		request->force |= option == OPTION_FORCE;
		return 0;
	}
}

static int run(int argc, char **argv)
{
	static struct request request;
	struct wanprof_args args = WANPROF_ARGS(&wanprof_verb_history, argc, argv);
	int option;
	while ((option = wanprof_args_next(&args)) != WANPROF_ARGS_END) {
		int status = 0;
		if (option == WANPROF_ARGS_USAGE)
			return args.status;
		if (option != WANPROF_ARGS_OPERAND)
			status = set_option(&request, option, args.value);
		else if (request.collect.path_count < PATHS_MAX)
			request.paths[request.collect.path_count++] = args.value;
		else
			status = wanprof_usage_error(&wanprof_verb_history,
						     "more than %d recordings; name their folder",
						     PATHS_MAX);
		if (status)
			return status;
	}
	request.collect.paths = request.paths;
	if (request.import)
		return import(&request);
	return request.verdict ? keep_verdict(&request) : show(&request);
}

const struct wanprof_verb wanprof_verb_history = {
	.name = "history",
	.summary = "Say what the runs of each job have in common: time, phases, success, trend",
	.usage = "[options] [FILE|FOLDER...]",
	.options = options,
	.text = "Reads the recordings of the default folder, those named, and lists that were\n"
		"imported. A run stays in the history when its recording has been removed.\n"
		"Exit status: 0, 64 usage, 65 damaged, 66 no runs, 73 cannot write.\n",
	.run = run,
};
