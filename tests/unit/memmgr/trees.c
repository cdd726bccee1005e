/* SPDX-License-Identifier: MIT */
/*
 * Scripted trees of kernel files, sixty-three of them: twenty-one shapes, each with three mixes of
 * pages. The truth is counted from the pages, not from the files: what is read has to come within
 * two points of it and to name the same level.
 */
#include "tap.h"

#include "fakes.h"
#include "level.h"
#include "look.h"
#include "source.h"

enum { DEPTH_MAX = 7, HOST_MB = 24576 };

enum oddity {
	FINE,
	LIMIT_GARBAGE, /* the level cannot be known: the others count */
	LIMIT_ZERO,
	USAGE_MISSING, /* put together from its parts */
	USAGE_GARBAGE,
};

/* One level; the first is our own. */
struct level {
	unsigned limit_mb; /* 0: unlimited */
	unsigned high_mb;  /* v2; 0: max */
	unsigned need_pct; /* of the smaller of the two, or of 1 GB */
	enum oddity oddity;
};

enum shape_kind { V1, V2, HYBRID };

struct shape {
	const char *name;
	enum shape_kind kind;
	const char *group;   /* as self/cgroup says */
	const char *mounted; /* part of the tree that is mounted; NULL: "/" */
	unsigned hidden_mb;  /* v1: a limit above what is mounted */
	unsigned depth;      /* levels below */
	struct level levels[DEPTH_MAX];
};

static const struct shape shapes[] = {
	{"v1, own limit", V1, "/a", NULL, 0, 2, {{256, 0, 60, FINE}, {0, 0, 10, FINE}}},
	{"v1, limit of the parent",
	 V1,
	 "/p/c",
	 NULL,
	 0,
	 3,
	 {{0, 0, 10, FINE}, {256, 0, 81, FINE}, {0, 0, 40, FINE}}},
	{"v1, limit of the grandparent",
	 V1,
	 "/g/p/c",
	 NULL,
	 0,
	 4,
	 {{0, 0, 10, FINE}, {0, 0, 10, FINE}, {512, 0, 93, FINE}, {0, 0, 30, FINE}}},
	{"v1, both limited, the parent fuller",
	 V1,
	 "/p/c",
	 NULL,
	 0,
	 3,
	 {{256, 0, 50, FINE}, {1024, 0, 88, FINE}, {0, 0, 20, FINE}}},
	{"v1, both limited, the child fuller",
	 V1,
	 "/p/c",
	 NULL,
	 0,
	 3,
	 {{256, 0, 88, FINE}, {1024, 0, 50, FINE}, {0, 0, 20, FINE}}},
	{"v1, six deep, ever smaller",
	 V1,
	 "/1/2/3/4/5/6",
	 NULL,
	 0,
	 7,
	 {{128, 0, 70, FINE},
	  {256, 0, 60, FINE},
	  {512, 0, 50, FINE},
	  {1024, 0, 40, FINE},
	  {2048, 0, 30, FINE},
	  {4096, 0, 20, FINE},
	  {0, 0, 10, FINE}}},
	{"v1, six deep, the middle is full",
	 V1,
	 "/1/2/3/4/5/6",
	 NULL,
	 0,
	 7,
	 {{0, 0, 10, FINE},
	  {0, 0, 10, FINE},
	  {300, 0, 91, FINE},
	  {0, 0, 10, FINE},
	  {2048, 0, 30, FINE},
	  {0, 0, 5, FINE},
	  {0, 0, 5, FINE}}},
	{"v1, namespace", V1, "/docker/x", "/docker/x", 0, 1, {{256, 0, 77, FINE}}},
	{"v1, a limit above what is mounted",
	 V1,
	 "/docker/x",
	 "/docker/x",
	 256,
	 1,
	 {{0, 0, 20, FINE}}},
	{"v1, nothing limited", V1, "/a", NULL, 0, 2, {{0, 0, 10, FINE}, {0, 0, 20, FINE}}},
	{"v2, own limit", V2, "/a", NULL, 0, 1, {{256, 0, 60, FINE}}},
	{"v2, high below max", V2, "/a", NULL, 0, 1, {{512, 256, 82, FINE}}},
	{"v2, only high", V2, "/a", NULL, 0, 1, {{0, 256, 74, FINE}}},
	{"v2, limit of the parent", V2, "/p/c", NULL, 0, 2, {{0, 0, 5, FINE}, {256, 0, 84, FINE}}},
	{"v2, six deep, the third is full",
	 V2,
	 "/1/2/3/4/5/6",
	 NULL,
	 0,
	 6,
	 {{0, 0, 5, FINE},
	  {0, 0, 5, FINE},
	  {400, 0, 94, FINE},
	  {1024, 0, 40, FINE},
	  {2048, 1500, 60, FINE},
	  {0, 0, 5, FINE}}},
	{"v2, nothing limited", V2, "/a/b", NULL, 0, 2, {{0, 0, 5, FINE}, {0, 0, 10, FINE}}},
	{"hybrid, the controller is in v1",
	 HYBRID,
	 "/a",
	 NULL,
	 0,
	 2,
	 {{256, 0, 79, FINE}, {0, 0, 10, FINE}}},
	{"v2, garbage limit below a good one",
	 V2,
	 "/p/c",
	 NULL,
	 0,
	 2,
	 {{128, 0, 50, LIMIT_GARBAGE}, {256, 0, 83, FINE}}},
	{"v1, limit 0 below a good one",
	 V1,
	 "/p/c",
	 NULL,
	 0,
	 3,
	 {{128, 0, 10, LIMIT_ZERO}, {256, 0, 83, FINE}, {0, 0, 10, FINE}}},
	{"v2, usage missing", V2, "/a", NULL, 0, 1, {{256, 0, 66, USAGE_MISSING}}},
	{"v1, usage garbage",
	 V1,
	 "/p/c",
	 NULL,
	 0,
	 3,
	 {{256, 0, 87, USAGE_GARBAGE}, {1024, 0, 40, FINE}, {0, 0, 10, FINE}}},
};

/* Pages of a level in bytes. */
struct pages {
	uint64_t anon, shmem, clean_active, clean_inactive, dirty, writeback, slab, kernel;
};

/* The mixes: almost all anonymous; a file read twice; shared memory, unwritten and kernel pages. */
static struct pages pages_of(const struct level *level, unsigned mix, bool v2)
{
	unsigned limit_mb = level->limit_mb ? level->limit_mb : 1024;
	if (level->high_mb && level->high_mb < limit_mb)
		limit_mb = level->high_mb;
	if (level->high_mb && !level->limit_mb)
		limit_mb = level->high_mb;
	uint64_t limit = limit_mb * WAN_MIB, need = limit / 100 * level->need_pct;
	uint64_t spare = limit - need;
	if (mix == 0)
		return (struct pages){.anon = need, .clean_inactive = spare / 20};
	if (mix == 1)
		return (struct pages){
			.anon = need, .clean_active = spare / 2, .clean_inactive = spare / 3};
	/* v1 tells the kernel's part in usage alone. */
	bool kernel_told = v2 || level->oddity != USAGE_GARBAGE;
	uint64_t rest = need - need / 2 - need / 8 - need / 8 - need / 16;
	return (struct pages){.anon = need / 2 + (kernel_told ? 0 : rest),
			      .shmem = need / 8,
			      .dirty = need / 8,
			      .writeback = need / 16,
			      .kernel = kernel_told ? rest : 0,
			      .slab = v2 ? spare / 4 : 0, /* v1 does not tell it apart */
			      .clean_active = spare / 4,
			      .clean_inactive = spare / 8};
}

static uint64_t usage_of(const struct pages *pages)
{
	return pages->anon + pages->shmem + pages->clean_active + pages->clean_inactive +
	       pages->dirty + pages->writeback + pages->slab + pages->kernel;
}

static uint64_t need_of(const struct pages *pages)
{
	return usage_of(pages) - pages->clean_active - pages->clean_inactive - pages->slab;
}

static void write_limit(const struct tree *tree, const char *folder, const char *name, unsigned mb,
			const char *unlimited, enum oddity oddity)
{
	char path[512], text[64];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)mb * WAN_MIB);
	const char *shown = oddity == LIMIT_GARBAGE ? "much" : oddity == LIMIT_ZERO ? "0" : text;
	tree_write(tree, path, "%s\n", mb || oddity ? shown : unlimited);
}

static void write_v1(const struct tree *tree, const char *folder, const struct level *level,
		     const struct pages *pages, unsigned hidden_mb)
{
	char path[512];
	write_limit(tree, folder, "memory.limit_in_bytes", level->limit_mb, "9223372036854771712",
		    level->oddity);
	snprintf(path, sizeof(path), "%s/memory.usage_in_bytes", folder);
	if (level->oddity == USAGE_GARBAGE)
		tree_write(tree, path, "lots\n");
	else
		tree_write(tree, path, "%llu\n", (unsigned long long)usage_of(pages));
	snprintf(path, sizeof(path), "%s/memory.stat", folder);
	uint64_t unwritten = pages->dirty + pages->writeback;
	tree_write(tree, path,
		   "cache 4096\nrss 4096\nrss_huge 0\nshmem 0\nmapped_file 0\ndirty 0\n"
		   "writeback 0\ninactive_anon 0\nactive_anon 0\ninactive_file 4096\n"
		   "active_file 0\nunevictable 0\nhierarchical_memory_limit %llu\n"
		   "total_cache %llu\ntotal_rss %llu\ntotal_shmem %llu\ntotal_dirty %llu\n"
		   "total_writeback %llu\ntotal_inactive_anon %llu\ntotal_active_anon 0\n"
		   "total_inactive_file %llu\ntotal_active_file %llu\n",
		   hidden_mb ? (unsigned long long)hidden_mb * WAN_MIB : 9223372036854771712ull,
		   (unsigned long long)(pages->shmem + pages->clean_active + pages->clean_inactive +
					unwritten),
		   (unsigned long long)pages->anon, (unsigned long long)pages->shmem,
		   (unsigned long long)pages->dirty, (unsigned long long)pages->writeback,
		   (unsigned long long)(pages->anon + pages->shmem),
		   (unsigned long long)(pages->clean_inactive + unwritten),
		   (unsigned long long)pages->clean_active);
}

static void write_v2(const struct tree *tree, const char *folder, const struct level *level,
		     const struct pages *pages)
{
	char path[512];
	write_limit(tree, folder, "memory.max", level->limit_mb, "max", level->oddity);
	write_limit(tree, folder, "memory.high", level->high_mb, "max", FINE);
	if (level->oddity != USAGE_MISSING) {
		snprintf(path, sizeof(path), "%s/memory.current", folder);
		tree_write(tree, path, "%llu\n", (unsigned long long)usage_of(pages));
	} else { /* there, but not to be read: a folder */
		snprintf(path, sizeof(path), "%s/memory.current/x", folder);
		tree_write(tree, path, "\n");
	}
	snprintf(path, sizeof(path), "%s/memory.stat", folder);
	uint64_t unwritten = pages->dirty + pages->writeback;
	tree_write(tree, path,
		   "anon %llu\nfile %llu\nkernel %llu\nkernel_stack 0\nsock 0\nshmem %llu\n"
		   "file_mapped 0\nfile_dirty %llu\nfile_writeback %llu\ninactive_anon %llu\n"
		   "active_anon 0\ninactive_file %llu\nactive_file %llu\nunevictable 0\n"
		   "slab_reclaimable %llu\nslab_unreclaimable 0\nslab %llu\n",
		   (unsigned long long)pages->anon,
		   (unsigned long long)(pages->shmem + pages->clean_active + pages->clean_inactive +
					unwritten),
		   (unsigned long long)(pages->kernel + pages->slab),
		   (unsigned long long)pages->shmem, (unsigned long long)pages->dirty,
		   (unsigned long long)pages->writeback,
		   (unsigned long long)(pages->anon + pages->shmem),
		   (unsigned long long)(pages->clean_inactive + unwritten),
		   (unsigned long long)pages->clean_active, (unsigned long long)pages->slab,
		   (unsigned long long)pages->slab);
}

/* What a level's files would say if all of them could be read. */
struct truth {
	char name[WAN_LEVEL_NAME_MAX];
	double percent;
};

static void compare(struct truth *truth, const char *name, uint64_t need, uint64_t limit)
{
	double percent = 100.0 * (double)need / (double)limit;
	if (percent <= truth->percent)
		return;
	truth->percent = percent;
	snprintf(truth->name, sizeof(truth->name), "%.*s", WAN_LEVEL_NAME_MAX - 1, name);
}

static void write_files_of_process(const struct tree *tree, const struct shape *shape)
{
	const char *root = shape->mounted ? shape->mounted : "/";
	if (shape->kind == V2) {
		tree_write(tree, "/proc/self/cgroup", "0::%s\n", shape->group);
		tree_write(tree, "/proc/self/mountinfo",
			   "31 23 0:27 %s /cg rw,nosuid - cgroup2 cgroup2 rw\n", root);
		return;
	}
	tree_write(tree, "/proc/self/cgroup", "5:cpu:/\n4:memory:%s\n0::/user\n", shape->group);
	tree_write(tree, "/proc/self/mountinfo",
		   "29 23 0:20 / /elsewhere rw - cgroup cgroup rw,cpu\n"
		   "30 23 0:26 %s /cg rw - cgroup cgroup rw,memory\n"
		   "31 23 0:27 / /unified rw - cgroup2 cgroup2 rw\n",
		   root);
	if (shape->kind == HYBRID)
		tree_write(tree, "/unified/user/cgroup.procs", "1\n");
}

/* Writes a tree and counts its truth. */
static void write_tree(const struct tree *tree, const struct shape *shape, unsigned mix,
		       struct truth *ret_truth)
{
	unsigned available_mb = HOST_MB / 3;
	char group[128], folder[256], name[160];
	snprintf(group, sizeof(group), "%s", shape->group);
	*ret_truth = (struct truth){.percent = 0};
	compare(ret_truth, "host", (HOST_MB - available_mb) * WAN_MIB, HOST_MB * WAN_MIB);
	tree_host(tree, HOST_MB, available_mb);
	write_files_of_process(tree, shape);
	for (unsigned i = 0; i < shape->depth; i++) {
		const struct level *level = &shape->levels[i];
		struct pages pages = pages_of(level, mix, shape->kind == V2);
		snprintf(folder, sizeof(folder), "/cg%s", shape->mounted ? "" : group);
		snprintf(name, sizeof(name), "cgroup %s", *group ? group : "/");
		unsigned limit_mb = level->limit_mb ? level->limit_mb : shape->hidden_mb;
		if (level->high_mb && (!limit_mb || level->high_mb < limit_mb))
			limit_mb = level->high_mb;
		if (limit_mb && level->oddity != LIMIT_GARBAGE && level->oddity != LIMIT_ZERO)
			compare(ret_truth, name, need_of(&pages), limit_mb * WAN_MIB);
		if (shape->kind == V2)
			write_v2(tree, folder, level, &pages);
		else
			write_v1(tree, folder, level, &pages, shape->hidden_mb);
		char *slash = strrchr(group, '/');
		if (slash)
			*slash = '\0';
	}
}

static void read_tree(const struct tree *tree, struct wan_look *ret_look,
		      struct wan_look_verdict *ret_verdict)
{
	struct wan_real_sources real;
	struct wan_memory_sources sources;
	const struct wan_memory_paths paths = {.root = tree->root};
	const struct wan_look_request request = {.now_ns = 1};
	REQUIRE_EQ(wan_real_sources_open(&real, &paths, &sources), 0);
	wan_look_read(&sources, &request, ret_look);
	/* The second look, at the tightest level only, has to find the same. */
	wan_look_read(&sources, &request, ret_look);
	wan_look_judge(ret_look, 73, ret_verdict);
	wan_real_sources_close(&real);
}

TEST(what_is_read_is_within_two_points_of_the_truth)
{
	unsigned trees = 0;
	for (size_t i = 0; i < WAN_COUNT_OF(shapes); i++) {
		for (unsigned mix = 0; mix < 3; mix++, trees++) {
			struct tree tree;
			struct truth truth;
			struct wan_look look;
			struct wan_look_verdict verdict;
			tree_begin(&tree);
			write_tree(&tree, &shapes[i], mix, &truth);
			read_tree(&tree, &look, &verdict);
			REQUIRE(verdict.deciding >= 0);
			bool right = verdict.percent >= truth.percent - 2 &&
				     verdict.percent <= truth.percent + 2 &&
				     strcmp(look.levels[verdict.deciding].name, truth.name) == 0;
			if (!right)
				printf("# %s, mix %u: %s at %.1f %%, really %s at %.1f %%\n",
				       shapes[i].name, mix, look.levels[verdict.deciding].name,
				       verdict.percent, truth.name, truth.percent);
			CHECK(right);
			tree_end(&tree);
		}
	}
	CHECK(trees >= 40);
}

TAP_MAIN
