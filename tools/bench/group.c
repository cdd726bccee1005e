/* SPDX-License-Identifier: MIT */
/* A memory cgroup of our own, below the one we are in: for root, or where it is delegated. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cgroup_path.h"
#include "procfs.h"
#include "session.h"
#include "str.h"
#include "sys.h"

#define NAME "wanprof-bench-"

static int write_text(const char *folder, const char *name, const char *text)
{
	char path[PATH_MAX];
	wan_str_format(path, sizeof(path), "%s/%s", folder, name);
	int fd = wan_sys->open(path, O_WRONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int r = wan_write_full(fd, text, strlen(text));
	(void)wan_sys->close(fd);
	return r;
}

static int find(struct wan_cgroup_place *place, bool *ret_v2)
{
	static char own[4096], mounts[65536];
	if (wan_procfs_read("/proc/self/cgroup", own, sizeof(own)) < 0 ||
	    wan_procfs_read("/proc/self/mountinfo", mounts, sizeof(mounts)) < 0)
		return -ENOENT;
	*ret_v2 = false;
	if (wan_cgroup_locate(own, mounts, false, place) == 0)
		return 0;
	*ret_v2 = true;
	return wan_cgroup_locate(own, mounts, true, place);
}

/* Of owners that were killed: named after a process that is gone. */
static void remove_left(const char *parent)
{
	DIR *all = opendir(parent);
	for (struct dirent *entry; all && (entry = readdir(all));) {
		char path[PATH_MAX];
		uint64_t pid;
		if (!wan_str_starts(entry->d_name, NAME) ||
		    wan_parse_u64(entry->d_name + strlen(NAME), &pid) < 0 || pid > INT_MAX ||
		    kill((pid_t)pid, 0) == 0 || errno != ESRCH)
			continue;
		wan_str_format(path, sizeof(path), "%s/%s", parent, entry->d_name);
		(void)rmdir(path);
	}
	if (all)
		(void)closedir(all);
}

int bench_group_make(char *ret_folder, size_t bytes, uint64_t limit_bytes, char *reterr_reason,
		     size_t reason_bytes)
{
	static struct wan_cgroup_place place;
	char parent[PATH_MAX], folder[PATH_MAX], limit[32];
	bool v2;
	if (find(&place, &v2) < 0) {
		wan_str_copy(reterr_reason, reason_bytes, "no memory cgroup is mounted");
		return -ENOENT;
	}
	wan_str_format(parent, sizeof(parent), "%.2000s%.2000s", place.mount, place.path);
	remove_left(parent);
	wan_str_format(folder, sizeof(folder), "%.4000s/" NAME "%d", parent, (int)getpid());
	if (wan_sys->mkdir(folder, 0755) < 0 && errno != EEXIST) {
		int r = -errno;
		wan_str_format(reterr_reason, reason_bytes, "no memory cgroup can be made: %s",
			       strerror(-r));
		return r;
	}
	wan_str_format(limit, sizeof(limit), "%llu", (unsigned long long)limit_bytes);
	int r = write_text(folder, v2 ? "memory.max" : "memory.limit_in_bytes", limit);
	if (r < 0) {
		(void)rmdir(folder);
		wan_str_copy(reterr_reason, reason_bytes,
			     "the memory controller is not delegated to this cgroup");
		return r;
	}
	wan_str_copy(ret_folder, bytes, folder);
	return 0;
}

int bench_group_join(const char *folder)
{
	return write_text(folder, "cgroup.procs", "0");
}

void bench_group_remove(const char *folder)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	/* Its last process may be on its way out. */
	for (unsigned i = 0; i < 200 && rmdir(folder) < 0 && errno == EBUSY; i++)
		nanosleep(&pause, NULL);
}
