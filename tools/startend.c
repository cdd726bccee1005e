/* SPDX-License-Identifier: MIT */
/* wan-startend: prepare the start and end image of a WAN clip, see wan-startend(1). */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "startend.h"

int startend_status(int code)
{
	switch (code) {
	case 0:
		return STARTEND_DONE;
	case -ENOENT:
	case -ENOTDIR:
	case -EACCES:
	case -ELOOP:
	case -ENAMETOOLONG:
		return STARTEND_MISSING;
	case -ENOMEM:
		return STARTEND_NO_MEMORY;
	case -ENOSPC:
	case -EEXIST:
	case -EROFS:
	case -EDQUOT:
		return STARTEND_CANNOT_WRITE;
	default:
		return STARTEND_BAD_IMAGE;
	}
}

void startend_say(const char *format, ...)
{
	char line[1024];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	for (char *at = line; *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			*at = '?';
	fprintf(stderr, "wan-startend: %s\n", line);
}

void startend_complain(const struct wan_error *error)
{
	/* The library speaks of its own options. */
	const char *hint = error->code == -EEXIST ? "use --force to replace it" : error->hint;
	startend_say("%s: %s%s%s", error->object, error->reason, hint[0] ? "; " : "", hint);
}

void startend_print_path(const char *path)
{
	for (; *path; path++)
		putchar((unsigned char)*path < 0x20 || *path == 0x7f ? '?' : *path);
}

void startend_print_issues(const struct wan_verdict *verdict)
{
	static const char *const names[] = {"note", "warning", "error"};
	for (uint32_t i = 0; i < verdict->issue_count; i++) {
		const struct wan_issue *issue = &verdict->issues[i];
		printf("  %-7s %s: %s", names[issue->severity], issue->id, issue->message);
		if (issue->suggestion[0])
			printf(" -> %s", issue->suggestion);
		putchar('\n');
	}
}

uint32_t startend_count_warnings(const struct wan_verdict *verdict)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < verdict->issue_count; i++)
		count += verdict->issues[i].severity == WAN_SEVERITY_WARNING;
	return count;
}

void startend_drop_framing(struct wan_verdict *verdict)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < verdict->issue_count; i++)
		if (strcmp(verdict->issues[i].id, "framing_differs") != 0)
			verdict->issues[kept++] = verdict->issues[i];
	verdict->issue_count = kept;
}

/* The first error is enough: all of them are in the verdict on standard output. */
int startend_refuse(const char *path, const struct wan_verdict *verdict)
{
	const struct wan_issue *issue = verdict->issues;
	while (issue->severity != WAN_SEVERITY_ERROR)
		issue++;
	startend_say("%s: is not used: %s%s%s", path, issue->message,
		     issue->suggestion[0] ? "; " : "", issue->suggestion);
	return STARTEND_BAD_IMAGE;
}

/* What the library has to say, as a setting of the environment that it did not understand. */
static void on_log(void *context, enum wan_log_level level, const char *message)
{
	const struct startend_options *options = context;
	if (level == WAN_LOG_ERROR || (level == WAN_LOG_WARNING && !options->quiet))
		startend_say("%s", message);
}

/* A profile that cannot be written is said before the work, not after it. */
static int check_json_path(const struct startend_options *options)
{
	if (!options->json_path || strcmp(options->json_path, "-") == 0 || options->force)
		return 0;
	if (access(options->json_path, F_OK) != 0)
		return 0;
	startend_say("%s: exists already; use --force to replace it", options->json_path);
	return STARTEND_CANNOT_WRITE;
}

static int flush(int status)
{
	if (fflush(stdout) || ferror(stdout)) {
		startend_say("standard output: cannot be written");
		status = status ? status : STARTEND_CANNOT_WRITE;
	}
	return status;
}

int main(int argc, char **argv)
{
	/* A write that fails is an error with a sentence, and the files matter more than who reads
	 * what is said. */
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	static struct startend_options options; /* the log may be asked for to the very end */
	int ended = startend_parse(argc, argv, &options);
	if (ended) {
		startend_finish(&options);
		return flush(ended - 1);
	}

	wan_set_log(on_log, &options);
	int status = 0;
	if (options.convert_from)
		status = startend_convert(&options);
	else if (options.explain)
		status = startend_explain(&options);
	if (options.folder && status <= STARTEND_WARNINGS)
		status = check_json_path(&options);
	if (status > STARTEND_WARNINGS || !options.folder) {
		startend_finish(&options);
		return flush(status);
	}
	struct wan_runtime_options runtime_options;
	wan_runtime_options_init(&runtime_options);
	struct wan_runtime *runtime;
	struct wan_error error = {0};
	int r = wan_runtime_create(&runtime_options, &runtime, &error);
	if (r < 0) {
		startend_complain(&error);
		startend_finish(&options);
		return r == -ENOMEM ? STARTEND_NO_MEMORY : STARTEND_USAGE;
	}

	status = startend_process(&options, runtime);

	struct wan_runtime_summary summary = {.struct_size = sizeof(summary)};
	wan_runtime_summary(runtime, &summary);
	if (!options.quiet)
		printf("cache: %llu hits, %llu misses, %.1f of %.0f MB in use\n",
		       (unsigned long long)summary.cache_performance.hits,
		       (unsigned long long)summary.cache_performance.misses,
		       (double)summary.cache_performance.used_bytes / 1048576,
		       (double)summary.cache_performance.limit_bytes / 1048576);
	if (options.json_path) {
		r = wan_runtime_export_json(runtime, options.json_path, options.force, &error);
		if (r < 0) {
			if (strcmp(error.object, "-") == 0)
				strcpy(error.object, "standard output");
			startend_complain(&error);
			status = status ? status : STARTEND_CANNOT_WRITE;
		}
	}
	const char *recording = wan_runtime_dump_path(runtime);
	if (recording && !options.quiet && summary.operations > 0)
		fprintf(stderr, "recorded %s   next: wanprof report %s\n", recording, recording);
	wan_runtime_unref(runtime);
	startend_finish(&options);
	return flush(status);
}
