/* SPDX-License-Identifier: MIT */
/* What changes while a program runs: groups, limits, files that break; and being told of it. */
#include "tap.h"

#include <fcntl.h>
#include <poll.h>

#include "clock.h"
#include "source_trees.h"

TEST(a_limit_that_cannot_be_read_any_more_stands_as_it_was)
{
	static const char *const bad[] = {"0", "much", ""};
	char text[192];
	for (unsigned i = 0; i < WAN_COUNT_OF(bad); i++) {
		tree_begin(&tree);
		v2_process("/a");
		v2_level("/a", "268435456", "max", 100, 0, 0);
		REQUIRE_EQ(open_sources(), 0);
		CHECK_EQ(sources.cgroups(sources.context, 24 * GIB, levels, 4), 1);
		CHECK(!sources.trouble(sources.context, text, sizeof(text)));
		tree_write(&tree, "/cg/a/memory.max", "%s\n", bad[i]);
		for (int again = 0; again < 3; again++) {
			REQUIRE_EQ(sources.cgroups(sources.context, 24 * GIB, levels, 4), 1);
			CHECK_EQ(levels[0].limit_bytes, 256 * WAN_MIB);
		}
		CHECK(sources.trouble(sources.context, text, sizeof(text)));
		CHECK(strncmp(text, "cgroup /a: ", 11) == 0);
		CHECK(!sources.trouble(sources.context, text, sizeof(text))); /* said once */
		wan_real_sources_close(&real);
		tree_end(&tree);
	}
}

TEST(a_move_to_another_group_is_followed)
{
	uint64_t now_ns = wan_now_ns();
	tree_begin(&tree);
	v2_process("/a");
	v2_level("/a", "268435456", "max", 100, 0, 0);
	v2_level("/b/c", "max", "max", 10, 0, 0);
	v2_level("/b", "134217728", "max", 90, 0, 0);
	REQUIRE_EQ(open_sources(), 0);
	CHECK_EQ(sources.cgroups(sources.context, 24 * GIB, levels, 4), 1);
	tree_write(&tree, "/proc/self/cgroup", "0::/b/c\n");
	sources.repair(sources.context, now_ns + 2000000000);
	REQUIRE_EQ(sources.cgroups(sources.context, 24 * GIB, levels, 4), 1);
	CHECK_STR(levels[0].name, "cgroup /b");
	CHECK_EQ(levels[0].limit_bytes, 128 * WAN_MIB);
	CHECK_EQ(levels[0].need_bytes, 90 * WAN_MIB);
	wan_real_sources_close(&real);
	tree_end(&tree);
}

TEST(the_old_groups_stand_while_the_new_ones_cannot_be_known)
{
	char text[192];
	tree_begin(&tree);
	v2_process("/a");
	v2_level("/a", "268435456", "max", 100, 0, 0);
	REQUIRE_EQ(open_sources(), 0);
	tree_write(&tree, "/proc/self/cgroup", "0::/b\n");
	char path[128];
	snprintf(path, sizeof(path), "%s/proc/self/mountinfo", tree.root);
	unlink(path);
	mkdir(path, 0755); /* there, and not to be read */
	sources.repair(sources.context, wan_now_ns() + 2000000000);
	REQUIRE_EQ(sources.cgroups(sources.context, 24 * GIB, levels, 4), 1);
	CHECK_STR(levels[0].name, "cgroup /a");
	CHECK(sources.trouble(sources.context, text, sizeof(text)));
	wan_real_sources_close(&real);
	tree_end(&tree);
}

TEST(light_looks_see_usage_and_limits_at_once)
{
	const struct wan_light light = {.now_ns = wan_now_ns(), .line_pct = 73};
	tree_begin(&tree);
	v2_process("/p/c");
	v2_level("/p/c", "536870912", "max", 100, 0, 0);
	v2_level("/p", "1073741824", "max", 200, 50, 0);
	REQUIRE_EQ(open_sources(), 0);
	REQUIRE_EQ(sources.cgroups(sources.context, 24 * GIB, levels, 4), 2);
	v2_level("/p", "1073741824", "max", 700, 550, 0); /* 500 more, clean or not */
	REQUIRE_EQ(sources.cgroups_lightly(sources.context, &light, 24 * GIB, levels, 4), 2);
	CHECK(levels[1].need_bytes >= 150 * WAN_MIB); /* never below the truth */
	v2_level("/p/c", "104857600", "max", 100, 0, 0);
	REQUIRE_EQ(sources.cgroups_lightly(sources.context, &light, 24 * GIB, levels, 4), 2);
	CHECK_EQ(levels[0].limit_bytes, 100 * WAN_MIB);
	wan_real_sources_close(&real);
	tree_end(&tree);
}

TEST(a_file_that_could_not_be_opened_is_tried_again)
{
	char path[128], aside[128];
	tree_begin(&tree);
	v2_process("/a");
	v2_level("/a", "268435456", "max", 100, 0, 0);
	snprintf(path, sizeof(path), "%s/cg/a/memory.max", tree.root);
	snprintf(aside, sizeof(aside), "%s/aside", tree.root);
	rename(path, aside);
	REQUIRE_EQ(symlink("memory.max", path), 0); /* ELOOP: there, and not to be opened */
	REQUIRE_EQ(open_sources(), 0);
	CHECK_EQ(sources.cgroups(sources.context, 24 * GIB, levels, 4), 0);
	rename(aside, path);
	sources.repair(sources.context, wan_now_ns() + 2000000000);
	REQUIRE_EQ(sources.cgroups(sources.context, 24 * GIB, levels, 4), 1);
	CHECK_EQ(levels[0].limit_bytes, 256 * WAN_MIB);
	wan_real_sources_close(&real);
	tree_end(&tree);
}

TEST(pressure_is_read_where_the_kernel_tells)
{
	double some_pct = 7;
	tree_begin(&tree);
	REQUIRE_EQ(open_sources(), 0);
	CHECK(sources.pressure(sources.context, &some_pct) < 0);
	CHECK(some_pct == 7);
	wan_real_sources_close(&real);
	tree_write(&tree, "/proc/pressure/memory",
		   "some avg10=12.34 avg60=0.00 avg300=0.00 total=1\nfull avg10=1.00\n");
	REQUIRE_EQ(open_sources(), 0);
	CHECK_EQ(sources.pressure(sources.context, &some_pct), 0);
	CHECK_NEAR(some_pct, 12.34, 1e-9);
	tree_write(&tree, "/proc/pressure/memory", "some avg10=1234567.00\n");
	CHECK(sources.pressure(sources.context, &some_pct) < 0);
	wan_real_sources_close(&real);
	tree_end(&tree);
}

TEST(the_largest_holder_of_a_level_is_named)
{
	char text[128];
	tree_begin(&tree);
	v2_process("/a");
	v2_level("/a", "268435456", "max", 100, 0, 0);
	tree_write(&tree, "/cg/a/cgroup.procs", "11\n12\n99\n");
	tree_write(&tree, "/proc/11/statm", "9000 1000 1 1 0 1 0\n");
	tree_write(&tree, "/proc/12/statm", "9000 2560 1 1 0 1 0\n");
	tree_write(&tree, "/proc/12/comm", "python3\n");
	tree_write(&tree, "/proc/7/statm", "99000 25600 1 1 0 1 0\n");
	tree_write(&tree, "/proc/7/comm", "big\033[1m\n"); /* no escape codes from others */
	REQUIRE_EQ(open_sources(), 0);
	REQUIRE_EQ(sources.holder(sources.context, "cgroup /a", text, sizeof(text)), 0);
	CHECK_STR(text, "python3 (process 12) holds 10.0 MB");
	REQUIRE_EQ(sources.holder(sources.context, "host", text, sizeof(text)), 0);
	CHECK(strstr(text, "(process 7) holds 100 MB") != NULL);
	CHECK(strchr(text, '\033') == NULL);
	CHECK(sources.holder(sources.context, "cgroup /b", text, sizeof(text)) < 0);
	wan_real_sources_close(&real);
	tree_end(&tree);
}

/* v2: the file of events is watched through inotify, which works on any file. */
TEST(a_change_of_memory_events_tells)
{
	const double steps_pct[] = {75, 85, 95};
	int fds[4];
	tree_begin(&tree);
	v2_process("/a");
	v2_level("/a", "268435456", "max", 100, 0, 0);
	tree_write(&tree, "/cg/a/memory.events", "high 0\nmax 0\n");
	REQUIRE_EQ(open_sources(), 0);
	CHECK_EQ(sources.cgroups(sources.context, 24 * GIB, levels, 4), 1);
	REQUIRE_EQ(sources.watch(sources.context, steps_pct, fds, 4), 1);
	struct pollfd polled = {.fd = fds[0], .events = POLLIN};
	CHECK_EQ(poll(&polled, 1, 0), 0);
	tree_write(&tree, "/cg/a/memory.events", "high 1\nmax 0\n");
	CHECK_EQ(poll(&polled, 1, 1000), 1);
	sources.woken(sources.context);
	CHECK_EQ(poll(&polled, 1, 0), 0);
	CHECK(!levels[0].covered); /* it tells at the limit, not at the steps */
	wan_real_sources_close(&real);
	tree_end(&tree);
}

static void check_told(const char *path, const char *text)
{
	const double steps_pct[] = {75, 85, 95};
	int fds[4];
	REQUIRE_EQ(open_sources(), 0);
	REQUIRE_EQ(sources.watch(sources.context, steps_pct, fds, 4), 1);
	struct pollfd polled = {.fd = fds[0], .events = POLLIN};
	CHECK_EQ(poll(&polled, 1, 0), 0);
	tree_write(&tree, path, "%s\n", text);
	CHECK_EQ(poll(&polled, 1, 1000), 1);
	sources.woken(sources.context);
	CHECK_EQ(poll(&polled, 1, 0), 0);
	wan_real_sources_close(&real);
	tree_end(&tree);
}

TEST(a_limit_that_is_written_tells)
{
	tree_begin(&tree);
	v1_process("/a");
	v1_level("/a", "268435456", 100, 0, 0, "268435456");
	check_told("/cg/memory/a/memory.limit_in_bytes", "134217728");
	tree_begin(&tree);
	v2_process("/a");
	v2_level("/a", "268435456", "max", 100, 0, 0);
	check_told("/cg/a/memory.max", "134217728");
	tree_begin(&tree);
	v2_process("/a");
	v2_level("/a", "max", "max", 100, 0, 0);
	check_told("/cg/a/memory.high", "134217728");
}

TEST(an_inotify_that_became_another_descriptor_is_left_alone)
{
	const double steps_pct[] = {75, 85, 95};
	char text[16];
	int fds[4], ends[2];
	tree_begin(&tree);
	v2_process("/a");
	v2_level("/a", "268435456", "max", 100, 0, 0);
	REQUIRE_EQ(open_sources(), 0);
	REQUIRE_EQ(sources.watch(sources.context, steps_pct, fds, 4), 1);
	int fd = fds[0];
	REQUIRE_EQ(pipe(ends), 0);
	REQUIRE_EQ(write(ends[1], "0123456789", 10), 10);
	REQUIRE_EQ(dup2(ends[0], fd), fd);
	sources.woken(sources.context); /* it is readable, but not ours */
	REQUIRE_EQ(sources.watch(sources.context, steps_pct, fds, 4), 1);
	CHECK(fds[0] != fd);
	tree_write(&tree, "/cg/a/memory.max", "134217728\n");
	struct pollfd polled = {.fd = fds[0], .events = POLLIN};
	CHECK_EQ(poll(&polled, 1, 1000), 1);
	REQUIRE_EQ(dup2(ends[0], fds[0]), fds[0]);
	fd = fds[0];
	wan_real_sources_close(&real);
	CHECK_EQ(read(fd, text, sizeof(text)), 10);
	close(ends[0]);
	close(ends[1]);
	tree_end(&tree);
}

TEST(groups_without_events_say_so_once)
{
	const double steps_pct[] = {75, 85, 95};
	char text[192];
	int fds[4];
	tree_begin(&tree);
	v1_process("/a");
	v1_level("/a", "268435456", 100, 0, 0, "268435456");
	REQUIRE_EQ(open_sources(), 0);
	CHECK_EQ(sources.cgroups(sources.context, 24 * GIB, levels, 4), 1);
	/* But for its limit's file, which tells nothing of usage. */
	CHECK_EQ(sources.watch(sources.context, steps_pct, fds, 4), 1);
	CHECK_EQ(sources.watch(sources.context, steps_pct, fds, 4), 1);
	CHECK(sources.trouble(sources.context, text, sizeof(text)));
	CHECK(strstr(text, "no events") != NULL);
	CHECK(!sources.trouble(sources.context, text, sizeof(text)));
	wan_real_sources_close(&real);
	tree_end(&tree);
}

/* Need after memory.stat has changed, within a second of the first look, with steps at 75 %. */
static uint64_t need_after_change(uint64_t usage_mb)
{
	const double steps_pct[] = {75, 85, 95};
	int fds[4];
	uint64_t began_ns, need = 0;
	do {
		tree_begin(&tree);
		v1_process("/a");
		v1_level("/a", "268435456", usage_mb, 40, 0, "268435456");
		began_ns = wan_now_ns();
		if (open_sources() != 0)
			abort();
		sources.watch(sources.context, steps_pct, fds, 4);
		sources.cgroups(sources.context, 24 * GIB, levels, 4);
		v1_level("/a", "268435456", usage_mb, 20, 0, "268435456");
		sources.cgroups(sources.context, 24 * GIB, levels, 4);
		need = levels[0].need_bytes / WAN_MIB;
		wan_real_sources_close(&real);
		tree_end(&tree);
	} while (wan_now_ns() - began_ns > 900000000);
	return need;
}

TEST(what_usage_is_made_of_is_read_each_time_once_it_reaches_a_step)
{
	CHECK_EQ(need_after_change(191), 151); /* of 256: 74.6 % */
	CHECK_EQ(need_after_change(193), 173);
}

static void with_swap(uint64_t limit_mb, uint64_t both_mb)
{
	tree_begin(&tree);
	v1_process("/a");
	v1_level("/a", "268435456", 100, 40, 0, "268435456");
	tree_write(&tree, "/cg/memory/a/memory.memsw.limit_in_bytes", "%llu\n",
		   (unsigned long long)(limit_mb * WAN_MIB));
	tree_write(&tree, "/cg/memory/a/memory.memsw.usage_in_bytes", "%llu\n",
		   (unsigned long long)(both_mb * WAN_MIB));
	REQUIRE_EQ(read_levels(), 1);
	tree_end(&tree);
}

TEST(what_is_swapped_out_counts_where_swap_is_limited_too)
{
	with_swap(300, 190); /* 90 swapped: 210 are left for memory, fewer than 256 */
	CHECK_EQ(levels[0].limit_bytes, 300 * WAN_MIB);
	CHECK_EQ(levels[0].need_bytes, 150 * WAN_MIB);
	with_swap(300, 120); /* 280 are left: the limit of memory is nearer */
	CHECK_EQ(levels[0].limit_bytes, 256 * WAN_MIB);
	CHECK_EQ(levels[0].need_bytes, 60 * WAN_MIB);
	with_swap(256, 100); /* nothing swapped */
	CHECK_EQ(levels[0].limit_bytes, 256 * WAN_MIB);
	CHECK_EQ(levels[0].need_bytes, 60 * WAN_MIB);
	with_swap(256, 50); /* nonsense */
	CHECK_EQ(levels[0].need_bytes, 60 * WAN_MIB);
}

TAP_MAIN
