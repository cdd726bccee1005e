/* SPDX-License-Identifier: MIT */
/* Can programs be recorded at all: the libraries, their trial, the place. By the parts of `run`. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_load.h"
#include "doctor.h"
#include "macros.h"
#include "reader.h"
#include "run.h"
#include "str.h"
#include "sys.h"
#include "units.h"

static void check_trial(struct doctor *doctor)
{
	static struct run_request request;
	static struct run_program program;
	static struct run_preload preload;
	char messages[512];
	request = (struct run_request){.alloc = RUN_ALLOC_AUTO, .audit = RUN_AUDIT_AUTO};
	run_program_inspect("true", &program);
	run_preload_prepare(&request, &program, &preload);
	if (!preload.recording) {
		struct doctor_check *check =
			doctor_add(doctor, DOCTOR_RECORDING, "recorder-loads", DOCTOR_BROKEN,
				   "the recorder cannot be put "
				   "before programs: %s",
				   preload.reason);
		doctor_mend(check,
			    "install again, or name the library: export WANPROF_PRELOAD=FILE");
		return;
	}
	/* What has passed once is remembered by `run`; here it is tried each time. */
	if (run_trial_start(&preload, messages, sizeof(messages)))
		doctor_add(doctor, DOCTOR_RECORDING, "recorder-loads", DOCTOR_OK,
			   "the recorder loads into programs (tried on `true`)");
	else
		doctor_add(doctor, DOCTOR_RECORDING, "recorder-loads", DOCTOR_BROKEN,
			   "`true` does not start with the recorder: %s",
			   messages[0] ? messages : "no word from the loader");
	if (preload.reason[0])
		doctor_add(doctor, DOCTOR_RECORDING, "memory-counters", DOCTOR_MISSING, "%s",
			   preload.reason);
	else
		doctor_add(doctor, DOCTOR_RECORDING, "memory-counters", DOCTOR_OK,
			   "memory per operation is counted");
	if (preload.audit[0])
		doctor_add(doctor, DOCTOR_RECORDING, "auditor", DOCTOR_OK,
			   "the auditor loads too: codecs are seen behind dlopen() and ctypes (%s)",
			   preload.tunables);
	else
		doctor_mend(doctor_add(doctor, DOCTOR_RECORDING, "auditor", DOCTOR_MISSING,
				       "no auditor, so some codecs behind dlopen() go unseen: %s",
				       preload.audit_reason),
			    "glibc 2.35 or newer is needed, and libwanrt-audit.so beside the "
			    "recorder");
}

static void check_jemalloc(struct doctor *doctor)
{
	char path[PATH_MAX];
	if (run_find_jemalloc(path, sizeof(path))) {
		doctor_add(doctor, DOCTOR_RECORDING, "jemalloc", DOCTOR_OK,
			   "jemalloc for --alloc=jemalloc: %s", path);
		return;
	}
	doctor_mend_package(
		doctor_add(doctor, DOCTOR_RECORDING, "jemalloc", DOCTOR_MISSING,
			   "jemalloc is not installed: --alloc=jemalloc cannot be used"),
		"libjemalloc2", "jemalloc", "jemalloc", "libjemalloc2");
}

/* Whether a file could be made in path, or in the folder that it would be made in. */
static bool is_writable(const char *path)
{
	char folder[PATH_MAX];
	struct stat status;
	wan_str_copy(folder, sizeof(folder), path);
	while (wan_sys->stat(folder, &status) < 0) {
		char *slash = strrchr(folder, '/');
		if (!slash || slash == folder)
			return access(slash ? "/" : ".", W_OK) == 0;
		*slash = '\0';
	}
	return S_ISDIR(status.st_mode) && access(folder, W_OK | X_OK) == 0;
}

static void check_place(struct doctor *doctor, const char *place)
{
	char free_text[32];
	const struct machine_disk *disk = &doctor->machine.disk;
	if (!is_writable(place) || disk->read_only) {
		doctor_mend(
			doctor_add(doctor, DOCTOR_RECORDING, "place", DOCTOR_BROKEN,
				   "recordings cannot be written to %s", place),
			"export XDG_STATE_HOME=/tmp/state, or for one run: wanprof run -o FILE");
		return;
	}
	doctor_add(doctor, DOCTOR_RECORDING, "place", DOCTOR_OK, "recordings go to %s", place);
	if (!disk->known)
		return;
	wan_format_bytes(free_text, sizeof(free_text), disk->free_bytes);
	if (disk->free_bytes < 16 * WAN_MIB)
		doctor_mend(doctor_add(doctor, DOCTOR_RECORDING, "space", DOCTOR_BROKEN,
				       "only %s are free there", free_text),
			    "make room, or name another place: wanprof run -o FILE");
	else if (disk->free_bytes < 1024 * WAN_MIB)
		doctor_mend(doctor_add(doctor, DOCTOR_RECORDING, "space", DOCTOR_NOTE,
				       "%s are free there; up to 256 MB of recordings are kept",
				       free_text),
			    "record.keep_bytes = 64M in wanrt.conf");
	else
		doctor_add(doctor, DOCTOR_RECORDING, "space", DOCTOR_OK, "%s are free there",
			   free_text);
	if (disk->memory)
		doctor_add(
			doctor, DOCTOR_RECORDING, "place-in-memory", DOCTOR_NOTE,
			"that is a file system in memory: recordings take memory and go with it");
}

void doctor_check_recording(struct doctor *doctor)
{
	static struct wan_config config;
	static char place[PATH_MAX];
	struct wan_config_sources sources = {0};
	struct wan_error error = {0};
	wan_config_defaults(&config);
	if (wan_config_load(&config, &sources, NULL, &error) < 0)
		doctor_mend(doctor_add(doctor, DOCTOR_RECORDING, "configuration", DOCTOR_BROKEN,
				       "%s: %s", error.object, error.reason),
			    "%s", error.hint[0] ? error.hint : "wanprof config --show-origin");
	check_trial(doctor);
	check_jemalloc(doctor);
	if (config.profile_python_hooks)
		doctor_add(doctor, DOCTOR_RECORDING, "python-hooks", DOCTOR_OK,
			   "codecs inside Python modules (Pillow, OpenCV) are recorded");
	else
		doctor_mend(
			doctor_add(doctor, DOCTOR_RECORDING, "python-hooks", DOCTOR_NOTE,
				   "codecs inside Python modules are not recorded: switched off"),
			"profile.python_hooks = on");
	if (strcmp(config.record_path, "off") == 0)
		doctor_mend(doctor_add(doctor, DOCTOR_RECORDING, "place", DOCTOR_NOTE,
				       "nothing is recorded by default: record.path is off"),
			    "wanprof run -o FILE, or take record.path out of the configuration");
	else if (config.record_path[0])
		check_place(doctor, config.record_path);
	else if (wan_recording_default_folder(place, sizeof(place)) == 0)
		check_place(doctor, place);
	else
		doctor_mend(doctor_add(doctor, DOCTOR_RECORDING, "place", DOCTOR_BROKEN,
				       "there is no place for recordings: neither HOME nor "
				       "XDG_STATE_HOME names a folder"),
			    "export XDG_STATE_HOME=/tmp/state");
}
