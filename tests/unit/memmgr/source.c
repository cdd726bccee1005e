/* SPDX-License-Identifier: MIT */
/* Real sources on trees of files that the test writes. */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "clock.h"
#include "source_trees.h"

TEST(the_host_is_read_from_meminfo)
{
	uint64_t total = 0, available = 0;
	tree_begin(&tree);
	tree_host(&tree, 1000, 250);
	REQUIRE_EQ(open_sources(), 0);
	CHECK_EQ(sources.host(sources.context, &total, &available), 0);
	CHECK_EQ(total, 1000 * WAN_MIB);
	CHECK_EQ(available, 250 * WAN_MIB);
	/* Read again through the same descriptor: a change is seen. */
	tree_host(&tree, 1000, 100);
	CHECK_EQ(sources.host(sources.context, &total, &available), 0);
	CHECK_EQ(available, 100 * WAN_MIB);
	wan_real_sources_close(&real);
	tree_end(&tree);
}

TEST(a_garbage_meminfo_is_an_error_and_not_unlimited)
{
	static const char *const texts[] = {
		"",
		"MemTotal: x kB\nMemAvailable: 5 kB\n",
		"MemTotal: 5 kB\n",
		"MemTotal: 0 kB\nMemAvailable: 0 kB\n",
		"MemTotal: 99999999999999999999 kB\nMemAvailable: 5 kB\n",
		"MemTotal: 18446744073709551615 kB\nMemAvailable: 5 kB\n",
	};
	for (unsigned i = 0; i < WAN_COUNT_OF(texts); i++) {
		uint64_t total = 7, available = 7;
		tree_begin(&tree);
		tree_write(&tree, "/proc/meminfo", "%s", texts[i]);
		REQUIRE_EQ(open_sources(), 0);
		CHECK(sources.host(sources.context, &total, &available) < 0);
		CHECK_EQ(total, 7);
		wan_real_sources_close(&real);
		tree_end(&tree);
	}
}

TEST(resident_pages_are_read_from_statm)
{
	uint64_t rss = 0;
	tree_begin(&tree);
	tree_write(&tree, "/proc/self/statm", "5000 123 45 1 0 600 0\n");
	REQUIRE_EQ(open_sources(), 0);
	CHECK_EQ(sources.process(sources.context, &rss), 0);
	CHECK_EQ(rss, 123 * (uint64_t)sysconf(_SC_PAGESIZE));
	tree_write(&tree, "/proc/self/statm", "nonsense\n");
	CHECK_EQ(sources.process(sources.context, &rss), -EBADMSG);
	tree_write(&tree, "/proc/self/statm", "1 18446744073709551615\n");
	CHECK_EQ(sources.process(sources.context, &rss), -EBADMSG);
	wan_real_sources_close(&real);
	tree_end(&tree);
}

TEST(file_pages_do_not_count_as_need)
{
	tree_begin(&tree);
	v1_process("/a");
	v1_level("/a", "268435456", 241, 200, 0, "268435456"); /* a 200 MB file was read */
	REQUIRE_EQ(read_levels(), 1);
	CHECK_STR(levels[0].name, "cgroup /a");
	CHECK_EQ(levels[0].limit_bytes, 256 * WAN_MIB);
	CHECK_EQ(levels[0].need_bytes, 41 * WAN_MIB);
	v1_level("/a", "268435456", 241, 200, 60, "268435456"); /* 60 of them not yet written */
	REQUIRE_EQ(read_levels(), 1);
	CHECK_EQ(levels[0].need_bytes, 101 * WAN_MIB);
	tree_end(&tree);
}

TEST(a_parent_s_limit_is_paired_with_the_parent_s_usage)
{
	tree_begin(&tree);
	v1_process("/p/c");
	v1_level("", "9223372036854771712", 900, 0, 0, "9223372036854771712");
	v1_level("/p", "268435456", 240, 0, 0, "268435456");
	v1_level("/p/c", "9223372036854771712", 100, 0, 0, "268435456");
	REQUIRE_EQ(read_levels(), 1); /* the child and the root limit nothing */
	CHECK_STR(levels[0].name, "cgroup /p");
	CHECK_EQ(levels[0].need_bytes, 240 * WAN_MIB);
	tree_end(&tree);
}

TEST(a_limit_above_what_is_mounted_is_seen_through_the_hierarchical_one)
{
	tree_begin(&tree);
	tree_write(&tree, "/proc/self/cgroup", "5:memory:/docker/x\n");
	tree_write(&tree, "/proc/self/mountinfo",
		   "30 23 0:26 /docker/x /cg/memory rw - cgroup cgroup rw,memory\n");
	v1_level("", "9223372036854771712", 100, 0, 0, "268435456");
	REQUIRE_EQ(read_levels(), 1);
	CHECK_EQ(levels[0].limit_bytes, 256 * WAN_MIB);
	CHECK_STR(levels[0].name, "cgroup /docker/x");
	tree_end(&tree);
}

TEST(v2_takes_the_smaller_of_max_and_high)
{
	tree_begin(&tree);
	v2_process("/a");
	v2_level("/a", "268435456", "134217728", 100, 30, 10);
	REQUIRE_EQ(read_levels(), 1);
	CHECK_EQ(levels[0].limit_bytes, 128 * WAN_MIB);
	CHECK_EQ(levels[0].need_bytes, 60 * WAN_MIB); /* file pages and reclaimable slab are off */
	v2_level("/a", "max", "134217728", 100, 0, 0);
	REQUIRE_EQ(read_levels(), 1);
	CHECK_EQ(levels[0].limit_bytes, 128 * WAN_MIB);
	v2_level("/a", "268435456", "max", 100, 0, 0);
	REQUIRE_EQ(read_levels(), 1);
	CHECK_EQ(levels[0].limit_bytes, 256 * WAN_MIB);
	v2_level("/a", "max", "max", 100, 0, 0);
	CHECK_EQ(read_levels(), 0);
	tree_end(&tree);
}

TEST(six_levels_are_read_each_with_its_own_figures)
{
	char path[64] = "", max[32];
	tree_begin(&tree);
	v2_process("/1/2/3/4/5/6");
	for (int i = 1; i <= 6; i++) {
		snprintf(path + strlen(path), sizeof(path) - strlen(path), "/%d", i);
		snprintf(max, sizeof(max), "%llu", (7 - i) * 100ull * WAN_MIB);
		v2_level(path, max, "max", 10 * (unsigned)(7 - i), 0, 0);
	}
	REQUIRE_EQ(read_levels(), 6);
	CHECK_STR(levels[0].name, "cgroup /1/2/3/4/5/6");
	CHECK_EQ(levels[0].limit_bytes, 100 * WAN_MIB);
	CHECK_EQ(levels[0].need_bytes, 10 * WAN_MIB);
	CHECK_STR(levels[5].name, "cgroup /1");
	CHECK_EQ(levels[5].limit_bytes, 600 * WAN_MIB);
	CHECK_EQ(levels[5].need_bytes, 60 * WAN_MIB);
	tree_end(&tree);
}

TEST(a_hybrid_tree_uses_the_version_that_has_the_controller)
{
	tree_begin(&tree);
	tree_write(&tree, "/proc/self/cgroup", "5:memory:/a\n0::/u\n");
	tree_write(&tree, "/proc/self/mountinfo",
		   "30 23 0:26 / /cg/memory rw - cgroup cgroup rw,memory\n"
		   "31 23 0:27 / /cg/unified rw - cgroup2 cgroup2 rw\n");
	tree_write(&tree, "/cg/unified/u/cgroup.procs", "1\n"); /* no memory files here */
	v1_level("/a", "268435456", 100, 0, 0, "268435456");
	REQUIRE_EQ(read_levels(), 1);
	CHECK_STR(levels[0].name, "cgroup /a");
	tree_end(&tree);
}

TEST(a_limit_at_or_above_the_host_is_none)
{
	tree_begin(&tree);
	v2_process("/a");
	v2_level("/a", "25769803776", "max", 100, 0, 0); /* 24 GB */
	CHECK_EQ(read_levels(), 0);
	v2_level("/a", "25769803775", "max", 100, 0, 0);
	CHECK_EQ(read_levels(), 1);
	tree_end(&tree);
}

TEST(limits_of_zero_or_garbage_are_passed_over)
{
	static const char *const limits[] = {
		"0", "", "-1", "banana", "12x", "1e9", "99999999999999999999"};
	for (unsigned i = 0; i < WAN_COUNT_OF(limits); i++) {
		tree_begin(&tree);
		v2_process("/p/c");
		v2_level("/p/c", limits[i], "max", 10, 0, 0);
		v2_level("/p", "268435456", "max", 200, 0, 0);
		CHECK_EQ(read_levels(), 1); /* the parent still counts */
		CHECK_STR(levels[0].name, "cgroup /p");
		tree_end(&tree);
	}
}

TEST(a_garbage_usage_hides_only_its_level)
{
	tree_begin(&tree);
	v2_process("/p/c");
	v2_level("/p/c", "134217728", "max", 10, 0, 0);
	v2_level("/p", "268435456", "max", 200, 0, 0);
	tree_write(&tree, "/cg/p/c/memory.current", "lots\n");
	CHECK_EQ(read_levels(), 1);
	CHECK_STR(levels[0].name, "cgroup /p");
	tree_end(&tree);
}

TEST(a_missing_stat_counts_all_usage_as_need)
{
	tree_begin(&tree);
	v2_process("/a");
	tree_write(&tree, "/cg/a/memory.max", "268435456\n");
	tree_write(&tree, "/cg/a/memory.current", "104857600\n");
	REQUIRE_EQ(read_levels(), 1);
	CHECK_EQ(levels[0].need_bytes, 100 * WAN_MIB);
	tree_end(&tree);
}

TEST(absurd_statistics_stay_within_usage)
{
	tree_begin(&tree);
	v2_process("/a");
	v2_level("/a", "268435456", "max", 100, 0, 0);
	tree_write(&tree, "/cg/a/memory.stat",
		   "anon 18446744073709551615\ninactive_file 18446744073709551615\n"
		   "active_file 18446744073709551615\nfile_dirty 1\n");
	REQUIRE_EQ(read_levels(), 1);
	CHECK(levels[0].need_bytes <= 100 * WAN_MIB);
	tree_end(&tree);
}

TEST(a_limit_changed_at_run_time_is_seen_at_the_next_read)
{
	tree_begin(&tree);
	v2_process("/a");
	v2_level("/a", "268435456", "max", 100, 0, 0);
	REQUIRE_EQ(open_sources(), 0);
	CHECK_EQ(sources.cgroups(sources.context, 24 * GIB, levels, 4), 1);
	v2_level("/a", "52428800", "max", 100, 0, 0); /* below its usage */
	CHECK_EQ(sources.cgroups(sources.context, 24 * GIB, levels, 4), 1);
	CHECK_EQ(levels[0].limit_bytes, 50 * WAN_MIB);
	CHECK_EQ(levels[0].need_bytes, 100 * WAN_MIB);
	wan_real_sources_close(&real);
	tree_end(&tree);
}

TEST(no_files_at_all_is_no_crash)
{
	uint64_t value;
	tree_begin(&tree);
	REQUIRE_EQ(open_sources(), 0);
	CHECK(sources.host(sources.context, &value, &value) < 0);
	CHECK_EQ(sources.cgroups(sources.context, GIB, levels, 4), 0);
	CHECK(sources.process(sources.context, &value) < 0);
	wan_real_sources_close(&real);
	tree_end(&tree);
}

TEST(long_names_keep_their_end)
{
	char path[200] = "/";
	memset(path + 1, 'a', 150);
	strcpy(path + 151, "/the-end");
	tree_begin(&tree);
	v2_process(path);
	v2_level(path, "268435456", "max", 10, 0, 0);
	REQUIRE_EQ(read_levels(), 1);
	CHECK(strlen(levels[0].name) < WAN_LEVEL_NAME_MAX);
	CHECK_STR(levels[0].name + strlen(levels[0].name) - 8, "/the-end");
	CHECK(strncmp(levels[0].name, "cgroup ...", 10) == 0);
	tree_end(&tree);
}

TEST(too_many_levels_keep_those_near_the_root)
{
	char path[256] = "";
	tree_begin(&tree);
	for (int i = 0; i < 40; i++) {
		strcat(path, "/d");
		v2_level(path, "268435456", "max", 10, 0, 0);
	}
	v2_process(path);
	CHECK_EQ(read_levels(), WAN_CGROUP_LEVELS_MAX);
	CHECK_STR(levels[WAN_CGROUP_LEVELS_MAX - 1].name, "cgroup /d");
	tree_end(&tree);
}

/* A guest that closes all descriptors and reuses their numbers must not be harmed by us. */
TEST(closed_descriptors_are_opened_again_and_foreign_ones_left_alone)
{
	uint64_t total, available;
	tree_begin(&tree);
	tree_host(&tree, 1000, 250);
	tree_write(&tree, "/foreign", "hello\n");
	REQUIRE_EQ(open_sources(), 0);
	int ours = real.system.meminfo.fd;
	REQUIRE(ours >= 0);
	char path[128];
	snprintf(path, sizeof(path), "%s/foreign", tree.root);
	close(ours);
	CHECK(sources.host(sources.context, &total, &available) < 0);
	int foreign = open(path, O_RDONLY);
	REQUIRE(dup2(foreign, ours) == ours);
	sources.repair(sources.context, wan_now_ns());
	CHECK_EQ(sources.host(sources.context, &total, &available), 0);
	CHECK_EQ(available, 250 * WAN_MIB);
	CHECK(fcntl(ours, F_GETFD) >= 0); /* theirs is still open */
	wan_real_sources_close(&real);
	CHECK(fcntl(ours, F_GETFD) >= 0);
	close(ours);
	if (foreign != ours)
		close(foreign);
	tree_end(&tree);
}

TEST(a_child_reads_its_own_size_after_a_fork)
{
	struct wan_memory_paths paths = {.root = ""};
	REQUIRE_EQ(wan_real_sources_open(&real, &paths, &sources), 0);
	pid_t child = fork();
	if (child == 0) {
		uint64_t rss;
		enum { BYTES = 64 << 20 };
		volatile char *block = malloc(BYTES);
		for (size_t i = 0; i < BYTES; i += 4096)
			block[i] = 1;
		sources.repair(sources.context, wan_now_ns());
		bool seen = sources.process(sources.context, &rss) == 0 && rss >= BYTES;
		_exit(seen ? 0 : 1);
	}
	int status = -1;
	waitpid(child, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	wan_real_sources_close(&real);
}

TEST(this_machine_can_be_read)
{
	struct wan_memory_paths paths = {.root = NULL};
	uint64_t total = 0, available = 0, rss = 0;
	REQUIRE_EQ(wan_real_sources_open(&real, &paths, &sources), 0);
	CHECK_EQ(sources.host(sources.context, &total, &available), 0);
	CHECK(total > available && available > 0);
	CHECK_EQ(sources.process(sources.context, &rss), 0);
	CHECK(rss > 100000 && rss < total);
	CHECK(sources.cgroups(sources.context, total, levels, WAN_CGROUP_LEVELS_MAX) >= 0);
	wan_real_sources_close(&real);
}

TAP_MAIN
