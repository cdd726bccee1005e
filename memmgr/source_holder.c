/* SPDX-License-Identifier: MIT */
/*
 * Who holds most of a level that we cannot relieve: of the processes in its group, or of all. Read
 * at most once a minute, by a tick; a few microseconds a process.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "procfs.h"
#include "source.h"
#include "str.h"
#include "sys.h"
#include "units.h"

enum { PROCESSES_MAX = 4096 };

struct holder {
	const char *root;
	unsigned looked;
	uint64_t pid;
	uint64_t rss_bytes;
};

/* Resident bytes of a process; 0: gone, or not to be read. */
static uint64_t rss_of(const struct holder *holder, uint64_t pid)
{
	char path[4200], text[128], *end;
	wan_str_format(path, sizeof(path), "%s/proc/%llu/statm", holder->root,
		       (unsigned long long)pid);
	if (wan_procfs_read(path, text, sizeof(text)) <= 0)
		return 0;
	strtoull(text, &end, 10);
	uint64_t pages = *end == ' ' ? strtoull(end, NULL, 10) : 0;
	return pages < UINT64_MAX >> 20 ? pages * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static void consider(struct holder *holder, uint64_t pid)
{
	if (!pid || holder->looked++ >= PROCESSES_MAX)
		return;
	uint64_t rss = rss_of(holder, pid);
	if (rss <= holder->rss_bytes)
		return;
	holder->rss_bytes = rss;
	holder->pid = pid;
}

static void consider_all(struct holder *holder)
{
	char path[4200];
	_Alignas(struct dirent64) char entries[8192];
	wan_str_format(path, sizeof(path), "%s/proc", holder->root);
	int folder = wan_sys->open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (folder < 0)
		return;
	ssize_t got;
	while ((got = wan_sys->getdents64(folder, entries, sizeof(entries))) > 0) {
		for (ssize_t at = 0; at < got;) {
			const struct dirent64 *entry = (const void *)(entries + at);
			char *end;
			uint64_t pid = strtoull(entry->d_name, &end, 10);
			if (!*end)
				consider(holder, pid);
			at += entry->d_reclen;
		}
	}
	wan_sys->close(folder);
}

static void consider_group(struct holder *holder, const char *group_folder)
{
	char path[4200], text[16384], *at = text;
	wan_str_format(path, sizeof(path), "%s/cgroup.procs", group_folder);
	if (wan_procfs_read(path, text, sizeof(text)) <= 0)
		return;
	for (char *end; *at; at = end + (*end == '\n')) {
		uint64_t pid = strtoull(at, &end, 10);
		if (end == at)
			return;
		consider(holder, pid);
	}
}

int wan_source_holder(const struct wan_source_cgroup *cgroup, const char *level_name, char *to,
		      size_t bytes)
{
	struct holder holder = {.root = cgroup->root};
	const struct wan_cgroup_tree *tree = cgroup->tree;
	if (strcmp(level_name, "host") == 0)
		consider_all(&holder);
	for (uint32_t i = 0; tree && i < tree->count; i++)
		if (strcmp(tree->levels[i].name, level_name) == 0)
			consider_group(&holder, tree->levels[i].folder);
	if (!holder.pid)
		return -ENOENT;
	char path[4200], name[32], size[32];
	wan_str_format(path, sizeof(path), "%s/proc/%llu/comm", holder.root,
		       (unsigned long long)holder.pid);
	int length = wan_procfs_read(path, name, sizeof(name));
	if (length <= 0)
		wan_str_copy(name, sizeof(name), "process");
	else if (name[length - 1] == '\n')
		name[length - 1] = '\0';
	char shown[64];
	wan_str_printable(shown, sizeof(shown), name);
	wan_format_bytes(size, sizeof(size), holder.rss_bytes);
	wan_str_format(to, bytes, "%s (process %llu) holds %s", shown,
		       (unsigned long long)holder.pid, size);
	return 0;
}
