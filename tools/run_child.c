/* SPDX-License-Identifier: MIT */
/*
 * The command as our child: same descriptors, process group, terminal and signal dispositions as if
 * the shell had started it. Ctrl-C and Ctrl-\ go to the whole process group and are the command's
 * affair; what somebody sends to us alone is handed on; when the command stops, so do we.
 */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "cleanup.h"
#include "clock.h"
#include "layout.h"
#include "procfs.h"
#include "str.h"
#include "sys.h"

static const int forwarded[] = {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
/* SIGPIPE: a closed stderr must not cost the recording or the exit status. */
static const int ignored[] = {SIGINT, SIGQUIT, SIGPIPE};
enum { IGNORED_COUNT = 3 };

/* Our own dispositions as inherited: the command gets these. */
struct dispositions {
	sigset_t mask;
	struct sigaction ignored[IGNORED_COUNT], child;
};

static sigset_t take_over(struct dispositions *ret_inherited)
{
	sigset_t waited;
	struct sigaction action = {.sa_handler = SIG_IGN}, now;
	for (unsigned i = 0; i < IGNORED_COUNT; i++)
		sigaction(ignored[i], &action, &ret_inherited->ignored[i]);
	/* An inherited "ignore" would reap the command behind our back. */
	action.sa_handler = SIG_DFL;
	sigaction(SIGCHLD, &action, &ret_inherited->child);
	sigemptyset(&waited);
	sigaddset(&waited, SIGCHLD);
	sigaddset(&waited, SIGCONT);
	for (unsigned i = 0; i < sizeof(forwarded) / sizeof(forwarded[0]); i++)
		if (sigaction(forwarded[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			sigaddset(&waited, forwarded[i]);
	sigprocmask(SIG_BLOCK, &waited, &ret_inherited->mask);
	return waited;
}

static void give_back(const struct dispositions *inherited)
{
	for (unsigned i = 0; i < IGNORED_COUNT; i++)
		sigaction(ignored[i], &inherited->ignored[i], NULL);
	sigaction(SIGCHLD, &inherited->child, NULL);
	sigprocmask(SIG_SETMASK, &inherited->mask, NULL);
}

/* The environment with the variables in place of those of the same names; only the array is new.
 * *ret_only: where RUN_ONLY_PID stands, or NULL. */
static char **environment(const char *const *variables, char ***ret_only)
{
	size_t count = 0, used = 0, more = 0;
	while (environ && environ[count])
		count++;
	while (variables && variables[more])
		more++;
	char **list = wan_malloc((count + more + 1) * sizeof(*list));
	*ret_only = NULL;
	for (size_t i = 0; list && i < count; i++) {
		bool replaced = false;
		for (size_t k = 0; k < more && !replaced; k++)
			replaced = strncmp(environ[i], variables[k],
					   strcspn(variables[k], "=") + 1) == 0;
		if (!replaced)
			list[used++] = environ[i];
	}
	for (size_t k = 0; list && k < more; k++) {
		if (strcmp(variables[k], RUN_ONLY_PID) == 0)
			*ret_only = &list[used];
		list[used++] = (char *)variables[k];
	}
	if (list)
		list[used] = NULL;
	return list;
}

/* In the child, in the parent's memory, which stands still until the command is there. */
static void execute(char *const *argv, char **list, char **only,
		    const struct dispositions *inherited, int failure)
{
	char only_pid[48];
	if (only) {
		wan_str_format(only_pid, sizeof(only_pid), RUN_ONLY_PID "%ld", (long)getpid());
		*only = only_pid;
	}
	give_back(inherited);
	execvpe(argv[0], argv, list);
	int code = errno;
	ssize_t written = wan_sys->write(failure, &code, sizeof(code));
	_exit(written == sizeof(code) ? 127 : 125);
}

/* vfork(): copying our page tables, and each page that we write while the command begins, takes
 * longer than the rest of the start. errno goes through a pipe, since where vfork() is a plain
 * fork() (emulators, the thread sanitizer) the child's memory is not ours. */
static pid_t start(char *const *argv, const char *const *variables,
		   const struct dispositions *inherited, int *ret_exec_error)
{
	int ends[2], code = 0;
	char **only;
	wan_cleanup(wan_freep) char **list = environment(variables, &only);
	if (!list)
		return -ENOMEM;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	/* The command must not see a pipe of ours where it has no stdin, stdout or stderr. */
	int high = fcntl(ends[1], F_DUPFD_CLOEXEC, 64);
	if (high >= 0) {
		wan_sys->close(ends[1]);
		ends[1] = high;
	}
	pid_t pid = vfork();
	if (pid == 0)
		execute(argv, list, only, inherited, ends[1]);
	int fork_error = errno;
	wan_sys->close(ends[1]);
	if (pid > 0 && wan_read_full(ends[0], &code, sizeof(code)) != sizeof(code))
		code = 0;
	wan_sys->close(ends[0]);
	*ret_exec_error = code;
	return pid > 0 ? pid : -fork_error;
}

/* Is it stopped still? A stop that the user has undone meanwhile is none. */
static bool is_stopped(pid_t pid)
{
	char path[64], text[512];
	wan_str_format(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (wan_procfs_read(path, text, sizeof(text)) < 0)
		return false;
	const char *end = strrchr(text, ')');
	return end && end[1] == ' ' && (end[2] == 'T' || end[2] == 't');
}

/* Returns true when the command has ended. */
static bool reap(pid_t pid, int *ret_status, struct rusage *ret_usage)
{
	for (;;) {
		pid_t got = wait4(pid, ret_status, WNOHANG | WUNTRACED, ret_usage);
		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0)
			return false;
		if (got < 0) {
			*ret_status = 0;
			return true;
		}
		if (!WIFSTOPPED(*ret_status))
			return true;
		if (is_stopped(pid)) {
			run_live_hide();
			raise(SIGSTOP);
		}
	}
}

static void handle(int signal, pid_t pid)
{
	if (signal == SIGCONT)
		kill(pid, SIGCONT);
	else if (signal > 0 && signal != SIGCHLD)
		kill(pid, signal);
}

static int wait_for_end(pid_t pid, const sigset_t *waited, struct run_sampler *sampler,
			struct rusage *ret_usage)
{
	int status;
	while (!reap(pid, &status, ret_usage)) {
		uint64_t ns = run_sampler_step(sampler), live_ns = run_live_step();
		run_before_step();
		ns = live_ns < ns ? live_ns : ns;
		struct timespec limit = {.tv_sec = (time_t)(ns / 1000000000),
					 .tv_nsec = (long)(ns % 1000000000)};
		handle(sigtimedwait(waited, NULL, &limit), pid);
	}
	return status;
}

static void describe(int status, bool killed_for_memory, struct run_outcome *outcome)
{
	if (WIFSIGNALED(status)) {
		outcome->signal = WTERMSIG(status);
		outcome->status = 128 + outcome->signal;
		outcome->state = outcome->signal == SIGKILL && killed_for_memory
					 ? WAN_RUN_KILLED_FOR_MEMORY
					 : WAN_RUN_SIGNALLED;
		return;
	}
	outcome->exit_status = outcome->status = WEXITSTATUS(status);
	outcome->state = WAN_RUN_EXITED;
}

int run_child(char *const *argv, const char *const *variables, struct wan_recorder *recorder,
	      struct run_outcome *outcome)
{
	struct dispositions inherited;
	struct run_sampler sampler;
	int exec_error = 0;
	*outcome = (struct run_outcome){.start_ns = wan_now_ns()};
	sigset_t waited = take_over(&inherited);
	pid_t pid = start(argv, variables, &inherited, &exec_error);
	if (pid < 0) {
		give_back(&inherited);
		return (int)pid;
	}
	outcome->pid = pid;
	run_sampler_start(&sampler, recorder, pid);
	run_before_start(outcome->start_ns);
	int status = wait_for_end(pid, &waited, &sampler, &outcome->usage);
	run_live_stop();
	outcome->end_ns = wan_now_ns();
	run_before_end(&outcome->usage);
	outcome->started = exec_error == 0;
	if (outcome->started) {
		describe(status, run_sampler_saw_oom_kill(&sampler), outcome);
		return 0;
	}
	outcome->state = WAN_RUN_UNKNOWN;
	outcome->exit_status = exec_error;
	outcome->status = exec_error == ENOENT || exec_error == ENOTDIR ? 127 : 126;
	return 0;
}
