/* SPDX-License-Identifier: MIT */
/* wanprof leak: does a command keep memory from one iteration to the next? */
#include "wanprof.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "config_load.h"
#include "leak.h"
#include "macros.h"
#include "recordings.h"
#include "run.h"
#include "scratch.h"
#include "str.h"
#include "units.h"

enum {
	EXIT_NONE = 0,
	EXIT_LEAK = 1,
	EXIT_INCONCLUSIVE = 3,
	RUNS_MOST = WAN_LEAK_READINGS_MAX - 1,
};

enum {
	OPTION_ITERATIONS,
	OPTION_SETTLE,
	OPTION_LIMIT,
	OPTION_EACH,
	OPTION_FROM,
	OPTION_NAME,
	OPTION_RULES,
	OPTION_OUTPUT,
	OPTION_FORCE,
	OPTION_JSON,
};

#define FROM_CHOICES "auto|marks|steps|operations|runs"

static const struct wanprof_option options[] = {
	[OPTION_ITERATIONS] = {"iterations", 'n', "N",
			       "judge over at least so many (default 10, at least 6)", NULL},
	[OPTION_SETTLE] = {"settle", 0, "SECONDS",
			   "wait so long after a run before looking (default 2)", NULL},
	[OPTION_LIMIT] = {"limit-mb", 0, "MB", "total growth that is too much (default 100)", NULL},
	[OPTION_EACH] = {"each-kb", 0, "KB", "growth per iteration that is a leak (default 32)",
			 NULL},
	[OPTION_FROM] = {"iterations-from", 0, "WHICH",
			 "what an iteration is: auto (default), marks, steps, operations, runs",
			 FROM_CHOICES},
	[OPTION_NAME] = {"name", 0, "NAME", "the progress bar, job or operation to go by", NULL},
	[OPTION_RULES] = {"rules", 0, "RULES", "default, or classic: total growth alone decides",
			  "default|classic"},
	[OPTION_OUTPUT] = {"output", 'o', "FILE", "keep the recording in FILE", NULL},
	[OPTION_FORCE] = {"force", 0, NULL, "replace FILE", NULL},
	[OPTION_JSON] = {"json", 0, NULL, "the result as JSON", NULL},
	{NULL, 0, NULL, NULL, NULL},
};

struct leak_request {
	struct leak_options chosen;
	const char *output;
	bool force;
	char *const *command;
	char words[512]; /* the command, for messages */
	struct wanprof_scratch folder;
	struct stat before; /* of the output; st_nlink 0: there was none */
	char recording[PATH_MAX + 32], temporary[PATH_MAX + 32];
};

static volatile sig_atomic_t child_pid;

static int read_double(const char *option, const char *text, double least, double most,
		       double *ret_value)
{
	char *end;
	errno = 0;
	double value = strtod(text, &end);
	if (end == text || *end || errno || !(value >= least && value <= most))
		return wanprof_usage_error(&wanprof_verb_leak,
					   "--%s %s: not a number from %g to %g", option, text,
					   least, most);
	*ret_value = value;
	return 0;
}

static int parse_from(struct leak_options *chosen, const char *value)
{
	int status =
		wanprof_check_choice(&wanprof_verb_leak, "--iterations-from", FROM_CHOICES, value);
	for (enum leak_from from = LEAK_FROM_AUTO; !status && from <= LEAK_FROM_RUNS; from++)
		if (strcmp(leak_from_name(from), value) == 0)
			chosen->from = from;
	return status;
}

static int parse_one(struct leak_request *request, int option, const char *value)
{
	struct leak_options *chosen = &request->chosen;
	double number = 0;
	int status = 0;
	switch (option) {
	case OPTION_ITERATIONS:
		status = read_double("iterations", value, WAN_LEAK_LEAST, 1e6, &number);
		chosen->rules.iterations = status ? 0 : (uint32_t)number;
		return status;
	case OPTION_SETTLE:
		status = read_double("settle", value, 0, 3600, &number);
		chosen->settle_ns = (uint64_t)(number * 1e9);
		return status;
	case OPTION_LIMIT:
		status = read_double("limit-mb", value, 0, 1e9, &number);
		chosen->rules.limit_bytes = number * WAN_MIB;
		return status;
	case OPTION_EACH:
		status = read_double("each-kb", value, 0, 1e9, &number);
		chosen->rules.each_bytes = number * WAN_KIB;
		return status;
	case OPTION_FROM:
		return parse_from(chosen, value);
	case OPTION_NAME:
		chosen->name = value;
		return 0;
	case OPTION_RULES:
		chosen->rules.classic = strcmp(value, "classic") == 0;
		return wanprof_check_choice(&wanprof_verb_leak, "--rules", "default|classic",
					    value);
	case OPTION_OUTPUT:
		request->output = value;
		return 0;
	case OPTION_FORCE:
		request->force = true;
		return 0;
	case OPTION_JSON:
		chosen->json = true;
		return 0;
	default:
		return 0;
	}
}

static int parse(struct leak_request *request, int argc, char **argv)
{
	struct wanprof_args args = WANPROF_ARGS(&wanprof_verb_leak, argc, argv);
	int option;
	while ((option = wanprof_args_next(&args)) != WANPROF_ARGS_END) {
		int status = option == WANPROF_ARGS_USAGE ? args.status
							  : parse_one(request, option, args.value);
		if (status)
			return status;
	}
	if (args.next >= argc)
		return wanprof_usage_error(args.verb, "which command? as in: wanprof leak -- "
						      "python3 generate.py");
	if (request->chosen.from == LEAK_FROM_RUNS && request->chosen.rules.iterations > RUNS_MOST)
		return wanprof_usage_error(args.verb, "-n: at most %d runs", RUNS_MOST);
	request->command = argv + args.next;
	size_t used = 0;
	for (char *const *word = request->command; *word && used < sizeof(request->words); word++)
		used += wan_str_format(request->words + used, sizeof(request->words) - used, "%s%s",
				       used ? " " : "", *word);
	return 0;
}

static int make_folder(struct leak_request *request)
{
	int status = wanprof_scratch_make(&request->folder, "leak");
	if (status)
		return status;
	wan_str_format(request->temporary, sizeof(request->temporary), "%s/tmp",
		       request->folder.path);
	wan_str_format(request->recording, sizeof(request->recording), "%s/leak.wprof",
		       request->folder.path);
	mkdir(request->temporary, 0700);
	return 0;
}

/* In the child: one run, as `wanprof run -q` does it. What the command prints goes to stderr: our
 * own stdout is for the result. */
static int run_once(const struct leak_request *request, bool first)
{
	static struct run_request run;
	struct wan_config_sources sources = {0};
	wan_config_defaults(&run.config);
	setenv("WAN_RECORD_HEAP", "1", 1);
	/* Python's own arenas hide small objects from the allocator's books. */
	setenv("PYTHONMALLOC", "malloc", 0);
	if (!first || request->chosen.from == LEAK_FROM_RUNS)
		setenv("TMPDIR", request->temporary, 1);
	wan_config_load(&run.config, &sources, NULL, NULL);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	run.command = request->command;
	run.quiet = run.follow = true;
	run.output = first && request->output ? request->output : request->recording;
	run.force = !first || request->force;
	return run_session(&run);
}

static const char *recording_of(const struct leak_request *request)
{
	return request->output ? request->output : request->recording;
}

/* Did the first run record anything? An output that was there before is no recording of ours. */
static bool is_recorded(const struct leak_request *request)
{
	const struct stat *before = &request->before;
	struct stat now;
	return stat(recording_of(request), &now) == 0 &&
	       (!before->st_nlink || now.st_dev != before->st_dev || now.st_ino != before->st_ino ||
		now.st_mtim.tv_sec != before->st_mtim.tv_sec ||
		now.st_mtim.tv_nsec != before->st_mtim.tv_nsec);
}

/* It did not run, and was told why. */
static bool never_ran(const struct leak_request *request, int status)
{
	return status >= WANPROF_RUN_FAILED && status <= WANPROF_RUN_MISSING &&
	       !is_recorded(request);
}

static void hand_on(int number)
{
	if (child_pid > 0)
		kill((pid_t)child_pid, number);
}

/* Exit status of the run, 128 + signal. */
static int run_child_process(const struct leak_request *request, bool first)
{
	int status;
	fflush(NULL);
	pid_t pid = fork();
	if (pid < 0) {
		wanprof_say("no process could be made: %s", strerror(errno));
		return WANPROF_RUN_FAILED;
	}
	if (pid == 0) {
		static const int numbers[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};
		for (size_t i = 0; i < WAN_COUNT_OF(numbers); i++)
			signal(numbers[i], SIG_DFL);
		prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
		_exit(run_once(request, first));
	}
	child_pid = pid;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	child_pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The children of a command that has ended come to us, and are not mistaken for ours. */
static void prepare_signals(void)
{
	static const int handed[] = {SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = hand_on};
	for (size_t i = 0; i < WAN_COUNT_OF(handed); i++)
		sigaction(handed[i], &action, NULL);
	signal(SIGINT, SIG_IGN); /* the terminal sends them to the command, whose end we await */
	signal(SIGQUIT, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

static void settle(uint64_t ns)
{
	struct timespec left = {.tv_sec = (time_t)(ns / 1000000000),
				.tv_nsec = (long)(ns % 1000000000)};
	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}

/* Whole runs: ran of them are over, whose first reading is readings[0]. False: the first one could
 * not be started, report->status says as what. */
static bool judge_runs(const struct leak_request *request, struct leak_leftover *readings,
		       size_t ran, struct leak_report *report)
{
	size_t wanted = WAN_MIN(request->chosen.rules.iterations, (uint32_t)RUNS_MOST);
	for (; ran < wanted; ran++) {
		int status = run_child_process(request, ran == 0);
		report->status = report->status ? report->status : status;
		report->failed |= status != 0;
		if (ran == 0 && never_ran(request, status))
			return false;
		if (status >= 128 || status == WANPROF_RUN_FAILED)
			break; /* somebody ended it: that is meant for all of them */
		settle(request->chosen.settle_ns);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		leak_leftover_read("", request->temporary, &readings[ran + 1]);
	}
	leak_leftover_judge(readings, ran + 1, &request->chosen, report);
	return true;
}

static int judge_recording(const struct leak_request *request, struct leak_report *report,
			   struct recordings *recordings, struct wan_analysis *analysis)
{
	static struct wan_config config;
	int status = recordings_add_file(recordings, recording_of(request), false);
	if (!status)
		status = recordings_analyse(recordings, NULL, false, &config, analysis);
	if (!status && leak_cut(analysis, &request->chosen, report) < 0)
		status = WANPROF_NO_MEMORY;
	return status;
}

static int show(const struct leak_request *request, const struct leak_report *report)
{
	int written = 0;
	if (request->chosen.json)
		written = leak_write_json(STDOUT_FILENO, report, &request->chosen, request->words);
	else
		leak_print(stdout, report, &request->chosen, request->words);
	if (written < 0 || fflush(stdout) != 0) {
		wanprof_say("standard output: could not be written (disk full?)");
		return WANPROF_NO_OUTPUT;
	}
	return report->verdict == WAN_LEAK_FOUND          ? EXIT_LEAK
	       : report->verdict == WAN_LEAK_INCONCLUSIVE ? EXIT_INCONCLUSIVE
							  : EXIT_NONE;
}

static bool is_one_iteration(const struct leak_request *request, const struct leak_report *report)
{
	return request->chosen.from == LEAK_FROM_AUTO && !request->chosen.name &&
	       report->seen == 1 && !report->failed;
}

static int test_command(struct leak_request *request)
{
	static struct leak_leftover readings[RUNS_MOST + 1];
	static struct leak_report report;
	static struct recordings recordings;
	struct wan_analysis analysis;
	prepare_signals();
	leak_leftover_read("", request->temporary, &readings[0]);
	if (request->chosen.from == LEAK_FROM_RUNS) {
		bool ran = judge_runs(request, readings, 0, &report);
		return ran ? show(request, &report) : report.status;
	}
	int ended = run_child_process(request, true);
	if (never_ran(request, ended))
		return ended;
	if (!is_recorded(request)) {
		wanprof_say("%s ran unrecorded: nothing can be judged; why, says: wanprof doctor "
			    "-- %s",
			    request->command[0], request->command[0]);
		return EXIT_INCONCLUSIVE;
	}
	int status = judge_recording(request, &report, &recordings, &analysis);
	if (status)
		return status;
	report.status = ended;
	report.failed = ended != 0;
	if (report.series_count)
		leak_decide(&report, &request->chosen);
	if (is_one_iteration(request, &report)) {
		wanprof_say("one iteration a run was seen: %s is run %u times more, and what the "
			    "runs leave behind is judged",
			    request->command[0], request->chosen.rules.iterations - 1);
		settle(request->chosen.settle_ns);
		leak_leftover_read("", request->temporary, &readings[1]);
		(void)judge_runs(request, readings, 1, &report);
	}
	status = show(request, &report);
	wan_analysis_finish(&analysis);
	recordings_close(&recordings);
	return status;
}

static int run(int argc, char **argv)
{
	static struct leak_request request = {
		.chosen = {.rules = {.iterations = WAN_LEAK_ITERATIONS,
				     .limit_bytes = WAN_LEAK_LIMIT_BYTES,
				     .each_bytes = WAN_LEAK_EACH_BYTES},
			   .settle_ns = 2000000000}}; /* requirements: 2 s */
	int status = parse(&request, argc, argv);
	if (!status)
		status = make_folder(&request);
	if (status)
		return status;
	if (request.output && stat(request.output, &request.before) != 0)
		request.before.st_nlink = 0;
	status = test_command(&request);
	wanprof_scratch_remove(&request.folder);
	return status;
}

const struct wanprof_verb wanprof_verb_leak = {
	.name = "leak",
	.summary = "Test whether a command keeps memory from one iteration to the next",
	.usage = "[options] [--] COMMAND [ARGUMENTS...]",
	.options = options,
	.text = "Iterations are looked for inside one run: what the program says\n"
		"(wan_leak_iteration()), steps of its progress bar, repeats of an operation. A\n"
		"command that is one iteration a run is run -n times, and what the runs leave\n"
		"behind is judged. What the command prints goes to standard error. Exit status: 0\n"
		"no leak, 1 leak, 3 inconclusive, 64 usage, 125 to 127 as `wanprof run`.\n",
	.run = run,
	.stops_at_operand = true,
};
