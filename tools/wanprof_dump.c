/* SPDX-License-Identifier: MIT */
/* wanprof dump: what was recorded, as data. */
#include "wanprof.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "export.h"
#include "macros.h"
#include "profile_schema.h"
#include "recordings.h"
#include "str.h"
#include "sys.h"

/* "json|jsonl|...": the first | is skipped */
#define WAN_FORMAT(name, writer, binary, help) "|" #name
static const char all_formats[] =
#include "formats.def"
	;
#undef WAN_FORMAT
static const char *const format_names = all_formats + 1;
enum {
	OPTION_PID,
	OPTION_FORMAT,
	OPTION_OUTPUT,
	OPTION_FORCE,
	OPTION_LIST,
	OPTION_OP,
	OPTION_MIN_MS,
	OPTION_NO_METRICS,
	OPTION_TREE,
	OPTION_REDACT,
	OPTION_REDACT_KEY,
	OPTION_SCHEMA,
};

static const struct wanprof_option options[] = {
	[OPTION_PID] = {"pid", 'p', "PID", "the recording of this process, alive or dead", NULL},
	[OPTION_FORMAT] = {"format", 'f', "FORMAT", "json (default) or another one, see below",
			   all_formats + 1},
	[OPTION_OUTPUT] = {"output", 'o', "FILE", "write to FILE instead of standard output", NULL},
	[OPTION_FORCE] = {"force", 0, NULL, "replace FILE if it exists", NULL},
	[OPTION_LIST] = {"list", 0, NULL, "list the recordings there are, newest first", NULL},
	[OPTION_OP] = {"op", 0, "GLOB", "only operations of this name (jpeg.*)", NULL},
	[OPTION_MIN_MS] = {"min-ms", 0, "N", "list only operations of at least N ms", NULL},
	[OPTION_NO_METRICS] = {"no-metrics", 0, NULL, "sums and findings, no single operations",
			       NULL},
	[OPTION_TREE] = {"tree", 0, NULL,
			 "of a FILE in a folder: all processes of its run (-p has them anyway)",
			 NULL},
	[OPTION_REDACT] = {"redact", 0, NULL,
			   "hash paths and whatever may hold one, leave out the command line",
			   NULL},
	[OPTION_REDACT_KEY] = {"redact-key", 0, "FILE",
			       "--redact with the key in FILE: the same hashes in each dump", NULL},
	[OPTION_SCHEMA] = {"schema", 0, NULL, "print the JSON Schema of the profile", NULL},
	{NULL, 0, NULL, NULL, NULL},
};

#define PIDS_MAX 64

struct request {
	const char *pids[PIDS_MAX], *files[RECORDINGS_MAX];
	size_t pid_count, file_count;
	const struct wan_format *format;
	const char *output, *glob, *key;
	bool force, list, tree, schema;
	struct wan_export_options export;
};

static int write_failed(int rc, const char *path)
{
	struct wan_error error = {.code = rc};
	/* A reader that has seen enough (head) gets no message, a pipe by name does. */
	if (rc == -EPIPE && (!path || strcmp(path, "-") == 0))
		return WANPROF_NO_OUTPUT;
	wan_str_copy(error.object, sizeof(error.object), path ? path : "standard output");
	wan_str_format(error.reason, sizeof(error.reason), "could not be written: %s",
		       strerror(-rc));
	if (rc == -ENOSPC)
		wan_str_copy(error.hint, sizeof(error.hint),
			     "free some space or choose another place with -o");
	else if (rc == -EPIPE)
		wan_str_copy(error.hint, sizeof(error.hint),
			     "whatever reads it ended; start it again, or write to a file");
	wanprof_say_error(&error);
	return WANPROF_NO_OUTPUT;
}

static int write_out(const struct request *request, const struct wan_analysis *analysis)
{
	struct wanprof_output output;
	struct wan_error error = {0};
	bool standard = !request->output || strcmp(request->output, "-") == 0;
	if (request->format->binary && standard && isatty(STDOUT_FILENO)) {
		wanprof_say("standard output: %s is not for a terminal; write it to a file with -o",
			    request->format->name);
		return WANPROF_USAGE;
	}
	/* A reader of standard output that leaves ends us as it does other commands; a pipe by name
	 * is an output that failed. */
	if (!standard)
		signal(SIGPIPE, SIG_IGN);
	if (wanprof_output_open(&output, request->output, request->force, &error) < 0) {
		wanprof_say_error(&error);
		return WANPROF_NO_OUTPUT;
	}
	int rc = wan_format_write(request->format, analysis, &request->export, wan_json_write_fd,
				  &output.fd);
	if (rc < 0) {
		wanprof_output_abandon(&output);
		return write_failed(rc, request->output);
	}
	if (wanprof_output_commit(&output, &error) < 0) {
		wanprof_say_error(&error);
		return WANPROF_NO_OUTPUT;
	}
	return WANPROF_OK;
}

static int print_schema(void)
{
	int rc = wan_write_full(STDOUT_FILENO, wan_profile_schema, wan_profile_schema_bytes);
	return rc < 0 ? write_failed(rc, NULL) : WANPROF_OK;
}

static int open_all(struct recordings *recordings, const struct request *request)
{
	int status = 0;
	for (size_t i = 0; i < request->pid_count && !status; i++)
		status = recordings_add_pid(recordings, request->pids[i]);
	for (size_t i = 0; i < request->file_count && !status; i++)
		status = recordings_add_file(recordings, request->files[i], request->tree);
	return status ? status : recordings_default(recordings);
}

static int dump(struct request *request)
{
	static struct recordings recordings;
	static struct wan_config config;
	struct wan_environment environment;
	struct wan_analysis analysis;
	int status = open_all(&recordings, request);
	if (!status)
		status = recordings_analyse(&recordings, request->glob, request->export.redact,
					    &config, &analysis);
	if (!status) {
		request->export.environment = recordings_environment(&analysis, &environment);
		status = write_out(request, &analysis);
		wan_analysis_finish(&analysis);
	}
	if (!status && recordings.damaged) {
		wanprof_say("the recording is damaged: what could be read was written, damage[] "
			    "says where and why");
		status = WANPROF_DAMAGED;
	}
	recordings_close(&recordings);
	return status;
}

static int set_format(struct request *request, const char *name)
{
	int status = wanprof_check_choice(&wanprof_verb_dump, "--format", format_names, name);
	request->format = wan_format_find(name);
	return status;
}

static int set_min_ms(struct request *request, const char *text)
{
	double ms;
	if (wan_parse_double(text, &ms) || !(ms >= 0) || ms > 1e12)
		return wanprof_usage_error(&wanprof_verb_dump,
					   "--min-ms %s: not a number of milliseconds", text);
	request->export.min_ns = (uint64_t)llround(ms * 1e6);
	return 0;
}

/* A new secret for each dump: the hashes of two dumps cannot be compared, nor tried against names.
 */
static int make_key(uint64_t key[2])
{
	if (getrandom(key, 2 * sizeof(key[0]), 0) == 2 * sizeof(key[0]))
		return 0;
	wanprof_say("no random numbers for --redact: %s; use --redact-key FILE", strerror(errno));
	return WANPROF_SOFTWARE;
}

/* The first 64 KiB of the file are the secret, at least 16 bytes of it. */
static int read_key(uint64_t key[2], const char *path)
{
	static char secret[65536];
	int fd = wan_sys->open(path, O_RDONLY | O_CLOEXEC, 0);
	ssize_t bytes = fd < 0 ? -errno : wan_read_full(fd, secret, sizeof(secret));
	if (fd >= 0)
		wan_sys->close(fd);
	if (bytes < 0) {
		wanprof_say("%s: cannot be read: %s; name a file with a secret of your own", path,
			    strerror((int)-bytes));
		return WANPROF_NO_INPUT;
	}
	if (bytes < 16) {
		wanprof_say("%s: a key of %zd bytes; make one of 16 or more, as with `head -c 32 "
			    "/dev/urandom > FILE`",
			    path, bytes);
		return WANPROF_USAGE;
	}
	static const uint64_t first[2] = {1, 1}, second[2] = {2, 2};
	key[0] = wan_siphash(first, secret, (size_t)bytes);
	key[1] = wan_siphash(second, secret, (size_t)bytes);
	return 0;
}

static int add_name(const char **names, size_t *count, size_t most, const char *name)
{
	if (*count == most)
		return wanprof_usage_error(&wanprof_verb_dump, "too many recordings");
	names[(*count)++] = name;
	return 0;
}

static int take_option(struct request *request, int option, const char *value)
{
	switch (option) {
	case OPTION_PID:
		return add_name(request->pids, &request->pid_count, PIDS_MAX, value);
	case WANPROF_ARGS_OPERAND:
		return add_name(request->files, &request->file_count, RECORDINGS_MAX, value);
	case OPTION_FORMAT:
		return set_format(request, value);
	case OPTION_OUTPUT:
		request->output = value;
		return 0;
	case OPTION_OP:
		request->glob = value;
		return 0;
	case OPTION_MIN_MS:
		return set_min_ms(request, value);
	case OPTION_FORCE:
		request->force = true;
		return 0;
	case OPTION_LIST:
		request->list = true;
		return 0;
	case OPTION_NO_METRICS:
		request->export.no_metrics = true;
		return 0;
	case OPTION_TREE:
		request->tree = true;
		return 0;
	case OPTION_REDACT:
		request->export.redact = true;
		return 0;
	case OPTION_REDACT_KEY:
		request->export.redact = true;
		request->key = value;
		return 0;
	default:
		request->schema = true;
		return 0;
	}
}

static int run(int argc, char **argv)
{
	static struct request request;
	struct wanprof_args args = WANPROF_ARGS(&wanprof_verb_dump, argc, argv);
	int option;
	request.format = wan_format_find("json");
	while ((option = wanprof_args_next(&args)) != WANPROF_ARGS_END) {
		if (option == WANPROF_ARGS_USAGE)
			return args.status;
		int status = take_option(&request, option, args.value);
		if (status)
			return status;
	}
	if (request.schema)
		return print_schema();
	if (!request.list) {
		int status = 0;
		if (request.export.redact)
			status = request.key ? read_key(request.export.redact_key, request.key)
					     : make_key(request.export.redact_key);
		return status ? status : dump(&request);
	}
	int status = recordings_list(request.file_count ? request.files[0] : NULL, stdout);
	if (!status && (fflush(stdout) || ferror(stdout)))
		return write_failed(errno ? -errno : -EIO, NULL);
	return status;
}

#define WAN_FORMAT(name, writer, binary, help) "  " #name ": " help "\n"
const struct wanprof_verb wanprof_verb_dump = {
	.name = "dump",
	.summary = "Export a recording in any of ten formats",
	.usage = "[-p PID] [-f FORMAT] [-o FILE] [options] [FILE...]",
	.options = options,
	.text = "Formats:\n"
#include "formats.def"
		"\nFILE is a recording, the file of a run, or a folder of them; several are put\n"
		"together. Without one the newest recording is read. A live process is not\n"
		"stopped. Exit status: 0, 65 damaged (what could be read is written), 66 no\n"
		"such recording, 73 cannot write.\n",
	.run = run,
};
