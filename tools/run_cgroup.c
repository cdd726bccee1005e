/* SPDX-License-Identifier: MIT */
/* The memory control group we (and so the command) live in, version 2 or 1. */
#include "run.h"

#include <errno.h>
#include <string.h>

#include "macros.h"
#include "procfs.h"
#include "str.h"

struct group {
	char folder[PATH_MAX];
	bool version2;
};

/* "0::/user.slice" is version 2; "9:memory:/docker/..." is version 1. */
static bool line_is_memory(const char *line, bool *ret_version2)
{
	const char *controllers = strchr(line, ':');
	const char *end = controllers ? strchr(controllers + 1, ':') : NULL;
	if (!end)
		return false;
	*ret_version2 = end == controllers + 1;
	for (const char *name = controllers + 1; name < end;) {
		size_t bytes = strcspn(name, ",:");
		if (bytes == 6 && memcmp(name, "memory", 6) == 0)
			return true;
		name += bytes + 1;
	}
	return *ret_version2;
}

/* Inside a container the path of /proc/self/cgroup may not be visible: its root is then. */
static bool has_usage(struct group *group, const char *mount, const char *path)
{
	char file[PATH_MAX + 32], text[64];
	wan_str_format(group->folder, sizeof(group->folder), "%s%s", mount, path);
	wan_str_format(file, sizeof(file), "%s/%s", group->folder,
		       group->version2 ? "memory.current" : "memory.usage_in_bytes");
	return wan_procfs_read(file, text, sizeof(text)) > 0;
}

static int find_group(struct group *ret_group)
{
	char text[4096];
	if (wan_procfs_read("/proc/self/cgroup", text, sizeof(text)) < 0)
		return -ENOENT;
	char *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (!line_is_memory(line, &ret_group->version2))
			continue;
		const char *path = strchr(strchr(line, ':') + 1, ':') + 1;
		const char *mount =
			ret_group->version2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
		if (has_usage(ret_group, mount, path) || has_usage(ret_group, mount, ""))
			return 0;
	}
	return -ENOENT;
}

static int read_number(const struct group *group, const char *name, uint64_t *ret_value)
{
	char file[PATH_MAX + 64], text[64];
	wan_str_format(file, sizeof(file), "%s/%s", group->folder, name);
	int bytes = wan_procfs_read(file, text, sizeof(text));
	if (bytes < 0)
		return bytes;
	text[strcspn(text, "\n")] = '\0';
	return wan_parse_u64(text, ret_value);
}

static uint64_t field(const char *text, const char *name)
{
	uint64_t value = 0;
	return wan_procfs_field(text, name, &value) == 0 ? value : 0;
}

/* Page cache can be dropped, except what is dirty or being written: need is the rest. */
int run_cgroup_need_bytes(uint64_t *ret_bytes)
{
	struct group group;
	char file[PATH_MAX + 32], text[8192];
	uint64_t usage;
	if (find_group(&group) < 0 ||
	    read_number(&group, group.version2 ? "memory.current" : "memory.usage_in_bytes",
			&usage) < 0)
		return -ENOENT;
	wan_str_format(file, sizeof(file), "%s/memory.stat", group.folder);
	if (wan_procfs_read(file, text, sizeof(text)) < 0)
		return -ENOENT;
	const char *total = group.version2 ? "" : "total_";
	char names[4][32];
	static const char *const v2[] = {"active_file", "inactive_file", "file_dirty",
					 "file_writeback"};
	static const char *const v1[] = {"active_file", "inactive_file", "dirty", "writeback"};
	for (unsigned i = 0; i < 4; i++)
		wan_str_format(names[i], sizeof(names[i]), "%s%s", total,
			       group.version2 ? v2[i] : v1[i]);
	uint64_t cached = field(text, names[0]) + field(text, names[1]);
	uint64_t kept = field(text, names[2]) + field(text, names[3]);
	uint64_t droppable = cached > kept ? cached - kept : 0;
	*ret_bytes = usage > droppable ? usage - droppable : 0;
	return 0;
}

int run_cgroup_oom_kills(uint64_t *ret_count)
{
	struct group group;
	char file[PATH_MAX + 32], text[1024];
	if (find_group(&group) < 0)
		return -ENOENT;
	wan_str_format(file, sizeof(file), "%s/%s", group.folder,
		       group.version2 ? "memory.events" : "memory.oom_control");
	if (wan_procfs_read(file, text, sizeof(text)) < 0)
		return -ENOENT;
	return wan_procfs_field(text, "oom_kill", ret_count);
}
