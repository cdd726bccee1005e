/* SPDX-License-Identifier: MIT */
/*
 * Starts a program by every function of the C library that can: guest_exec PATH. Says of each how
 * it ended, and of calls that fail which errno there was.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#if __GLIBC_PREREQ(2, 34)
#define HAS_EXECVEAT 1
#else
#define HAS_EXECVEAT 0
#endif

static char *program, *name, started[] = "started", one[] = "1";
static char *arguments[] = {started, one, NULL};

static void by_execve(void)
{
	execve(program, arguments, environ);
}

static void by_execv(void)
{
	execv(program, arguments);
}

static void by_execvp(void)
{
	execvp(name, arguments);
}

static void by_execvpe(void)
{
	execvpe(name, arguments, environ);
}

static void by_execl(void)
{
	execl(program, "started", "1", "2", (char *)NULL);
}

static void by_execlp(void)
{
	execlp(name, "started", "1", "2", (char *)NULL);
}

static void by_execle(void)
{
	execle(program, "started", "1", "2", (char *)NULL, environ);
}

static void by_fexecve(void)
{
	fexecve(open(program, O_RDONLY | O_CLOEXEC), arguments, environ);
}

#if HAS_EXECVEAT
static void by_execveat(void)
{
	char folder[4096];
	snprintf(folder, sizeof(folder), "%s", program);
	*strrchr(folder, '/') = '\0';
	execveat(open(folder, O_PATH | O_CLOEXEC), name, arguments, environ, 0);
}

static void by_execveat_of_file(void)
{
	execveat(open(program, O_RDONLY | O_CLOEXEC), "", arguments, environ, AT_EMPTY_PATH);
}
#endif

static void by_spawn(void)
{
	pid_t child;
	int status;
	errno = posix_spawn(&child, program, NULL, NULL, arguments, environ);
	if (errno == 0 && waitpid(child, &status, 0) == child)
		_exit(WEXITSTATUS(status));
}

static void by_spawnp(void)
{
	pid_t child;
	int status;
	errno = posix_spawnp(&child, name, NULL, NULL, arguments, environ);
	if (errno == 0 && waitpid(child, &status, 0) == child)
		_exit(WEXITSTATUS(status));
}

static void without_file(void)
{
	execve("/nowhere/at/all", arguments, environ);
}

static void without_name(void)
{
	execvp("wan-no-such-program", arguments);
}

static void spawned_without_name(void)
{
	pid_t child;
	errno = posix_spawnp(&child, "wan-no-such-program", NULL, NULL, arguments, environ);
}

static void of_a_folder(void)
{
	execv("/", arguments);
}

static void of_a_bad_descriptor(void)
{
	fexecve(-1, arguments, environ);
}

static const struct {
	const char *word;
	void (*start)(void);
} ways[] = {
	{"execve", by_execve},
	{"execv", by_execv},
	{"execvp", by_execvp},
	{"execvpe", by_execvpe},
	{"execl", by_execl},
	{"execlp", by_execlp},
	{"execle", by_execle},
	{"fexecve", by_fexecve},
#if HAS_EXECVEAT
	{"execveat", by_execveat},
	{"execveat of a file", by_execveat_of_file},
#endif
	{"posix_spawn", by_spawn},
	{"posix_spawnp", by_spawnp},
	{"no file", without_file},
	{"no name", without_name},
	{"no name to spawn", spawned_without_name},
	{"a folder", of_a_folder},
	{"a bad descriptor", of_a_bad_descriptor},
};

static void report(const char *how, const char *word, pid_t child)
{
	int status = 0;
	waitpid(child, &status, 0);
	printf("%s %s: %d\n", how, word, WIFEXITED(status) ? WEXITSTATUS(status) : -status);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	if (argc != 2 || !strchr(argv[1], '/'))
		return 2;
	program = argv[1];
	name = strrchr(program, '/') + 1;
	char path[8192];
	snprintf(path, sizeof(path), ":/nowhere:%.*s:/bin", (int)(name - 1 - program), program);
	setenv("PATH", path, 1);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		pid_t child = fork();
		if (child == 0) {
			ways[i].start();
			_exit(100 + errno % 100);
		}
		report("fork", ways[i].word, child);
	}
	/* The child runs in this process's memory until it is another program. */
	pid_t child = vfork();
	if (child == 0) {
		execve(program, arguments, environ);
		_exit(99);
	}
	report("vfork", "execve", child);
	return 0;
}
