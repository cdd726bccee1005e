/* SPDX-License-Identifier: MIT */
#include "recordings.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "config_load.h"
#include "str.h"
#include "wanprof.h"

static int status_of(int rc)
{
	switch (rc) {
	case -EBADMSG:
	case -ENOTSUP:
	case -EFBIG:
		return WANPROF_DAMAGED;
	case -ENOMEM:
		return WANPROF_NO_MEMORY;
	default:
		return WANPROF_NO_INPUT;
	}
}

static int keep(struct recordings *recordings, struct wan_recording *recording)
{
	if (recordings->count == RECORDINGS_MAX) {
		wan_recording_close(recording);
		wanprof_say("more than %d recordings; name fewer", RECORDINGS_MAX);
		return WANPROF_USAGE;
	}
	recordings->items[recordings->count++] = recording;
	recordings->damaged |= wan_recording_is_damaged(recording);
	return 0;
}

static bool same_run(const struct wan_recording *a, const struct wan_recording *b)
{
	static const uint8_t none[16];
	if (!wan_recording_process_count(a) || !wan_recording_process_count(b))
		return false;
	const uint8_t *left = wan_recording_process(a, 0)->header.run_id;
	const uint8_t *right = wan_recording_process(b, 0)->header.run_id;
	return memcmp(left, right, 16) == 0 && memcmp(left, none, 16) != 0;
}

/* The recordings beside the first one that belong to its run. Strangers are passed over quietly. */
static int add_family(struct recordings *recordings, const struct wan_recording *first)
{
	char folder[PATH_MAX], path[PATH_MAX + 256];
	const char *source = wan_recording_process(first, 0)->source;
	wan_str_copy(folder, sizeof(folder), source ? source : "");
	char *slash = strrchr(folder, '/');
	if (!slash)
		return 0;
	*slash = '\0';
	DIR *directory = opendir(folder[0] ? folder : "/");
	int status = 0;
	for (struct dirent *entry; directory && !status && (entry = readdir(directory));) {
		struct wan_recording *other;
		if (entry->d_name[0] == '.' || strcmp(entry->d_name, slash + 1) == 0)
			continue;
		wan_str_format(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (wan_recording_open(path, &other, NULL) < 0)
			continue;
		if (same_run(first, other))
			status = keep(recordings, other);
		else
			wan_recording_close(other);
	}
	if (directory)
		closedir(directory);
	return status;
}

int recordings_add_file(struct recordings *recordings, const char *path, bool family)
{
	struct wan_recording *recording;
	struct wan_error error = {0};
	int rc = wan_recording_open(path, &recording, &error);
	if (rc < 0) {
		wanprof_say_error(&error);
		return status_of(rc);
	}
	int status = keep(recordings, recording);
	return status || !family ? status : add_family(recordings, recording);
}

int recordings_add_pid(struct recordings *recordings, const char *pid)
{
	uint64_t number;
	struct wan_recording *recording;
	struct wan_error error = {0};
	if (wan_parse_u64(pid, &number) || !number || number > INT_MAX) {
		wanprof_say(
			"-p %s: not a process id; `wanprof dump --list` names the recorded ones",
			pid);
		return WANPROF_USAGE;
	}
	int rc = wan_recording_attach((uint32_t)number, &recording, &error);
	if (rc < 0) {
		wanprof_say_error(&error);
		return status_of(rc);
	}
	return keep(recordings, recording); /* its family came with it */
}

int recordings_default(struct recordings *recordings)
{
	if (recordings->count)
		return 0;
	if (wan_recording_newest(NULL, recordings->newest, sizeof(recordings->newest)) < 0) {
		wanprof_say("no recording: record a command with `wanprof run -- CMD`, or name a "
			    "FILE or -p PID");
		return WANPROF_NO_INPUT;
	}
	wanprof_say("reading the newest recording, %s", recordings->newest);
	return recordings_add_file(recordings, recordings->newest, false);
}

void recordings_close(struct recordings *recordings)
{
	for (size_t i = 0; i < recordings->count; i++)
		wan_recording_close(recordings->items[i]);
	recordings->count = 0;
}

static int no_memory(void)
{
	wanprof_say("out of memory; name fewer recordings");
	return WANPROF_NO_MEMORY;
}

int recordings_analyse(const struct recordings *recordings, const char *operation_glob,
		       bool hide_files, struct wan_config *config,
		       struct wan_analysis *ret_analysis)
{
	struct wan_config_sources sources = {0};
	struct wan_error error = {0};
	struct wan_view view;
	wan_config_defaults(config);
	if (wan_config_load(config, &sources, NULL, &error) < 0) {
		wanprof_say_error(&error);
		return WANPROF_USAGE;
	}
	if (wan_view_init_recordings(&view, recordings->items, recordings->count, operation_glob))
		return no_memory();
	view.hide_files = hide_files;
	return wan_analysis_init(ret_analysis, &view, config) ? no_memory() : 0;
}

const struct wan_environment *recordings_environment(const struct wan_analysis *analysis,
						     struct wan_environment *environment)
{
	wan_environment_read(environment);
	if (!environment->boot_realtime_ns || analysis->start_ns < environment->boot_realtime_ns)
		return NULL;
	return environment;
}

struct listed {
	char path[PATH_MAX];
	time_t modified;
};

static int newest_first(const void *left, const void *right)
{
	const struct listed *a = left, *b = right;
	return a->modified > b->modified ? -1 : a->modified < b->modified;
}

static void print_listed(const char *path, FILE *to)
{
	struct wan_recording *recording;
	struct wan_view view;
	char when[32] = "", program[128], shown[512];
	if (wan_recording_open(path, &recording, NULL) < 0)
		return;
	if (wan_view_init_recordings(&view, &recording, 1, NULL) == 0 && view.main) {
		const struct wan_process *process = wan_view_outcome(&view);
		time_t seconds = (time_t)(process->start_realtime_ns / 1000000000u);
		struct tm tm;
		uint64_t operations = 0;
		for (size_t i = 0; i < view.source_count; i++)
			operations += view.sources[i].process->total_operations;
		if (localtime_r(&seconds, &tm))
			strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
		const char *name = strrchr(process->header.program, '/');
		wan_str_printable(program, sizeof(program),
				  name ? name + 1 : process->header.program);
		wan_str_printable(shown, sizeof(shown), path);
		fprintf(to, "%-19s %8" PRIu32 "  %-17s %8" PRIu64 "  %-16s  %s\n", when,
			view.main->header.pid, wan_run_state_name(process->state), operations,
			program, shown);
		wan_view_finish(&view);
	}
	wan_recording_close(recording);
}

int recordings_list(const char *folder, FILE *to)
{
	char place[PATH_MAX];
	struct listed *all = NULL;
	size_t count = 0;
	if (!folder && wan_recording_default_folder(place, sizeof(place)) == 0)
		folder = place;
	DIR *directory = folder ? opendir(folder) : NULL;
	if (!directory) {
		wanprof_say("%s: no recordings there; record a command with `wanprof run -- CMD`",
			    folder ? folder : "default folder");
		return WANPROF_NO_INPUT;
	}
	for (struct dirent *entry; (entry = readdir(directory));) {
		struct stat file;
		struct listed *more = realloc(all, (count + 1) * sizeof(*all));
		if (!more)
			break;
		all = more;
		wan_str_format(all[count].path, PATH_MAX, "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] == '.' || stat(all[count].path, &file) ||
		    !S_ISREG(file.st_mode))
			continue;
		all[count++].modified = file.st_mtime;
	}
	closedir(directory);
	if (count)
		qsort(all, count, sizeof(*all), newest_first);
	fprintf(to, "%-19s %8s  %-17s %8s  %-16s  %s\n", "started", "pid", "state", "ops",
		"program", "recording");
	for (size_t i = 0; i < count; i++)
		print_listed(all[i].path, to);
	free(all);
	return WANPROF_OK;
}
