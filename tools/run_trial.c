/* SPDX-License-Identifier: MIT */
/*
 * What is put before a program is tried first: whatever is wrong with it must not be the program's
 * problem. `true` is run under it, and under an auditor the loader is asked to link the program
 * itself without running it, since then thread-local storage of the libraries it starts with must
 * fit into a reserve. What has passed is remembered until one of the files changes.
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

#include "cleanup.h"
#include "clock.h"
#include "hash.h"
#include "macros.h"
#include "str.h"
#include "sys.h"

enum {
	TRIAL_MS = 5000,
	REMEMBERED = 1024, /* 8 KiB */
};

static void set_or_unset(const char *name, const char *value)
{
	if (value[0])
		setenv(name, value, 1);
	else
		unsetenv(name);
}

static void trial_child(const struct run_preload *preload, const char *elf, int messages)
{
	int null = wan_sys->open("/dev/null", O_RDWR, 0);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(messages, STDERR_FILENO);
	setenv("LD_PRELOAD", preload->list, 1);
	set_or_unset("LD_AUDIT", preload->audit);
	if (preload->audit[0])
		setenv("GLIBC_TUNABLES", preload->tunables, 1);
	setenv("WAN_RECORD_PATH", "off", 1);
	if (elf) { /* list its libraries, and relocate them for the sake of warnings: do not start
		    */
		setenv("LD_TRACE_LOADED_OBJECTS", "1", 1);
		setenv("LD_WARN", "1", 1);
		execl(elf, elf, (char *)NULL);
	} else {
		execlp("true", "true", (char *)NULL);
	}
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

/* False: it did not end by itself, in time. messages gets the loader's words. */
static bool run_child_quietly(const struct run_preload *preload, const char *elf, char *messages,
			      size_t bytes, int *ret_status)
{
	int ends[2];
	messages[0] = '\0';
	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	pid_t pid = fork();
	if (pid == 0)
		trial_child(preload, elf, ends[1]);
	wan_sys->close(ends[1]);
	bool in_time = pid > 0 && collect(ends[0], messages, bytes);
	wan_sys->close(ends[0]);
	if (pid <= 0)
		return false;
	if (!in_time)
		kill(pid, SIGKILL);
	while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
		;
	messages[strcspn(messages, "\n")] = '\0';
	return in_time && WIFEXITED(*ret_status);
}

bool run_trial_start(const struct run_preload *preload, char *messages, size_t bytes)
{
	int status = -1;
	bool ended = run_child_quietly(preload, NULL, messages, bytes, &status);
	bool complains = strstr(messages, "libwanrt-") || strstr(messages, "libjemalloc");
	/* A machine without `true` says nothing about our libraries. */
	return ended && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 127) && !complains;
}

bool run_trial_link(const struct run_preload *preload, const char *elf, char *messages,
		    size_t bytes)
{
	int status = -1;
	return run_child_quietly(preload, elf, messages, bytes, &status) &&
	       !strstr(messages, "static TLS");
}

/* A file as it is now; a changed one has another hash. */
static uint64_t hash_file(const char *path, size_t bytes, uint64_t hash)
{
	struct stat status;
	char name[PATH_MAX];
	wan_str_format(name, sizeof(name), "%.*s", (int)bytes, path);
	hash = wan_hash64(name, strlen(name), hash);
	if (wan_sys->stat(name, &status) < 0)
		return hash;
	const uint64_t words[] = {
		(uint64_t)status.st_dev,          (uint64_t)status.st_ino,
		(uint64_t)status.st_size,         (uint64_t)status.st_mtim.tv_sec,
		(uint64_t)status.st_mtim.tv_nsec, (uint64_t)status.st_ctim.tv_sec};
	return wan_hash64(words, sizeof(words), hash);
}

static uint64_t hash_list(const char *list, uint64_t hash)
{
	while (*list) {
		size_t bytes = strcspn(list, ": ");
		if (bytes)
			hash = hash_file(list, bytes, hash);
		list += bytes + (list[bytes] != '\0');
	}
	return hash;
}

static uint64_t hash_text(const char *text, uint64_t hash)
{
	return text ? wan_hash64(text, strlen(text) + 1, hash) : hash + 1;
}

/* Never 0. */
uint64_t run_trial_key(const struct run_preload *preload, const struct run_program *program)
{
	static const char cache[] = "/etc/ld.so.cache"; /* written anew by every installation */
	uint64_t hash = hash_text(WAN_VERSION_TEXT, 1);
	hash = hash_list(preload->list, hash);
	hash = hash_list(preload->audit, hash);
	hash = hash_text(preload->tunables, hash);
	hash = hash_text(getenv("LD_LIBRARY_PATH"), hash);
	hash = hash_text(getenv("LD_BIND_NOW"), hash);
	hash = hash_file(program->loader, strlen(program->loader), hash);
	hash = hash_file(program->elf, strlen(program->elf), hash);
	hash = hash_file(cache, sizeof(cache) - 1, hash);
	return hash ? hash : 1;
}

/* $XDG_CACHE_HOME/wanrt/tried: a table of keys, each at the place that it says itself. */
static int open_tried(bool write)
{
	char path[PATH_MAX];
	struct stat status;
	const char *base = secure_getenv("XDG_CACHE_HOME"), *home = secure_getenv("HOME");
	size_t used;
	if (base && base[0] == '/')
		used = wan_str_format(path, sizeof(path), "%s", base);
	else if (home && home[0] == '/')
		used = wan_str_format(path, sizeof(path), "%s/.cache", home);
	else
		return -1;
	if (used + sizeof("/wanrt/tried") > sizeof(path))
		return -1;
	if (write)
		wan_sys->mkdir(path, 0700);
	memcpy(path + used, "/wanrt", sizeof("/wanrt"));
	if (write)
		wan_sys->mkdir(path, 0700);
	memcpy(path + used, "/wanrt/tried", sizeof("/wanrt/tried"));
	int fd = wan_sys->open(path, (write ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW,
			       0600);
	if (fd >= 0 && (wan_sys->fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) ||
			status.st_uid != geteuid() || (status.st_mode & 022))) {
		wan_sys->close(fd);
		return -1;
	}
	return fd;
}

static off_t place_of(uint64_t key)
{
	return (off_t)(key % REMEMBERED * sizeof(key));
}

bool run_trial_is_known(uint64_t key)
{
	uint64_t seen = 0;
	wan_cleanup(wan_fd_closep) int fd = open_tried(false);
	return fd >= 0 && pread(fd, &seen, sizeof(seen), place_of(key)) == sizeof(seen) &&
	       seen == key;
}

void run_trial_remember(uint64_t key)
{
	wan_cleanup(wan_fd_closep) int fd = open_tried(true);
	ssize_t written = fd < 0 ? 0 : pwrite(fd, &key, sizeof(key), place_of(key));
	(void)written; /* then it is tried again next time */
}
