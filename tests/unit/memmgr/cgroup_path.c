/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include <errno.h>

#include "cgroup_path.h"

static struct wan_cgroup_place place;

#define V1_MOUNT                                                                                   \
	"30 23 0:26 / /sys/fs/cgroup/memory rw,nosuid shared:15 - cgroup cgroup rw,memory\n"
#define V2_MOUNT "31 23 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"

TEST(v1_is_found_by_its_memory_controller)
{
	CHECK_EQ(wan_cgroup_locate("12:cpu,cpuacct:/c\n5:memory:/a/b\n0::/u\n",
				   "1 0 8:1 / / rw - ext4 /dev/sda rw\n" V1_MOUNT, false, &place),
		 0);
	CHECK_STR(place.mount, "/sys/fs/cgroup/memory");
	CHECK_STR(place.path, "/a/b");
	CHECK_STR(place.name, "/a/b");
}

TEST(controllers_that_share_a_hierarchy_are_found)
{
	CHECK_EQ(wan_cgroup_locate("5:cpu,memory,blkio:/a\n",
				   "9 1 0:1 / /cg rw - cgroup none rw,cpu,memory\n", false, &place),
		 0);
	CHECK_STR(place.path, "/a");
}

TEST(names_that_only_resemble_memory_are_not_it)
{
	CHECK_EQ(wan_cgroup_locate("5:memory2,xmemory:/a\n", V1_MOUNT, false, &place), -ENOENT);
	CHECK_EQ(wan_cgroup_locate("5:memory:/a\n",
				   "9 1 0:1 / /cg rw - cgroup none rw,memoryless\n", false, &place),
		 -ENOENT);
}

TEST(v2_is_the_unified_line)
{
	CHECK_EQ(wan_cgroup_locate("0::/user.slice/x\n", V1_MOUNT V2_MOUNT, true, &place), 0);
	CHECK_STR(place.mount, "/sys/fs/cgroup");
	CHECK_STR(place.path, "/user.slice/x");
}

TEST(the_root_cgroup_has_an_empty_path)
{
	CHECK_EQ(wan_cgroup_locate("0::/\n", V2_MOUNT, true, &place), 0);
	CHECK_STR(place.path, "");
	CHECK_STR(place.name, "/");
}

TEST(a_container_s_mount_root_is_taken_off)
{
	CHECK_EQ(wan_cgroup_locate("0::/docker/abc/inner\n",
				   "9 1 0:1 /docker/abc /sys/fs/cgroup rw - cgroup2 none rw\n",
				   true, &place),
		 0);
	CHECK_STR(place.path, "/inner");
	CHECK_EQ(wan_cgroup_locate("0::/docker/abc\n",
				   "9 1 0:1 /docker/abc /sys/fs/cgroup rw - cgroup2 none rw\n",
				   true, &place),
		 0);
	CHECK_STR(place.path, "");
	/* /docker/ab is no parent of /docker/abc. */
	CHECK_EQ(wan_cgroup_locate("0::/docker/abc\n",
				   "9 1 0:1 /docker/ab /sys/fs/cgroup rw - cgroup2 none rw\n", true,
				   &place),
		 0);
	CHECK_STR(place.path, "");
}

TEST(a_mount_that_shows_our_part_is_preferred)
{
	CHECK_EQ(wan_cgroup_locate("0::/docker/abc\n",
				   "9 1 0:1 /other /first rw - cgroup2 none rw\n"
				   "10 1 0:1 /docker /second rw - cgroup2 none rw\n",
				   true, &place),
		 0);
	CHECK_STR(place.mount, "/second");
	CHECK_STR(place.path, "/abc");
}

TEST(outside_of_our_namespace_only_the_mount_is_seen)
{
	CHECK_EQ(wan_cgroup_locate("0::/../../other\n", V2_MOUNT, true, &place), 0);
	CHECK_STR(place.path, "");
}

TEST(escaped_mount_points_are_unescaped)
{
	CHECK_EQ(wan_cgroup_locate("0::/a\n",
				   "9 1 0:1 / /my\\040cg\\134x\\9 rw - cgroup2 none rw\n", true,
				   &place),
		 0);
	CHECK_STR(place.mount, "/my cg\\x\\9");
}

TEST(mount_points_that_are_no_paths_are_passed_over)
{
	CHECK_EQ(wan_cgroup_locate("0::/a\n", "9 1 0:1 / /c\\000g rw - cgroup2 none rw\n", true,
				   &place),
		 -ENOENT);
	CHECK_EQ(wan_cgroup_locate("0::/a\n", "9 1 0:1 / cg rw - cgroup2 none rw\n", true, &place),
		 -ENOENT);
}

TEST(optional_fields_of_mountinfo_are_skipped)
{
	CHECK_EQ(wan_cgroup_locate("0::/a\n",
				   "9 1 0:1 / /cg rw shared:1 master:2 unbindable - cgroup2 n rw\n",
				   true, &place),
		 0);
	CHECK_STR(place.mount, "/cg");
}

TEST(garbage_is_not_found)
{
	static const char *const texts[] = {
		"", "\n\n", ":::::\n", "0:", "0::", "0::x\n", "memory", "5:memory", "5:memory:"};
	for (unsigned i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		CHECK_EQ(wan_cgroup_locate(texts[i], V1_MOUNT V2_MOUNT, false, &place), -ENOENT);
		CHECK_EQ(wan_cgroup_locate(texts[i], V1_MOUNT V2_MOUNT, true, &place), -ENOENT);
		CHECK_EQ(wan_cgroup_locate("0::/a\n5:memory:/a\n", texts[i], true, &place),
			 -ENOENT);
	}
}

TEST(names_too_long_for_a_path_are_refused)
{
	static char text[10000];
	memset(text, 'a', sizeof(text) - 1);
	memcpy(text, "0::/", 4);
	CHECK_EQ(wan_cgroup_locate(text, V2_MOUNT, true, &place), -ENAMETOOLONG);
	static char mount[10000];
	memset(mount, 'b', sizeof(mount) - 1);
	memcpy(mount, "9 1 0:1 / /", 11);
	strcpy(mount + 8000, " rw - cgroup2 n rw\n");
	CHECK_EQ(wan_cgroup_locate("0::/a\n", mount, true, &place), -ENOENT);
}

TAP_MAIN
