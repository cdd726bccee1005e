/* SPDX-License-Identifier: MIT */
/*
 * The value of LD_PRELOAD for the command: our library, the one that gives memory per operation
 * (hooks that count, or jemalloc), then what the user had there. The pair is tried on `true` first:
 * whatever is wrong with it must not be the command's problem.
 */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "hash.h"
#include "macros.h"
#include "str.h"
#include "sys.h"

#define PRELOAD_NAME  "libwanrt-preload.so"
#define COUNT_NAME    "libwanrt-count.so"
#define JEMALLOC_NAME "libjemalloc.so.2"

enum { TRIAL_MS = 5000 };

static bool is_file(const char *path)
{
	struct stat status;
	return wan_sys->stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* Folder of this executable, without the final slash. */
static bool own_folder(char *to, size_t bytes)
{
	ssize_t length = readlink("/proc/self/exe", to, bytes - 1);
	if (length <= 0)
		return false;
	to[length] = '\0';
	char *slash = strrchr(to, '/');
	if (!slash)
		return false;
	*slash = '\0';
	return true;
}

/* Named by the environment; else in the build tree, beside an installation that was moved, and
 * where it was meant to be installed. */
static bool find_preload(char *to, size_t bytes)
{
	char folder[PATH_MAX - 128];
	const char *named = secure_getenv("WANPROF_PRELOAD");
	if (named && named[0]) {
		char *full = realpath(named, NULL);
		bool found = full && wan_str_copy(to, bytes, full) && is_file(to);
		free(full);
		return found;
	}
	static const char *const beside[] = {"../profiler/preload", "../" WANPROF_LIBDIR_NAME, "."};
	for (size_t i = 0; i < WAN_COUNT_OF(beside) && own_folder(folder, sizeof(folder)); i++) {
		char *full;
		wan_str_format(to, bytes, "%s/%s/" PRELOAD_NAME, folder, beside[i]);
		if (!is_file(to) || !(full = realpath(to, NULL)))
			continue;
		wan_str_copy(to, bytes, full);
		free(full);
		return true;
	}
	wan_str_format(to, bytes, "%s/" PRELOAD_NAME, WANPROF_LIBDIR);
	return is_file(to);
}

/* In the folders of LD_LIBRARY_PATH, then where distributions put it. An absolute path, so that it
 * is found by every process of the family, however its environment looks. */
static bool find_jemalloc(char *to, size_t bytes)
{
	static const char *const usual[] = {
#ifdef WANPROF_JEMALLOC_LIBDIR
		WANPROF_JEMALLOC_LIBDIR,
#endif
		WANPROF_LIBDIR,
		"/usr/lib/" WANPROF_TRIPLET,
		"/lib/" WANPROF_TRIPLET,
		"/usr/local/lib",
		"/usr/lib64",
		"/lib64",
		"/usr/lib",
		"/lib"};
	const char *path = secure_getenv("LD_LIBRARY_PATH");
	while (path && *path) {
		size_t length = strcspn(path, ":;");
		wan_str_format(to, bytes, "%.*s/" JEMALLOC_NAME, (int)length, path);
		if (length && path[0] == '/' && is_file(to))
			return true;
		path += length + (path[length] != '\0');
	}
	for (size_t i = 0; i < WAN_COUNT_OF(usual); i++) {
		wan_str_format(to, bytes, "%s/" JEMALLOC_NAME, usual[i]);
		if (is_file(to))
			return true;
	}
	return false;
}

/* A folder of ours that nobody else can write, stays, and holds links only. */
static bool link_folder(char *to, size_t bytes)
{
	struct stat status;
	const char *base = secure_getenv("XDG_RUNTIME_DIR");
	if (!base || base[0] != '/' || strpbrk(base, " :$") || access(base, W_OK) != 0)
		base = "/tmp";
	wan_str_format(to, bytes, "%s/wanprof-%u", base, (unsigned)geteuid());
	if (wan_sys->mkdir(to, 0700) < 0 && errno != EEXIST)
		return false;
	return lstat(to, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
	       (status.st_mode & 077) == 0;
}

/* The loader splits LD_PRELOAD at spaces and colons and expands $: such a path goes by a link. */
static bool make_safe(char *path, size_t bytes)
{
	char folder[PATH_MAX - 128], link[PATH_MAX - 64], temporary[PATH_MAX], target[PATH_MAX];
	if (!strpbrk(path, " :$"))
		return true;
	if (!link_folder(folder, sizeof(folder)))
		return false;
	const char *slash = strrchr(path, '/');
	wan_str_format(link, sizeof(link), "%s/%016llx-%s", folder,
		       (unsigned long long)wan_hash64(path, strlen(path), 0),
		       slash ? slash + 1 : path);
	ssize_t length = readlink(link, target, sizeof(target) - 1);
	target[WAN_MAX(length, 0)] = '\0';
	if (strcmp(target, path) != 0) {
		wan_str_format(temporary, sizeof(temporary), "%s.%d", link, (int)getpid());
		if (symlink(path, temporary) < 0)
			return false;
		if (wan_sys->rename(temporary, link) < 0) {
			wan_sys->unlink(temporary);
			return false;
		}
	}
	return wan_str_copy(path, bytes, link);
}

static bool append(char *list, size_t bytes, const char *path, size_t length)
{
	size_t used = strlen(list);
	if (used + length + 2 > bytes)
		return false;
	wan_str_format(list + used, bytes - used, "%s%.*s", used ? ":" : "", (int)length, path);
	return true;
}

/* What the user preloads, minus a copy of ours (a nested run). */
static void append_existing(char *list, size_t bytes)
{
	const char *next = getenv("LD_PRELOAD");
	while (next && *next) {
		next += strspn(next, " :");
		size_t length = strcspn(next, " :");
		if (length && !memmem(next, length, PRELOAD_NAME, strlen(PRELOAD_NAME)) &&
		    !memmem(next, length, COUNT_NAME, strlen(COUNT_NAME)))
			append(list, bytes, next, length);
		next += length;
	}
}

/* memory: the library that gives memory per operation, "" for none. The user's own jemalloc is
 * asked for its counters and is not put there twice. */
static void build_list(struct run_preload *preload, const char *ours, const char *memory)
{
	const char *existing = getenv("LD_PRELOAD");
	preload->list[0] = '\0';
	append(preload->list, sizeof(preload->list), ours, strlen(ours));
	if (memory[0] && !(existing && strstr(existing, "libjemalloc")))
		append(preload->list, sizeof(preload->list), memory, strlen(memory));
	append_existing(preload->list, sizeof(preload->list));
}

static void trial_child(const char *list, int messages)
{
	int null = wan_sys->open("/dev/null", O_RDWR, 0);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(messages, STDERR_FILENO);
	setenv("LD_PRELOAD", list, 1);
	setenv("WAN_RECORD_PATH", "off", 1);
	execlp("true", "true", (char *)NULL);
	_exit(127);
}

/* Everything from fd until it closes, at most bytes - 1 and TRIAL_MS. False: out of time. */
static bool collect(int fd, char *to, size_t bytes)
{
	uint64_t deadline = wan_now_ns() + TRIAL_MS * 1000000ull;
	size_t used = 0;
	char drain[256];
	for (;;) {
		uint64_t now = wan_now_ns();
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		if (now >= deadline || poll(&ready, 1, (int)((deadline - now) / 1000000 + 1)) == 0)
			return false;
		bool full = used + 1 >= bytes;
		ssize_t count = wan_sys->read(fd, full ? drain : to + used,
					      full ? sizeof(drain) : bytes - 1 - used);
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			break;
		used += full ? 0 : (size_t)count;
	}
	to[used] = '\0';
	return true;
}

/* Does `true` start under the list without a word? messages gets the loader's words. */
static bool trial(const char *list, char *messages, size_t bytes)
{
	int ends[2], status = -1;
	messages[0] = '\0';
	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	pid_t pid = fork();
	if (pid == 0)
		trial_child(list, ends[1]);
	wan_sys->close(ends[1]);
	bool in_time = pid > 0 && collect(ends[0], messages, bytes);
	wan_sys->close(ends[0]);
	if (pid <= 0)
		return false;
	if (!in_time)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	bool complains = strstr(messages, PRELOAD_NAME) || strstr(messages, COUNT_NAME) ||
			 strstr(messages, "libjemalloc");
	/* A machine without `true` says nothing about our libraries. */
	return in_time && WIFEXITED(status) &&
	       (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 127) && !complains;
}

static void give_up(struct run_preload *preload, const char *reason, const char *detail)
{
	preload->list[0] = '\0';
	preload->recording = false;
	wan_str_format(preload->reason, sizeof(preload->reason), "%s%s", reason, detail);
}

/* The library for the mode, or "" with the reason. */
static void find_memory(enum run_alloc alloc, const char *ours, struct run_preload *preload,
			char *to, size_t bytes)
{
	const char *slash = strrchr(ours, '/');
	to[0] = '\0';
	if (alloc == RUN_ALLOC_OFF)
		return;
	if (alloc == RUN_ALLOC_JEMALLOC) {
		if (find_jemalloc(to, bytes))
			return;
		wan_str_format(preload->reason, sizeof(preload->reason),
			       JEMALLOC_NAME " was not found: memory per operation will be unknown "
					     "(Debian: apt-get install libjemalloc2)");
	} else {
		wan_str_format(to, bytes, "%.*s/" COUNT_NAME, (int)(slash ? slash - ours : 0),
			       ours);
		if (is_file(to) && make_safe(to, bytes))
			return;
		wan_str_format(preload->reason, sizeof(preload->reason),
			       COUNT_NAME " is not beside " PRELOAD_NAME
					  ": memory per operation will be unknown");
	}
	to[0] = '\0';
}

void run_preload_prepare(enum run_alloc alloc, struct run_preload *preload)
{
	char ours[PATH_MAX], memory[PATH_MAX], messages[512];
	preload->reason[0] = '\0';
	if (!find_preload(ours, sizeof(ours))) {
		give_up(preload,
			PRELOAD_NAME " was not found beside wanprof nor in " WANPROF_LIBDIR
				     "; name it in WANPROF_PRELOAD",
			"");
		return;
	}
	find_memory(alloc, ours, preload, memory, sizeof(memory));
	if (!make_safe(ours, sizeof(ours))) {
		give_up(preload, "no folder for a link to ", ours);
		return;
	}
	preload->recording = true;
	build_list(preload, ours, memory);
	if (trial(preload->list, messages, sizeof(messages)))
		return;
	if (memory[0]) {
		build_list(preload, ours, "");
		wan_str_format(preload->reason, sizeof(preload->reason),
			       "%s could not be preloaded: memory per operation will be unknown",
			       strrchr(memory, '/') + 1);
		if (trial(preload->list, messages, sizeof(messages)))
			return;
	}
	messages[strcspn(messages, "\n")] = '\0';
	give_up(preload, "the trial of " PRELOAD_NAME " on `true` failed: ",
		messages[0] ? messages : "no word from the loader");
}
