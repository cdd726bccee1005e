/* SPDX-License-Identifier: MIT */
/* wanprof diff: what changed between two runs, or two sets of runs. */
#include "wanprof.h"

#include <unistd.h>

#include "diff.h"
#include "verdict_files.h"

enum { OPTION_BASE, OPTION_JSON };

static const struct wanprof_option options[] = {
	[OPTION_BASE] = {"base", 'b', "FILE",
			 "one more run of the base; then all FILEs are the other side", NULL},
	[OPTION_JSON] = {"json", 0, NULL, "the difference as JSON", NULL},
	{NULL, 0, NULL, NULL, NULL},
};

static int print_json(const struct diff *diff)
{
	struct wan_json json;
	int fd = STDOUT_FILENO;
	wan_json_init(&json, wan_json_write_fd, &fd, true);
	wan_json_object_begin(&json);
	wan_json_key_string(&json, "schema", "wanprof-diff");
	wan_json_key_u64(&json, "schema_version", 1);
	diff_json(diff, &json);
	wan_json_object_end(&json);
	wan_json_line_end(&json);
	return wan_json_finish(&json);
}

static int print(const struct verdict_files *base, const struct verdict_files *now, bool json)
{
	struct diff diff;
	if (diff_runs(&diff, base->runs, base->count, now->runs, now->count)) {
		wanprof_say("memory ran out; name fewer files");
		return WANPROF_NO_MEMORY;
	}
	int rc = 0;
	if (json)
		rc = print_json(&diff);
	else
		diff_text(&diff, stdout);
	diff_finish(&diff);
	if (rc < 0 || fflush(stdout) != 0 || ferror(stdout)) {
		wanprof_say("standard output: could not be written (disk full?)");
		return WANPROF_NO_OUTPUT;
	}
	const char *damaged = base->damaged ? base->damaged : now->damaged;
	if (!damaged)
		return WANPROF_OK;
	wanprof_say("%s is damaged: this is what could be read of it", damaged);
	return WANPROF_DAMAGED;
}

/* Without --base the first FILE is the base. */
static int load(struct verdict_files *base, struct verdict_files *now, const char *const *files,
		size_t count)
{
	size_t first = 0;
	int status = 0;
	if (!base->count && count)
		status = verdict_files_add(base, files[first++]);
	if (!status && first == count)
		return wanprof_usage_error(&wanprof_verb_diff,
					   "two recordings are needed: wanprof diff A B");
	for (; first < count && !status; first++)
		status = verdict_files_add(now, files[first]);
	return status;
}

static int run(int argc, char **argv)
{
	static const char *files[VERDICT_FILES_MAX];
	struct verdict_files base = {0}, now = {0};
	struct wanprof_args args = WANPROF_ARGS(&wanprof_verb_diff, argc, argv);
	size_t count = 0;
	bool json = false;
	int status = 0;
	for (int option; !status && (option = wanprof_args_next(&args)) != WANPROF_ARGS_END;) {
		if (option == WANPROF_ARGS_USAGE)
			status = args.status;
		else if (option == OPTION_JSON)
			json = true;
		else if (option == OPTION_BASE)
			status = verdict_files_add(&base, args.value);
		else if (count < VERDICT_FILES_MAX)
			files[count++] = args.value;
		else
			status = wanprof_usage_error(&wanprof_verb_diff, "too many recordings");
	}
	if (!status)
		status = load(&base, &now, files, count);
	if (!status)
		status = print(&base, &now, json);
	verdict_files_finish(&base);
	verdict_files_finish(&now);
	return status;
}

const struct wanprof_verb wanprof_verb_diff = {
	.name = "diff",
	.summary = "Say what changed between two runs, or two sets of them",
	.usage = "[--json] [--base FILE]... FILE...",
	.options = options,
	.text = "FILEs are recordings, or JSON of `wanprof dump`. The first one is compared with "
		"the\n"
		"others; with --base, those of --base with the FILEs. With four runs of each side\n"
		"or more each change has an interval. For a verdict: wanprof gate --baseline.\n"
		"Exit status: 0, 64 usage, 65 damaged, 66 no such file.\n",
	.run = run,
};
