/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <dirent.h>

#include "check.h"
#include "place.h"

/* A recording as it lies on the disk: header, content or not, age in minutes. */
static void make_file(const char *name, bool has_content, uint32_t pid, uint64_t start_ticks,
		      unsigned age_minutes, uint64_t bytes)
{
	struct wan_record_header header = {
		.magic = WAN_RECORD_MAGIC,
		.units = has_content ? 5 : 0,
		.pid = pid,
		.pid_start_ticks = start_ticks,
	};
	char path[512];
	static char block[65536];
	snprintf(path, sizeof(path), "%s/wanrt/%s", support_folder, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (write(fd, &header, sizeof(header)) != (ssize_t)sizeof(header))
		exit(1);
	memset(block, 1, sizeof(block));
	for (uint64_t at = sizeof(header); at < bytes; at += sizeof(block))
		if (write(fd, block, sizeof(block)) < 0)
			exit(1);
	struct timespec times[2] = {{.tv_sec = time(NULL) - age_minutes * 60},
				    {.tv_sec = time(NULL) - age_minutes * 60}};
	futimens(fd, times);
	close(fd);
}

static bool there(const char *name)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/wanrt/%s", support_folder, name);
	return access(path, F_OK) == 0;
}

static void empty_folder(void)
{
	char command[512];
	snprintf(command, sizeof(command), "rm -rf '%s/wanrt'", support_folder);
	if (system(command) != 0)
		exit(1);
	mkdir(support_path("wanrt"), 0700);
}

TEST(the_newest_recordings_stay)
{
	char name[64];
	empty_folder();
	for (unsigned i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "p-99999%02u-5.wprof", i);
		make_file(name, true, UINT32_MAX, 5, i + 5, 0);
	}
	wan_place_tidy(20, 256 * WAN_MIB);
	for (unsigned i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "p-99999%02u-5.wprof", i);
		CHECK_EQ(there(name), i < 20);
	}
}

TEST(a_living_process_keeps_its_recording)
{
	struct wan_place self;
	wan_place_self(&self);
	empty_folder();
	make_file("old-but-alive.wprof", true, self.pid, self.start_ticks, 600, 0);
	make_file("pid-used-again.wprof", true, self.pid, self.start_ticks + 1, 500, 0);
	make_file("new.wprof", true, UINT32_MAX, 5, 10, 0);
	make_file("newer.wprof", true, UINT32_MAX, 5, 5, 0);
	wan_place_tidy(2, 256 * WAN_MIB);
	CHECK(there("old-but-alive.wprof"));
	CHECK(there("newer.wprof"));
	CHECK(there("new.wprof"));
	CHECK(!there("pid-used-again.wprof"));
}

TEST(recordings_without_content_do_not_count_and_go)
{
	empty_folder();
	make_file("empty-young.wprof", false, UINT32_MAX, 5, 0, 0);
	make_file("empty-old.wprof", false, UINT32_MAX, 5, 20, 0);
	make_file("one.wprof", true, UINT32_MAX, 5, 30, 0);
	make_file("two.wprof", true, UINT32_MAX, 5, 40, 0);
	wan_place_tidy(2, 256 * WAN_MIB);
	CHECK(there("empty-young.wprof")); /* somebody may be making it just now */
	CHECK(!there("empty-old.wprof"));
	CHECK(there("one.wprof"));
	CHECK(there("two.wprof"));
}

TEST(bytes_are_limited_too)
{
	empty_folder();
	make_file("a.wprof", true, UINT32_MAX, 5, 10, 2 * WAN_MIB);
	make_file("b.wprof", true, UINT32_MAX, 5, 20, 2 * WAN_MIB);
	make_file("c.wprof", true, UINT32_MAX, 5, 30, 2 * WAN_MIB);
	wan_place_tidy(20, 5 * WAN_MIB);
	CHECK(there("a.wprof"));
	CHECK(there("b.wprof"));
	CHECK(!there("c.wprof"));
}

TEST(families_and_links_go_as_one_and_foreign_files_stay)
{
	empty_folder();
	char path[512];
	for (unsigned i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/wanrt/family-%u.wprof", support_folder, i);
		mkdir(path, 0700);
		snprintf(path, sizeof(path), "family-%u.wprof/member-1-2.wprof", i);
		make_file(path, true, UINT32_MAX, 5, 10, 0);
	}
	snprintf(path, sizeof(path), "%s/wanrt/notes.txt", support_folder);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	snprintf(path, sizeof(path), "%s/wanrt/dangling.wprof", support_folder);
	CHECK_EQ(symlink("/nowhere/at/all", path), 0);
	for (unsigned i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/wanrt/family-%u.wprof", support_folder, i);
		struct timespec times[2] = {{.tv_sec = time(NULL) - (i + 1) * 600},
					    {.tv_sec = time(NULL) - (i + 1) * 600}};
		CHECK_EQ(utimensat(AT_FDCWD, path, times, 0), 0);
	}
	wan_place_tidy(2, 256 * WAN_MIB);
	CHECK(there("family-0.wprof/member-1-2.wprof"));
	CHECK(there("family-1.wprof"));
	CHECK(!there("family-2.wprof"));
	CHECK(there("notes.txt"));
}

TEST(making_a_recording_tidies_the_default_folder)
{
	char name[64];
	empty_folder();
	for (unsigned i = 0; i < 25; i++) {
		snprintf(name, sizeof(name), "p-99999%02u-5.wprof", i);
		make_file(name, true, UINT32_MAX, 5, i + 5, 0);
	}
	REQUIRE(wan_recorder_process(support_config(1000), WAN_ROLE_LINKED, true) != NULL);
	unsigned count = 0;
	DIR *folder = opendir(support_path("wanrt"));
	for (struct dirent *entry; (entry = readdir(folder));)
		count += strstr(entry->d_name, ".wprof") != NULL;
	closedir(folder);
	CHECK_EQ(count, 21); /* 20 with content, and the new one, which has none yet */
	CHECK(there("p-9999900-5.wprof"));
}

TAP_MAIN
