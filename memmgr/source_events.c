/* SPDX-License-Identifier: MIT */
/*
 * Being told instead of looking. v1: an eventfd that the kernel signals when a level's usage
 * crosses one of the steps of its limit. Usage holds file pages too, so need cannot reach a step
 * before usage does: such a level is covered. v2: memory.events changes when a level touches its
 * high or max limit, which is late but better than nothing; such a level is not covered. Both: the
 * files of limits are watched, so that a limit that is lowered is seen at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "atomics.h"
#include "clock.h"
#include "macros.h"
#include "procfs.h"
#include "source.h"
#include "str.h"
#include "sys.h"

enum { STEPS = 3, AGAIN_NS = 1000000000 };

static void disarm(struct wan_cgroup_level *level)
{
	wan_store_relaxed(&level->armed_bytes, 0);
	level->armed_limit = 0;
	wan_event_close(&level->event); /* takes its thresholds along */
}

static int write_threshold(int control_fd, int event_fd, int usage_fd, uint64_t bytes)
{
	char text[64];
	size_t length = wan_str_format(text, sizeof(text), "%d %d %llu", event_fd, usage_fd,
				       (unsigned long long)bytes);
	ssize_t wrote = wan_sys->write(control_fd, text, length);
	return wrote == (ssize_t)length ? 0 : wrote < 0 ? -errno : -EIO;
}

/* One eventfd and its thresholds. */
static int arm(struct wan_cgroup_level *level, uint64_t limit, const double *steps_pct)
{
	char path[8192];
	int usage_fd = wan_load_relaxed(&level->usage.fd);
	if (usage_fd < 0)
		return -ENOENT;
	wan_str_format(path, sizeof(path), "%s/cgroup.event_control", level->folder);
	int control_fd = wan_sys->open(path, O_WRONLY | O_CLOEXEC, 0);
	if (control_fd < 0)
		return -errno;
	int status = wan_event_open(&level->event);
	for (int i = 0; i < STEPS && !status; i++)
		status = write_threshold(control_fd, wan_event_fd(&level->event), usage_fd,
					 (uint64_t)((double)limit * steps_pct[i] / 100));
	wan_sys->close(control_fd);
	if (status < 0) {
		disarm(level);
		return status;
	}
	level->armed_limit = limit;
	wan_store_relaxed(&level->armed_bytes, (uint64_t)((double)limit * steps_pct[0] / 100));
	return 0;
}

/* The limit that was in force at the last look; 0: none. */
static uint64_t limit_now(struct wan_cgroup_level *level)
{
	uint64_t own = wan_load_relaxed(&level->limit_bytes);
	uint64_t hidden = wan_load_relaxed(&level->hidden_bytes);
	uint64_t limit = own && hidden ? WAN_MIN(own, hidden) : WAN_MAX(own, hidden);
	return limit >= (uint64_t)1 << 60 ? 0 : limit;
}

static void watch_v1(struct wan_cgroup_level *level, const double *steps_pct, uint64_t now_ns)
{
	uint64_t limit = limit_now(level);
	bool armed = wan_event_fd(&level->event) >= 0;
	if (armed && limit == level->armed_limit)
		return;
	bool tried = level->arm_failed_ns && now_ns - level->arm_failed_ns < AGAIN_NS;
	if (!armed && tried)
		return;
	disarm(level);
	if (!limit)
		return;
	int status = arm(level, limit, steps_pct);
	level->arm_failed_ns = status < 0 ? now_ns : 0;
	if (status < 0)
		wan_cgroup_level_trouble(level, WAN_CGROUP_NO_EVENTS);
}

/* The program may have closed it and have something else under its number. */
static bool inotify_is_ours(const struct wan_source_cgroup *source)
{
	char path[48], text[12288], inode[32];
	wan_str_format(path, sizeof(path), "/proc/self/fdinfo/%d", source->inotify_fd);
	wan_str_format(inode, sizeof(inode), " ino:%llx ",
		       (unsigned long long)source->inotify_inode);
	return wan_procfs_read(path, text, sizeof(text)) > 0 && strstr(text, "inotify wd:") &&
	       strstr(text, inode);
}

static void forget_inotify(struct wan_source_cgroup *source)
{
	source->inotify_fd = -1;
	for (uint32_t i = 0; source->tree && i < source->tree->count; i++) {
		source->tree->levels[i].limit_watch_tried = false;
		if (source->tree->levels[i].v2)
			source->tree->levels[i].armed_limit = 0;
	}
}

void wan_source_cgroup_unwatch(struct wan_source_cgroup *source)
{
	if (source->inotify_fd >= 0 && inotify_is_ours(source))
		wan_sys->close(source->inotify_fd);
	source->inotify_fd = -1;
}

/* A watch on a file is made once: the kernel gives the same one again. */
static bool watch_file(struct wan_source_cgroup *source, const char *folder, const char *name)
{
	char path[8192];
	struct stat info;
	if (source->inotify_fd < 0)
		source->inotify_fd = wan_sys->inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	wan_str_format(path, sizeof(path), "%s/%s", folder, name);
	if (source->inotify_fd < 0 ||
	    wan_sys->inotify_add_watch(source->inotify_fd, path, IN_MODIFY) < 0)
		return false;
	if (wan_sys->stat(path, &info) == 0)
		source->inotify_inode = info.st_ino;
	return true;
}

static void watch_v2(struct wan_source_cgroup *source, struct wan_cgroup_level *level,
		     uint64_t now_ns)
{
	uint64_t limit = limit_now(level);
	if (!limit || level->armed_limit)
		return;
	if (level->arm_failed_ns && now_ns - level->arm_failed_ns < AGAIN_NS)
		return;
	bool watched = watch_file(source, level->folder, "memory.events");
	level->arm_failed_ns = watched ? 0 : now_ns;
	level->armed_limit = watched;
	if (!watched)
		wan_cgroup_level_trouble(level, WAN_CGROUP_NO_EVENTS);
}

/* Limits that somebody writes: seen at once, also in a pause. Where that cannot be had, or the
 * writer sees the file through another mount, the next look sees it. */
static void watch_limits(struct wan_source_cgroup *source, struct wan_cgroup_level *level)
{
	if (level->limit_watch_tried)
		return;
	level->limit_watch_tried = true;
	(void)watch_file(source, level->folder, level->v2 ? "memory.max" : "memory.limit_in_bytes");
	if (level->v2)
		(void)watch_file(source, level->folder, "memory.high");
}

uint32_t wan_source_cgroup_watch(struct wan_source_cgroup *source, const double *steps_pct,
				 int *fds, uint32_t capacity)
{
	struct wan_cgroup_tree *tree = source->tree;
	uint64_t now_ns = wan_now_ns();
	uint32_t count = 0;
	wan_store_relaxed(&source->lowest_step_ppm, (uint32_t)(steps_pct[0] * 10000));
	for (uint32_t i = 0; tree && i < tree->count; i++) {
		struct wan_cgroup_level *level = &tree->levels[i];
		watch_limits(source, level);
		if (level->v2) {
			watch_v2(source, level, now_ns);
			continue;
		}
		watch_v1(level, steps_pct, now_ns);
		if (wan_event_fd(&level->event) >= 0 && count < capacity)
			fds[count++] = wan_event_fd(&level->event);
	}
	if (source->inotify_fd >= 0 && count < capacity)
		fds[count++] = source->inotify_fd;
	return count;
}

void wan_source_cgroup_woken(struct wan_source_cgroup *source)
{
	struct wan_cgroup_tree *tree = source->tree;
	char drained[4096];
	for (uint32_t i = 0; tree && i < tree->count; i++) {
		struct wan_cgroup_level *level = &tree->levels[i];
		if (wan_event_fd(&level->event) >= 0 && !wan_event_drain(&level->event))
			disarm(level); /* closed by the program: armed anew when next watched */
	}
	if (source->inotify_fd < 0)
		return;
	if (!inotify_is_ours(source)) {
		forget_inotify(source);
		return;
	}
	/* Whatever is left makes the next wait short, no more. */
	(void)!wan_sys->read(source->inotify_fd, drained, sizeof(drained));
}
