/* SPDX-License-Identifier: MIT */
/* Where a run is recorded: FILE at the end, FILE.d/ until then. */
#include "run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "procfs.h"
#include "reader.h"
#include "str.h"
#include "sys.h"

static int refuse(struct wan_error *reterr_error, const char *path, int code)
{
	const char *hint = code == -ENOENT   ? "create the folder first, or choose another with -o"
			   : code == -ENOSPC ? "free some space, or choose another place with -o"
					     : "choose another place with -o";
	return wan_error_set(reterr_error, code, path, hint, "nothing can be recorded here: %s",
			     strerror(-code));
}

/* mkdir -p, owner only. */
static int make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		int made = wan_sys->mkdir(path, 0700);
		int code = errno;
		*slash = '/';
		if (made < 0 && code != EEXIST)
			return -code;
	}
	return wan_sys->mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}

/* NAME-PID-START in the folder (no final slash): our pid and start name the run. */
static int name_run(char *to, size_t bytes, const char *folder, const char *program,
		    const char *suffix)
{
	char name[128];
	uint64_t start_ticks = 0;
	if (strlen(folder) + sizeof(name) + 64 > bytes)
		return -ENAMETOOLONG;
	const char *slash = strrchr(program, '/');
	wan_str_copy(name, sizeof(name), slash ? slash + 1 : program);
	wan_procfs_start_time(0, &start_ticks);
	wan_str_format(to, bytes, "%s/%s-%d-%llu%s", folder, name, (int)getpid(),
		       (unsigned long long)start_ticks, suffix);
	return 0;
}

static int name_in_folder(struct run_files *files, const char *folder, const char *program,
			  struct wan_error *reterr_error)
{
	int status = name_run(files->path, sizeof(files->path), folder, program, ".wprof");
	return status < 0 ? refuse(reterr_error, folder, status) : 0;
}

/* `dump -p PID` looks into the default folder: while the command runs, a link there shows it the
 * way. Without one the run is only harder to find. */
static void make_link(struct run_files *files, const char *program)
{
	char folder[PATH_MAX];
	if (wan_recording_default_folder(folder, sizeof(folder)) < 0 || make_folders(folder) < 0 ||
	    name_run(files->link, sizeof(files->link), folder, program, ".d") < 0 ||
	    symlink(files->folder, files->link) < 0)
		files->link[0] = '\0';
}

static int default_path(struct run_files *files, const char *program,
			struct wan_error *reterr_error)
{
	char folder[PATH_MAX];
	int status = wan_recording_default_folder(folder, sizeof(folder));
	if (status < 0)
		return wan_error_set(reterr_error, status, "HOME", "give a file with -o",
				     "neither XDG_STATE_HOME nor HOME names a folder to record in");
	status = make_folders(folder);
	return status < 0 ? refuse(reterr_error, folder, status)
			  : name_in_folder(files, folder, program, reterr_error);
}

/* The command may change its folder: names must be absolute. */
static int chosen_path(struct run_files *files, const char *path, const char *program,
		       struct wan_error *reterr_error)
{
	char here[PATH_MAX] = "", folder[PATH_MAX];
	size_t bytes = strlen(path);
	bool absolute = path[0] == '/';
	if (strcmp(path, "-") == 0)
		return wan_error_set(reterr_error, -EINVAL, path, "give the name of a file",
				     "a recording cannot go to standard output");
	if (!absolute && !getcwd(here, sizeof(here)))
		return refuse(reterr_error, ".", -errno);
	if (!bytes || strlen(here) + bytes + 64 > PATH_MAX)
		return refuse(reterr_error, path, bytes ? -ENAMETOOLONG : -ENOENT);
	wan_str_format(files->path, sizeof(files->path), "%s%s%s", here, absolute ? "" : "/", path);
	if (path[bytes - 1] != '/')
		return 0;
	wan_str_copy(folder, sizeof(folder), files->path);
	folder[strlen(folder) - 1] = '\0';
	return name_in_folder(files, folder, program, reterr_error);
}

static int refuse_existing(const struct run_files *files, struct wan_error *reterr_error)
{
	struct stat status;
	if (wan_sys->stat(files->path, &status) < 0)
		return 0;
	if (S_ISDIR(status.st_mode))
		return wan_error_set(reterr_error, -EISDIR, files->path, "give the name of a file",
				     "is a folder");
	if (files->force && S_ISREG(status.st_mode))
		return 0;
	return wan_error_set(reterr_error, -EEXIST, files->path,
			     S_ISREG(status.st_mode) ? "use --force to replace it"
						     : "only a regular file can hold a recording",
			     "exists already");
}

int run_files_prepare(struct run_files *files, const char *path, const char *program, bool force,
		      struct wan_error *reterr_error)
{
	files->force = force;
	files->link[0] = '\0';
	int status = path ? chosen_path(files, path, program, reterr_error)
			  : default_path(files, program, reterr_error);
	if (status == 0)
		status = refuse_existing(files, reterr_error);
	if (status < 0)
		return status;
	wan_str_format(files->folder, sizeof(files->folder), "%s.d/", files->path);
	if (force)
		run_files_discard(files);
	if (wan_sys->mkdir(files->folder, 0700) == 0) {
		if (path)
			make_link(files, program);
		return 0;
	}
	if (errno == EEXIST)
		return wan_error_set(reterr_error, -EEXIST, files->folder,
				     "read it with `wanprof dump FOLDER`, or use --force",
				     "another run writes here, or one was killed and left this");
	return refuse(reterr_error, files->path, -errno);
}

void run_files_discard(const struct run_files *files)
{
	DIR *folder = opendir(files->folder);
	if (!folder)
		return;
	/* Recordings only: a folder of that name with something else in it is not ours. */
	for (struct dirent *entry; (entry = readdir(folder));) {
		size_t bytes = strlen(entry->d_name);
		if (bytes > 6 && strcmp(entry->d_name + bytes - 6, ".wprof") == 0)
			unlinkat(dirfd(folder), entry->d_name, 0);
	}
	closedir(folder);
	rmdir(files->folder);
	if (files->link[0])
		wan_sys->unlink(files->link);
}
