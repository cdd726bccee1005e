/* SPDX-License-Identifier: MIT */
#include "helper.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "macros.h"
#include "str.h"
#include "sys.h"
#include "wanprof.h"

#define HELPER         "wanprof-bench"
#define ARGUMENTS_MAX  32
#define LINE_BYTES_MAX 512

bool bench_helper_find(char *to, size_t bytes)
{
	static const char *const beside[] = {"/", "/bench/", "/../libexec/wanrt/"};
	char folder[PATH_MAX - 64];
	ssize_t length = readlink("/proc/self/exe", folder, sizeof(folder) - 1);
	if (length <= 0)
		return false;
	folder[length] = '\0';
	*strrchr(folder, '/') = '\0';
	for (size_t i = 0; i < WAN_COUNT_OF(beside); i++) {
		wan_str_format(to, bytes, "%s%s" HELPER, folder, beside[i]);
		if (access(to, X_OK) == 0)
			return true;
	}
	wan_str_copy(to, bytes, WANPROF_LIBEXECDIR "/" HELPER);
	return access(to, X_OK) == 0;
}

static void become_helper(const char *helper, const char *const *arguments, const int ends[2])
{
	const char *all[ARGUMENTS_MAX + 2] = {helper};
	for (size_t i = 0; i < ARGUMENTS_MAX && arguments[i]; i++)
		all[i + 1] = arguments[i];
	(void)dup2(ends[1], STDOUT_FILENO);
	(void)wan_sys->close(ends[0]);
	(void)wan_sys->close(ends[1]);
	(void)signal(SIGINT, SIG_DFL);
	execv(helper, (char *const *)all);
	_exit(127);
}

static int exit_of(int status)
{
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	if (WEXITSTATUS(status) == 127) {
		wanprof_say("%s cannot be started", HELPER);
		return WANPROF_SOFTWARE;
	}
	return WEXITSTATUS(status);
}

int bench_helper_run(const char *const *arguments, void (*take)(void *context, char *line),
		     void *context)
{
	char helper[PATH_MAX], line[LINE_BYTES_MAX];
	int ends[2], status = 0;
	if (!bench_helper_find(helper, sizeof(helper))) {
		wanprof_say("%s: not found beside wanprof; install the whole package", HELPER);
		return WANPROF_SOFTWARE;
	}
	if (pipe(ends) < 0) {
		wanprof_say("a pipe cannot be made: %s", strerror(errno));
		return WANPROF_SOFTWARE;
	}
	/* An interrupt ends the helper; what is to be cleaned up is still ours. */
	void (*before)(int) = signal(SIGINT, SIG_IGN);
	pid_t child = fork();
	if (child == 0)
		become_helper(helper, arguments, ends);
	(void)wan_sys->close(ends[1]);
	FILE *said = fdopen(ends[0], "r");
	while (said && fgets(line, sizeof(line), said)) {
		line[strcspn(line, "\n")] = '\0';
		take(context, line);
	}
	if (said)
		fclose(said);
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	(void)signal(SIGINT, before);
	return child < 0 ? WANPROF_SOFTWARE : exit_of(status);
}
