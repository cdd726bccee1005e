/* SPDX-License-Identifier: MIT */
/*
 * Every level from our own cgroup up to the root of what is mounted, v1, v2 or both. Each limit is
 * paired with the usage of its own level: a parent's limit kills while the child shows "unlimited".
 */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "alloc.h"
#include "cgroup_path.h"
#include "cleanup.h"
#include "log.h"
#include "macros.h"
#include "procfs.h"
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
	wan_kept_close(&level->usage);
	wan_kept_close(&level->limit);
	wan_kept_close(&level->high);
	wan_kept_close(&level->stat);
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
	int status = wan_kept_open(&level->usage, root, folder,
				   v2 ? "memory.current" : "memory.usage_in_bytes");
	if (!status)
		status = wan_kept_open(&level->limit, root, folder,
				       v2 ? "memory.max" : "memory.limit_in_bytes");
	if (!status && v2)
		status = wan_kept_open(&level->high, root, folder, "memory.high");
	if (!status)
		status = wan_kept_open(&level->stat, root, folder, "memory.stat");
	if (!status)
		status = level->usage.fd >= 0 && level->limit.fd >= 0;
	if (status <= 0)
		close_level(level);
	return status;
}

/* Cuts the last part of a path; false at its root. */
static bool to_parent(char *path)
{
	char *slash = strrchr(path, '/');
	if (!slash)
		return false;
	*slash = '\0';
	return true;
}

static int add_level(struct wan_source_cgroup *source, const char *root,
		     const struct wan_cgroup_place *place, bool v2)
{
	struct wan_cgroup_level level;
	int status = open_level(&level, root, place, v2);
	if (status <= 0)
		return status;
	if (source->count == WAN_CGROUP_LEVELS_MAX) {
		/* Too deep: ancestors hold limits more often than leaves do. */
		close_level(&source->levels[0]);
		memmove(source->levels, source->levels + 1,
			(WAN_CGROUP_LEVELS_MAX - 1) * sizeof(level));
		source->count--;
	}
	source->levels[source->count++] = level;
	return 0;
}

static int open_tree(struct wan_source_cgroup *source, const char *root, const char *cgroup_text,
		     const char *mountinfo_text, struct wan_cgroup_place *place, bool v2)
{
	int status = wan_cgroup_locate(cgroup_text, mountinfo_text, v2, place);
	if (status < 0)
		return status == -ENOENT || status == -ENAMETOOLONG ? 0 : status;
	for (;;) {
		status = add_level(source, root, place, v2);
		if (status < 0)
			return status;
		if (!place->path[0])
			return 0;
		to_parent(place->path);
		to_parent(place->name);
	}
}

int wan_source_cgroup_open(struct wan_source_cgroup *source, const char *root)
{
	*source = (struct wan_source_cgroup){0};
	wan_cleanup(wan_freep) char *cgroup_text = NULL;
	wan_cleanup(wan_freep) char *mountinfo_text = NULL;
	int status = read_text(root, "/proc/self/cgroup", &cgroup_text);
	if (!status)
		status = read_text(root, "/proc/self/mountinfo", &mountinfo_text);
	if (status < 0)
		return status == -ENOMEM ? status : 0; /* no cgroups to be seen here */
	wan_cleanup(wan_freep) struct wan_cgroup_place *place = wan_malloc(sizeof(*place));
	source->levels = wan_calloc(WAN_CGROUP_LEVELS_MAX, sizeof(*source->levels));
	status = place && source->levels ? 0 : -ENOMEM;
	if (!status)
		status = open_tree(source, root, cgroup_text, mountinfo_text, place, false);
	if (!status)
		status = open_tree(source, root, cgroup_text, mountinfo_text, place, true);
	if (status < 0)
		wan_source_cgroup_close(source);
	return status;
}

/* A limit file's number; UINT64_MAX for "max", garbage and 0, which no running process can have. */
static uint64_t read_limit(struct wan_kept_file *file)
{
	char text[64];
	uint64_t value;
	int length = wan_kept_read(file, text, sizeof(text));
	if (length <= 0)
		return UINT64_MAX;
	if (text[length - 1] == '\n')
		text[length - 1] = '\0';
	if (strcmp(text, "max") == 0)
		return UINT64_MAX;
	if (wan_parse_u64(text, &value) < 0 || !value) {
		wan_log(WAN_LOG_WARNING, "memory: %s holds no limit, its level is passed over",
			file->path);
		return UINT64_MAX;
	}
	return value;
}

static uint64_t field_or_zero(const char *text, const char *name)
{
	uint64_t value;
	return wan_procfs_field(text, name, &value) < 0 ? 0 : value;
}

/* usage - all file pages + those not yet written back; at least the anonymous pages. */
static uint64_t need_of(bool v2, uint64_t usage, const char *stat)
{
	static const char *const names[2][6] = {
		{"total_active_file", "total_inactive_file", "total_dirty", "total_writeback",
		 "total_rss", ""},
		{"active_file", "inactive_file", "file_dirty", "file_writeback", "anon",
		 "slab_reclaimable"},
	};
	const char *const *name = names[v2];
	uint64_t clean = field_or_zero(stat, name[0]) + field_or_zero(stat, name[1]);
	uint64_t unwritten = field_or_zero(stat, name[2]) + field_or_zero(stat, name[3]);
	uint64_t anonymous = field_or_zero(stat, name[4]);
	clean -= WAN_MIN(clean, unwritten);
	if (v2)
		clean += field_or_zero(stat, name[5]);
	uint64_t need = usage - WAN_MIN(usage, clean);
	return WAN_MAX(need, WAN_MIN(anonymous, usage));
}

/* 1 read, 0 this level limits nothing, negative errno: it cannot be read. */
static int read_level(struct wan_cgroup_level *level, uint64_t host_total_bytes,
		      struct wan_level_reading *ret_reading)
{
	char text[8192];
	uint64_t limit = read_limit(&level->limit);
	if (level->v2)
		limit = WAN_MIN(limit, read_limit(&level->high));
	bool may_hide = !level->v2 && level->top;
	uint64_t ceiling = host_total_bytes ? host_total_bytes : (uint64_t)1 << 60;
	if (limit >= ceiling && !may_hide)
		return 0;

	if (wan_kept_read(&level->stat, text, sizeof(text)) < 0)
		text[0] = '\0'; /* need is then the whole usage: too careful, never too late */
	if (may_hide) {
		uint64_t hidden = field_or_zero(text, "hierarchical_memory_limit");
		limit = hidden ? WAN_MIN(limit, hidden) : limit;
		if (limit >= ceiling)
			return 0;
	}
	char usage_text[64];
	uint64_t usage;
	int length = wan_kept_read(&level->usage, usage_text, sizeof(usage_text));
	if (length < 0)
		return length;
	if (usage_text[length - 1] == '\n')
		usage_text[length - 1] = '\0';
	int status = wan_parse_u64(usage_text, &usage);
	if (status < 0)
		return status;
	wan_str_copy(ret_reading->name, sizeof(ret_reading->name), level->name);
	ret_reading->limit_bytes = limit;
	ret_reading->need_bytes = need_of(level->v2, usage, text);
	return 1;
}

int wan_source_cgroup_read(struct wan_source_cgroup *source, uint64_t host_total_bytes,
			   struct wan_level_reading *levels, uint32_t capacity)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < source->count && count < capacity; i++)
		count += read_level(&source->levels[i], host_total_bytes, &levels[count]) > 0;
	return (int)count;
}

void wan_source_cgroup_close(struct wan_source_cgroup *source)
{
	for (uint32_t i = 0; i < source->count; i++)
		close_level(&source->levels[i]);
	wan_free(source->levels);
	*source = (struct wan_source_cgroup){0};
}
