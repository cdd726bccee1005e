/* SPDX-License-Identifier: MIT */
/* A token seen before must never name other bytes: that would be a stale picture. */
#include <sys/mman.h>

#include "clock.h"
#include "files.h"

static void check_rewrites(enum wan_identity_mode mode)
{
	set_up_way();
	struct wan_identity *identity = make(mode, false);
	uint64_t start_ns = wan_now_ns();
	CHECK_EQ(rewrite_often(identity, in_folder(path_text), 1000), 0);
	CHECK(decodes >= 1000);
	CHECK(decodes < 1100); /* and hardly anything is decoded twice */
	printf("# 1000 rewrites in %.2f s, %u decodes\n", (double)(wan_now_ns() - start_ns) / 1e9,
	       decodes);
	wan_identity_destroy(identity);
}

TEST(no_stale_token_in_1000_rewrites_when_watched)
{
	if (!watching_works())
		SKIP("inotify does not work here");
	check_rewrites(WAN_IDENTITY_INOTIFY);
}

TEST(no_stale_token_in_1000_rewrites_when_strict)
{
	check_rewrites(WAN_IDENTITY_STRICT);
}

TEST(no_stale_token_in_rewrites_of_a_relative_path)
{
	set_up_way();
	char before[4096];
	REQUIRE(getcwd(before, sizeof(before)) != NULL && chdir(folder) == 0);
	struct wan_identity *identity = make(WAN_IDENTITY_AUTO, false);
	CHECK_EQ(rewrite_often(identity, path_text, 300), 0);
	CHECK_EQ(stats_of(identity).watched_paths, 0);
	wan_identity_destroy(identity);
	REQUIRE_EQ(chdir(before), 0);
}

TEST(what_is_written_through_a_mapping_shows_when_that_is_closed)
{
	if (!watching_works())
		SKIP("inotify does not work here");
	set_up_way();
	struct wan_identity *identity = make(WAN_IDENTITY_INOTIFY, false);
	const char *path = in_folder(path_text);
	struct wan_key token = look(identity, path);
	for (uint32_t i = 1; i < 20; i++) {
		int fd = open(path, O_RDWR);
		uint32_t *mapped = mmap(NULL, 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		REQUIRE(fd >= 0 && mapped != MAP_FAILED);
		close(fd);
		*mapped = i;
		munmap(mapped, 4);
		CHECK(!same(token, look(identity, path)));
		token = look(identity, path);
	}
	wan_identity_destroy(identity);
}

TEST(mode_stat_sees_a_change_within_100_ms)
{
	set_up_way();
	struct wan_identity *identity = make(WAN_IDENTITY_STAT, false);
	const char *path = in_folder(path_text);
	struct wan_key token = look(identity, path);
	write_file(path, O_TRUNC, 77);
	fake_now_ns += 99999999;
	CHECK(same(token, look(identity, path)));
	struct wan_sight sight;
	REQUIRE_EQ(wan_identity_look(identity, path, &sight), 0);
	CHECK(!wan_identity_still(identity, path, &sight)); /* asks the kernel */
	fake_now_ns += 1;
	CHECK(!same(token, look(identity, path)));
	CHECK_EQ(stats_of(identity).bound_ns, 100000000);
	CHECK(!stats_of(identity).watching);
	wan_identity_destroy(identity);
}

TEST(by_content_equal_files_are_one_and_a_touch_is_no_change)
{
	shell("rm -rf a b && mkdir a b");
	write_file(in_folder("a/x"), O_CREAT, 1);
	write_file(in_folder("b/x"), O_CREAT, 1);
	for (int mode = WAN_IDENTITY_AUTO; mode <= WAN_IDENTITY_STRICT; mode++) {
		struct wan_identity *identity = make((enum wan_identity_mode)mode, true);
		struct wan_key a = look(identity, in_folder("a/x"));
		CHECK(same(a, look(identity, in_folder("b/x"))));
		write_file(in_folder("b/x"), O_TRUNC, 1);
		fake_now_ns += 200000000;
		CHECK(same(a, look(identity, in_folder("b/x"))));
		write_file(in_folder("b/x"), O_TRUNC, 2);
		fake_now_ns += 200000000;
		CHECK(!same(a, look(identity, in_folder("b/x"))));
		write_file(in_folder("b/x"), O_TRUNC, 1);
		fake_now_ns += 200000000;
		CHECK(same(a, look(identity, in_folder("b/x"))));
		wan_identity_destroy(identity);
	}
}

int main(int argc, char **argv)
{
	return files_main(argc, argv);
}
