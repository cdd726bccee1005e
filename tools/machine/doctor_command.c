/* SPDX-License-Identifier: MIT */
/*
 * Would a command be recorded, and which of its codecs not. The command itself is not run; of a
 * Python interpreter it is asked where the modules lie that read images.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "clock.h"
#include "doctor.h"
#include "macros.h"
#include "run.h"
#include "str.h"
#include "sys.h"

enum { ANSWER_MS = 10000 };

/* A codec that is linked in keeps its words: they stand in no other library. */
void doctor_built_in_codecs(const char *path, char *to, size_t bytes)
{
	static const struct {
		const char *words, *name;
	} marks[] = {{"Bogus marker length", "libjpeg"},
		     {"libpng version 1.", "libpng"},
		     {"Corrupt JPEG data: %u extraneous", "libjpeg"}};
	struct stat status;
	to[0] = '\0';
	wan_cleanup(wan_fd_closep) int fd = wan_sys->open(path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0 || wan_sys->fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) ||
	    status.st_size < 64)
		return;
	size_t length = (size_t)status.st_size, used = 0;
	char *file = wan_sys->mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file == MAP_FAILED)
		return;
	for (size_t i = 0; i < WAN_COUNT_OF(marks); i++)
		if (!strstr(to, marks[i].name) &&
		    memmem(file, length, marks[i].words, strlen(marks[i].words)))
			used += wan_str_format(to + used, bytes - used, "%s%s", used ? ", " : "",
					       marks[i].name);
	wan_sys->munmap(file, length);
}

/* Everything that the child says, within ANSWER_MS. */
static bool capture(char *const *command, char *to, size_t bytes)
{
	int ends[2], status;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	pid_t pid = fork();
	if (pid == 0) {
		int null = wan_sys->open("/dev/null", O_RDWR, 0);
		dup2(null, STDIN_FILENO);
		dup2(ends[1], STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execv(command[0], command);
		_exit(127);
	}
	wan_sys->close(ends[1]);
	uint64_t deadline = wan_now_ns() + ANSWER_MS * 1000000ull;
	size_t used = 0;
	bool ended = false;
	while (pid > 0 && !ended && wan_now_ns() < deadline && used + 1 < bytes) {
		struct pollfd ready = {.fd = ends[0], .events = POLLIN};
		if (poll(&ready, 1, 100) <= 0)
			continue;
		ssize_t count = wan_sys->read(ends[0], to + used, bytes - 1 - used);
		used += count > 0 ? (size_t)count : 0;
		ended = count == 0 || (count < 0 && errno != EINTR);
	}
	to[used] = '\0';
	wan_sys->close(ends[0]);
	if (pid <= 0)
		return false;
	if (!ended)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return ended && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Lines "module<tab>file" of the shared objects of modules that read images; nothing is imported.
 */
static const char find_modules[] =
	"import importlib.util as u, glob, os\n"
	"for n in ('PIL', 'cv2', 'torchvision', 'skimage', 'pyvips', 'imageio'):\n"
	" try: s = u.find_spec(n)\n"
	" except Exception: s = None\n"
	" if not s: continue\n"
	" d = list(s.submodule_search_locations or []) or [os.path.dirname(s.origin or '')]\n"
	" f = [s.origin] if (s.origin or '').endswith('.so') else []\n"
	" f += sorted(glob.glob(os.path.join(d[0], '*.so')))[:8]\n"
	" print(n, *(f or ['']), sep='\\t')\n";

static void check_module(struct doctor *doctor, char *line)
{
	char codecs[128], all[256] = "";
	char *save = NULL;
	const char *name = strtok_r(line, "\t", &save);
	for (const char *file; (file = strtok_r(NULL, "\t", &save));) {
		doctor_built_in_codecs(file, codecs, sizeof(codecs));
		if (codecs[0] && !all[0])
			wan_str_copy(all, sizeof(all), codecs);
	}
	if (!name)
		return;
	if (!all[0])
		doctor_add(doctor, DOCTOR_COMMAND, "python-module", DOCTOR_OK,
			   "Python module %s: its codecs are libraries, which are seen", name);
	else
		doctor_mend(doctor_add(doctor, DOCTOR_COMMAND, "python-module", DOCTOR_NOTE,
				       "Python module %s has %s built in: what it decodes is seen "
				       "through the module only, without single rows",
				       name, all),
			    "the system's package of it (python3-pil, python3-opencv) shares its "
			    "codecs");
}

static void check_python(struct doctor *doctor, const struct run_program *program)
{
	static char answer[16384];
	const char *name = strrchr(program->elf, '/');
	if (!name || !wan_str_starts(name + 1, "python"))
		return;
	char *const command[] = {(char *)program->path, (char[]){"-c"}, (char *)find_modules, NULL};
	if (!capture(command, answer, sizeof(answer))) {
		doctor_add(doctor, DOCTOR_COMMAND, "python", DOCTOR_NOTE,
			   "this Python did not say where its modules are");
		return;
	}
	char *save = NULL;
	char *line = strtok_r(answer, "\n", &save);
	for (; line; line = strtok_r(NULL, "\n", &save))
		check_module(doctor, line);
}

/* What would have to be different for a program that cannot be recorded. */
static const char *way_out(const char *reason)
{
	if (strstr(reason, "set-uid"))
		return "run it as the user that owns it, or as root: then nothing changes at its "
		       "start";
	if (strstr(reason, "statically"))
		return "link it dynamically, or link it with libwanrt";
	if (strstr(reason, "C library"))
		return "take a build of it for glibc";
	if (strstr(reason, "Sanitizer"))
		return "take a build of it without the sanitizer";
	if (strstr(reason, "not read"))
		return "chmod a+r on it";
	return "take a 64-bit build of it for this processor";
}

static void check_recordable(struct doctor *doctor, const struct run_program *program)
{
	static struct run_request request;
	static struct run_preload preload;
	request = (struct run_request){.alloc = RUN_ALLOC_AUTO, .audit = RUN_AUDIT_AUTO};
	run_preload_prepare(&request, program, &preload);
	if (!preload.recording) {
		doctor_add(doctor, DOCTOR_COMMAND, "recordable", DOCTOR_BROKEN,
			   "%s would run unrecorded: %s", program->path, preload.reason);
		return;
	}
	doctor_add(doctor, DOCTOR_COMMAND, "recordable", DOCTOR_OK, "%s would be recorded%s",
		   program->path, preload.audit[0] ? ", with the auditor" : "");
	if (preload.reason[0])
		doctor_add(doctor, DOCTOR_COMMAND, "command-memory", DOCTOR_NOTE, "%s",
			   preload.reason);
	if (!preload.audit[0])
		doctor_add(doctor, DOCTOR_COMMAND, "command-auditor", DOCTOR_NOTE,
			   "without the auditor: %s", preload.audit_reason);
}

static void check_absent(struct doctor *doctor, const char *name)
{
	struct stat status;
	bool there = strchr(name, '/') && wan_sys->stat(name, &status) == 0;
	struct doctor_check *check =
		doctor_add(doctor, DOCTOR_COMMAND, "recordable", DOCTOR_BROKEN, "%s: %s", name,
			   !there                    ? "no such command"
			   : S_ISDIR(status.st_mode) ? "is a folder"
						     : "may not be executed");
	if (there && S_ISREG(status.st_mode))
		doctor_mend(check, "chmod +x, if it is a program");
	else
		doctor_mend(check, "check the spelling and PATH");
}

void doctor_check_command(struct doctor *doctor, char *const *command)
{
	static struct run_program program;
	char codecs[128];
	run_program_inspect(command[0], &program);
	if (!program.path[0]) {
		check_absent(doctor, command[0]);
		return;
	}
	if (!program.recordable) {
		doctor_mend(doctor_add(doctor, DOCTOR_COMMAND, "recordable", DOCTOR_BROKEN,
				       "%s would run unrecorded: %s", program.path, program.reason),
			    "%s", way_out(program.reason));
		return;
	}
	check_recordable(doctor, &program);
	doctor_built_in_codecs(program.elf, codecs, sizeof(codecs));
	if (codecs[0])
		doctor_mend(doctor_add(doctor, DOCTOR_COMMAND, "built-in-codecs", DOCTOR_MISSING,
				       "it has %s built in, where nothing can be seen", codecs),
			    "take a build of it that shares its codecs");
	check_python(doctor, &program);
}
