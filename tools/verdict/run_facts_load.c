/* SPDX-License-Identifier: MIT */
/* Facts from a file, told apart by its content. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "cleanup.h"
#include "log.h"
#include "run_facts_build.h"
#include "run_facts_json.h"
#include "sys.h"

static int no_memory(struct wan_error *error, const char *path)
{
	return wan_error_set(error, -ENOMEM, path, "judge fewer or smaller files at a time",
			     "memory ran out while it was read");
}

/* The machine, when it can be the one that recorded: everything is younger than its boot. */
static const struct wan_environment *this_machine(const struct wan_analysis *analysis,
						  struct wan_environment *environment)
{
	wan_environment_read(environment);
	if (!environment->boot_realtime_ns || analysis->start_ns < environment->boot_realtime_ns)
		return NULL;
	return environment;
}

static int load_recording(struct run_facts *ret_facts, const char *path,
			  struct wan_error *reterr_error)
{
	struct wan_recording *recording;
	struct wan_environment environment;
	struct wan_config config;
	struct wan_analysis analysis;
	struct wan_view view;
	int rc = wan_recording_open(path, &recording, reterr_error);
	if (rc < 0)
		return rc;
	/* Limits of whoever asks have no place in the facts: the same file, the same facts. */
	wan_config_defaults(&config);
	rc = wan_view_init_recordings(&view, &recording, 1, NULL);
	if (!rc)
		rc = wan_analysis_init(&analysis, &view, &config);
	if (!rc) {
		analysis.damaged |= wan_recording_is_damaged(recording);
		rc = run_facts_from_analysis(ret_facts, &analysis,
					     this_machine(&analysis, &environment));
		wan_analysis_finish(&analysis);
	}
	wan_recording_close(recording);
	if (!rc)
		ret_facts->path = text_pool_keep(ret_facts->texts, path);
	return rc ? no_memory(reterr_error, path) : 0;
}

/* Pipes cannot be looked into without taking from them: what comes through one is JSON. */
static bool begins_like_json(const char *path)
{
	char head[64];
	struct stat file;
	if (wan_sys->stat(path, &file) < 0 || S_ISDIR(file.st_mode))
		return false;
	if (!S_ISREG(file.st_mode))
		return true;
	wan_cleanup(wan_fd_closep) int fd = wan_sys->open(path, O_RDONLY | O_CLOEXEC, 0);
	ssize_t count = fd < 0 ? -1 : wan_read_full(fd, head, sizeof(head));
	ssize_t at = count >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	while (at < count && head[at] && strchr(" \t\r\n", head[at]))
		at++;
	return at < count && (head[at] == '{' || head[at] == '[');
}

static int load_json(struct run_facts *ret_facts, const char *path, struct wan_error *reterr_error)
{
	struct json_input input;
	int rc = json_input_read(&input, path, reterr_error);
	if (rc)
		return rc;
	rc = run_facts_from_json(ret_facts, strcmp(path, "-") == 0 ? "standard input" : path,
				 input.root, reterr_error);
	json_input_finish(&input);
	if (!rc)
		ret_facts->path = text_pool_keep(ret_facts->texts, path);
	return rc;
}

int run_facts_load(struct run_facts *ret_facts, const char *path, struct wan_error *reterr_error)
{
	if (strcmp(path, "-") == 0 || begins_like_json(path))
		return load_json(ret_facts, path, reterr_error);
	return load_recording(ret_facts, path, reterr_error);
}
