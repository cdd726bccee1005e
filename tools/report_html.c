/* SPDX-License-Identifier: MIT */
#include "report_html.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "baseline.h"
#include "clock.h"
#include "host.h"
#include "html.h"
#include "json_writer.h"
#include "recordings.h"
#include "str.h"
#include "sys.h"
#include "wanprof.h"

extern char **environ;

/* What is compared with: always facts, and the recording itself where it is one. */
struct baseline {
	struct run_facts now, facts;
	struct recordings recordings;
	struct wan_config config;
	struct wan_analysis analysis;
	bool compared, analysed;
};

static int status_of(int rc)
{
	return rc == -ENOMEM                     ? WANPROF_NO_MEMORY
	       : rc == -ENOENT || rc == -ENODATA ? WANPROF_NO_INPUT
						 : WANPROF_DAMAGED;
}

/* A file, or else the first one kept under that name, of this machine's tier where there is one. */
static int find_baseline(const char **path, const struct wan_analysis *analysis)
{
	static struct baseline_files files; /* the path stays with the facts */
	struct wan_error error = {0};
	struct wan_host host;
	struct stat status;
	if (wan_sys->stat(*path, &status) == 0 || !baseline_name_is_safe(*path))
		return 0;
	wan_host_of(&analysis->view, &host);
	int rc = baseline_find(&files, NULL, *path, baseline_tier(host.tier), BASELINE_REFERENCE,
			       &error);
	if (rc || !files.count) {
		wanprof_say_error(&error);
		return WANPROF_NO_INPUT;
	}
	if (files.count > 1)
		wanprof_say("baseline %s has %zu runs; the page shows the first, `wanprof gate` "
			    "compares with all",
			    *path, files.count);
	*path = files.paths[0];
	return 0;
}

static int load_baseline(struct baseline *baseline, const struct wan_analysis *analysis,
			 const struct wan_environment *environment, const char *path)
{
	struct wan_error error = {0};
	int status = find_baseline(&path, analysis);
	if (status)
		return status;
	int rc = run_facts_load(&baseline->facts, path, &error);
	if (rc < 0) {
		wanprof_say_error(&error);
		return status_of(rc);
	}
	if (run_facts_from_analysis(&baseline->now, analysis, environment)) {
		run_facts_finish(&baseline->facts);
		wanprof_say("out of memory; name fewer recordings");
		return WANPROF_NO_MEMORY;
	}
	baseline->compared = true;
	if (baseline->facts.from_json)
		return 0;
	status = recordings_add_file(&baseline->recordings, path, false);
	if (!status)
		status = recordings_analyse(&baseline->recordings, NULL, false, &baseline->config,
					    &baseline->analysis);
	baseline->analysed = !status;
	return status;
}

static void free_baseline(struct baseline *baseline)
{
	if (baseline->analysed)
		wan_analysis_finish(&baseline->analysis);
	recordings_close(&baseline->recordings);
	if (baseline->compared) {
		run_facts_finish(&baseline->facts);
		run_facts_finish(&baseline->now);
	}
}

/* "monday.wprof" becomes "monday.html", in the folder one is in. */
static void default_name(char *to, size_t bytes, const char *recording)
{
	const char *slash = recording ? strrchr(recording, '/') : NULL;
	const char *name = slash ? slash + 1 : recording ? recording : "";
	const char *end = strrchr(name, '.');
	size_t length = end && end > name ? (size_t)(end - name) : strlen(name);
	if (!length || name[0] == '-')
		wan_str_copy(to, bytes, "wanprof-report.html");
	else
		wan_str_format(to, bytes, "%.*s.html", (int)(length < 200 ? length : 200), name);
}

static int write_page(const struct wan_analysis *analysis, const struct html_options *options,
		      const char *path, bool force)
{
	struct wanprof_output output;
	struct wan_error error = {0};
	if (strcmp(path, "-") != 0)
		signal(SIGPIPE, SIG_IGN); /* a pipe by name is an output that failed */
	if (wanprof_output_open(&output, path, force, &error) < 0) {
		wanprof_say_error(&error);
		return WANPROF_NO_OUTPUT;
	}
	int rc = html_report_write(analysis, options, wan_json_write_fd, &output.fd);
	if (rc < 0) {
		wanprof_output_abandon(&output);
		if (rc == -ENOMEM) {
			wanprof_say("out of memory; name fewer recordings");
			return WANPROF_NO_MEMORY;
		}
		if (rc != -EPIPE || !output.standard)
			wanprof_say("%s: could not be written: %s; free some space or choose "
				    "another place",
				    output.standard ? "standard output" : path, strerror(-rc));
		return WANPROF_NO_OUTPUT;
	}
	if (wanprof_output_commit(&output, &error) < 0) {
		wanprof_say_error(&error);
		return WANPROF_NO_OUTPUT;
	}
	return WANPROF_OK;
}

static bool has_desktop(void)
{
	const char *x11 = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");
	return (x11 && x11[0]) || (wayland && wayland[0]);
}

/* Not waited for: some browsers stay in front. Without a desktop the path is what can be given. */
static void open_page(const char *path)
{
	char *resolved = realpath(path, NULL);
	char program[] = "xdg-open";
	char *arguments[] = {program, resolved, NULL};
	posix_spawn_file_actions_t actions;
	pid_t pid;
	bool opened = false;
	if (resolved && has_desktop() && posix_spawn_file_actions_init(&actions) == 0) {
		for (int fd = 0; fd < 3; fd++)
			posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
		opened = posix_spawnp(&pid, program, &actions, NULL, arguments, environ) == 0;
		posix_spawn_file_actions_destroy(&actions);
	}
	if (!opened)
		wanprof_say("%s: written; open it in a browser (there is no desktop to do so)",
			    resolved ? resolved : path);
	free(resolved);
}

int report_html(const struct wan_analysis *analysis, const struct report_html *request)
{
	static struct baseline baseline;
	struct wan_environment environment;
	char here[256];
	const char *path = request->output;
	struct html_options options = {
		.path = request->recording,
		.environment = recordings_environment(analysis, &environment),
		.made_realtime_ns = wan_realtime_ns(),
	};
	int status = 0;
	if (!path) {
		default_name(here, sizeof(here), request->recording);
		path = here;
	}
	if (request->baseline)
		status = load_baseline(&baseline, analysis, options.environment, request->baseline);
	if (!status && baseline.compared) {
		options.now = &baseline.now;
		options.baseline = &baseline.facts;
		options.baseline_analysis = baseline.analysed ? &baseline.analysis : NULL;
	}
	if (!status)
		status = write_page(analysis, &options, path, request->force);
	free_baseline(&baseline);
	if (!status && request->open && strcmp(path, "-") != 0)
		open_page(path);
	else if (!status && !request->output)
		wanprof_say("%s: written", path);
	return status;
}
