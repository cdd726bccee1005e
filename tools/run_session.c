/* SPDX-License-Identifier: MIT */
/* One run from the look at the program to the summary. */
#include "run.h"
#include "wanprof.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "history_collect.h"
#include "log.h"
#include "place.h"
#include "layout.h"
#include "str.h"
#include "summary.h"
#include "sys.h"
#include "units.h"
#include "writer.h"

/* What the command's processes find in their environment. */
struct variables {
	char preload[4 * PATH_MAX + 16], path[PATH_MAX + 32], run_id[80], job[160], estimate[64];
	char capacity[64], audit[2 * PATH_MAX + 16], tunables[1040], ranges[PATH_MAX + 32];
	const char *list[12];
	size_t count;
};

struct session {
	const struct run_request *request;
	struct run_program program;
	struct run_preload preload;
	struct run_files files;
	struct variables variables;
	struct wan_recorder *recorder;
	struct run_outcome outcome;
	bool tidy; /* recorded in the default folder */
};
__attribute__((format(printf, 2, 3))) static void remark(const struct run_request *request,
							 const char *format, ...)
{
	char text[PATH_MAX + 512];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (!request->quiet)
		wanprof_say("%s", text);
}

/* A closed stdin, stdout or stderr stays closed for the command, but its number must not become a
 * file of ours, into which somebody's messages would then go. */
static void occupy_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			open("/dev/null", O_RDWR | O_CLOEXEC);
}

/* 32 hexadecimal digits that all processes of the run share. */
static void make_run_id(char *to, size_t bytes)
{
	uint64_t words[2];
	if (getrandom(words, sizeof(words), GRND_NONBLOCK) != sizeof(words)) {
		words[0] = wan_realtime_ns();
		words[1] = (uint64_t)getpid() << 32 ^ wan_now_ns();
	}
	wan_str_format(to, bytes, "%016" PRIx64 "%016" PRIx64, words[0], words[1]);
}

static void set_variable(struct variables *variables, const char *text)
{
	variables->list[variables->count++] = text;
	variables->list[variables->count] = NULL;
}

/* NVTX, which is compiled into programs, asks one library for a tool; ours unless the user has one.
 */
static void set_ranges(struct variables *v, const struct run_preload *preload)
{
	const char *name = strstr(preload->list, "libwanrt-preload.so");
	const char *given = getenv("NVTX_INJECTION64_PATH");
	if (!preload->recording || !name || (given && given[0]))
		return;
	const char *path = name;
	while (path > preload->list && path[-1] != ':')
		path--;
	wan_str_format(v->ranges, sizeof(v->ranges), "NVTX_INJECTION64_PATH=%.*s",
		       (int)(strcspn(path, ":")), path);
	set_variable(v, v->ranges);
}

static void make_variables(struct variables *v, const struct run_request *request,
			   const struct run_preload *preload, const struct run_files *files)
{
	const struct wan_config *config = &request->config;
	v->count = 0;
	wan_str_format(v->preload, sizeof(v->preload), "LD_PRELOAD=%s", preload->list);
	set_variable(v, v->preload);
	wan_str_format(v->audit, sizeof(v->audit), "LD_AUDIT=%s", preload->audit);
	wan_str_format(v->tunables, sizeof(v->tunables), "GLIBC_TUNABLES=%s", preload->tunables);
	if (preload->audit[0]) {
		set_variable(v, v->audit);
		set_variable(v, v->tunables);
	}
	wan_str_format(v->path, sizeof(v->path), "WAN_RECORD_PATH=%s", files->folder);
	set_variable(v, v->path);
	wan_str_format(v->run_id, sizeof(v->run_id), "WAN_RECORD_RUN_ID=%s", config->record_run_id);
	set_variable(v, v->run_id);
	wan_str_format(v->capacity, sizeof(v->capacity), "WAN_RECORD_CAPACITY=%" PRIu64,
		       config->record_capacity);
	set_variable(v, v->capacity);
	wan_str_format(v->job, sizeof(v->job), "WAN_RECORD_JOB=%s", config->record_job);
	if (config->record_job[0])
		set_variable(v, v->job);
	wan_str_format(v->estimate, sizeof(v->estimate), "WAN_RECORD_ESTIMATE=%" PRIu64 "ns",
		       config->record_estimate_ns);
	if (config->record_estimate_ns)
		set_variable(v, v->estimate);
	if (!config->profile_python_hooks)
		set_variable(v, "WAN_PROFILE_PYTHON_HOOKS=0");
	set_ranges(v, preload);
	if (!request->follow)
		set_variable(v, RUN_ONLY_PID);
	else if (getenv("WAN_RECORD_ONLY_PID")) /* a run inside one that does not follow */
		set_variable(v, RUN_ONLY_PID "0");
}

/* The recording of the parent is about the command, not about wanprof. */
static void describe_command(struct wan_recorder *recorder, const struct run_program *program,
			     char *const *command)
{
	struct wan_record_header *header = wan_recorder_header(recorder);
	size_t used = 0;
	wan_str_copy(header->program, sizeof(header->program), program->path);
	for (; *command && used + 1 < sizeof(header->command); command++)
		used += wan_str_format(header->command + used, sizeof(header->command) - used,
				       "%s%s", used ? "\x1f" : "", *command);
}

/* Said here, because a command that shows nothing leaves no recording of its own. */
static void describe_hooks(struct wan_recorder *recorder, const struct wan_config *config)
{
	if (config->profile_python_hooks)
		return;
	uint64_t *words = wan_recorder_counters(recorder, WAN_COUNTERS_COVERAGE, "pillow");
	if (words)
		words[WAN_COVER_SWITCHED_OFF] = 1;
}

static int make_recorder(struct session *session)
{
	char path[PATH_MAX + 64];
	wan_str_format(path, sizeof(path), "%swanprof-%d.wprof", session->files.folder,
		       (int)getpid());
	int status = wan_recorder_create(&session->request->config, WAN_ROLE_PARENT, path,
					 &session->recorder);
	if (status == 0)
		describe_hooks(session->recorder, &session->request->config);
	if (status == 0)
		run_before_prepare(session->recorder, session->files.folder);
	if (status == 0)
		describe_command(session->recorder, &session->program, session->request->command);
	if (status == 0 && session->request->live && !run_live_start(path))
		remark(session->request, "--live: there is no terminal to draw on");
	return status;
}

/* Why the command could not be started, in one sentence. */
static void explain_failed_start(const struct run_request *request,
				 const struct run_outcome *outcome)
{
	const char *name = request->command[0];
	struct stat status;
	if (outcome->status == WANPROF_RUN_MISSING && !strchr(name, '/'))
		wanprof_say("%s: command not found; check the spelling and PATH", name);
	else if (wan_sys->stat(name, &status) == 0 && S_ISDIR(status.st_mode))
		wanprof_say("%s: is a folder, not a command", name);
	else
		wanprof_say("%s: cannot be executed: %s", name, strerror(outcome->exit_status));
}

/* Runs the command; 0, or our own exit status when it did not start. */
static int execute(struct session *session)
{
	const struct run_request *request = session->request;
	int status = run_child(request->command, session->variables.list, session->recorder,
			       &session->outcome);
	if (status < 0) {
		wanprof_say("no process could be made: %s", strerror(-status));
		return WANPROF_RUN_FAILED;
	}
	if (session->outcome.started)
		return 0;
	explain_failed_start(request, &session->outcome);
	return session->outcome.status;
}

static int run_unrecorded(struct session *session)
{
	session->variables.list[0] = NULL;
	int failed = execute(session);
	return failed ? failed : session->outcome.status;
}

/* One line for what the summary cannot know, or when there is no summary. */
static void print_line(const struct session *session)
{
	char wall[32], peak[32], end[64];
	const struct run_outcome *outcome = &session->outcome;
	if (outcome->state == WAN_RUN_KILLED_FOR_MEMORY)
		wan_str_format(end, sizeof(end), "killed for memory");
	else if (outcome->signal)
		wan_str_format(end, sizeof(end), "ended by signal %d", outcome->signal);
	else
		wan_str_format(end, sizeof(end), "exit %d", outcome->exit_status);
	wan_format_duration(wall, sizeof(wall), outcome->end_ns - outcome->start_ns);
	wan_format_bytes(peak, sizeof(peak), (uint64_t)outcome->usage.ru_maxrss * WAN_KIB);
	remark(session->request, "%s: %s, %s, at most %s resident; recorded in %s",
	       session->request->command[0], end, wall, peak, session->files.path);
}

static void print_summary(const struct session *session)
{
	struct wan_recording *recording = NULL;
	struct wan_error error = {0};
	struct wan_summary_options options = {.path = session->files.path,
					      .colour = wanprof_colour(stderr),
					      .columns = wanprof_columns(stderr)};
	if (session->request->quiet)
		return;
	int status = wan_recording_open(session->files.path, &recording, &error);
	if (status == 0)
		status = wan_summary_print(stderr, recording, &session->request->config, &options);
	if (status < 0)
		print_line(session);
	wan_recording_close(recording);
}

static void finish(struct session *session)
{
	struct wan_error error = {0};
	const struct run_outcome *outcome = &session->outcome;
	unsigned alive = 0;
	wan_recorder_set_outcome(session->recorder, outcome->state, outcome->exit_status,
				 outcome->signal);
	wan_recorder_destroy(session->recorder);
	if (run_pack(&session->files, session->request->follow, outcome, &alive, &error) < 0) {
		wanprof_say_error(&error);
		wanprof_say("the recordings are kept in %s, which dump and report can read",
			    session->files.folder);
		return;
	}
	if (alive)
		remark(session->request,
		       "%u process%s of the command still run%s; recorded on in %s", alive,
		       alive == 1 ? "" : "es", alive == 1 ? "s" : "", session->files.folder);
	/* As many as the configuration says stay in the default folder; the history keeps the rest,
	 * and knows where runs are that have a job's name.
	 */
	if ((session->tidy || session->request->config.record_job[0]) && !alive)
		history_remember(session->files.path);
	if (session->tidy)
		wan_place_tidy(session->request->config.record_keep_files,
			       session->request->config.record_keep_bytes);
	print_summary(session);
}

static int run_recorded(struct session *session)
{
	make_variables(&session->variables, session->request, &session->preload, &session->files);
	int failed = execute(session);
	if (!failed) {
		finish(session);
		return session->outcome.status;
	}
	wan_recorder_destroy(session->recorder);
	run_files_discard(&session->files);
	return failed;
}

/*
 * FILE.d/ and our own recording in it. 0; a failure is WANPROF_RUN_FAILED when the user named the
 * place, so that nothing runs for hours unrecorded, else -1: the command matters more.
 */
static int prepare_files(struct session *session)
{
	struct wan_error error = {0};
	const struct run_request *request = session->request;
	const char *place = request->output;
	/* In a nested run the configured place is the outer run's. */
	if (!place && !getenv("WAN_RECORD_RUN_ID") && request->config.record_path[0])
		place = request->config.record_path;
	if (!request->output && place && strcmp(place, "off") == 0) {
		remark(request, "nothing is recorded: record.path is off; give a file with -o");
		return -1;
	}
	session->tidy = !place;
	int status = run_files_prepare(&session->files, place, session->program.path,
				       request->force, &error);
	if (status == 0) {
		status = make_recorder(session);
		if (status == 0)
			return 0;
		run_files_discard(&session->files);
		wan_error_set(&error, status, session->files.path, "choose another place with -o",
			      "cannot be written: %s", strerror(-status));
	}
	if (request->output) {
		wanprof_say_error(&error);
		return WANPROF_RUN_FAILED;
	}
	remark(request, "%s runs unrecorded: %s: %s; %s", request->command[0], error.object,
	       error.reason, error.hint);
	return -1;
}

int run_session(struct run_request *request)
{
	static struct session session; /* many paths */
	session.request = request;
	make_run_id(request->config.record_run_id, sizeof(request->config.record_run_id));
	occupy_standard_descriptors();
	run_program_inspect(request->command[0], &session.program);
	if (!session.program.path[0])
		return run_unrecorded(&session); /* which says why it cannot */
	if (!session.program.recordable) {
		remark(request, "%s runs unrecorded: %s", request->command[0],
		       session.program.reason);
		return run_unrecorded(&session);
	}
	run_preload_prepare(request, &session.program, &session.preload);
	if (request->audit == RUN_AUDIT_ON && !session.preload.audit[0]) {
		wanprof_say("--audit=on: no audit: %s; use --audit=auto to run without it",
			    session.preload.audit_reason);
		return WANPROF_RUN_FAILED;
	}
	if (!session.preload.recording) {
		remark(request, "%s runs unrecorded: %s", request->command[0],
		       session.preload.reason);
		return run_unrecorded(&session);
	}
	if (session.preload.reason[0])
		remark(request, "%s", session.preload.reason);
	if (session.preload.audit_reason[0])
		remark(request,
		       "without the audit companion (libraries opened with RTLD_DEEPBIND, dlmopen "
		       "or "
		       "dlsym are not seen): %s",
		       session.preload.audit_reason);
	int status = prepare_files(&session);
	if (status)
		return status > 0 ? status : run_unrecorded(&session);
	return run_recorded(&session);
}
