/* SPDX-License-Identifier: MIT */
/* wanprof gate: the verdict on recorded runs, as an exit status. */
#include "wanprof.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "baseline.h"
#include "gate_verdict.h"
#include "reader.h"
#include "str.h"
#include "verdict_files.h"

enum { OPTION_TARGETS, OPTION_BASELINE, OPTION_LIMIT, OPTION_JSON, OPTION_OUTPUT, OPTION_FORCE };

static const struct wanprof_option options[] = {
	[OPTION_TARGETS] = {"targets", 't', "FILE",
			    "limits of yours, or the name of a shipped list (repeatable)", NULL},
	[OPTION_BASELINE] = {"baseline", 'b', "FILE",
			     "a run to compare with, or a kept baseline's name (repeatable)", NULL},
	[OPTION_LIMIT] = {"limit", 0, "PERCENT",
			  "slow-down against the baseline that must not go unseen (default 5)",
			  NULL},
	[OPTION_JSON] = {"json", 0, NULL, "the verdict as JSON", NULL},
	[OPTION_OUTPUT] = {"output", 'o', "FILE", "write there instead of standard output", NULL},
	[OPTION_FORCE] = {"force", 0, NULL, "-o may overwrite", NULL},
	{NULL, 0, NULL, NULL, NULL},
};

struct request {
	struct verdict_files runs, base;
	struct targets targets;
	double limit_percent;
	const char *output;
	const char *baseline; /* of `wanprof baseline`; looked up when the tier is known */
	bool json, force;
};

static int out_of_memory(void)
{
	wanprof_say("memory ran out; name fewer files");
	return WANPROF_NO_MEMORY;
}

static void file_list(struct wan_json *json, const char *key, const struct verdict_files *files)
{
	wan_json_key(json, key);
	wan_json_array_begin(json);
	for (size_t i = 0; i < files->count; i++)
		wan_json_string(json, files->runs[i].path);
	wan_json_array_end(json);
}

static int write_json(const struct request *request, const struct gate_report *report, int fd)
{
	struct wan_json json;
	wan_json_init(&json, wan_json_write_fd, &fd, true);
	wan_json_object_begin(&json);
	wan_json_key_string(&json, "schema", "wanprof-gate");
	wan_json_key_u64(&json, "schema_version", 1);
	file_list(&json, "files", &request->runs);
	file_list(&json, "baseline_files", &request->base);
	wan_json_key_string(&json, "tier", request->runs.runs[0].machine.tier);
	gate_report_json(report, &json);
	wan_json_object_end(&json);
	wan_json_line_end(&json);
	return wan_json_finish(&json);
}

static int write_text(const struct gate_report *report, int fd)
{
	FILE *to = fdopen(dup(fd), "w");
	if (!to)
		return -errno;
	gate_report_text(report, to);
	return fclose(to) ? -errno : 0;
}

static int write_report(const struct request *request, const struct gate_report *report)
{
	struct wanprof_output output;
	struct wan_error error = {0};
	if (wanprof_output_open(&output, request->output, request->force, &error) < 0) {
		wanprof_say_error(&error);
		return WANPROF_NO_OUTPUT;
	}
	int rc = request->json ? write_json(request, report, output.fd)
			       : write_text(report, output.fd);
	if (rc < 0) {
		wanprof_output_abandon(&output);
		wanprof_say("%s: could not be written: %s",
			    request->output ? request->output : "standard output",
			    wan_strerror(rc));
		return WANPROF_NO_OUTPUT;
	}
	if (wanprof_output_commit(&output, &error) < 0) {
		wanprof_say_error(&error);
		return WANPROF_NO_OUTPUT;
	}
	return 0;
}

static int judge(const struct request *request)
{
	struct gate_facts facts;
	struct gate_report report;
	struct comparison comparison = {0};
	struct gate_input input = {.targets = &request->targets, .damaged = request->runs.damaged};
	if (gate_facts_init(&facts, request->runs.runs, request->runs.count))
		return out_of_memory();
	int rc = 0;
	if (request->base.count) {
		rc = compare_runs(&comparison, request->base.runs, request->base.count,
				  request->runs.runs, request->runs.count, request->limit_percent);
		input.comparison = &comparison;
		input.damaged = input.damaged ? input.damaged : request->base.damaged;
	}
	input.measurements = facts.measurements;
	input.measurement_count = facts.measurement_count;
	input.values = facts.values;
	input.value_count = facts.value_count;
	if (!rc)
		rc = gate_judge(&report, &input);
	int status = rc ? out_of_memory() : write_report(request, &report);
	if (!rc && !status)
		status = (int)report.verdict;
	if (!rc)
		gate_report_finish(&report);
	compare_finish(&comparison);
	gate_facts_finish(&facts);
	return status;
}

static int add_targets(struct request *request, const char *path)
{
	struct wan_error error = {0};
	int rc = targets_load(&request->targets, path, &error);
	if (!rc)
		return 0;
	wanprof_say_error(&error);
	return verdict_exit_status(rc);
}

static int read_limit(struct request *request, const char *text)
{
	if (wan_parse_double(text, &request->limit_percent) == 0 && request->limit_percent >= 0.1 &&
	    request->limit_percent <= 1000)
		return 0;
	return wanprof_usage_error(&wanprof_verb_gate, "--limit %s: a number from 0.1 to 1000",
				   text);
}

/* What is no file may be the name of a baseline. */
static int add_baseline(struct request *request, const char *value)
{
	if (access(value, F_OK) == 0 || !baseline_name_is_safe(value))
		return verdict_files_add(&request->base, value);
	if (request->baseline && strcmp(request->baseline, value) != 0)
		return wanprof_usage_error(&wanprof_verb_gate,
					   "--baseline %s: there is no such file, and %s was named "
					   "already: one kept baseline, or files",
					   value, request->baseline);
	request->baseline = value;
	return 0;
}

static int add_named(struct request *request)
{
	static struct baseline_files files; /* the paths stay with the facts */
	struct wan_error error = {0};
	int rc = baseline_find(&files, NULL, request->baseline,
			       baseline_tier(request->runs.runs[0].machine.tier),
			       BASELINE_REFERENCE, &error);
	if (rc) {
		wanprof_say("%s: no such file, and no kept baseline of this name; `wanprof "
			    "baseline list` names them",
			    request->baseline);
		return WANPROF_NO_INPUT;
	}
	int status = 0;
	for (size_t i = 0; i < files.count && !status; i++)
		status = verdict_files_add(&request->base, files.paths[i]);
	return status;
}

static int take(struct request *request, int option, const char *value)
{
	switch (option) {
	case OPTION_TARGETS:
		return add_targets(request, value);
	case OPTION_BASELINE:
		return add_baseline(request, value);
	case OPTION_LIMIT:
		return read_limit(request, value);
	case OPTION_JSON:
		request->json = true;
		return 0;
	case OPTION_OUTPUT:
		request->output = value;
		return 0;
	case OPTION_FORCE:
		request->force = true;
		return 0;
	default:
		return verdict_files_add(&request->runs, value);
	}
}

static int add_newest(struct request *request)
{
	char newest[4096];
	if (wan_recording_newest(NULL, newest, sizeof(newest)) < 0) {
		wanprof_say("nothing to judge: record a command with `wanprof run -- CMD`, or name "
			    "a FILE");
		return WANPROF_NO_INPUT;
	}
	wanprof_say("judging the newest recording, %s", newest);
	return verdict_files_add(&request->runs, newest);
}

static int run(int argc, char **argv)
{
	struct request request = {0};
	struct wanprof_args args = WANPROF_ARGS(&wanprof_verb_gate, argc, argv);
	int status = targets_init(&request.targets) ? out_of_memory() : 0;
	for (int option; !status && (option = wanprof_args_next(&args)) != WANPROF_ARGS_END;)
		status = option == WANPROF_ARGS_USAGE ? args.status
						      : take(&request, option, args.value);
	if (!status && !request.runs.count)
		status = add_newest(&request);
	if (!status && request.baseline)
		status = add_named(&request);
	if (!status)
		status = judge(&request);
	verdict_files_finish(&request.runs);
	verdict_files_finish(&request.base);
	targets_finish(&request.targets);
	return status;
}

const struct wanprof_verb wanprof_verb_gate = {
	.name = "gate",
	.summary = "Judge runs against targets and a baseline, for CI",
	.usage = "[--targets FILE]... [--baseline FILE]... [--json] [-o FILE] [FILE...]",
	.options = options,
	.text = "FILEs are recordings, or JSON of `wanprof dump` (- reads it from standard "
		"input).\n"
		"Exit status: 0 all met; 1 success rate below 80 %, a hard target missed, or a\n"
		"regression; 2 compliance below 90 %; 3 inconclusive; 1 before 2 before 3. 64 "
		"usage,\n"
		"65 damaged file or targets that contradict, 66 no such file.\n",
	.run = run,
};
