/* SPDX-License-Identifier: MIT */
/* Sources, a clock and a cache that do what a test says; and trees of kernel files in a folder. */
#ifndef WAN_TESTS_MEMMGR_FAKES_H
#define WAN_TESTS_MEMMGR_FAKES_H

#include <ftw.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "macros.h"
#include "memory.h"
#include "wan/memory.h"

#define GIB (1024 * WAN_MIB)

struct fake {
	/* Figures the sources give. */
	uint64_t total, available;
	int host_status, cgroup_count;
	struct wan_level_reading cgroups[4];
	uint64_t rss;
	bool gpu;
	bool gpu_cached;
	uint64_t gpu_used, gpu_total; /* of the first device; or of each: */
	struct {
		uint64_t used, total;
	} gpus[4];
	uint32_t reads, gpu_reads;
	/* The cache behind the limit. */
	uint64_t limit, used, lowered, cleared;
	bool kept; /* what it drops does not come back: an allocator keeps it */
	/* What was recorded. */
	struct wan_memory_action actions[64];
	uint32_t action_count;
	uint32_t emergencies, woken;
	uint64_t words[64];
};

/* Tests run one after another, so one of each is enough. */
static struct fake fake;
static uint64_t fake_now_ns;

static inline uint64_t fake_clock(void)
{
	return fake_now_ns;
}

static inline int fake_host(void *context, uint64_t *ret_total, uint64_t *ret_available)
{
	__atomic_fetch_add(&fake.reads, 1, __ATOMIC_RELAXED); /* several threads may look */
	if (fake.host_status)
		return fake.host_status;
	*ret_total = fake.total;
	*ret_available = fake.available;
	return 0;
}

static inline int fake_cgroups(void *context, uint64_t host_total, struct wan_level_reading *levels,
			       uint32_t capacity)
{
	for (int i = 0; i < fake.cgroup_count; i++)
		levels[i] = fake.cgroups[i];
	return fake.cgroup_count;
}

static inline int fake_process(void *context, uint64_t *ret_rss)
{
	*ret_rss = fake.rss;
	return 0;
}

static inline int fake_gpu(void *context, uint64_t mask, uint64_t *ret_used, uint64_t *ret_total)
{
	fake.gpu_reads++;
	if (!fake.gpu)
		return -19;
	int device = __builtin_ctzll(mask) & 3;
	bool own = fake.gpus[device].total > 0;
	*ret_used = own ? fake.gpus[device].used : fake.gpu_used;
	*ret_total = own ? fake.gpus[device].total : fake.gpu_total;
	return 0;
}

static inline bool fake_gpu_cached(void *context)
{
	return fake.gpu_cached;
}

static inline int fake_gpu_current(void *context)
{
	return 0;
}

static inline uint64_t fake_get_limit(void *context)
{
	return fake.limit;
}

/* What is freed shows in the figures, unless it is kept. */
static inline void fake_give_back(uint64_t bytes)
{
	if (fake.kept)
		return;
	fake.available = WAN_MIN(fake.total, fake.available + bytes);
	fake.rss -= WAN_MIN(fake.rss, bytes);
}

static inline uint64_t fake_set_limit(void *context, uint64_t limit)
{
	uint64_t freed = fake.used > limit ? fake.used - limit : 0;
	fake.limit = limit;
	fake.lowered++;
	fake.used -= freed;
	fake_give_back(freed);
	return freed;
}

static inline uint64_t fake_clear(void *context)
{
	uint64_t freed = fake.used;
	fake.used = 0;
	fake.cleared++;
	fake_give_back(freed);
	return freed;
}

static inline uint64_t fake_used(void *context)
{
	return fake.used;
}

static inline void fake_record(void *context, const struct wan_memory_action *action)
{
	if (fake.action_count < WAN_COUNT_OF(fake.actions))
		fake.actions[fake.action_count++] = *action;
}

static inline void fake_emergency(void *context)
{
	fake.emergencies++;
}

static inline void fake_wake(void *context)
{
	fake.woken++;
}

static inline const struct wan_memory_action *fake_last_action(void)
{
	static const struct wan_memory_action none = {.what = "none"};
	return fake.action_count ? &fake.actions[fake.action_count - 1] : &none;
}

/* A host of 1000 MB at percent, a full cache of 256 MB, the clock at 100 s. */
static inline void fake_reset(double percent)
{
	memset(&fake, 0, sizeof(fake));
	fake_now_ns = 100000000000u;
	fake.total = 1000 * WAN_MIB;
	fake.available = (uint64_t)((double)fake.total * (100 - percent) / 100 + 0.5);
	fake.limit = fake.used = 256 * WAN_MIB;
	fake.rss = 300 * WAN_MIB;
}

static inline void fake_host_percent(double percent)
{
	fake.available = (uint64_t)((double)fake.total * (100 - percent) / 100 + 0.5);
}

/* A manager on these sources; rules NULL: default. */
static inline struct wan_memory *fake_manager(const char *rules)
{
	static struct wan_config config;
	static const struct wan_memory_sources sources = {
		.host = fake_host,
		.cgroups = fake_cgroups,
		.process = fake_process,
		.gpu = fake_gpu,
		.gpu_current = fake_gpu_current,
		.gpu_cached = fake_gpu_cached,
	};
	struct wan_memory *memory = NULL;
	wan_config_defaults(&config);
	if (rules)
		strcpy(config.memory_rules, rules);
	struct wan_memory_options options = {
		.struct_size = sizeof(options),
		.config = &config,
		.sources = &sources,
		.now_ns = fake_clock,
		.limits = {.get_cache_limit = fake_get_limit,
			   .set_cache_limit = fake_set_limit,
			   .clear_cache = fake_clear,
			   .cache_used = fake_used},
		.counters = fake.words,
		.on_action = fake_record,
		.wake = fake_wake,
	};
	return wan_memory_create(&options, &memory) == 0 ? memory : NULL;
}

/* --- trees of kernel files --- */

struct tree {
	char root[64];
};

static inline void tree_begin(struct tree *tree)
{
	strcpy(tree->root, "/tmp/wan-tree-XXXXXX");
	if (!mkdtemp(tree->root))
		abort();
}

static inline void tree_write(const struct tree *tree, const char *path, const char *format, ...)
{
	char full[1024];
	snprintf(full, sizeof(full), "%s%s", tree->root, path);
	for (char *slash = full + strlen(tree->root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
	FILE *file = fopen(full, "w");
	if (!file)
		abort();
	va_list values;
	va_start(values, format);
	vfprintf(file, format, values);
	va_end(values);
	fclose(file);
}

static inline int tree_remove_one(const char *path, const struct stat *info, int kind,
				  struct FTW *ftw)
{
	return remove(path);
}

static inline void tree_end(struct tree *tree)
{
	nftw(tree->root, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* meminfo of a host with so many MB. */
static inline void tree_host(const struct tree *tree, unsigned total_mb, unsigned available_mb)
{
	tree_write(tree, "/proc/meminfo",
		   "MemTotal:       %u kB\nMemFree:        1 kB\nMemAvailable:   %u kB\n",
		   total_mb * 1024, available_mb * 1024);
}

#endif
