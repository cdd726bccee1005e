/* SPDX-License-Identifier: MIT */
/* Real sources on a tree of files, and how the files of its groups are written. */
#ifndef WAN_TESTS_SOURCE_TREES_H
#define WAN_TESTS_SOURCE_TREES_H

#include "fakes.h"
#include "source.h"

static struct tree tree;
static struct wan_real_sources real;
static struct wan_memory_sources sources;
static struct wan_level_reading levels[WAN_CGROUP_LEVELS_MAX];

static inline int open_sources(void)
{
	struct wan_memory_paths paths = {.root = tree.root};
	return wan_real_sources_open(&real, &paths, &sources);
}

/* Levels seen on the tree of a host with 24 GB. */
static inline int read_levels(void)
{
	int count = open_sources();
	if (count == 0)
		count = sources.cgroups(sources.context, 24 * GIB, levels, WAN_CGROUP_LEVELS_MAX);
	wan_real_sources_close(&real);
	return count;
}

static inline void v1_process(const char *path)
{
	tree_write(&tree, "/proc/self/cgroup", "5:memory:%s\n", path);
	tree_write(&tree, "/proc/self/mountinfo",
		   "30 23 0:26 / /cg/memory rw shared:15 - cgroup cgroup rw,memory\n");
}

static inline void v1_level(const char *path, const char *limit, uint64_t usage_mb,
			    uint64_t file_mb, uint64_t dirty_mb, const char *hierarchical)
{
	char file[256];
	snprintf(file, sizeof(file), "/cg/memory%s/memory.limit_in_bytes", path);
	tree_write(&tree, file, "%s\n", limit);
	snprintf(file, sizeof(file), "/cg/memory%s/memory.usage_in_bytes", path);
	tree_write(&tree, file, "%llu\n", (unsigned long long)(usage_mb * WAN_MIB));
	snprintf(file, sizeof(file), "/cg/memory%s/memory.stat", path);
	tree_write(&tree, file,
		   "cache 1\nrss 2\nhierarchical_memory_limit %s\ntotal_rss %llu\n"
		   "total_dirty %llu\ntotal_writeback 0\ntotal_inactive_file %llu\n"
		   "total_active_file %llu\n",
		   hierarchical, (unsigned long long)((usage_mb - file_mb) * WAN_MIB),
		   (unsigned long long)(dirty_mb * WAN_MIB),
		   (unsigned long long)(file_mb / 2 * WAN_MIB),
		   (unsigned long long)((file_mb - file_mb / 2) * WAN_MIB));
}

static inline void v2_process(const char *path)
{
	tree_write(&tree, "/proc/self/cgroup", "0::%s\n", path);
	tree_write(&tree, "/proc/self/mountinfo",
		   "31 23 0:27 / /cg rw,nosuid - cgroup2 cgroup2 rw\n");
}

static inline void v2_level(const char *path, const char *max, const char *high, uint64_t usage_mb,
			    uint64_t file_mb, uint64_t slab_mb)
{
	char file[300];
	snprintf(file, sizeof(file), "/cg%s/memory.max", path);
	tree_write(&tree, file, "%s\n", max);
	snprintf(file, sizeof(file), "/cg%s/memory.high", path);
	tree_write(&tree, file, "%s\n", high);
	snprintf(file, sizeof(file), "/cg%s/memory.current", path);
	tree_write(&tree, file, "%llu\n", (unsigned long long)(usage_mb * WAN_MIB));
	snprintf(file, sizeof(file), "/cg%s/memory.stat", path);
	tree_write(&tree, file,
		   "anon 0\nfile_dirty 0\nfile_writeback 0\ninactive_file %llu\nactive_file 0\n"
		   "slab_reclaimable %llu\n",
		   (unsigned long long)(file_mb * WAN_MIB),
		   (unsigned long long)(slab_mb * WAN_MIB));
}

#endif
