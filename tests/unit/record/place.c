/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "place.h"

#define NOBODY 65534

static struct wan_place self_place(void)
{
	struct wan_place place;
	wan_place_self(&place);
	return place;
}

TEST(the_default_folder_follows_the_environment)
{
	char folder[WAN_PLACE_BYTES], wanted[512];
	REQUIRE_EQ(wan_place_default_folder(folder, sizeof(folder)), 0);
	CHECK_STR(folder, support_path("wanrt"));
	const char *home = getenv("HOME") ? getenv("HOME") : "/root";
	snprintf(wanted, sizeof(wanted), "%s/.local/state/wanrt", home);
	setenv("XDG_STATE_HOME", "relative/is/ignored", 1);
	setenv("HOME", home, 1);
	REQUIRE_EQ(wan_place_default_folder(folder, sizeof(folder)), 0);
	CHECK_STR(folder, wanted);
	CHECK_EQ(wan_place_default_folder(folder, 8), -ENAMETOOLONG);
	unsetenv("HOME");
	CHECK_EQ(wan_place_default_folder(folder, sizeof(folder)), -ENOENT);
	setenv("HOME", home, 1);
	setenv("XDG_STATE_HOME", support_folder, 1);
}

TEST(a_recording_is_named_after_program_pid_and_start)
{
	struct wan_place place = self_place();
	char path[WAN_PLACE_BYTES], wanted[512];
	struct stat status;
	CHECK_EQ(place.pid, getpid());
	CHECK(place.start_ticks > 0);
	int fd = wan_place_create(&place, "", path);
	REQUIRE(fd >= 0);
	close(fd);
	snprintf(wanted, sizeof(wanted), "%s/wanrt/record_place-%u-%llu.wprof", support_folder,
		 place.pid, (unsigned long long)place.start_ticks);
	CHECK_STR(path, wanted);
	REQUIRE_EQ(stat(path, &status), 0);
	CHECK_EQ(status.st_mode & 07777, 0600);
	REQUIRE_EQ(stat(support_path("wanrt"), &status), 0);
	CHECK_EQ(status.st_mode & 07777, 0700);
	/* After exec the pid and the start time are the same: another name, no overwriting. */
	fd = wan_place_create(&place, "", path);
	REQUIRE(fd >= 0);
	close(fd);
	CHECK(strstr(path, "-2.wprof") != NULL);
	uint32_t pid;
	uint64_t start_ticks;
	CHECK(wan_place_parse(strrchr(path, '/') + 1, &pid, &start_ticks));
	CHECK_EQ(pid, place.pid);
	CHECK_EQ(start_ticks, place.start_ticks);
}

TEST(hostile_program_names_become_plain)
{
	struct wan_place place = self_place();
	char path[WAN_PLACE_BYTES];
	snprintf(place.executable, sizeof(place.executable), "/bin/..;rm -rf $HOME\n\x1b[2J");
	int fd = wan_place_create(&place, support_path("odd/"), path);
	REQUIRE(fd >= 0);
	close(fd);
	CHECK(strstr(path, "/odd/_._rm__rf__HOME___2J-") != NULL);
	place.executable[0] = '\0';
	fd = wan_place_create(&place, support_path("odd/"), path);
	REQUIRE(fd >= 0);
	close(fd);
	CHECK(strstr(path, "/program-") != NULL);
}

TEST(names_are_parsed_from_their_end)
{
	uint32_t pid;
	uint64_t start_ticks;
	CHECK(wan_place_parse("a-b-12-3456.wprof", &pid, &start_ticks));
	CHECK_EQ(pid, 12);
	CHECK_EQ(start_ticks, 3456);
	CHECK(wan_place_parse("python3.11-7-999-2.wprof", &pid, &start_ticks));
	CHECK_EQ(pid, 7);
	CHECK_EQ(start_ticks, 999);
	const char *const wrong[] = {"",           ".wprof",       "a.wprof",
				     "a-1.wprof",  "a-x-1.wprof",  "a-1-x.wprof",
				     "a-1-2.prof", "a-1-2.wprof2", "a-99999999999-5000.wprof"};
	for (size_t i = 0; i < WAN_COUNT_OF(wrong); i++)
		CHECK(!wan_place_parse(wrong[i], &pid, &start_ticks));
}

TEST(off_and_a_missing_parent_record_nowhere)
{
	struct wan_place place = self_place();
	char path[WAN_PLACE_BYTES];
	CHECK_EQ(wan_place_create(&place, "off", path), -ENOENT);
	CHECK_EQ(wan_place_create(&place, support_path("not/there.wprof"), path), -ENOENT);
}

TEST(a_file_that_exists_is_not_overwritten)
{
	struct wan_place place = self_place();
	char path[WAN_PLACE_BYTES];
	const char *wanted = support_path("run.wprof");
	int fd = wan_place_create(&place, wanted, path);
	REQUIRE(fd >= 0);
	CHECK_EQ(write(fd, "mine", 4), 4);
	close(fd);
	CHECK_STR(path, wanted);
	fd = wan_place_create(&place, wanted, path);
	REQUIRE(fd >= 0);
	close(fd);
	CHECK(strstr(path, "/run.wprof.d/record_place-") != NULL);
	struct stat status;
	REQUIRE_EQ(stat(wanted, &status), 0);
	CHECK_EQ(status.st_size, 4);
	CHECK_EQ(wan_place_create_exact(wanted), -EEXIST);
}

TEST(a_link_in_our_place_is_not_followed)
{
	const char *link = support_path("link.wprof"), *target = support_path("target");
	REQUIRE_EQ(symlink(target, link), 0);
	CHECK(wan_place_create_exact(link) < 0);
	CHECK(access(target, F_OK) != 0);
}

TEST(a_folder_others_may_write_to_is_refused)
{
	struct wan_place place = self_place();
	char path[WAN_PLACE_BYTES];
	mkdir(support_path("wanrt"), 0700);
	REQUIRE_EQ(chmod(support_path("wanrt"), 0777), 0);
	CHECK_EQ(wan_place_create(&place, "", path), -EPERM);
	REQUIRE_EQ(chmod(support_path("wanrt"), 0700), 0);
	const char *open_to_all = support_path("open/"), *sticky = support_path("sticky/");
	mkdir(open_to_all, 0700);
	mkdir(sticky, 0700);
	chmod(open_to_all, 0777);
	chmod(sticky, 01777);
	CHECK_EQ(wan_place_create(&place, open_to_all, path), -EPERM);
	int fd = wan_place_create(&place, sticky, path);
	CHECK(fd >= 0);
	close(fd);
}

static int create_as_nobody(const struct wan_place *place, const char *configured)
{
	char path[WAN_PLACE_BYTES];
	if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
		return 100;
	return -wan_place_create(place, configured, path);
}

TEST(an_unwritable_folder_is_an_error_and_a_foreign_one_is_refused)
{
	struct wan_place place = self_place();
	if (geteuid() != 0)
		SKIP("not root: cannot become another user");
	const char *closed = support_path("closed/");
	mkdir(closed, 0755);
	chmod(support_folder, 0755);
	pid_t child = fork();
	if (child == 0)
		_exit(create_as_nobody(&place, closed));
	CHECK_EQ(support_wait(child), EACCES);
	mkdir(support_path("wanrt"), 0700);
	chmod(support_path("wanrt"), 0755);
	child = fork();
	if (child == 0)
		_exit(create_as_nobody(&place, ""));
	CHECK_EQ(support_wait(child), EPERM);
	chmod(support_path("wanrt"), 0700);
}

TEST(only_the_process_that_wrote_it_lives)
{
	struct wan_place place = self_place();
	CHECK(wan_place_lives(place.pid, place.start_ticks));
	CHECK(wan_place_lives(place.pid, 0));
	CHECK(!wan_place_lives(place.pid, place.start_ticks + 1)); /* its pid was used again */
	CHECK(!wan_place_lives(0, 0));
	CHECK(!wan_place_lives(UINT32_MAX, 0));
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	siginfo_t info;
	waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT); /* a zombie now */
	CHECK(!wan_place_lives((uint32_t)child, 0));
	support_wait(child);
	CHECK(!wan_place_lives((uint32_t)child, 0));
}

TAP_MAIN
