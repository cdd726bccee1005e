/* SPDX-License-Identifier: MIT */
/* wanprof bench --mode, --matrix: a plan, one start of wanprof-bench for each case, a report. */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "clock.h"
#include "helper.h"
#include "bench_judge.h"
#include "macros.h"
#include "mode.h"
#include "report.h"
#include "scratch.h"
#include "str.h"
#include "wanprof.h"

struct run {
	struct bench_plan plan;
	struct bench_report report;
	struct bench_said said;
	struct bench_progress progress;
	struct wanprof_scratch folder; /* of the pictures */
};

/* --- one case --- */

static void take(void *context, char *line)
{
	bench_take_line(&((struct run *)context)->said, line);
}

static void meanwhile(void *context)
{
	struct run *run = context;
	const struct bench_said *said = &run->said;
	bench_progress_show(&run->progress, said->of,
			    said->total ? (double)said->done / (double)said->total : 0);
}

static void make_sources(struct run *run, const struct bench_case *of, struct session_end *end)
{
	const char *arguments[BENCH_CASE_SOURCES + 3] = {"make", run->folder.path};
	const struct session_start start = {.arguments = arguments,
					    .folder = run->folder.path,
					    .timeout_ms = 120000,
					    .take = take,
					    .context = run};
	*end = (struct session_end){0};
	for (unsigned i = 0; i < of->source_count; i++)
		arguments[2 + i] = of->sources[i];
	int r = of->source_count ? bench_session_run(&start, end) : 0;
	if (r < 0) {
		end->status = WANPROF_SOFTWARE;
		wan_str_copy(end->said, sizeof(end->said), strerror(-r));
	}
	run->said.done = run->said.total = 0;
}

/* The group that limits the memory of the case, or else a cap that it sets itself. */
static const char *limit_memory(struct run *run, struct bench_case *of, char *folder, size_t bytes)
{
	char reason[128];
	if (of->injection.memory_percent <= 0)
		return NULL;
	if (bench_group_make(folder, bytes, of->injection.memory_limit_mb << 20, reason,
			     sizeof(reason)) == 0)
		return folder;
	run->said.by_cap = true;
	wan_str_copy(of->words[2], sizeof(of->words[2]), "memory-cap");
	return NULL;
}

static void work(struct run *run, struct bench_case *of, struct session_end *end)
{
	const char *arguments[BENCH_WORDS_MAX + 1] = {NULL};
	char folder[PATH_MAX];
	const char *group = limit_memory(run, of, folder, sizeof(folder));
	const struct session_start start = {.arguments = arguments,
					    .folder = run->folder.path,
					    .timeout_ms = of->timeout_ms,
					    .injection = &of->injection,
					    .group = group,
					    .take = take,
					    .meanwhile = meanwhile,
					    .context = run};
	for (unsigned i = 0; i < of->word_count; i++)
		arguments[i] = strcmp(of->words[i], "@") == 0 ? run->folder.path : of->words[i];
	int r = bench_session_run(&start, end);
	if (r < 0) {
		end->status = WANPROF_SOFTWARE;
		wan_str_copy(end->said, sizeof(end->said), strerror(-r));
	}
	if (group)
		bench_group_remove(group);
}

static void run_case(struct run *run, struct bench_case *of)
{
	struct session_end end;
	run->said = (struct bench_said){
		.of = of, .report = &run->report, .first_test = run->report.test_count};
	meanwhile(run);
	if (*of->impossible) {
		end = (struct session_end){.status = SESSION_NOT_INJECTED};
		wan_str_copy(end.said, sizeof(end.said), of->impossible);
	} else {
		make_sources(run, of, &end);
	}
	if (!end.status && !end.signal && !end.interrupted && !end.timed_out)
		work(run, of, &end);
	bench_take_end(&run->said, &end);
	if (end.interrupted)
		run->report.interrupted = bench_interrupted();
	bench_progress_done(&run->progress, of);
}

static void run_all(struct run *run)
{
	uint64_t begin_ns = wan_now_ns();
	run->report.started_ns = wan_realtime_ns();
	bench_interrupts_begin();
	bench_progress_begin(&run->progress, &run->plan);
	for (size_t i = 0; i < run->plan.count && !run->report.interrupted; i++)
		run_case(run, &run->plan.cases[i]);
	bench_progress_end(&run->progress);
	bench_interrupts_end();
	run->report.complete = !run->report.interrupted;
	run->report.seconds = (double)(wan_now_ns() - begin_ns) / 1e9;
	bench_sort_rows(run->report.rows, run->report.row_count);
	bench_take_rows(&run->report);
}

/* --- the report --- */

/* JSON into the file that was opened before the work began; the text is on standard output, so
 * that a full disk loses nothing that a person would read. */
static int write_document(const struct run *run, struct wanprof_output *output, const char *path)
{
	struct wan_error error;
	if (bench_report_json(output->fd, &run->report) < 0) {
		wanprof_say("%s: could not be written (disk full?); the report is on standard "
			    "output",
			    path);
		wanprof_output_abandon(output);
		return WANPROF_NO_OUTPUT;
	}
	if (wanprof_output_commit(output, &error) < 0) {
		wanprof_say_error(&error);
		return WANPROF_NO_OUTPUT;
	}
	return WANPROF_OK;
}

static int write_report(const struct run *run, const struct bench_output *choice,
			struct wanprof_output *output)
{
	int status = WANPROF_OK;
	if (choice->json && !choice->path) {
		if (bench_report_json(STDOUT_FILENO, &run->report) < 0)
			status = WANPROF_NO_OUTPUT;
	} else {
		bench_report_text(stdout, &run->report);
		if (fflush(stdout) != 0 || ferror(stdout))
			status = WANPROF_NO_OUTPUT;
	}
	if (status)
		wanprof_say("standard output: could not be written");
	if (choice->path) {
		int r = write_document(run, output, choice->path);
		status = status ? status : r;
	}
	return status;
}

int bench_mode_run(const struct bench_request *asked, const struct bench_output *chosen)
{
	static struct run run;
	struct bench_request request = *asked;
	struct bench_output place = *chosen, *choice = &place;
	struct wanprof_output output;
	struct wan_error error;
	struct bench_summary summary;
	char helper[PATH_MAX];
	if (!bench_helper_find(helper, sizeof(helper))) {
		wanprof_say("wanprof-bench: not found beside wanprof; install the whole package");
		return WANPROF_SOFTWARE;
	}
	if (place.path && strcmp(place.path, "-") == 0) { /* the JSON alone */
		place.path = NULL;
		place.json = true;
	}
	machine_look(&(struct machine_request){.gpus = machine_gpus_real, .system = true},
		     &run.report.machine);
	double cpus = machine_cpus(&run.report.machine);
	request.cpus = cpus >= 1 ? (unsigned)cpus : 1;
	/* A quarter of what is left: the machine is not to notice. */
	request.memory_mb = run.report.machine.memory_headroom_bytes >> 22;
	run.report.mode = request.mode ? bench_mode_names[request.mode] : NULL;
	bench_plan_make(&run.plan, &request);
	if (!run.plan.count)
		return wanprof_usage_error(&wanprof_verb_bench,
					   "--only: nothing of that is in this mode");
	if (choice->path && wanprof_output_open(&output, choice->path, choice->force, &error) < 0) {
		wanprof_say_error(&error);
		return WANPROF_NO_OUTPUT;
	}
	int status = wanprof_scratch_make(&run.folder, "bench");
	if (status) {
		if (choice->path)
			wanprof_output_abandon(&output);
		return status;
	}
	run_all(&run);
	wanprof_scratch_remove(&run.folder);
	status = write_report(&run, choice, &output);
	int r = bench_summarise(&run.report, &summary);
	if (run.report.interrupted)
		return 128 + run.report.interrupted;
	if (r < 0)
		return WANPROF_NO_MEMORY;
	return status ? status : summary.exit_status;
}
