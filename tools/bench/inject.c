/* SPDX-License-Identifier: MIT */
#include "inject.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "str.h"
#include "sys.h"

#define SMALL_DISK "size=4m,nr_inodes=200"

static int write_text(const char *path, const char *text)
{
	int fd = wan_sys->open(path, O_WRONLY | O_CLOEXEC, 0);
	int r = fd < 0 ? -errno : wan_write_full(fd, text, strlen(text));
	if (fd >= 0)
		(void)wan_sys->close(fd);
	return r;
}

/* Files are made with both ids: one that is not mapped could not be stored. */
static int map_ids(unsigned user, unsigned group)
{
	char text[32];
	int r = write_text("/proc/self/setgroups", "deny");
	if (r < 0 && r != -ENOENT)
		return r;
	wan_str_format(text, sizeof(text), "%u %u 1\n", user, user);
	r = write_text("/proc/self/uid_map", text);
	wan_str_format(text, sizeof(text), "%u %u 1\n", group, group);
	return r ? r : write_text("/proc/self/gid_map", text);
}

/* Mounts of our own: as root at once, else in a user namespace, where these are allowed. */
static int own_mounts(void)
{
	unsigned user = (unsigned)geteuid(), group = (unsigned)getegid();
	if (unshare(CLONE_NEWNS) == 0)
		return 0;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return -errno;
	return map_ids(user, group);
}

static int say(const char *what, int r)
{
	fprintf(stderr, "%s: %s\n", what, strerror(-r));
	return r;
}

int bench_small_disk(const char *folder)
{
	char path[PATH_MAX];
	wan_str_format(path, sizeof(path), "%s/small", folder);
	if (wan_sys->mkdir(path, 0700) < 0 && errno != EEXIST)
		return say(path, -errno);
	int r = own_mounts();
	if (r < 0)
		return say("this user may not mount", r);
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", path, "tmpfs", MS_NOSUID | MS_NODEV, SMALL_DISK) < 0)
		return say("a small file system cannot be mounted", -errno);
	return 0;
}

void bench_keep_busy(void)
{
	volatile uint64_t sum = 0;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		sum += 1;
}
