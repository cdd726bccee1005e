/* SPDX-License-Identifier: MIT */
/* Folder and name of a recording. Runs inside other people's programs: stack and system calls only.
 */
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "procfs.h"
#include "str.h"
#include "sys.h"

#define SUFFIX        ".wprof"
#define MOST_ATTEMPTS 100 /* exec keeps pid and start time: later programs get -2, -3 ... */

void wan_place_self(struct wan_place *ret_place)
{
	*ret_place = (struct wan_place){.pid = (uint32_t)getpid()};
	if (wan_procfs_start_time((int)ret_place->pid, &ret_place->start_ticks) != 0)
		ret_place->start_ticks = 0; /* no /proc here */
	ssize_t count = readlink("/proc/self/exe", ret_place->executable,
				 sizeof(ret_place->executable) - 1);
	ret_place->executable[count > 0 ? count : 0] = '\0';
}

bool wan_place_lives(uint32_t pid, uint64_t start_ticks)
{
	char path[32], text[512];
	uint64_t now_ticks;
	if (!pid || pid > INT32_MAX || (kill((pid_t)pid, 0) != 0 && errno != EPERM))
		return false;
	wan_str_format(path, sizeof(path), "/proc/%u/stat", pid);
	if (wan_procfs_read(path, text, sizeof(text)) <= 0 ||
	    wan_procfs_start_time((int)pid, &now_ticks) != 0)
		return true; /* hidden from us, or no /proc: there is only the pid to go by */
	const char *state = strrchr(text, ')');
	if (state && (wan_str_starts(state, ") Z") || wan_str_starts(state, ") X")))
		return false; /* ended, not yet collected by its parent */
	return !start_ticks || now_ticks == start_ticks;
}

int wan_place_default_folder(char *to, size_t bytes)
{
	const char *state = secure_getenv("XDG_STATE_HOME");
	const char *home = secure_getenv("HOME");
	bool use_state = state && state[0] == '/'; /* others are to be ignored, says the standard */
	struct stat info;
	if (!use_state &&
	    (!home || home[0] != '/' || wan_sys->stat(home, &info) != 0 || !S_ISDIR(info.st_mode)))
		return -ENOENT; /* a home that is not there is not ours to make */
	const char *base = use_state ? state : home;
	const char *rest = use_state ? "/wanrt" : "/.local/state/wanrt";
	if (strlen(base) + strlen(rest) >= bytes)
		return -ENAMETOOLONG;
	wan_str_format(to, bytes, "%s%s", base, rest);
	return 0;
}

bool wan_place_is_default(const char *configured)
{
	return !configured[0];
}

/* Every missing folder on the way, owner only. */
static int make_folders(const char *path)
{
	char partial[WAN_PLACE_BYTES];
	if (!wan_str_copy(partial, sizeof(partial), path))
		return -ENAMETOOLONG;
	for (char *c = partial + 1;; c++) {
		if (*c && *c != '/')
			continue;
		char kept = *c;
		*c = '\0';
		if (wan_sys->mkdir(partial, 0700) != 0 && errno != EEXIST)
			return -errno;
		*c = kept;
		if (!kept)
			return 0;
	}
}

/*
 * A folder that others may write to would let them put their own file, or a link, under our name;
 * O_EXCL and O_NOFOLLOW guard the file, this guards the rest. A folder named by the user may be a
 * sticky one like /tmp.
 */
static int open_folder(const char *path, bool is_default)
{
	struct stat folder;
	int fd = wan_sys->open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0) {
		int error = make_folders(path);
		if (error)
			return error;
		fd = wan_sys->open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	}
	if (fd < 0)
		return -errno;
	int error = wan_sys->fstat(fd, &folder) != 0 ? -errno : 0;
	bool open_to_all = folder.st_mode & (S_IWGRP | S_IWOTH);
	if (!error && is_default && (folder.st_uid != geteuid() || open_to_all))
		error = -EPERM;
	if (!error && !is_default && (folder.st_mode & S_IWOTH) && !(folder.st_mode & S_ISVTX))
		error = -EPERM;
	if (!error)
		return fd;
	wan_sys->close(fd);
	return error;
}

static int create_at(int folder, const char *name)
{
	int fd = wan_sys->openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				 0600);
	return fd < 0 ? -errno : fd;
}

/* Program name as part of a file name: nothing in it can leave the folder or confuse a shell. */
static void plain_name(char to[48], const char *executable)
{
	const char *slash = strrchr(executable, '/');
	const char *from = slash ? slash + 1 : executable;
	size_t count = 0;
	for (; from[count] && count < 47; count++) {
		char c = from[count];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '+';
		to[count] = plain && !(c == '.' && !count) ? c : '_';
	}
	to[count] = '\0';
	if (!count)
		wan_str_copy(to, 48, "program");
}

static int create_in(const struct wan_place *place, const char *folder, bool is_default,
		     char *ret_path)
{
	char name[128], program[48];
	wan_cleanup(wan_fd_closep) int fd = open_folder(folder, is_default);
	if (fd < 0)
		return fd;
	plain_name(program, place->executable);
	size_t used = wan_str_format(name, sizeof(name), "%s-%u-%llu", program, place->pid,
				     (unsigned long long)place->start_ticks);
	for (unsigned attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
		if (attempt == 1)
			wan_str_format(name + used, sizeof(name) - used, SUFFIX);
		else
			wan_str_format(name + used, sizeof(name) - used, "-%u" SUFFIX, attempt);
		int file = create_at(fd, name);
		if (file == -EEXIST)
			continue;
		if (file < 0)
			return file;
		size_t length = strlen(folder);
		bool slash = length && folder[length - 1] == '/';
		if (length + strlen(name) + 2 > WAN_PLACE_BYTES) {
			wan_sys->close(file);
			return -ENAMETOOLONG;
		}
		wan_str_format(ret_path, WAN_PLACE_BYTES, "%s%s%s", folder, slash ? "" : "/", name);
		return file;
	}
	return -EEXIST;
}

int wan_place_create_exact(const char *path)
{
	return create_at(AT_FDCWD, path);
}

int wan_place_create(const struct wan_place *place, const char *configured, char *ret_path)
{
	char folder[WAN_PLACE_BYTES];
	size_t length = strlen(configured);
	if (wan_str_equal(configured, "off"))
		return -ENOENT;
	if (!length) {
		int error = wan_place_default_folder(folder, sizeof(folder));
		return error ? error : create_in(place, folder, true, ret_path);
	}
	if (configured[length - 1] == '/')
		return create_in(place, configured, false, ret_path);

	int fd = wan_place_create_exact(configured);
	if (fd >= 0)
		wan_str_copy(ret_path, WAN_PLACE_BYTES, configured);
	if (fd != -EEXIST)
		return fd;
	/* Another process of the family has the file: the others go beside it, into FILE.d/. */
	if (length + 4 > sizeof(folder))
		return -ENAMETOOLONG;
	wan_str_format(folder, sizeof(folder), "%s.d/", configured);
	return create_in(place, folder, false, ret_path);
}

/* A number in front of *end, back to the '-' before it. */
static bool number_before(const char *name, const char **end, uint64_t *ret_number)
{
	const char *first = *end;
	uint64_t number = 0;
	while (first > name && first[-1] >= '0' && first[-1] <= '9')
		first--;
	if (first == *end || *end - first > 19 || first == name || first[-1] != '-')
		return false;
	for (const char *c = first; c < *end; c++)
		number = number * 10 + (uint64_t)(*c - '0');
	*end = first - 1;
	*ret_number = number;
	return true;
}

bool wan_place_parse(const char *name, uint32_t *ret_pid, uint64_t *ret_start_ticks)
{
	size_t length = strlen(name), suffix = strlen(SUFFIX);
	uint64_t last, middle, first;
	if (length <= suffix || strcmp(name + length - suffix, SUFFIX) != 0)
		return false;
	const char *end = name + length - suffix;
	if (!number_before(name, &end, &last) || !number_before(name, &end, &middle))
		return false;
	/* NAME-PID-START, or NAME-PID-START-N: with three numbers the last one is N, unless the
	 * program's own name ends in -NUMBER; then N would be a start time far above 100. */
	const char *before = end;
	if (last <= MOST_ATTEMPTS && number_before(name, &before, &first)) {
		last = middle;
		middle = first;
	}
	if (middle > UINT32_MAX)
		return false;
	*ret_pid = (uint32_t)middle;
	*ret_start_ticks = last;
	return true;
}
