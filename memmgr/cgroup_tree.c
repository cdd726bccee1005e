/* SPDX-License-Identifier: MIT */
/* Every level from our own cgroup up to the root of what is mounted, v1, v2 or both. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "alloc.h"
#include "cgroup_path.h"
#include "cleanup.h"
#include "source.h"
#include "str.h"
#include "sys.h"

enum { MOUNTINFO_MAX = 1 << 20 };

/* Whole file as text, to be freed. */
static int read_text(const char *root, const char *path, char **ret_text)
{
	char full[4096];
	wan_str_format(full, sizeof(full), "%s%s", root, path);
	wan_cleanup(wan_fd_closep) int fd = wan_sys->open(full, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	char *text = NULL;
	size_t used = 0;
	for (size_t bytes = 16384; bytes <= MOUNTINFO_MAX; bytes *= 4) {
		char *grown = wan_realloc_array(text, bytes, 1);
		if (!grown) {
			wan_free(text);
			return -ENOMEM;
		}
		text = grown;
		ssize_t got = wan_read_full(fd, text + used, bytes - 1 - used);
		if (got < 0) {
			wan_free(text);
			return (int)got;
		}
		used += (size_t)got;
		if (used < bytes - 1)
			break;
	}
	text[used] = '\0';
	*ret_text = text;
	return 0;
}

/* "cgroup /a/b", long paths by their end. */
static void name_level(char *to, const char *path)
{
	enum { ROOM = WAN_LEVEL_NAME_MAX - 8 };
	const char *shown = *path ? path : "/";
	size_t length = strlen(shown);
	if (length > ROOM)
		wan_str_format(to, WAN_LEVEL_NAME_MAX, "cgroup ...%s", shown + length - ROOM + 3);
	else
		wan_str_format(to, WAN_LEVEL_NAME_MAX, "cgroup %s", shown);
}

static void close_level(struct wan_cgroup_level *level)
{
	wan_event_close(&level->event);
	wan_kept_close(&level->usage);
	wan_kept_close(&level->limit);
	wan_kept_close(&level->high);
	wan_kept_close(&level->stat);
	wan_kept_close(&level->both_usage);
	wan_kept_close(&level->both_limit);
	wan_free(level->folder);
}

/* The controller's files are there, even if they cannot be opened now. */
static bool exists(const struct wan_kept_file *file)
{
	return file->fd >= 0 || (file->error != ENOENT && file->error != ENOTDIR);
}

/* 1 opened, 0 this folder has no memory files (a root, or a tree without the controller). */
static int open_level(struct wan_cgroup_level *level, const char *root,
		      const struct wan_cgroup_place *place, bool v2)
{
	char folder[8192];
	memset(level, 0, sizeof(*level));
	wan_str_format(folder, sizeof(folder), "%s%s", place->mount, place->path);
	level->v2 = v2;
	level->top = !place->path[0];
	/* Named as self/cgroup does: the mount's own part of the name stays in front. */
	name_level(level->name, place->name);
	size_t bytes = strlen(root) + strlen(folder) + 1;
	level->folder = wan_malloc(bytes);
	int status = level->folder ? 0 : -ENOMEM;
	if (level->folder)
		wan_str_format(level->folder, bytes, "%s%s", root, folder);
	if (!status)
		status = wan_kept_open(&level->usage, root, folder,
				       v2 ? "memory.current" : "memory.usage_in_bytes");
	if (!status)
		status = wan_kept_open(&level->limit, root, folder,
				       v2 ? "memory.max" : "memory.limit_in_bytes");
	if (!status && v2)
		status = wan_kept_open(&level->high, root, folder, "memory.high");
	if (!status)
		status = wan_kept_open(&level->stat, root, folder, "memory.stat");
	if (!status && !v2) /* where swap is counted */
		status = wan_kept_open(&level->both_usage, root, folder,
				       "memory.memsw.usage_in_bytes");
	if (!status && !v2)
		status = wan_kept_open(&level->both_limit, root, folder,
				       "memory.memsw.limit_in_bytes");
	if (!status)
		status = exists(&level->usage) && exists(&level->limit);
	if (status <= 0)
		close_level(level);
	return status;
}

/* Cuts the last part of a path. */
static void to_parent(char *path)
{
	char *slash = strrchr(path, '/');
	if (slash)
		*slash = '\0';
}

static int add_level(struct wan_cgroup_tree *tree, const char *root,
		     const struct wan_cgroup_place *place, bool v2)
{
	struct wan_cgroup_level level;
	int status = open_level(&level, root, place, v2);
	if (status <= 0)
		return status;
	if (tree->count == WAN_CGROUP_LEVELS_MAX) {
		/* Too deep: ancestors hold limits more often than leaves do. */
		close_level(&tree->levels[0]);
		memmove(tree->levels, tree->levels + 1,
			(WAN_CGROUP_LEVELS_MAX - 1) * sizeof(level));
		tree->count--;
	}
	tree->levels[tree->count++] = level;
	return 0;
}

static int open_hierarchy(struct wan_cgroup_tree *tree, const char *root, const char *cgroup_text,
			  const char *mountinfo_text, struct wan_cgroup_place *place, bool v2)
{
	int status = wan_cgroup_locate(cgroup_text, mountinfo_text, v2, place);
	if (status < 0)
		return status == -ENOENT || status == -ENAMETOOLONG ? 0 : status;
	for (;;) {
		status = add_level(tree, root, place, v2);
		if (status < 0)
			return status;
		if (!place->path[0])
			return 0;
		to_parent(place->path);
		to_parent(place->name);
	}
}

int wan_cgroup_tree_open(const char *root, struct wan_cgroup_tree **ret_tree)
{
	wan_cleanup(wan_freep) char *cgroup_text = NULL;
	wan_cleanup(wan_freep) char *mountinfo_text = NULL;
	int status = read_text(root, "/proc/self/cgroup", &cgroup_text);
	if (!status)
		status = read_text(root, "/proc/self/mountinfo", &mountinfo_text);
	if (status < 0 && status != -ENOENT)
		return status;
	*ret_tree = NULL;
	if (status < 0)
		return 0; /* no cgroups here */
	wan_cleanup(wan_freep) struct wan_cgroup_place *place = wan_malloc(sizeof(*place));
	struct wan_cgroup_tree *tree = wan_calloc(1, sizeof(*tree));
	status = place && tree ? 0 : -ENOMEM;
	if (!status)
		status = open_hierarchy(tree, root, cgroup_text, mountinfo_text, place, false);
	if (!status)
		status = open_hierarchy(tree, root, cgroup_text, mountinfo_text, place, true);
	if (status < 0) {
		wan_cgroup_tree_close(tree);
		return status;
	}
	*ret_tree = tree;
	return 0;
}

void wan_cgroup_tree_close(struct wan_cgroup_tree *tree)
{
	if (!tree)
		return;
	for (uint32_t i = 0; i < tree->count; i++)
		close_level(&tree->levels[i]);
	wan_free(tree);
}
