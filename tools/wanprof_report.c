/* SPDX-License-Identifier: MIT */
/* wanprof report: what the recordings mean, worst first. */
#include "wanprof.h"

#include <unistd.h>

#include "export.h"
#include "recordings.h"
#include "report_html.h"
#include "summary.h"

enum {
	OPTION_PID,
	OPTION_JSON,
	OPTION_TREE,
	OPTION_HTML,
	OPTION_BASELINE,
	OPTION_OPEN,
	OPTION_FORCE,
};

static const struct wanprof_option options[] = {
	[OPTION_PID] = {"pid", 'p', "PID", "the recording of this process, alive or dead", NULL},
	[OPTION_JSON] = {"json", 0, NULL, "the profile as JSON, without single operations", NULL},
	[OPTION_TREE] = {"tree", 0, NULL,
			 "of a FILE in a folder: all processes of its run (-p has them anyway)",
			 NULL},
	[OPTION_HTML] = {"html", 0, "FILE", "write a page with pictures; - is standard output",
			 NULL},
	[OPTION_BASELINE] =
		{"baseline", 0, "B",
		 "with --html: compare with this recording, dumped JSON or kept baseline", NULL},
	[OPTION_OPEN] = {"open", 0, NULL,
			 "open the page (without --html: NAME.html in this folder)", NULL},
	[OPTION_FORCE] = {"force", 0, NULL, "replace the page if it exists", NULL},
	{NULL, 0, NULL, NULL, NULL},
};

struct request {
	const char *first_file;
	bool json, tree;
	struct report_html page;
};

static bool wants_page(const struct request *request)
{
	return request->page.output || request->page.open;
}

static int print_json(const struct wan_analysis *analysis)
{
	struct wan_environment environment;
	struct wan_export_options chosen = {.no_metrics = true};
	struct wan_json json;
	int fd = STDOUT_FILENO;
	chosen.environment = recordings_environment(analysis, &environment);
	wan_json_init(&json, wan_json_write_fd, &fd, true);
	struct wan_export export = {.json = &json, .analysis = analysis, .options = &chosen};
	wan_export_json(&export);
	if (wan_json_finish(&json) == 0)
		return WANPROF_OK;
	wanprof_say("standard output: could not be written (disk full?)");
	return WANPROF_NO_OUTPUT;
}

static int print(struct recordings *recordings, const struct request *request)
{
	static struct wan_config config;
	struct wan_analysis analysis;
	int status = recordings_analyse(recordings, NULL, false, &config, &analysis);
	if (status)
		return status;
	const char *path = recordings->newest[0] ? recordings->newest : request->first_file;
	struct wan_summary_options chosen = {
		.path = path,
		.colour = wanprof_colour(stdout),
		.all_findings = true,
		.columns = wanprof_columns(stdout),
	};
	if (wants_page(request)) {
		struct report_html page = request->page;
		page.recording = path;
		status = report_html(&analysis, &page);
	} else if (request->json)
		status = print_json(&analysis);
	else
		wan_summary_print_analysis(stdout, &analysis, &chosen);
	wan_analysis_finish(&analysis);
	if (!status && recordings->damaged) {
		wanprof_say("the recording is damaged: this is what could be read; `wanprof dump` "
			    "says where and why");
		status = WANPROF_DAMAGED;
	}
	return status;
}

static int run(int argc, char **argv)
{
	static struct recordings recordings;
	struct request request = {0};
	const char *pids[64], *files[RECORDINGS_MAX];
	size_t pid_count = 0, file_count = 0;
	struct wanprof_args args = WANPROF_ARGS(&wanprof_verb_report, argc, argv);
	for (int option; (option = wanprof_args_next(&args)) != WANPROF_ARGS_END;) {
		if (option == WANPROF_ARGS_USAGE)
			return args.status;
		if (option == OPTION_JSON)
			request.json = true;
		else if (option == OPTION_TREE)
			request.tree = true;
		else if (option == OPTION_HTML)
			request.page.output = args.value;
		else if (option == OPTION_BASELINE)
			request.page.baseline = args.value;
		else if (option == OPTION_OPEN)
			request.page.open = true;
		else if (option == OPTION_FORCE)
			request.page.force = true;
		else if (option == OPTION_PID && pid_count < 64)
			pids[pid_count++] = args.value;
		else if (option == WANPROF_ARGS_OPERAND && file_count < RECORDINGS_MAX)
			files[file_count++] = args.value;
		else
			return wanprof_usage_error(&wanprof_verb_report, "too many recordings");
	}
	if (request.page.baseline && !wants_page(&request))
		return wanprof_usage_error(&wanprof_verb_report,
					   "--baseline is for the page: add --html FILE");
	if (request.json && wants_page(&request))
		return wanprof_usage_error(&wanprof_verb_report, "--json or --html, not both");
	int status = 0;
	for (size_t i = 0; i < pid_count && !status; i++)
		status = recordings_add_pid(&recordings, pids[i]);
	for (size_t i = 0; i < file_count && !status; i++)
		status = recordings_add_file(&recordings, files[i], request.tree);
	request.first_file = file_count ? files[0] : NULL;
	if (!status)
		status = recordings_default(&recordings);
	if (!status)
		status = print(&recordings, &request);
	recordings_close(&recordings);
	return status;
}

const struct wanprof_verb wanprof_verb_report = {
	.name = "report",
	.summary = "Say what was slow, heavy or badly scaling, worst first",
	.usage = "[-p PID] [--json] [--html FILE [--baseline B]] [FILE...]",
	.options = options,
	.text = "Each finding names its number, the limit, what to do and what that would save.\n"
		"Several recordings of a job are put together. Limits are configuration keys\n"
		"(wanprof config profile). Exit status: 0, 65 damaged, 66 no such recording,\n"
		"73 cannot write.\n",
	.run = run,
};
