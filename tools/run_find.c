/* SPDX-License-Identifier: MIT */
/* Where the libraries are that go into the command, as paths that the loader can read. */
#include "run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hash.h"
#include "macros.h"
#include "str.h"
#include "sys.h"

bool run_find_is_file(const char *path)
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
bool run_find_preload(char *to, size_t bytes)
{
	char folder[PATH_MAX - 128];
	const char *named = secure_getenv("WANPROF_PRELOAD");
	if (named && named[0]) {
		char *full = realpath(named, NULL);
		bool found = full && wan_str_copy(to, bytes, full) && run_find_is_file(to);
		free(full);
		return found;
	}
	static const char *const beside[] = {"../profiler/preload", "../" WANPROF_LIBDIR_NAME, "."};
	for (size_t i = 0; i < WAN_COUNT_OF(beside) && own_folder(folder, sizeof(folder)); i++) {
		char *full;
		wan_str_format(to, bytes, "%s/%s/" RUN_PRELOAD_NAME, folder, beside[i]);
		if (!run_find_is_file(to) || !(full = realpath(to, NULL)))
			continue;
		wan_str_copy(to, bytes, full);
		free(full);
		return true;
	}
	wan_str_format(to, bytes, "%s/" RUN_PRELOAD_NAME, WANPROF_LIBDIR);
	return run_find_is_file(to);
}

/* In the folders of LD_LIBRARY_PATH, then where distributions put it. An absolute path, so that it
 * is found by every process of the family, however its environment looks. */
bool run_find_jemalloc(char *to, size_t bytes)
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
		wan_str_format(to, bytes, "%.*s/" RUN_JEMALLOC_NAME, (int)length, path);
		if (length && path[0] == '/' && run_find_is_file(to))
			return true;
		path += length + (path[length] != '\0');
	}
	for (size_t i = 0; i < WAN_COUNT_OF(usual); i++) {
		wan_str_format(to, bytes, "%s/" RUN_JEMALLOC_NAME, usual[i]);
		if (run_find_is_file(to))
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
bool run_find_make_safe(char *path, size_t bytes)
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
